"""The question that a table answers: a claim about its typical effect, and the words for it."""

import re

import numpy as np

from kyphobayes.errors import InputError
from kyphobayes.evidence import Analysis, Decision, Rates
from kyphobayes.names import GEN, IRLN, MEASURE_LABELS, PLO
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.own_data.default_priors import SETS, WEAK
from kyphobayes.own_data.read import OwnData

MODELS = {PLO: "binomial_normal", IRLN: "poisson_normal"}
NORMAL = "normal_normal"
SHARE, RATE = 0.10, 0.1  # limits where nobody gives one: of a share, and of a rate per unit of time
_NEXT = (20, 50)  # patients of a new centre


def question(own: OwnData, *, below: object = None, above: object = None) -> tuple[Analysis, str]:
    """Ask a table about its typical effect.

    Parameters
    ----------
    own : OwnData
    below, above : float or str, optional
        Limit of the claim on the scale that people read, such as 0.1 or "10%" for a share.

    Returns
    -------
    Analysis
    str
        What is to be said about the limit; empty where it was given.

    Raises
    ------
    InputError
        If both are given, or the limit is none that the scale has.
    """
    if below is not None and above is not None:
        raise InputError("expected one limit, found below and above; give one of them")
    scale = own.evidence.scale
    side, given = ("above", above) if above is not None else ("below", below)
    note = ""
    if given is None:
        limit = _default(own, scale)
        note = (
            f"the claim is that the {_effect(own, scale)} is below {_shown(limit, scale)}, since no "
            "limit was given "
            "(--below or --above)"
        )
    else:
        limit = _limit(side, given, scale)
    words = f"the {_effect(own, scale)} is {side} {_shown(limit, scale)}"
    source = "a default, since none was given" if note else "given by the user"
    measure = own.evidence.measure
    studies = "1 study" if own.evidence.k == 1 else f"{own.evidence.k} studies"
    rates = own.evidence if isinstance(own.evidence, Rates) else None
    analysis = Analysis(
        name=_slug(own.name),
        title=own.name.replace("_", " "),
        question=f"{_asked(own, scale)} ({studies}, {own.name})",
        outcome=_slug(own.name),
        arm="",
        unit=getattr(own.evidence, "unit", ""),
        populations=(),
        studies=(),
        constraints="",
        model=MODELS.get(measure, NORMAL),
        priors=WEAK,
        compare=SETS,
        decision=Decision(limit, words, source, side=side),
        next=_NEXT if measure == PLO else (),
        event=own.event,
        note=own.sentence,
        measure="" if measure in MODELS else measure,
        per=1.0 if rates is None else rates.per,
    )
    return analysis, note


def _slug(name: str) -> str:
    """A name that can be part of a file's."""
    return re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")[:60] or "table"


def _effect(own: OwnData, scale: NaturalScale) -> str:
    return f"{scale.name} of {own.event}" if scale.null is None else scale.name


def _asked(own: OwnData, scale: NaturalScale) -> str:
    measure = own.evidence.measure
    if measure == PLO:
        # the measure says which view it is, and that one has an event
        return f"What share of {own.evidence.unit} has {own.event}?"  # pyright: ignore[reportAttributeAccessIssue]
    if measure == IRLN:
        return f"How many {own.event} happen {scale.unit}?"
    if measure == GEN:
        return "How large is the effect?"
    return f"How large is the {scale.name if scale.logarithmic else MEASURE_LABELS[measure]}?"


def _default(own: OwnData, scale: NaturalScale) -> float:
    """No effect of a comparison; a tenth of patients, or of the units of time, for one group."""
    if scale.null is not None:
        return scale.null
    # the measure says which view it is, and rates have a `per`
    return SHARE if own.evidence.measure == PLO else RATE * own.evidence.per  # pyright: ignore[reportAttributeAccessIssue]


def _limit(side: str, given: object, scale: NaturalScale) -> float:
    """Read a limit: a number, or a percentage of a share."""
    text = str(given).strip().replace("\u00a0", " ")
    percent = text.endswith("%")
    try:
        value = float(text.removesuffix("%").replace(",", ".")) / (100 if percent else 1)
    except ValueError:
        raise InputError(f"--{side}: expected a number such as 0.1 or 10%, found {given!r}") from None
    if percent and scale.measure != PLO:
        raise InputError(f"--{side}: expected a number, since the effect is no share, found {given!r}")
    low, high = scale.bounds
    if not (np.isfinite(value) and low < value < high):
        article = "an" if scale.name[0] in "aeiou" else "a"
        what = f"{article} {scale.name}"
        if scale.measure == PLO:
            what = "a share between 0 and 1, or a percentage"
        if scale.measure != PLO and low == 0:
            what += " greater than 0"
        raise InputError(f"--{side}: expected {what}, found {given!r}")
    return value


def _shown(limit: float, scale: NaturalScale) -> str:
    return f"{limit * scale.factor:.6g} {scale.unit}".strip()
