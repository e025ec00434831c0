# Interrupted, killed, damaged: a resumed run ends with the bits and the pictures of one that was not.
. $TESTS/cli/kill.bash
tiny=$TESTS/cli/tiny.yaml
options="--epochs 60 --threads 1 -s train.keep_checkpoints=0"
end=checkpoints/step-00000420.safetensors
latent train $tiny $options --out whole 2> /dev/null; echo "exit $?"

echo "-- kill -9 at any instant, even before the first checkpoint"
kill_often 0.01 0.02 0.03 0.05 0.07 0.11 0.13 0.17 0.19 0.23 -- killed $tiny $options
same_run whole killed $end
ls -A killed/checkpoints | grep -c tmp

echo "-- SIGINT"
: > log
latent train $tiny $options --out stopped 2> log &
await grep -q "^epoch 3/" log
kill -INT $! && wait $!; echo "exit $?"
tail -1 log | sed 's/step [0-9]*/step #/'
[ $(ls stopped/samples | wc -l) = $(wc -l < stopped/metrics.jsonl) ] && echo "a picture of each epoch"
latent resume stopped --threads 1 2> /dev/null; echo "exit $?"
same_run whole stopped $end

echo "-- SIGTERM five times at once, as timeout and a closing session send it, is one wish"
: > log
latent train $tiny $options --out twice 2> log &
await grep -q "^epoch 3/" log
for _ in 1 2 3 4 5; do kill -TERM $! 2> /dev/null; sleep 0.002; done
wait $!; echo "exit $?"
tail -1 log | sed 's/step [0-9]*/step #/'

echo "-- SIGHUP, as of a terminal that is closed; and a reader of messages that goes away, train | head"
: > log
latent train $tiny $options --out hung 2> log &
await grep -q "^epoch 3/" log
kill -HUP $! && wait $!; echo "exit $?"
tail -1 log | sed 's/step [0-9]*/step #/'
latent train $tiny $options --out piped 2>&1 | head -1 > /dev/null; echo "exit ${PIPESTATUS[0]}"
for run in hung piped; do
    [ $(ls $run/checkpoints | wc -l) -gt 1 ] && [ ! -e $run/$end ] && echo "$run: stopped with a checkpoint"
    latent resume $run --threads 1 2> /dev/null; echo "exit $?"
    same_run whole $run $end
done
(trap '' HUP; latent train $tiny --epochs 2 --out ignored 2> log & sleep 0.05; kill -HUP $!; wait $!; echo "exit $?, where SIGHUP is ignored, as by nohup")

echo "-- as if killed while the picture of the newest checkpoint, of epoch 60 and of 51, was drawn"
rm stopped/samples/epoch-0060.png
latent resume stopped --threads 1 2> /dev/null; echo "exit $?"
rm stopped/samples/epoch-00{5[1-9],60}.png stopped/checkpoints/step-00000{3[6-9],4}*
latent resume stopped --threads 1 2> /dev/null; echo "exit $?"
same_run whole stopped $end

echo "-- pictures that cannot be written end the training, which goes on when they can"
mkdir -p blocked/samples/epoch-0002.png
latent train $tiny $options --out blocked 2>&1 | tail -1; echo "exit ${PIPESTATUS[0]}"
rmdir blocked/samples/epoch-0002.png
latent resume blocked --threads 1 2> /dev/null; echo "exit $?"
same_run whole blocked $end
: > log
latent train $tiny $options --out bare 2> log &
await grep -q "^epoch 2/" log
rm -r bare/samples
wait $!; echo "exit $?"
tail -1 log | sed -E 's/epoch-[0-9]*/epoch-#/'
latent resume bare --threads 1 2> /dev/null; echo "exit $?"
cmp whole/$end bare/$end && ls bare/samples | tail -1

echo "-- a damaged checkpoint is passed over"
printf x | dd of=killed/$end bs=1 seek=9000 conv=notrunc 2> /dev/null
latent resume killed --threads 1 2>&1 | grep -v "^epoch" | sed -E 's/digest.*/.../'
cmp whole/$end killed/$end && echo "same bits"

echo "-- done already, and longer"
latent resume killed 2>&1
latent resume killed --epochs 61 --threads 1 2>&1 | grep -v "^epoch" | sed -E 's/ +/ /g'
ls killed/checkpoints | tail -1

echo "-- only what leaves the place of a checkpoint what it is may change, and nothing is written before"
latent train $tiny --epochs 2 --threads 1 --out same 2> /dev/null
cp same/recipe.yaml recipe.yaml
for set in train.batch=20 seed=2 model.latent=4 optimizer=sgd objective.beta=2 data.limit=100; do
    latent resume same --epochs 9 -s $set 2>&1 | cut -d ';' -f 1
    cmp same/recipe.yaml recipe.yaml
done
sed -i 's/batch: 30/batch: 20/' same/recipe.yaml
latent resume same --epochs 3 2>&1 | cut -d ';' -f 1
cp recipe.yaml same/recipe.yaml
for key in $(latent resume same -s seed=2 2>&1 | sed 's/.*these can: //; s/,//g'); do
    latent resume --help | grep -Fqe "$key" || echo "not in the help: $key"
done
latent resume same --epochs 3 -s optimizer.lr=1e-4 -s train.batch=30 --threads 1 2>&1 | grep -v "^epoch"
grep -E "lr|adam|epochs|batch" same/recipe.yaml

echo "-- a run that begins with the weights of another is never one that does not"
latent train $tiny $options -s train.keep_checkpoints=2 --weights whole --out further 2> /dev/null; echo "exit $?"
kill_often 0.01 0.05 -- wary $tiny $options -s train.keep_checkpoints=2 --weights whole
same_run further wary $end
rm wary/checkpoints/*
latent resume wary 2>&1; echo "exit $?"
