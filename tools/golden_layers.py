#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/image_layers.safetensors: the layers of images from PyTorch.

    /usr/bin/python3 tools/golden_layers.py [DIRECTORY]

Like tools/golden.py, whose helpers it uses: double precision, seeded, the same bytes every time.
Each case is called like the line of a recipe: its input x and output y (n x c x h x w, or n x d),
weights g, the gradient d.x of sum(g y), and of each parameter p.NAME the value and d.NAME. Modules
run in training mode; s.NAME and after.NAME are what they keep before and after; if they keep anything,
`eval` is what they then give for x in evaluation mode. The metadata entry `cases` lists the lines.
"""
import os
import sys

import torch
from torch import nn

from golden import leaf, randn, save, single


class Scale(nn.Module):
    def forward(self, x):
        return 2 * x


class Residual(nn.Module):
    """x + f(x); the parameters of f are called 0.weight ..., those of the shortcut shortcut.weight."""

    def __init__(self, layers, shortcut=None):
        super().__init__()
        for i, layer in enumerate(layers):
            self.add_module(str(i), layer)
        self.shortcut = shortcut
        self.n = len(layers)

    def forward(self, x):
        y = x
        for i in range(self.n):
            y = getattr(self, str(i))(y)
        return y + (self.shortcut(x) if self.shortcut else x)


def cases():
    conv, transpose, spectral = nn.Conv2d, nn.ConvTranspose2d, nn.utils.spectral_norm
    image = (2, 4, 6, 5)
    yield "conv 5", conv(4, 5, 3), image
    yield "conv 5 kernel=1 bias=no", conv(4, 5, 1, bias=False), image
    yield "conv 3 kernel=4 stride=2 pad=1", conv(4, 3, 4, 2, 1), image
    yield "conv 6 kernel=2 dilation=2 pad=1", conv(4, 6, 2, 1, 1, 2), image
    yield "conv 6 pad=1 groups=2", conv(4, 6, 3, 1, 1, groups=2), image
    yield "conv 8 pad=1 groups=4 stride=2", conv(4, 8, 3, 2, 1, groups=4), image
    yield "conv_transpose 5", transpose(4, 5, 3), image
    yield "conv_transpose 3 kernel=4 stride=2 pad=1 bias=no", transpose(4, 3, 4, 2, 1, bias=False), image
    yield "conv_transpose 3 kernel=3 stride=2 pad=1 output_pad=1", transpose(4, 3, 3, 2, 1, 1), image
    yield "conv_transpose 6 kernel=2 stride=3 groups=2", transpose(4, 6, 2, 3, groups=2), image
    yield "conv_transpose 6 kernel=3 dilation=2 groups=2", transpose(4, 6, 3, groups=2, dilation=2), image
    yield "conv_transpose 7 kernel=4", transpose(4, 7, 4), (2, 4, 1, 1)
    yield "batch_norm", nn.BatchNorm2d(4), image
    yield "batch_norm momentum=0.3 eps=0.01", nn.BatchNorm2d(4, .01, .3), image
    yield "batch_norm affine=no", nn.BatchNorm2d(4, affine=False), image
    yield "batch_norm eps=1e-4", nn.BatchNorm1d(6, 1e-4), (7, 6)
    yield "layer_norm", nn.LayerNorm([4, 6, 5]), image
    yield "layer_norm eps=1e-3", nn.LayerNorm(6, 1e-3), (7, 6)
    yield "group_norm 2", nn.GroupNorm(2, 4), image
    yield "group_norm 1 affine=no", nn.GroupNorm(1, 4, affine=False), image
    yield "group_norm 3", nn.GroupNorm(3, 12), (7, 12)
    yield "instance_norm", nn.InstanceNorm2d(4), image
    yield "instance_norm affine=yes", nn.InstanceNorm2d(4, affine=True), image
    yield "spectral_norm linear 4", spectral(nn.Linear(6, 4)), (7, 6)
    yield "spectral_norm conv 5 kernel=4 stride=2 pad=1", spectral(conv(4, 5, 4, 2, 1)), image
    yield "spectral_norm conv_transpose 3 stride=2", spectral(transpose(4, 3, 3, 2)), image
    yield "max_pool 2", nn.MaxPool2d(2), image
    yield "max_pool 3 stride=2 pad=1", nn.MaxPool2d(3, 2, 1), image
    yield "avg_pool 2", nn.AvgPool2d(2), image
    yield "avg_pool 3 stride=1 pad=1", nn.AvgPool2d(3, 1, 1), image
    yield "global_pool", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), image
    yield "upsample 2", nn.UpsamplingNearest2d(scale_factor=2), image
    yield "pixel_shuffle 2", nn.PixelShuffle(2), image
    yield "scale 2", Scale(), image
    yield "residual: [conv 4 pad=1, silu, conv 4 pad=1]", Residual(
        [conv(4, 4, 3, 1, 1), nn.SiLU(), conv(4, 4, 3, 1, 1)]), image
    yield "residual: [batch_norm, relu, conv 6 stride=2 pad=1]", Residual(
        [nn.BatchNorm2d(4), nn.ReLU(), conv(4, 6, 3, 2, 1)], conv(4, 6, 1, 2, bias=False)), image
    yield "residual: [linear 3, tanh]", Residual(
        [nn.Linear(6, 3), nn.Tanh()], nn.Linear(6, 3, bias=False)), (7, 6)


def record(out, line, module, shape):
    """An offset of x makes careless sums of squares lose digits."""
    x = leaf(randn(*shape) + 3)
    for name, value in list(module.named_parameters()) + list(module.named_buffers()):
        if value.is_floating_point():
            value.data = single(value.data if "_" in name else value.data + .3 * randn(*value.shape))
    for name, value in module.named_parameters():
        out[f"{line}.p.{name}"] = value.detach().clone()
    for name, value in module.named_buffers():
        out[f"{line}.s.{name}"] = value.double().clone()
    y = module.train()(x)
    g = randn(*y.shape)
    (g * y).sum().backward()
    out[f"{line}.x"], out[f"{line}.d.x"], out[f"{line}.y"], out[f"{line}.g"] = x, x.grad, y, g
    for name, value in module.named_parameters():
        out[f"{line}.d.{name}"] = value.grad
    for name, value in module.named_buffers():
        out[f"{line}.after.{name}"] = value.double().clone()
        value.data = single(value.data) if value.is_floating_point() else value.data
    if any(True for _ in module.buffers()):
        out[f"{line}.eval"] = module.eval()(x)


def main():
    default = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden")
    directory = os.path.normpath(sys.argv[1] if len(sys.argv) > 1 else default)
    torch.manual_seed(21)
    out, lines = {}, []
    for line, module, shape in cases():
        record(out, line, module, shape)
        lines.append(line)
    save(directory, "image_layers", out, {"cases": "\n".join(lines)})


main()
