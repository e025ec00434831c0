#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/*.safetensors: values and gradients from PyTorch.

    /usr/bin/python3 tools/golden.py [DIRECTORY]

Needs torch (made with 1.13.1); the tests need only the files. Everything is in double precision and
a function of the seeds below, so that a second run writes the same bytes. Parameters have the names
and shapes that torch.nn.Sequential gives them. A tensor "d.NAME" is the gradient of the loss by NAME.
"""
import json
import math
import os
import struct
import sys

# Sums in the same order, so the same bytes, on every processor that has AVX2.
os.environ.update(OPENBLAS_CORETYPE="Sandybridge", ATEN_CPU_CAPABILITY="avx2")

import torch
import torch.nn.functional as F
from torch import nn

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def save(directory, name, tensors, metadata=None):
    """The safetensors format: length of the header, header, data; metadata are strings."""
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = {k: str(v) for k, v in metadata.items()}
    for key, tensor in tensors.items():
        raw = tensor.detach().contiguous().numpy().astype("<f8").tobytes()
        header[key] = {"dtype": "F64", "shape": list(tensor.shape),
                       "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path = os.path.join(directory, name + ".safetensors")
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
    print(f"{path}: {8 + len(text) + len(data)} bytes, {len(tensors)} tensors")


def single(tensor):
    """Inputs fit single precision, so that every executor starts from the same numbers."""
    return tensor.float().double()


def randn(*shape):
    return single(torch.randn(*shape))


def rand(*shape):
    return single(torch.rand(*shape))


def leaf(tensor):
    return tensor.clone().requires_grad_(True)


def layers(directory):
    """y = layer(x); gradients of sum(g y)."""
    torch.manual_seed(1)
    out = {}

    def record(name, function, x, **parameters):
        leaves = {k: leaf(v) for k, v in dict(x=x, **parameters).items()}
        y = function(*leaves.values())
        g = randn(*y.shape)
        (g * y).sum().backward()
        for key, value in leaves.items():
            out[f"{name}.{key}"] = value
            out[f"{name}.d.{key}"] = value.grad
        out[f"{name}.y"] = y
        out[f"{name}.g"] = g

    record("linear", lambda x, weight, bias: F.linear(x, weight, bias), randn(5, 7),
           weight=randn(4, 7), bias=randn(4))
    # away from 0, where some have a kink; far out, where some overflow if written carelessly
    x = single(torch.tensor([-40, -9, -3.5, -2, -1, -.4, -.02, .02, .3, 1, 2, 3.5, 9, 40]))
    x = x.reshape(2, 7)
    functions = {
        "relu": F.relu, "leaky_relu": F.leaky_relu, "leaky_relu 0.2": lambda x: F.leaky_relu(x, .2),
        "elu": F.elu, "elu 0.7": lambda x: F.elu(x, .7), "gelu": F.gelu, "silu": F.silu,
        "tanh": torch.tanh, "sigmoid": torch.sigmoid,
        "softplus": lambda x: F.softplus(x, threshold=1000), "shift -5": lambda x: x - 5,
    }
    for name, function in functions.items():
        record(name, function, x)
    save(directory, "layers", out)


def gauss_log_prob(z, mean, logvar):
    return torch.distributions.Normal(mean, (logvar / 2).exp()).log_prob(z).sum(1)


def gauss_kl(mean, logvar):
    zero = torch.zeros_like(mean)
    q = torch.distributions.Normal(mean, (logvar / 2).exp())
    return torch.distributions.kl_divergence(q, torch.distributions.Normal(zero, zero + 1)).sum(1)


def losses(directory):
    """y: one number a row; gradients of sum(g y)."""
    torch.manual_seed(2)
    out, n, d = {}, 4, 6
    g = out["g"] = randn(n)

    def record(name, function, **inputs):
        leaves = {k: leaf(v) for k, v in inputs.items()}
        y = function(*leaves.values())
        (g * y).sum().backward()
        for key, value in leaves.items():
            out[f"{name}.{key}"] = value
            out[f"{name}.d.{key}"] = value.grad
        out[f"{name}.y"] = y

    def normal(mean, logvar):
        return torch.distributions.Normal(mean, (logvar / 2).exp())

    mean, logvar = randn(n, d), randn(n, d)
    record("kl", gauss_kl, mean=mean, logvar=logvar)
    record("kl_between", lambda mean, logvar, mean_p, logvar_p: torch.distributions.kl_divergence(
        normal(mean, logvar), normal(mean_p, logvar_p)).sum(1),
        mean=mean, logvar=logvar, mean_p=randn(n, d), logvar_p=randn(n, d))
    record("log_prob", lambda z, mean, logvar: gauss_log_prob(z, mean, logvar),
           z=randn(n, d), mean=mean, logvar=logvar)
    record("standard", lambda z: gauss_log_prob(z, z * 0, z * 0), z=randn(n, d))
    record("entropy", lambda logvar: normal(logvar * 0, logvar).entropy().sum(1), logvar=logvar)

    x, output = rand(n, d), rand(n, d)
    bits = (torch.rand(n, d) > .5).double()
    logits = torch.cat([randn(n - 1, d) * 3, torch.tensor([[-60., -20, -1, 1, 20, 60]])])
    record("bernoulli", lambda output: torch.distributions.Bernoulli(logits=output)
           .log_prob(bits).sum(1), output=single(logits))
    record("gaussian 0.3", lambda output: normal(output, torch.tensor(2 * math.log(.3)))
           .log_prob(x).sum(1), output=output)
    record("gaussian learned", lambda output, log_sigma: normal(output, 2 * log_sigma)
           .log_prob(x).sum(1), output=output, log_sigma=torch.tensor(-.75))
    # the batch's own best sigma, a constant to the gradient
    record("gaussian optimal", lambda output: normal(
        output, ((x - output) ** 2).mean().log().detach()).log_prob(x).sum(1), output=output)
    out["x"], out["bits"] = x, bits
    save(directory, "losses", out)


class Vae(nn.Module):
    """Modules named as in a checkpoint: encoder.N, posterior.mean, posterior.logvar, decoder.N."""

    def __init__(self, encoder, mean, logvar, decoder):
        super().__init__()
        self.encoder, self.decoder = nn.Sequential(*encoder), nn.Sequential(*decoder)
        self.posterior = nn.ModuleDict({"mean": mean, "logvar": logvar})

    def terms(self, x, eps, beta, log_prob):
        h = self.encoder(x)
        mean, logvar = self.posterior["mean"](h), self.posterior["logvar"](h)
        z = mean + (logvar / 2).exp() * eps
        rate, distortion = gauss_kl(mean, logvar), -log_prob(self.decoder(z), x)
        weight = (-distortion + gauss_log_prob(z, mean * 0, mean * 0)
                  - gauss_log_prob(z, mean, logvar))
        loss = (distortion + beta * rate).mean()
        return {"mean": mean, "logvar": logvar, "z": z, "rate": rate, "distortion": distortion,
                "log_weight": weight, "loss": loss}


class Shift(nn.Module):
    def forward(self, x):
        return x - 5


def record_vae(directory, name, model, x, eps, beta, log_prob, recipe):
    out = {"x": x.reshape(-1, 4, 3, 1), "eps": eps}
    for key, value in model.named_parameters():
        value.data = single(value.data)
        out[key] = value.detach().clone()
    terms = model.terms(x, eps[0], beta, log_prob)
    terms["loss"].backward()
    out.update(terms)
    for key, value in model.named_parameters():
        out["d." + key] = value.grad.clone()
    adam = torch.optim.Adam(model.parameters(), lr=1e-2)
    trace = []
    for step in range(len(eps)):  # the same images, fresh noise
        adam.zero_grad()
        loss = model.terms(x, eps[step], beta, log_prob)["loss"]
        loss.backward()
        adam.step()
        trace.append(loss.item())
    out["trace"] = torch.tensor(trace)
    for key, value in model.named_parameters():
        out["after." + key] = value
    save(directory, name, out, {"beta": beta, "recipe": recipe, "adam_lr": 1e-2})


def vaes(directory):
    """The networks of two presets at small sizes. Images are 4 x 3 x 1, batches of 5.
    `trace`: the losses before each of ten Adam steps, with eps[step]; `after.NAME`: the parameters
    after them."""
    torch.manual_seed(3)
    n, steps = 5, 10
    linear, lrelu, elu = nn.Linear, lambda: nn.LeakyReLU(.01), nn.ELU
    model = Vae([linear(12, 7), elu(), linear(7, 6), elu()], linear(6, 3), linear(6, 3),
                [linear(3, 6), elu(), linear(6, 7), elu(), linear(7, 12), Shift()])
    record_vae(directory, "vae_bernoulli", model, (torch.rand(n, 12) > .6).double(),
               randn(steps, n, 3), 0.7,
               lambda y, x: torch.distributions.Bernoulli(logits=y).log_prob(x).sum(1), """
