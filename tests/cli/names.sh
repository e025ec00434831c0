# Classes by name, and what counts from 0: latents, images, classes. Narrow pictures with long captions.
try() { echo "-- latent $*"; latent "$@" 2>&1; echo "exit $?"; }
image() { local n=$2 all=$(($(stat -c %s "$1") - 128)); tail -c +$((129 + all / n * $3)) "$1" | head -c $((all / n)); }
same() { cmp <(image $1) <(image $2) && echo "same image"; }

echo "== classes by name"
for k in "ankle boot" cat 0 7; do
    mkdir -p "set/$k"
    for i in 1 2 3 4 5 6; do latent data show synthetic -n 1 --set resize=8 --seed "1$i$(cksum <<< "$k" | head -c 3)" -o "set/$k/$i.png" 2> /dev/null; done
done
latent data info set 2> /dev/null | sed -n '/^classes/,$p'
latent train $TESTS/cli/tiny.yaml -s "data.set=$PWD/set" -s data.limit=0 --epochs 1 --out vae > /dev/null 2>&1
latent train $TESTS/cli/gan.yaml -s "data.set=$PWD/set" -s data.limit=0 -s data.resize=8 --epochs 1 --out gan > /dev/null 2>&1
# The order of classes is that of their names: 0 is "0", 1 is "7", 2 is "ankle boot", 3 is "cat".
latent train $TESTS/cli/gan.yaml -s "data.set=$PWD/set" -s data.limit=0 -s data.resize=8 -s model.latent=2 --epochs 1 --out flat > /dev/null 2>&1
for command in "sample gan" "traverse gan" "manifold flat"; do
    for class in cat 3 7 1; do latent $command --class $class -o $class.npy 2> /dev/null; done
    cmp cat.npy 3.npy && cmp 7.npy 1.npy && echo "$command: cat is 3, and 7 is the name of 1"
    cmp -s 3.npy 1.npy || echo "another class, other images"
done
latent animate gan --walk --class "ankle boot" --walks 1 --stops 2 --per-stop 2 -o a.npy 2> /dev/null
latent animate gan --walk --class 2 --walks 1 --stops 2 --per-stop 2 -o b.npy 2> /dev/null; cmp a.npy b.npy && echo "animate"
printf '0,0,0\n1,1,1\n' > codes.csv
latent decode gan codes.csv --class cat -o a.npy 2> /dev/null; latent decode gan codes.csv --class 3 -o b.npy 2> /dev/null; cmp a.npy b.npy && echo decode
latent interpolate gan --class cat --pairs 1 -o a.npy 2> /dev/null; latent interpolate gan --class 3 --pairs 1 -o b.npy 2> /dev/null; cmp a.npy b.npy && echo "interpolate, of a GAN"
train="--split train"
latent interpolate vae $train --class cat,0 --pairs 2 -o a.npy 2> /dev/null; latent interpolate vae $train --class 3,0 --pairs 2 -o b.npy 2> /dev/null; cmp a.npy b.npy && echo interpolate
latent animate vae --walk $train --class "cat,ankle boot,0" --walks 2 --per-stop 1 -o a.npy 2> /dev/null
latent animate vae --walk $train --class 3,2,0 --walks 2 --per-stop 1 -o b.npy 2> /dev/null; cmp a.npy b.npy && echo "animate, of images"
latent encode vae $train --class cat -o a.npy 2> /dev/null; latent encode vae $train --class 3 -o b.npy 2> /dev/null; cmp a.npy b.npy && echo encode
try sample gan --class kat
try sample gan --class 4
try traverse gan --class "ankle bot"
try interpolate vae $train --class cat,ct
try interpolate vae $train --class cat
try animate vae --walk $train --class cat,9
try decode gan codes.csv --class kat
try traverse vae --class cat
mv set away; try sample gan --class cat 2>&1 | sed "s:$PWD:HERE:g"; latent sample gan --class 3 -o b.npy 2>&1; mv away set

echo "== images and latents count from 0"
latent encode vae $train -o all.csv 2> /dev/null
sed -n '1p' all.csv
# By hand: the code of image 7, and latents moved by 2, one at a time and all.
awk -F, 'NR > 1 && $1 == 7 { for (k = -1; k < 4; k++) print $3 + 2 * (k == 0 || k == 3) "," $4 + 2 * (k == 1 || k == 3) "," $5 + 2 * (k == 2 || k == 3) }' all.csv > moved.csv
latent decode vae moved.csv -o want.npy 2> /dev/null
latent traverse vae $train --image 7 --every 1 --shift 2 --rows 1 -o found.npy 2> /dev/null
near() { paste <(od -An -v -tf4 -w4 -j128 "$1") <(od -An -v -tf4 -w4 -j128 "$2") | awk '{ d = $1 - $2; d = d < 0 ? -d : d; m = d > m ? d : m } END { print NR, m < 1e-4 ? "alike" : "differ by " m }'; }
near want.npy found.npy
# --grid 2,0: latent 2 to the right; the middle row has latent 0 at its median.
latent traverse vae --grid 2,0 --seed 5 -o grid.npy 2> /dev/null
latent traverse vae --grid 0,2 --seed 5 -o turned.npy 2> /dev/null
same "grid.npy 49 21" "turned.npy 49 45"
same "grid.npy 49 2" "turned.npy 49 34"
latent reconstruct vae $train -n 8 -o r.npy 2> /dev/null
latent interpolate vae $train --image 7,0 --columns 2 -o ends.npy 2> /dev/null; same "r.npy 8 7" "ends.npy 6 0"
same "r.npy 8 0" "ends.npy 6 1"
try traverse vae --grid 0,3
try traverse vae --image 24 $train --every 1
latent traverse vae $train --image 23 --every 1 -o last.npy 2>&1

echo "== narrow pictures with long captions"
long="a very long title that goes on and on until nobody reads it any more, and still it is not at its end"
rm -f gan/samples/*
for e in 1 2 9 88 111; do latent sample gan -n 1 --zoom 1 --seed $e -o gan/samples/$(printf epoch-%04d.png $e) 2> /dev/null; done
latent animate gan --zoom 1 -o a.webp 2>&1
for options in "" "--walk --walks 1 --stops 2 --per-stop 2"; do
    latent animate gan $options --zoom 1 --title "$long" -o b.webp 2>&1
done
for command in "sample vae -n 1" "reconstruct vae -n 1 $train" "interpolate vae --pairs 1 --columns 2 $train" "traverse vae --rows 1" "sample gan --class all -n 1"; do
    latent $command --zoom 1 --title "$long" -o a.png 2> log || { echo "$command"; cat log; }
done
for kind in curves rate-distortion latents histogram activity bounds; do
    latent plot $kind vae --width 100 --title "$long" -o a.png > log 2>&1 || { echo "$kind"; cat log; }
done
try plot curves vae --width 100 --height 70
