#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The peer of `latent bench`: the same VAEs and GANs, full training steps in PyTorch, on synthetic images.

    bench/compare.sh                                     # both, in turns
    bench/peer_pytorch.py --threads 2 cs561-conv-vae     # the peer alone

Prints one line of JSON per recipe: images per second, median over repeats of a second, batch assembly
from uint8 included. Same networks, losses, batch sizes and optimizer as recipes/*.yaml.

The peer runs at its best: every combination of the settings below that makes sense for a recipe is
timed first, and the fastest one is measured. --settings FILE keeps what was found for the next call.
"""
import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
from collections import namedtuple
from time import perf_counter as time_now

import torch
from torch import nn

# channels_last: memory format of networks and images. dnnl: transposed convolutions as input gradients
# of convolutions, which oneDNN computes; PyTorch 1.13's own are im2col and a matmul. foreach: one call
# of Adam for all parameters. joined: the discriminator sees real images and samples as one batch.
# shared: the generator's step uses the samples of the discriminator's step, which saves one forward
# pass and is less work than recipes ask for; it is measured beside the same work, not instead of it.
Settings = namedtuple("Settings", "channels_last dnnl foreach joined shared")

# Threads that wait asleep or spin. OpenBLAS with threads of its own or OpenMP's, and the processor that
# it takes this one for: on virtual machines it often finds none that it knows and multiplies at a fifth
# of what is possible ("" leaves it the choice).
POLICIES = "passive", "active"
BLAS_THREADS = "openmp", "pthread"
BLAS_CORES = "", "SkylakeX", "Zen", "Haswell"


def mlp(sizes, activation, last=None):
    layers = []
    for n, m in zip(sizes, sizes[1:]):
        layers += [nn.Linear(n, m), activation()]
    return nn.Sequential(*layers[:-1], *([last] if last else []))


def images(x, h, w, c, how):
    """Returns rows of NHWC pixels as a batch of images; no copy if they stay channels-last."""
    x = x.view(-1, h, w, c).permute(0, 3, 1, 2)
    return x if how.channels_last else x.contiguous()


def place(network, how):
    return network.to(memory_format=torch.channels_last if how.channels_last
                      else torch.contiguous_format)


def train(model, loss, batch, rate, how):
    optimizer = torch.optim.Adam(place(model, how).parameters(), lr=rate, foreach=how.foreach)

    def step(x):
        optimizer.zero_grad(set_to_none=True)
        loss(x).backward()
        optimizer.step()
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


def ift6135(how):
    encoder = nn.Sequential(nn.Linear(784, 300), nn.ELU(), nn.Linear(300, 300), nn.ELU())
    model = Vae(encoder, nn.Linear(300, 100), nn.Linear(300, 100), mlp([100, 300, 300, 784], nn.ELU))

    def loss(x):
        logits, rate = model(x)
        error = nn.functional.binary_cross_entropy_with_logits(logits - 5, x, reduction="none")
        return (error.sum(1) + rate).mean()
    return train(model, loss, 64, 3e-4, how)


def i2dl(how):
    encoder = nn.Sequential(nn.Linear(784, 256), nn.LeakyReLU(), nn.Linear(256, 64), nn.LeakyReLU())
    model = Vae(encoder, mlp([64, 32, 8], nn.LeakyReLU), mlp([64, 32, 8], nn.LeakyReLU),
                mlp([8, 32, 64, 256, 784], nn.LeakyReLU, nn.Sigmoid()))

    def loss(x):
        y, rate = model(x)
        return (((y - x) ** 2).sum(1) + rate / 784).mean()
    return train(model, loss, 128, 1e-3, how)


class ConvTransposeFunction(torch.autograd.Function):
    """A transposed convolution as the input gradient of a convolution, which goes through oneDNN;
    PyTorch 1.13's own conv_transpose2d does not, and is often several times slower on a CPU."""

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


class DnnlConvTranspose(nn.ConvTranspose2d):
    def forward(self, x):
        stride, pad, kernel = self.stride[0], self.padding[0], self.kernel_size[0]
        size = (x.shape[2] - 1) * stride - 2 * pad + kernel
        y = ConvTransposeFunction.apply(x, self.weight, size, stride, pad)
        return y if self.bias is None else y + self.bias[:, None, None]


def transposed(how):
    return DnnlConvTranspose if how.dnnl else nn.ConvTranspose2d


def cs561(how):
    def down(i, o):
        return [nn.Conv2d(i, o, 4, 2, 1, bias=False), nn.BatchNorm2d(o), nn.LeakyReLU(.2)]

    def up(i, o, stride, pad):
        return [transposed(how)(i, o, 4, stride, pad, bias=False), nn.BatchNorm2d(o), nn.LeakyReLU(.2)]

    encoder = nn.Sequential(*down(1, 32), *down(32, 64), *down(64, 128), *down(128, 256))
    decoder = nn.Sequential(nn.Unflatten(1, (128, 1, 1)), *up(128, 256, 1, 0), *up(256, 128, 2, 1),
                            *up(128, 64, 2, 1), *up(64, 32, 2, 1),
                            transposed(how)(32, 1, 1, bias=False), nn.Sigmoid())
    model = Vae(encoder, nn.Conv2d(256, 128, 2, bias=False), nn.Conv2d(256, 128, 2, bias=False),
                decoder)

    def loss(x):
        x = images(x, 32, 32, 1, how)
        y, rate = model(x)
        return (((y - x) ** 2).sum((1, 2, 3)) + rate).mean()
    return train(model, loss, 128, 2e-4, how)


def csci4968(how):
    encoder = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU(),
                            nn.Flatten())
    decoder = nn.Sequential(nn.Linear(16, 18432), nn.ReLU(), nn.Unflatten(1, (32, 24, 24)),
                            transposed(how)(32, 16, 3), nn.ReLU(), transposed(how)(16, 1, 3),
                            nn.Sigmoid())
    model = Vae(encoder, nn.Linear(18432, 16), nn.Linear(18432, 16), decoder)

    def loss(x):
        x = images(x, 28, 28, 1, how)
        y, rate = model(x)
        return (((y - x) ** 2).sum((1, 2, 3)) + rate).mean()
    return train(model, loss, 128, 1e-3, how)


def alternate(discriminator, generator, discriminator_loss, generator_loss, batch, discriminator_steps, how, **adam):
    """One step of the generator after every discriminator_steps of the discriminator; images are those that the
    discriminator sees. The generator's step leaves out the discriminator's weight gradients."""
    of_discriminator = torch.optim.Adam(place(discriminator, how).parameters(), foreach=how.foreach, **adam)
    of_generator = torch.optim.Adam(place(generator, how).parameters(), foreach=how.foreach, **adam)
    count = itertools.count(1)

    def make(n):
        return generator(torch.randn(n, 100))

    def step(x):
        with torch.set_grad_enabled(how.shared):
            fake = make(len(x))
        of_discriminator.zero_grad(set_to_none=True)
        discriminator_loss(x, fake.detach()).backward()
        of_discriminator.step()
        if next(count) % discriminator_steps == 0:
            discriminator.requires_grad_(False)
            of_generator.zero_grad(set_to_none=True)
            generator_loss(fake if how.shared else make(len(x))).backward()
            of_generator.step()
            discriminator.requires_grad_(True)
    return step, batch


def judge(discriminator, x, fake, how):
    """The discriminator's values of real images and of samples."""
    if how.joined:
        return discriminator(torch.cat([x, fake])).split(len(x))
    return discriminator(x), discriminator(fake)


def cs446(how):
    discriminator = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                           nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                           nn.Conv2d(4, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(200, 1))
    generator = nn.Sequential(nn.Linear(100, 1568), nn.LeakyReLU(.2), nn.Unflatten(1, (32, 7, 7)),
                              nn.Upsample(scale_factor=2), nn.Conv2d(32, 16, 3, padding=1),
                              nn.LeakyReLU(.2), nn.Upsample(scale_factor=2),
                              nn.Conv2d(16, 8, 3, padding=1), nn.LeakyReLU(.2),
                              nn.Conv2d(8, 1, 3, padding=1), nn.Sigmoid())
    softplus = nn.functional.softplus

    def discriminator_loss(x, fake):
        of_real, of_fake = judge(discriminator, images(x, 28, 28, 1, how), fake, how)
        return softplus(-of_real).mean() + softplus(of_fake).mean()

    def generator_loss(fake):
        return softplus(-discriminator(fake)).mean()
    return alternate(discriminator, generator, discriminator_loss, generator_loss, 64, 1, how, lr=1e-3,
                     betas=(.5, .999))


def wgan(how):
    discriminator = nn.Sequential(nn.Conv2d(3, 64, 4, 2, 1), nn.LeakyReLU(.2), nn.Conv2d(64, 128, 4, 2, 1),
                           nn.LeakyReLU(.2), nn.Conv2d(128, 256, 4, 2, 1), nn.LeakyReLU(.2),
                           nn.Conv2d(256, 1, 4))

    def up(i, o, stride, pad):
        return [transposed(how)(i, o, 4, stride, pad, bias=False), nn.BatchNorm2d(o), nn.ReLU()]

    generator = nn.Sequential(nn.Unflatten(1, (100, 1, 1)), *up(100, 256, 1, 0), *up(256, 128, 2, 1),
                              *up(128, 64, 2, 1), transposed(how)(64, 3, 4, 2, 1), nn.Tanh())

    def discriminator_loss(x, fake):
        x = images(x, 32, 32, 3, how)
        mixed = torch.lerp(fake, x, torch.rand(len(x), 1, 1, 1)).requires_grad_()
        slope, = torch.autograd.grad(discriminator(mixed).sum(), mixed, create_graph=True)
        penalty = ((slope.flatten(1).norm(dim=1) - 1).clamp(min=0) ** 2).mean()
        of_real, of_fake = judge(discriminator, x, fake, how)
        return of_fake.mean() - of_real.mean() + 10 * penalty

    def generator_loss(fake):
        return -discriminator(fake).mean()
    return alternate(discriminator, generator, discriminator_loss, generator_loss, 64, 5, how, lr=1e-4,
                     betas=(.5, .9))


# What makes the networks, numbers in an image, settings that may matter.
RECIPES = {"i2dl-mlp-vae": (i2dl, 784, "foreach"),
           "ift6135-vae": (ift6135, 784, "foreach"),
           "cs561-conv-vae": (cs561, 1024, "channels_last dnnl foreach"),
           "csci4968-conv-vae": (csci4968, 784, "channels_last dnnl foreach"),
           "cs446-gan": (cs446, 784, "channels_last foreach joined shared"),
           "ift6135-wgan-svhn": (wgan, 3072, "channels_last dnnl foreach joined")}


# ---- In a process of its own: one waiting policy ----

def prepare(name, how):
    """A function that trains for some steps and returns the seconds, and the size of a batch."""
    make, pixels, _ = RECIPES[name]
    torch.manual_seed(1)
    step, batch = make(how)
    data = (torch.rand(10000, pixels) < 0.2).to(torch.uint8)

    def time(steps):
        order = torch.randint(0, len(data), (steps, batch))
        begin = time_now()
        for index in order:
            step(data[index].float())
        return time_now() - begin

    time(5)
    return time, batch


def speeds(name, how, repeats, seconds):
    time, batch = prepare(name, how)
    steps = max(5, int(seconds / time(5)) * 5)
    return [steps * batch / time(steps) for _ in range(repeats)]


def combinations(name, shared):
    open_settings = RECIPES[name][2].split()
    choices = [(True, False) if f in open_settings and f != "shared" else (shared,) if f == "shared"
               else (False,) for f in Settings._fields]
    return [Settings(*c) for c in itertools.product(*choices)]


def matmul_speed():
    """Measures matmuls like those of the recipes: steps of all three per second."""
    a, b, c = torch.rand(128, 784), torch.rand(784, 300), torch.rand(128, 300)

    def time(n):
        begin = time_now()
        for _ in range(n):
            a @ b, c @ b.t(), a.t() @ c
        return time_now() - begin

    time(5)
    return max(200 / time(200) for _ in range(3))


def work(job):
    """Answers the parent: the speed of BLAS, the fastest settings, or speeds with given ones."""
    torch.set_num_threads(job["threads"])
    if "recipe" not in job:
        return matmul_speed()
    if "how" in job:
        return speeds(job["recipe"], Settings(**job["how"]), job["repeats"], job["seconds"])
    found = [(max(speeds(job["recipe"], how, 3, 0.3)), how._asdict())
             for how in combinations(job["recipe"], job["shared"])]
    return max(found, key=lambda f: f[0])


# ---- The parent ----

def blas_folder(threads):
    return "/usr/lib/%s-linux-gnu/openblas-%s" % (os.uname().machine, threads)


def ask(policy, blas, **job):
    """Returns the answer of a separate process; blas: whose threads and which core."""
    n = str(job["threads"])
    environment = dict(os.environ, OMP_WAIT_POLICY=policy, OMP_NUM_THREADS=n, OPENBLAS_NUM_THREADS=n,
                       ATEN_CPU_CAPABILITY="avx512", LD_LIBRARY_PATH=blas_folder(blas[0]))
    environment.pop("OPENBLAS_CORETYPE", None)
    if blas[1]:
        environment["OPENBLAS_CORETYPE"] = blas[1]
    run = subprocess.run([sys.executable, __file__, "--work", json.dumps(job)], env=environment,
                         stdout=subprocess.PIPE, check=True)
    return json.loads(run.stdout)


def find_blas(threads):
    kinds = [b for b in itertools.product(BLAS_THREADS, BLAS_CORES)
             if os.path.isdir(blas_folder(b[0]))]
    if not kinds:
        sys.exit("the peer needs OpenBLAS (apt install libopenblas0-openmp)")
    return max(kinds, key=lambda blas: ask(POLICIES[0], blas, threads=threads))


def tune(name, threads, shared, blas):
    best = max((ask(policy, blas, recipe=name, threads=threads, shared=shared) + [policy]
                for policy in POLICIES), key=lambda b: b[0])
    return {"policy": best[2], "how": best[1]}


def measure(name, threads, shared, known, repeats, seconds):
    of_blas, key = f"blas {threads}", f"{name} {threads} {'shared' if shared else 'fresh'}"
    if of_blas not in known:
        known[of_blas] = find_blas(threads)
    if key not in known:
        known[key] = tune(name, threads, shared, known[of_blas])
    policy, how = known[key]["policy"], known[key]["how"]
    found = ask(policy, known[of_blas], recipe=name, threads=threads, how=how, repeats=repeats,
                seconds=seconds)
    print(json.dumps({"peer": "pytorch " + torch.__version__, "recipe": name, "threads": threads,
                      "samples": "shared by both steps" if shared else "fresh for each step",
                      "blas": known[of_blas], "policy": policy,
                      "settings": [s for s, on in how.items() if on],
                      "images_per_second": {
                          "min": round(min(found)), "median": round(statistics.median(found)),
                          "max": round(max(found))}}), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1, help="of each repeat")
    parser.add_argument("--settings", help="JSON file of the fastest settings, read and added to")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("recipes", nargs="*", default=list(RECIPES))
    options = parser.parse_args()
    if options.work:
        print(json.dumps(work(json.loads(options.work))))
        return
    known = {}
    if options.settings and os.path.exists(options.settings):
        with open(options.settings) as file:
            known = json.load(file)
    for name in options.recipes:
        for shared in [False, True] if "shared" in RECIPES[name][2] else [False]:
            measure(name, options.threads, shared, known, options.repeats, options.seconds)
            if options.settings:
                with open(options.settings, "w") as file:
                    json.dump(known, file, indent=1)


main()
