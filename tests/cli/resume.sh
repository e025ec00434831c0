# Interrupted, killed, damaged: a resumed run ends with the bits of one that was not.
tiny=$TESTS/cli/tiny.yaml
options="--epochs 60 --threads 1 -s train.keep=0"
end=checkpoints/step-00000420.safetensors
await() { for _ in $(seq 3000); do "$@" && return; sleep 0.01; done; echo "waited in vain: $*"; exit 1; }
latent train $tiny $options --out whole 2> /dev/null; echo "exit $?"

echo "-- kill -9 at any instant, even before the first checkpoint"
latent train $tiny $options --out killed 2> /dev/null &
await test -e killed/recipe.yaml
kill -9 $! && wait $! 2> /dev/null
for pause in 0.01 0.02 0.03 0.05 0.07 0.11 0.13 0.17 0.19 0.23; do
    latent resume killed --threads 1 2> /dev/null &
    sleep $pause
    kill -9 $! 2> /dev/null
    wait $! 2> /dev/null
done
latent resume killed --threads 1 2> /dev/null; echo "exit $?"
cmp whole/$end killed/$end && echo "same bits"
steps() { sed -E 's/,"images.*//' "$1"; }
diff <(steps whole/metrics.jsonl) <(steps killed/metrics.jsonl) && echo "same lines"
ls -A killed/checkpoints | grep -c tmp

echo "-- SIGINT"
: > log
latent train $tiny $options --out stopped 2> log &
await grep -q "^epoch 3/" log
kill -INT $! && wait $!; echo "exit $?"
tail -1 log | sed 's/step [0-9]*/step #/'
latent resume stopped --threads 1 2> /dev/null; echo "exit $?"
cmp whole/$end stopped/$end && echo "same bits"

echo "-- a damaged checkpoint is passed over"
printf x | dd of=killed/$end bs=1 seek=9000 conv=notrunc 2> /dev/null
latent resume killed --threads 1 2>&1 | grep -v "^epoch" | sed -E 's/digest.*/.../'
cmp whole/$end killed/$end && echo "same bits"

echo "-- done already, and longer"
latent resume killed 2>&1
latent resume killed --epochs 61 --threads 1 2>&1 | grep -v "^epoch" | sed -E 's/ +/ /g'
ls killed/checkpoints | tail -1