data: {set: synthetic}
model:
  latent: 3
  likelihood: bernoulli
  encoder: [linear 7, elu, linear 6, elu]
  decoder: [linear 6, elu, linear 7, elu, linear image, shift -5]
""")
    model = Vae([linear(12, 8), lrelu(), linear(8, 6), lrelu()],
                nn.Sequential(linear(6, 5), lrelu(), linear(5, 2)),
                nn.Sequential(linear(6, 5), lrelu(), linear(5, 2)),
                [linear(2, 5), lrelu(), linear(5, 6), lrelu(), linear(6, 8), lrelu(),
                 linear(8, 12), nn.Sigmoid()])
    record_vae(directory, "vae_gaussian", model, rand(n, 12), randn(steps, n, 2), 0.3,
               lambda y, x: torch.distributions.Normal(y, math.sqrt(.5)).log_prob(x).sum(1), """
data: {set: synthetic}
model:
  latent: 2
  likelihood: gaussian sigma=0.7071067811865476
  encoder: [linear 8, leaky_relu, linear 6, leaky_relu]
  posterior: {mean: [linear 5, leaky_relu], logvar: [linear 5, leaky_relu]}
  decoder: [linear 5, leaky_relu, linear 6, leaky_relu, linear 8, leaky_relu, linear image, sigmoid]
