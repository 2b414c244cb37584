"""Checks of an answer on vertebrae: against replicated patients, and against plain methods."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from kyphobayes.checks import Check
from kyphobayes.checks.features import Feature, replicated
from kyphobayes.checks.witnessed import witnessed
from kyphobayes.evidence import VertebraAngles
from kyphobayes.vertebrae.population import Array, Simulated
from kyphobayes.vertebrae.quantities import NEW, patient_means
from kyphobayes.vertebrae.relief import correlation
from kyphobayes.vertebrae.witness import clustered_mean, fisher_interval

ROBUST = "mean change, cluster-robust by patient"
PEARSON = "Pearson of relief with correction"


def replicated_patients(evidence: VertebraAngles, simulated: Simulated) -> Check:
    """Hold features of angles and scores against those of new patients with the same vertebrae.

    Parameters
    ----------
    evidence : VertebraAngles
    simulated : Simulated
        With the evidence's vertebrae; the first copy of each draw is used, and what is not printed is left
        out of it too.
    """
    before, after, scores = simulated.before[:, 0], simulated.after[:, 0], simulated.scores[:, 0]
    own = _features(evidence, evidence.before, evidence.after, evidence.scores)
    many = _features(evidence, before, after, scores.astype(float))
    return replicated([Feature(name, float(own[name]), many[name]) for name in own], "patients")


def _features(evidence: VertebraAngles, before: Array, after: Array, scores: Array) -> dict[str, Any]:
    """Numbers read off one set of data or, along the first axis, off many."""
    pairs = evidence.pairs
    change = np.full(np.shape(after), np.nan)
    change[..., pairs] = (after - before)[..., pairs]
    printed = change[..., pairs]
    means = patient_means(change, evidence.averaging)
    there = np.isfinite(patient_means(evidence.after - evidence.before, evidence.averaging))
    fall = scores[..., 0] - scores[..., 1]
    start = before[..., evidence.read_before]
    whole = np.rint(after[..., pairs]) - np.rint(before[..., pairs])  # nearly all are printed so
    found: dict[str, Any] = {
        "mean angle before": start.mean(axis=-1),
        "standard deviation of the angle before": start.std(axis=-1, ddof=1),
        "mean change": printed.mean(axis=-1),
        "standard deviation of the change": printed.std(axis=-1, ddof=1),
        "largest rise": printed.max(axis=-1),
        "largest fall": -printed.min(axis=-1),
        "changes of at most 1 whole degree": (np.abs(whole) <= 1).sum(axis=-1),
        "correlation of change with the angle before": correlation(before[..., pairs], printed),
        "correlation of relief with correction": correlation(-means[..., there], fall[..., there]),
    }
    for time, name in enumerate(("before", "after")):
        found[f"mean score {name}"] = scores[..., time].mean(axis=-1)
        found[f"standard deviation of scores {name}"] = scores[..., time].std(axis=-1, ddof=1)
    return found


def plain(evidence: VertebraAngles) -> pd.DataFrame:
    """What plain methods say: columns estimate, low, high (95 %), p and n.

    The correlations are given without the patient of the most unusual change, too.
    """
    change = evidence.after - evidence.before
    fall = evidence.scores[:, 0] - evidence.scores[:, 1]
    printed, cluster = change[evidence.pairs], evidence.patient[evidence.pairs]
    means = patient_means(change, evidence.averaging)
    there = np.flatnonzero(np.isfinite(means))
    rows = {}
    for name, values, groups in (
        ("mean change, vertebrae as if independent", printed, np.arange(len(printed))),
        (ROBUST, printed, cluster),
        ("mean change, means of patients", means[there], there),
    ):
        mean, interval, p = clustered_mean(values, groups)
        rows[name] = (mean, *interval, p, len(values))
    unusual = cluster[np.argmax(np.abs(printed - np.median(printed)))]
    for note, stay in (
        ("", there),
        (f", without patient {evidence.patients[unusual]}", there[there != unusual]),
    ):
        for name, method in (("Pearson", stats.pearsonr), ("Spearman", stats.spearmanr)):
            found: Any = method(-means[stay], fall[stay])
            ends = fisher_interval(found.statistic, len(stay)) if name == "Pearson" else (np.nan, np.nan)
            rows[f"{name} of relief with correction{note}"] = (
                found.statistic,
                *ends,
                found.pvalue,
                len(stay),
            )
    columns = ["estimate", "low", "high", "p", "n"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("method")


def witnesses(draws: Mapping[str, Array], table: pd.DataFrame, others: pd.DataFrame) -> tuple[Check, Check]:
    """Hold the mean change and the correlation against the plain estimates in the table of `plain`.

    `others` has the medians by case and quantity.
    """
    found = []
    for quantity, row, method, reason in (
        ("mean change", ROBUST, "plain mean with a cluster-robust interval",
         "expected, because one vertebra that changes unlike the others moves the plain mean, and Student’s "
         "mean by little"),
        (NEW, PEARSON, "Pearson correlation with Fisher’s interval",
         "expected, because errors of reading and the prior draw the correlation of so few patients to 0"),
    ):  # fmt: skip
        moved = np.ptp(others.xs(quantity, level="quantity")["median"]) / draws[quantity].std(ddof=1)
        estimate, low, high = table.loc[[row], ["estimate", "low", "high"]].to_numpy(dtype=float)[0]
        check = witnessed(
            quantity, draws[quantity], estimate, (low, high), method,
            prior_range=float(moved), expected=reason,
        )  # fmt: skip
        name = f"agreement, {quantity.partition(',')[0]}"
        found.append(Check(name, check.passed, check.text, check.table))
    return found[0], found[1]
