"""Reporting checklists, filled from what was run: where each item is in the report, or why it is not.

The items, and answers that are always the same, are in ``checklists.toml``; those that depend on what was run
are in `checklist_answers`. What software cannot know is left to the authors, and said to be.
"""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd
from markupsafe import Markup

from kyphobayes.report.checklist_answers import AUTHORS, COMPUTED, NOT_DONE, REPORTED, Answer, Facts
from kyphobayes.report.document import Numbers
from kyphobayes.report.tables import Column, Table
from kyphobayes.report.words import NONE, listed

_MOST = 6  # places that are named for an item


@cache
def _content() -> dict[str, Any]:
    return tomllib.loads((files("kyphobayes.report") / "checklists.toml").read_text(encoding="utf-8"))


def _answer(key: str, facts: Facts) -> Answer:
    if key in COMPUTED:
        return COMPUTED[key](facts)
    said = _content()["answer"][key]
    parts = [anchor for part in said.get("parts", []) for anchor in facts.parts(part)]
    return Answer(said["status"], said["text"], (*said.get("where", []), *parts))


def titles() -> dict[str, str]:
    """Titles of the guidelines by name, in order."""
    return {guideline["name"]: guideline["title"] for guideline in _content()["guideline"]}


def checklist(name: str, facts: Facts, numbers: Numbers) -> Table:
    """Fill the checklist of one guideline.

    Parameters
    ----------
    name : str
        One of `titles`.
    facts : Facts
    numbers : mapping of str to Number
        Of all sections, tables and figures; places that the report does not have are left out.
    """
    guideline = next(each for each in _content()["guideline"] if each["name"] == name)
    rows, places = [], []
    for item, asks, key in guideline["items"]:
        answer = _answer(key, facts)
        found = [numbers[anchor] for anchor in answer.where if anchor in numbers]
        places.append(found)
        where = ", ".join(number.label for number in found)
        row = {"item": item, "asks": asks, "status": answer.status, "where": where, "answer": answer.text}
        rows.append(row)
    frame = pd.DataFrame(rows)
    link = Markup('<a href="#{}">{}</a>')

    def place(row: Any) -> str:
        found = places[int(row.name)]
        links = [link.format(number.anchor, number.label) for number in found[:_MOST]]
        return Markup(", ").join([*links, *(["…"] if len(found) > _MOST else [])]) or NONE

    columns = (
        Column("Item", lambda row: row["item"]),
        Column("What is asked", lambda row: row["asks"]),
        Column("Status", lambda row: row["status"]),
        Column("Where", place),
        Column("What was done", lambda row: row["answer"]),
    )
    counts = frame["status"].value_counts()
    note = listed([f"{counts[word]} {word}" for word in (REPORTED, NOT_DONE, AUTHORS) if word in counts])
    return Table(f"checklist-{name}", guideline["title"], frame, columns, f"{note}. Items in our own words.")
