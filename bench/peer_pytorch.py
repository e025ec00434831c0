#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The peer of `latent bench`: the same two VAEs, full training steps in PyTorch, on made-up images.

    bench/compare.sh                                     # both, in turns

Prints one line of JSON per recipe: images per second, median over repeats of 100 steps, batch assembly
from uint8 included. Same networks, losses, batch sizes and optimiser as recipes/*.yaml.
"""
import argparse
import json
import statistics
import time

import torch
from torch import nn


def mlp(sizes, activation, last=None):
    layers = []
    for n, m in zip(sizes, sizes[1:]):
        layers += [nn.Linear(n, m), activation()]
    return nn.Sequential(*layers[:-1], *([last] if last else []))


class Vae(nn.Module):
    def __init__(self, encoder, mean, logvar, decoder):
        super().__init__()
        self.encoder, self.mean, self.logvar, self.decoder = encoder, mean, logvar, decoder

    def forward(self, x):
        h = self.encoder(x)
        mean, logvar = self.mean(h), self.logvar(h)
        z = mean + torch.exp(logvar / 2) * torch.randn_like(mean)
        rate = 0.5 * (mean * mean + logvar.exp() - logvar - 1).sum(1)
        return self.decoder(z), rate


def ift6135():
    encoder = nn.Sequential(nn.Linear(784, 300), nn.ELU(), nn.Linear(300, 300), nn.ELU())
    model = Vae(encoder, nn.Linear(300, 100), nn.Linear(300, 100), mlp([100, 300, 300, 784], nn.ELU))

    def loss(x):
        logits, rate = model(x)
        error = nn.functional.binary_cross_entropy_with_logits(logits - 5, x, reduction="none")
        return (error.sum(1) + rate).mean()
    return model, loss, 64, 3e-4


def i2dl():
    encoder = nn.Sequential(nn.Linear(784, 256), nn.LeakyReLU(), nn.Linear(256, 64), nn.LeakyReLU())
    model = Vae(encoder, mlp([64, 32, 8], nn.LeakyReLU), mlp([64, 32, 8], nn.LeakyReLU),
                mlp([8, 32, 64, 256, 784], nn.LeakyReLU, nn.Sigmoid()))

    def loss(x):
        y, rate = model(x)
        return (((y - x) ** 2).sum(1) + rate / 784).mean()
    return model, loss, 128, 1e-3


def measure(name, make, threads, repeats, steps):
    torch.manual_seed(1)
    torch.set_num_threads(threads)
    model, loss, batch, rate = make()
    optimiser = torch.optim.Adam(model.parameters(), lr=rate, foreach=True)
    images = (torch.rand(10000, 784) < 0.2).to(torch.uint8)

    def step(index):
        x = images[index].float()
        optimiser.zero_grad(set_to_none=True)
        loss(x).backward()
        optimiser.step()

    speeds = []
    for repeat in range(repeats + 1):
        order = torch.randint(0, len(images), (steps, batch))
        begin = time.perf_counter()
        for index in order:
            step(index)
        if repeat:
            speeds.append(steps * batch / (time.perf_counter() - begin))
    print(json.dumps({"peer": "pytorch " + torch.__version__, "recipe": name, "threads": threads,
                      "batch": batch, "images_per_second": {
                          "min": round(min(speeds)), "median": round(statistics.median(speeds)),
                          "max": round(max(speeds))}}))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--steps", type=int, default=100)
    options = parser.parse_args()
    for name, make in (("i2dl-mlp-vae", i2dl), ("ift6135-vae", ift6135)):
        measure(name, make, options.threads, options.repeats, options.steps)


main()
