"""Pooling where standard errors differ by a million, tau2 is at its boundary, or counts are a billion."""

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

from kyphobayes.errors import InputError
from kyphobayes.frequentist import glmm_or, glmm_proportion, glmm_rate, mantel_haenszel, pool, tau2_interval
from kyphobayes.report.values import clopper_pearson
from kyphobayes.time_at_risk.patients import garwood

mp.dps = 50
BILLION = 10**9
SETS = {
    "errors from 1e-3 to 1e3": ([0.0, 0.3, 500.0, -800.0], [1e-3, 2e-3, 1e3, 1e3]),
    "one huge study": ([0.1, 5.0, -4.0, 9.0, 3.0], [1e-6, 1.0, 1.2, 0.8, 1.0]),
    "all alike": ([2.0, 2.0, 2.0], [1.0, 0.5, 2.0]),
    "less apart than their errors": ([0.1, 0.11, 0.09], [1.0, 0.5, 2.0]),
    "far apart": ([0.0, 1e6, -2e6, 3e6], [1.0, 1.0, 2.0, 1.0]),
    "huge and shifted": ([1e6, 1e6 + 3, 1e6 - 2], [1.0, 0.5, 1e-3]),
    "two studies": ([-1.0, 1.0], [1e-3, 1e3]),
    "tiny unit": ([1e-9, 4e-9, -6e-9], [1e-9, 2e-9, 1e-9]),
}


class Exact:
    """The estimating equations as they are printed, at 50 digits."""

    def __init__(self, y, se):
        self.y = [mpf(x) for x in y]
        self.v = [mpf(x) ** 2 for x in se]
        self.k = len(y)

    def weights(self, tau2):
        return [1 / (v + tau2) for v in self.v]

    def mean(self, w):
        return sum(a * y for a, y in zip(w, self.y, strict=True)) / sum(w)

    def q(self, w):
        mean = self.mean(w)
        return sum(a * (y - mean) ** 2 for a, y in zip(w, self.y, strict=True))

    def dersimonian_laird(self):
        w = self.weights(0)
        c = sum(w) - sum(a * a for a in w) / sum(w)
        return max(mpf(0), (self.q(w) - (self.k - 1)) / c)

    def paule_mandel(self):
        return self._root(lambda t: self.q(self.weights(t)) - (self.k - 1))

    def reml_score(self, t):
        w = self.weights(t)
        mean = self.mean(w)
        squares = sum(a * a * (y - mean) ** 2 for a, y in zip(w, self.y, strict=True))
        return squares - sum(w) + sum(a * a for a in w) / sum(w)

    def ml_score(self, t):
        w = self.weights(t)
        mean = self.mean(w)
        return sum(a * a * (y - mean) ** 2 for a, y in zip(w, self.y, strict=True)) - sum(w)

    def reml_log_likelihood(self, t):
        return self.ml_log_likelihood(t) - mpmath.log(sum(self.weights(t))) / 2

    def ml_log_likelihood(self, t):
        w = self.weights(t)
        return (sum(mpmath.log(a) for a in w) - self.q(w)) / 2

    def highest(self, score, log_likelihood):
        """The highest of all maxima: signs of the score on a fine grid, each change halved."""
        top = 4 * (max(self.y) - min(self.y)) ** 2 + max(self.v)
        low = min(self.v) / 1000
        grid = [mpf(0), *(low * (top / low) ** (mpf(j) / 400) for j in range(401))]
        signs = [score(t) > 0 for t in grid]
        found = [] if signs[0] else [mpf(0)]
        for start, end, rising, then in zip(grid, grid[1:], signs, signs[1:], strict=False):
            if rising and not then:
                found.append(self._halved(score, start, end))
        return max(found, key=log_likelihood)

    def _root(self, falling):
        if falling(mpf(0)) <= 0:
            return mpf(0)
        top = (max(self.y) - min(self.y)) ** 2 * self.k
        return self._halved(falling, mpf(0), top)

    def _halved(self, falling, low, high):
        for _ in range(160):
            middle = (low + high) / 2
            low, high = (middle, high) if falling(middle) > 0 else (low, middle)
        return (low + high) / 2


def same(found, true, scale=0, share=1e-10):
    assert abs(mpf(float(found)) - true) <= share * abs(true) + mpf(scale) * mpf(10) ** -14, (
        found,
        float(true),
    )


@pytest.mark.parametrize("method", ["CE", "DL", "PM", "ML", "REML"])
@pytest.mark.parametrize("name", SETS)
def test_tau2_and_mu(name, method):
    y, se = SETS[name]
    exact = Exact(y, se)
    tau2 = {
        "CE": lambda: mpf(0),
        "DL": exact.dersimonian_laird,
        "PM": exact.paule_mandel,
        "ML": lambda: exact.highest(exact.ml_score, exact.ml_log_likelihood),
        "REML": lambda: exact.highest(exact.reml_score, exact.reml_log_likelihood),
    }[method]()
    variances = [float(e) ** 2 for e in se]
    found = pool(y, variances, method=method, test="z")
    same(found.tau2, tau2, min(variances))
    w = exact.weights(tau2)
    farthest = max(map(abs, y))
    same(found.mu, exact.mean(w), farthest)
    same(found.se, 1 / mpmath.sqrt(sum(w)))
    same(found.q, exact.q(exact.weights(0)), 1, 1e-9)
    hksj = pool(y, variances, method=method, test="hksj")
    same(hksj.se, mpmath.sqrt(exact.q(w) / (exact.k - 1) / sum(w)), farthest, 1e-9)


