#!/bin/sh
# SPDX-License-Identifier: MIT
# Trains the demo, evaluates it, draws samples and reconstructions, makes its report, says how to open it.
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
echo "== latent report $run -o $run/report.html"
$latent report "$run" -o "$run/report.html"
page=$(cd "$run" && pwd)/report.html
echo
echo "New images, drawn from the model:        $run/samples.png"
echo "Test images above their reconstructions: $run/reconstructions.png"
echo "All about the run, on one page:          $run/report.html"
echo
echo "To open the page, give this address to a web browser:"
echo "  file://$page"
if command -v xdg-open > /dev/null; then
    echo "or:"
    echo "  xdg-open $run/report.html"
fi
echo
echo "The same by hand: build/latent train fashion-mlp-vae; build/latent report runs/fashion-mlp-vae"
