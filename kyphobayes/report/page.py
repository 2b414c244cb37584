"""From results to the report: a document of sections, written as a page, as Markdown and as PDF."""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import kyphobayes
from kyphobayes.errors import InputError
from kyphobayes.files import write
from kyphobayes.pre_post import read_patients, read_printed
from kyphobayes.project import Project
from kyphobayes.questions import Answered
from kyphobayes.report.asked import asked_section
from kyphobayes.report.audit import audited
from kyphobayes.report.beside import keep_fits, picture, write_tables
from kyphobayes.report.checklist import checklist, titles
from kyphobayes.report.checklist_answers import Facts
from kyphobayes.report.csv_tables import to_csv
from kyphobayes.report.decisions import decision_table
from kyphobayes.report.document import Block, Document, Fold, Section, Shown, numbered, paragraphs, text
from kyphobayes.report.efficacy import efficacy
from kyphobayes.report.front import base_section, files_section, methods_section, reading, summary_section
from kyphobayes.report.given import Pooled
from kyphobayes.report.html import to_html
from kyphobayes.report.markdown import to_markdown
from kyphobayes.report.pdf import write_pdf
from kyphobayes.report.pooled import pooled_section
from kyphobayes.report.pre_post import pre_post
from kyphobayes.report.quality import read_known
from kyphobayes.report.sources import numbered_sources, sources_list
from kyphobayes.report.study_flow import base_of, flow_of
from kyphobayes.report.summary_table import of_answers, of_results
from kyphobayes.run import Result

FORMATS = ("html", "md", "pdf")
# Names of our own sections, which no analysis may take.
_OURS = (
    "summary", "reading", "evidence-base", "efficacy-lines", "pain-scale", "audit", "methods", "checklists",
    "sources", "files", "reproduce",
)  # fmt: skip


@dataclass(frozen=True)
class _Given:
    """What all sections are made from."""

    results: Sequence[Result]
    slugs: Sequence[str]
    answers: Sequence[Answered]
    anchors: Sequence[str]
    project: Project | None
    folder: Path


def write_report(
    results: Sequence[Result],
    folder: Path,
    *,
    answers: Sequence[Answered] = (),
    project: Project | None = None,
    formats: Collection[str] = ("html",),
) -> Path:
    """Write the report, every figure as SVG and PNG, every table as CSV, R code, and the fits as NetCDF.

    Parameters
    ----------
    results : sequence of Result
    folder : Path
        Gets ``report.html`` (or ``report.md``), ``figures/``, ``tables/``, ``r/`` and, where fits were not
        kept there yet, ``fits/``.
    answers : sequence of Answered
        To the questions that are not about one pooled rate.
    project : Project, optional
        Whose tables of sources, studies and risk of bias are shown, and whose printed lines, patients and
        papers have sections of their own. Without it the report is about the results alone.
    formats : collection of {"html", "md", "pdf"}

    Returns
    -------
    Path
        Of the page; of the Markdown file where no page is asked for.

    Raises
    ------
    InputError
        If there is no result, a format is unknown, a file cannot be written, or there is no browser to
        print a PDF with; the page is kept then.
    """
    if not results:
        raise InputError("report: expected at least one finished analysis, found none")
    wanted = set(formats)
    if not wanted or not wanted <= set(FORMATS):
        found = ", ".join(sorted(wanted - set(FORMATS))) or "none"
        raise InputError(f"report: expected formats of {', '.join(FORMATS)}, found {found}")
    folder = Path(folder)
    slugs = _unique([result.analysis.name for result in results], r"[^a-z0-9]+", _OURS)
    anchors = _unique([answered.question.name for answered in answers], r"[^a-z0-9_]+", (*_OURS, *slugs))
    document = _document(_Given(results, slugs, answers, anchors, project, folder))
    numbers = numbered(document)
    write_tables(document, numbers, folder)
    pages = []
    if wanted & {"html", "pdf"}:
        pages.append(folder / "report.html")
        write(pages[-1], to_html(document, numbers))
    if "md" in wanted:
        pages.append(folder / "report.md")
        write(pages[-1], to_markdown(document, numbers))
    if "pdf" in wanted:
        write_pdf(folder / "report.html", folder / "report.pdf")
    return pages[0]


def _unique(names: Sequence[str], unsafe: str, taken: Sequence[str]) -> list[str]:
    """Names that are safe in an address and as a file name, each once."""
    done: list[str] = []
    for name in names:
        slug = base = re.sub(unsafe, "-", name.lower()).strip("-") or "analysis"
        tries = 2
        while slug in (*taken, *done):
            slug, tries = f"{base}-{tries}", tries + 1
        done.append(slug)
    return done


