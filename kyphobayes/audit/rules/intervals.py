"""Rules about a printed estimate, its interval, its p value and its I-squared."""

import math
from collections.abc import Callable

import numpy as np
from scipy import optimize

from kyphobayes.audit.intervals import centred as centred_test
from kyphobayes.audit.intervals import p_from_interval, read_p
from kyphobayes.audit.rounding import Rounded, decimals, rounded
from kyphobayes.audit.rules.found import Case, Found
from kyphobayes.audit.rules.sizes import arms
from kyphobayes.audit.tested import INCONSISTENT, SUSPECT
from kyphobayes.errors import EvidenceError, InputError

_Z = 1.959964  # two-sided 95 %


def centred(case: Case) -> Found:
    """Ask whether the interval is printed in order and lies around the estimate."""
    row = case.row
    printed = str(row["estimate"]), str(row["ci_low"]), str(row["ci_high"])
    found = _guarded(case, lambda: centred_test(*printed, scale=case.get("scale", "raw")))
    reading = "the limits are printed in reverse order" if found.verdict == SUSPECT else ""
    middle = sum(float(rounded(x).value) for x in printed[1:]) / 2
    shown = f"middle {decimals(middle, rounded(printed[0]).digits + 1)}"
    if case.get("scale", "raw") != "raw":
        shown = found.arithmetic.partition(" = ")[2].partition(",")[0]
    return Found(
        holds=found.verdict != INCONSISTENT, arithmetic=found.arithmetic, shown=shown, reading=reading
    )


def p_value(case: Case) -> Found:
    """Ask whether the printed p value is the one that the interval implies."""
    row = case.row
    printed = str(row["p_value"])
    if "sign" in case.settings:
        printed = f"{case.get('sign')} {printed.lstrip('=<> ')}"
    p = _guarded(case, lambda: read_p(printed))
    at, least, most = _guarded(
        case, lambda: p_from_interval(str(row["estimate"]), str(row["ci_low"]), str(row["ci_high"]))
    )
    ends = f"{_p(least)} to {_p(most)}"
    width = abs(float(row["ci_high"]) - float(row["ci_low"]))
    error = width / (2 * _Z)
    words = (
        f"SE = {width:.4g}/3.92 = {error:.3g}, z = {abs(float(row['estimate'])) / error:.2f}, p = {_p(at)}"
    )
    words += f" (rounding allows {ends})" if _p(least) != _p(most) else ""
    return Found(holds=p.allows(least, most), arithmetic=words, shown=f"p = {_p(at)}")


def width(case: Case) -> Found:
    """Recompute the width of a DerSimonian-Laird interval of two standardised differences.

    With two studies everything but their difference drops out: I2 gives Q = 1/(1 - I2), and
    tau2 = (Q - 1)(v1 + v2)/2 (DerSimonian and Laird 1986), v_i = 2/n_i + d^2/(4 n_i) the variance of a
    difference between two groups of n_i, which a value before and after in the same n_i is not.
    """
    sizes = [float(x) for x in arms(case).arithmetic.partition(" = ")[0].split(" + ")]
    if len(sizes) != 2 or not str(case.row["i2"]):
        raise EvidenceError(f"{case.where}: the rule needs two studies and an I2")
    d, i2 = rounded(case.row["estimate"]), rounded(case.row["i2"])
    ends = sorted((rounded(case.row[name]) for name in ("ci_low", "ci_high")), key=lambda end: end.value)
    printed = float(ends[1].value - ends[0].value)
    allowed = float(ends[1].low - ends[0].high), float(ends[1].high - ends[0].low)

    def wide(share: float, times: float = 1.0, at: float = float(d.value)) -> float:
        return 2 * _Z * _error(np.array(sizes) * times, at, share)

    shares = _shares(i2)
    recomputed = wide(float(i2.value) / 100)
    least, most = wide(shares[0]), wide(shares[1])
    holds = least <= allowed[1] and allowed[0] <= most
    middle = float(d.value)
    shown = f"{decimals(middle - recomputed / 2, 2)} to {decimals(middle + recomputed / 2, 2)}"
    words = (
        f"two groups of {sizes[0]:g} and {sizes[1]:g} levels before and after, I² {i2.text} %: "
        f"SE {decimals(recomputed / 2 / _Z, 4)}, so {shown}, {decimals(recomputed, 2)} wide; printed "
        f"{ends[0].text} to {ends[1].text}, {decimals(printed, 2)} wide"
    )
    if not holds:
        times = float(optimize.brentq(lambda x: wide(float(i2.value) / 100, x) - printed, 0.01, 100.0))
        words += f"; that width takes {times * sum(sizes):.0f} levels in place of {sum(sizes):.0f}"
    reading = "values before and after were taken as two independent groups"
    return Found(holds=holds, arithmetic=words, shown=shown, reading=reading)


def _shares(i2: Rounded) -> tuple[float, float]:
    return max(float(i2.low), 0.0) / 100, float(i2.high) / 100


def _error(n: np.ndarray, d: float, i2: float) -> float:
    v = 2 / n + d**2 / (4 * n)
    tau2 = (1 / (1 - i2) - 1) * v.sum() / 2 if i2 > 0 else 0.0
    return math.sqrt(1 / (1 / (v + tau2)).sum())


def _guarded[T](case: Case, test: Callable[[], T]) -> T:
    """Run a test on printed numbers; what is wrong with them is said with the place in the rules."""
    try:
        return test()
    except InputError as problem:
        raise EvidenceError(f"{case.where}: {problem}") from None


def _p(value: float) -> str:
    return f"{value:.3g}" if value >= 1e-4 else f"{value:.0e}" if value > 1e-99 else "under 1e-99"
