"""Auditing a paper: every printed figure, the rule that recomputes it, and the verdict."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from kyphobayes.audit.claims import NOT_CHECKABLE, NOT_REPRODUCED, READING, REPRODUCED, Claim
from kyphobayes.audit.rounding import decimals, rounded
from kyphobayes.audit.rules import RULES, Case, Found, Row, printed_number
from kyphobayes.errors import EvidenceError, InputError, KyphobayesError
from kyphobayes.evidence.tables import describe, read_table
from kyphobayes.project import Project
from kyphobayes.toml_files import check_keys, nearest, read_toml, typed

NO_RULE = "no rule is declared for it"
_RELATIONS = {
    "above": lambda value, printed: value > printed,
    "at most": lambda value, printed: value <= printed,
    "at least": lambda value, printed: value >= printed,
}
_PARTS = ("figure", "sd", "n", "interval", "width", "p", "i2", "references", "time", "together")
_NUMBERS = ("figure", "sd", "n", "i2")  # parts that are one number
_OWN = ("figure", "part", "rule", "reading", "readings", "also", "against", "relation")


@dataclass(frozen=True)
class Check:
    """An entry of a file of ``data/audit/``: which figure, by which rule, under which readings."""

    figure: str
    part: str
    rule: str
    settings: Mapping[str, Any]
    reading: str
    readings: tuple[Mapping[str, Any], ...]
    also: tuple[Mapping[str, Any], ...]
    against: str
    relation: str


def papers(project: Project) -> list[str]:
    """Papers that have a table of printed figures."""
    tables = (path for path in describe(project) if path.startswith("published/"))
    return sorted(path.removeprefix("published/").removesuffix(".csv") for path in tables)


def titles(project: Project) -> dict[str, str]:
    """What people call each paper."""
    found = {}
    for paper in papers(project):
        path = project.data / "audit" / f"{paper}.toml"
        found[paper] = str(read_toml(path).get("title", paper)) if path.is_file() else paper
    return found


def audit(project: Project, paper: str | None = None) -> list[Claim]:
    """Recompute every printed figure that the tables determine.

    Parameters
    ----------
    project : Project
    paper : str, optional
        Name of a table in ``data/published/``; all by default.

    Returns
    -------
    list of Claim
        In the order of the tables; every row has at least one.

    Raises
    ------
    InputError
        If the project has no such paper.
    EvidenceError
        If a table or a file of rules does not say what it must.
    """
    known = papers(project)
    if not known:
        raise InputError("audit: expected tables of printed figures in data/published/, found none")
    if paper is not None and paper not in known:
        raise InputError(f"audit: no paper {paper!r}; {nearest(paper, known)}")
    return [claim for name in known if paper in (None, name) for claim in _audit(project, name)]


def _audit(project: Project, paper: str) -> list[Claim]:
    table = read_table(project, f"published/{paper}.csv")
    records: list[Any] = table.to_dict("records")
    figures: dict[str, Row] = {str(row["figure_id"]): row for row in records}
    checks, references = _read(project, paper, figures)
    read: dict[str, pd.DataFrame] = {}
    claims = []
    for figure, row in figures.items():
        own = checks.get(figure, [])
        for check in own:
            where = f"data/audit/{paper}.toml, {figure} ({check.part})"
            case = Case(project, where, row, figures, references, check.settings, read)
            claims.append(_claim(paper, check, case))
        if not own:
            claims.append(_unchecked(paper, row))
    return claims


def _unchecked(paper: str, row: Row) -> Claim:
    printed = printed_number(row) or str(row["printed"])
    return Claim(
        paper,
        str(row["figure_id"]),
        "figure",
        printed,
        "",
        NOT_CHECKABLE,
        "",
        "",
        NO_RULE,
        str(row["locator"]),
    )


def _claim(paper: str, check: Check, case: Case) -> Claim:
    printed, unit = _printed(check, case.row)
    found = _run(check.rule, case)
    holds = _holds(found, check, printed)
    reading = found.reading or check.reading
    verdict = NOT_CHECKABLE if holds is None else NOT_REPRODUCED
    words = [found.arithmetic] if found.arithmetic else []
    if holds:
        verdict = READING if reading else REPRODUCED
    elif holds is False:
        reading = ""
        for other in check.readings:
            settings = {
                **case.settings,
                **{k: v for k, v in other.items() if k not in ("words", "rule", "against")},
            }
            again = _run(other.get("rule", check.rule), replace(case, settings=settings))
            words += [again.arithmetic] if again.arithmetic not in words else []
            if _holds(again, replace(check, against=str(other.get("against", check.against))), printed):
                verdict, reading, found = READING, str(other["words"]), again
                break
    for more in check.also:
        settings = {**case.settings, **{k: v for k, v in more.items() if k != "rule"}}
        if "from" not in more:
            settings.pop("from", None)
        words.append(_run(more["rule"], replace(case, settings=settings)).arithmetic)
    if holds is not None and check.part in _NUMBERS and printed and "printed" not in words[0]:
        words[0] += f", printed {printed}{unit}"
    row = case.row
    return Claim(
        paper,
        check.figure,
        check.part,
        f"{printed}{unit}" if printed else str(row["printed"]),
        "" if verdict == NOT_CHECKABLE else _recomputed(found, printed, "" if check.against else unit),
        verdict,
        reading if verdict == READING else "",
        "; ".join(word for word in words if word),
        found.missing,
        str(row["locator"]),
    )


def _run(name: str, case: Case) -> Found:
    """What a rule finds; `from` says where its numbers come from."""
    try:
        found = RULES[name](case)
    except KyphobayesError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError) as problem:
        raise EvidenceError(f"{case.where}: the rule {name!r} cannot use its settings: {problem}") from None
    source = case.settings.get("from")
    return replace(found, arithmetic=f"{source}: {found.arithmetic}") if source else found


def _holds(found: Found, check: Check, printed: str) -> bool | None:
    """Whether a recomputed value prints as the figure; None where nothing was recomputed."""
    if found.missing:
        return None
    if found.holds is not None:
        return found.holds
    if found.value is None:
        return None
    against = check.against or printed
    if not against:
        raise EvidenceError(
            f"{check.figure}: nothing is printed to hold {found.value:g} against; give `against`"
        )
    figure = rounded(against, what=check.figure)
    if check.relation:
        return bool(_RELATIONS[check.relation](found.value, float(figure.value)))
    return figure.near(found.value)


def _recomputed(found: Found, printed: str, unit: str) -> str:
    if found.value is None or found.shown:
        return found.shown
    try:
        digits = rounded(printed).digits
    except InputError:
        digits = 0 if found.value == round(found.value) else 2
    return f"{decimals(found.value, digits)}{unit}"


def _printed(check: Check, row: Row) -> tuple[str, str]:
    """Printed text of a part of a row, and its unit where that is percent."""
    percent = row["measure"] == "PR" and row["unit"] != "proportion"
    unit = " %" if str(row["unit"]) == "percent" or percent else ""
    parts = {
        "sd": (str(row["sd"]), ""),
        "n": ("" if row["n"] != row["n"] else f"{row['n']:.0f}", ""),
        "interval": (f"{row['estimate']} ({row['ci_low']}, {row['ci_high']})", ""),
        "width": (f"{row['ci_low']} to {row['ci_high']}", ""),
        "p": (f"p {row['p_value']}", ""),
        "i2": (str(row["i2"]), " %"),
        "references": (str(row["printed"]), ""),
        "time": (str(row["timepoint"]) or str(row["printed"]), ""),
    }
    if check.part in parts:
        return parts[check.part]
    number = printed_number(row)
    return number, unit if str(row["estimate"]) else ""


def _read(
    project: Project, paper: str, figures: Mapping[str, Row]
) -> tuple[dict[str, list[Check]], dict[str, str]]:
    """Rules of a paper by figure, and its numbered references; none where there is no file."""
    path = project.data / "audit" / f"{paper}.toml"
    if not path.is_file():
        return {}, {}
    content, name = read_toml(path), f"data/audit/{path.name}"
    check_keys(name, content, ["check"], ["title", "references", "tables"])
    references = typed(name, content, "references", dict, {})
    tables = typed(name, content, "tables", dict, {})
    found: dict[str, list[Check]] = {}
    for i, entry in enumerate(typed(name, content, "check", list), 1):
        check = _check(f"{name} [[check]] {i}", entry, tables)
        if check.figure not in figures:
            raise EvidenceError(f"{name} [[check]] {i}: {check.figure!r}: {nearest(check.figure, figures)}")
        found.setdefault(check.figure, []).append(check)
    return found, {str(key): str(value) for key, value in references.items()}


def _check(where: str, entry: Any, tables: Mapping[str, str]) -> Check:
    if not isinstance(entry, dict) or not isinstance(entry.get("figure"), str):
        raise EvidenceError(f"{where}: expected a table with a key 'figure', found {entry!r}")
    part, relation = entry.get("part", "figure"), entry.get("relation", "")
    if part not in _PARTS:
        raise EvidenceError(f"{where}: part: {nearest(str(part), _PARTS)}")
    if relation and relation not in _RELATIONS:
        raise EvidenceError(f"{where}: relation: {nearest(str(relation), _RELATIONS)}")
    rule = entry.get("rule", "")
    readings, also = (tuple(typed(where, entry, key, list, [])) for key in ("readings", "also"))
    for item in (*readings, *also):
        check_keys(where, item, ["rule"] if item in also else ["words"], [*item])
    for word in (rule, *(item["rule"] for item in (*readings, *also) if "rule" in item)):
        if word not in RULES:
            raise EvidenceError(f"{where}: unknown rule {word!r}; {nearest(str(word), RULES)}")
    settings = {key: value for key, value in entry.items() if key not in _OWN}
    return Check(
        entry["figure"], part, rule, _named(settings, tables), str(entry.get("reading", "")),
        tuple(_named(item, tables) for item in readings), tuple(_named(item, tables) for item in also),
        str(entry.get("against", "")), relation,
    )  # fmt: skip


def _named(settings: Mapping[str, Any], tables: Mapping[str, str]) -> dict[str, Any]:
    """Put the path of a table where its short name stands."""
    found = dict(settings)
    for key, value in settings.items():
        if key == "table" and isinstance(value, str):
            found[key] = tables.get(value, value)
        elif key in ("first", "second") and isinstance(value, dict):
            found[key] = _named(value, tables)
    return found
