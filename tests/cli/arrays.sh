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
