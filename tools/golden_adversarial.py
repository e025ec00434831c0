#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/adversarial.safetensors: adversarial losses and penalties from PyTorch.

    /usr/bin/python3 tools/golden_adversarial.py [DIRECTORY]

"LOSS.discriminator", ".generator", ".estimate", ".score" of outputs "real" and "fake"; "LOSS.d.real" and
"LOSS.d.fake" of the discriminator's loss, "LOSS.d.generator" of the generator's; ".smooth" where the
target of real images is 0.9. The f-GAN family is the composition of its activation and conjugate.

"PENALTY", with weight 1, "PENALTY.norm" and "PENALTY.d.W" of a convolutional discriminator with weights W between images
"x" and "y" with factors "alpha"."""
import math
import os
import sys

import golden  # sets up torch first
import torch
import torch.nn.functional as F
from golden import leaf, randn, rand, save

LOG2 = math.log(2)


def sigmoid_critic(r, f, target=1.):
    return F.binary_cross_entropy_with_logits(r, torch.full_like(r, target)) + \
        F.binary_cross_entropy_with_logits(f, torch.zeros_like(f))


def square_critic(r, f, target=1.):
    return .5 * F.mse_loss(r, torch.full_like(r, target)) + .5 * F.mse_loss(f, torch.zeros_like(f))


def jensen_shannon(r, f):
    """(E log D + E log(1 - D) + log 4) / 2"""
    value = torch.log(torch.sigmoid(r)).mean() + torch.log(1 - torch.sigmoid(f)).mean()
    return (value + 2 * LOG2) / 2


# name: discriminator, generator, estimate, score, the discriminator with another target
LOSSES = {
    "minimax": (sigmoid_critic, lambda f: torch.log(1 - torch.sigmoid(f)).mean(), jensen_shannon,
                torch.sigmoid, sigmoid_critic),
    "non_saturating": (sigmoid_critic, lambda f: -torch.log(torch.sigmoid(f)).mean(),
                       jensen_shannon, torch.sigmoid, sigmoid_critic),
    "least_squares": (square_critic, lambda f: .5 * ((f - 1) ** 2).mean(),
                      lambda r, f: 2 - 4 * (((r - 1) ** 2).mean() + (f ** 2).mean()), lambda v: v,
                      square_critic),
    "hinge": (lambda r, f: torch.relu(1 - r).mean() + torch.relu(1 + f).mean(), lambda f: -f.mean(),
              lambda r, f: (torch.clamp(r, max=1).mean() - torch.clamp(f, min=-1).mean()) / 2,
              lambda v: v, None),
    "wasserstein": (lambda r, f: f.mean() - r.mean(), lambda f: -f.mean(),
                    lambda r, f: r.mean() - f.mean(), lambda v: v, None),
}

# name: activation T = g_f(v), conjugate f*(T), parts of F in the divergence that is reported
# (Nowozin et al. 2016, tables 2 and 6)
FAMILY = {
    "squared_hellinger": (lambda v: 1 - torch.exp(-v), lambda t: t / (1 - t), 1),
    "kl": (lambda v: v, lambda t: torch.exp(t - 1), 1),
    "reverse_kl": (lambda v: -torch.exp(-v), lambda t: -1 - torch.log(-t), 1),
    "jensen_shannon": (lambda v: LOG2 - torch.log(1 + torch.exp(-v)),
                       lambda t: -torch.log(2 - torch.exp(t)), 2),
    "pearson": (lambda v: v, lambda t: t ** 2 / 4 + t, 1),
    "total_variation": (lambda v: torch.tanh(v) / 2, lambda t: t, 1),
}


def family(activation, conjugate, parts):
    bound = lambda r, f: activation(r).mean() - conjugate(activation(f)).mean()
    return (lambda r, f: -bound(r, f), lambda f: -conjugate(activation(f)).mean(),
            lambda r, f: bound(r, f) / parts, activation, None)


def losses(out):
    torch.manual_seed(51)
    real, fake = 2 * randn(6), 2 * randn(9)
    out.update({"real": real, "fake": fake})
    for name, (discriminator, generator, estimate, score, with_target) in \
            {**LOSSES, **{k: family(*v) for k, v in FAMILY.items()}}.items():
        r, f, g = leaf(real), leaf(fake), leaf(fake)
        discriminator(r, f).backward()
        generator(g).backward()
        values = {"discriminator": discriminator(r, f), "generator": generator(g), "estimate": estimate(r, f),
                  "score": score(f), "d.real": r.grad, "d.fake": f.grad, "d.generator": g.grad}
        if with_target:
            r, f = leaf(real), leaf(fake)
            smooth = with_target(r, f, .9)
            smooth.backward()
            values.update({"smooth": smooth, "smooth.d.real": r.grad})
        out.update({f"{name}.{k}": v for k, v in values.items()})


def discriminator(x, w):
    """n x 8 x 8 x 2 -> n. Weights have our layout, kh x kw x in x out."""
    x = x.permute(0, 3, 1, 2)
    x = F.leaky_relu(F.conv2d(x, w["w1"].permute(3, 2, 0, 1), w["b1"], stride=2, padding=1), .2)
    x = torch.tanh(F.conv2d(x, w["w2"].permute(3, 2, 0, 1), stride=2, padding=1))
    return F.conv2d(x, w["w3"].permute(3, 2, 0, 1)).reshape(-1)


def penalties(out):
    torch.manual_seed(52)
    n = 5
    size = torch.arange(1, n + 1).reshape(n, 1, 1, 1) / 2 # so that norms differ
    x, y, alpha = size * randn(n, 8, 8, 2), size * randn(n, 8, 8, 2), rand(n)
    weights = {"w1": randn(4, 4, 2, 6) / 4, "b1": randn(6) / 4, "w2": randn(4, 4, 6, 4) / 4,
               "w3": randn(2, 2, 4, 1) / 2}
    out.update({"x": x, "y": y, "alpha": alpha, **weights})
    mix = x + alpha[:, None, None, None] * (y - x)
    for name, at, of in (("gradient", mix, lambda s: ((s - 1) ** 2).mean()),
                         ("lipschitz", mix, lambda s: (torch.relu(s - 1) ** 2).mean()),
                         ("r1", x, lambda s: (s ** 2).mean() / 2)):
        w = {k: leaf(v) for k, v in weights.items()}
        at = leaf(at)
        slope, = torch.autograd.grad(discriminator(at, w).sum(), at, create_graph=True)
        norm = slope.flatten(1).norm(dim=1)
        assert norm.min() < .9 and norm.max() > 1.1, norm
        penalty = of(norm)
        penalty.backward()
        out.update({name: penalty, f"{name}.norm": norm.mean()})
        out.update({f"{name}.d.{k}": v.grad for k, v in w.items()})


def main():
    default = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden")
    out = {}
    losses(out)
    penalties(out)
    save(os.path.normpath(sys.argv[1] if len(sys.argv) > 1 else default), "adversarial", out)


main()
