"""Tables of what each shape of the differences between studies says, for rates: log odds turned back."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from kyphobayes.exact import Density
from kyphobayes.exact.averaged import Averaged
from kyphobayes.names import MU, PROB, TAU, THETA_NEW
from kyphobayes.outlying.shapes import OUTLYING, STACKED, STUDENT, Shapes, density, se_of

_ENDS = np.array([0.5, (1 - PROB) / 2, (1 + PROB) / 2])
_RATES = ["typical", "typical_low", "typical_high", "next", "next_low", "next_high"]


def rate(of: Density) -> tuple[float, float, float]:
    """Median and 95 % interval of a rate, from the density of its log odds."""
    median, low, high = special.expit(of.quantile(_ENDS))
    return float(median), float(low), float(high)


def rates(found: Shapes) -> pd.DataFrame:
    """Typical and next centre's rate by shape, and by the stacked shapes in a last row."""
    rows = [(name, *_both(density(shape, MU), density(shape, THETA_NEW))) for name, shape in found]
    rows.append((STACKED, *_both(found.stacked_density(MU), found.stacked_density(THETA_NEW))))
    return pd.DataFrame(rows, columns=["shape", *_RATES])


def taus(found: Shapes) -> pd.DataFrame:
    """Spread between studies by shape: of those that are not outlying, and 0 for one common rate."""
    rows = [
        (name, *(density(shape, TAU).quantile(_ENDS) if isinstance(shape, Averaged) else np.zeros(3)))
        for name, shape in found
    ]
    return pd.DataFrame(rows, columns=["shape", "tau", "tau_low", "tau_high"])


def _both(typical: Density, coming: Density) -> tuple[float, ...]:
    return *rate(typical), *rate(coming)


def comparison(found: Shapes) -> pd.DataFrame:
    """Log marginal likelihood, exact leave-one-out score with its standard error, and weights by shape."""
    table = found.weights.rename_axis("shape").reset_index()
    logs = [shape.log_marginal_likelihood for _, shape in found]
    table.insert(1, "log_marginal_likelihood", logs)
    table.insert(2, "elpd", found.elpd.sum().to_numpy())
    table.insert(3, "se", [se_of(found.elpd[name]) for name, _ in found])
    return table


def without_each(influences: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Rates and tau without each study, by shape: `influence` with rates in place of log odds."""
    parts = []
    for name, table in influences.items():
        shown = pd.DataFrame({"shape": name, "without": table.index})
        for quantity, word in ((MU, "typical"), (THETA_NEW, "next")):
            for end in ("", "_low", "_high"):
                shown[f"{word}{end}"] = special.expit(table[f"{quantity}{end}"].to_numpy())
        rest = ["tau", "tau_low", "tau_high", "mu_shift", "tau_shift", "kl", "width"]
        parts.append(shown.assign(**{column: table[column].to_numpy() for column in rest}))
    return pd.concat(parts, ignore_index=True)


def grid_points(found: Shapes, nu: Sequence[float], grid: Sequence[tuple[float, float]]) -> pd.DataFrame:
    """Degrees of freedom, shares and ratios: how probable each was before the data, and is after."""
    rows = []
    points = {STUDENT: [f"nu = {value:g}" for value in nu]}
    points[OUTLYING] = [f"share {share:g}, ratio {ratio:g}" for share, ratio in grid]
    for name, words in points.items():
        shape = found.by_name[name]
        assert isinstance(shape, Averaged)
        rows += list(zip([name] * len(words), words, shape.weights, shape.probabilities, strict=True))
    return pd.DataFrame(rows, columns=["shape", "point", "before", "after"])


def under_each(sets: Mapping[str, Shapes], limit: float) -> pd.DataFrame:
    """Rates by shape under every prior set, how probable the shapes are, and the study most suspected.

    Parameters
    ----------
    sets : mapping of str to Shapes
    limit : float
        Log odds below which the rates lie with the probabilities `p_typical_below` and `p_next_below`.
    """
    rows = []
    for label, found in sets.items():
        suspects = found.suspects
        for name, shape in found:
            typical, coming = density(shape, MU), density(shape, THETA_NEW)
            below = float(typical.cdf(limit)), float(coming.cdf(limit))
            most = (str(suspects.idxmax()), float(suspects.max())) if name == OUTLYING else ("", np.nan)
            rows.append((label, name, *_both(typical, coming), *below, found.probabilities[name], *most))
    columns = ["priors", "shape", *_RATES, "p_typical_below", "p_next_below", "probability"]
    return pd.DataFrame(rows, columns=[*columns, "most_outlying", "p_outlying"])


def before_and_after(
    found: Shapes,
    draws: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]],
    lowest: float,
    highest: float,
) -> pd.DataFrame:
    """Rates before the data by shape, and what the data leave of the next centre's interval.

    Parameters
    ----------
    found : Shapes
        After the data.
    draws : mapping of str to (ndarray, ndarray)
        Typical and next centre's rates before the data: see `before`.
    lowest, highest : float
        Rates that were seen.

    Returns
    -------
    DataFrame
        `within`: share of the next centre's rates before the data between the lowest and the highest seen;
        `width_kept`: width of its interval of log odds after the data over that before.
    """
    rows = []
    for name, (typical, coming) in draws.items():
        after = density(found.by_name[name], THETA_NEW).quantile(_ENDS[1:])
        prior = special.logit(np.quantile(coming, _ENDS[1:]))
        within = float(np.mean((coming >= lowest) & (coming <= highest)))
        kept = float(np.diff(after)[0] / np.diff(prior)[0])
        rows.append((name, *np.quantile(typical, _ENDS), *np.quantile(coming, _ENDS), within, kept))
    return pd.DataFrame(rows, columns=["shape", *_RATES, "within", "width_kept"])
