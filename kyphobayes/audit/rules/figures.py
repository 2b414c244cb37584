"""Rules that hold printed figures against each other."""

from kyphobayes.audit.percentages import percentage
from kyphobayes.audit.rounding import plain, rounded
from kyphobayes.audit.rules.found import Case, Found, Row
from kyphobayes.errors import EvidenceError, InputError


def printed_number(row: Row) -> str:
    """The number of a row: its estimate, its count, or its n; empty where it has none."""
    if str(row["estimate"]):
        return str(row["estimate"])
    for name in ("events", "n"):
        if row[name] == row[name]:  # not NaN
            return plain(row[name])
    return ""


def arithmetic(case: Case) -> Found:
    """Sum, difference, ratio or percentage of printed figures, or of numbers named in the rule."""
    operation = case.get("operation")
    texts = [_text(case, name) for name in case.get("of")]
    values = [float(rounded(text).value) for text in texts]
    words, value = _operate(case, operation, texts, values)
    return Found(value=value, arithmetic=f"{words} = {plain(round(value, 4))}")


def _text(case: Case, name: str | int | float) -> str:
    if not isinstance(name, str):
        return plain(name)
    if name not in case.figures:
        raise EvidenceError(f"{case.where}: no figure {name!r} in the paper's table")
    return printed_number(case.figures[name])


def _operate(case: Case, operation: str, texts: list[str], values: list[float]) -> tuple[str, float]:
    if operation == "sum":
        return " + ".join(texts), sum(values)
    if operation == "difference":
        return " − ".join(texts), values[0] - sum(values[1:])
    if operation in ("ratio", "percent") and len(values) == 2 and values[1]:
        times = 100 if operation == "percent" else 1
        return f"{'100 × ' if times > 1 else ''}{texts[0]}/{texts[1]}", times * values[0] / values[1]
    raise EvidenceError(
        f"{case.where}: expected operation sum, difference, or ratio or percent of two, found {operation!r}"
    )


def same(case: Case) -> Found:
    """Hold a figure against the same one printed elsewhere."""
    other = case.get("of")
    text = _text(case, other)
    row = case.figures[other]
    return Found(value=float(rounded(text).value), arithmetic=f"{row['locator']} prints {text}")


def whole_share(case: Case) -> Found:
    """Ask whether a whole number of n is the printed percentage."""
    try:
        found = percentage(str(case.row["estimate"]), case.get("n"))
    except InputError as problem:
        raise EvidenceError(f"{case.where}: {problem}") from None
    return Found(
        holds=found.passed, arithmetic=found.arithmetic, shown="a whole number" if found.passed else "none"
    )


def cited(case: Case) -> Found:
    """Hold the references in the text against those in the table."""
    text, table = case.get("text"), case.get("table_cites")
    words = f"text cites {_listed(text)}, table {_listed(table)}"
    outside = [case.references.get(str(number), "") for number in [*text, *table]]
    for number, name in zip([*text, *table], outside, strict=True):
        if not name:
            raise EvidenceError(f"{case.where}: reference {number} is not in [references]")
        if name.startswith("excluded"):
            words += f"; {number} is {name}"
    return Found(holds=text == table, arithmetic=words, shown=f"{_listed(table)} in the table")


def cited_table(case: Case) -> Found:
    """Ask whether the table that the text names has the outcome."""
    name, outcome = case.get("cites"), str(case.row["outcome"])
    places = {str(row["locator"]) for row in case.figures.values() if row["outcome"] == outcome}
    tables = sorted(place for place in places if place.startswith("Table"))
    items = case.table("risk_of_bias.csv")
    held = sorted(set(items.loc[items["locator"] == name, "domain"])) if len(items) else []
    has, where = ", ".join(held) or "nothing of it", ", ".join(tables)
    words = f"the text names {name}, which has {has}; {outcome.replace('_', ' ')} is in {where}"
    return Found(holds=name in tables, arithmetic=words, shown=", ".join(tables))


def unknown(case: Case) -> Found:
    """Say what it would take to check a figure."""
    return Found(missing=case.get("missing"))


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))
