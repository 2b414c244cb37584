"""The independent witness: what exact integrals are, by mpmath at 50 digits.

Nothing here is shared with the package. Integrals over one or two quantities are computed live by the tests;
those that take minutes are kept in `references.json`, which

    python tests/numerics/references.py

writes again. The tests recompute a few of them, so that the file is checked too.

Sums with equal steps are exact to all digits that count, where the integrand is analytic and vanishes at both
ends (Trefethen and Weideman 2014, SIAM Review 56:385-458): an error falls exponentially with 1 / step.
"""

import itertools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import mpmath
from mpmath import mp, mpf
from mpmath.calculus.quadrature import GaussLegendre

mp.dps = 50
STORED = Path(__file__).with_name("references.json")
DIGITS = 25  # kept
ZERO = mpf(10) ** -30  # share of an integrand that does not count
Function = Callable[[mpf], mpf]

_NODES = GaussLegendre(mp).calc_nodes(4, 200)  # 24 on [-1, 1]


def panels(low: mpf, high: mpf, width: float) -> Iterator[tuple[mpf, mpf]]:
    """Nodes and weights between two places, in panels no wider than `width`."""
    count = max(1, int(mpmath.ceil((high - low) / mpf(width))))
    half = (high - low) / count / 2
    for panel in range(count):
        for x, w in _NODES:
            yield low + half * (2 * panel + 1 + x), half * w


def normal_cdf(z: mpf) -> mpf:
    return mpmath.erfc(-z / mpmath.sqrt(2)) / 2


def log_normal(x: mpf, sd: mpf) -> mpf:
    """Log density of Normal(0, sd)."""
    return -((x / sd) ** 2) / 2 - mpmath.log(sd) - mpmath.log(2 * mp.pi) / 2


# -- what a study's counts say --------------------------------


def log_likelihood(kind: str, events: int, size: float, theta: mpf) -> mpf:
    """Binomial with theta the log odds, or Poisson with theta the log rate; constants included."""
    a, n = mpf(events), mpf(size)
    if kind == "poisson":
        return a * (theta + mpmath.log(n)) - n * mpmath.exp(theta) - mpmath.loggamma(a + 1)
    choose = mpmath.loggamma(n + 1) - mpmath.loggamma(a + 1) - mpmath.loggamma(n - a + 1)
    return choose - a * mpmath.log1p(mpmath.exp(-theta)) - (n - a) * mpmath.log1p(mpmath.exp(theta))


def log_integrated(kind: str, events: int, size: float, mu: float, tau: float) -> mpf:
    """Log of the integral of the likelihood over theta ~ Normal(mu, tau), in z = (theta - mu) / tau."""
    a, n, m, t = mpf(events), mpf(size), mpf(mu), mpf(tau)

    def slope(z: mpf) -> mpf:
        theta = m + t * z
        rate = n * mpmath.exp(theta) if kind == "poisson" else n / (1 + mpmath.exp(-theta))
        return t * (a - rate) - z

    def log_f(z: mpf) -> mpf:
        return log_likelihood(kind, events, size, m + t * z) - z * z / 2

    # The slope falls; at 0 it is g, so that the mode lies between 0 and g.
    low, high = sorted([mpf(0), slope(mpf(0))])
    while high - low > mpf(10) ** -20 * (1 + abs(low)):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    mode, top = low, log_f(low)
    edges = [mode]
    for side in (-1, 1):
        reach = mpf(10) ** -15
        while log_f(mode + side * reach) > top - 75:
            reach *= 2
        edges += [mode + side * reach / mpf(2) ** j for j in range(9)]
    # Where a likelihood without (or with nothing but) events has its wall, be tau ever so wide.
    wall = mpmath.log(n) if kind == "binomial" and a == n else -mpmath.log(n)
    own = [(wall - m + side * mpf(2) ** j) / t for j in range(-1, 8) for side in (-1, 0, 1)]
    edges += [z for z in own if min(edges) < z < max(edges)]
    total = mpf(0)
    for start, end in itertools.pairwise(sorted(edges)):
        total += mpmath.fsum(w * mpmath.exp(log_f(z) - top) for z, w in panels(start, end, mpf("inf")))
    return top + mpmath.log(total) - mpmath.log(2 * mp.pi) / 2


# -- densities of priors for tau --------------------------------


def log_half_normal(sigma: float) -> Function:
    return lambda t: mpmath.log(2) + log_normal(t, mpf(sigma))


def log_half_cauchy(beta: float) -> Function:
    return lambda t: mpmath.log(2 / (mp.pi * mpf(beta))) - mpmath.log1p((t / mpf(beta)) ** 2)


def log_uniform(lower: float, upper: float) -> Function:
    return lambda t: -mpmath.log(mpf(upper) - mpf(lower))


def log_flat() -> Function:
    return lambda t: mpf(0)


# -- normal studies, mu normal or flat: tau alone is left --------------------------------


