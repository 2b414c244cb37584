"""From results to the page: collect what a section shows, fill the template, write the files."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

import kyphobayes
from kyphobayes.checks import Check
from kyphobayes.errors import EvidenceError, InputError
from kyphobayes.evidence import read_table
from kyphobayes.files import write
from kyphobayes.pre_post import Paired, read_patients, read_printed
from kyphobayes.project import Project, default_project
from kyphobayes.questions import Answered
from kyphobayes.report import figures, sentences, tables
from kyphobayes.report.alt import alternatives
from kyphobayes.report.audit import Audited, audited
from kyphobayes.report.canvas import to_png, to_svg
from kyphobayes.report.chapters import Chapter, answers_table, chapter_of
from kyphobayes.report.csv_tables import to_csv
from kyphobayes.report.decisions import decision_table
from kyphobayes.report.efficacy import Efficacy, efficacy
from kyphobayes.report.heat_map import heat_map
from kyphobayes.report.methods import methods, stamps
from kyphobayes.report.pre_post import pre_post
from kyphobayes.report.sensitivity import conclusion, credibility_sentence, decision_head, words_of
from kyphobayes.report.sensitivity import tables as sensitivity_tables
from kyphobayes.report.tables import Table
from kyphobayes.report.words import threshold
from kyphobayes.run import Result

_FIGURES = (
    "forest",
    "prior_posterior",
    "next_cases",
    "prior_comparison",
    "latent_counts",
    "engines",
    "ranks",
)


@dataclass(frozen=True)
class Picture:
    """A figure in the page: its file name without ending, SVG element and alternative text."""

    name: str
    svg: Markup
    alt: str


@dataclass(frozen=True)
class Source:
    """One entry of the list of sources."""

    number: int
    citation: str
    url: str = ""
    note: str = ""


@dataclass(frozen=True)
class Section:
    """All that the page shows of one analysis."""

    slug: str
    result: Result
    answer: list[str]
    paper: list[str]
    latent: list[str]
    left_out: list[str]
    prior_sentence: str
    agreement: str
    differences: list[str]
    checks: dict[str, Check]
    tables: dict[str, Table | None]
    check_tables: dict[str, Table]
    figures: dict[str, Picture]
    methods: list[str]
    stamps: list[tuple[str, str]]
    below: str
    sensitivity: "Depends | None"
    failed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Depends:
    """What a section shows of the dependence on priors."""

    conclusion: str
    credibility: str
    tables: dict[str, Table]
    figure: Picture


@dataclass(frozen=True)
class Pain:
    """The section on pain before and after."""

    sentences: list[str]
    table: Table
    figure: Picture


def write_report(
    results: Sequence[Result],
    folder: Path,
    *,
    answers: Sequence[Answered] = (),
    project: Project | None = None,
) -> Path:
    """Write the report: ``report.html``, every figure as SVG and PNG, every table as CSV.

    Parameters
    ----------
    results : sequence of Result
    folder : Path
        Gets ``report.html``, ``figures/`` and ``tables/``.
    answers : sequence of Answered
        To the questions that are not about one pooled rate.
    project : Project, optional
        Whose ``sources.csv`` has the addresses of the sources; the project's own by default.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    InputError
        If there is no result, or a file cannot be written.
    """
    if not results:
        raise InputError("report: expected at least one finished analysis, found none")
    folder = Path(folder)
    numbers = _numbered(results)
    slugs = _slugs([result.analysis.name for result in results])
    sections = [_section(result, slug, numbers, folder) for result, slug in zip(results, slugs, strict=True)]
    overview = tables.overview(results, slugs)
    decided, answered = decision_table(results, slugs, answers), answers_table(answers)
    for table in [overview, *(table for table in (decided, answered) if table)]:
        write(folder / "tables" / f"{table.name}.csv", to_csv(table.frame))
    home = project or default_project()
    paired = read_patients(home)
    text = _environment().from_string(_read("template.html")).render(
        sections=sections,
        overview=overview,
        decided=decided,
        answered=answered,
        chapters=[_chapter(answered, folder) for answered in answers],
        efficacy=_efficacy(home, folder),
        pain=None if paired is None else _pain(paired, read_printed(home), folder),
        audit=_audit(home, folder),
        sources=_sources(numbers, home),
        style=Markup(_read("style.css")),
        version=kyphobayes.__version__,
        failed=[section for section in sections if section.failed],
        failed_chapters=[answered for answered in answers if not answered.passed],
        STEADY=sentences.STEADY,
        SOME=sentences.SOME,
    )  # fmt: skip
    write(folder / "report.html", text)
    return folder / "report.html"


def _environment() -> Environment:
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _read(name: str) -> str:
    return (files("kyphobayes.report") / name).read_text(encoding="utf-8")


def _section(result: Result, slug: str, numbers: dict[str, int], folder: Path) -> Section:
    main, source = result.main, result.evidence.latent_source
    shown = {
        "evidence": tables.evidence(result, numbers),
        "excluded": tables.excluded(result, numbers) if len(result.evidence.excluded) else None,
        "trail": tables.trail(result) if len(result.evidence.latent) else None,
        "priors": tables.priors(result),
        "witness": tables.witness(result),
        "diagnostics": tables.diagnostics(result),
    }
    check_tables = {check.name: tables.check_table(check) for check in result.checks}
    for table in [*shown.values(), *check_tables.values()]:
        if table is not None:
            write(folder / "tables" / f"{slug}-{table.name}.csv", to_csv(table.frame))
    return Section(
        slug=slug,
        result=result,
        answer=[sentences.answer(result)],
        paper=sentences.paper(result),
        latent=sentences.latent(result),
        left_out=[sentences.left_out(p, n, len(source)) for p, n in source.left_out] if source else [],
        prior_sentence=sentences.prior_sentence(result),
        agreement=sentences.agreement(result),
        differences=sentences.expected_differences(result),
        checks={check.name: check for check in result.checks},
        tables=shown,
        check_tables=check_tables,
        figures=_pictures(result, slug, folder),
        methods=methods(result),
        stamps=stamps(result),
        below=threshold(main.below),
        sensitivity=_depends(result, slug, folder),
        failed=[check.name for check in result.checks if not check.passed],
    )


def _pictures(result: Result, slug: str, folder: Path) -> dict[str, Picture]:
    """Draw every figure and write it beside the page."""
    pictures = {}
    alt = alternatives(result)
    for kind in _FIGURES:
        figure: Figure | None = getattr(figures, kind)(result)
        if figure is None:
            continue
        pictures[kind] = _picture(figure, f"{slug}-{kind.replace('_', '-')}", alt[kind], folder)
    return pictures


def _depends(result: Result, slug: str, folder: Path) -> Depends | None:
    """Tables and figure of the sensitivity analysis, written beside the page; None where there is none."""
    found = result.sensitivity
    if found is None:
        return None
    shown = sensitivity_tables(found)
    for table in shown.values():
        write(folder / "tables" / f"{slug}-{table.name}.csv", to_csv(table.frame))
    sentence = conclusion(found, words_of(result.analysis, found))
    figure = heat_map(found.atlas, threshold=found.threshold, decision=decision_head(found))
    alt = f"Heat map of the answer under every pair of priors. {sentence}"
    picture = _picture(figure, f"{slug}-sensitivity-atlas", alt, folder)
    return Depends(sentence, credibility_sentence(found), shown, picture)


def _picture(figure: Figure, name: str, alt: str, folder: Path) -> Picture:
    svg = to_svg(figure, name)
    write(folder / "figures" / f"{name}.svg", '<?xml version="1.0" encoding="utf-8"?>\n' + svg)
    write(folder / "figures" / f"{name}.png", to_png(figure))
    label = Markup('<svg role="img" aria-label="{}" ').format(alt)
    return Picture(name, Markup(svg.replace("<svg ", label, 1)), alt)


def _pain(series: Paired, printed: Sequence[float], folder: Path) -> Pain:
    shown = pre_post(series, printed)
    write(folder / "tables" / f"{shown.table.name}.csv", to_csv(shown.table.frame))
    return Pain(shown.sentences, shown.table, _picture(shown.figure, shown.table.name, shown.alt, folder))


def _chapter(answered: Answered, folder: Path) -> tuple[Chapter, dict[str, Picture]]:
    """A chapter and its pictures by name; figures and tables are written beside the page."""
    shown, name = chapter_of(answered), answered.question.name
    pictures = {}
    for part in shown.parts:
        for plate in part.plates:
            pictures[plate.name] = _picture(plate.figure, f"{name}-{plate.name}", plate.alt, folder)
        for table in part.tables:
            write(folder / "tables" / f"{name}-{table.name}.csv", to_csv(table.frame))
    write(folder / "tables" / f"{name}-who.csv", to_csv(answered.who))
    return shown, pictures


def _efficacy(project: Project, folder: Path) -> tuple[Efficacy, Picture] | None:
    shown = efficacy(project)
    if shown is None:
        return None
    for table in (shown.table, shown.assumed):
        write(folder / "tables" / f"{table.name}.csv", to_csv(table.frame))
    return shown, _picture(shown.figure, shown.table.name, shown.alt, folder)


def _audit(home: Project, folder: Path) -> Audited | None:
    """What the papers print, recomputed; its tables written beside the page."""
    found = audited(home)
    for table in found.tables if found else []:
        write(folder / "tables" / f"{table.name}.csv", to_csv(table.frame))
    if found is not None:
        write(folder / "tables" / "audit.csv", to_csv(found.every))
    return found


def _slugs(names: Sequence[str]) -> list[str]:
    """Names that are safe in an address and as a file name, each once."""
    done: list[str] = []
    for name in names:
        slug = base = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "analysis"
        tries = 2
        while slug in done:
            slug, tries = f"{base}-{tries}", tries + 1
        done.append(slug)
    return done


def _numbered(results: Sequence[Result]) -> dict[str, int]:
    """Citations with their numbers: those that entered first, in the order in which they are met."""
    views = [result.evidence for result in results]
    met: dict[str, int] = {}
    for frame in [view.rows for view in views] + [view.excluded for view in views]:
        for citation in frame.get("citation", ()):
            if str(citation):
                met.setdefault(str(citation), len(met) + 1)
    return met


def _sources(numbers: dict[str, int], project: Project) -> list[Source]:
    """Sources in order, with an address where the project knows one."""
    try:
        known = read_table(project, "sources.csv").astype(object).set_index("citation")
    except EvidenceError:  # a folder of the user's own may have none
        return [Source(number, citation) for citation, number in numbers.items()]
    entries: list[Source] = []
    for citation, number in numbers.items():
        row: Any = known.loc[citation] if citation in known.index else None
        if row is None or row.ndim > 1:
            entries.append(Source(number, citation))
            continue
        told = {str(key): str(value) if pd.notna(value) else "" for key, value in row.items()}
        doi, url = told.get("doi", ""), told.get("url", "")
        address = f"https://doi.org/{doi}" if doi else url
        read_as = told.get("read_as", "").replace("_", " ")
        note = "; ".join(
            part for part in (f"read as {read_as}" if read_as else "", told.get("note", "")) if part
        )
        entries.append(
            Source(number, citation, address if address.startswith(("https://", "http://")) else "", note)
        )
    return entries
