#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/bounds_one.safetensors and bounds_two.safetensors: losses of K draws and their
gradients from PyTorch, for one and two layers of codes.

    /usr/bin/python3 tools/golden_objectives.py [DIRECTORY]

The noise is ours, Philox4x32-10 with seed 0 and step 0; stream 0 is that of z, stream 1 that of z2.
DReG is written with hooks on the codes, and with detached copies of the encoders in log q."""
import math
import os
import sys

import golden  # sets up torch first
import torch
from golden_data import words
from torch import nn
from torch.nn.utils.stateless import functional_call

K, BETA = 4, 0.7


def normals(stream, rows, columns):
    """Box and Muller: pairs of words become pairs of numbers."""
    n, out = rows * columns, []
    w = words(stream, 0, 0, n + n % 2, seed=0)
    for a, b in zip(w[::2], w[1::2]):
        radius = math.sqrt(-2 * math.log(((a >> 8) + 1) * 2**-24))
        angle = 2 * math.pi * (b >> 8) * 2**-24
        out += [radius * math.cos(angle), radius * math.sin(angle)]
    return torch.tensor(out[:n]).reshape(rows, columns)


def log_normal(z, mean, logvar):
    return torch.distributions.Normal(mean, (logvar / 2).exp()).log_prob(z).sum(-1)


class Gauss(nn.Module):
    """A network and two heads; `names` are those of the parts in a checkpoint."""

    def __init__(self, names, layers, units, latent):
        super().__init__()
        self.names = names
        self.body = nn.Sequential(*layers)
        self.mean, self.logvar = nn.Linear(units, latent), nn.Linear(units, latent)

    def forward(self, x):
        h = self.body(x)
        return self.mean(h), self.logvar(h)

    def outside_name(self, name):
        part, rest = name.split(".", 1)
        return f"{self.names[0]}.{rest}" if part == "body" else f"{self.names[1]}.{name}"


def fixed(module, x):
    """The module with parameters that get no gradient."""
    return functional_call(module, {k: p.detach() for k, p in module.named_parameters()}, (x,))


def weigh_gradient(z, share):
    """z, with a gradient that is multiplied by 1 - BETA + BETA share: docs/decisions/0014-weighted-dreg.md."""
    if share is not None:
        z = z * 1
        z.register_hook(lambda g: g * (1 - BETA + BETA * share[..., None]))
    return z


def log_weights(nets, x, eps, share=None):
    """n x K. With `share` log q is one of fixed parameters, and what the codes pass on is weighed."""
    encoder, decoder = nets["encoder"], nets["decoder"]
    mean, logvar = encoder(x)
    rows = x[:, None].expand(-1, K, -1)
    draw = mean[:, None] + (logvar[:, None] / 2).exp() * eps[0]
    z = weigh_gradient(draw, share)
    log_q = log_normal(z, *(t[:, None] for t in (encoder(x) if share is None else
                                                 fixed(encoder, x))))
    if "encoder2" in nets:
        mean2, logvar2 = nets["encoder2"](draw)
        z2 = weigh_gradient(mean2 + (logvar2 / 2).exp() * eps[1], share)
        q2 = nets["encoder2"](z) if share is None else fixed(nets["encoder2"], z)
        log_q = log_q + log_normal(z2, *q2)
        log_p = log_normal(z2, z2 * 0, z2 * 0) + log_normal(z, *nets["decoder2"](z2))
    else:
        log_p = log_normal(z, z * 0, z * 0)
    pixels = torch.distributions.Bernoulli(logits=decoder(z)).log_prob(rows).sum(-1)
    return pixels + BETA * (log_p - log_q)


def losses(nets, x, eps):
    """What to differentiate, by name; each with the value of the loss."""
    log_w = log_weights(nets, x, eps)
    share = log_w.softmax(1).detach()
    iwae = -(torch.logsumexp(log_w, 1) - math.log(K)).mean()
    return {"elbo": (-log_w.mean(), -log_w.mean()), "iwae": (iwae, iwae),
            "dreg": (-(share * log_weights(nets, x, eps, share)).sum(1).mean(), iwae)}


def outside_names(nets):
    for key, net in nets.items():
        for name, p in net.named_parameters():
            yield net.outside_name(name) if isinstance(net, Gauss) else f"{key}.{name}", p


def record(directory, name, nets, latents, recipe):
    n = 3
    x = (torch.rand(n, 12) > .6).double()
    out = {"x": x.reshape(n, 4, 3, 1), "beta": torch.tensor(BETA)}
    for key, p in outside_names(nets):
        p.data = golden.single(p.data * 2)
        out[key] = p.detach().clone()
    eps = [normals(i, n * K, d).reshape(n, K, d) for i, d in enumerate(latents)]
    for bound, (surrogate, value) in losses(nets, x, eps).items():
        params = dict(outside_names(nets))
        gradients = torch.autograd.grad(surrogate, list(params.values()), retain_graph=True)
        out[f"{bound}.loss"] = value
        for key, gradient in zip(params, gradients):
            out[f"{bound}.d.{key}"] = gradient
    golden.save(directory, name, out, {"recipe": recipe})


def main():
    default = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden")
    directory = os.path.normpath(sys.argv[1] if len(sys.argv) > 1 else default)
    torch.manual_seed(11)
    linear, tanh = nn.Linear, nn.Tanh
    nets = {"encoder": Gauss(("encoder", "posterior"), [linear(12, 6), tanh()], 6, 2),
            "decoder": nn.Sequential(linear(2, 5), tanh(), linear(5, 12))}
    record(directory, "bounds_one", nets, [2], """
data: {set: synthetic}
model:
  latent: 2
  likelihood: bernoulli
  encoder: [linear 6, tanh]
  decoder: [linear 5, tanh, linear image]
objective: {samples: 4, kl: monte-carlo}
""")
    nets = {"encoder": Gauss(("encoder", "posterior"), [linear(12, 6), tanh()], 6, 3),
            "encoder2": Gauss(("encoder2", "posterior2"), [linear(3, 5), tanh()], 5, 2),
            "decoder2": Gauss(("decoder2", "prior"), [linear(2, 4), tanh()], 4, 3),
            "decoder": nn.Sequential(linear(3, 5), tanh(), linear(5, 12))}
    record(directory, "bounds_two", nets, [3, 2], """
data: {set: synthetic}
model:
  latent: 3
  latent2: 2
  likelihood: bernoulli
  encoder: [linear 6, tanh]
  encoder2: [linear 5, tanh]
  decoder2: [linear 4, tanh]
  decoder: [linear 5, tanh, linear image]
objective: {samples: 4, kl: monte-carlo}
""")


if __name__ == "__main__":
    main()
