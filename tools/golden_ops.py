#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/ops.safetensors and images.safetensors: operators and their gradients from PyTorch.

    /usr/bin/python3 tools/golden_ops.py [DIRECTORY]

Like tools/golden.py, whose helpers it uses: double precision, seeded, the same bytes every time.
For each function: its inputs a, b, c, weights g, the result y, and d.a, d.b, d.c, the gradients of
sum(g y).
"""
import math
import os
import sys

import torch
import torch.nn.functional as F

from golden import leaf, rand, randn, save, single


def functions():
    """Name, function, inputs. Kinks and ties are avoided: there everybody may choose."""
    far = single(torch.tensor([-40, -9, -3.5, -2, -1, -.4, -.02, .02, .3, 1, 2, 3.5, 9, 40]))
    mid = single(torch.linspace(-3, 3, 14) + .01)
    plus = rand(3, 5) * 4 + .01
    a, b, t = randn(4, 5), randn(4, 5), rand(4, 5)

    yield "relu", torch.relu, [far]
    yield "leaky_relu", lambda x: F.leaky_relu(x, .2), [far]
    yield "elu", lambda x: F.elu(x, .7), [far]
    yield "gelu", F.gelu, [far]
    yield "silu", F.silu, [far]
    yield "tanh", torch.tanh, [far]
    yield "sigmoid", torch.sigmoid, [far]
    yield "softplus", lambda x: F.softplus(x, threshold=100), [far]
    yield "erf", torch.erf, [mid]
    yield "exp", torch.exp, [mid]
    yield "expm1", torch.expm1, [mid * 1e-3]
    yield "log", torch.log, [plus]
    yield "log1p", torch.log1p, [plus * 1e-3]
    yield "sqrt", torch.sqrt, [plus]
    yield "rsqrt", torch.rsqrt, [plus]
    yield "square", torch.square, [a]
    yield "abs", torch.abs, [a]
    yield "clamp", lambda x: torch.clamp(x, -1, .5), [a]
    yield "add", lambda x, y: x + y, [a, randn(5)]
    yield "sub", lambda x, y: x - y, [randn(4, 1), b]
    yield "mul", lambda x, y: x * y, [a, randn(1, 5)]
    yield "div", lambda x, y: x / y, [a, plus[0]]
    yield "min", torch.minimum, [a, b]
    yield "max", torch.maximum, [a, b]
    yield "lerp", torch.lerp, [a, b, t]
    yield "select", lambda x, y: torch.where(x > y, x * x, y), [a, b]

    x = randn(3, 4, 5)
    yield "sum", lambda x: x.sum(1), [x]
    yield "sum of all", lambda x: (x * x).sum(), [x]
    yield "mean", lambda x: x.mean((0, 2)), [x]
    yield "max over", lambda x: x.amax(1), [x]
    yield "log_sum_exp", lambda x: torch.logsumexp(x, (0, 2)), [x * 5]
    yield "softmax", lambda x: torch.log_softmax(x, 2), [x * 5]
    yield "variance", lambda x: x.var((0, 1), unbiased=False), [x]

    yield "permute", lambda x: x.permute(2, 0, 1), [x]
    yield "slice", lambda x: x[:, 1:3], [x]
    yield "pad", lambda x: F.pad(x, (0, 0, 2, 1)), [x]
    yield "concat", lambda x, y: torch.cat([x, y, x], 1), [a, b]
    yield "gather", lambda x: x[torch.tensor([2, 0, 2])], [x]

    yield "matmul", torch.matmul, [randn(6, 7), randn(7, 3)]
    yield "layer", lambda x, w, b: torch.tanh(F.linear(x, w, b)), [
        randn(6, 7), randn(3, 7), randn(3)]
    yield "attention", lambda q, k: torch.softmax(q @ k.T / math.sqrt(7), 1) @ k, [
        randn(6, 7), randn(5, 7)]


def slope(function, x, *others):
    """The gradient of sum(function^2) by x, for second derivatives."""
    y = function(x, *others).square().sum()
    return torch.autograd.grad(y, x, create_graph=True)[0]


def images():
    """Images are n x c x h x w here, weights o x i / groups x h x w (transposed: i x o / groups ...)."""
    def conv(**options):
        return lambda x, w, b: F.conv2d(x, w, b, **options)

    def transposed(**options):
        return lambda x, w, b: F.conv_transpose2d(x, w, b, **options)

    x = randn(2, 3, 7, 6)
    yield "conv2d", conv(), [x, randn(4, 3, 3, 2), randn(4)]
    yield "conv2d strided", conv(stride=2, padding=1), [x, randn(5, 3, 4, 4), randn(5)]
    yield "conv2d dilated", conv(dilation=2, padding=2), [x, randn(4, 3, 3, 2), randn(4)]
    yield "conv2d groups", conv(groups=3, padding=1), [x, randn(6, 1, 3, 3), randn(6)]
    yield "conv2d all", conv(stride=3, padding=2, dilation=2, groups=2), [
        randn(2, 4, 11, 8), randn(6, 2, 3, 2), randn(6)]
    yield "conv2d slope", lambda x, w: slope(
        lambda x: F.conv2d(x, w, stride=2, padding=1), x), [x, randn(2, 3, 3, 3)]

    x = randn(2, 4, 3, 4)
    yield "conv_transpose2d", transposed(), [x, randn(4, 3, 3, 2), randn(3)]
    yield "conv_transpose2d strided", transposed(stride=2, padding=1), [
        x, randn(4, 3, 4, 4), randn(3)]
    yield "conv_transpose2d all", transposed(
        stride=2, padding=1, output_padding=1, dilation=2, groups=2), [
        x, randn(4, 3, 3, 2), randn(6)]

    x = randn(2, 3, 7, 6)
    yield "max_pool2d", lambda x: F.max_pool2d(x, 2), [x]
    yield "max_pool2d overlapping", lambda x: F.max_pool2d(x, 3, 2, 1), [x]
    yield "max_pool2d slope", lambda x: slope(lambda x: F.max_pool2d(x, 3, 2, 1), x), [x]
    yield "avg_pool2d", lambda x: F.avg_pool2d(x, 2), [x]
    yield "avg_pool2d overlapping", lambda x: F.avg_pool2d(x, 3, 2, 1), [x]
    yield "global_avg_pool", lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1), [x]
    yield "upsample", lambda x: F.interpolate(x, scale_factor=3, mode="nearest"), [
        randn(2, 2, 3, 2)]
    yield "pixel_shuffle", lambda x: F.pixel_shuffle(x, 2), [randn(2, 12, 3, 2)]
    yield "pad_image", lambda x: F.pad(x, (0, 3, 1, 2)), [x]
    yield "crop_image", lambda x: x[:, :, 1:5, 2:5], [x]


def write(directory, file, seed, functions):
    torch.manual_seed(seed)
    out = {}
    for name, function, inputs in functions():
        leaves = [leaf(single(x)) for x in inputs]
        y = function(*leaves)
        g = randn(*y.shape) if y.dim() else torch.ones(())
        (g * y).sum().backward()
        for letter, x in zip("abc", leaves):
            out[f"{name}.{letter}"] = x
            out[f"{name}.d.{letter}"] = x.grad
        out[f"{name}.y"] = y
        out[f"{name}.g"] = g
    save(directory, file, out)


def main():
    default = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden")
    directory = os.path.normpath(sys.argv[1] if len(sys.argv) > 1 else default)
    write(directory, "ops", 11, functions)
    write(directory, "images", 12, images)


main()
