#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/likelihoods.safetensors: pixel likelihoods to full double precision.

    /usr/bin/python3 tools/golden_likelihoods.py [DIRECTORY]

From the definitions, in decimal arithmetic with so many digits that no cancellation and no tail
reaches the sixteenth; torch.distributions, where it has the distribution, must agree. Inputs fit
single precision. "points" are single numbers with derivatives in closed form:

    continuous_bernoulli   logit, x; log_prob, d1 and d2 by the logit; mean
    laplace S, discretized_logistic S   y, x; log_prob, d.y and d.log_scale

"images" are n x d with 3 channels: log_prob (n), and gradients of sum(g log_prob) by y and by the
parameter of the likelihood with that line in a recipe.
"""
import os
import sys
from decimal import Decimal as D, localcontext

import torch

from golden import leaf, save, single

ROWS, SIZE, CHANNELS = 4, 12, 3


def tensor(values):
    return torch.tensor([float(v) for v in values], dtype=torch.float64)


def must_agree(what, ours, theirs, rtol=1e-9):
    if not torch.allclose(ours, theirs, rtol=rtol, atol=1e-9):
        sys.exit(f"{what}: {(ours - theirs).abs().max()} from torch.distributions")


# ---- The definitions, on decimals ----

def continuous_bernoulli(l, x):
    """log_prob, its two derivatives by l, and the mean."""
    if l == 0:
        return D(0), x - D(1) / 2, -D(1) / 12, D(1) / 2
    e = l.exp()
    mean = e / (e - 1) - 1 / l
    variance = 1 / (l * l) - e / (e - 1) ** 2
    return l * x - ((e - 1) / l).ln(), x - mean, -variance, mean


def laplace(y, s, x):
    """log_prob and its derivatives by y and log s."""
    error = abs(x - y)
    sign = D((x > y) - (x < y))
    return -error / s - (2 * s).ln(), sign / s, error / s - 1


def logistic(t):
    return 1 / (1 + (-t).exp())


def discretized_logistic(y, s, k):
    """The same of the probability of byte k: F(a) - F(b), with F = 0 below 0 and 1 above 255."""
    def end(edge, beyond):
        """F, F', t F' at an end of the level."""
        if beyond is not None:
            return D(beyond), D(0), D(0)
        t = (edge / 255 - y) / s
        f = logistic(t)
        slope = f * (1 - f)
        return f, slope, t * slope

    above = end(k + D("0.5"), 1 if k == 255 else None)
    below = end(k - D("0.5"), 0 if k == 0 else None)
    p = above[0] - below[0]
    return p.ln(), -(above[1] - below[1]) / (s * p), -(above[2] - below[2]) / p


def with_digits(n, function, *arguments):
    with localcontext() as context:
        context.prec = n
        return function(*arguments)


# ---- Points ----

def bernoulli_points(out):
    sizes = [1e-30, 1e-8, 1e-4, 1e-2, .1, .3, .4999, .5, .5001, .8, 1, 2, 3, 6, 10, 20, 50, 100, 1000]
    logits = single(torch.tensor([0.] + [s * l for l in sizes for s in (1, -1)], dtype=torch.float64))
    xs = single(torch.tensor([0, 1 / 255, .25, .5, .9, 1], dtype=torch.float64))
    l, x = (t.flatten() for t in torch.meshgrid(logits, xs, indexing="ij"))
    found = [with_digits(120, continuous_bernoulli, D(a), D(b))
             for a, b in zip(l.tolist(), x.tolist())]
    columns = [tensor(c) for c in zip(*found)]
    clear = (l.abs() > .1) & (l.abs() < 15) # theirs loses digits elsewhere
    theirs = torch.distributions.ContinuousBernoulli(logits=l, lims=(.4999, .5001))
    must_agree("continuous_bernoulli", columns[0][clear], theirs.log_prob(x)[clear], 1e-7)
    must_agree("its mean", columns[3][clear], theirs.mean[clear], 1e-7)
    for name, value in zip(("logit", "x", "log_prob", "d1", "d2", "mean"), (l, x, *columns)):
        out[f"continuous_bernoulli.{name}"] = value


def scale_points(out, line, function, s, ys, xs, argument):
    y, x = (t.flatten() for t in torch.meshgrid(
        single(torch.tensor(ys, dtype=torch.float64)), torch.tensor(xs, dtype=torch.float64),
        indexing="ij"))
    digits = 60 + int(2 / s) # e^(-2 / s) beside 1
    found = [with_digits(digits, function, D(a), s, argument(b))
             for a, b in zip(y.tolist(), x.tolist())]
    for name, value in zip(("y", "x", "log_prob", "d.y", "d.log_scale"),
                           (y, x, *(tensor(c) for c in zip(*found)))):
        out[f"{line}.{name}"] = value
    return y, x


def points(out):
    bernoulli_points(out)
    ys = [-1, -.1, 0, .002, .25, .5, .7, .999, 1, 1.5]
    gray = [float(v) for v in single(torch.arange(0, 256, 17, dtype=torch.float64) / 255)]
    for s in (".001", ".05", "1", "1000"):
        y, x = scale_points(out, f"laplace {s}", laplace, D(s), ys, gray, D)
        must_agree(f"laplace {s}", out[f"laplace {s}.log_prob"],
                   torch.distributions.Laplace(y, float(s)).log_prob(x))
    levels = [k / 255 for k in (0, 1, 2, 77, 127, 128, 178, 200, 253, 254, 255)]
    for s in (".001", ".004", ".03", ".3", "3", "1000"):
        scale_points(out, f"discretized_logistic {s}", discretized_logistic, D(s), ys, levels,
                     lambda x: D(round(x * 255)))


# ---- Images ----

def by_torch(make, x, y, g, log_scale):
    """log_prob and gradients by y and log_scale, of torch's distribution make(y, scale)."""
    y, log_scale = leaf(y), leaf(log_scale)
    scale = log_scale.exp().repeat(SIZE // log_scale.numel())
    log_prob = make(y, scale).log_prob(x).sum(1)
    (g * log_prob).sum().backward()
    return log_prob, y.grad, log_scale.grad


def by_decimals(x, y, g, log_scale):
    value, dy = torch.zeros(ROWS), torch.zeros(ROWS, SIZE)
    ds = [D(0)] * log_scale.numel()
    scales = [D(float(v)).exp() for v in log_scale.flatten()]
    for i in range(ROWS):
        sum_ = D(0)
        for j in range(SIZE):
            channel = j % len(scales)
            k = D(round(float(x[i, j]) * 255))
            p, d_y, d_s = with_digits(100, discretized_logistic, D(float(y[i, j])),
                                      scales[channel], k)
            sum_ += p
            dy[i, j] = float(D(float(g[i])) * d_y)
            ds[channel] += D(float(g[i])) * d_s
        value[i] = float(sum_)
    return value, dy, tensor(ds)


def images(out):
    torch.manual_seed(21)
    x = single(torch.randint(0, 256, (ROWS, SIZE)) / 255)
    x[0, :4] = torch.tensor([0., 1., 0., 1.])
    y, g = single(x + .1 * torch.randn(ROWS, SIZE)), single(torch.randn(ROWS))
    one, three = single(torch.tensor(-1.7)), single(torch.tensor([-2.5, -.3, -1.1]))
    out.update({"x": x, "y": y, "g": g})
    for name, make in (("gaussian", torch.distributions.Normal),
                       ("laplace", torch.distributions.Laplace),
                       ("discretized_logistic", None)):
        for kind, log_scale in (("learned", one), ("per_channel", three)):
            line = f"{name} {kind}"
            found = by_torch(make, x, y, g, log_scale.reshape(-1)) if make else \
                by_decimals(x, y, g, log_scale)
            values = (log_scale, found[0], found[1], found[2].reshape(log_scale.shape))
            for key, value in zip(("log_scale", "log_prob", "d.y", "d.log_scale"), values):
                out[f"{line}.{key}"] = value


def main():
    default = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden")
    directory = os.path.normpath(sys.argv[1] if len(sys.argv) > 1 else default)
    out = {}
    points(out)
    images(out)
    save(directory, "likelihoods", out)


main()
