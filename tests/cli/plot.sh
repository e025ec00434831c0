# Charts of logs that are made here, so that they are the same everywhere.
mkdir -p vae gan other/vae
awk 'BEGIN { for (i = 1; i <= 20; i++) printf "{\"step\":%d,\"epoch\":%d,\"loss\":%.3f,\"rate\":%.3f,\"distortion\":%.3f,\"beta\":1,\"learning_rate\":0.001,\"seconds\":4.5,\"valid\":{\"images\":9,\"neg_elbo\":%.3f,\"neg_elbo_se\":0.25,\"rate\":%.3f,\"distortion\":%.3f}}\n",
    i * 100, i, 100 + 90 / i, 25 - 9 / i, 75 + 99 / i, 102 + 80 / i, 25 - 8 / i, 77 + 88 / i }' > vae/metrics.jsonl
sed 's/"beta":1,/"beta":0.5,/; s/"loss":1/"loss":2/' vae/metrics.jsonl | head -12 > other/vae/metrics.jsonl
awk 'BEGIN { for (i = 1; i <= 300; i++) printf "{\"step\":%d,\"epoch\":%d,\"discriminator_loss\":%.4f,\"generator_loss\":%.4f,\"d_real\":%.4f,\"d_fake\":%.4f,\"penalty\":0.1,\"new\":[1],\"odd\":\"x\"}\n",
    i * 10, (i + 9) / 10, sin(i) - 9, cos(i * 0.7), 2 + sin(i * 3) / 3, -2 + sin(i * 5) / 3 }' > gan/metrics.jsonl
printf '{"step":30' >> gan/metrics.jsonl
try() { echo "-- latent plot $*"; latent plot "$@" 2>&1; echo "exit $?"; }
size() { od -An -tu1 -j16 -N8 "$1" | awk '{ print $3 * 256 + $4 " x " $7 * 256 + $8 }'; }
kind() { head -c 5 "$1"; echo; }

try curves vae; size curves.png
cp curves.png before.png; latent plot curves vae 2> /dev/null; cmp curves.png before.png && echo same
try curves vae/ other/vae -o two.svg --from 3; kind two.svg
try curves gan -o gan.pdf; kind gan.pdf
try curves vae/metrics.jsonl --log-x --log-y --by seconds --width 300 --height 200 --title 'A title'; size curves.png
try curves gan --log-y --smooth 0
try rate-distortion vae other/vae --from 2 -o rd.svg
echo "== codes"
latent train $TESTS/cli/tiny.yaml --epochs 1 --threads 1 > log 2>&1; echo "exit $?"
try latents runs/tiny -n 150 --split train; size latents.png
latent plot latents runs/tiny -n 150 --split train --threads 3 -o three.png 2> /dev/null; cmp latents.png three.png && echo "same at 3 threads"
try activity runs/tiny runs/tiny --threads 1 -o activity.svg; kind activity.svg
latent train $TESTS/cli/tiny.yaml --set model.latent=2 --epochs 1 --threads 1 --out two > log 2>&1; try latents two -o two.pdf
latent train $TESTS/cli/tiny.yaml --set model.latent=1 --epochs 1 --threads 1 --out one > log 2>&1; try latents one; try activity one
echo "== maps"
try latents runs/tiny two -n 50 --ellipses 20 --split train -o maps.svg; grep -c '<image ' maps.svg
try histogram two -n 150 --split train; size histogram.png
cp histogram.png before.png; latent plot histogram two -n 150 --split train --threads 3 2> /dev/null; cmp histogram.png before.png && echo "same at 3 threads"
try histogram runs/tiny two --latents 1,0 --bins 7 -o histogram.pdf; kind histogram.pdf
try histogram two --latents 1,2
try histogram two --latents 1,1
try histogram two --latents 1
try histogram two --bins 1001
try histogram one
latent train $TESTS/cli/tiny.yaml --set model.latent=2 --set 'model.prior=mixture 3' --epochs 1 --threads 1 --out mixed > log 2>&1; try histogram mixed -o mixed.svg
latent train $TESTS/cli/tiny.yaml -s data.limit=30 -s 'optimizer=adam lr=1000' --epochs 1 --threads 1 --out diverged > log 2>&1; try histogram diverged | sed 's/found .*/found .../'
echo "== options of other kinds"
try histogram two --ellipses 3
try latents two --latents 1,2
try curves two -n 50
try activity two --log-x
try bounds two --from 0
try rate-distortion two --split test
echo "== bounds"
try bounds runs/tiny two --threads 1 -n 20 -o bounds.svg; kind bounds.svg
cp bounds.svg before.svg; latent plot bounds runs/tiny two --threads 3 -n 20 -o bounds.svg 2> /dev/null; cmp bounds.svg before.svg && echo "same at 3 threads"
grep -c 'latent plot bounds' <(latent help plot)
latent train $TESTS/cli/gan.yaml --epochs 1 --threads 1 --out adversarial > log 2>&1; try bounds adversarial; try histogram adversarial; try latents adversarial
latent train $TESTS/cli/tiny.yaml -s model.likelihood='gaussian sigma=optimal' -s data.binarize=none --epochs 1 --threads 1 --out gray > log 2>&1; try bounds runs/tiny gray -n 5
echo "== refused"
try rate-distortion gan
try latents vae
try curvse vae
try curves
try curves vae -o x.bmp
try curves none
try curves other
try curves vae --from 21
echo '{"step":1}' > few.jsonl; try curves few.jsonl
printf '{"step":1}\n[2]\n' > list.jsonl; try curves list.jsonl
printf '{"step":1}\n{"a\n' > broken.jsonl; try curves broken.jsonl 2>&1 | cut -c 1-40
: > empty.jsonl; try curves empty.jsonl
try curves vae -o none/x.png
echo "== runs that are not comparable are drawn with a word"
beside() { # DIR LOG RECIPE SET...: a log, and the recipe of its run
    mkdir -p $1; cp $2/metrics.jsonl $1; local dir=$1 recipe=$3; shift 3
    latent recipes show $recipe "$@" > $dir/recipe.yaml 2> /dev/null
}
beside a vae ift6135-vae; beside b vae ift6135-vae -s data.set=mnist
beside c vae ift6135-vae -s objective.beta=2; beside d vae ift6135-vae -s 'model.likelihood=gaussian 1'
beside e vae ift6135-vae -s seed=7
beside w gan fashion-wgan; beside n gan cs446-gan; beside m gan cs446-gan -s data.set=fashion-mnist
for other in b c d e; do try curves a $other -o ab.svg; done
try rate-distortion a b -o rd.svg
try rate-distortion a e -o rd.svg
try curves w n -o wn.svg
try curves n m -o nm.svg
try curves w -o w.svg
