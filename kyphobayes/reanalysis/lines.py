"""The printed lines of ``data/lines.toml``, and each analysed again."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from kyphobayes.errors import EvidenceError, InputError, PriorError
from kyphobayes.evidence.tables import describe, read_table
from kyphobayes.names import MU, PROB, TAU, THETA_NEW
from kyphobayes.priors import Prior
from kyphobayes.project import Project
from kyphobayes.reanalysis.answer import BETTER, Reanalysis, reanalyse
from kyphobayes.reconstruct.printed_line import RATIOS
from kyphobayes.toml_files import check_keys, read_toml, typed

LINES = "lines.toml"
_MEASURES = {"WMD": "MD"}  # other names that papers use
_TIMES = (0.5, 2.0)  # what a prior of tau is stretched by
_REQUIRED = ("title", "outcome", "better", "reads", "tau", "tau_why")
_FIGURE = ("published", "figure")
_PRINTED = ("k", "estimate", "ci", "citation", "locator")
_OPTIONAL = ("i2", "measure", "method", "n", "n_why", "unit", "note", "mcid", "sd")


@dataclass(frozen=True)
class Sourced:
    """A number with its source."""

    value: float
    source: str
    locator: str
    why: str
    unit: str = ""


@dataclass(frozen=True)
class Line:
    """A printed line and what is known about it.

    Attributes
    ----------
    name, title, outcome : str
    k : int
    estimate, i2 : str
    ci : tuple of str
        As printed; i2 is empty where it is not.
    measure, method : str
    n : dict of str to float
        Sizes by study; empty where they are not known.
    n_why : str
    better : {"lower", "higher"}
    reads : str
        What a good effect is, for people: "pain falls".
    unit : str
        Of the effect; empty for standardised differences.
    tau : str
    tau_why, note : str
    citation, locator, words : str
        Where the line stands, and as what.
    mcid, sd : Sourced or None
    """

    name: str
    title: str
    outcome: str
    k: int
    estimate: str
    ci: tuple[str, str]
    i2: str
    measure: str
    method: str
    n: dict[str, float]
    n_why: str
    better: str
    reads: str
    unit: str
    tau: str
    tau_why: str
    note: str
    citation: str
    locator: str
    words: str
    mcid: Sourced | None
    sd: Sourced | None


@dataclass(frozen=True, eq=False)
class Told:
    """A line with its answer.

    Attributes
    ----------
    line : Line
    answer : Reanalysis
    mcid : float
        In the unit of the line, signed by what is better; NaN where no sourced one can be used.
    units : DataFrame or None
        Of a standardised difference: mu and theta_new times the sourced SD, as in `Reanalysis.effects`.
    rescaled : dict of float to (float, float)
        Interval of mu, on the printed scale, under a prior of tau so many times as wide.
    """

    line: Line
    answer: Reanalysis
    mcid: float
    units: pd.DataFrame | None
    rescaled: dict[float, tuple[float, float]]


def read_lines(project: Project) -> list[Line]:
    """Read the lines of a project; none in a project without the file.

    Raises
    ------
    EvidenceError
        Naming the entry that does not say what it must, or sizes that do not add up to the printed n.
    """
    path = project.data / LINES
    if not path.exists():
        return []
    return [_line(project, name, entry) for name, entry in read_toml(path).items()]


def read_again(line: Line) -> Reanalysis:
    """Analyse a line again, on its own scale.

    Raises
    ------
    InputError, PriorError
        Naming the line.
    """
    mcid = None if line.mcid is None else line.mcid.value / _per_unit(line)
    try:
        return reanalyse(
            line.k, line.estimate, line.ci, line.i2 or None,
            measure=line.measure or None, method=line.method, n=list(line.n.values()) or None,
            labels=list(line.n) or None, tau=Prior.parse(line.tau), better=line.better, mcid=mcid,
        )  # fmt: skip
    except (InputError, PriorError) as problem:
        raise type(problem)(f"data/{LINES} [{line.name}]: {problem}") from None


def retell(line: Line) -> Told:
    """Analyse a line again, and tell it in units and under other priors of tau.

    Raises
    ------
    InputError, PriorError
        Naming the line.
    """
    answer = read_again(line)
    units = None if line.sd is None else answer.effects.loc[[MU, THETA_NEW]] * _per_unit(line)
    mcid_shown = math.nan if line.mcid is None else line.mcid.value
    return Told(line, answer, mcid_shown, units, {times: _interval(answer, times) for times in _TIMES})


def _per_unit(line: Line) -> float:
    return line.sd.value if line.sd is not None else 1.0


def _interval(answer: Reanalysis, times: float) -> tuple[float, float]:
    """Interval of mu under a prior of tau that is stretched; NaN where its family has no scale."""
    prior = answer.priors[TAU]
    scales = {name: value * times if name in ("sigma", "beta") else value for name, value in prior.parameters}
    if scales == dict(prior.parameters):
        return math.nan, math.nan
    stretched = replace(prior, parameters=tuple(scales.items()))
    posterior = answer.likelihood.surface.posterior(answer.priors[MU], stretched)
    low, high = (
        answer.to_printed(float(x)) for x in posterior.quantile(MU, [(1 - PROB) / 2, (1 + PROB) / 2])
    )
    return low, high


def _line(project: Project, name: str, entry: Mapping[str, Any]) -> Line:
    where = f"data/{LINES} [{name}]"
    given = _FIGURE if isinstance(entry, Mapping) and "figure" in entry else _PRINTED
    check_keys(where, entry, [*_REQUIRED, *given], _OPTIONAL)
    text: dict[str, Any] = {
        key: typed(where, entry, key, str, "") for key in (*_REQUIRED, "unit", "note", "n_why", "measure")
    }
    if text["better"] not in BETTER:
        raise EvidenceError(f"{where}: expected better to be lower or higher, found {text['better']!r}")
    sizes = {
        str(study): typed(where, entry["n"], study, float) for study in typed(where, entry, "n", dict, {})
    }
    printed = _figure(project, where, entry) if given is _FIGURE else _own(where, entry)
    k, total = printed.pop("k"), printed.pop("n")
    if sizes and len(sizes) != k:
        raise EvidenceError(f"{where}: expected sizes of {k} studies, found {len(sizes)}")
    if sizes and math.isfinite(total) and sum(sizes.values()) != total:
        raise EvidenceError(
            f"{where}: expected sizes that add up to {total:g}, found {sum(sizes.values()):g}"
        )
    measure = text.pop("measure") or printed["measure"]
    sd, mcid = (_sourced(f"{where} {key}", entry[key]) if key in entry else None for key in ("sd", "mcid"))
    if mcid is not None and _MEASURES.get(measure, measure) in RATIOS and sd is not None:
        raise EvidenceError(f"{where}: sd turns differences into units; {measure} is a ratio")
    known: dict[str, Any] = printed | text | {"measure": _MEASURES.get(measure, measure)}
    method = typed(where, entry, "method", str, "DL")
    return Line(name=name, k=k, n=sizes, mcid=mcid, sd=sd, method=method, **known)


def _figure(project: Project, where: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The line as a table of ``data/published/`` has it, whose cells are text: every digit kept."""
    path, figure = (typed(where, entry, key, str) for key in _FIGURE)
    if path not in describe(project):
        raise EvidenceError(f"{where}: expected published to be a table of data/, found {path!r}")
    table = read_table(project, path)
    found = table.index[table["figure_id"] == figure]
    if len(found) != 1:
        raise EvidenceError(f"{where}: expected figure to be one of data/{path}, found {figure!r}")
    row: Any = table.loc[found[0]]
    if pd.isna(row["k"]) or any(row[key] == "" for key in ("estimate", "ci_low", "ci_high")):
        raise EvidenceError(f"{where}: {figure} has no k, estimate or interval")
    sources = read_table(project, "sources.csv").drop_duplicates("source_id").set_index("source_id")
    cited = _cited(sources.loc[row["source"]]) if row["source"] in sources.index else str(row["source"])
    return {
        "k": int(row["k"]), "n": float(row["n"]), "estimate": row["estimate"],
        "ci": (row["ci_low"], row["ci_high"]), "i2": row["i2"], "measure": row["measure"],
        "citation": cited, "locator": row["locator"],
        "words": row["printed"],
    }  # fmt: skip


def _cited(source: Any) -> str:
    """First author's surname and year."""
    return f"{str(source['citation']).partition(' ')[0].rstrip('.,')} {source['year']:.0f}"


def _own(where: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    ends = typed(where, entry, "ci", list)
    if len(ends) != 2 or not all(isinstance(end, str) for end in ends):
        raise EvidenceError(
            f"{where}: expected ci to be two numbers in quotes, digits as printed, found {ends!r}"
        )
    text = {
        key: typed(where, entry, key, str, "") for key in ("estimate", "i2", "citation", "locator", "measure")
    }
    words = f"{text['estimate']} ({ends[0]}, {ends[1]})" + (f"; {text['i2']}%" if text["i2"] else "")
    return {"k": typed(where, entry, "k", int), "n": math.nan, "ci": tuple(ends), "words": words, **text}


def _sourced(where: str, entry: Any) -> Sourced:
    check_keys(where, entry, ["value", "source", "locator", "why"], ["unit"])
    text = {key: typed(where, entry, key, str, "") for key in ("source", "locator", "why", "unit")}
    value = typed(where, entry, "value", float)
    if not 0 < value < math.inf:
        raise EvidenceError(f"{where}: expected a value above 0, found {value:g}")
    return Sourced(value, **text)
