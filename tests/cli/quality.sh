# How good samples are: tables, JSON, a cache, and scores that are not comparable.
tiny=$TESTS/cli/tiny.yaml
hide() { sed -E 's/[0-9a-f]{64}/DIGEST/g; s/([ (])[0-9a-f]{12}([:); ]|$)/\1DIGEST\2/g; s/-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?/#/g; s/ +/ /g'; }
cached() { echo $HOME/.cache/latent/features/*; }
latent train $tiny --threads 1 > log 2>&1; echo "exit $?"
latent train $tiny --threads 1 --seed 5 --out other > log 2>&1; echo "exit $?"
latent eval runs/tiny --quality --threads 1 --nearest pairs.png 2> log | tail -32 | hide
grep -o 'including training of the classifier' log
od -An -tu1 -j16 -N8 pairs.png | awk '{ print $3 * 256 + $4 " x " $7 * 256 + $8 }'
echo "-- JSON, from the cache and without, at any number of threads"
latent eval runs/tiny --quality --json --threads 1 2> log > a.json; hide < a.json | sed 's/.*"quality"/"quality"/'
grep -c 'with training' log
rm "$(cached)"
latent eval runs/tiny --quality --json --threads 3 2> /dev/null | cmp - a.json && echo "same at 3 threads"
echo "-- several runs; a broken cache"
printf x >> "$(cached)"
latent eval runs/tiny other --quality --threads 1 2>&1 | hide | sed 's/[^ ]*latent.features/FOLDER/'
latent eval runs/tiny other --quality --threads 1 --json 2> /dev/null | grep -o '"digest": "[0-9a-f]*", "images"' | sort -u | wc -l
echo "-- scores that are not comparable"
latent train $tiny --threads 1 --set data.limit=150 --out less > log 2>&1; echo "exit $?"
latent eval runs/tiny less --quality --threads 1 2>&1 | hide; echo "exit ${PIPESTATUS[0]}"
echo "-- a model without a likelihood"
cat > gan.yaml << 'END'
name: gan
data: {set: synthetic, limit: 200}
model:
  kind: gan
  latent: 3
  generator: [linear 8, relu, linear image, sigmoid]
  discriminator: [linear 8, relu, linear 1]
train: {epochs: 1, batch: 30}
END
latent train gan.yaml --threads 1 > log 2>&1; echo "exit $?"
latent eval runs/gan --quality --threads 1 --samples 60 2> /dev/null | sed -n '2p; $p' | hide
latent eval runs/gan --threads 1 --nll 5 2>&1 | cut -d, -f1; echo "exit ${PIPESTATUS[0]}"
echo "-- mistakes"
latent eval runs/tiny --quality --samples 10 2>&1; echo "exit $?"
