# Arrays of odd shapes: what is accepted works to the end, what cannot be modeled or drawn is refused when
# it is opened.
# npy N H W C DIVISOR: bytes 0 ... 255 in turn
npy() {
    header="{'descr': '|u1', 'fortran_order': False, 'shape': ($1, $2, $3, $4), }"
    printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$header"
    LC_ALL=C awk -v n=$(($1 * $2 * $3 * $4)) 'BEGIN { for (i = 0; i < n; i++) printf "%c", 33 + i * 37 % 89 }'
}
cat > tiny.yaml <<'END'
data: {set: ./x.npy}
model: {latent: 2, likelihood: gaussian sigma=optimal, encoder: [linear 4], decoder: [linear image, sigmoid]}
train: {epochs: 2, batch: 4}
END
try() { echo "-- latent $*"; latent "$@" 2>&1; echo "exit $?"; }
walk() {
    rm -rf run
    latent train tiny.yaml --out run --threads 1 "$@" > log 2>&1 || { cat log; return; }
    for command in "eval run --nll 3" "sample run -n 4 -o s.png" "reconstruct run -n 2 -o r.png" \
        "plot latents run -o p.svg" "plot curves run -o c.svg" "animate run -o a.gif" \
        "report run -o r.html" "resume run --epochs 3" "data show ./x.npy -o d.png $*"; do
        latent $command > log 2>&1 || { echo "exit $?: latent $command"; cat log; }
    done
    echo walked
}
for shape in "1 6 6 1" "2 5 7 3" "9 1 1 1" "5 1 9 3" "6 40 2 1"; do
    echo "== $shape"
    npy $shape > x.npy
    walk
done
echo "== two and four channels"
for shape in "6 3 3 2" "6 3 3 4"; do
    npy $shape > x.npy
    for command in "data info" "data show"; do try $command ./x.npy; done
    try train tiny.yaml --out never
    walk --set data.channels=3
done
echo "== no channels of images"
npy 6 3 3 5 > x.npy; try data info ./x.npy
npy 6 3 8 8 > x.npy; try data info ./x.npy

echo "== batch norm of one image, and under a penalty"
npy 9 4 4 1 > x.npy
cat > bn.yaml <<'END'
data: {set: ./x.npy}
model: {latent: 2, likelihood: bernoulli, encoder: [linear 4, batch_norm, relu], decoder: [linear image]}
train: {epochs: 1, batch: 3, samples_every: 0}
END
cat > wgan.yaml <<'END'
data: {set: ./x.npy}
model: {kind: gan, latent: 2, generator: [linear image, sigmoid], discriminator: [linear 4, batch_norm, linear 1]}
objective: {loss: wasserstein, penalty: gradient lambda=10}
train: {epochs: 1, batch: 3, samples_every: 0}
END
i=0
warns() {
    i=$((i + 1))
    echo "-- $*"
    latent train "$@" --out "w$i" > log 2>&1 || cat log
    grep batch_norm log
}
warns bn.yaml
warns bn.yaml --set train.batch=1
warns bn.yaml --set train.batch=4
warns wgan.yaml
warns wgan.yaml --set objective.penalty=none
warns wgan.yaml --set 'model.discriminator=[linear 4, linear 1]'

echo "== pictures that are not alike"
mkdir -p mixed/cat mixed/dog
latent data show synthetic -n 1 --set resize=40 -o mixed/cat/1.png 2> /dev/null
latent data show synthetic -n 1 --seed 2 --set resize=20x30 -o mixed/cat/2.png 2> /dev/null
latent data show synthetic -n 1 --seed 3 --set resize=40 --set channels=3 -o mixed/dog/1.png 2> /dev/null
head -c 60 mixed/dog/1.png > mixed/dog/2.png
try data info mixed
try data info mixed --json
line=$(latent data info mixed 2> /dev/null | sed -n 's/^to train *//p')
try data info mixed $line
for preset in cifar10-conv-vae cifar10-wgan ift6135-wgan-svhn; do
    latent train $preset --data mixed --out p-$preset --epochs 1 --set train.samples_every=0 > log 2>&1 || cat log
    ls p-$preset/checkpoints | wc -l
done
echo "-- a recipe that does not take them names the options with which it does"
for preset in csci4968-conv-vae cs561-conv-vae cs446-gan mnist-cgan fashion-mlp-vae; do
    latent train $preset --data mixed --out a-$preset > log 2>&1; code=$?
    line=$(sed -n 's/.*accepts the pictures with these options: //p' log)
    echo "$preset: exit $code; $line"
    latent train $preset --data mixed --out a-$preset --epochs 1 --set train.samples_every=0 $line > log 2>&1 || cat log
    ls a-$preset/checkpoints | wc -l
done
rm mixed/dog/1.png
latent train fashion-mlp-vae --data mixed --out gray 2>&1 | sed -n 's/.*accepts the pictures with these options: //p'
latent data show synthetic -n 1 --set resize=50 -o alike.png 2> /dev/null; mkdir alike; mv alike.png alike
latent train cs446-gan --data alike --out alike-gan 2>&1 | sed -n 's/.*accepts the pictures with these options: //p'
