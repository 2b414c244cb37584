"""Rules that count and average the rows of a table."""

import math

import numpy as np
import pandas as pd

from kyphobayes.audit.grim import totals
from kyphobayes.audit.percentages import possible_n
from kyphobayes.audit.rounding import decimals, plain, rounded
from kyphobayes.audit.rules.found import Case, Found
from kyphobayes.errors import EvidenceError, InputError

_LISTED = 8  # names that are written out


def count(case: Case) -> Found:
    """Count rows that meet conditions."""
    rows, every = case.rows(), case.rows("of_")
    noun = case.get("noun", "rows")
    found = f"{len(rows)} of {len(every)} {noun}"
    shown = f"{len(rows)} of {len(every)}" if case.get("proportion", 0) else ""
    return Found(value=float(len(rows)), arithmetic=found + _names(case, rows), shown=shown)


def percent(case: Case) -> Found:
    """Percentage of rows that meet conditions, of all rows or of those that meet others."""
    rows, every = case.rows(), case.rows("of_")
    if not len(every):
        raise EvidenceError(f"{case.where}: no row is left to take a percentage of")
    value = 100 * len(rows) / len(every)
    return Found(value=value, arithmetic=f"{len(rows)}/{len(every)} = {decimals(value, 2)} %")


def composition(case: Case) -> Found:
    """Count rows that meet conditions, and say how the others divide."""
    rows, by = case.rows(), case.get("by")
    every = case.rows("of_")
    parts = case.cells(every, by).replace("", "none").value_counts()
    shown = ", ".join(f"{n} {name}" for name, n in parts.items())
    return Found(value=float(len(rows)), arithmetic=f"of {len(every)}: {shown}")


def statistic(case: Case) -> Found:
    """Mean, SD, extreme, median or sum of a column, or of the difference of two."""
    rows, name, what = case.rows(), case.get("column"), case.get("what")
    values = case.column(rows, name)
    if "minus" in case.settings:
        values = values - case.column(rows, case.get("minus"))
    x = values.dropna().to_numpy()
    if not x.size or (what in ("sd", "sd_n") and x.size < 2):
        raise EvidenceError(f"{case.where}: {what} needs more values than {x.size} of {name}")
    n = x.size
    if what == "mean":
        return Found(value=float(x.mean()), arithmetic=f"{plain(x.sum())}/{n} = {decimals(x.mean(), 4)}")
    if what in ("sd", "sd_n"):
        by = n - 1 if what == "sd" else n
        value = math.sqrt(float(((x - x.mean()) ** 2).sum()) / by)
        of = f"√({decimals(float(((x - x.mean()) ** 2).sum()), 2)}/{by})"
        return Found(value=value, arithmetic=f"SD over {n} values {of} = {decimals(value, 4)}")
    functions = {"min": np.min, "max": np.max, "median": np.median, "sum": np.sum}
    if what not in functions:
        raise EvidenceError(f"{case.where}: expected what to be mean, sd, sd_n, {', '.join(functions)}")
    value = float(functions[what](x)) / case.get("divisor", 1)
    if n == 1:
        return Found(value=value, arithmetic=plain(value))
    words = {"min": "least", "max": "greatest", "median": "median", "sum": "sum"}[what]
    over = f"/{case.get('divisor', 1)}" if "divisor" in case.settings else ""
    return Found(value=value, arithmetic=f"{words} of {n} values{over} = {plain(value)}")


def selections(case: Case) -> Found:
    """Ask whether any selection of the values has the printed mean and SD together."""
    rows = case.rows()
    x = case.column(rows, case.get("column")).dropna().to_numpy()
    if x.size > 40 or not np.array_equal(x, x.round()):
        raise EvidenceError(f"{case.where}: selections needs at most 40 whole numbers, found {x.size} values")
    mean, sd = rounded(case.row["estimate"]), rounded(case.row["sd"])
    ways = {(0, 0, 0): 1}
    for value in x.astype(int).tolist():
        more = dict(ways)
        for (n, total, squares), count_ in ways.items():
            key = n + 1, total + value, squares + value**2
            more[key] = more.get(key, 0) + count_
        ways = more
    spreads: dict[int, list[float]] = {}
    both = 0
    for (n, total, squares), count_ in ways.items():
        if n > 1 and mean.near(total / n):
            spread = math.sqrt(max(squares - total**2 / n, 0.0) / (n - 1))
            spreads.setdefault(n, []).append(spread)
            both += count_ if sd.near(spread) else 0
    if both:
        return Found(
            holds=True,
            shown="some selection",
            arithmetic=f"{both} selections of the {x.size} values have both",
        )
    if not spreads:
        words = f"no selection of the {x.size} values has mean {mean.text}"
    else:
        every = [spread for group in spreads.values() for spread in group]
        sizes = " or ".join(str(n) for n in sorted(spreads))
        words = (
            f"only {sizes} of the {x.size} values can have mean {mean.text}, and their SDs run from "
            f"{decimals(min(every), 2)} to {decimals(max(every), 2)}: no selection has both"
        )
    return Found(holds=False, shown="no selection", arithmetic=words)


def possible_sizes(case: Case) -> Found:
    """Say which n a printed percentage and its count would need, or a printed mean of whole numbers."""
    most = case.get("most")
    printed = str(case.row["estimate"])
    try:
        if case.get("of", "percent") == "mean":
            sizes = [n for n in range(1, most + 1) if len(totals(rounded(printed), n))]
            head = f"mean {printed} of whole numbers"
        else:
            events = int(case.row["events"])
            sizes, head = possible_n(printed, most, events=events), f"{events} is {printed} %"
    except InputError as problem:
        raise EvidenceError(f"{case.where}: {problem}") from None
    shown = ", ".join(map(str, sizes)) or "none"
    return Found(arithmetic=f"{head} only for n = {shown} (up to {most})")


def range_of_ratio(case: Case) -> Found:
    """Least or greatest ratio of two columns over the rows."""
    rows = case.rows()
    above, below = (case.column(rows, case.get(name)) for name in ("column", "over"))
    ratio = above / below
    shown = ", ".join(
        f"{plain(a)}/{plain(b)} = {decimals(r, 1)}" for a, b, r in zip(above, below, ratio, strict=True)
    )
    value = float(ratio.min() if case.get("what") == "min" else ratio.max())
    if case.get("times", 1) == 100:
        shown = ", ".join(
            f"{plain(a)}/{plain(b)} = {decimals(100 * r, 1)} %"
            for a, b, r in zip(above, below, ratio, strict=True)
        )
    return Found(value=value * case.get("times", 1), arithmetic=shown)


def improved(case: Case) -> Found:
    """Count rows in which one column is lower than another, and print all of them."""
    rows = case.rows()
    before, between, after = (case.column(rows, case.get(x)) for x in ("before", "between", "after"))
    shown = "; ".join(
        f"{case.get('name')} {plain(who)}: {plain(a)} before, {plain(b)} after, {plain(c)} late"
        for who, a, b, c in zip(case.cells(rows, case.get("name")), before, between, after, strict=True)
    )
    value = int((after < before).sum())
    return Found(
        value=float(value), arithmetic=f"{shown}; {value} of {len(rows)} late scores is below the first"
    )


def _names(case: Case, rows: pd.DataFrame) -> str:
    """Names of the rows, where they are few."""
    if "name" not in case.settings or not len(rows):
        return ""
    names = [plain(x) if isinstance(x, float) else str(x) for x in case.cells(rows, case.get("name"))]
    return f" ({', '.join(names)})" if len(names) <= _LISTED else ""