@pytest.mark.parametrize("name", [name for name in SETS if name != "all alike"])
def test_ends_of_qprofile(name):
    """Q at both ends is the quantile it must be: its tail probability by mpmath, not by a table."""
    y, se = SETS[name]
    exact = Exact(y, se)
    found = tau2_interval(y, np.square(se), method="qprofile")
    half = mpf(exact.k - 1) / 2

    def above(tau2):
        return mpmath.gammainc(half, exact.q(exact.weights(mpf(tau2))) / 2, mp.inf, regularized=True)

    if found.high > 0:
        assert abs(above(found.high) - mpf("0.975")) < 1e-9
    else:
        assert above(0) > mpf("0.975")
    if found.low > 0:
        assert abs(above(found.low) - mpf("0.025")) < 1e-9
    else:
        assert above(0) > mpf("0.025")


@pytest.mark.parametrize(
    ("events", "n"), [(0, BILLION), (1, BILLION), (BILLION, BILLION), (0, 1), (1, 1), (3, 10)]
)
def test_clopper_pearson(events, n):
    low, high = (float(end[0]) for end in clopper_pearson([events], [n]))
    at_low = mpmath.betainc(events, n - events + 1, 0, mpf(low), regularized=True) if events else mpf("0.025")
    assert abs(at_low - mpf("0.025")) < 1e-9
    # Above the upper end: in 1 - p, or what a billion events leave would have no digits.
    if events == n:
        assert high == 1.0
    else:
        above = mpmath.betainc(n - events, events + 1, 0, 1 - mpf(high), regularized=True)
        assert abs(above - mpf("0.025")) < 1e-6
    assert (low == 0.0) == (events == 0)


@pytest.mark.parametrize(("events", "time"), [(0, 1e-6), (0, 1e9), (1, 1e-6), (5, 1e9), (10**6, 1.0)])
def test_garwood(events, time):
    _, low, high = garwood(events, time)
    if events:
        tail = mpmath.gammainc(events, 0, mpf(low) * mpf(time), regularized=True) if events < 100 else None
        assert tail is None or abs(tail - mpf("0.025")) < 1e-10
    else:
        assert low == 0.0
        assert abs(mpmath.exp(-mpf(high) * mpf(time)) - mpf("0.025")) < 1e-12
    assert 0 <= low < high


# -- one stage ------------------------------------------------------------------------------------


def test_rare_events_by_one_stage(witness):
    """With events this rare tau2 is 0, and all that is left is one Poisson mean."""
    found = glmm_proportion([0, 1, 2], [BILLION] * 3)
    assert found.tau2 == 0.0
    same(found.mu, mpmath.log(mpf(3) / (3 * BILLION - 3)), share=1e-9)
    same(found.se, mpmath.sqrt(1 / mpf(3) + 1 / mpf(3 * BILLION - 3)), share=1e-7)
    theta = mpmath.log(mpf(3) / (3 * BILLION - 3))
    true = sum(witness.log_likelihood("binomial", x, BILLION, theta) for x in (0, 1, 2))
    same(found.log_likelihood, true, share=1e-9)


def test_rates_of_exposures_from_1e_minus_6_to_1e9_by_one_stage():
    found = glmm_rate([0, 1, 2], [1e-6, 1e9, 2e9])
    assert found.tau2 == pytest.approx(0.0, abs=1e-12)
    same(found.mu, mpmath.log(mpf(3) / (mpf(1e-6) + 3 * BILLION)), share=1e-9)


def test_maximum_is_one(witness):
    """With studies that do differ: no neighbour of the maximum is higher, by the witness's integrals."""
    events, n = [1, 40, 3, 900], [BILLION, BILLION, 10**7, BILLION]
    found = glmm_proportion(events, n)
    tau = np.sqrt(found.tau2)

    def value(mu, tau):
        return sum(witness.log_integrated("binomial", a, b, mu, tau) for a, b in zip(events, n, strict=True))

    top = value(found.mu, tau)
    same(found.log_likelihood, top, share=1e-8)
    for mu, t in ((0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01)):
        assert value(found.mu + mu, tau + t) < top


@pytest.mark.parametrize(
    ("fit", "said"),
    [
        (lambda: glmm_proportion([0, 0], [BILLION, 10]), "no study has an event"),
        (lambda: glmm_proportion([BILLION, 10], [BILLION, 10]), "every trial is an event"),
        (lambda: glmm_rate([0, 0], [1e-6, 1e9]), "no study has an event"),
        (lambda: glmm_or([0, 0], [BILLION, 10], [0, 0], [BILLION, 10]), "tells no odds ratio"),
        (lambda: glmm_or([0, 0], [BILLION, 10], [1, 2], [BILLION, 10]), "fewest possible in every study"),
        (lambda: mantel_haenszel([0], [BILLION], [0], [10]), "odds ratio"),
        (lambda: pool([0.0, 1.0], [1e-130, 1.0]), "check their units"),
        (lambda: pool([1.0], [1.0], test="hksj"), "choose test='z'"),
    ],
)
def test_what_has_no_answer_is_refused_in_a_sentence(fit, said):
    with pytest.raises(InputError, match=said):
        fit()
