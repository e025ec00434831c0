# An adversarial model: killed and resumed with the same bits, asked for classes, and for what it
# has not.
. $TESTS/cli/kill.bash
gan=$TESTS/cli/gan.yaml
options="--epochs 60 --threads 1 -s train.keep_checkpoints=0"
end=checkpoints/step-00000240.safetensors
latent train $gan --threads 1 --out short 2> /dev/null; echo "exit $?"
ls short/samples
latent sample short -n 64 -c 8 -o s.png 2> /dev/null; cmp s.png short/samples/epoch-0003.png && echo "of the averages"
latent train $gan $options --out whole 2> /dev/null; echo "exit $?"

echo "-- kill -9 at any instant"
kill_often 0.03 0.05 0.08 0.13 0.21 -- killed $gan $options
same_run whole killed $end

echo "-- classes"
for class in 0 3 4; do latent sample short --class $class -n 4 -o class-$class.png 2>&1; echo "exit $?"; done
cmp -s class-0.png class-3.png || echo "other images"

echo "-- what it has not"
latent reconstruct short -o grid.png 2>&1; echo "exit $?"
latent resume whole --epochs 61 -s train.ema_decay=0 2>&1; echo "exit $?"

echo "-- no step of the generator in the first epoch, and none at all; a score is no probability"
small="-s data.limit=8 -s train.batch=4 -s train.samples_every=0 --threads 1"
said() { sed -E 's/ +[0-9]+ +[0-9]+:[0-9]+$/ # #/; s/-?[0-9]+\.[0-9]+/#/g; /^epoch [0-9]/s/ +/ /g'; }
latent train $gan $small -s objective.discriminator_steps=3 --epochs 2 --out third 2>&1 | grep -vE '^warning' | said
grep -o '"generator_loss":null' third/metrics.jsonl
latent train $gan $small -s objective.discriminator_steps=30 --epochs 1 --out never 2>&1 | grep -A1 '^epoch' | said
latent explain never 2>&1 | grep -A1 -E '^ = generator' ; latent explain never --json | grep -o '"name": "generator", "value": null'
for loss in hinge least_squares kl non_saturating; do
    latent train $gan $small -s objective.loss=$loss -s objective.penalty=none --epochs 1 --out $loss 2>&1 |
        grep -E '^losses|^epoch' | said
done
latent report third never hinge non_saturating -o r.html 2> /dev/null
grep -oiE '[^a-z]-?nan[^a-z]|(D|critic)\((real|fake)\)[^<]*' r.html | sort | uniq -c
cat */metrics.jsonl | grep -iE "[^a-z]-?(nan|inf)[^a-z]"; echo "no other"
