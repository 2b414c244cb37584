"""Tables of what a posterior of leaks says: by region, by number of levels, by site, and what was learned."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kyphobayes.leaks.clusters import Array, Clusters
from kyphobayes.leaks.points import Points
from kyphobayes.leaks.quantities import Quantities
from kyphobayes.names import PROB

ALL = "as in this series"  # levels of all regions, in the shares of those at hand
ANY = "any site"
PATIENTS = ("average of patients", "typical patient", "new patient")
ENDS = ((1 - PROB) / 2, (1 + PROB) / 2)


def middle(found: Points, values: Array, prefix: str = "") -> dict[str, float]:
    """Median and 95 % interval of a quantity under names that begin with `prefix`."""
    median, low, high = found.quantile(values, (0.5, *ENDS))
    return {f"{prefix}median": median, f"{prefix}low": low, f"{prefix}high": high}


def _ends_before(found: Points, values: Array) -> dict[str, float]:
    """95 % interval of a quantity before the data."""
    low, high = found.before.quantile(values, ENDS)
    return {"prior_low": low, "prior_high": high}


def rates(
    found: Points, known: Quantities, clusters: Clusters, regions: Sequence[str], limit: float
) -> pd.DataFrame:
    """Probability that a level leaks, by region and patient.

    Returns
    -------
    DataFrame
        Index: levels, those as in the series and then each region, and patient: the average over
        patients, a typical one, and a new one by himself. Columns n; leaks_least and leaks_most, over the
        places where leaks may lie; mean, median, low and high; prior_low and prior_high, before the
        data; p_below, the probability that the rate lies below `limit`.
    """
    least, most = (_extreme(clusters, choose) for choose in (np.minimum, np.maximum))
    seen, n = clusters.events.sum(), clusters.levels.sum(axis=0)
    groups = {ALL: ((n.sum(), seen, seen), (known.rate, known.typical, known.new))}
    for i, region in enumerate(regions):
        by = (known.regions[:, i], known.typical_regions[:, i], known.new_regions[:, i])
        groups[region] = ((n[i], least[i], most[i]), by)
    rows = {}
    for name, (counts, values) in groups.items():
        for patient, rate in zip(PATIENTS, values, strict=True):
            rows[name, patient] = {
                **dict(zip(("n", "leaks_least", "leaks_most"), map(int, counts), strict=True)),
                "mean": found.mean(rate), **middle(found, rate),
                **_ends_before(found, rate),
                "p_below": found.mean(rate < limit),
            }  # fmt: skip
    index = pd.MultiIndex.from_tuples(rows, names=["levels", "patient"])
    return pd.DataFrame(list(rows.values()), index=index)


def _extreme(clusters: Clusters, choose: np.ufunc) -> Array:
    """Fewest or most leaks of each region over the places where leaks may lie."""
    start = np.full(clusters.levels.shape, np.inf if choose is np.minimum else -np.inf)
    choose.at(start, clusters.owner, clusters.leaks)
    return start.sum(axis=0)


def levels(found: Points, known: Quantities) -> pd.DataFrame:
    """Probability of a leak in one patient, by number of levels; and its mean if levels were independent."""
    rows = {}
    for i in range(known.at_least_one.shape[1]):
        chance = known.at_least_one[:, i]
        rows[i + 1] = {
            "mean": found.mean(chance), **middle(found, chance),
            "independent": found.mean(known.independent[:, i]),
            **_ends_before(found, chance),
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("levels of one patient")


def sites(
    found: Points, before: Points, known: Quantities, seen: NDArray[np.intp], names: Sequence[str]
) -> pd.DataFrame:
    """Where leaks go: shares of the leaks, and rates per 100 levels, by site and in all.

    Parameters
    ----------
    found, before : Points
        After the data and before them: their shares are drawn from what is known of the sites.
    known : Quantities
        At the points of `found`.
    seen : ndarray of int, shape (c,)
    names : sequence of str
    """
    rows: dict[str, dict[str, float]] = {}
    for i, name in enumerate(names):
        share = found.share[:, i]
        rows[name] = {
            "leaks": int(seen[i]), **middle(found, share, "share_"),
            **_ends_before(before, before.share[:, i]),
            **_per_hundred(found, known.sites[:, i]),
        }  # fmt: skip
    rows[ANY] = {"leaks": int(seen.sum()), **_per_hundred(found, known.rate)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("site")


def _per_hundred(found: Points, rate: Array) -> dict[str, float]:
    return {"per_100": 100 * found.mean(rate), **middle(found, 100 * rate, "per_100_")}


def learned(found: Points, known: Quantities, regions: Sequence[str]) -> pd.DataFrame:
    """Parameters before and after the data: a ratio of widths near 1 means that the prior comes back."""
    values = {
        "mu": found.mu,
        "tau_region": found.tau_region,
        "tau_patient": found.tau_patient,
        **{f"region effect, {name}": found.logit[:, i] - found.mu for i, name in enumerate(regions)},
        "rate, levels as in this series": known.rate,
        "correlation of two levels of a patient": known.icc,
    }
    rows = {}
    for name, value in values.items():
        row = {**middle(found, value), **middle(found.before, value, "prior_")}
        row["width_ratio"] = (row["high"] - row["low"]) / (row["prior_high"] - row["prior_low"])
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("parameter")
