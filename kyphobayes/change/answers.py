"""Tables of the answer: quantities in points, what is learned, what a control arm leaves of the change."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from kyphobayes.change.draws import Draws
from kyphobayes.change.integrated import true_values
from kyphobayes.change.patient import new_patients, new_sds, normal_chance
from kyphobayes.evidence import PrePostMeans
from kyphobayes.evidence.pre_post_means import TIMES
from kyphobayes.evidence.views import Array
from kyphobayes.names import PROB
from kyphobayes.priors import Priors

_QUANTILES = [0.5, (1 - PROB) / 2, (1 + PROB) / 2]
_COLUMNS = ["mean", "sd", "median", "low", "high"]
LEARNED = ("mu", "tau", "mu_before", "tau_before", "slope", "fisher_z", "log_sd", "tau_sd")


def quantities(draws: Draws, top: float, falls: Sequence[float], seed: int) -> dict[str, Array]:
    """Draws of what people read, in points of the scale."""
    rng = np.random.default_rng([seed, 8])
    sd = np.exp(draws.log_sd)
    change = np.sqrt((sd[:, 0] - sd[:, 1]) ** 2 + 2 * (1 - draws.r) * sd[:, 0] * sd[:, 1])
    chances = new_patients(draws, top, falls, rng)
    found = {
        "mean change, typical centre": draws.mu,
        "mean change, next centre": draws.theta_new,
        "level before, typical centre": draws.mu_before,
        "level after, typical centre": draws.mu_before + draws.mu,
        "SD between centres’ changes": draws.spread,
        "SD between centres’ levels before": draws.tau_before,
        "slope of change on level before": draws.slope,
        "SD of patients before, typical centre": sd[:, 0],
        "SD of patients after, typical centre": sd[:, 1],
        "SD of patients’ changes, typical centre": change,
        "correlation of a patient’s two values": draws.r,
    }
    return found | {
        f"P(new patient improves by {fall:g} or more)": chances[:, j] for j, fall in enumerate(falls)
    }


def summarised(found: Mapping[str, Array]) -> pd.DataFrame:
    """Mean, SD, median and interval of each quantity."""
    rows = {name: [x.mean(), x.std(ddof=1), *np.quantile(x, _QUANTILES)] for name, x in found.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=_COLUMNS).rename_axis("quantity")


def observed(evidence: PrePostMeans) -> dict[str, float]:
    """Plain means of what is printed, where that means anything: every series counts the same."""
    before = evidence.before[evidence.both]
    sd = [np.exp(np.nanmean(np.log(row))) if np.isfinite(row).any() else np.nan for row in evidence.sd]
    found = {
        "mean change, typical centre": float(evidence.change.mean()),
        "level before, typical centre": float(before.mean()),
        "level after, typical centre": float((before + evidence.change[evidence.both]).mean()),
        "SD between centres’ changes": float(evidence.change.std(ddof=1)),
        "SD of patients before, typical centre": float(sd[0]),
        "SD of patients after, typical centre": float(sd[1]),
    }
    if len(before) > 1:
        found["SD between centres’ levels before"] = float(before.std(ddof=1))
    if len(evidence.paired):
        found["correlation of a patient’s two values"] = float(np.tanh(evidence.fisher_z.mean()))
    return found


def study_table(draws: Draws, evidence: PrePostMeans, seed: int) -> pd.DataFrame:
    """Every study: the level and change it prints, and its true change and level before by the model.

    `half` is half the width of the change's 95 % interval by the study itself, doubt about an SD that is
    not printed included.
    """
    rng = np.random.default_rng([seed, 9])
    before, theta = true_values(draws, evidence, rng)
    error = np.sqrt(draws.variance(evidence)) * rng.standard_normal((len(draws.mu), evidence.k))
    frame = pd.DataFrame(
        {
            "time": evidence.when,
            "before": evidence.before,
            "change": evidence.change,
            "half": np.quantile(np.abs(error), PROB, axis=0),
        },
        index=pd.Index(evidence.labels, name="study"),
    )
    for name, values in (("true_change", theta), ("true_before", before)):
        frame[[name, f"{name}_low", f"{name}_high"]] = np.quantile(values, _QUANTILES, axis=0).T
    return frame


def spread_table(draws: Draws, evidence: PrePostMeans) -> pd.DataFrame:
    """Patients and SDs of every study: as printed, and by the model with its uncertainty."""
    frame = pd.DataFrame(
        {"n_least": evidence.n_least, "n_most": evidence.n_most},
        index=pd.Index(evidence.labels, name="study"),
    )
    for place, time in enumerate(TIMES):
        frame[f"printed_{time}"] = evidence.sd[place]
        names = [f"sd_{time}", f"sd_{time}_low", f"sd_{time}_high"]
        frame[names] = np.quantile(draws.sd[:, place], _QUANTILES, axis=0).T
    return frame


def learned(fit: xr.DataTree, priors: Priors) -> pd.DataFrame:
    """Posterior and prior interval of every parameter, and the ratio of their widths."""
    posterior = fit["posterior"].dataset
    rows = {}
    for name in LEARNED:
        prior = priors[name].quantile(np.array(_QUANTILES))
        for label, values in _parts(posterior[name], name):
            median, low, high = np.quantile(values, _QUANTILES)
            rows[label] = [median, low, high, *prior, (high - low) / (prior[2] - prior[1])]
    columns = ["median", "low", "high", "prior_median", "prior_low", "prior_high", "width_ratio"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("parameter")


def _parts(values: xr.DataArray, name: str) -> list[tuple[str, Array]]:
    if "time" not in values.dims:
        return [(name, values.values.ravel())]
    return [(f"{name}, {time}", values.sel(time=time).values.ravel()) for time in values["time"].values]


def what_remains(draws: Draws, control: Mapping[str, float], falls: Sequence[float]) -> pd.DataFrame:
    """What a control arm, and regression to the mean, would leave of the typical change.

    Parameters
    ----------
    draws : Draws
    control : mapping
        As from `kyphobayes.evidence.pre_post_rows.control_changes`; empty for none.
    falls : sequence of float

    Returns
    -------
    DataFrame
        Columns median, low, high, in points; the last rows say how far above their usual level patients
        would have had to be when they were measured before treatment, so that the fall that is left is no
        longer certain (95 %) to reach a threshold.
    """
    rows = {"typical change as it is": np.quantile(draws.mu, _QUANTILES)}
    if control and np.isfinite(control["factor"]):
        less = draws.mu - control["control"] * control["factor"]
        rows["less the control arm’s change"] = np.quantile(less, _QUANTILES)
    most = -float(np.quantile(draws.mu, PROB))
    for fall in falls:
        rows[f"regression to the mean that leaves {fall:g} in doubt"] = np.array(
            [most - fall, np.nan, np.nan]
        )
    return pd.DataFrame.from_dict(rows, orient="index", columns=["points", "low", "high"]).rename_axis("what")


def patient_table(draws: Draws, top: float, falls: Sequence[float], seed: int) -> pd.DataFrame:
    """A new patient's chance by bounded scores, and by a normal distribution without ends."""
    chances = new_patients(draws, top, falls, np.random.default_rng([seed, 8]))
    plain = normal_chance(draws, new_sds(draws, np.random.default_rng([seed, 8])), falls)
    rows = {}
    for place, fall in enumerate(falls):
        for name, values in (("on the scale", chances[:, place]), ("normal, without ends", plain[:, place])):
            median, low, high = np.quantile(values, _QUANTILES)
            rows[f"{fall:g} or more", name] = [values.mean(), median, low, high]
    index = pd.MultiIndex.from_tuples(rows, names=["fall", "by"])
    return pd.DataFrame(list(rows.values()), index=index, columns=["probability", "median", "low", "high"])


def beyond_the_scale(draws: Draws, top: float) -> float:
    """Share of draws in which the next centre's mean after treatment lies beyond the scale."""
    after = draws.before_new + draws.theta_new
    return float(np.mean((after < 0) | (after > top)))
