"""What a new review begins with: an outcome, its table and its entry in the plan; examples are invented."""

import json
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Any, Final

COUNTS, CONTRASTS, RATES = "counts", "contrasts", "rates"
KINDS: Final = (COUNTS, CONTRASTS, RATES)
SETS: Final = ("weakly_informative", "vague", "sceptical")
_INVENTED = "The numbers of this example are invented: they say nothing about anything."


@dataclass(frozen=True)
class Outcome:
    """One outcome of a new review.

    Attributes
    ----------
    name : str
        Of its table and of its entry in the plan.
    kind : {"counts", "contrasts", "rates"}
    table : str
        CSV text.
    title, question, note : str
    limit : float
        Of the decision, on the scale that people read.
    words : str
        The claim that the effect lies below it.
    unit : str
        What n counts, or of time, or of the estimates.
    event : str
        What is counted, in the plural.
    per : float
        Time that rates are shown per.
    measure : str
        Of contrasts.
    compare : tuple of str
        Prior sets, the main one first.
    priors : tuple of (str, str) pairs
        Name of a prior set, and what is added to it: TOML tables of the outcome's own priors, where its
        measure has none.
    """

    name: str
    kind: str
    table: str
    title: str
    question: str
    note: str
    limit: float
    words: str
    unit: str = ""
    event: str = "events"
    per: float = 1.0
    measure: str = ""
    compare: tuple[str, ...] = SETS[:2]
    priors: tuple[tuple[str, str], ...] = ()

    @property
    def plan(self) -> str:
        """Entry of the plan, as TOML."""
        told = ("title", "question", "note", "words", "unit", "event")
        return Template(template(f"plan/{self.kind}.toml")).substitute(
            {key: quoted(getattr(self, key)) for key in told},
            name=self.name,
            measure=self.measure,
            limit=f"{self.limit:g}",
            per=f"{self.per:g}",
            compare=json.dumps(self.compare),
        )


_EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    COUNTS: {
        "title": "Example: events out of n (invented numbers)",
        "question": "What share of patients has the event?",
        "limit": 0.2,
        "words": "fewer than one patient in five has the event",
        "unit": "patients",
    },
    CONTRASTS: {
        "title": "Example: odds ratios of two treatments (invented numbers)",
        "question": "Does the treatment lower the odds of the event?",
        "limit": 1.0,
        "words": "the treatment lowers the odds of the event",
        "measure": "OR",
        "compare": SETS,
    },
    RATES: {
        "title": "Example: events per time at risk (invented numbers)",
        "question": "How many events are there per 100 patient-years?",
        "limit": 10.0,
        "words": "there are fewer than 10 events per 100 patient-years",
        "unit": "patient-years",
        "per": 100.0,
    },
}


def example(kind: str) -> Outcome:
    """Invented rows of one kind, which say so."""
    table = template(f"outcomes/{kind}.csv")
    return Outcome(name=f"example_{kind}", kind=kind, table=table, note=_INVENTED, **_EXAMPLES[kind])


def template(name: str) -> str:
    """Text of a file that new reviews are made from."""
    return (files("kyphobayes.reviews") / "templates" / name).read_text(encoding="utf-8")


def quoted(text: str) -> str:
    """A text as TOML writes it."""
    return json.dumps(" ".join(text.replace("\x7f", " ").split()), ensure_ascii=False)