class NormalReference:
    """Posterior of normal studies: given tau all is normal, and tau is summed over panels of its logarithm.

    Parameters
    ----------
    y, se : lists
    mu : (mean, sd) of a normal prior, or None for a flat one of density 1
    log_prior : log density of tau
    tau : (low, high) between which tau has its posterior; below `low` it counts as constant
    """

    def __init__(self, y, se, mu, log_prior: Function, tau: tuple[float, float], width: float = 0.3):
        self.y, self.se = [mpf(x) for x in y], [mpf(x) for x in se]
        low, high = mpmath.log(mpf(tau[0])), mpmath.log(mpf(tau[1]))
        places = [(mpmath.exp(u), w * mpmath.exp(u)) for u, w in panels(low, high, width)]
        rows = [(t, w, *self._given(t, mu)) for t, w in places]
        logs = [log_l + log_prior(t) for t, _, log_l, _, _ in rows]
        top = max(logs)
        masses = [mpmath.exp(x - top) * row[1] for x, row in zip(logs, rows, strict=True)]
        total = mpmath.fsum(masses)
        self.log_marginal_likelihood = top + mpmath.log(total)
        self._rows = [
            (t, mass / total, mean, variance)
            for (t, _, _, mean, variance), mass in zip(rows, masses, strict=True)
            if mass > ZERO * total
        ]

    def _given(self, t: mpf, mu) -> tuple[mpf, mpf, mpf]:
        variances = [e * e + t * t for e in self.se]
        precision = mpmath.fsum(1 / v for v in variances)
        weighted = mpmath.fsum(y / v for y, v in zip(self.y, variances, strict=True))
        constant, misfit = mpmath.log(2 * mp.pi), mpf(0)
        if mu is not None:
            own = 1 / mpf(mu[1]) ** 2
            precision, weighted, constant = precision + own, weighted + own * mpf(mu[0]), mpmath.log(own)
        mean = weighted / precision
        if mu is not None:
            misfit = (mpf(mu[0]) - mean) ** 2 / mpf(mu[1]) ** 2
        misfit += mpmath.fsum((y - mean) ** 2 / v for y, v in zip(self.y, variances, strict=True))
        spread = mpmath.fsum(mpmath.log(2 * mp.pi * v) for v in variances)
        return (constant - mpmath.log(precision) - misfit - spread) / 2, mean, 1 / precision

    def cdf(self, name: str, x: float) -> mpf:
        """Posterior probability that mu, theta_new or the effect of study "1", "2", ... is at most x."""
        x, total = mpf(x), mpf(0)
        for t, mass, mean, variance in self._rows:
            if name == "mu":
                centre, spread = mean, variance
            elif name == "theta_new":
                centre, spread = mean, variance + t * t
            else:
                y, v = self.y[int(name) - 1], self.se[int(name) - 1] ** 2
                pull = v / (v + t * t)
                centre, spread = pull * mean + (1 - pull) * y, pull * t * t + pull**2 * variance
            total += mass * normal_cdf((x - centre) / mpmath.sqrt(spread))
        return total


# -- counts, mu normal, tau half-normal --------------------------------


def one_count(kind, events, size, mu, sigma, *, step, reach) -> dict[str, str]:
    """One study: theta ~ Normal(m, s^2 + tau^2) given tau, so that tau and theta are all there is to sum.

    `reach` is where theta has its posterior, `step` that of the sum over it.
    """
    m, s = mpf(mu[0]), mpf(mu[1])
    thetas = [mpf(reach[0]) + step * j for j in range(int((reach[1] - reach[0]) / step) + 1)]
    likelihoods = [log_likelihood(kind, events, size, theta) for theta in thetas]
    sums = Sums(1)
    for t, log_w in half_normal_steps(sigma):
        spread = mpmath.sqrt(s * s + t * t)
        pull = s * s / spread**2
        for theta, log_f in zip(thetas, likelihoods, strict=True):
            mass = mpmath.exp(log_f + log_normal(theta - m, spread) + log_w)
            sums.add(mass, m + pull * (theta - m), s * s * (1 - pull), t, [theta])
    return sums.kept(step)


