# An autoencoder: what begins at images is there, what needs a distribution of codes is refused with a reason.
try() { echo "-- latent $*"; timeout 60 latent "$@" 2>&1; echo "exit $?"; }
small="-s data.set=synthetic -s data.limit=80 -s train.batch=40 -s model.latent=2"
latent train i2dl-mlp-ae $small --epochs 1 --out run 2> /dev/null && ls run run/samples
grep -oE '"(loss|squared_error|distortion|rate|neg_elbo)":' run/metrics.jsonl | xargs
latent resume run -s train.epochs=2 > /dev/null 2>&1 && wc -l < run/metrics.jsonl
echo "== there"
latent eval run 2> /dev/null | grep -oE '^  (distortion|squared error|-ELBO)|^The model.*'
latent eval run --json 2> /dev/null | grep -oE '"(neg_elbo|rate)": \{"value": null|"codes"'
latent explain run | grep -E "^  (likelihood|prior|objective)| = |^The loss is|^May"  | cut -c 1-16
try encode run -o codes.csv
head -2 codes.csv | tail -1 | cut -d , -f 5-6
for command in "decode run codes.csv" "reconstruct run" "interpolate run" "traverse run" "traverse run --grid 0,1"; do
    try $command -o picture.png
done
try animate run --walk -o walk.gif
for kind in curves latents histogram; do try plot $kind run -o chart.svg; done
try report run -o report.html
grep -o 'id="[a-z]*"' report.html | xargs
latent runs run | head -2 | awk '{ print $1, $2 }'
echo "== refused"
try sample run -o picture.png
try manifold run -o picture.png
try eval run --quality
try eval run --nll 5
try eval run --ais 2,2
try plot activity run -o chart.svg
try plot bounds run -o chart.svg
try explain run --split test > /dev/null && echo explained
