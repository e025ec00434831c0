#!/bin/sh
# SPDX-License-Identifier: MIT
# The peak of this machine, latent and PyTorch in turns, one line of JSON each: six presets at 1 and 2
# threads. PyTorch runs with the settings that are fastest for each of them here, found before the first
# round (build/peer-settings.json keeps them; delete it to search again).
# Needs: apt install python3-torch libopenblas0-openmp
# Usage: bench/compare.sh [ROUNDS [RECIPE...]]
set -eu
cd "$(dirname "$0")/.."
rounds=${1:-3}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- i2dl-mlp-vae ift6135-vae cs561-conv-vae csci4968-conv-vae cs446-gan \
                      ift6135-wgan-svhn
cmake --build build --target latent_tool peak >&2
peer() {
    /usr/bin/python3 bench/peer_pytorch.py --settings build/peer-settings.json "$@"
}
for threads in 1 2; do
    peer --threads $threads --repeats 1 --seconds 0.1 "$@" > /dev/null
    round=0
    while [ "$round" -lt "$rounds" ]; do
        for recipe in "$@"; do
            build/peak $threads 3
            build/latent bench "$recipe" --threads $threads --repeats 5 --json
            peer --threads $threads --repeats 5 --seconds 0.5 "$recipe"
        done
        round=$((round + 1))
    done
done
