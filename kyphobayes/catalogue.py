"""Published priors: ``data/priors/catalogue/``, each with its source and what it applies to."""

from dataclasses import dataclass
from typing import Any

from kyphobayes.errors import EvidenceError, InputError, PriorError
from kyphobayes.names import GLOBALS
from kyphobayes.priors import Prior, Priors
from kyphobayes.project import Project
from kyphobayes.toml_files import check_keys, nearest, read_toml, typed

_COMMON = ("source", "transcribed_from", "measure", "applies_to")
_KEYS = ("name", "parameter", "prior", "locator")
_OPTIONAL = ("outcome", "comparison", "area", "suspect")
_FILTERS = ("parameter", "measure", "outcome", "comparison", "area")


@dataclass(frozen=True)
class CataloguePrior:
    """A published prior.

    Attributes
    ----------
    name : str
    parameter : {"mu", "tau"}
    prior : Prior
    measure : {"OR", "SMD"}
        metafor's code of the effect measure; of OR it is the logarithm.
    applies_to : str
        What the prior was made for. All are for contrasts of two arms: of a single arm's log odds
        or of a change within patients they say little, and whoever uses them there must say so.
    outcome, comparison, area : str
        The cell of the published table; empty where it has no such heading.
    source, locator : str
        The publication, and the place in it.
    transcribed_from : str
        Where the number was read.
    suspect : str
        Why the number may be a misprint; empty for all others.
    """

    name: str
    parameter: str
    prior: Prior
    measure: str
    applies_to: str
    outcome: str
    comparison: str
    area: str
    source: str
    locator: str
    transcribed_from: str
    suspect: str


def read_catalogue(project: Project) -> dict[str, CataloguePrior]:
    """Read every published prior, by its name.

    Raises
    ------
    EvidenceError, PriorError
        Naming the file and the entry that is wrong.
    """
    found: dict[str, CataloguePrior] = {}
    for path in sorted((project.data / "priors" / "catalogue").glob("*.toml")):
        where, content = f"priors/catalogue/{path.name}", read_toml(path)
        check_keys(where, content, ["title", *_COMMON, "priors"], ["note"])
        common = {key: typed(where, content, key, str) for key in _COMMON}
        for place, row in enumerate(typed(where, content, "priors", list)):
            entry = _entry(f"{where} priors[{place}]", row, common)
            if entry.name in found:
                raise EvidenceError(f"{where} priors[{place}]: {entry.name} is there twice")
            found[entry.name] = entry
    return found


def _entry(where: str, row: Any, common: dict[str, str]) -> CataloguePrior:
    check_keys(where, row, _KEYS, _OPTIONAL)
    text = {key: typed(where, row, key, str, "") for key in (*_KEYS, *_OPTIONAL)}
    parameter = text["parameter"]
    if parameter not in GLOBALS:
        raise EvidenceError(f"{where}: expected parameter to be mu or tau, found {parameter!r}")
    why = f"{common['source']}, {text['locator']}; for {common['applies_to']}."
    try:
        prior = Prior.parse(text.pop("prior"), why=why)
        Priors.of(**{parameter: prior})  # that of tau must stay above zero
    except PriorError as problem:
        raise PriorError(f"{where}: {problem}") from None
    return CataloguePrior(prior=prior, **text, **common)


def catalogue_priors(
    project: Project,
    *,
    parameter: str | None = None,
    measure: str | None = None,
    outcome: str | None = None,
    comparison: str | None = None,
    area: str | None = None,
    suspect: bool = True,
) -> dict[str, CataloguePrior]:
    """Published priors of one kind, by name.

    Parameters
    ----------
    project : Project
    parameter, measure, outcome, comparison, area : str, optional
        Only priors with exactly this.
    suspect : bool
        Whether to include numbers that may be misprints.

    Raises
    ------
    InputError
        If nothing in the catalogue has a value asked for; the message names the nearest.
    """
    wanted = dict(zip(_FILTERS, (parameter, measure, outcome, comparison, area), strict=True))
    entries = read_catalogue(project)
    for key, value in wanted.items():
        known = sorted({getattr(entry, key) for entry in entries.values()} - {""})
        if value is not None and value not in known:
            raise InputError(f"{key}: no published prior has {value!r}; {nearest(value, known)}")
    return {
        name: entry
        for name, entry in entries.items()
        if (suspect or not entry.suspect)
        and all(value is None or getattr(entry, key) == value for key, value in wanted.items())
    }
