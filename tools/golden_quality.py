#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/quality.safetensors: scores of points from NumPy, by their definitions.

    /usr/bin/python3 tools/golden_quality.py [DIRECTORY]

Two clouds "images" (60 x 7) and "held" (50 x 7) of points that fit single precision, the first with
points that occur twice; probabilities "p" (45 x 4). Distances are the full matrix of differences; the
root of a product of covariances comes from the eigenvalues of the (not symmetric) product itself;
sums run over all pairs.
"""
import os
import sys

import numpy as np
import torch

from golden import save

K = 3
SUBSETS = 10


def clouds():
    draw = np.random.RandomState(7)
    mix = draw.normal(size=(7, 7)) / 2
    held = draw.normal(size=(50, 7)) @ mix + draw.normal(size=7) / 4
    images = draw.normal(size=(60, 7)) @ (mix + draw.normal(size=(7, 7)) / 8)
    images[40] = images[3]
    images[41] = held[5]
    p = np.exp(2 * draw.normal(size=(45, 4)))
    p /= p.sum(1, keepdims=True)
    p[7] = [0, 1, 0, 0]
    return [x.astype(np.float32).astype(np.float64) for x in (images, held, p)]


def frechet(x, y):
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = np.sqrt(np.linalg.eigvals(a @ b).astype(complex)).real.sum()
    return ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(a) + np.trace(b) - 2 * root


def mean_and_error(values):
    return [np.mean(values), np.std(values, ddof=1) / np.sqrt(len(values))]


def kernel(x, y):
    return (x @ y.T / x.shape[1] + 1) ** 3


def discrepancy(x, y):
    """Gretton et al. 2012, equation 3."""
    n, m = len(x), len(y)
    a, b = kernel(x, x), kernel(y, y)
    return ((a.sum() - np.trace(a)) / (n * (n - 1)) + (b.sum() - np.trace(b)) / (m * (m - 1))
            - 2 * kernel(x, y).mean())


def kid(x, y):
    """Subset s of n rows: s, s + 10, ..., the same number for each."""
    n, m = len(x) // SUBSETS, len(y) // SUBSETS
    return mean_and_error([discrepancy(x[s::SUBSETS][:n], y[s::SUBSETS][:m])
                           for s in range(SUBSETS)])


def distances(x, y):
    return np.sqrt(((x[:, None] - y[None]) ** 2).sum(2))


def radii(x):
    return np.sort(distances(x, x), 1)[:, K] # 0 is the distance from itself


def overlap(x, y):
    """Naeem et al. 2020, sections 2 and 3, with closed balls: x are images, y held."""
    d, rx, ry = distances(x, y), radii(x), radii(y)
    in_held = d <= ry[None]
    return {"precision": mean_and_error(in_held.any(1).astype(float)),
            "recall": mean_and_error((d <= rx[:, None]).any(0).astype(float)),
            "density": mean_and_error(in_held.sum(1) / K),
            "coverage": mean_and_error((d.min(0) <= ry).astype(float))}


def inception(p):
    values = []
    for s in range(SUBSETS):
        q = p[s::SUBSETS]
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(q > 0, q * np.log(q / q.mean(0)), 0)
        values.append(np.exp(terms.sum(1).mean()))
    return mean_and_error(values)


def chance_below(x, y):
    """P(x < y) + P(x = y) / 2 over all pairs; the error of DeLong et al. 1988."""
    wins = (x[:, None] < y[None]) + (x[:, None] == y[None]) / 2
    a, b = wins.mean(1), wins.mean(0)
    return [wins.mean(), np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))]


def main(directory):
    images, held, p = clouds()
    found = {"images": images, "held": held, "p": p, "fid": [frechet(images, held)],
             "kid": kid(images, held), "radii": radii(held), "inception": inception(p),
             "chance": chance_below(images[:, 0].round(1), held[:, 1].round(1))}
    found.update(overlap(images, held))
    save(directory, "quality", {name: torch.tensor(np.asarray(value, dtype=np.float64))
                                for name, value in found.items()})


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "..", "tests", "golden"))
