"""The descriptor of a new review's tables: what each column holds, as a Frictionless data package."""

import json
from collections.abc import Sequence
from typing import Any, Final

Fields = Sequence[tuple[str, str, str, dict[str, Any]]]  # name, type, description, constraints

_NEEDED: Final = {"required": True}
_STUDIES: Fields = (
    ("study_id", "string", "Identifier that every other table uses.", _NEEDED),
    ("label", "string", "Name in tables and figures.", {"required": True, "unique": True}),
    ("year", "integer", "Year of publication.", {}),
    ("overlaps_with", "string", "Studies with the same patients, separated by semicolons.", {}),
    ("note", "string", "Anything a reader must know.", {}),
)
_SOURCES: Fields = (
    ("source_id", "string", "Identifier that the column source of every table uses.", _NEEDED),
    ("citation", "string", "As in a list of references.", _NEEDED),
    ("year", "integer", "Year of publication.", {}),
    ("doi", "string", "DOI without resolver.", {}),
    ("url", "string", "Address of the page read.", {}),
    ("note", "string", "Anything a reader must know.", {}),
)
_EVENTS = ("events", "integer", "Number of events.", {"minimum": 0})
_VALUES: Final[dict[str, Fields]] = {
    "counts": (_EVENTS, ("n", "integer", "Number of patients, or of whatever is counted.", {"minimum": 1})),
    "rates": (_EVENTS, ("time", "number", "Time at risk, in the unit that the plan names.", {"minimum": 0})),
    "contrasts": (
        ("y", "number", "Estimate; the logarithm of a ratio.", {}),
        ("se", "number", "Standard error of y.", {"minimum": 0}),
    ),
}
_ORIGIN: Fields = (
    ("source", "string", "Source of the numbers, as in sources.csv.", _NEEDED),
    ("locator", "string", "Where in the source: page, table, figure.", {}),
    ("note", "string", "Anything a reader must know.", {}),
)
_KEY: Fields = (("study_id", "string", "As in studies.csv.", _NEEDED),)
_TITLES: Final = {
    "counts": "Events out of n, one row per study",
    "rates": "Events in a time at risk, one row per study",
    "contrasts": "Estimates with standard errors, one row per study",
}


COLUMNS_OF_STUDIES: Final = tuple(name for name, *_ in _STUDIES)
COLUMNS_OF_SOURCES: Final = tuple(name for name, *_ in _SOURCES)


def columns(kind: str) -> list[str]:
    """Columns of an outcome's table of one kind."""
    return [name for name, *_ in (*_KEY, *_VALUES[kind], *_ORIGIN)]


def descriptor(title: str, outcomes: Sequence[tuple[str, str]]) -> str:
    """JSON text of a package with studies, sources and one table for each outcome.

    Parameters
    ----------
    title : str
    outcomes : sequence of (str, str)
        Name and kind of each.
    """
    tables = [
        _resource("sources", "sources.csv", "Papers and pages that were read", _SOURCES, ["source_id"]),
        _resource("studies", "studies.csv", "Studies", _STUDIES, ["study_id"]),
    ]
    for name, kind in outcomes:
        fields = (*_KEY, *_VALUES[kind], *_ORIGIN)
        tables.append(_resource(name, f"outcomes/{name}.csv", _TITLES[kind], fields, []))
    package = {"name": "kyphobayes-review", "title": title, "resources": tables}
    return json.dumps(package, ensure_ascii=False, indent=2) + "\n"


def _resource(name: str, path: str, title: str, fields: Fields, key: list[str]) -> dict[str, Any]:
    """Describe one table; columns that are not described here may be added to it."""
    described = [
        {"name": column, "type": kind, "description": text, **({"constraints": rules} if rules else {})}
        for column, kind, text, rules in fields
    ]
    schema: dict[str, Any] = {"fields": described, "fieldsMatch": "subset", "missingValues": [""]}
    if key:
        schema["primaryKey"] = key
    return {"name": name.replace("_", "-"), "path": path, "title": title, "format": "csv", "schema": schema}
