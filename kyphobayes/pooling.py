"""One line from a table of anybody's to a checked answer: `kyphobayes.fit`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from kyphobayes.errors import EvidenceError, InputError, PriorError
from kyphobayes.model import Model, load_model
from kyphobayes.names import GLOBALS, MU, TAU
from kyphobayes.own_data import OwnData, read_own_data
from kyphobayes.own_data.default_priors import default_priors
from kyphobayes.own_data.kinds import Columns
from kyphobayes.own_data.question import question
from kyphobayes.priors import Prior, Priors
from kyphobayes.run import ENGINES, Result, run_evidence
from kyphobayes.sensitivity import crossed
from kyphobayes.subgroups import Subgroups, subgroups
from kyphobayes.toml_files import nearest

Say = Callable[[str], None]
BOTH = "both"
MOST = 500  # studies, for whose effects and draws memory is at hand


@dataclass(frozen=True)
class Pooled(Result):
    """Everything known about one table of a user's.

    Attributes
    ----------
    notes : tuple of str
        How the table was read, and every choice that nobody made: conversions, defaults, rows left out.
    """

    notes: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Return what a `Result` does, with the notes."""
        return super().to_dict() | {"notes": list(self.notes)}


def fit(
    source: object,
    *,
    below: float | str | None = None,
    above: float | str | None = None,
    measure: str | None = None,
    priors: "Priors | Mapping[str, str | Prior] | str | None" = None,
    engine: str = "exact",
    unit: str | None = None,
    time_unit: str | None = None,
    per: float | None = None,
    scale: str | None = None,
    correlation: float | None = None,
    ci_level: float = 0.95,
    decimal: str | None = None,
    sheet: str | int | None = None,
    drop_missing: bool = False,
    out: str | Path | None = None,
    seed: int = 0,
    say: Say = lambda _: None,
    **columns: Unpack[Columns],
) -> Pooled:
    """Pool the studies of a table: exact posterior, priors compared, a frequentist witness beside it.

    Parameters
    ----------
    source : path, DataFrame, or mapping of column name to values
        One row per study. Files may be CSV, TSV or XLSX; decimal commas, separators, encodings, cells such as
        5/35 or 1.20 [0.8; 1.7] are found out and told in `notes`.
    below, above : float or str, optional
        Limit of the claim that is judged, on the scale that people read: 0.1 or "10%" of a share, 1 of a
        ratio. Where neither is given: below 10 % (shares), below a tenth per unit of time (rates), below no
        effect (comparisons).
    measure : str, optional
        metafor's code of the effect: OR, RR or RD of two arms' counts; MD, SMD, SMDH or ROM of two arms'
        means; MC, SMCC, SMCR, SMCRH or ROMC before and after; what estimates are (SMD, HR, ...).
    priors : Priors, mapping, or str, optional
        In place of the defaults: {"tau": "HalfNormal(sigma=0.3)"}, or the name of one of the default sets,
        weakly_informative, vague and sceptical, which are always compared.
    engine : {"exact", "nuts", "both"}
    unit : str, optional
        What n counts, such as levels; or the unit of a difference, such as points.
    time_unit : str, optional
        Unit of the time at risk, such as patient-years.
    per : float, optional
        Time that rates are shown per; 100 by default.
    scale : {"log", "natural"}, optional
        Of estimates that are ratios, where the table does not tell.
    correlation : float, optional
        Between before and after, for studies that do not print one.
    ci_level : float
        Of confidence intervals in the table.
    decimal : {"point", "comma"}, optional
        Where the cells do not tell.
    sheet : str or int, optional
        Of a workbook: name, or number from 1.
    drop_missing : bool
        Whether studies that lack a number may be left out; they are listed in `evidence.excluded`.
    out : path, optional
        Folder where fits are kept and found again.
    seed : int
    say : callable
        Is told what happens.
    **columns : str
        Names of columns by what they hold: events, n, time, y, se, v, ci_low, ci_high, events1, n1, events2,
        n2, mean_pre, ..., study ("author+year" joins two), by (a column of groups). What is not said is
        recognised by metafor's, RevMan's and plain names.

    Returns
    -------
    Pooled
        A `kyphobayes.run.Result`: answers by prior set, `fit` for ArviZ, checks; with `notes`, and with
        `subgroups` where `by` is given.

    Raises
    ------
    EvidenceError
        Naming file, row and column that cannot be understood, and what to do.
    InputError, PriorError, ImproperPosterior, NotConverged

    Examples
    --------
    >>> found = fit({"study": ["A", "B", "C"], "leaks": [0, 5, 4], "levels": [32, 35, 19]}, below=0.1)
    >>> found.notes[0]
    'read as counts: events = leaks, n = levels, study = study'
    """
    engines = ENGINES if engine == BOTH else (engine,)
    if not set(engines) <= set(ENGINES):
        raise InputError(
            f"engine: expected exact, nuts or both, found {engine!r}; {nearest(engine, (*ENGINES, BOTH))}"
        )
    own = read_own_data(
        source, {role: str(name) for role, name in columns.items() if name is not None},
        measure=measure or "", scale=scale or "", unit=unit or "", time=time_unit or "", per=per,
        correlation=correlation, ci_level=ci_level, decimal=decimal or "", sheet=sheet,
        drop_missing=drop_missing,
    )  # fmt: skip
    if own.evidence.k > MOST:
        raise EvidenceError(
            f"expected at most {MOST} studies, found {own.evidence.k}; sum up what belongs together"
        )
    analysis, told = question(own, below=below, above=above)
    defaults, scaled = default_priors(analysis, own.evidence, own.sizes)
    compared = _with(priors, defaults)
    model = load_model(analysis.model)
    notes = [
        own.sentence,
        *own.notes,
        *_left_out(own),
        *([told] if told else []),
        *([] if priors is not None else [scaled]),
    ]
    groups = None
    if own.by:
        say(f"{analysis.name}: solving {len(set(own.groups))} groups")
        groups = _subgroups(own, model, compared[0])
    pairs = crossed({each.label: each[MU] for each in compared}, {each.label: each[TAU] for each in compared})
    result = run_evidence(
        replace(
            analysis,
            priors=compared[0].label,
            compare=tuple(each.label for each in compared),
            note=" ".join(f"{note[0].upper()}{note[1:]}." for note in notes),
        ),
        own.evidence, model, compared,
        engines=engines, seed=seed, out=None if out is None else Path(out), pairs=pairs, say=say,
    )  # fmt: skip
    known: dict[str, Any] = {each.name: getattr(result, each.name) for each in fields(Result)}
    known["subgroups"] = groups
    return Pooled(**known, notes=tuple(notes))


