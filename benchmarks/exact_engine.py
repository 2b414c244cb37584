"""The exact engine on the work that its targets name."""

import subprocess
import sys
import time

import numpy as np

from benchmarks.timing import best_of
from kyphobayes import exact
from kyphobayes.exact import Surface

Row = tuple[str, float, str]
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
IMPORT = "import time; t = time.perf_counter(); from kyphobayes import exact; print(time.perf_counter() - t)"


def rows(leakage: Surface) -> list[Row]:
    """Work, seconds and target."""
    rng = np.random.default_rng(1)
    pairs = [
        (
            f"Normal(mu={rng.normal(-2.5, 0.7):.5g}, sigma={rng.uniform(0.3, 3):.5g})",
            TAUS[i % len(TAUS)].format(rng.uniform(0.3, 2)),
        )
        for i in range(MANY)
    ]

    def normal() -> None:
        post = exact.normal(Y, SE).posterior("Normal(mu=0, sigma=4)", "HalfNormal(sigma=0.5)")
        post.summary()
        post.shrinkage()

    def binomial(times: int) -> None:
        exact.binomial(EVENTS * times, N * times).posterior("Normal(mu=-2)", "HalfNormal()")

    counts = rng.integers(10, 400, MANY)
    events = rng.binomial(counts, 1 / (1 + np.exp(-rng.normal(-2.5, 0.7, MANY))))
    start = time.perf_counter()
    exact.binomial(events, counts).posterior("Normal(mu=-2, sigma=2)", "HalfNormal()").summary()
    huge = time.perf_counter() - start
    imported = min(float(_fresh(IMPORT)) for _ in range(3))
    seconds = best_of(normal, 50), best_of(lambda: binomial(1)), best_of(lambda: binomial(10), 2)
    sweep = best_of(lambda: leakage.sweep(pairs, below=-2.2, of="theta_new"), 3)
    return [
        ("normal, k = 7: posterior, summary and shrinkage", seconds[0], _target(seconds[0], 0.002)),
        ("binomial, k = 7: surface and one posterior", seconds[1], _target(seconds[1], 0.05)),
        ("binomial, k = 70", seconds[2], f"{seconds[2] / seconds[1]:.1f} times k = 7"),
        (f"binomial, k = {MANY:,}", huge, _target(huge, 60)),
        ("from kyphobayes import exact", imported, _target(imported, 0.6)),
        (f"leakage: {MANY:,} pairs of priors", sweep, _target(sweep, 1.0)),
    ]


def _fresh(code: str) -> str:
    """What a new interpreter prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def _target(seconds: float, target: float) -> str:
    return f"target {target:g} s: {'met' if seconds < target else 'missed'}"
