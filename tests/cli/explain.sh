# What the numbers of a run mean. Numbers differ between machines, words do not.
tiny=$TESTS/cli/tiny.yaml
numbers() { sed -E 's/-?[0-9]+\.[0-9]+(e-?[0-9]+)?/#/g; s/ +#/ #/g'; }
latent train $tiny --threads 1 2> /dev/null
latent explain runs/tiny 2> log | numbers; cat log
latent explain runs/tiny 2> log | awk 'length > 79'
echo "-- a checkpoint is evaluated: the same numbers"
latent explain runs/tiny --json > a.json 2> log
latent explain $(ls runs/tiny/checkpoints/* | tail -1) --json > b.json 2> log
grep -oE '"elbo": \{"value": -[0-9]+\.[0-9]{3}|"epoch": [0-9]+' a.json b.json | sed -E 's/-[0-9.]+/#/'
diff <(grep -o '"-ELBO", "nats": [0-9]*\.[0-9]' a.json) <(grep -o '"-ELBO", "nats": [0-9]*\.[0-9]' b.json) && echo same
grep -o '"comparable": [a-z]*' a.json | sort | uniq -c
echo "-- grey pixels, and a Gaussian"
latent train $tiny --set data.binarize=none --epochs 1 --out grey --threads 1 2> /dev/null
latent explain grey 2> log | grep -A3 '^A Bernoulli'
latent train $tiny --set data.binarize=none --set 'model.likelihood=gaussian 0.7071067811865476' \
    --set objective.beta=1/784 --epochs 1 --out gauss --threads 1 2> /dev/null
latent explain gauss 2> log | grep -A12 '^nats per image' | numbers
echo "-- not so"
latent explain runs/none 2>&1; echo "exit $?"
latent explain 2>&1; echo "exit $?"
latent explain runs/tiny --split test 2>&1; echo "exit $?"
