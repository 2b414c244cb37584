"""Checks of an update: the same numbers by other ways of integrating."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from kyphobayes.checks import Check
from kyphobayes.names import MU, THETA_NEW
from kyphobayes.updating.foreseen import outcome_probabilities
from kyphobayes.updating.relaxed import commensurate, own_effect
from kyphobayes.updating.update import Update

_SAME = 1e-6  # difference of probabilities, and of log odds, that two ways of integrating may leave
_STANDS_FOR = 0.01  # and that the mixture of normals may leave to the density it stands for


def sequence(updates: Sequence[Update]) -> Check:
    """Yesterday's posterior is today's prior: by one step more, and by all studies at once."""
    rows = []
    for found in updates:
        one = found.series
        step = commensurate(found.past, 0.0, one.events, one.n)
        whole = found.after.log_marginal_likelihood - found.past.log_marginal_likelihood
        rows.append((one.analysis.outcome, "log predictive probability", abs(step.log_marginal - whole)))
        for name, density in ((MU, step.mu), (THETA_NEW, step.theta_new)):
            ends = [0.025, 0.5, 0.975]
            apart = np.abs(density.quantile(ends) - found.after.quantile(name, ends)).max()
            rows.append((one.analysis.outcome, f"quantiles of {name}", float(apart)))
    return _checked(
        "sequence",
        pd.DataFrame(rows, columns=["outcome", "what", "difference"]),
        _SAME,
        "the past's posterior updated by the series, and all studies integrated at once, agree",
        "the past's posterior updated by the series, and all studies integrated at once, differ",
    )


def prediction(updates: Sequence[Update]) -> Check:
    """Predictive probabilities over mu and tau, and over the effect of the next study."""
    rows = []
    for found in updates:
        one = found.series
        over_population = outcome_probabilities(found.past, one.n)
        apart = np.abs(over_population - found.main.prediction.probabilities).max()
        rows.append((one.analysis.outcome, float(apart)))
    return _checked(
        "prediction",
        pd.DataFrame(rows, columns=["outcome", "difference"]),
        _SAME,
        "predictive probabilities integrated over mu and tau, and over the series' own rate, agree",
        "predictive probabilities integrated over mu and tau, and over the series' own rate, differ",
    )


def mixture(updates: Sequence[Update]) -> Check:
    """Rates of the series under the mixture of normals, and under the density it stands for."""
    rows = []
    for found in updates:
        one = found.series
        by_mixture, _ = own_effect(found.prior.prior, one.events, one.n)
        by_density, _ = own_effect(found.past.theta_new, one.events, one.n)
        places = by_density.quantile(np.linspace(0.01, 0.99, 99))
        apart = np.abs(by_mixture.cdf(places) - by_density.cdf(places)).max()
        rows.append((one.analysis.outcome, float(apart)))
    return _checked(
        "mixture",
        pd.DataFrame(rows, columns=["outcome", "difference"]),
        _STANDS_FOR,
        "the predictive prior as a mixture of normals leads to the same rate of the series as the density "
        "it stands for",
        "the predictive prior as a mixture of normals leads to another rate of the series than the density "
        "it stands for",
    )


def _checked(name: str, table: pd.DataFrame, bound: float, same: str, apart: str) -> Check:
    worst = float(table["difference"].max())
    passed = worst <= bound
    return Check(name, passed, f"{same if passed else apart} (largest difference {worst:.1g})", table)
