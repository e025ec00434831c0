# What the environment says to OpenMP and to oneDNN changes no bit of a run: how many threads there are, and
# whether products of floats may have fewer digits (which oneDNN takes for leave where the processor can).
cat > conv.yaml <<'END'
name: conv
data: {set: synthetic, limit: 200, binarize: dynamic}
model:
  latent: 16
  likelihood: bernoulli
  encoder: [conv 16 kernel=4 stride=2 pad=1, elu, conv 64 kernel=4 stride=2 pad=1, flatten, linear 256, tanh]
  decoder: [linear 256, sigmoid, linear image]
train: {epochs: 1, batch: 100, samples_every: 0}
END
weights=checkpoints/step-00000002.safetensors
latent train conv.yaml --out plain > log 2>&1 || cat log
for setting in OMP_NUM_THREADS=1 OMP_NUM_THREADS=5 OMP_THREAD_LIMIT=1 \
    {ONEDNN,DNNL}_DEFAULT_FPMATH_MODE={BF16,ANY}; do
    env $setting latent train conv.yaml --out "$setting" > log 2>&1 || cat log
    cmp "plain/$weights" "$setting/$weights" && echo "same with $setting"
done
