# What latent says unasked: warnings about recipes, commands to be copied, what is wrong with a log.
try() { echo "-- latent $*"; latent "$@" 2>&1; echo "exit $?"; }
short() { sed -E 's/(: normalizing an image|: batch statistics).*/\1 .../'; }
tiny=$TESTS/cli/tiny.yaml

echo "== batch statistics of one image, and under a gradient penalty"
sed 's/encoder: \[linear 16, /encoder: [linear 16, batch_norm, /; s/limit: 200/limit: 181/' $tiny > norm.yaml
latent recipes show ./norm.yaml -s train.batch=1 2>&1 > /dev/null | short
latent recipes show ./norm.yaml 2>&1 > /dev/null | grep -c batch_norm
latent train norm.yaml --epochs 1 --out norm 2>&1 | grep batch_norm | short
latent train norm.yaml --epochs 1 --out even -s data.limit=180 2>&1 | grep -c batch_norm
latent train $tiny --epochs 1 --out none -s train.batch=1 2>&1 | grep -c batch_norm

sed 's/stride=2 pad=1, /&batch_norm, /' $TESTS/cli/gan.yaml > discriminator.yaml
for penalty in "r1 1" "gradient 10" "lipschitz 10" "clip 0.01" none; do
    echo "$penalty: $(latent recipes show ./discriminator.yaml -s "objective.penalty=$penalty" 2>&1 > /dev/null | short)"
done
latent train discriminator.yaml --epochs 1 --out discriminator 2>&1 | grep batch_norm | short
sed 's/\[linear 16, relu/[linear 16, batch_norm, relu/' $TESTS/cli/gan.yaml > generator.yaml
latent recipes show ./generator.yaml 2>&1 > /dev/null | grep -c warning
cat > nested.yaml <<'END'
data: {set: synthetic, resize: 8}
model:
  kind: gan
  latent: 3
  generator: [linear image, sigmoid]
  discriminator:
    - conv 4 pad=1
    - residual:
      - conv 4 pad=1
      - batch_norm
    - linear 1
objective: {penalty: gradient}
END
latent recipes show ./nested.yaml 2>&1 > /dev/null | short

echo "== what the estimate of a discriminator is"
for options in "-s objective.loss=wasserstein -s objective.penalty=none" "-s objective.loss=wasserstein" "-s objective.loss=hinge"; do
    latent train $TESTS/cli/gan.yaml $options --epochs 1 --out "loss $RANDOM" 2>&1 | tr '\n' ' ' |
        sed -E 's/  +/ /g; s/.*estimate: (.*) epoch +D loss .*/\1/'; echo
done

echo "== a command to be copied works, whatever the run is called"
for name in plain "two words; it's" $'\e[1m$HOME' 'é\"q"'; do
    next=$(latent train $tiny --epochs 1 --out "r/$name" 2>&1 | sed -n 's/.*next: //p')
    bash -c "$next --images 5" > out 2> log || { echo "$next: exit $?"; cat log; }
    echo "$next"
    again=$(latent train $tiny --epochs 1 --out "r/$name" 2>&1 | sed -n 's/.*to resume it: //; s/; for another.*//p')
    bash -c "$again" > out 2> log || { echo "$again: exit $?"; cat log; }
done
(cd r; mv plain ./-dash; latent resume ./-dash --epochs 2 2>&1 | tail -1)
latent report "r/two words; it's" --nll 0 -n 5 -o r.html 2> log
grep -o '<code>latent sample.*</code>' r.html | sed "s/<[^>]*>//g; s/&#39;/'/g; s/&quot;/\"/g; s/&amp;/\&/g" > command; cat command
bash -c "$(head -1 command) -o copied.png" 2> log && ls copied.png

echo "== fewer epochs than are done are refused, and nothing is written"
latent train $tiny --epochs 3 --out run 2> /dev/null
sum() { cat run/recipe.yaml run/metrics.jsonl run/checkpoints/* | cksum; }
before=$(sum)
try resume run --epochs 2
try resume run --set train.epochs=1
try resume run --epochs 3
[ "$before" = "$(sum)" ] && echo "the same files"
sed 's/epochs: 3/epochs: 5/' run/recipe.yaml > longer; cp longer run/recipe.yaml
try resume run --epochs 3
cmp longer run/recipe.yaml && echo "the same recipe"

echo "== a log with a line that is none"
cp run/metrics.jsonl whole
printf '{"step": 1, "ep' >> run/metrics.jsonl
for command in "plot curves" explain "report -o x.html -n 5 --nll 0"; do
    set -- $command; latent $1 ${2:+$( [ $1 = plot ] && echo $2)} run ${3:+"${@:2}"} > out 2> log; echo "$1: exit $?"
done
sed '2s/.*/not JSON/' whole > run/metrics.jsonl
try plot curves run
try explain run
try report run -o x.html

echo "== a chart among the images of the run's data"
mkdir photos
for i in 1 2 3 4 5 6; do latent data show synthetic -n 1 --seed $i -o photos/$i.png 2> /dev/null; done
latent train $tiny -s "data.set=$PWD/photos" -s data.limit=0 --epochs 2 --out pictures > /dev/null 2>&1
for command in "plot curves pictures" "plot activity pictures" "animate pictures" "animate pictures --walk --prior --walks 1 --stops 2 --per-stop 1" "sample pictures" \
    "plot latents pictures/checkpoints/step-00000002.safetensors"; do
    echo "$command: $(latent $command -o photos/x.png 2>&1 | grep -c 'lies among the images')"
    rm -f photos/x.png
done

echo "== one value, two options"
for option in "--epochs 3 -s train.epochs=5" "-s seed=2 --seed 2" "--data synthetic -s data.set=mnist" "--strict -s data.strict=no"; do
    try train $tiny $option --out never | sed "s:$TESTS:TESTS:"
done
try report discriminator -o x.html --nll 5
try report discriminator -o x.html -n 5
