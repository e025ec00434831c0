# Codes as numbers and back, images into files of their own, charts as numbers, lists of runs, data that a recipe
# does not name.
tiny=$TESTS/cli/tiny.yaml
numbers() { sed -E 's/-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?/#/g'; }
try() { echo "-- latent $*"; latent "$@" 2>&1; echo "exit $?"; }
floats() { od -An -v -tf4 -w4 -j128 "$1"; }
# largest difference of two lists of numbers
differ() { paste "$1" "$2" | awk '{ d = $1 - $2; d = d < 0 ? -d : d; m = d > m ? d : m } END { print NR, m < 1e-5 ? "alike" : "differ by " m }'; }
latent train $tiny --threads 1 > log 2>&1; echo "exit $?"

echo "== encode and decode"
try encode runs/tiny -o c.csv
try encode runs/tiny -o c.npz
try encode runs/tiny -o c.npy
try encode runs/tiny --array z --seed 3 -o z.npy
latent encode runs/tiny --threads 3 -o three.csv 2> /dev/null; cmp c.csv three.csv && echo "same at 3 threads"
head -1 c.csv; awk -F, 'END { print NR, NF, $1 }' c.csv
awk -F, 'NR > 1 { print $3; print $4; print $5 }' c.csv > means; floats c.npy > floats; differ means floats
# the images of the means are the reconstructions of the images they are of, by another way
latent reconstruct runs/tiny -n 200 -o r.npy 2> /dev/null; floats r.npy > want
for f in c.csv c.npz c.npy; do latent decode runs/tiny $f -o d-$f.npy 2>&1; floats d-$f.npy > floats; differ floats want; done
cmp d-c.csv.npy d-c.npz.npy && cmp d-c.csv.npy d-c.npy.npy && echo "the same from all three"
latent decode runs/tiny c.npz --array z -o z-c.npy 2>&1; cmp -s z-c.npy d-c.npz.npy || echo "draws are others"
try encode runs/tiny --split train -n 7 --class 1,2 --set data.limit=900 -o some.csv; awk -F, 'NR > 1 { print $2 }' some.csv | sort -u | tr '\n' ' '; echo
# indices are those of the whole split
latent encode runs/tiny -o whole.csv --split train --set data.limit=0 2> /dev/null; awk -F, 'NR == FNR { label[$1] = $2; next } FNR > 1 && label[$1] != $2 { print "not image", $1 }' whole.csv some.csv
try decode runs/tiny some.csv -o grid.png
try decode runs/tiny some.csv --title Some -c 4 -o grid.svg
printf '0.5,-1,2\n0,0,0\n' > mine.csv; try decode runs/tiny mine.csv -o mine-%d.png; ls mine-*
printf '1,2\n' > two.csv; try decode runs/tiny two.csv
printf '1,2,x\n' > bad.csv; try decode runs/tiny bad.csv
try decode runs/tiny c.npz --array means
try decode runs/tiny c.txt
try decode runs/tiny none.npz
try decode runs/tiny c.npz --class 1
try encode runs/tiny -o c.txt
try encode runs/tiny -o c.npz --array z
try encode runs/tiny --class 9 -o c.npz

echo "== one file for each image"
try sample runs/tiny -n 5 -o s-%02d.png; ls s-*
latent sample runs/tiny -n 5 -o all.npy 2> /dev/null; latent sample runs/tiny -n 5 -o s-%d.npy 2> /dev/null
floats all.npy > want; for i in 0 1 2 3 4; do floats s-$i.npy; done > floats; differ floats want
try sample runs/tiny -n 3 -o s-%02d.png
try reconstruct runs/tiny -n 2 -o r-%d.png
try interpolate runs/tiny --pairs 1 --columns 3 -o i-%d.webp; ls i-* | wc -l
try manifold runs/tiny -o m-%d.png
try data show synthetic -n 2 -o images-%d.png
try animate runs/tiny -o f-%02d.png
mkdir pile; latent sample runs/tiny -n 30 -o pile/%03d.png 2> /dev/null; latent data info pile | head -3
for name in 'a-%s.png' 'a-%n.png' '%d-%d.png' '100%.png' '%d/a.png' '%99d.png' 'a-%d.txt'; do try sample runs/tiny -o "$name"; done
try sample runs/tiny -n 1 -o 100%%-%d.png; ls 100*
try animate runs/tiny -o f-%d.svg

echo "== charts as numbers"
try plot curves runs/tiny -o curves.csv; cut -d, -f1,2 curves.csv | sort | uniq -c | sed 's/^ *//'
awk -F, '$1 == "Distortion" && $2 == "training" { print $4 }' curves.csv > floats
sed -E 's/.*"distortion":([0-9.e+-]+),.*"valid".*/\1/' runs/tiny/metrics.jsonl > want; differ floats want
latent train $tiny --threads 1 --epochs 1 --out other > log 2>&1
latent plot curves runs/tiny other -o two.csv 2> /dev/null; cut -d, -f1,2 two.csv | grep -a Rate | sort | uniq -c | sed 's/^ *//'
try plot latents runs/tiny --ellipses 3 -o map.csv; head -1 map.csv; wc -l < map.csv
try plot histogram runs/tiny --bins 4 -o bins.csv; awk -F, 'NR == 1 { print } NR > 1 { n += $NF } END { print NR - 1, n }' bins.csv
try plot activity runs/tiny -o activity.csv; cut -d, -f1,2,3,5 activity.csv | sort | tail -4
latent plot bounds runs/tiny -n 20 -o bounds.csv 2> /dev/null; cut -d, -f1-3 bounds.csv
latent plot rate-distortion runs/tiny -o rd.csv 2> /dev/null; cut -d, -f1,2 rd.csv | sort | uniq -c | numbers
latent divergence --p "normal 0 1" --theta 0:1:2 -m kl --steps 20 --threads 1 -o div.csv > log 2>&1; cut -d, -f1,2 div.csv | sort | uniq -c | sed 's/^ *//'
try sample runs/tiny -o x.csv

