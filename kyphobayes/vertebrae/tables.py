"""Tables of an answer on vertebrae and their patients, in full numbers."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from kyphobayes.evidence import VertebraAngles
from kyphobayes.pain.quantities import summarised
from kyphobayes.priors import Priors
from kyphobayes.vertebrae.population import Array
from kyphobayes.vertebrae.quantities import NEW, RANK, THESE, patient_means
from kyphobayes.vertebrae.witness import fisher_interval

_ENDS = (0.5, 0.025, 0.975)


def stacked(posterior: xr.Dataset, name: str) -> Array:
    """Draws of a variable, chain after chain, along the first axis."""
    return posterior[name].stack(sample=("chain", "draw")).transpose("sample", ...).values


def correlation_table(
    draws: Mapping[str, Array],
    before: Mapping[str, Array],
    observed: pd.Series,
    evidence: VertebraAngles,
    weak: float,
) -> pd.DataFrame:
    """What is known of the correlation of relief with correction, and what was before the data.

    Parameters
    ----------
    draws, before : dict of str to ndarray, shape (s,)
        By `kyphobayes.vertebrae.quantities`, of the posterior and of the prior.
    observed : Series
        The same in the printed readings, with Fisher's interval for the first.
    evidence : VertebraAngles
    weak : float
        Below which a correlation counts as weak.
    """
    table = summarised({name: draws[name] for name in (NEW, RANK, THESE)})
    for column, source in (("p_weak", draws), ("prior_p_weak", before)):
        table[column] = [np.mean(np.abs(source[str(name)]) < weak) for name in table.index]
    table["p_positive"] = [np.mean(draws[str(name)] > 0) for name in table.index]
    table["observed"] = observed
    low, high = fisher_interval(observed[NEW], len(np.unique(evidence.patient[evidence.pairs])))
    table.loc[NEW, ["observed_low", "observed_high"]] = low, high
    return table.rename_axis("relief with correction")


def vertebra_table(posterior: xr.Dataset, evidence: VertebraAngles, degrees: float) -> pd.DataFrame:
    """Angles of each vertebra, its true change, and its weight.

    A weight far below 1 marks a change unlike the others; `p_falls` is the probability of a fall by so many
    degrees or more.
    """
    true, weight = stacked(posterior, "true_change"), stacked(posterior, "weight")
    middle, low, high = np.quantile(true, _ENDS, axis=0)
    return pd.DataFrame(
        {
            "region": [evidence.regions[place] for place in evidence.region],
            "before": evidence.before,
            "after": evidence.after,
            "printed change": evidence.after - evidence.before,
            "median": middle,
            "low": low,
            "high": high,
            "p_falls": (true <= -degrees).mean(axis=0),
            "weight": np.median(weight, axis=0),
        },
        index=pd.Index(evidence.labels, name="vertebra"),
    )


def patient_table(posterior: xr.Dataset, evidence: VertebraAngles) -> pd.DataFrame:
    """Mean change of each patient's vertebrae, printed and true, and the patient's pain."""
    middle, low, high = np.quantile(stacked(posterior, "patient_change"), _ENDS, axis=0)
    before, after = evidence.scores.T
    return pd.DataFrame(
        {
            "vertebrae": np.bincount(evidence.patient),
            "printed change": patient_means(evidence.after - evidence.before, evidence.averaging),
            "median": middle,
            "low": low,
            "high": high,
            "pain before": before,
            "pain after": after,
            "relief": before - after,
        },
        index=pd.Index(evidence.patients, name="patient"),
    )


def learned(posterior: xr.Dataset, priors: Priors) -> pd.DataFrame:
    """Each parameter before and after the data.

    `width` is that of its 95 % interval over that of the prior's: near 1 the prior comes back.
    """
    rows = {}
    for name, prior in priors.entries:
        was = prior.quantile(_ENDS)
        values = stacked(posterior, name)
        labels = posterior[posterior[name].dims[-1]].values if values.ndim > 1 else [""]
        for label, column in zip(labels, values.reshape(len(values), -1).T, strict=True):
            now = np.quantile(column, _ENDS)
            rows[f"{name} {label}".strip()] = (*was, *now, (now[2] - now[1]) / (was[2] - was[1]))
    columns = ["prior_median", "prior_low", "prior_high", "median", "low", "high", "width"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("parameter")


def who(evidence: VertebraAngles) -> pd.DataFrame:
    """Every vertebra and patient, in or out, with what is known of each."""
    rows = [
        (f"vertebra {label}", "in", note) for label, note in zip(evidence.labels, evidence.notes, strict=True)
    ]
    for row in evidence.excluded.to_dict("records"):
        rows.append((f"vertebra {row['patient']:.0f} {row['vertebra']}", "out", row["reason"]))
    paired = set(evidence.patient[evidence.pairs])
    for place, name in enumerate(evidence.patients):
        note = "pain before and after; "
        note += (
            "change of the angle printed"
            if place in paired
            else "no change of an angle is printed: integrated out"
        )
        rows.append((f"patient {name}", "in", note))
    return pd.DataFrame(rows, columns=["unit", "status", "reason"])
