# Images from anywhere, against a data set: the scores that eval gives a model's samples.
tiny=$TESTS/cli/tiny.yaml
quality() { sed -E 's/.*"quality": //' "$1"; }
same() { [ "$(quality $1)" = "$(quality $2)" ] && echo "the same" || echo "not the same"; }
latent train $tiny --threads 1 > log 2>&1; echo "exit $?"
latent eval runs/tiny --quality --json --features a.npz --samples-out bits.npy --seed 3 > eval.json 2> log; echo "exit $?"
grep -o '^[a-z.]*np[yz]: .*' log
latent sample runs/tiny -n 200 --seed 3 -o means.npy > /dev/null 2>&1
echo "-- samples that the tool wrote: means, and the bits that were scored"
latent score means.npy --against runs/tiny --seed 3 --json --features b.npz --threads 3 2> log > score.json; echo "exit $?"
same eval.json score.json
cmp a.npz b.npz && echo "the same features"
latent score bits.npy --against runs/tiny --json 2> /dev/null > score.json; same eval.json score.json
latent score bits.npy --against synthetic --set data.limit=200 --set data.binarize=dynamic --json 2> /dev/null > score.json; same eval.json score.json
grep -o '^{"images": "bits.npy", "against": "synthetic", "split": "test"' score.json
echo "-- as a table, with pairs; the first of them; other sizes"
latent score bits.npy --against runs/tiny --nearest p.png 2> /dev/null | sed -n '1,2p' 
od -An -tu1 -j16 -N8 p.png | awk '{ print $3 * 256 + $4 " x " $7 * 256 + $8 }'
latent score bits.npy --against runs/tiny -n 50 2> /dev/null | sed -n 2p
latent score bits.npy --against synthetic --set data.resize=14 --set data.limit=100 --set images.resize=14 2>&1 | sed -n '1,3p'
latent score synthetic --set images.limit=60 --images-split test --against runs/tiny 2> /dev/null | sed -n '1,2p'
echo "-- mistakes"
for wrong in "bits.npy" "--against runs/tiny" "bits.npy --against" "runs/tiny --against runs/tiny" \
    "bits.npy --against none" "none.npy --against runs/tiny" "synthetic --against runs/tiny" \
    "bits.npy --against synthetic --set data.resize=14" "bits.npy --against runs/tiny --set resize=14" \
    "bits.npy --against runs/tiny --set data.resiz=14" "bits.npy --against runs/tiny --set images.limt=1" \
    "bits.npy --against runs/tiny -n 201" "bits.npy --against runs/tiny -n 5" \
    "bits.npy --against runs/tiny --features x.csv" "bits.npy --against runs/tiny --samples-out x.png" \
    "bits.npy --against runs/tiny --set images.limit=7"; do
    latent score $wrong 2>&1; echo "exit $?"
done
