# Malformed inputs, and the messages they get.
try() { echo "-- latent $*"; timeout 60 latent "$@" 2>&1; echo "exit $?"; }
recipe() { cat > r.yaml; try recipes show ./r.yaml; }
cp $TESTS/cli/tiny.yaml tiny.yaml

echo "== recipes"
try train fashon-mlp-vae | sed 's/presets: [^)]*/presets: .../'
try train none.yaml
recipe < /dev/null
recipe <<< 'name: [a'
recipe <<< 'modle: {latent: 3}'
sed 's/linear 16/liner 16/' tiny.yaml | recipe
sed 's/linear 16/linear -4/' tiny.yaml | recipe
sed 's/latent: 3/latent: three/' tiny.yaml | recipe
sed 's/bernoulli/gaussian sigma=fixed/' tiny.yaml | recipe
sed 's/linear image/linear 10/' tiny.yaml > wrong.yaml; try train wrong.yaml
try train tiny.yaml --set model.latnet=3
try train tiny.yaml --set model.latent
try train tiny.yaml -s optimizer.lr=1e-3x

echo "== data"
try train tiny.yaml --data mnits
try train tiny.yaml --data mnist
printf '\0\0\10\3\0\0\0\2\0\0\0\34\0\0\0\34abc' > short.idx
try data info ./short.idx
printf 'not a data file' > text.idx
try data info ./text.idx
: > empty.npy
try data info ./empty.npy
printf '0 1 1 0\n0 1 2 0\n' > bad.amat
try data info ./bad.amat
try train tiny.yaml --data ./bad.amat
try data fetch nothing
echo "-- no place to look at"; env -u HOME -u LATENT_DATA latent data info mnist 2>&1

echo "== runs and checkpoints"
try eval runs/none
try resume .
mkdir -p run/checkpoints
try eval run
latent train tiny.yaml --threads 1 --out run 2> /dev/null
file=run/checkpoints/step-00000021.safetensors
head -c 5000 $file > cut.safetensors
try eval cut.safetensors | sed 's/within [0-9]* bytes/within N bytes/'
head -c 4 $file > cut.safetensors
try sample cut.safetensors
cp tiny.yaml fake.safetensors
try sample fake.safetensors
try resume run --set model.latent=4
try eval run --data short.idx
printf '\0\0\10\3\0\0\0\1\0\0\0\2\0\0\0\2abcd' > other.idx
try eval run --data other.idx
try reconstruct run --data other.idx
try sample run -o no/such/place.png
mkfifo pipe.png; try sample run -o pipe.png
try sample run -o new/
echo "== numbers of options: one rule"
refused() { # WORD COMMAND...: a message shows what was found, and nothing is done
    local word=$1 code; shift
    latent "$@" > said 2>&1; code=$?
    { [ $code != 0 ] && grep -q "found ['\"]" said && grep -qF -- "$word" said; } || { echo "taken: $*: exit $code"; cat said; }
}
for word in " 5" 0x5 5x inf; do
    refused "$word" traverse run --shift "$word"
    refused "$word" animate run --walk --seconds "$word"
    refused "$word" sample run -n "$word"
    refused "$word" eval run --iwae "5,$word"
    refused "$word" interpolate run --image "0,$word"
    refused "$word" divergence --lr "$word"
    refused "$word" divergence --theta "0:1:$word"
    refused "$word" divergence --theta "$word"
    refused "$word" train tiny.yaml --set "optimizer.lr=$word" --out never
    refused "$word" train tiny.yaml --set "train.batch=$word" --out never
done
rm said
echo "-- a file beyond the limit"; (ulimit -f 8; latent sample run -o big.png 2>&1); echo "exit $?"
ls
