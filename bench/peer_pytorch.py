#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The peer of `latent bench`: the same VAEs and GANs, full training steps in PyTorch, on made-up images.

    bench/compare.sh                                     # both, in turns
    bench/peer_pytorch.py --threads 2 cs561-conv-vae     # the peer alone

Prints one line of JSON per recipe: images per second, median over repeats of a second, batch assembly
from uint8 included. Same networks, losses, batch sizes and optimiser as recipes/*.yaml.
"""
import argparse
import itertools
import json
import statistics
from time import perf_counter as time_now

import torch
from torch import nn


def mlp(sizes, activation, last=None):
    layers = []
    for n, m in zip(sizes, sizes[1:]):
        layers += [nn.Linear(n, m), activation()]
    return nn.Sequential(*layers[:-1], *([last] if last else []))


def train(model, loss, batch, rate):
    optimiser = torch.optim.Adam(model.parameters(), lr=rate, foreach=True)

    def step(x):
        optimiser.zero_grad(set_to_none=True)
        loss(x).backward()
        optimiser.step()
    return step, batch


class Vae(nn.Module):
    def __init__(self, encoder, mean, logvar, decoder):
        super().__init__()
        self.encoder, self.mean, self.logvar, self.decoder = encoder, mean, logvar, decoder

    def forward(self, x):
        h = self.encoder(x)
        mean, logvar = self.mean(h).flatten(1), self.logvar(h).flatten(1)
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
    return train(model, loss, 64, 3e-4)


def i2dl():
    encoder = nn.Sequential(nn.Linear(784, 256), nn.LeakyReLU(), nn.Linear(256, 64), nn.LeakyReLU())
    model = Vae(encoder, mlp([64, 32, 8], nn.LeakyReLU), mlp([64, 32, 8], nn.LeakyReLU),
                mlp([8, 32, 64, 256, 784], nn.LeakyReLU, nn.Sigmoid()))

    def loss(x):
        y, rate = model(x)
        return (((y - x) ** 2).sum(1) + rate / 784).mean()
    return train(model, loss, 128, 1e-3)


class ConvTransposeFunction(torch.autograd.Function):
    """A transposed convolution as the input gradient of a convolution, which goes through oneDNN;
    PyTorch 1.13's own conv_transpose2d does not, and is several times slower on a CPU."""

    @staticmethod
    def forward(ctx, x, w, size, stride, pad):
        ctx.save_for_backward(x, w)
        ctx.how = stride, pad
        return nn.grad.conv2d_input((len(x), w.shape[1], size, size), w, x, stride, pad)

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        stride, pad = ctx.how
        return (nn.functional.conv2d(g, w, None, stride, pad),
                nn.grad.conv2d_weight(g, w.shape, x, stride, pad), None, None, None)


class ConvTranspose(nn.ConvTranspose2d):
    def forward(self, x):
        stride, pad, kernel = self.stride[0], self.padding[0], self.kernel_size[0]
        size = (x.shape[2] - 1) * stride - 2 * pad + kernel
        y = ConvTransposeFunction.apply(x, self.weight, size, stride, pad)
        return y if self.bias is None else y + self.bias[:, None, None]


def cs561():
    def down(i, o):
        return [nn.Conv2d(i, o, 4, 2, 1, bias=False), nn.BatchNorm2d(o), nn.LeakyReLU(.2)]

    def up(i, o, stride, pad):
        return [ConvTranspose(i, o, 4, stride, pad, bias=False), nn.BatchNorm2d(o), nn.LeakyReLU(.2)]

    encoder = nn.Sequential(*down(1, 32), *down(32, 64), *down(64, 128), *down(128, 256))
    decoder = nn.Sequential(nn.Unflatten(1, (128, 1, 1)), *up(128, 256, 1, 0), *up(256, 128, 2, 1),
                            *up(128, 64, 2, 1), *up(64, 32, 2, 1),
                            ConvTranspose(32, 1, 1, bias=False), nn.Sigmoid())
    model = Vae(encoder, nn.Conv2d(256, 128, 2, bias=False), nn.Conv2d(256, 128, 2, bias=False),
                decoder)

    def loss(x):
        x = x.view(-1, 1, 32, 32)
        y, rate = model(x)
        return (((y - x) ** 2).sum((1, 2, 3)) + rate).mean()
    return train(model, loss, 128, 2e-4)


def csci4968():
    encoder = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU(),
                            nn.Flatten())
    decoder = nn.Sequential(nn.Linear(16, 18432), nn.ReLU(), nn.Unflatten(1, (32, 24, 24)),
                            ConvTranspose(32, 16, 3), nn.ReLU(), ConvTranspose(16, 1, 3),
                            nn.Sigmoid())
    model = Vae(encoder, nn.Linear(18432, 16), nn.Linear(18432, 16), decoder)

    def loss(x):
        x = x.view(-1, 1, 28, 28)
        y, rate = model(x)
        return (((y - x) ** 2).sum((1, 2, 3)) + rate).mean()
    return train(model, loss, 128, 1e-3)


def alternate(critic, generator, critic_loss, generator_loss, batch, critic_steps, **adam):
    """One step of the generator after every critic_steps of the critic; images are those that the
    critic sees."""
    for network in critic, generator:  # a fifth faster with few channels, no slower with many
        network.to(memory_format=torch.channels_last)
    of_critic = torch.optim.Adam(critic.parameters(), foreach=True, **adam)
    of_generator = torch.optim.Adam(generator.parameters(), foreach=True, **adam)
    count = itertools.count(1)

    def step(x):
        with torch.no_grad():
            fake = generator(torch.randn(len(x), 100))
        of_critic.zero_grad(set_to_none=True)
        critic_loss(x, fake).backward()
        of_critic.step()
        if next(count) % critic_steps == 0:
            critic.requires_grad_(False)
            of_generator.zero_grad(set_to_none=True)
            generator_loss(generator(torch.randn(len(x), 100))).backward()
            of_generator.step()
            critic.requires_grad_(True)
    return step, batch


def cs446():
    critic = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                           nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                           nn.Conv2d(4, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(200, 1))
    generator = nn.Sequential(nn.Linear(100, 1568), nn.LeakyReLU(.2), nn.Unflatten(1, (32, 7, 7)),
                              nn.Upsample(scale_factor=2), nn.Conv2d(32, 16, 3, padding=1),
                              nn.LeakyReLU(.2), nn.Upsample(scale_factor=2),
                              nn.Conv2d(16, 8, 3, padding=1), nn.LeakyReLU(.2),
                              nn.Conv2d(8, 1, 3, padding=1), nn.Sigmoid())
    softplus = nn.functional.softplus

    def critic_loss(x, fake):
        return softplus(-critic(x.view(-1, 1, 28, 28))).mean() + softplus(critic(fake)).mean()

    def generator_loss(fake):
        return softplus(-critic(fake)).mean()
    return alternate(critic, generator, critic_loss, generator_loss, 64, 1, lr=2e-4)


def wgan():
    critic = nn.Sequential(nn.Conv2d(3, 64, 4, 2, 1), nn.LeakyReLU(.2), nn.Conv2d(64, 128, 4, 2, 1),
                           nn.LeakyReLU(.2), nn.Conv2d(128, 256, 4, 2, 1), nn.LeakyReLU(.2),
                           nn.Conv2d(256, 1, 4))

    def up(i, o, stride, pad):
        return [ConvTranspose(i, o, 4, stride, pad, bias=False), nn.BatchNorm2d(o), nn.ReLU()]

    generator = nn.Sequential(nn.Unflatten(1, (100, 1, 1)), *up(100, 256, 1, 0), *up(256, 128, 2, 1),
                              *up(128, 64, 2, 1), ConvTranspose(64, 3, 4, 2, 1), nn.Tanh())

    def critic_loss(x, fake):
        x = x.view(-1, 3, 32, 32)
        mixed = torch.lerp(fake, x, torch.rand(len(x), 1, 1, 1)).requires_grad_()
        slope, = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
        penalty = ((slope.flatten(1).norm(dim=1) - 1).clamp(min=0) ** 2).mean()
        return critic(fake).mean() - critic(x).mean() + 10 * penalty

    def generator_loss(fake):
        return -critic(fake).mean()
    return alternate(critic, generator, critic_loss, generator_loss, 64, 5, lr=1e-4, betas=(.5, .9))


RECIPES = {"i2dl-mlp-vae": (i2dl, 784), "ift6135-vae": (ift6135, 784),
           "cs561-conv-vae": (cs561, 1024), "csci4968-conv-vae": (csci4968, 784),
           "cs446-gan": (cs446, 784), "ift6135-wgan-svhn": (wgan, 3072)}


def measure(name, threads, repeats, seconds):
    make, pixels = RECIPES[name]
    torch.manual_seed(1)
    torch.set_num_threads(threads)
    step, batch = make()
    images = (torch.rand(10000, pixels) < 0.2).to(torch.uint8)

    def time(steps):
        order = torch.randint(0, len(images), (steps, batch))
        begin = time_now()
        for index in order:
            step(images[index].float())
        return time_now() - begin

    time(5)
    steps = max(5, int(seconds / time(5)) * 5)
    speeds = [steps * batch / time(steps) for _ in range(repeats)]
    print(json.dumps({"peer": "pytorch " + torch.__version__, "recipe": name, "threads": threads,
                      "batch": batch, "images_per_second": {
                          "min": round(min(speeds)), "median": round(statistics.median(speeds)),
                          "max": round(max(speeds))}}))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1, help="of each repeat")
    parser.add_argument("recipes", nargs="*", default=list(RECIPES))
    options = parser.parse_args()
    for name in options.recipes:
        measure(name, options.threads, options.repeats, options.seconds)


main()
