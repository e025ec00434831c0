# Grids with captions: what they hold, compared with what other commands give; formats; refusals.
train() { latent train "$@" --threads 1 > log 2>&1 || cat log; }
train $TESTS/cli/tiny.yaml --epochs 1 --out vae
train $TESTS/cli/tiny.yaml --epochs 1 --out plane --set model.latent=2
train $TESTS/cli/tiny.yaml --epochs 1 --out strip --set model.latent=1
train $TESTS/cli/gan.yaml --epochs 1 --out gan
try() { echo "-- latent $*"; latent "$@" 2>&1; echo "exit $?"; }
kind() { head -c 5 "$1"; echo; }
# image FILE.npy N I: the bytes of image I of the N in the file
image() { local n=$2 all=$(($(stat -c %s "$1") - 128)); tail -c +$((129 + all / n * $3)) "$1" | head -c $((all / n)); }
same() { cmp <(image $1) <(image $2) && echo "same image"; }

echo "== reconstruct"
try reconstruct vae -n 20 -c 5; kind reconstructions.png | tail -c 4
latent reconstruct vae -n 20 -c 5 -t 3 -o three.png 2> /dev/null; cmp reconstructions.png three.png && echo "same at 3 threads"
latent reconstruct vae -n 20 -c 5 --seed 2 -o other.png 2> /dev/null; cmp -s reconstructions.png other.png || echo "another seed, other images"
try reconstruct vae -n 7 -c 3 --zoom 1 --title 'Made again' -o again.svg; kind again.svg
try reconstruct vae -n 3 -o three.npy
latent reconstruct vae -n 9 -o r.npy 2> /dev/null; same "three.npy 3 2" "r.npy 9 2"
try reconstruct vae -n 40000
latent reconstruct vae -n 3 -o upper.NPY 2> /dev/null; cmp three.npy upper.NPY && echo "the end of a name in upper case"
try reconstruct gan

echo "== interpolate"
try interpolate vae; kind interpolate.png | tail -c 4
latent interpolate vae --threads 3 -o three.png 2> /dev/null; cmp interpolate.png three.png && echo "same at 3 threads"
latent interpolate vae --seed 4 -o other.png 2> /dev/null; cmp -s interpolate.png other.png || echo "another seed, other images"
try interpolate vae --class 0,3 --pairs 2 --columns 5 -o ways.svg; kind ways.svg
try interpolate vae --image 3,8 -o ways.npy
for row in 0 11; do same "ways.npy 33 $row" "r.npy 9 3"; same "ways.npy 33 $((row + 10))" "r.npy 9 8"; done
try interpolate gan --class 2 --pairs 1 -o gan.npy
latent sample gan --class 2 -n 2 -o s.npy 2> /dev/null
for row in 0 11 22; do same "gan.npy 33 $row" "s.npy 2 0"; same "gan.npy 33 $((row + 10))" "s.npy 2 1"; done
try interpolate gan -o gan.pdf --title 'Between clouds'; kind gan.pdf
try interpolate vae --class 0
try interpolate vae --image 3,400
try interpolate vae --class 0,9
try interpolate gan --image 1,2
try interpolate gan --class 4
try interpolate gan --split train
try interpolate vae --image 3,8 --pairs 1
try interpolate vae --image 3,8 --class 0,1
try interpolate vae --pairs 150
try interpolate vae -o ways.bmp
try interpolate vae --pairs 1000 --columns 1000
mkdir -p set/{cat,dog}
for i in $(seq 6); do for k in cat dog; do { printf 'P5 6 6 255\n'; tail -c +$((36 * i)) $TESTS/cli/figures.sh | head -c 36; } > set/$k/$i.pgm; done; done
latent data info set 2> /dev/null | sed -n '/^classes/,$p'; latent data info set --json 2> /dev/null | grep -o '"class_names": [^]]*]'
train $TESTS/cli/tiny.yaml --epochs 1 --data $PWD/set --out pets
latent interpolate pets --pairs 1 --zoom 1 -o pets.png 2> /dev/null
latent animate pets --walk --class 0,1 --walks 1 --per-stop 1 -o pets.gif 2> /dev/null
mv set/cat set/ape
latent animate pets --walk --class 0,1 --walks 1 --per-stop 1 -o apes.gif 2> /dev/null; cmp -s pets.gif apes.gif || echo "also in animations"
latent interpolate pets --pairs 1 --zoom 1 -o apes.png 2> /dev/null; cmp -s pets.png apes.png || echo "classes are called by their names"
mv set/ape set/cat
latent interpolate pets --pairs 1 --zoom 1 -o apes.png 2> /dev/null; cmp pets.png apes.png && echo "the same again"
mkdir plain; for i in 1 2 3 4; do cp set/cat/$i.pgm plain; done
train $TESTS/cli/tiny.yaml --epochs 1 --data $PWD/plain --out nameless
try interpolate nameless --class 0,1 --split train 2>&1 | grep -v pictures
try animate nameless --walk --class 0,1 --split train 2>&1 | grep -v pictures
long=$(printf 'ä%.0s' $(seq 40))
mv set/cat set/${long}cat; latent interpolate pets --pairs 1 --zoom 1 -o pets.png 2> /dev/null
mv set/${long}cat set/${long}ape; latent interpolate pets --pairs 1 --zoom 1 -o apes.png 2> /dev/null; cmp pets.png apes.png && echo "long names are cut"

