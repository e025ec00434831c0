# SPDX-License-Identifier: MIT
# Animations: what latent animate writes, in every format, and what it refuses.
latent train "$TESTS/cli/tiny.yaml" --epochs 5 --out vae > /dev/null 2>&1
latent train "$TESTS/cli/gan.yaml" --epochs 1 --out gan > /dev/null 2>&1
try() { echo "-- latent $*"; latent "$@" 2>&1; echo "exit $?"; }
kind() { head -c 4 "$1" | tail -c 3; echo; }
# frames FILE.apng: how many, by their headers
frames() { grep -ao fcTL "$1" | wc -l; }

echo "== training"
try animate vae; kind samples.webp
try animate vae --frames 3 --seconds 0.3 --hold 1.5 -o three.apng; frames three.apng
try animate vae --frames 1 -o one.apng
try animate vae --title 'A title' --zoom 2 --loops 1 -o once.gif; kind once.gif
cp samples.webp before.webp; latent animate vae 2> /dev/null; cmp samples.webp before.webp && echo same
try animate gan
rm gan/samples/*; try animate gan
rm -r gan/samples; try animate gan
try animate vae/recipe.yaml
mkdir odd; touch odd/samples; try animate odd
try animate none
latent sample vae -n 4 -o vae/samples/epoch-0003.png 2> /dev/null; try animate vae
echo damage > vae/samples/epoch-0003.png; try animate vae | sed 's/found [0-9a-f ]*$/found .../'
rm vae/samples/epoch-0003.png; touch vae/samples/epoch-3.png vae/samples/epoch-0003.png.txt
try animate vae -o four.png; kind four.png; frames four.png

echo "== walk"
try animate vae --walk --walks 4 -o walk.webp; kind walk.webp
latent animate vae --walk --walks 4 --threads 3 -o three.webp 2> /dev/null; cmp walk.webp three.webp && echo "same at 3 threads"
latent animate vae --walk --walks 4 --seed 1 -o other.webp 2> /dev/null; cmp -s walk.webp other.webp || echo "another seed, other images"
latent animate vae --walk --walks 4 --linear -o other.webp 2> /dev/null; cmp -s walk.webp other.webp || echo "another way"
try animate vae --walk --class 0,2,3 --per-stop 2 --walks 2 -o classes.apng; frames classes.apng
try animate vae --walk --prior --stops 3 --per-stop 4 --loops 2 --walks 1 -o prior.apng; frames prior.apng
try animate vae/checkpoints/step-00000035.safetensors --walk --split train --walks 2 -o file.gif; kind file.gif
try animate gan --walk --walks 6 --seconds .04
try animate gan --walk --class 2 --walks 2 --stops 2 --per-stop 1 -o two.png; frames two.png
# What is at the stops: what the model makes of the images' codes, or of those that latent sample draws.
image() { local n=$2 all=$(($(stat -c %s "$1") - 128)); tail -c +$((129 + all / n * $3)) "$1" | head -c $((all / n)); }
same() { cmp <(image $1) <(image $2) && echo "same image"; }
try animate gan --walk --class 2 --walks 2 --stops 3 --per-stop 4 -o two.npy
latent sample gan --class 2 -n 6 -o s.npy 2> /dev/null
for stop in 0 1 2; do for way in 0 1; do same "two.npy 24 $((8 * stop + way))" "s.npy 6 $((3 * way + stop))"; done; done
try animate gan --walk --walks 5 --stops 2 --per-stop 1 -o turns.npy
for k in 1 3; do latent sample gan --class $k -n 10 -o s.npy 2> /dev/null; same "turns.npy 10 $k" "s.npy 10 $((2 * k))"; done
latent animate vae --walk --walks 1 --stops 2 --per-stop 10 --class 1,3 -o ways.npy 2> /dev/null
latent interpolate vae --pairs 1 --class 1,3 -o line.npy 2> /dev/null
for k in 0 3 10; do same "ways.npy 20 $k" "line.npy 33 $((11 + k))"; done
latent animate vae --walk --walks 1 --stops 2 --per-stop 10 --class 1,3 --linear -o ways.npy 2> /dev/null
for k in 0 3 10; do same "ways.npy 20 $k" "line.npy 33 $k"; done
try animate vae --walk --class 0,9
try animate vae --walk --class 0
try animate vae --walk --class 0,1 --stops 3
try animate vae --walk --class 0,x
try animate vae --walk --prior --class 0,1
try animate vae --walk --walks 100
try animate vae --walk --walks 1000 --per-stop 1000
try animate vae --walk --zoom 40 | sed 's/of [0-9]* x [0-9]* pixels/of ... pixels/'
try animate gan --walk --class 4
try animate none --walk

echo "== what goes with what"
try animate vae --per-stop 3
try animate vae --prior
try animate vae --walk --hold 2
try animate vae --seed 0
try animate vae --split train
try animate vae --walk --prior --data $PWD/vae
try animate gan --walk --split train
try animate vae --seconds 0.01
try animate vae --seconds 61
try animate vae --hold long
try animate vae -o x.jpg
try animate vae --walk -o x.mp4
try animate vae -o x.npy
