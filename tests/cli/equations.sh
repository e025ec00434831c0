# What is printed of a loss adds up: lines of training, the ledger, numbers of eval and of the report;
# for every preset that the synthetic images fit, and objectives whose beta moves within an epoch.
tiny=$TESTS/cli/tiny.yaml
adds_up() { awk -f $TESTS/cli/equations.awk "$@"; }
try() {
    rm -rf run; latent train -e 2 "$@" -s train.samples_every=0 --threads 1 --out run > log 2>&1 || cat log
    latent explain run > text 2> /dev/null
    adds_up log text | sed "s|^|$shown: |"
}
moving='-s objective.beta=3 -s objective.schedule=linear@epochs=2@per=step -s train.batch=4 -s data.limit=40'
objective() {
    shown=$*
    set -- $moving "$@"
    try $tiny "${@//@/ }"
}
echo "-- objectives"
objective -s objective.kl=monte-carlo
objective -s objective.samples=3
objective -s objective.free_bits=0.5
objective -s objective.capacity=6 -s objective.capacity_schedule=linear@epochs=1@per=step
objective -s objective.bound=iwae -s objective.samples=4
objective -s objective.bound=dreg -s objective.samples=4
objective -s model.prior=mixture@2 -s objective.schedule=cyclical@period=1
objective -s model.latent2=2 -s model.encoder2=[linear@4] -s model.decoder2=[linear@4]
objective -s objective.beta=0.0012345 -s objective.schedule=constant
objective -s objective.beta=1234.5678 -s objective.schedule=constant
echo "-- one number, wherever it stands"
shown=
try $tiny $moving -s 'objective.schedule=linear epochs=2 per=step' > /dev/null
latent eval run --json --threads 1 2> /dev/null > eval.json
latent report run -o page.html --threads 1 2> /dev/null
found=$(grep -o '"neg_elbo": {"value": [0-9]*\.[0-9]*' eval.json | sed 's/.*: //' | awk '{ printf "%.2f", $1 }')
sed -E 's/<[^>]*>/ /g' page.html | grep -E '(−|= -)ELBO(, nats per image)? +[0-9]' | grep -c " $found"
sed -E 's/<[^>]*>/ /g' page.html | grep -E '(−|= -)ELBO(, nats per image)? +[0-9]' | grep -vc " $found"
latent explain run 2> /dev/null | grep -c -- "= -ELBO *$found"
latent eval run --threads 1 2> /dev/null | grep -cE "^  -ELBO +$found"
grep -ciE '"elbo|[^_-]elbo"' eval.json run/metrics.jsonl
echo "-- rows of eval, whatever images and draws"
for seed in 1 2 3 4 5 6; do
    latent eval run --nll 30 --ais 2,3 --images 30 --seed $seed --threads 1 2> /dev/null > rows; adds_up rows
done | sort | uniq -c
echo "-- what kind of number each is; no error of 0, nothing of one image that takes several"
latent eval run --nll 30 --iwae 5 --ais 2,3 --images 30 --threads 1 --json 2> /dev/null |
    grep -o '"kind": "[^"]*"' | uniq -c
latent eval run --nll 30 --iwae 5 --ais 2,3 --images 30 --threads 1 2> /dev/null | sed -E 's/ +-?[0-9.]+ \+- [0-9.]+ +/ # /' |
    grep -E -A1 '^  (IWAE|NLL|AIS)'
latent eval run --nll 20 --images 1 --threads 1 2> /dev/null | sed -nE '2p; /several/p; /too few/,/looked/p'
latent eval run --set data.classes=0 --set data.limit=9 --json 2> /dev/null | grep -c nan
latent train $tiny $moving -s objective.beta=1000000 -s objective.schedule=constant -e 3 -s train.samples_every=0 --threads 1 --out still 2> /dev/null
latent eval still --threads 1 2> /dev/null | grep -cE -- '\+- 0\.0*( |$)|-0\.0*( |$)'
echo "-- a log of an earlier version: what it does not have is not made up"
sed -E 's/"weighted_rate":[^,]*,//; s/"beta_first":[^,]*,//; s/"neg_elbo":/"elbo":-/; s/neg_elbo_se/elbo_se/; s/"loss":[^,]*,"elbo/"elbo/' -i run/metrics.jsonl
latent explain run 2> /dev/null > text; adds_up text
grep -oE 'beta = 3 in the last step' text; latent explain run --json 2> /dev/null | grep -o '"neg_elbo": {"value": [0-9]' | sed 's/[0-9]$/positive/'
objective -s objective.free_bits=0.5 > /dev/null
sed -E 's/"weighted_rate":[^,]*,//; s/"beta_first":[^,]*,//' -i run/metrics.jsonl
latent explain run 2> /dev/null | grep -A1 'beta x rate' | sed -E 's/[0-9]+\.[0-9]+/#/g'
echo "-- presets"
for preset in $(latent recipes | awk '{ print $1 }' | grep -vE 'cifar10|short'); do
    shown=$preset
    latent recipes show $preset 2> /dev/null | grep -q 'kind: gan' ||
        try $preset -s data.set=synthetic -s data.limit=6 -s train.batch=2 -e 1
done