echo "== traverse"
try traverse vae
try traverse vae --rows 2 -o rows.npy; same "rows.npy 14 3" "rows.npy 14 10"
try traverse vae --grid top -o top.npy
for i in 0 4 6; do same "top.npy 49 $((21 + i))" "rows.npy 14 $i"; same "top.npy 49 $((7 * i + 3))" "rows.npy 14 $((13 - i))"; done
try traverse vae --grid topp
try traverse vae --image 3 --every 2 --shift -1.5 --rows 1 -o moved.npy; same "moved.npy 4 0" "r.npy 9 3"
try traverse gan --seed 0 --class 1 --every 3 -o moved.pdf
try traverse gan -o gan.png
try traverse plane --grid 0,1 -o grid.npy
try traverse vae --grid 0,3
try traverse vae --grid 0
try traverse vae --grid 1,1
try traverse vae --grid top --shift 1
try traverse vae --grid 0,1 --rows 10
try traverse vae --image 3 --seed 0
try traverse vae --class 0
try traverse gan --split test
try traverse vae --every 4
try traverse vae --shift far
try traverse vae --image 200
try traverse gan --image 1

echo "== manifold"
try manifold plane
try manifold plane --side 1 -o center.npy; same "center.npy 1 0" "grid.npy 49 24"
try manifold strip --side 5 -o strip.svg
try manifold vae
try manifold gan --class 7
try manifold plane --class 0

echo "== sample"
try sample vae --draws
try sample vae --draws -n 6 -o draws.npy
latent sample vae -n 6 -o s.npy 2> /dev/null
same "draws.npy 12 0" "s.npy 6 0"; same "draws.npy 12 10" "s.npy 6 5"
image draws.npy 12 3 | od -An -tf4 -v | tr -s ' ' '\n' | sort -u | tr '\n' ' '; echo
try sample gan --class all -n 3 -o classes.npy
for k in 0 3; do latent sample gan --class $k -n 3 -o s.npy 2> /dev/null; same "classes.npy 12 $((3 * k + 1))" "s.npy 3 1"; done
try sample gan --class all -o classes.pdf
try sample vae -n 9 -o plain.svg
try sample vae -n 10 -c 4 --title 'Ten' --zoom 2 -o ten.png
latent sample vae -n 10 -c 4 --zoom 2 -o plain.png 2> /dev/null; cmp -s ten.png plain.png || echo "no words without a title"
try sample vae --class all
# What training drew after its only epoch is what the checkpoint draws, to the nearest of 256 grays.
try sample vae --history -n 20 -o history.npy
latent sample vae -n 20 -o s.npy 2> /dev/null
grays() { od -An -v -tf4 -w4 -j128 "$1"; }
paste <(grays history.npy) <(grays s.npy) |
    awk '{ d = $1 - $2; d = d < 0 ? -d : d; most = d > most ? d : most } END { print NR, (most > 0 && most < .00197) }'
cp -r vae many; for i in $(seq 2 17); do cp vae/samples/epoch-0001.png many/samples/epoch-00$(printf %02d $i).png; done
try sample many --history -n 3 -o many.npy
try sample many --history -n 3 -o many.svg
try sample vae --history --seed 2
try sample vae --history -n 65
cp plain.png many/samples/epoch-0001.png; try sample many --history
rm many/samples/*; try sample many --history
try sample gan --class every
try sample gan --class all -n 65536
try sample gan --draws
try sample vae --draws -c 2
try sample gan --class all -c 3
try sample gan --draws --class 1
