"""How many studies that print both counts it would take to learn their correlation, by simulation."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd
from scipy import special

from kyphobayes.evidence import JointCounts, counts, joint_counts
from kyphobayes.joint.correlation import likelihood_of_rho
from kyphobayes.joint.likelihood import Array, Margins
from kyphobayes.joint.separate import Separate
from kyphobayes.names import MU, TAU
from kyphobayes.priors import Prior, Priors

_DRAWS, _ORDER = 100, 13  # of the likelihood of rho in a simulated data set
_THETA = np.arange(-12.0, 6.0, 0.1)  # log odds of one study
_MU = np.linspace(-6.0, 1.0, 43)
_LEAST = 1e-300  # where a study all but rules out a pair of mu and tau
_TAU = np.arange(0.1, 3.05, 0.1)  # a normal kernel no narrower than a step of _THETA: the sum is exact


def studies_needed(
    evidence: JointCounts,
    priors: Priors,
    apart: Separate,
    sizes: Sequence[int],
    truths: Sequence[float],
    data_sets: int,
    seed: int,
) -> pd.DataFrame:
    """Simulate studies that print both counts, and say how wide the posterior of rho would be.

    Parameters
    ----------
    evidence : JointCounts
        Its studies with both outcomes lend their numbers of levels and patients, over and over.
    priors : Priors
    apart : Separate
        Its posterior medians of mu and tau are the truth of the simulation.
    sizes : sequence of int
        Numbers of studies.
    truths : sequence of float
        True correlations.
    data_sets : int
        For each size and truth.
    seed : int

    Returns
    -------
    DataFrame
        By studies and true_rho: medians of the width of the 95 % interval, of its ratio to the prior's
        and of P(rho > 0), and the share of data sets whose interval leaves out 0.
    """
    truth = [float(p.quantile(name, 0.5)) for p in (apart.leak, apart.fracture) for name in (MU, TAU)]
    one, two = evidence.both_within
    n, m = evidence.leaks.n[one], evidence.fractures.n[two]
    rows = {}
    for size in sizes:
        for rho in truths:
            rng = np.random.default_rng([seed, 7, size, round(1000 * (1 + rho))])
            found = pd.DataFrame(
                [
                    _one(np.resize(n, size), np.resize(m, size), truth, rho, priors, rng)
                    for _ in range(data_sets)
                ]
            )
            away = ((found["low"] > 0) | (found["high"] < 0)).mean()
            rows[size, rho] = {
                "width": float((found["high"] - found["low"]).median()),
                "width_ratio": float(found["width_ratio"].median()),
                "p_positive": float(found["p_positive"].median()),
                "leaves_out_0": float(away),
                "data_sets": data_sets,
            }
    index = pd.MultiIndex.from_tuples(rows, names=["studies", "true_rho"])
    return pd.DataFrame(list(rows.values()), index=index)


def _one(
    n: Array, m: Array, truth: list[float], rho: float, priors: Priors, rng: np.random.Generator
) -> dict[str, float]:
    """Simulate and analyse one data set."""
    u, v = rng.standard_normal((2, len(n)))
    effects = (truth[0] + truth[1] * u, truth[2] + truth[3] * (rho * u + np.sqrt(1 - rho**2) * v))
    events = [
        rng.binomial(size.astype(int), special.expit(theta)).astype(float)
        for size, theta in zip((n, m), effects, strict=True)
    ]
    margins = Margins(
        *_draw(events[0], n, priors["mu_leak"], priors["tau_leak"], rng),
        *_draw(events[1], m, priors["mu_fracture"], priors["tau_fracture"], rng),
    )
    found = likelihood_of_rho(joint_counts(counts(events[0], n), counts(events[1], m)), margins, _ORDER)
    return found.posterior(priors["rho"]).summary()


def _draw(events: Array, n: Array, mu: Prior, tau: Prior, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draws of (mu, tau) of one outcome by itself, from a grid: the exact engine would take too long here."""
    likelihood = events[:, None] * _THETA - n[:, None] * np.logaddexp(0, _THETA)
    likelihood = np.exp(likelihood - likelihood.max(axis=1, keepdims=True))
    integrated = np.tensordot(likelihood, _kernel(), axes=1)
    logs = np.log(np.maximum(integrated, _LEAST)).sum(axis=0)
    logs += mu.log_density(_MU)[:, None] + tau.log_density(_TAU)
    weights = np.exp(logs - logs.max()).ravel()
    row, column = np.divmod(rng.choice(len(weights), _DRAWS, p=weights / weights.sum()), len(_TAU))
    # Uniform within the cell, so that a draw is no point of the grid.
    spread = rng.uniform(-0.5, 0.5, (2, _DRAWS))
    return _MU[row] + spread[0] * (_MU[1] - _MU[0]), _TAU[column] + spread[1] * (_TAU[1] - _TAU[0])


@cache
def _kernel() -> Array:
    """Normal density of an effect, by effect, mu and tau, up to a constant."""
    return np.exp(-(((_THETA[:, None, None] - _MU[:, None]) / _TAU) ** 2) / 2) / _TAU
