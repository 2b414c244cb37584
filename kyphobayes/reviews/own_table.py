"""A new review that begins with the user's own table in place of invented rows."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import Contrasts, Counts, Rates, Tabulated, View
from kyphobayes.own_data import OwnData, read_own_data
from kyphobayes.own_data.default_priors import default_priors
from kyphobayes.own_data.question import question
from kyphobayes.priors import Prior
from kyphobayes.reviews.descriptor import COLUMNS_OF_SOURCES, COLUMNS_OF_STUDIES, columns
from kyphobayes.reviews.outcomes import CONTRASTS, COUNTS, RATES, SETS, Outcome, quoted

SOURCE: Final = "own_table"
_NOTE = "From a table of our own; title, question, limit and priors are still to be thought about."
_WHY = "A default of kyphobayes: replace it by what was known before"


@dataclass(frozen=True)
class Begun:
    """What a user's table gives a new review.

    Attributes
    ----------
    outcome : Outcome
    studies, sources : str
        CSV texts.
    said : tuple of str
        What was recognised and changed, and what was left out.
    """

    outcome: Outcome
    studies: str
    sources: str
    said: tuple[str, ...]


def begun_from(path: Path, *, measure: str = "", kind: str = "") -> Begun:
    """Read a user's table into what a new review begins with.

    Parameters
    ----------
    path : Path
        A table that `read_own_data` understands.
    measure : str
        metafor's code, where the columns allow more than one.
    kind : str
        What is expected to be in it; empty: whatever it holds.

    Raises
    ------
    EvidenceError
        As `read_own_data` does, and if it holds another kind.
    """
    own = read_own_data(path, measure=measure)
    view = own.evidence
    found = COUNTS if isinstance(view, Counts) else RATES if isinstance(view, Rates) else CONTRASTS
    if kind and kind != found:
        raise EvidenceError(f"{path}: expected {kind}, found {found}: {own.sentence}")
    if isinstance(view, Tabulated) and len(view.latent):
        raise EvidenceError(
            f"{path}: the count of {view.labels[view.latent[0]]} follows from its percentage only within a "
            "range; enter the count that the paper prints, or pool the table with `kyphobayes fit`"
        )
    name = identifier(own.name) or "outcome"
    ids = identifiers(view.labels)
    left_out = [f"left out: {row['label']}: {row['reason']}" for row in view.excluded.to_dict("records")]
    return Begun(
        outcome=_outcome(own, name, found, ids),
        studies=_text(
            COLUMNS_OF_STUDIES,
            ((key, label, "", "", "") for key, label in zip(ids, view.labels, strict=True)),
        ),
        sources=_text(
            COLUMNS_OF_SOURCES,
            [
                (
                    SOURCE,
                    f"{path.name}, a table of our own",
                    "",
                    "",
                    "",
                    "name the papers that its rows come from",
                )
            ],
        ),
        said=(own.sentence, *own.notes, *left_out),
    )


def identifier(text: str) -> str:
    """A text as a name of tables and keys: plain letters, digits and underscores, a letter first."""
    letters = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^a-z0-9]+", "_", letters).strip("_")
    return f"t_{plain}" if plain[:1].isdigit() else plain


def identifiers(labels: Sequence[str]) -> list[str]:
    """Different identifiers of studies, near to their labels."""
    done: list[str] = []
    for label in labels:
        base = identifier(label) or "study"
        name, tries = base, 2
        while name in done:
            name, tries = f"{base}_{tries}", tries + 1
        done.append(name)
    return done


def _outcome(own: OwnData, name: str, kind: str, ids: Sequence[str]) -> Outcome:
    """The user's rows, with the question, the limit and the priors that `kyphobayes fit` gives this table."""
    view = own.evidence
    rows = [
        (key, *(_number(values[i]) for values in _values(view)), SOURCE, str(place), "")
        for i, (key, place) in enumerate(zip(ids, view.rows["locator"], strict=True))
    ]
    asked, _ = question(own)
    return Outcome(
        name=name,
        kind=kind,
        table=_text(columns(kind), rows),
        title=own.name.replace("_", " "),
        question=asked.question,
        note=_NOTE,
        limit=asked.decision.below,
        words=asked.decision.words,
        unit=_unit(view),
        event=own.event,
        per=view.per if isinstance(view, Rates) else 1.0,
        measure=view.measure if isinstance(view, Contrasts) else "",
        compare=SETS,
        priors=tuple(
            (each.label, "".join(_entry(f"{name}.{parameter}", prior) for parameter, prior in each.entries))
            for each in default_priors(asked, view, own.sizes)[0]
        ),
    )


def _unit(view: View) -> str:
    if isinstance(view, Counts):
        return view.unit or "patients"
    if isinstance(view, Rates):
        return view.unit or "patient-years"
    assert isinstance(view, Contrasts)
    return view.unit


def _values(view: View) -> tuple[np.ndarray, ...]:
    if isinstance(view, Counts):
        return view.events, view.n
    if isinstance(view, Rates):
        return view.events, view.exposure
    assert isinstance(view, Contrasts)
    return view.y, view.se


def _entry(where: str, prior: Prior) -> str:
    why, _, source = prior.why.rpartition(" Source: ")
    return (
        f"\n[{where}]\nprior = {quoted(str(prior))}\nwhy = {quoted(why or _WHY)}\n"
        f"source = {quoted(source.removesuffix('.') or _WHY)}\n"
    )


def _number(value: float) -> str:
    return f"{value:.15g}"


def _text(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """CSV text."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    return out.getvalue()