def counts(kind, studies, mu, sigma, *, step, reach) -> dict[str, str]:
    """Several studies: sums over tau, over mu with `step` within `reach`, and over every theta.

    Where tau is wide beside the step, theta runs over the places that mu does; else over mu + tau z.
    """
    m, s = mpf(mu[0]), mpf(mu[1])
    first, last = (int(mpmath.nint(end / step)) for end in reach)
    known: dict[tuple[int, int], mpf] = {}

    def likelihood(study: int, place: int) -> mpf:
        if (study, place) not in known:
            known[study, place] = mpmath.exp(log_likelihood(kind, *studies[study], step * place))
        return known[study, place]

    sums = Sums(len(studies))
    for t, log_w in half_normal_steps(sigma):
        wide = t >= 3 * step
        if wide:
            half = int(10 * t / step)
            kernel = [step * mpmath.exp(log_normal(step * j, t)) for j in range(half + 1)]
        else:
            rule = [(z, mpmath.exp(log_normal(z, mpf(1))) / 4) for z in (mpf(j) / 4 for j in range(-42, 43))]
        for place in range(first, last + 1):
            centre = step * place
            log_mass, means = log_normal(centre - m, s) + log_w, []
            for study in range(len(studies)):
                if t == 0:
                    terms = [(centre, likelihood(study, place))]
                elif wide:
                    terms = [
                        (step * (place + j), kernel[abs(j)] * likelihood(study, place + j))
                        for j in range(-half, half + 1)
                    ]
                else:
                    terms = [
                        (
                            centre + t * z,
                            w * mpmath.exp(log_likelihood(kind, *studies[study], centre + t * z)),
                        )
                        for z, w in rule
                    ]
                integral = mpmath.fsum(value for _, value in terms)
                if integral == 0:
                    break
                log_mass += mpmath.log(integral)
                means.append(mpmath.fsum(theta * value for theta, value in terms) / integral)
            else:
                sums.add(mpmath.exp(log_mass), centre, mpf(0), t, means)
    return sums.kept(step)


class Sums:
    """Moments of a posterior from pieces of its mass: mean and variance of mu, tau and effects in each."""

    def __init__(self, studies: int):
        self._total = self._mu = self._mu2 = self._tau2 = mpf(0)
        self._effects = [mpf(0)] * studies

    def add(self, mass: mpf, mean: mpf, variance: mpf, tau: mpf, effects: list[mpf]) -> None:
        self._total += mass
        self._mu += mass * mean
        self._mu2 += mass * (mean**2 + variance)
        self._tau2 += mass * tau**2
        self._effects = [e + mass * x for e, x in zip(self._effects, effects, strict=True)]

    def kept(self, step: mpf) -> dict[str, str]:
        total = self._total
        mu, tau2 = self._mu / total, self._tau2 / total
        variance = self._mu2 / total - mu**2
        found = {
            "log_marginal_likelihood": mpmath.log(total * step),
            "mu": mu,
            "sd of mu": mpmath.sqrt(variance),
            "root mean square of tau": mpmath.sqrt(tau2),
            "sd of theta_new": mpmath.sqrt(variance + tau2),
            **{f"effect {i + 1}": e / total for i, e in enumerate(self._effects)},
        }
        return {name: mpmath.nstr(value, DIGITS) for name, value in found.items()}


def half_normal_steps(sigma: float) -> Iterator[tuple[mpf, mpf]]:
    """Tau in equal steps, with the log of the prior's mass.

    0 counts half: what is summed is even in tau, and analytic on the whole line (tau itself is not).
    """
    step = mpf(sigma) / 3
    for j in range(34):
        yield step * j, log_half_normal(sigma)(step * j) + mpmath.log(step) - (mpmath.log(2) if j == 0 else 0)


# -- the cases --------------------------------

BILLION = 10**9
ONE = {
    "no event in a billion": ("binomial", 0, BILLION, (-18, 3), 1.0),
    "one event in a billion": ("binomial", 1, BILLION, (-18, 3), 1.0),
    "two events in a billion": ("binomial", 2, BILLION, (-18, 3), 1.0),
    "all of a billion": ("binomial", BILLION, BILLION, (18, 3), 1.0),
    "prior 30 sd from one event": ("binomial", 1, BILLION, (10, 1), 0.5),
    "tiny exposure, no event": ("poisson", 0, 1e-6, (12, 3), 1.0),
    "tiny exposure, three events": ("poisson", 3, 1e-6, (12, 3), 1.0),
    "huge exposure, no event": ("poisson", 0, 1e9, (-18, 3), 1.0),
}
SEVERAL = {
    "rare events": ("binomial", [(0, BILLION), (1, BILLION), (2, BILLION)], (-20, 2), 0.5, (-36, -10)),
    "no events, a billion beside ten": ("binomial", [(0, BILLION), (0, 10)], (-18, 3), 1.0, (-52, -6)),
    "exposures from 1e-6 to 1e9": ("poisson", [(0, 1e-6), (1, 1e3), (0, 1e9)], (-10, 3), 1.0, (-44, 20)),
}


def one_case(name: str, step: str = "0.125") -> dict[str, str]:
    kind, events, size, mu, sigma = ONE[name]
    width = 20 * (mu[1] + 3 * sigma)
    return one_count(kind, events, size, mu, sigma, step=mpf(step), reach=(mu[0] - width, mu[0] + width))


def several_case(name: str) -> dict[str, str]:
    kind, studies, mu, sigma, reach = SEVERAL[name]
    return counts(kind, studies, mu, sigma, step=mpf("0.2"), reach=reach)


def main(names: list[str]) -> None:
    stored = json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}
    for name in names or [*ONE, *SEVERAL]:
        stored[name] = one_case(name) if name in ONE else several_case(name)
        STORED.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
