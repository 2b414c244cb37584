"""What the studies of an analysis are like: design, detection, follow-up, and the judgements of their bias.

A judgement is shown as it is printed, as a letter in a shape in a colour, so that nothing rests on colour
alone; where it comes from is told with each of them. Whether a "yes" is good is for the item to say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from kyphobayes.evidence import read_table
from kyphobayes.project import Project
from kyphobayes.report.evidence_tables import located
from kyphobayes.report.tables import Column, Show, Table, exactly, text, there
from kyphobayes.report.words import NONE
from kyphobayes.run import Result

# Letter and class of the style sheet; a judgement in other words gets its first letter, and no colour.
_SIGNS = {
    "yes": ("Y", "yes"),
    "low": ("L", "yes"),
    "no": ("N", "no"),
    "high": ("H", "no"),
    "some concerns": ("S", "unsure"),
    "moderate": ("M", "unsure"),
    "serious": ("S", "no"),
    "critical": ("C", "no"),
    "unclear": ("?", "unsure"),
    "nr": ("?", "unsure"),
    "not reported": ("?", "unsure"),
}
_SAID = {"nr": "not reported"}
_DESCRIBED = (
    ("design", "Design"),
    ("population", "Population"),
    ("detection", "Detection"),
    ("follow_up", "Follow-up"),
)


@dataclass(frozen=True)
class Known:
    """What a project's tables say of its studies, read once.

    Attributes
    ----------
    studies : DataFrame
        By study_id.
    bias : DataFrame or None
        Judgements of the risk of bias.
    cited : dict of str to str
        Citations by the identifier of their source.
    """

    studies: pd.DataFrame
    bias: pd.DataFrame | None
    cited: Mapping[str, str]

    @property
    def judged(self) -> int:
        """Studies with a judgement."""
        return 0 if self.bias is None else int(self.bias["study_id"].nunique())


def read_known(project: Project) -> Known | None:
    """Read what a project says of its studies; None where it has no table of them.

    Raises
    ------
    EvidenceError
        If a table is there and does not say what it must.
    """
    if not (project.data / "studies.csv").is_file():
        return None
    studies = read_table(project, "studies.csv").set_index("study_id")
    bias = cited = None
    if (project.data / "risk_of_bias.csv").is_file():
        bias = read_table(project, "risk_of_bias.csv").drop(columns="line")
    if (project.data / "sources.csv").is_file():
        sources = read_table(project, "sources.csv")
        cited = dict(zip(sources["source_id"], sources["citation"], strict=True))
    return Known(studies, bias, cited or {})


def studies_table(result: Result, known: Known | None) -> Table | None:
    """Studies of an analysis with their judgements; None where nothing is known beyond their results."""
    rows = result.evidence.rows
    if known is None or "study_id" not in rows:
        return None
    present = [study for study in rows["study_id"] if study in known.studies.index]
    if not present:
        return None
    frame, bias = known.studies.loc[present].reset_index(), known.bias
    shown = [(key, head) for key, head in _DESCRIBED if key in frame and (frame[key].astype(str) != "").any()]
    items = _items(bias, present)
    frame = frame[["study_id", "label", *(key for key, _ in shown)]]
    if bias is not None and items:
        frame = frame.assign(**{item: [_judgement(bias, study, item) for study in present] for item in items})
    columns = (
        Column("Study", exactly("label")),
        *(Column(head, text(key)) for key, head in shown),
        # A head may break at a slash.
        *(Column(item.replace("/", "/\u200b"), _sign(bias, item)) for item in items),
    )
    note = _note(bias, items, present) if items else ""
    return Table("studies", "The studies: design and risk of bias", frame, columns, note)


def judgements_table(result: Result, known: Known | None, sources: Mapping[str, int]) -> Table | None:
    """Every judgement on the studies of an analysis with its reason; None where there is none.

    Parameters
    ----------
    result : Result
    known : Known or None
    sources : mapping of str to int
        Numbers of the citations.
    """
    rows = result.evidence.rows
    if known is None or known.bias is None or "study_id" not in rows:
        return None
    names = dict(zip(rows["study_id"], result.evidence.labels, strict=True))
    own = known.bias[known.bias["study_id"].isin(rows["study_id"])].reset_index(drop=True)
    if own.empty:
        return None
    frame = own.assign(label=own["study_id"].map(names), citation=own["source"].map(dict(known.cited)))
    columns = (
        Column("Study", exactly("label")),
        Column("Domain", exactly("domain")),
        Column("Item", exactly("item")),
        Column("Judgement", lambda row: _said(str(row["judgement"]))),
        Column("Reason", lambda row: str(row["rule"]) if there(row, "rule") else "as printed"),
        Column("Source, place", lambda row: located(row, sources)),
    )
    return Table("judgements", "Each judgement, with its reason", frame, columns)


def _items(bias: pd.DataFrame | None, studies: Sequence[str]) -> list[str]:
    if bias is None:
        return []
    return list(dict.fromkeys(bias.loc[bias["study_id"].isin(studies), "item"]))


def _judgement(bias: pd.DataFrame, study: str, item: str) -> str:
    found = bias.loc[(bias["study_id"] == study) & (bias["item"] == item), "judgement"]
    return str(found.iloc[0]) if len(found) else ""


def _sign(bias: pd.DataFrame | None, item: str) -> Show:
    """Show the judgement of a study on one item, with where it was read at hand."""

    def show(row: Any) -> str:
        if bias is None or not there(row, item):
            return NONE
        found = bias.loc[(bias["study_id"] == row["study_id"]) & (bias["item"] == item)].iloc[0]
        said = _said(str(found["judgement"]))
        why = ", ".join(str(found[key]) for key in ("rule", "source", "locator") if there(found, key))
        letter, kind = _SIGNS.get(said.lower(), (said[:1].upper() or "?", "plain"))
        sign = Markup('<span class="sign {}" role="img" title="{}: {} ({})" aria-label="{}">{}</span>')
        return sign.format(kind, item, said, why or "no reason printed", said, letter)

    return show


def _said(judgement: str) -> str:
    return _SAID.get(judgement.lower(), judgement)


def _note(bias: pd.DataFrame | None, items: Sequence[str], studies: Sequence[str]) -> str:
    """Legend, domains, and where the judgements come from."""
    assert bias is not None
    own = bias[bias["study_id"].isin(studies)]
    domains = own.groupby("domain", sort=False)["item"].agg(lambda x: ", ".join(dict.fromkeys(x)))
    told = "; ".join(f"{domain}: {held}" for domain, held in domains.items())
    said = dict.fromkeys(_said(judgement).lower() for judgement in own["judgement"])
    letters = {_SIGNS[word][0]: word for word in said if word in _SIGNS}
    legend = ", ".join(f"{letter} {word}" for letter, word in letters.items())
    places = "; ".join(dict.fromkeys(f"{row['source']}, {row['locator']}" for _, row in own.iterrows()))
    missing = [study for study in studies if study not in set(own["study_id"])]
    text = (
        f"{legend}, as printed ({places}); a dash: not judged. The letter answers the item’s own question, "
        f"so that a yes is not always the lower risk. Domains: {told}."
    )
    return f"{text} Of {len(studies)} studies {len(missing)} were not judged." if missing else text
