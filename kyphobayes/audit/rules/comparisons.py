"""Rules that test: paired values, a correlation, two rates."""

import numpy as np
import pandas as pd
from scipy import stats

from kyphobayes.audit.rounding import decimals, plain
from kyphobayes.audit.rules.found import Case, Found
from kyphobayes.errors import EvidenceError

ALPHA = 0.05
_EXPECTED = ("difference", "none")


def paired(case: Case) -> Found:
    """Paired t test and Wilcoxon's signed-rank test of two columns."""
    rows = case.rows()
    before, after = (case.column(rows, case.get(name)) for name in ("before", "after"))
    both = pd.DataFrame({"before": before, "after": after}).dropna()
    change = (both["after"] - both["before"]).to_numpy()
    if change.size < 3 or np.ptp(change) == 0:
        raise EvidenceError(f"{case.where}: a paired test needs three pairs or more that differ")
    t = stats.ttest_1samp(change, 0.0)
    w = stats.wilcoxon(change, method="approx", correction=False)
    words = (
        f"{change.size} pairs, mean change {decimals(change.mean(), 2)} "
        f"(SD {decimals(change.std(ddof=1), 2)}): "
        f"t = {decimals(float(t.statistic), 2)}, p = {_p(t.pvalue)}; Wilcoxon p = {_p(w.pvalue)}"
    )
    return _tested(case, [float(t.pvalue), float(w.pvalue)], words)


def correlation(case: Case) -> Found:
    """Correlation over patients of a change in one table with the mean change in another."""
    key = case.get("key")
    changes = []
    for side in ("first", "second"):
        inner = Case(
            case.project, case.where, case.row, case.figures, case.references, case.get(side), case.read
        )
        rows = inner.rows()
        change = inner.column(rows, inner.get("after")) - inner.column(rows, inner.get("before"))
        changes.append(change.groupby(rows[key]).mean())
    both = pd.concat(changes, axis=1, keys=["first", "second"]).dropna()
    if len(both) < 4 or (np.ptp(both.to_numpy(), axis=0) == 0).any():
        raise EvidenceError(f"{case.where}: a correlation needs four pairs or more that differ")
    r = stats.pearsonr(both["first"], both["second"])
    rho = stats.spearmanr(both["first"], both["second"])
    words = (
        f"{len(both)} {case.get('noun', 'pairs')}: "
        f"r = {decimals(float(r.statistic), 2)} (p = {_p(r.pvalue)}), "
        f"Spearman {decimals(float(rho.statistic), 2)} (p = {_p(rho.pvalue)})"
    )
    return _tested(case, [float(r.pvalue), float(rho.pvalue)], words)


def two_rates(case: Case) -> Found:
    """Fisher's exact test of the events of two arms, for each study and for all together."""
    table = case.table(case.get("table"))
    studies, (first, second) = case.studies(), case.get("arms")
    total, words, values = np.zeros((2, 2)), [], []
    for study in studies:
        cells = np.array([_counts(case, table, study, arm) for arm in (first, second)])
        total += cells
        values.append(float(stats.fisher_exact(cells).pvalue))
        words.append(f"{case.label(study)} {_rates(cells)}, p = {_p(values[-1])}")
    if len(studies) > 1:
        values.append(float(stats.fisher_exact(total).pvalue))
        words.append(f"together {_rates(total)}, p = {_p(values[-1])}")
    return _tested(case, values, f"Fisher's exact test, {first} against {second}: " + "; ".join(words))


def _counts(case: Case, table: pd.DataFrame, study: str, arm: str) -> tuple[float, float]:
    row = table[(table["study_id"] == study) & (table["arm"] == arm)]
    if len(row) != 1 or row[["events", "n"]].isna().any(axis=None):
        raise EvidenceError(f"{case.where}: expected one count for {study}, {arm}, found {len(row)}")
    events, n = float(row["events"].iloc[0]), float(row["n"].iloc[0])
    return events, n - events


def _rates(cells: np.ndarray) -> str:
    return " against ".join(f"{plain(a)}/{plain(a + b)}" for a, b in cells)


def _tested(case: Case, values: list[float], words: str) -> Found:
    """Whether tests say what the paper does: a difference, or none."""
    expected = case.get("expects")
    if expected not in _EXPECTED:
        raise EvidenceError(f"{case.where}: expected expects to be difference or none, found {expected!r}")
    found = [p < ALPHA for p in values]
    holds = all(found) if expected == "difference" else not any(found)
    shown = "a difference" if all(found) else "no difference" if not any(found) else "tests disagree"
    return Found(holds=holds, arithmetic=words, shown=f"{shown} at p < {ALPHA:g}")


def _p(value: float) -> str:
    return f"{value:.2g}" if value >= 1e-4 else f"{value:.0e}"
