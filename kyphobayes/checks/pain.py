"""Checks of a model of pain scores: replicated patients, leave-one-patient-out, and a witness."""

import warnings
from typing import Any

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from kyphobayes.checks.agreement import SD_BOUND, SD_LIMIT
from kyphobayes.checks.check import Check
from kyphobayes.checks.predictive import EXTREME

TIMES = ("before", "after", "late")
K_BOUND = 0.7  # above it importance sampling is not to be trusted (Vehtari et al. 2024)


def replicated_scores(observed: NDArray[np.float64], replicated: NDArray[np.int_]) -> Check:
    """Compare features of the printed scores with those of new patients with the same covariates.

    Parameters
    ----------
    observed : ndarray, shape (n, 3)
        NaN where no score is printed; the same places are left out of the replicates.
    replicated : ndarray, shape (s, n, 3)
        Patient effects drawn anew (mixed predictive check; Gelman, Meng and Stern 1996).

    Returns
    -------
    Check
        One row per feature: observed, replicated mean and 95 % interval, and mid-p-value.
    """
    rows = {}
    for time, name in enumerate(TIMES):
        there = np.isfinite(observed[:, time])
        own, many = observed[there, time], replicated[:, there, time]
        for feature, count in (
            ("mean", lambda y: y.mean(axis=-1)),
            ("standard deviation", lambda y: y.std(axis=-1, ddof=1)),
            ("scores of 0", lambda y: (y == 0).sum(axis=-1)),
            ("scores of 3 or less", lambda y: (y <= 3).sum(axis=-1)),
            ("highest", lambda y: y.max(axis=-1)),
        ):
            rows[f"{feature}, {name}"] = _row(float(count(own)), count(many))
    fall, falls = observed[:, 0] - observed[:, 1], replicated[..., 0] - replicated[..., 1]
    rows["smallest fall, before to after"] = _row(float(fall.min()), falls.min(axis=-1))
    rows["standard deviation of the fall"] = _row(float(fall.std(ddof=1)), falls.std(axis=-1, ddof=1))
    columns = ["observed", "replicated", "low", "high", "p"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("feature")
    extreme = table[(table["p"] < EXTREME) | (table["p"] > 1 - EXTREME)]
    if extreme.empty:
        text = f"replicated patients look like the observed in {len(table)} features"
    else:
        worst = extreme.iloc[0]
        text = (
            f"replicated patients do not look like the observed: {extreme.index[0]} is "
            f"{worst['observed']:.3g}, replicated {worst['low']:.3g} to {worst['high']:.3g}"
        )
    return Check("posterior predictive", extreme.empty, text, table)


def left_out(log_likelihood: NDArray[np.float64], labels: list[str]) -> Check:
    """Leave one patient out, by Pareto-smoothed importance sampling of the integrated likelihood.

    Parameters
    ----------
    log_likelihood : ndarray, shape (s, n)
        Of each patient, patient effects integrated out.
    labels : list of str

    Returns
    -------
    Check
        One row per patient: elpd and Pareto k. It passes where k <= 0.7 for every patient.
    """
    coords = {"patient": labels}
    values = xr.DataArray(log_likelihood[None], dims=("chain", "draw", "patient"), coords=coords)
    tree = xr.DataTree.from_dict({"/log_likelihood": xr.Dataset({"score": values})})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a large k, which the check itself is about
        found: Any = az.loo(tree, pointwise=True, reff=1.0)
    table = pd.DataFrame(
        {"elpd": found.elpd_i.values, "pareto_k": found.pareto_k.values},
        index=pd.Index(labels, name="patient"),
    )
    worst, hardest = table["pareto_k"].idxmax(), table["elpd"].idxmin()
    text = (
        f"leaving out each patient in turn, elpd {found.elpd:.1f} (standard error {found.se:.1f}), effective "
        f"parameters {found.p:.1f}, largest Pareto k {table['pareto_k'].max():.2f} (patient {worst}); least "
        f"expected is patient {hardest}"
    )
    return Check("leave-one-patient-out", bool((table["pareto_k"] <= K_BOUND).all()), text, table)


def paired_witness(
    pre: NDArray[np.float64], post: NDArray[np.float64], change: NDArray[np.float64], prior_range: float
) -> Check:
    """Hold the posterior of the mean change against the plain paired mean and its t interval.

    Parameters
    ----------
    pre, post : ndarray, shape (n,)
    change : ndarray, shape (s,)
        Draws of the mean of post - pre.
    prior_range : float
        How far the posterior median moves over the prior sets, in posterior standard deviations.

    Returns
    -------
    Check
        A difference beyond half a posterior standard deviation passes only where the prior is known to
        matter as much, and then the text says so; one beyond two never does.
    """
    fall = post - pre
    error = stats.sem(fall)
    low, high = stats.t.interval(0.95, len(fall) - 1, loc=fall.mean(), scale=error)
    apart = float((change.mean() - fall.mean()) / change.std(ddof=1))
    quantiles = np.quantile(change, [0.025, 0.975])
    table = pd.DataFrame(
        {
            "mean": [change.mean(), fall.mean()],
            "low": [quantiles[0], low],
            "high": [quantiles[1], high],
        },
        index=pd.Index(["model", "paired t interval"], name="by"),
    )
    text = (
        f"mean change from before to after {change.mean():.2f} by the model and {fall.mean():.2f} by the "
        f"plain mean ({low:.2f} to {high:.2f}), {abs(apart):.2f} posterior standard deviations apart"
    )
    close = abs(apart) <= SD_BOUND
    if not close and prior_range > SD_BOUND:
        text += f"; the prior matters: it moves by {prior_range:.1f} over the prior sets"
    excused = prior_range > SD_BOUND and abs(apart) <= SD_LIMIT
    return Check("agreement", close or excused, text, table)


def _row(observed: float, replicated: NDArray) -> tuple[float, ...]:
    p = float(np.mean(replicated > observed) + np.mean(replicated == observed) / 2)
    low, high = np.quantile(replicated, [0.025, 0.975])
    return observed, float(replicated.mean()), float(low), float(high), p
