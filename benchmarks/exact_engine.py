"""The exact engine beside a plain numpy grid, R's bayesmeta, and itself without its short cuts.

The grid is accurate to some thousandths of a posterior sd, as `tests/unit/test_benchmarks.py` has it, and
does not know that; the exact engine is to many more digits, and says so.
"""

from functools import cache

import numpy as np

from benchmarks import plain_grid, r_worker
from benchmarks.leakage import leakage
from benchmarks.rows import Pair, Row
from benchmarks.timing import timed
from kyphobayes import exact
from kyphobayes.exact import batch
from kyphobayes.priors import Prior

Y = [-0.3, 0.2, 0.5, 0.1, 1.2, -0.1, 0.4]
SE = [0.2, 0.3, 0.25, 0.4, 0.5, 0.15, 0.3]
EVENTS, N = [0, 5, 4, 0, 12, 2, 9], [32, 35, 19, 22, 80, 41, 60]
TAUS = (
    "HalfNormal(sigma={:.5g})",
    "HalfCauchy(beta={:.5g})",
    "Exponential(lam={:.5g})",
    "LogNormal(sigma={:.5g})",
)
MANY = 10_000
ANEW = 20  # of the many, which are solved one by one, and scaled
BELOW = -2.2
GRID, BAYESMETA = "numpy grid", "bayesmeta"


def rows() -> list[Row]:
    """Work on one surface, from seven studies to ten thousand, and of ten thousand priors."""
    anew = f"each anew ({ANEW} timed, scaled)"
    normal = "exact fit: normal, k = 7, with studies' effects"
    return [
        Row("exact fit: leakage, latent counts", GRID, _leakage, target=0.3),
        Row("exact fit: leakage, one more prior", "surface anew", _another),
        Row(normal, GRID, _normal, target=0.002),
        Row(normal, BAYESMETA, _bayesmeta),
        Row("exact fit: binomial, k = 7", GRID, lambda: _binomial(1), target=0.05),
        Row("exact fit: binomial, k = 70", GRID, lambda: _binomial(10)),
        Row(f"exact fit: binomial, k = {MANY:,}", GRID, _huge, target=60, repeats=(1, 1), slow=True),
        Row(f"sweep: {MANY:,} priors of leakage", anew, _sweep, target=1.0),
        Row(f"exact batch: {MANY:,} marginals of mu and tau", anew, _batch),
    ]


@cache
def pairs() -> list[tuple[Prior, Prior]]:
    """Ten thousand pairs of priors of four families."""
    rng = np.random.default_rng(1)
    return [
        (
            Prior.parse(f"Normal(mu={rng.normal(-2.5, 0.7):.5g}, sigma={rng.uniform(0.3, 3):.5g})"),
            Prior.parse(TAUS[i % len(TAUS)].format(rng.uniform(0.3, 2))),
        )
        for i in range(MANY)
    ]


@cache
def few() -> list[tuple[Prior, Prior]]:
    """Some of them, at random, because families follow one another."""
    return [pairs()[i] for i in np.random.default_rng(0).choice(MANY, ANEW, replace=False)]


def _leakage() -> Pair:
    work = leakage()
    mu, tau = dict(work.mu.parameters), dict(work.tau.parameters)
    asked = plain_grid.Asked(mu["mu"], mu["sigma"], tau["sigma"])
    given = work.evidence
    return Pair(
        timed(lambda: work.surface().posterior(mu=work.mu, tau=work.tau).summary()),
        timed(lambda: plain_grid.binomial(given.tables, given.n, asked, given.weights)),
        np.__version__,
    )


def _another() -> Pair:
    work = leakage()
    surface = work.surface()
    return Pair(
        timed(lambda: surface.posterior(mu=work.mu, tau=work.tau)),
        timed(lambda: work.surface().posterior(mu=work.mu, tau=work.tau)),
    )


def normal_posterior() -> None:
    """Seven normal studies: posterior, summary and shrinkage."""
    post = exact.normal(Y, SE).posterior("Normal(mu=0, sigma=4)", "HalfNormal(sigma=0.5)")
    post.summary()
    post.shrinkage()


def _normal() -> Pair:
    asked = plain_grid.Asked(0, 4, 0.5)
    return Pair(timed(normal_posterior), timed(lambda: plain_grid.normal(Y, SE, asked)), np.__version__)


def _bayesmeta() -> Pair:
    given = {"y": Y, "se": SE, "mu": [0, 4], "tau": 0.5}
    found = r_worker.version("bayesmeta")
    return Pair(timed(normal_posterior), r_worker.timed("bayesmeta", given), found)


def _binomial(times: int) -> Pair:
    events, n = EVENTS * times, N * times
    asked = plain_grid.Asked(-2, 1, 1)
    return Pair(
        timed(lambda: exact.binomial(events, n).posterior("Normal(mu=-2)", "HalfNormal()").summary()),
        timed(lambda: plain_grid.binomial(events, n, asked)),
        np.__version__,
    )


def _huge() -> Pair:
    rng = np.random.default_rng(1)
    n = rng.integers(10, 400, MANY)
    events = rng.binomial(n, 1 / (1 + np.exp(-rng.normal(-2.5, 0.7, MANY))))
    asked = plain_grid.Asked(-2, 2, 1)

    def ours() -> None:
        exact.binomial(events, n).posterior("Normal(mu=-2, sigma=2)", "HalfNormal()").summary()

    return Pair(
        timed(ours, warm=False),
        timed(lambda: plain_grid.binomial(events, n, asked), warm=False),
        np.__version__,
    )


def _sweep() -> Pair:
    surface = leakage().surface()

    def anew() -> None:
        for mu, tau in few():
            post = surface.posterior(mu=mu, tau=tau)
            post.summary()
            post.cdf("theta_new", BELOW)

    return Pair(
        timed(lambda: surface.sweep(pairs(), below=BELOW, of="theta_new")), timed(anew, per=ANEW / MANY)
    )


def _batch() -> Pair:
    surface = leakage().surface()

    def together() -> None:
        batch.solve(batch.place(surface, pairs()), pairs())

    def anew() -> None:
        for mu, tau in few():
            surface.posterior(mu=mu, tau=tau)

    return Pair(timed(together), timed(anew, per=ANEW / MANY))
