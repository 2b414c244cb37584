"""Changes that matter to patients, and limits that decisions are about: ``data/thresholds.toml``."""

from dataclasses import dataclass
from math import isfinite

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.tables import read_table
from kyphobayes.project import Project
from kyphobayes.toml_files import check_keys, nearest, read_toml, typed

FILE = "thresholds.toml"
_CONVENTION = "a convention of this project"


@dataclass(frozen=True)
class Threshold:
    """A value that a claim is about.

    Attributes
    ----------
    name : str
    value : float
    unit : str
        "points" of a scale, "degrees", or "share" between 0 and 1.
    claim : str
        What is claimed, in words.
    source, locator : str
        Empty for a convention of the project.
    why : str
    """

    name: str
    value: float
    unit: str
    claim: str
    source: str
    locator: str
    why: str

    @property
    def cited(self) -> str:
        """Where it comes from, for a table."""
        return f"{self.source}, {self.locator}" if self.source else _CONVENTION


def read_thresholds(project: Project) -> dict[str, Threshold]:
    """Read every threshold by its name.

    Raises
    ------
    EvidenceError
        Naming the entry and the key that is missing, unknown or of the wrong kind, or an unknown source.
    """
    entries = read_toml(project.data / FILE)
    sources = list(read_table(project, "sources.csv")["source_id"])
    return {name: _threshold(name, entry, sources) for name, entry in entries.items()}


def find_threshold(project: Project, name: str) -> Threshold:
    """Threshold by its name.

    Raises
    ------
    EvidenceError
        If there is none; the message names the nearest.
    """
    found = read_thresholds(project)
    if name not in found:
        raise EvidenceError(f"no threshold {name!r} in data/{FILE}; {nearest(name, found)}")
    return found[name]


def _threshold(name: str, entry: object, sources: list[str]) -> Threshold:
    where = f"{FILE} [{name}]"
    if not isinstance(entry, dict):
        raise EvidenceError(f"{where}: expected a table, found {entry!r}")
    check_keys(where, entry, ["value", "unit", "reads", "source", "locator", "why"], [])
    text = {key: typed(where, entry, key, str) for key in ("unit", "reads", "source", "locator", "why")}
    value = typed(where, entry, "value", float)
    if not isfinite(value) or (text["unit"] == "share" and not 0 < value < 1):
        raise EvidenceError(f"{where}: expected a finite value, a share between 0 and 1, found {value:g}")
    if text["source"] and text["source"] not in sources:
        raise EvidenceError(f"{where}: no source {text['source']!r}; {nearest(text['source'], sources)}")
    if not text["source"] and "convention" not in text["why"]:
        raise EvidenceError(f"{where}: expected a source, or a why that calls it a convention")
    shown = f"{value:g}"
    percent = f"{100 * value:g} %"
    claim = text.pop("reads").replace("{value:.0%}", percent).replace("{value}", shown)
    return Threshold(name=name, value=value, claim=claim, **text)
