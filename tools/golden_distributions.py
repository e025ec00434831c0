#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/distributions.safetensors: distributions to full double precision.

    /usr/bin/python3 tools/golden_distributions.py [DIRECTORY]

In decimal arithmetic with 120 digits. Densities are the definitions. Entropies and divergences of
one number are integrals (or sums) of the definitions by tanh-sinh quadrature, to 25 digits; those of vectors come from sums, and from inverse and determinant of the covariance by elimination,
not from its Cholesky factor. torch.distributions, where it has them, must agree. Inputs fit single
precision. For each family, rows of

    NAME.q0, q1, q2   parameters of q;  NAME.x, NAME.log_prob   of q;  NAME.entropy
    NAME.p0, p1, p2   parameters of p;  NAME.kl   KL(q || p)

and the last two lines for pairs of families "Q to P".
"""
import os
import sys
from decimal import Decimal as D, getcontext
from functools import lru_cache
from itertools import product

import torch
from torch import distributions as T

from golden import save, single

getcontext().prec = 120
QUADRATURE_DIGITS = D("1e-25")


def arctan_inverse(n):
    term, total, k = D(1) / n, D(0), 0
    while abs(term) > D("1e-125"):
        total += term / (2 * k + 1) * (-1) ** k
        term /= n * n
        k += 1
    return total


PI = 4 * (4 * arctan_inverse(5) - arctan_inverse(239))
LOG_2_PI = (2 * PI).ln()


def number(value):
    """A number that fits single precision, exactly."""
    return D(float(single(torch.tensor(float(value)))))


# ---- Integrals ----

@lru_cache(None)
def tanh_sinh():
    """Places in (-1, 1), as distances from the nearer end with its sign, and weights."""
    h, rule = D(1) / 16, []
    for i in range(-72, 73):
        t = h * i
        s = PI / 4 * (t.exp() - (-t).exp()) # pi/2 sinh t
        c = (s.exp() + (-s).exp()) / 2
        distance = (-abs(s)).exp() / c # 1 - |tanh s|
        rule.append((distance if i < 0 else -distance,
                     h * PI / 4 * (t.exp() + (-t).exp()) / (c * c)))
    return rule


def integral(f, *ends):
    total = D(0)
    for low, high in zip(ends, ends[1:]):
        half = (high - low) / 2
        for distance, weight in tanh_sinh():
            x = (low if distance > 0 else high) + half * distance
            total += half * weight * f(x)
    return total


# ---- Families of single numbers: log density, and the pieces that hold all of the mass ----

class Normal:
    name, has_torch = "normal", True

    def __init__(self, mean, logvar):
        self.mean, self.logvar, self.deviation = mean, logvar, (logvar / 2).exp()

    def log_prob(self, x):
        return -(LOG_2_PI + self.logvar + ((x - self.mean) / self.deviation) ** 2) / 2

    def pieces(self):
        return [self.mean + i * self.deviation for i in range(-18, 19, 4)] + [self.mean]

    @staticmethod
    def torch(a, b):
        return T.Normal(a, (b / 2).exp())


class Laplace:
    name, has_torch = "laplace", True

    def __init__(self, location, log_scale):
        self.location, self.log_scale, self.scale = location, log_scale, log_scale.exp()

    def log_prob(self, x):
        return -abs(x - self.location) / self.scale - self.log_scale - D(2).ln()

    def pieces(self):
        return [self.location + i * self.scale for i in range(-140, 141, 20)]

    @staticmethod
    def torch(a, b):
        return T.Laplace(a, b.exp())


class Uniform:
    name, has_torch = "uniform", True

    def __init__(self, low, high):
        self.low, self.high = low, high

    def log_prob(self, x):
        return -(self.high - self.low).ln() if self.low <= x <= self.high else D("-Infinity")

    def pieces(self):
        return [self.low, self.high]

    @staticmethod
    def torch(a, b):
        return T.Uniform(a, b, validate_args=False)


class ContinuousBernoulli:
    name, has_torch = "continuous bernoulli", True

    def __init__(self, logit):
        self.logit = logit
        self.constant = ((logit.exp() - 1) / logit).ln() if logit else D(0)

    def log_prob(self, x):
        return x * self.logit - self.constant if 0 <= x <= 1 else D("-Infinity")

    def pieces(self):
        cuts = [D(i) / 8 / max(abs(self.logit), 1) for i in range(0, 1200, 120)]
        cuts = [c if self.logit < 0 else 1 - c for c in cuts if c < 1]
        return cuts + [D(0), D(1)]

    @staticmethod
    def torch(a):
        return T.ContinuousBernoulli(logits=a, lims=(.4999, .5001), validate_args=False)


class Bernoulli:
    name, has_torch = "bernoulli", True
    values = [D(0), D(1)]

    def __init__(self, logit):
        self.logs = [(1 / (1 + (s * logit).exp())).ln() for s in (1, -1)]

    def log_prob(self, x):
        return self.logs[int(x)]

    @staticmethod
    def torch(a):
        return T.Bernoulli(logits=a)


class DiscretizedLogistic:
    name, has_torch = "discretized logistic", False
    values = [number(k / 255) for k in range(256)]

    def __init__(self, location, log_scale):
        self.location, self.scale = location, log_scale.exp()

    def below(self, edge):
        return 1 / (1 + (-(edge / 255 - self.location) / self.scale).exp())

    def log_prob(self, x):
        k = D(round(x * 255))
        above = self.below(k + D("0.5")) if k < 255 else D(1)
        return (above - (self.below(k - D("0.5")) if k > 0 else D(0))).ln()


def expectation(q, f):
    """E_q[f] of a family with values or with pieces; kinks of f are among them or do not matter."""
    if hasattr(q, "values"):
        return sum(q.log_prob(x).exp() * f(x) for x in q.values)
    ends = sorted(set(q.pieces()))
    return integral(lambda x: q.log_prob(x).exp() * f(x), *ends)


def entropy(q):
    return expectation(q, lambda x: -q.log_prob(x))


def divergence(q, p):
    """Cut where p has a kink or an end, too."""
    if hasattr(q, "values"):
        return expectation(q, lambda x: q.log_prob(x) - p.log_prob(x))
    ends = set(q.pieces())
    low, high = min(ends), max(ends)
    if isinstance(p, (Uniform, ContinuousBernoulli)):
        bounds = (p.low, p.high) if isinstance(p, Uniform) else (D(0), D(1))
        if low < bounds[0] or high > bounds[1]:
            return D("Infinity")
    elif isinstance(p, Laplace) and low < p.location < high:
        ends.add(p.location)
    return integral(lambda x: q.log_prob(x).exp() * (q.log_prob(x) - p.log_prob(x)), *sorted(ends))


def closed_entropy_is_integral():
    """That the quadrature has the digits it is said to have."""
    q = Normal(D("0.3"), D("-1.7"))
    error = abs(entropy(q) - (LOG_2_PI + 1 + q.logvar) / 2)
    p = Laplace(D("0.3"), D("2"))
    error = max(error, abs(entropy(p) - (1 + D(2).ln() + 2)))
    c = ContinuousBernoulli(D(50))
    error = max(error, abs(integral(lambda x: c.log_prob(x).exp(), *sorted(set(c.pieces()))) - 1))
    if error > QUADRATURE_DIGITS:
        sys.exit(f"quadrature is off by {error}")


# ---- Out ----

def column(values):
    return torch.tensor([float(v) for v in values], dtype=torch.float64).reshape(-1, 1)


def flat(values):
    return column(values).flatten()


def must_agree(what, ours, theirs, rtol=1e-9):
    theirs = theirs.reshape(ours.shape)
    if not torch.allclose(ours, theirs, rtol=rtol, atol=1e-9):
        sys.exit(f"{what}: {(ours - theirs).abs().max()} from torch.distributions")


def parameters(out, line, letter, rows):
    for i, values in enumerate(zip(*rows)):
        out[f"{line}.{letter}{i}"] = column(values)


def numbers(*values):
    return [tuple(number(v) for v in row) for row in values]


def family(out, make, of_q, of_p, xs, clear=lambda *q: True):
    """of_q and of_p: rows of parameters; each q meets its p, at one of xs."""
    line = make.name
    qs, ps = [make(*row) for row in of_q], [make(*row) for row in of_p]
    x = [xs[i % len(xs)](q) if callable(xs[0]) else xs[i % len(xs)] for i, q in enumerate(qs)]
    parameters(out, line, "q", of_q)
    parameters(out, line, "p", of_p)
    out[f"{line}.x"] = column(x)
    out[f"{line}.log_prob"] = flat([q.log_prob(v) for q, v in zip(qs, x)])
    out[f"{line}.entropy"] = flat([entropy(q) for q in qs])
    out[f"{line}.kl"] = flat([divergence(q, p) for q, p in zip(qs, ps)])
    if not make.has_torch:
        return
    keep = [i for i, row in enumerate(of_q) if clear(*row) and clear(*of_p[i])]
    theirs_q = make.torch(*[flat(c)[keep] for c in zip(*of_q)])
    theirs_p = make.torch(*[flat(c)[keep] for c in zip(*of_p)])
    rtol = 1e-6 if make is ContinuousBernoulli else 1e-9
    must_agree(line, out[f"{line}.log_prob"][keep], theirs_q.log_prob(flat(x)[keep]), rtol)
    must_agree(f"{line} entropy", out[f"{line}.entropy"][keep], theirs_q.entropy(), rtol)
    must_agree(f"{line} kl", out[f"{line}.kl"][keep], T.kl_divergence(theirs_q, theirs_p), rtol)


def pair(out, q_of, p_of, of_q, of_p, theirs=False):
    line = f"{q_of.name} to {p_of.name}"
    parameters(out, line, "q", of_q)
    parameters(out, line, "p", of_p)
    kl = flat([divergence(q_of(*a), p_of(*b)) for a, b in zip(of_q, of_p)])
    out[f"{line}.kl"] = kl
    if theirs:
        must_agree(line, kl, T.kl_divergence(q_of.torch(*[flat(c) for c in zip(*of_q)]),
                                             p_of.torch(*[flat(c) for c in zip(*of_p)])))


def one_number_families(out):
    scales = numbers((0, 0), (0, 0), (1.5, -2), (-3, 3), (.01, -8), (40, 5), (2, .5), (7, -12))
    other = numbers((0, 0), (0, 1e-3), (-1, .5), (-3, 4), (.02, -9), (60, 3), (2.001, .5), (7, 12))
    near = [lambda q: number(D(str(getattr(q, "mean", getattr(q, "location", 0)))) + s)
            for s in (D(0), D("0.7"), D("-0.01"), D(3))]
    family(out, Normal, scales, other, near)
    family(out, Laplace, scales, other, near)
    unit = (0, 1)
    intervals = numbers(unit, (-1, 1), (.25, .5), (2, 1000), (-1e-3, 1e-3), unit, unit, unit)
    around = numbers((0, 1), (-1, 3), (0, 1), (2, 1000), (-5, 1), (.5, 1.5), (1, 2), (.25, .5))
    family(out, Uniform, intervals, around, numbers((.2, .9, .3, 999, .01, 0, -7, 1.5))[0])
    logits = (0, 0, 1e-6, .3, -.3, .49, -.51, 2, -5, 20, -20, 90, -90, 3, .1)
    others = (0, 1, 1e-3, -.2, -.31, .6, .4, 2.001, 5, 18, -90, 30, -91, .2, 4)
    logits, others = (numbers(*[(l,) for l in row]) for row in (logits, others))
    family(out, Bernoulli, logits, others, [D(0), D(1)])
    family(out, ContinuousBernoulli, logits, others, numbers((0, .3, 1, .75))[0],
           lambda l: abs(l) > D(".05") and abs(l) < 15)
    byte = [DiscretizedLogistic.values[k] for k in (0, 3, 128, 254, 255)]
    locations = numbers((.5, -3), (.5, -1), (-.2, -5), (1.1, -4), (.01, 0), (.7, -6))
    family(out, DiscretizedLogistic, locations, locations[1:] + locations[:1], byte)


def pairs(out):
    here = numbers((0, 0), (1.5, -2), (-3, 1), (.01, -6), (4, 2), (9, -5))
    there = numbers((0, 0), (1.4, 1), (-1, -2), (.02, -7), (4, 3), (-2, 1))
    intervals = numbers((0, 1), (-1, 1), (.25, .5), (2, 100), (-1e-3, 1e-3), (-2, 1.5))
    unit = numbers((0, 1), (.25, .5), (0, 1e-3), (-.1, .5), (.5, 1.5), (.9, 1))
    logits = numbers((0,), (5,), (-30,), (1,), (.2,), (60,))
    pair(out, Laplace, Normal, here, there, True)
    pair(out, Normal, Laplace, here, there, True)
    pair(out, Uniform, Normal, intervals, there, True)
    pair(out, Uniform, ContinuousBernoulli, unit, logits)
    wide = numbers((0, 1), (-1, 1), (-.5, 7), (.1, 1), (0, .5), (0, 1))
    pair(out, ContinuousBernoulli, Uniform, logits, wide)


# ---- Vectors ----

def tensor(rows):
    return torch.tensor(rows, dtype=torch.float64)


def decimals(t):
    return [decimals(r) for r in t] if t.dim() else D(float(t))


def categorical(out):
    torch.manual_seed(31)
    q, p = single(3 * torch.randn(6, 5)), single(3 * torch.randn(6, 5))
    q[0], p[0] = 0, 0
    q[1, 2], p[2, 3], p[3] = 80, -90, q[3]
    x = torch.eye(5, dtype=torch.float64)[torch.tensor([0, 2, 3, 1, 4, 0])]
    logs = []
    for t in (q, p):
        rows = []
        for row in decimals(t):
            total = sum(v.exp() for v in row).ln()
            rows.append([v - total for v in row])
        logs.append(rows)
    out.update({"categorical.q0": q, "categorical.p0": p, "categorical.x": x})
    out["categorical.log_prob"] = flat([row[int(i)] for row, i in zip(logs[0], x.argmax(1))])
    out["categorical.entropy"] = flat([-sum(v.exp() * v for v in row) for row in logs[0]])
    out["categorical.kl"] = flat([sum(a.exp() * (a - b) for a, b in zip(r, s))
                                  for r, s in zip(*logs)])
    theirs = [T.OneHotCategorical(logits=t) for t in (q, p)]
    must_agree("categorical", out["categorical.log_prob"], theirs[0].log_prob(x))
    must_agree("categorical entropy", out["categorical.entropy"], theirs[0].entropy())
    must_agree("categorical kl", out["categorical.kl"], T.kl_divergence(*theirs))


def covariance(l):
    d = range(len(l))
    return [[sum(l[i][k] * l[j][k] for k in d if k <= min(i, j)) for j in d] for i in d]


def inverse_and_log_det(matrix):
    """Gauss and Jordan, without pivots: covariances do not need them."""
    n, det = len(matrix), D(1)
    a = [list(row) + [D(i == j) for j in range(n)] for i, row in enumerate(matrix)]
    for i in range(n):
        det *= a[i][i]
        a[i] = [v / a[i][i] for v in a[i]]
        for j in range(n):
            if j != i:
                a[j] = [v - a[j][i] * w for v, w in zip(a[j], a[i])]
    return [row[n:] for row in a], det.ln()


def quadratic(matrix, v):
    return sum(v[i] * matrix[i][j] * v[j] for i, j in product(range(len(v)), repeat=2))


def full_kl(mean_q, cov_q, mean_p, cov_p):
    n = len(mean_q)
    inverse, log_det_p = inverse_and_log_det(cov_p)
    trace = sum(inverse[i][j] * cov_q[j][i] for i, j in product(range(n), repeat=2))
    apart = quadratic(inverse, [a - b for a, b in zip(mean_q, mean_p)])
    return (trace + apart - n + log_det_p - inverse_and_log_det(cov_q)[1]) / 2


def diagonal(logvar):
    d = range(len(logvar))
    return [[logvar[i].exp() if i == j else D(0) for j in d] for i in d]


def full_normal(out):
    torch.manual_seed(32)
    n, d, line = 4, 5, "full normal"
    means = [single(torch.randn(n, d)) for _ in "qp"]
    factors = [single(torch.randn(n, d, d)) for _ in "qp"]
    for f in factors:
        f.diagonal(dim1=1, dim2=2).copy_(single(.2 + 2 * torch.rand(n, d)))
    x, logvar = single(torch.randn(n, d)), single(torch.randn(n, d))
    for letter, m, f in zip("qp", means, factors):
        out[f"{line}.{letter}0"], out[f"{line}.{letter}1"] = m, f # what is above is not to be read
    (mean, mean_p), covs = map(decimals, means), [[covariance(l) for l in decimals(f)]
                                                  for f in factors]
    solved = [inverse_and_log_det(c) for c in covs[0]]
    apart = [[a - b for a, b in zip(r, s)] for r, s in zip(decimals(x), mean)]
    out[f"{line}.x"] = x
    out[f"{line}.log_prob"] = flat([-(quadratic(inverse, v) + log_det + d * LOG_2_PI) / 2
                                    for (inverse, log_det), v in zip(solved, apart)])
    out[f"{line}.entropy"] = flat([(log_det + d * (LOG_2_PI + 1)) / 2 for _, log_det in solved])
    out[f"{line}.kl"] = flat([full_kl(*row) for row in zip(mean, covs[0], mean_p, covs[1])])
    diagonals = [diagonal(v) for v in decimals(logvar)]
    for a, b, cov_a, cov_b in (("normal", line, diagonals, covs[1]),
                               (line, "normal", covs[0], diagonals)):
        name = f"{a} to {b}"
        out[f"{name}.q0"], out[f"{name}.q1"] = means[0], logvar if a == "normal" else factors[0]
        out[f"{name}.p0"], out[f"{name}.p1"] = means[1], logvar if b == "normal" else factors[1]
        out[f"{name}.kl"] = flat([full_kl(*row) for row in zip(mean, cov_a, mean_p, cov_b)])
    theirs = [T.MultivariateNormal(m, scale_tril=f.tril()) for m, f in zip(means, factors)]
    must_agree(line, out[f"{line}.log_prob"], theirs[0].log_prob(x))
    must_agree(f"{line} entropy", out[f"{line}.entropy"], theirs[0].entropy())
    must_agree(f"{line} kl", out[f"{line}.kl"], T.kl_divergence(*theirs))


def mixture(out):
    torch.manual_seed(33)
    n, k, d, line = 6, 3, 2, "mixture"
    logits, mean = single(2 * torch.randn(n, k)), single(3 * torch.randn(n, k, d))
    logvar, x = single(torch.randn(n, k, d) - 1), single(3 * torch.randn(n, d))
    x[1] = 200 # far from all
    logvar[2, 0] = -30
    found = []
    for w, ms, vs, row in zip(*map(decimals, (logits, mean, logvar, x))):
        total = sum(v.exp() for v in w)
        found.append(sum(a.exp() / total *
                         sum(Normal(m, v).log_prob(c) for m, v, c in zip(b, s, row)).exp()
                         for a, b, s in zip(w, ms, vs)).ln())
    for name, value in (("q0", logits), ("q1", mean), ("q2", logvar), ("x", x),
                        ("log_prob", flat(found))):
        out[f"{line}.{name}"] = value
    parts = T.Independent(T.Normal(mean, (logvar / 2).exp()), 1)
    theirs = T.MixtureSameFamily(T.Categorical(logits=logits), parts)
    must_agree(line, out[f"{line}.log_prob"], theirs.log_prob(x))


def main():
    default = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden")
    directory = os.path.normpath(sys.argv[1] if len(sys.argv) > 1 else default)
    out = {}
    closed_entropy_is_integral()
    one_number_families(out)
    pairs(out)
    categorical(out)
    full_normal(out)
    mixture(out)
    save(directory, "distributions", out)


main()
