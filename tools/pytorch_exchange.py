#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Exchanges weights with PyTorch, both ways, and compares what the two compute from them.

    /usr/bin/python3 tools/pytorch_exchange.py build/latent

Needs torch and numpy. For each preset below: trains it for two short epochs on made-up images, loads
the checkpoint into the same networks as nn.Sequential, and compares reconstructions and rate in
evaluation mode; then gives latent the weights and running statistics of a fresh PyTorch model and
compares again. Exit 1 if anything differs by more than 1e-5, relatively.

Rows of numbers come from images channels last here and channels first in nn.Flatten: the modules
Rows and Image below stand where a network goes from one to the other.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile

import numpy as np
import torch
from torch import nn

TOLERANCE = 1e-5
TYPES = {"F32": "<f4", "F64": "<f8", "I64": "<i8"}


def read_safetensors(path):
    """Tensors and metadata of a file: length of the header, header, data."""
    with open(path, "rb") as file:
        content = file.read()
    size = struct.unpack("<Q", content[:8])[0]
    header, data = json.loads(content[8:8 + size]), content[8 + size:]
    metadata, tensors = header.pop("__metadata__", {}), {}
    for name, entry in header.items():
        start, stop = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[start:stop], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata


def write_safetensors(path, tensors, metadata):
    header, data = {"__metadata__": metadata}, b""
    names = {np.dtype(t): n for n, t in TYPES.items()}
    for name, tensor in tensors.items():
        raw = tensor.tobytes()
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


# ---- The networks ----

class Rows(nn.Module):
    """n x c x h x w -> n x (h w c)"""
    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class Image(nn.Module):
    """n x (h w c) -> n x c x h x w"""
    def __init__(self, h, w, c):
        super().__init__()
        self.shape = h, w, c

    def forward(self, x):
        return x.reshape(-1, *self.shape).permute(0, 3, 1, 2)


class Scale(nn.Module):
    def forward(self, x):
        return 2 * x


class Vae(nn.Module):
    def __init__(self, encoder, mean, logvar, decoder):
        super().__init__()
        self.encoder, self.decoder = nn.Sequential(*encoder), nn.Sequential(*decoder)
        self.posterior = nn.ModuleDict({"mean": mean, "logvar": logvar})

    def forward(self, x):
        """E[x|z] at the mean of q(z|x), and the mean rate."""
        h = self.encoder(x)
        mean, logvar = self.posterior["mean"](h).flatten(1), self.posterior["logvar"](h).flatten(1)
        rate = ((mean ** 2 + logvar.exp() - 1 - logvar) / 2).sum(1).mean()
        return self.decoder(mean), rate.item()


def cs561():
    def down(i, o):
        return [nn.Conv2d(i, o, 4, 2, 1, bias=False), nn.BatchNorm2d(o), nn.LeakyReLU(.2)]

    def up(i, o, stride, pad):
        return [nn.ConvTranspose2d(i, o, 4, stride, pad, bias=False), nn.BatchNorm2d(o),
                nn.LeakyReLU(.2)]

    encoder = down(1, 32) + down(32, 64) + down(64, 128) + down(128, 256)
    decoder = [Image(1, 1, 128)] + up(128, 256, 1, 0) + up(256, 128, 2, 1) + up(128, 64, 2, 1)
    decoder += up(64, 32, 2, 1) + [nn.ConvTranspose2d(32, 1, 1, bias=False), nn.Sigmoid()]
    return Vae(encoder, nn.Sequential(nn.Conv2d(256, 128, 2, bias=False)),
               nn.Sequential(nn.Conv2d(256, 128, 2, bias=False), Scale()), decoder)


def csci4968():
    encoder = [nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU(), Rows()]
    decoder = [nn.Linear(16, 18432), nn.ReLU(), Image(24, 24, 32), nn.ConvTranspose2d(32, 16, 3),
               nn.ReLU(), nn.ConvTranspose2d(16, 1, 3), nn.Sigmoid()]
    return Vae(encoder, nn.Linear(18432, 16), nn.Linear(18432, 16), decoder)


PRESETS = {"cs561-conv-vae": (cs561, 32), "csci4968-conv-vae": (csci4968, 28)}


# ---- The two ways ----