def _left_out(own: OwnData) -> list[str]:
    rows = own.evidence.excluded.to_dict("records")
    return [f"left out: {row['label']}: {row['reason']}" for row in rows]


def _with(
    given: "Priors | Mapping[str, str | Prior] | str | None", defaults: tuple[Priors, ...]
) -> list[Priors]:
    """The sets to compare, the user's first."""
    if given is None:
        return list(defaults)
    if isinstance(given, str):
        labels = [each.label for each in defaults]
        if given not in labels:
            raise PriorError(
                f"no prior set {given!r}; {nearest(given, labels)}; or give tau='HalfNormal(sigma=0.5)'"
            )
        return sorted(defaults, key=lambda each: each.label != given)
    unknown = sorted(set(given) - set(GLOBALS))
    if unknown or not given:
        raise PriorError(f"priors: expected mu, tau or both, found {', '.join(unknown) or 'none'}")
    label = given.label if isinstance(given, Priors) else ""
    main = defaults[0].replace(**{name: given[name] for name in GLOBALS if name in given})
    if len(given) == len(GLOBALS) or label:
        main = Priors(main.entries, label if label not in ("", *(d.label for d in defaults)) else "own")
    return [main, *defaults]


def _subgroups(own: OwnData, model: Model, priors: Priors) -> Subgroups:
    names = tuple(dict.fromkeys(own.groups))
    at = np.array(own.groups, dtype=object)
    surfaces = {name: model.surface(own.evidence.only(at == name)) for name in names}
    bound = priors.bind(np.concatenate([surface.standard_errors for surface in surfaces.values()]))
    return subgroups(surfaces, bound, own.evidence.scale, by=own.by)
