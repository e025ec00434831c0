#!/bin/sh
# SPDX-License-Identifier: MIT
# Trains the demo, evaluates it, draws samples and reconstructions, says where they are.
# Usage: tools/demo.sh [DIR]; by default the run goes to runs/demo, or runs/demo-2 and so on.
set -eu
cd "$(dirname "$0")/.."
latent=build/latent

run=${1:-runs/demo}
n=1
while [ -z "${1:-}" ] && [ -e "$run" ]; do
    n=$((n + 1))
    run=runs/demo-$n
done

echo "== latent train fashion-mlp-vae --out $run"
$latent train fashion-mlp-vae --out "$run"
echo
echo "== latent eval $run --nll 50"
$latent eval "$run" --nll 50
echo
$latent sample "$run" -n 64 -c 16 -o "$run/samples.png"
$latent reconstruct "$run" -n 32 -c 16 -o "$run/reconstructions.png"
echo
echo "New images, drawn from the model:        $run/samples.png"
echo "Test images above their reconstructions: $run/reconstructions.png"
echo "All about the run:                       $run/"
