# An adversarial model: killed and resumed with the same bits, asked for classes, and for what it
# has not.
gan=$TESTS/cli/gan.yaml
options="--epochs 60 --threads 1 -s train.keep=0"
end=checkpoints/step-00000240.safetensors
latent train $gan --threads 1 --out short 2> /dev/null; echo "exit $?"
ls short/samples
latent train $gan $options --out whole 2> /dev/null; echo "exit $?"

echo "-- kill -9 at any instant"
latent train $gan $options --out killed 2> /dev/null &
for _ in $(seq 3000); do [ -e killed/recipe.yaml ] && break; sleep 0.01; done
kill -9 $! && wait $! 2> /dev/null
for pause in 0.03 0.05 0.08 0.13 0.21; do
    latent resume killed --threads 1 2> /dev/null &
    sleep $pause
    kill -9 $! 2> /dev/null
    wait $! 2> /dev/null
done
latent resume killed --threads 1 2> /dev/null; echo "exit $?"
cmp whole/$end killed/$end && echo "same bits"
steps() { sed -E 's/,"images.*//' "$1"; }
diff <(steps whole/metrics.jsonl) <(steps killed/metrics.jsonl) && echo "same lines"

echo "-- classes"
for class in 0 3 4; do latent sample short --class $class -n 4 -o class-$class.png 2>&1; echo "exit $?"; done
cmp -s class-0.png class-3.png || echo "other images"

echo "-- what it has not"
latent reconstruct short -o grid.png 2>&1; echo "exit $?"
latent resume whole --epochs 61 -s train.average=0 2>&1; echo "exit $?"
