"""Reconstruction in a few plain lines, table by table: what the package is held against."""

import itertools

import numpy as np
from scipy.stats import chi2

from kyphobayes.effects import effect_size
from kyphobayes.effects.recover import back_transform
from kyphobayes.frequentist import pool
from kyphobayes.reconstruct import Constraints, Printed

ORDINARY = ("PR", "PLO", "PLN")


def asked(studies, figures=(), **changed):
    """Constraints with less ado."""
    given = dict(
        title="A paper", source="s", outcome="o", arm="a", unit="u", studies=tuple(studies), measure="PR",
        pooling="DL", zero_cells=0.5, why="", printed=tuple(figures), left_out=(),
    )  # fmt: skip
    return Constraints(**(given | changed))


def tables(n):
    """Every table."""
    return list(itertools.product(*(range(size + 1) for size in n)))


def pooled(method, events, n, level=0.95):
    """One group of studies by the assumed method, None if no study has a variance."""
    empty = any(e in (0, size) for e, size in zip(events, n, strict=True))
    y, v, used = [], [], []
    for e, size in zip(events, n, strict=True):
        e, size = float(e), float(size)
        everyone = method.corrected == "all" or (method.corrected == "if0all" and empty)
        mine = method.corrected == "only0" and e in (0, size)
        if method.measure in ORDINARY and method.zero_cells and (everyone or mine):
            e, size = e + method.zero_cells, size + 2 * method.zero_cells
        without = {"PR": e in (0, size), "PLO": e in (0, size), "PLN": e in (0, size)}
        if without.get(method.measure, False):
            continue
        one = effect_size(method.measure, {"events": [e], "n": [size]}, to="none")
        y.append(one.y[0])
        v.append(one.v[0])
        used.append(size)
    if not y:
        return None
    found = pool(y, v, method=method.pooling, test=method.test, level=level)
    if method.measure == "PFT":
        harmonic = len(used) / sum(1 / size for size in used)
        return found, lambda x: float(back_transform("PFT", x, n=harmonic))
    return found, lambda x: float(back_transform(method.measure, x))


def value(method, quantity, events, n, level=0.95):
    """What the paper would print about one group of studies."""
    rates = [e / size for e, size in zip(events, n, strict=True)]
    plain = {
        "events": sum(events), "rate": sum(events) / sum(n), "lowest_rate": min(rates),
        "highest_rate": max(rates), "studies_without_events": sum(e == 0 for e in events),
    }  # fmt: skip
    if quantity in plain:
        return plain[quantity]
    if (group := pooled(method, events, n, level)) is None:
        return np.nan
    found, back = group
    if quantity in ("ci_low", "ci_high"):
        return min(max(back(getattr(found, quantity)), 0.0), 1.0)
    i2 = found.i2
    if method.i2_from == "Q":
        i2 = 100 * (found.q - found.q_df) / found.q if found.q > found.q_df > 0 else 0.0
    p = chi2.sf(found.q, found.q_df) if found.q_df else 1.0
    return {"pooled": back(found.mu), "I2": i2, "tau2": found.tau2, "Q": found.q, "p_heterogeneity": p}[
        quantity
    ]


def printed(quantity, studies, number, digits, **more):
    """A figure as a paper prints it, rounded to so many digits; shares in percent."""
    shares = ("pooled", "rate", "lowest_rate", "highest_rate", "ci_low", "ci_high")
    scale = 100 if quantity in shares else 1
    text = f"{scale * number:.{digits}f}"
    half = 0.5 * 10.0**-digits
    low, high = (float(text) - half) / scale, (float(text) + half) / scale
    return Printed(quantity, tuple(studies), low, high, f"{quantity} {text}", "somewhere", value=text, **more)


def brute(method, n, figures, tolerance=1e-7):
    """Tables that agree with every figure: surely, and perhaps; they differ at the ends of a rounding."""
    sure, perhaps = set(), set()
    for table in tables(n):
        inside, outside = True, False
        for figure in figures:
            places = [method.studies.index(study) for study in figure.studies]
            number = value(
                method, figure.quantity, [table[c] for c in places], [n[c] for c in places], figure.level
            )
            inside &= figure.low + tolerance <= number <= figure.high - tolerance
            outside |= not figure.low - tolerance <= number <= figure.high + tolerance
            if outside:
                break
        if not outside:
            perhaps.add(table)
            sure |= {table} if inside else set()
    return sure, perhaps