def _document(given: _Given) -> Document:
    flows = [flow_of(result) for result in given.results]
    sources = numbered_sources(given.results)
    known = None if given.project is None else read_known(given.project)
    judged = 0 if known is None else known.judged
    base = None if given.project is None else base_of(given.project, judged)
    facts = Facts(
        given.results,
        given.slugs,
        given.answers,
        given.anchors,
        flows,
        judged=judged,
        based=base is not None,
    )
    lines = [*of_results(given.results, given.slugs), *of_answers(given.answers, given.anchors)]
    decided = decision_table(given.results, given.slugs, given.answers, given.anchors)
    titles_of = [result.analysis.title for result in given.results]
    sections = [
        summary_section(lines, decided),
        reading({result.scale.one for result in given.results}),
        base_section(base, flows, titles_of, given.folder),
        *(
            pooled_section(Pooled(result, slug, flow, known, sources, given.folder))
            for result, slug, flow in zip(given.results, given.slugs, flows, strict=True)
        ),
        *(
            asked_section(answered, anchor, given.folder)
            for answered, anchor in zip(given.answers, given.anchors, strict=True)
        ),
        *_of_project(given.project, given.folder),
        methods_section(given.results, given.answers),
        _checklists(facts),
        Section("sources", "Data sources", sources_list(sources, given.project), "sources"),
    ]
    fits = [
        path
        for name, one in [
            *zip(given.slugs, given.results, strict=True),
            *zip(given.anchors, given.answers, strict=True),
        ]
        for path in keep_fits(name, one.fits, given.folder)
    ]
    sections += files_section(tuple(sections), fits, audit=any(s.name == "audit" for s in sections))
    lead = (
        "Each question below is answered by more than one hand from the same evidence: by exact integration, "
        "by sampling, and by frequentist estimation. The answers are held against each other, and against "
        "other priors, before they are shown."
    )
    return Document(
        title=_title(given),
        kicker=f"Report · kyphobayes {kyphobayes.__version__}",
        lead=lead,
        alarms=_alarms(given),
        sections=tuple(sections),
        closing=f"Made by kyphobayes {kyphobayes.__version__}. Not a medical device; what is pooled here is "
        "only as good as the studies it comes from.",
    )


def _title(given: _Given) -> str:
    """Title of the project's data, or of the only analysis."""
    if given.project is not None:
        path = given.project.data / "datapackage.json"
        told = json.loads(path.read_text(encoding="utf-8-sig")).get("title", "") if path.is_file() else ""
        if told:
            return f"{told}: a Bayesian synthesis"
    if len(given.results) == 1:
        return f"{given.results[0].analysis.title}: a Bayesian synthesis"
    return "A Bayesian evidence synthesis"


def _alarms(given: _Given) -> tuple[str, ...]:
    """What must be known before anything is read."""
    told = [
        f"Do not use the answer to “{answered.question.title}” yet: a check failed."
        for answered in given.answers
        if not answered.passed
    ]
    for result in given.results:
        failed = [check.name for check in result.checks if not check.passed]
        if failed:
            told.append(
                f"Do not use the result of “{result.analysis.title}” yet: {', '.join(failed)} failed."
            )
    return tuple(told)


def _checklists(facts: Facts) -> Section:
    """Four guidelines, each filled from what was run."""
    tables = [
        Fold(title, (Shown(f"checklist-{name}", lambda numbers, name=name: checklist(name, facts, numbers)),))
        for name, title in titles().items()
    ]
    start = (
        "Filled by the software from what was run: reported, with the place; not done, with the reason; or "
        "for the authors, where software cannot know. The items are named in our own words; the guidelines "
        "have the full ones."
    )
    return Section("checklists", "Reporting checklists", (text(start), *tables))


# -- sections of the project's own material -----------------------------------------------------------------


def _of_project(project: Project | None, folder: Path) -> list[Section]:
    """Printed lines analysed again, pain before and after, and the audit; those that a project has."""
    if project is None:
        return []
    made = [_efficacy(project, folder), _pain(project, folder), _audit(project, folder)]
    return [section for section in made if section is not None]


def _efficacy(project: Project, folder: Path) -> Section | None:
    found = efficacy(project)
    if found is None:
        return None
    drawn = picture(
        found.figure, found.table.name, found.alt, folder,
        "What the paper prints, what follows for the typical centre, and for the next.",
        ("Each outcome has an axis of its own.",),
    )  # fmt: skip
    told = [
        Section(f"efficacy-{place}", outcome, paragraphs(sentences))
        for place, (outcome, sentences) in enumerate(found.outcomes, start=1)
    ]
    assumed = Fold("What was assumed of each line, and which studies feed it", (_shown(found.assumed),))
    blocks: tuple[Block, ...] = (*paragraphs(found.opening), drawn, _shown(found.table), assumed, *told)
    return Section("efficacy-lines", "Efficacy: printed lines analysed again", blocks)


def _pain(project: Project, folder: Path) -> Section | None:
    series = read_patients(project)
    if series is None:
        return None
    found = pre_post(series, read_printed(project))
    drawn = picture(
        found.figure, found.table.name, found.alt, folder, "One series, several standardised changes.",
        (
            "Left: change in standard deviations, with 95 % intervals, as it depends on the correlation r "
            "that is taken. Right: the share of its sampling variance that is g²/(2n) and nothing else.",
        ),
    )  # fmt: skip
    blocks = (*paragraphs(found.sentences), drawn, _shown(found.table))
    return Section("pain-scale", "Pain before and after: on which scale?", blocks)


def _audit(project: Project, folder: Path) -> Section | None:
    found = audited(project)
    if found is None:
        return None
    write(folder / "tables" / "audit.csv", to_csv(found.every))
    blocks = (text(found.sentence), *(_shown(table) for table in found.tables))
    return Section("audit", "What the papers print, recomputed", blocks)


def _shown(table) -> Shown:
    return Shown(table.name, replace(table))