def run(*words):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def images(n, side, seed):
    """Bright discs, so that there is something to learn."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / side
    a, b, r = random.uniform(.2, .8, (3, n, 1, 1))
    return (1 / (1 + np.exp(20 * (np.hypot(x - a, y - b) - r / 2)))).astype("f4")[..., None]


def differ(found, want):
    """The largest difference, relative to the larger of the number and a thousandth."""
    found, want = np.asarray(found, "f8"), np.asarray(want, "f8")
    return float(np.max(np.abs(found - want) / np.maximum(np.abs(want), 1e-3)))


def compare(latent, checkpoint, data, model, x, what):
    """latent's numbers for a checkpoint against PyTorch's for a model, in f64."""
    path = os.path.join(data, "y.npy")
    run(latent, "reconstruct", checkpoint, "--data", data, "--split", "test", "-n", str(len(x)),
        "-o", path)
    found = json.loads(run(latent, "eval", checkpoint, "--data", data, "--split", "test", "--json"))
    with torch.no_grad():
        y, rate = model.double().eval()(torch.from_numpy(x.astype("f8")).permute(0, 3, 1, 2))
    images = differ(np.load(path), y.permute(0, 2, 3, 1).numpy())
    rates = differ(found["rate"]["value"], rate)
    print(f"{what}: images differ by {images:.1e}, rates by {rates:.1e}")
    return images <= TOLERANCE and rates <= TOLERANCE


def part(tensors, *prefixes):
    return {name: value for name, value in tensors.items() if name.startswith(prefixes)}


def from_latent(latent, checkpoint, data, make, x):
    networks = part(read_safetensors(checkpoint)[0], "encoder.", "posterior.", "decoder.")
    model = make()
    model.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in networks.items()})
    return compare(latent, checkpoint, data, model, x, "  latent's weights in PyTorch")


def from_pytorch(latent, checkpoint, data, name, make, x):
    """Weights as a fresh model has them and more, running statistics of noise; sigma is the trained
    one. Recipe and size of the images in the metadata say what the tensors are of; without them,
    `train --weights` takes them."""
    torch.manual_seed(1)
    model = make().train()
    with torch.no_grad():
        for value in model.parameters():
            value += .02 * torch.randn_like(value)
        model(torch.randn(len(x), *x.shape[:0:-1]))
    tensors = {name: value.numpy() for name, value in model.state_dict().items()}
    ours, metadata = read_safetensors(checkpoint)
    tensors.update(part(ours, "likelihood."))
    path, bare = os.path.join(data, "theirs.safetensors"), os.path.join(data, "bare.safetensors")
    write_safetensors(path, tensors, {key: metadata[key] for key in ("recipe", "image")})
    write_safetensors(bare, tensors, {})
    same = compare(latent, path, data, model, x, "  PyTorch's weights in latent")

    out = os.path.join(data, "begun")
    run(latent, "train", name, "--data", data, "--epochs", "1", "--weights", bare, "--out", out,
        "-s", "train.keep_checkpoints=0")
    begun, _ = read_safetensors(os.path.join(out, "checkpoints", "step-00000000.safetensors"))
    kept = all(np.array_equal(begun[key], value) for key, value in tensors.items())
    print("  train --weights begins with " + ("the same numbers" if kept else "OTHER NUMBERS"))
    return same and kept


def exchange(latent, name, directory):
    make, side = PRESETS[name]
    data, out = os.path.join(directory, name), os.path.join(directory, name + ".run")
    os.mkdir(data)
    x = images(64, side, 2)
    np.save(os.path.join(data, "train.npy"), images(512, side, 1))
    np.save(os.path.join(data, "test.npy"), x)
    run(latent, "train", name, "--data", data, "--epochs", "2", "--out", out)
    print(name)
    checkpoints = os.path.join(out, "checkpoints")
    checkpoint = os.path.join(checkpoints, sorted(os.listdir(checkpoints))[-1])
    return [from_latent(latent, checkpoint, data, make, x),
            from_pytorch(latent, checkpoint, data, name, make, x)]


def main():
    latent = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build/latent")
    with tempfile.TemporaryDirectory() as directory:
        results = [same for name in PRESETS for same in exchange(latent, name, directory)]
    sys.exit(0 if all(results) else 1)


main()
