"""Citations with their numbers, and the list of sources at the end."""

from collections.abc import Mapping, Sequence

import pandas as pd
from markupsafe import Markup

from kyphobayes.evidence import read_table
from kyphobayes.project import Project
from kyphobayes.report.document import Block, Inline, Items, text
from kyphobayes.run import Result


def numbered_sources(results: Sequence[Result]) -> dict[str, int]:
    """Number citations: those that entered first, in the order in which they are met."""
    views = [result.evidence for result in results]
    met: dict[str, int] = {}
    for frame in [view.rows for view in views] + [view.excluded for view in views]:
        for citation in frame.get("citation", ()):
            if str(citation):
                met.setdefault(str(citation), len(met) + 1)
    return met


def sources_list(numbers: Mapping[str, int], project: Project | None) -> tuple[Block, ...]:
    """List the sources in order, with an address where the project knows one."""
    if not numbers:
        return (text("The evidence was handed over without sources."),)
    known = _known(project)
    lines = [_line(citation, known.get(citation, {})) for citation in numbers]
    return (Items(tuple(lines), ordered=True, anchors=tuple(f"source-{n}" for n in numbers.values())),)


def _known(project: Project | None) -> dict[str, dict[str, str]]:
    """What is known of each citation; of two that read alike, nothing, because they cannot be told apart."""
    if project is None or not (project.data / "sources.csv").is_file():
        return {}
    table = read_table(project, "sources.csv").drop_duplicates("citation", keep=False)
    rows = table.astype(object).to_dict("records")
    return {
        str(row["citation"]): {str(key): str(value) for key, value in row.items() if pd.notna(value)}
        for row in rows
    }


def _line(citation: str, told: Mapping[str, str]) -> tuple[Inline, ...]:
    doi = told.get("doi", "")
    address = f"https://doi.org/{doi}" if doi else told.get("url", "")
    read_as = told.get("read_as", "").replace("_", " ")
    notes = [f"read as {read_as}" if read_as else "", told.get("note", "")]
    note = "; ".join(part for part in notes if part)
    # Only addresses of pages are linked: a script could stand in any other.
    linked = address.startswith(("https://", "http://"))
    shown = Markup('<a href="{}">{}</a>').format(address, citation) if linked else citation
    return (shown, f" ({note})") if note else (shown,)
