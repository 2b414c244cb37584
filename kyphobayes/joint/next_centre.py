"""A centre not yet seen: both outcomes at once, with what is known of their correlation and without."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special

from kyphobayes.decisions import NEXT, number_in_next
from kyphobayes.findings import predict_counts
from kyphobayes.joint.correlation import ENDS
from kyphobayes.joint.likelihood import Array, Margins
from kyphobayes.joint.separate import Separate
from kyphobayes.names import MU, TAU, THETA_NEW

SIDES = ("leak", "fracture")
_TINY = 1e-12  # stands for 0, at which the formula divides


def normals_below(h: ArrayLike, k: ArrayLike, rho: ArrayLike) -> Array:
    """P(X < h, Y < k) of two standard normals with correlation rho, by Owen's T (Owen 1956, eq. 2.1).

    Parameters
    ----------
    h, k, rho : array_like
        Of shapes that fit; -1 < rho < 1.
    """
    h, k, rho = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (h, k, rho)))
    h, k = (np.where(x == 0, _TINY, x) for x in (h, k))
    rest = np.sqrt(1 - rho**2)
    first = special.owens_t(h, (k / h - rho) / rest)
    second = special.owens_t(k, (h / k - rho) / rest)
    return (special.ndtr(h) + special.ndtr(k)) / 2 - first - second - np.where(h * k < 0, 0.5, 0.0)


def both_below(margins: Margins, rho: ArrayLike, limits: tuple[float, float]) -> Array:
    """Probability that the next centre's leak rate and fracture share both lie below their limits.

    Parameters
    ----------
    margins : Margins
        s values.
    rho : array_like, shape (s,) or a number
    limits : (float, float)
        Shares, of leaks and of fractures.

    Returns
    -------
    ndarray, shape (s,)
    """
    leak, fracture = special.logit(limits)
    h = (leak - margins.mu_leak) / margins.tau_leak
    k = (fracture - margins.mu_fracture) / margins.tau_fracture
    return normals_below(h, k, rho)


def foretold(draws: Mapping[str, Array], apart: Separate, limits: tuple[float, float]) -> pd.DataFrame:
    """What the next centre will have, with both outcomes in one model and with each by itself.

    Parameters
    ----------
    draws : mapping of str to ndarray, shape (s,)
        Posterior of the joint model.
    apart : Separate
    limits : (float, float)
        Shares, of leaks and of fractures.

    Returns
    -------
    DataFrame
        Columns together, apart and difference. By themselves the two are independent, and the probability
        of both is the product.
    """
    margins = Margins(*(draws[f"{name}_{side}"] for side in SIDES for name in (MU, TAU)))
    leak, fracture = (
        float(p.cdf(THETA_NEW, special.logit(limit)))
        for p, limit in zip((apart.leak, apart.fracture), limits, strict=True)
    )
    one, two = (special.expit(draws[f"theta_{side}_new"]) for side in SIDES)
    expected = apart.fracture.theta_new.expectation(special.expit)
    below, above = f"below {100 * limits[0]:g} %", f"{100 * limits[0]:g} % or more"
    nothing = np.zeros_like(margins.mu_leak)
    rows = {
        f"P(leak rate {below})": (both_below(margins, nothing, (limits[0], 1 - 1e-16)).mean(), leak),
        f"P(fracture share below {100 * limits[1]:g} %)": (
            both_below(margins, nothing, (1 - 1e-16, limits[1])).mean(),
            fracture,
        ),
        "P(both)": (both_below(margins, draws["rho"], limits).mean(), leak * fracture),
        "expected fracture share": (two.mean(), expected),
        f"expected fracture share if the leak rate is {below}": (two[one < limits[0]].mean(), expected),
        f"expected fracture share if the leak rate is {above}": (two[one >= limits[0]].mean(), expected),
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["together", "apart"], dtype=float)
    table["difference"] = table["together"] - table["apart"]
    return table.rename_axis("next centre")


def compared(draws: Mapping[str, Array], apart: Separate) -> pd.DataFrame:
    """What modelling both at once changes for each outcome: rates as shares, spread in log odds.

    Returns
    -------
    DataFrame
        Median and 95 % interval by itself and in the joint model; `shift` is the change of the mean in
        posterior standard deviations, on the log odds scale.
    """
    rows: dict[str, dict[str, Any]] = {}
    for side, posterior, of in zip(
        SIDES, (apart.leak, apart.fracture), ("leak rate", "fracture share"), strict=True
    ):
        summary = posterior.summary()
        names = {
            f"{of}, typical centre": (MU, f"mu_{side}", special.expit),
            f"{of}, next centre": (THETA_NEW, f"theta_{side}_new", special.expit),
            f"tau, {side}s": (TAU, f"tau_{side}", np.asarray),
        }
        for name, (own, joint, scale) in names.items():
            row: Any = summary.loc[own]
            values = np.quantile(draws[joint], [0.5, *ENDS])
            rows[name] = dict(
                zip(
                    ("apart_median", "apart_low", "apart_high", "median", "low", "high"),
                    (float(scale(v)) for v in (row["median"], row["low"], row["high"], *values)),
                    strict=True,
                )
            )
            rows[name]["shift"] = float((draws[joint].mean() - row["mean"]) / row["sd"])
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("quantity")


def next_cases(draws: Mapping[str, Array], apart: Separate) -> pd.DataFrame:
    """Expected numbers among 20 levels and 20 patients of a centre not yet seen, with 95 % intervals."""
    rows = {}
    for side, posterior, of in zip(
        SIDES,
        (apart.leak, apart.fracture),
        ("leaks, levels", "patients with a new fracture, patients"),
        strict=True,
    ):
        number = predict_counts(posterior.theta_new, NEXT)
        together = number_in_next(special.expit(draws[f"theta_{side}_new"]))
        event, _, unit = of.partition(", ")
        rows[f"{event} in the next {NEXT} {unit}"] = (number.mean, *number.interval(), *together)
    columns = ["apart_mean", "apart_low", "apart_high", "mean", "low", "high"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("number")
