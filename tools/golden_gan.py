#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/gan_*.safetensors: the steps of adversarial training in PyTorch.

    /usr/bin/python3 tools/golden_gan.py [DIRECTORY]

The order of images, codes and factors are those that the trainer draws: Philox4x32-10 below is
written from the paper and from what src/base/philox.h says of keys. So a test goes through the
trainer itself. Everything is in double precision.

"x": images n x h x w x c in 0 ... 1, and "labels" where there are classes; weights and states under
their names, "after.NAME" at the end, "average.NAME" where the recipe keeps averages. "discriminator_loss",
"penalty", "gradient_norm", "d_real", "d_fake", "estimate": one of each step; "generator_loss": one
of each step of the generator."""
import math
import os
import sys

import golden  # sets up torch first
import numpy as np
import torch
import torch.nn.functional as F
from golden import rand, save, single
from torch import nn

SEED, IMAGES, BATCH, STEPS = 1, 10, 4, 20
STREAM_SHUFFLE = 0xda7a00


# ---- The trainer's numbers ----


def words(stream, step, n):
    """The first n words: ten rounds on counters (element / 4, stream, step), keyed by the seed."""
    low = 0xffffffff
    c = [np.arange((n + 3) // 4, dtype=np.uint64)]
    c += [np.full_like(c[0], v) for v in (stream, step & low, step >> 32)]
    k = [SEED & low, SEED >> 32]
    for _ in range(10):
        p, q = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        high = [v >> np.uint64(32) for v in (p, q)]
        c = [high[1] ^ c[1] ^ np.uint64(k[0]), q & np.uint64(low),
             high[0] ^ c[3] ^ np.uint64(k[1]), p & np.uint64(low)]
        k = [(k[0] + 0x9E3779B9) & low, (k[1] + 0xBB67AE85) & low]
    return np.stack(c, 1).reshape(-1)[:n]


def uniform(stream, step, n):
    return torch.tensor(((words(stream, step, n) >> np.uint64(9)) + .5) * 2. ** -23)


def normal(stream, step, rows, columns):
    """By Box and Muller, of pairs."""
    w = (words(stream, step, rows * columns + 1) >> np.uint64(8)).astype(np.float64)
    i = np.arange(rows * columns)
    radius = np.sqrt(-2 * np.log((w[i & ~1] + 1) * 2. ** -24))
    angle = 2 * math.pi * w[i | 1] * 2. ** -24
    values = radius * np.where(i % 2, np.sin(angle), np.cos(angle))
    return torch.tensor(values).reshape(rows, columns)


def order(epoch):
    """Fisher and Yates."""
    w, places = words(STREAM_SHUFFLE, epoch, IMAGES), list(range(IMAGES))
    for i in range(IMAGES - 1, 0, -1):
        j = int(w[i]) * (i + 1) >> 32
        places[i], places[j] = places[j], places[i]
    return places


def batches():
    epoch = 0
    while True:
        places = order(epoch)
        for at in range(0, IMAGES, BATCH):
            yield places[at:at + BATCH]
        epoch += 1


# ---- Models ----


class Gan(nn.Module):
    """Modules named as in a checkpoint: generator.N, discriminator.N, generator_class, discriminator_class."""

    def __init__(self, generator, discriminator, classes=0, class_size=0, features=0):
        super().__init__()
        self.generator, self.discriminator = nn.Sequential(*generator), nn.Sequential(*discriminator)
        if classes:
            self.generator_class = nn.Embedding(classes, class_size)
            self.discriminator_class = nn.Embedding(classes, features)

    def generate(self, z, labels):
        if labels is not None:
            z = torch.cat([z, self.generator_class(labels)], 1)
        return self.generator(z)

    def criticize(self, x, labels):
        h = self.discriminator[:-1](x)
        y = self.discriminator[-1](h).flatten()
        if labels is not None: # numbers of an image in the order of its pixels
            y = y + (h.permute(0, 2, 3, 1).flatten(1) * self.discriminator_class(labels)).sum(1)
        return y

    def half(self, name):
        return [(k, v) for k, v in self.named_parameters() if k.startswith(name)]

    def tensors(self):
        return [*self.named_parameters(), *self.named_buffers()]


class Case:
    """What the recipe says, again in PyTorch."""
    latent, discriminator_steps, symmetric, average, labels = 6, 5, True, 0, None

    def __init__(self, **facts):
        self.__dict__.update(facts)


def penalize(case, model, real, fake, labels, alpha):
    at = real if case.penalty == "r1" else real + alpha[:, None, None, None] * (fake - real)
    at = at.detach().requires_grad_(True)
    slope, = torch.autograd.grad(model.criticize(at, labels).sum(), at, create_graph=True)
    norm = slope.flatten(1).norm(dim=1)
    term = {"lipschitz": torch.relu(norm - 1) ** 2, "gradient": (norm - 1) ** 2,
            "r1": norm ** 2 / 2}[case.penalty]
    return case.weight * term.mean(), norm


def critic_step(case, model, adam, x, labels, step, trace):
    z = normal(0, step, len(x), case.latent)
    alpha = uniform(1, step, len(x))
    fake = model.generate(z, labels).detach()
    on_real, on_fake = model.criticize(x, labels), model.criticize(fake, labels)
    penalty, norm = penalize(case, model, x, fake, labels, alpha)
    loss = case.discriminator(on_real, on_fake) + penalty
    adam.zero_grad()
    loss.backward()
    adam.step()
    for key, value in (("discriminator_loss", loss), ("penalty", penalty), ("gradient_norm", norm.mean()),
                       ("d_real", case.score(on_real).mean()), ("estimate",
                       case.estimate(on_real, on_fake)), ("d_fake", case.score(on_fake).mean())):
        trace.setdefault(key, []).append(value.item())
    return norm


def generator_step(case, model, adam, n, labels, step, trace):
    fake = model.generate(normal(0, step, n, case.latent), labels)
    loss = case.generator(model.criticize(fake, labels))
    adam.zero_grad()
    loss.backward()
    adam.step()
    trace.setdefault("generator_loss", []).append(loss.item())


def move_average(case, model, average, k):
    mix = 1 - min(case.average, (1 + k) / (10 + k))
    for key, value in model.half("generator"):
        average[key] += mix * (value.detach() - average[key])


def record(directory, name, case, model, seed, scale):
    """scale: of the discriminator's weights, so that some of its slopes are above 1 and some below."""
    torch.manual_seed(seed)
    channels = 3
    x = rand(IMAGES, 8, 8, channels)
    for key, value in model.tensors():
        factor = scale if key.startswith("discriminator.") and value.dim() > 1 else 1
        value.data = single(value.data * factor) if value.is_floating_point() else value.data
    out = {"x": x}
    out.update({key: value.detach().double().clone() for key, value in model.tensors()})
    average = {key: value.detach().clone() for key, value in model.half("generator")}
    if case.labels is not None:
        out["labels"] = case.labels.double()
    images = x.permute(0, 3, 1, 2)
    images = 2 * images - 1 if case.symmetric else images
    optimizers = {half: case.optimizers[half]([v for _, v in model.half(half)])
                  for half in ("discriminator", "generator")}
    trace, norms, batch = {}, [], batches()
    for step in range(STEPS):
        places = next(batch)
        labels = None if case.labels is None else case.labels[places]
        norms += critic_step(case, model, optimizers["discriminator"], images[places], labels, 2 * step,
                             trace)
        if (step + 1) % case.discriminator_steps == 0:
            generator_step(case, model, optimizers["generator"], len(places), labels, 2 * step + 1,
                           trace)
            move_average(case, model, average, step // case.discriminator_steps)
    assert min(norms) < .9 and max(norms) > 1.1, (min(norms), max(norms))
    out.update({key: torch.tensor(value) for key, value in trace.items()})
    out.update({"after." + key: value.double() for key, value in model.tensors()})
    if case.average:
        out.update({"average." + key: value for key, value in average.items()})
    save(directory, name, out, {"recipe": case.recipe})


def adam(lr, beta1, beta2):
    return lambda w: torch.optim.Adam(w, lr, (beta1, beta2))


def wasserstein(**facts):
    return Case(discriminator=lambda r, f: f.mean() - r.mean(), generator=lambda f: -f.mean(),
                estimate=lambda r, f: r.mean() - f.mean(), score=lambda v: v, **facts)


def non_saturating(smoothing, **facts):
    bce = F.binary_cross_entropy_with_logits

    def discriminator(r, f, target=1 - smoothing):
        return bce(r, torch.full_like(r, target)) + bce(f, torch.zeros_like(f))

    return Case(discriminator=discriminator, generator=lambda f: bce(f, torch.ones_like(f)),
                estimate=lambda r, f: (2 * math.log(2) - discriminator(r, f, 1.)) / 2,
                score=torch.sigmoid, **facts)


# ---- Cases ----


def lipschitz(directory):
    """ift6135-wgan-svhn at a small size."""
    torch.manual_seed(61)
    conv, transpose, lrelu = nn.Conv2d, nn.ConvTranspose2d, nn.LeakyReLU
    model = Gan([nn.Unflatten(1, (6, 1, 1)), transpose(6, 8, 4, bias=False), nn.BatchNorm2d(8),
                 nn.ReLU(), transpose(8, 3, 4, 2, 1), nn.Tanh()],
                [conv(3, 6, 4, 2, 1), lrelu(.2), conv(6, 8, 4, 2, 1), lrelu(.2), conv(8, 1, 2)])
    case = wasserstein(penalty="lipschitz", weight=10, optimizers={
        "discriminator": adam(1e-4, .5, .9), "generator": adam(1e-4, .5, .9)}, recipe="""
data: {set: synthetic}
model:
  kind: gan
  latent: 6
  pixels: symmetric
  generator: [reshape 1 1 6, conv_transpose 8 kernel=4 bias=no, batch_norm, relu,
    conv_transpose image kernel=4 stride=2 pad=1, tanh]
  discriminator: [conv 6 kernel=4 stride=2 pad=1, leaky_relu .2, conv 8 kernel=4 stride=2 pad=1,
    leaky_relu .2, conv 1 kernel=2]
objective: {loss: wasserstein, penalty: lipschitz 10, discriminator_steps: 5}
optimizer: adam lr=1e-4 beta1=.5 beta2=.9
train: {batch: 4, epochs: 100}
""")
    record(directory, "gan_lipschitz", case, model, 62, 2.8)


def spectral(directory):
    """Spectral norm, classes, an average, another optimizer for the discriminator."""
    torch.manual_seed(63)
    conv, transpose, lrelu = nn.Conv2d, nn.ConvTranspose2d, nn.LeakyReLU
    norm = nn.utils.spectral_norm
    model = Gan([nn.Unflatten(1, (9, 1, 1)), transpose(9, 8, 4, bias=False), nn.BatchNorm2d(8),
                 nn.ReLU(), transpose(8, 3, 4, 2, 1), nn.Tanh()],
                [norm(conv(3, 6, 4, 2, 1)), lrelu(.2), norm(conv(6, 8, 4, 2, 1)), lrelu(.2),
                 norm(conv(8, 1, 2))], 3, 3, 32)
    case = wasserstein(penalty="gradient", weight=10, discriminator_steps=2, average=.5,
                       labels=torch.arange(IMAGES) % 3, optimizers={
        "discriminator": adam(4e-4, 0, .9), "generator": adam(1e-4, .5, .9)}, recipe="""
data: {set: synthetic}
model:
  kind: gan
  latent: 6
  classes: 3
  class_size: 3
  pixels: symmetric
  generator: [reshape 1 1 9, conv_transpose 8 kernel=4 bias=no, batch_norm, relu,
    conv_transpose image kernel=4 stride=2 pad=1, tanh]
  discriminator: [spectral_norm conv 6 kernel=4 stride=2 pad=1, leaky_relu .2,
    spectral_norm conv 8 kernel=4 stride=2 pad=1, leaky_relu .2, spectral_norm conv 1 kernel=2]
objective:
  loss: wasserstein
  penalty: gradient 10
  discriminator_steps: 2
  discriminator_optimizer: adam lr=4e-4 beta1=0 beta2=.9
optimizer: adam lr=1e-4 beta1=.5 beta2=.9
train: {batch: 4, epochs: 100, average: .5}
""")
    record(directory, "gan_spectral", case, model, 64, 1)


def saturating(directory):
    """cs446-gan at a small size, with R1, smoothed labels, RMSprop."""
    torch.manual_seed(65)
    conv, lrelu = nn.Conv2d, nn.LeakyReLU
    model = Gan([nn.Linear(6, 32), lrelu(.2), nn.Unflatten(1, (32, 1, 1)),
                 nn.Upsample(scale_factor=4), conv(32, 8, 3, 1, 1), lrelu(.2),
                 nn.Upsample(scale_factor=2), conv(8, 3, 3, 1, 1), nn.Sigmoid()],
                [conv(3, 4, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2), conv(4, 8, 3), nn.ReLU(),
                 conv(8, 1, 2)])
    case = non_saturating(.1, penalty="r1", weight=3, discriminator_steps=1, symmetric=False, optimizers={
        "discriminator": adam(1e-3, .5, .999),
        "generator": lambda w: torch.optim.RMSprop(w, 1e-3)}, recipe="""
data: {set: synthetic}
model:
  kind: gan
  latent: 6
  generator: [linear 32, leaky_relu .2, reshape 1 1 32, upsample 4, conv 8 kernel=3 pad=1,
    leaky_relu .2, upsample 2, conv image kernel=3 pad=1, sigmoid]
  discriminator: [conv 4 kernel=3 pad=1, relu, max_pool 2, conv 8 kernel=3, relu, conv 1 kernel=2]
objective:
  loss: non_saturating
  penalty: r1 3
  label_smoothing: .1
  discriminator_optimizer: adam lr=1e-3 beta1=.5
optimizer: rmsprop lr=1e-3
train: {batch: 4, epochs: 100}
""")
    record(directory, "gan_saturating", case, model, 66, 2)


def main():
    default = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden")
    directory = os.path.normpath(sys.argv[1] if len(sys.argv) > 1 else default)
    lipschitz(directory)
    spectral(directory)
    saturating(directory)


main()
