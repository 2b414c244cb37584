"""Questions of the plan that are not about one pooled rate: entries of the plan with a `kind`."""

from dataclasses import dataclass
from typing import Any

from kyphobayes.errors import EvidenceError, PriorError
from kyphobayes.evidence.plan import check_file_name
from kyphobayes.priors import Prior, Priors
from kyphobayes.project import Project
from kyphobayes.toml_files import check_keys, read_toml, texts, typed

_REQUIRED = ["kind", "title", "question"]
_OPTIONAL = ["model", "priors", "note", "options", "sources"]


@dataclass(frozen=True)
class Question:
    """One entry of the plan with a `kind`.

    Attributes
    ----------
    name, kind, title, question, note : str
        The kind names the module of `kyphobayes.questions` that answers it.
    model : str
        Name of a model file; empty where none is fitted.
    priors : tuple of Priors
        Named sets, that of the main result first; empty where there are none.
    options : dict
        What the kind's own module reads.
    sources : tuple of str
        Identifiers in ``data/sources.csv``.
    """

    name: str
    kind: str
    title: str
    question: str
    note: str
    model: str
    priors: tuple[Priors, ...]
    options: dict[str, Any]
    sources: tuple[str, ...]

    def fits(self, model: str) -> bool:
        """Whether answering it fits this model: its own, or another that one of its options names."""
        return model == self.model or model in self.options.values()


def read_questions(project: Project) -> dict[str, Question]:
    """Read every entry with a `kind`, in its order.

    Raises
    ------
    EvidenceError, PriorError
        Naming the entry and the key that is missing, unknown or of the wrong kind.
    """
    entries = read_toml(project.data / "analyses.toml")
    return {name: _question(name, e) for name, e in entries.items() if isinstance(e, dict) and "kind" in e}


def _question(name: str, entry: dict[str, Any]) -> Question:
    where = f"analyses.toml [{name}]"
    check_file_name(where, name)
    check_keys(where, entry, _REQUIRED, _OPTIONAL)
    text = {key: typed(where, entry, key, str, "") for key in ("kind", "title", "question", "note", "model")}
    if not text["kind"].isidentifier():
        raise EvidenceError(f"{where}: expected kind to be the name of a module, found {text['kind']!r}")
    sets = typed(where, entry, "priors", dict, {})
    return Question(
        name=name,
        **text,
        priors=tuple(_set(f"{where}.priors.{label}", label, rows) for label, rows in sets.items()),
        options=typed(where, entry, "options", dict, {}),
        sources=texts(where, entry, "sources"),
    )


def _set(where: str, label: str, rows: Any) -> Priors:
    """Read a named set: a table of parameters, each with its prior and the reason for it."""
    check_file_name(where, label)
    if not isinstance(rows, dict) or not rows:
        raise EvidenceError(f'{where}: expected parameters, such as mu = {{ prior = "…", why = "…" }}')
    found: dict[str, Prior] = {}
    for parameter, row in rows.items():
        spot = f"{where}.{parameter}"
        if not isinstance(row, dict):
            raise EvidenceError(f'{spot}: expected {{ prior = "…", why = "…" }}, found {row!r}')
        check_keys(spot, row, ["prior", "why"], [])
        try:
            found[parameter] = Prior.parse(typed(spot, row, "prior", str), why=typed(spot, row, "why", str))
            Priors.of(label, **{parameter: found[parameter]})
        except PriorError as problem:
            raise PriorError(f"{spot}: {problem}") from None
    return Priors.of(label, **found)
