"""The section on what the papers print: how much of it is reproduced, and what is not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from kyphobayes.audit import VERDICTS, Claim, audit, claims_frame, counts, papers, titles
from kyphobayes.audit.claims import NOT_CHECKABLE, NOT_REPRODUCED, READING, REPRODUCED
from kyphobayes.project import Project
from kyphobayes.report.tables import Column, Table, exactly
from kyphobayes.report.words import listed

_NOTE = (
    "Printed, and recomputed by a rule of data/audit/ from the tables of data/. Not reproduced does not say "
    "why: a slip, another selection of patients, or a convention that the paper does not tell."
)


@dataclass(frozen=True)
class Audited:
    """What the page shows of the audit; `every` is the whole list, for its CSV file."""

    sentence: str
    tables: list[Table]
    every: pd.DataFrame


def audited(project: Project) -> Audited | None:
    """Audit all papers of a project; None where it has no table of printed figures.

    Raises
    ------
    EvidenceError
        If a table or a rule does not say what it must.
    """
    if not papers(project):
        return None
    claims, names = audit(project), titles(project)
    tables = [_counts(claims, names)]
    heads = (
        (NOT_REPRODUCED, "not-reproduced", "What is not reproduced"),
        (READING, "readings", "What is reproduced only under a reading that the paper does not state"),
    )
    for verdict, name, caption in heads:
        own = [claim for claim in claims if claim.verdict == verdict]
        if own:
            tables.append(_findings(own, names, f"audit-{name}", caption, verdict == READING))
    return Audited(_sentence(claims, names), tables, claims_frame(claims))


def _sentence(claims: Sequence[Claim], names: Mapping[str, str]) -> str:
    number = counts(claims)
    sources = listed([names[paper] for paper in dict.fromkeys(claim.paper for claim in claims)])
    return (
        f"Of {len(claims)} figures that are printed ({sources}), {number[REPRODUCED]} come out to the "
        f"printed digits, {number[READING]} under a reading that is not stated, "
        f"{number[NOT_REPRODUCED]} do not come out, and {number[NOT_CHECKABLE]} cannot be checked with "
        "what is published."
    )


def _counts(claims: Sequence[Claim], names: Mapping[str, str]) -> Table:
    rows = [
        {"paper": names[paper], **counts(claim for claim in claims if claim.paper == paper)}
        for paper in dict.fromkeys(claim.paper for claim in claims)
    ]
    if len(rows) > 1:
        rows.append({"paper": "All", **counts(claims)})
    columns = (
        Column("Paper", exactly("paper")),
        *(Column(verdict.capitalize(), exactly(verdict), True) for verdict in VERDICTS),
    )
    return Table("audit-counts", "Printed figures by verdict", pd.DataFrame(rows), columns, _NOTE)


def _findings(
    claims: Sequence[Claim], names: Mapping[str, str], name: str, caption: str, reading: bool
) -> Table:
    frame = claims_frame(claims)
    frame["name"] = [claim.name for claim in claims]
    frame["title"] = frame["paper"].map(dict(names))
    columns = [
        Column("Paper", exactly("title")),
        Column("Figure", exactly("name")),
        Column("Printed", exactly("printed")),
        Column("Recomputed", exactly("recomputed")),
        Column("Arithmetic", exactly("arithmetic")),
    ]
    if reading:
        columns.insert(4, Column("Reading", exactly("reading")))
    return Table(name, caption, frame, tuple(columns))
