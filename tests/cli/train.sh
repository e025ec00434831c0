# A run from training to pictures. Numbers differ between machines, shapes do not.
tiny=$TESTS/cli/tiny.yaml
numbers() { sed -E 's/-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?/#/g'; }
png() { od -An -tu1 -j16 -N8 "$1" | awk '{ print $3 * 256 + $4 " x " $7 * 256 + $8 }'; }

latent train $tiny --threads 1 2>&1 | numbers | sed -E '/^epoch #/s/ +/ /g'
cat runs/tiny/warnings.txt
find runs | sort
echo "-- metrics"
numbers < runs/tiny/metrics.jsonl | tail -1
png runs/tiny/samples/epoch-0002.png
echo "-- not twice, but elsewhere"
latent train $tiny 2>&1; echo "exit $?"
latent train $tiny --out elsewhere --epochs 1 --seed 5 --threads 1 > log 2>&1; echo "exit $?"
grep -E '^seed|epochs' elsewhere/recipe.yaml
echo "-- eval"
latent eval runs/tiny --nll 10 --threads 1 2> /dev/null | numbers
latent eval runs/tiny --nll 10 --threads 1 --json 2> /dev/null > a.json && numbers < a.json
latent eval runs/tiny --nll 10 --threads 3 --json 2> /dev/null | cmp - a.json && echo "same at 3 threads"
more="--iwae 1,5 --nll 30 --ais 4,10 --images 30 --json"
judged() { sed -E 's/"collapsed": [a-z]*, "reason": "[^"]*"/"collapsed": .../'; }
latent eval runs/tiny ${more% *} --threads 1 2> /dev/null | numbers | grep -E '^  (IWAE|NLL|Pareto|AIS)'
latent eval runs/tiny $more --ais-from posterior --threads 1 2> /dev/null > b.json && numbers < b.json | judged
latent eval runs/tiny $more --ais-from posterior --threads 3 2> /dev/null | cmp - b.json && echo "same at 3 threads"
latent eval runs/tiny --split valid --threads 1 --json 2>&1 > /dev/null | numbers
echo "-- a prior that outweighs the pixels"
latent train $tiny --set objective.beta=1000 --set optimizer.lr=0.01 --epochs 20 --out collapsed > log 2>&1
latent eval collapsed 2> /dev/null | tail -3 | numbers | tr '\n' ' '; echo
latent eval collapsed --json 2> /dev/null | grep -o '"collapsed": true'
echo "-- pictures"
latent sample runs/tiny -n 10 -c 5 -o s.png 2>&1 && png s.png
latent sample runs/tiny/checkpoints/step-00000021.safetensors -n 10 -c 5 -o t.png 2> /dev/null && cmp s.png t.png
latent sample runs/tiny -n 64 -c 8 -o t.png 2> /dev/null; cmp t.png runs/tiny/samples/epoch-0003.png && echo "as training drew it"
latent sample runs/tiny -n 10 -c 5 --seed 1 -o t.png 2> /dev/null; cmp s.png t.png > /dev/null; echo "other seed: $?"
latent reconstruct runs/tiny -n 10 --columns 5 --split train -o r.png 2>&1
echo "-- weights of another run; numbers instead of pictures"
latent train $tiny --weights elsewhere --out again --threads 1 > log 2>&1; echo "exit $?"
ls again/checkpoints
echo nothing > w.json; latent train $tiny --weights w.json --out never 2>&1; echo "exit $?"
latent sample runs/tiny -n 2 -o s.npy 2>&1 && wc -c < s.npy
latent reconstruct runs/tiny -n 3 -o r.npy 2>&1 && wc -c < r.npy
