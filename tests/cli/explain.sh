# What the numbers of a run mean. Numbers differ between machines, words do not.
tiny=$TESTS/cli/tiny.yaml
numbers() { sed -E 's/-?[0-9]+\.[0-9]+(e-?[0-9]+)?/#/g; s/ +#/ #/g'; }
latent train $tiny --threads 1 2> /dev/null
latent explain runs/tiny 2> log | numbers; cat log
latent explain runs/tiny 2> log | awk 'length > 79'
echo "-- a checkpoint is evaluated: the same numbers"
latent explain runs/tiny --json > a.json 2> log
latent explain $(ls runs/tiny/checkpoints/* | tail -1) --json > b.json 2> log
grep -oE '"neg_elbo": \{"value": [0-9]+\.[0-9]{3}|"epoch": [0-9]+' a.json b.json | sed -E 's/[0-9]+\.[0-9]+/#/'
diff <(grep -o '"-ELBO", "nats": [0-9]*\.[0-9]' a.json) <(grep -o '"-ELBO", "nats": [0-9]*\.[0-9]' b.json) && echo same
grep -o '"comparable": [a-z]*' a.json | sort | uniq -c
echo "-- gray pixels, and a Gaussian"
latent train $tiny --set data.binarize=none --epochs 1 --out gray --threads 1 2> /dev/null
latent explain gray 2> log | grep -A3 '^A Bernoulli'
latent train $tiny --set data.binarize=none --set 'model.likelihood=gaussian 0.7071067811865476' \
    --set objective.beta=1/784 --epochs 1 --out gauss --threads 1 2> /dev/null
latent explain gauss 2> log | grep -A12 '^Reported' | numbers
echo "-- the training loss"
minimized() {
    echo "$*"
    latent train $tiny --epochs 2 --out one --threads 1 "$@" 2> log || cat log
    latent explain one 2> log | sed -n '/^Training loss/,/^$/p' | numbers
    latent explain one 2> log | awk 'length > 79'
    rm -rf one
}
minimized -s objective.samples=3 -s objective.kl=monte-carlo
minimized -s objective.bound=iwae -s objective.samples=5
minimized -s objective.bound=dreg -s objective.samples=5 -s objective.beta=0.5
minimized -s objective.free_bits=0.25 -s objective.beta=2
minimized -s objective.capacity=8 -s 'objective.capacity_schedule=linear epochs=4'
minimized -s 'model.prior=mixture 3'
minimized -s 'model.prior=vamp 3' -s objective.bound=iwae -s objective.samples=2
minimized -s model.latent2=2 -s 'model.encoder2=[linear 4]' -s 'model.decoder2=[linear 4]'
latent train $tiny -s objective.bound=iwae -s objective.samples=5 --out one 2> log
latent explain one --json 2> log | grep -oE '"(bound|draws|layers|capacity)": [^,]*|"name": "gap"'
echo "-- an adversarial run"
cat > gan.yaml << END
name: gan
data: {set: synthetic, limit: 100}
model:
  kind: gan
  latent: 4
  generator: [linear 16, relu, linear image, sigmoid]
  discriminator: [flatten, linear 16, leaky_relu 0.2, linear 1]
objective: {loss: wasserstein, penalty: lipschitz, discriminator_steps: 2}
train: {epochs: 2, batch: 20, samples_every: 0}
END
latent train ./gan.yaml --out gan --threads 1 2> log || cat log
latent explain gan 2> log | numbers
latent explain gan/checkpoints/*10.safetensors 2> log | sed -n '/^Training loss/,/^$/p'
latent explain gan --json 2> log | grep -oE '"(has_likelihood|kind|neg_elbo)": [^,]*'
latent eval gan --nll 5 2>&1 | grep -v '^warning'; echo "exit ${PIPESTATUS[0]}"
echo "-- not so"
latent explain runs/none 2>&1; echo "exit $?"
latent explain 2>&1; echo "exit $?"
latent explain runs/tiny --splat test 2>&1; echo "exit $?"
latent explain runs/tiny --split test 2> /dev/null | grep -E "measured|= -ELBO" | sed -E 's/[0-9.]+/#/g'
latent eval runs/tiny --json 2> /dev/null > a.json; latent explain runs/tiny --split test --json 2> /dev/null > b.json
for file in a b; do grep -o '"neg_elbo": {"value": [0-9.]*' $file.json | head -c 31; echo; done | uniq | wc -l

echo "-- a checkpoint of another version"
sed 's/"format_version":"1"/"format_version":"9"/' gan/checkpoints/*10.safetensors > later.safetensors
latent explain later.safetensors --split test 2>&1 | sed 's/, written by.*//'
