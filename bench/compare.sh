#!/bin/sh
# SPDX-License-Identifier: MIT
# latent and PyTorch in turns on the same machine, one line of JSON each: six presets at 1 and 2
# threads. PyTorch runs with the settings that were fastest for it here: AVX-512 kernels, waiting
# threads that sleep (its autograd thread has a pool of its own), OpenBLAS as its BLAS
# (apt install python3-torch libopenblas0-pthread).
# Usage: bench/compare.sh [ROUNDS]
set -eu
cd "$(dirname "$0")/.."
rounds=${1:-3}
for threads in 1 2; do
    round=0
    while [ "$round" -lt "$rounds" ]; do
        for recipe in i2dl-mlp-vae ift6135-vae cs561-conv-vae csci4968-conv-vae cs446-gan \
                      ift6135-wgan-svhn; do
            build/latent bench "$recipe" --threads "$threads" --repeats 5 --json
        done
        OMP_WAIT_POLICY=passive ATEN_CPU_CAPABILITY=avx512 OPENBLAS_NUM_THREADS=$threads \
            /usr/bin/python3 bench/peer_pytorch.py --threads "$threads" --repeats 5
        round=$((round + 1))
    done
done