""")


class Scale(nn.Module):
    def forward(self, x):
        return 2 * x


def conv_vae(directory):
    """cs561-conv-vae at a small size: images of 6 x 6 x 2 in batches of 5, with the states of batch
    norm in training. `trace` and `after.NAME` as above, for states too."""
    torch.manual_seed(5)
    n, steps, latent = 5, 10, 3
    conv, transpose, norm, lrelu = nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d, nn.LeakyReLU
    model = Vae([conv(2, 4, 3, 2, 1, bias=False), norm(4), lrelu(.2)],
                nn.Sequential(conv(4, latent, 3, bias=False), nn.Flatten()),
                nn.Sequential(conv(4, latent, 3, bias=False), Scale(), nn.Flatten()),
                [nn.Unflatten(1, (latent, 1, 1)), transpose(latent, 4, 3, bias=False), norm(4),
                 lrelu(.2), transpose(4, 2, 4, 2, 1), nn.Sigmoid()])
    x, eps, out = rand(n, 2, 6, 6), randn(steps, n, latent), {}
    out["x"], out["eps"] = x.permute(0, 2, 3, 1), eps

    def tensors():
        return [*model.named_parameters(), *model.named_buffers()]

    for key, value in tensors():
        value.data = single(value.data) if value.is_floating_point() else value.data
        out[key] = value.detach().clone()
    adam, trace, beta = torch.optim.Adam(model.parameters(), lr=1e-2), [], .7
    for step in range(steps):
        adam.zero_grad()
        loss = model.terms(x, eps[step], beta, lambda y, x: torch.distributions.Normal(
            y, math.sqrt(.5)).log_prob(x).sum((1, 2, 3)))["loss"]
        loss.backward()
        adam.step()
        trace.append(loss.item())
    out["trace"] = torch.tensor(trace)
    for key, value in tensors():
        out["after." + key] = value
    save(directory, "vae_conv", out, {"beta": beta, "adam_lr": 1e-2, "image": "6 6 2", "recipe": """
data: {set: synthetic}
model:
  latent: 3
  posterior_heads: separate
  likelihood: gaussian sigma=0.7071067811865476
  encoder: [conv 4 stride=2 pad=1 bias=no, batch_norm, leaky_relu .2]
  posterior: {mean: [conv 3 bias=no], logvar: [conv 3 bias=no, scale 2]}
  decoder: [reshape 1 1 3, conv_transpose 4 bias=no, batch_norm, leaky_relu .2,
    conv_transpose image kernel=4 stride=2 pad=1, sigmoid]
"""})


def optimizers(directory):
    """w (n), gradients (steps x n) -> w after each step (steps x n), under the optimizer's line."""
    torch.manual_seed(4)
    n, steps = 30, 10
    w, gradients = randn(n), single(randn(steps, n) * torch.logspace(-3, 1, n))
    out = {"w": w, "gradients": gradients}
    lines = {
        "adam": lambda p: torch.optim.Adam(p),
        "adam lr=0.01 beta1=0.5 beta2=0.99 eps=1e-6":
            lambda p: torch.optim.Adam(p, lr=.01, betas=(.5, .99), eps=1e-6),
        "adamw": lambda p: torch.optim.AdamW(p),
        "adamw lr=0.01 weight_decay=0.1": lambda p: torch.optim.AdamW(p, lr=.01, weight_decay=.1),
        "sgd": lambda p: torch.optim.SGD(p, lr=.01),
        "sgd lr=0.1 momentum=0.9": lambda p: torch.optim.SGD(p, lr=.1, momentum=.9),
        "sgd lr=0.1 momentum=0.9 nesterov=yes weight_decay=0.05":
            lambda p: torch.optim.SGD(p, lr=.1, momentum=.9, nesterov=True, weight_decay=.05),
        "rmsprop": lambda p: torch.optim.RMSprop(p),
        "rmsprop lr=0.001 alpha=0.9 momentum=0.9":
            lambda p: torch.optim.RMSprop(p, lr=.001, alpha=.9, momentum=.9),
    }
    for line, make in lines.items():
        p = leaf(w)
        optimizer, after = make([p]), []
        for gradient in gradients:
            p.grad = gradient.clone()
            optimizer.step()
            after.append(p.detach().clone())
        out[line] = torch.stack(after)
    save(directory, "optimizers", out)


def main():
    default = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden")
    directory = os.path.normpath(sys.argv[1] if len(sys.argv) > 1 else default)
    os.makedirs(directory, exist_ok=True)
    for make in (layers, losses, vaes, conv_vae, optimizers):
        make(directory)


if __name__ == "__main__":
    main()