echo "== runs"
latent eval runs/tiny --nll 30 --images 50 > log 2>&1
cp -r runs/tiny runs/half; sed -i s/epochs:.3/epochs:\ 9/ runs/half/recipe.yaml; mkdir -p runs/deep/er runs/none
cp -r other runs/deep/er/run; rm runs/deep/er/run/checkpoints/*
try runs | sed -E 's/[0-9]+\.[0-9]+/#/g'
latent runs --json | numbers | tr '{' '\n' | grep -a '"state"' | cut -d, -f1-5
long=runs/a-name-that-is-much-longer-than-names-of-runs-are-as-a-rule; cp -r runs/tiny $long
{ latent runs; latent eval runs/tiny $long other --nll 30 2> /dev/null; } | awk 'length > 80 && NF > 1'; latent runs $long | head -3 | sed -E 's/[0-9]+\.[0-9]+/#/g'; rm -r $long
mkdir odd; cp -r other odd/$'r\xff'; latent runs odd other other --json | grep -o '"run": "[^"]*"'; latent eval odd/$'r\xff' --json 2> /dev/null | cut -c1-20
try runs other | sed -E 's/[0-9]+\.[0-9]+/#/g'
try runs runs/none
try runs nowhere
try runs log

echo "== several runs"
latent eval runs/tiny other --nll 5 --threads 1 2> /dev/null > table; sed -E 's/[0-9]+\.[0-9]+/#/g; s/less that of ([^ ]*): -?#/less that of \1: #/' table
latent eval runs/tiny --nll 5 --per-image a.csv > log 2>&1; latent eval other --nll 5 --per-image b.csv > log 2>&1
# the difference and its error, by awk
paste -d, a.csv b.csv | awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "neg_elbo_nats") c[++k] = i; next }
    { d[NR] = $c[2] - $c[1]; s += d[NR]; n++ } END { m = s / n; for (i in d) q += (d[i] - m) ^ 2
      printf "-ELBO of other less that of runs/tiny: %.2f +- %.2f\n", m, sqrt(q / (n - 1) / n) }' > want
grep '^-ELBO of' table | cmp - want && echo "as awk has it"
latent train $tiny --threads 1 --epochs 1 --set data.limit=100 --out less > log 2>&1
latent train $tiny --threads 1 --epochs 1 --set data.limit=40 --out few > log 2>&1
latent eval other few 2> /dev/null | head -3
latent eval runs/tiny less other 2> /dev/null | sed -n '/compar/p; /less that/s/: .*//p'
latent eval runs/tiny less --json 2> /dev/null | grep -o '"do_not_compare": "[^"]*"'
try eval runs/tiny other --per-image x.csv
try eval runs/tiny none
[ "$(latent eval runs/tiny other --json 2> /dev/null)" = "$(latent eval runs/tiny other --json --threads 3 2> /dev/null)" ] && echo "same at 3 threads"

echo "== a run or its checkpoint"
last=runs/tiny/checkpoints/step-00000021.safetensors
latent encode $last -o file.csv 2> /dev/null; cmp c.csv file.csv && echo "encode"
latent decode $last c.csv -o file.npy 2> /dev/null; cmp d-c.csv.npy file.npy && echo "decode"
example_sample runs/tiny e.png && example_sample $last f.png && cmp e.png f.png && echo "the program of README"
example_sample runs/none e.png 2>&1; example_sample 2>&1 | sed 's/ .*example/ example/'; example_sample runs/tiny none/e.png 2>&1; echo "exit $?"
latent plot curves $last -o x.csv 2> log; latent plot curves runs/tiny -o y.csv 2> log; cmp x.csv y.csv && echo "curves"
latent animate $last -o x.gif 2>&1; latent sample $last --history -n 2 -o x.png 2>&1
latent resume $last --epochs 4 --threads 1 > log 2>&1; echo "exit $?"; wc -l < runs/tiny/metrics.jsonl
try resume $last
try resume less/checkpoints
cp $last lone.safetensors; try resume lone.safetensors
try animate lone.safetensors
try encode runs/none
# refused by the size of its data, which are open then
try score s-0.npy --against $last
try score s-0.npy --against runs/tiny

echo "== a recipe without data"
sed /^data/d $tiny > bare.yaml
try train bare.yaml --out bare; ls bare 2>&1
latent train bare.yaml --out bare --data synthetic --set data.limit=60 --epochs 1 --threads 1 > log 2>&1; echo "exit $?"
sed -n '/^data/,/^model/p' bare/recipe.yaml | head -2
latent recipes show bare.yaml 2>&1 | sed -n '/^data/,/^  val/p'
