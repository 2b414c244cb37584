"""Updating: what past studies foresaw of a later series, what it saw, and what is known after it.

Options: `analyses`, the names of analyses of the plan; `series`, the study that comes after their
studies; `weights`, prior probabilities that it is unlike them; `kappas`, commensurability standard
deviations in log odds. Each prior set has one prior, `vague`: of the log odds of a series unlike the
others. Priors for mu and tau are those of the analyses.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import read_priors
from kyphobayes.evidence.questions import Question
from kyphobayes.pre_post import PATIENTS, Paired, read_patients, scales
from kyphobayes.priors import Prior
from kyphobayes.project import Project
from kyphobayes.questions.answered import Answered, studies_in_and_out
from kyphobayes.reanalysis import Line, read_again, read_lines
from kyphobayes.toml_files import check_keys, nearest, texts, typed
from kyphobayes.updating import ForeseenEffect, Update, foreseen_effect, series_of, update
from kyphobayes.updating.agreement import mixture, prediction, sequence

SURPRISE = 0.05  # probability of an outcome as improbable as the one seen, below which it is one
_VAGUE = "vague"


def answer(
    question: Question,
    project: Project,
    *,
    seed: int = 0,
    out: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Answered:
    """Set a series against the studies before it; nothing is drawn, so `seed` and `out` play no part.

    Raises
    ------
    EvidenceError, PriorError, ImproperPosterior
    """
    del seed, out
    options, where = question.options, f"analyses.toml [{question.name}.options]"
    check_keys(where, options, ["analyses", "series", "weights"], ["kappas", "line"])
    names, study = texts(where, options, "analyses"), typed(where, options, "series", str)
    if not names:
        raise EvidenceError(f"{where}: expected analyses to name at least one analysis, found none")
    weights = _numbers(where, options, "weights", 1.0)
    kappas = _numbers(where, options, "kappas", 10.0) or [0.0]
    vague = _vague(question)
    updates = []
    for name in names:
        say(f"{question.name}: {name}")
        series = series_of(project, name, study)
        plan, measure = series.analysis, series.evidence.measure
        labels = dict.fromkeys([plan.priors, *plan.compare])
        sets = {label: read_priors(project, label, plan, measure) for label in labels}
        updates.append(update(series, sets, vague, weights=weights, kappas=kappas))
    line = typed(where, options, "line", str, "")
    pain = _pain(project, where, line) if line else None
    return Answered(
        question,
        sentence=" ".join([*(_sentence(found) for found in updates), *([pain.sentence] if pain else [])]),
        tables={
            "foreseen": _table(updates, _foreseen),
            "known": _table(updates, lambda u: u.known),
            "map": _table(updates, _map),
            "relaxed": _table(updates, lambda u: u.relaxed),
            "commensurate": _table(updates, lambda u: u.commensurate),
            "cumulative": _table(updates, lambda u: u.cumulative),
            **({"pain": pain.table} if pain else {}),
        },
        who=_who(updates),
        checks=(sequence(updates), prediction(updates), mixture(updates)),
        more={"updates": updates, "pain": pain},
    )


@dataclass(frozen=True, eq=False)
class Pain:
    """What a printed line foresaw of the patients' own scores, in standard deviations."""

    line: Line
    found: ForeseenEffect
    scores: Paired

    @property
    def table(self) -> pd.DataFrame:
        """One row: the estimate seen, the one foreseen with its interval, and the tail probabilities."""
        row = {"line": self.line.name, "k": self.line.k, "n": int(self.scores.n)} | {
            key: getattr(self.found, key)
            for key in ("seen", "error", "expected", "low", "high", "at_least", "at_most", "two_sided")
        }
        return pd.DataFrame([row])

    @property
    def sentence(self) -> str:
        """Say whether the fall of pain was a surprise."""
        found = self.found
        verdict = "a surprise" if found.two_sided < SURPRISE else "no surprise"
        return (
            f"Of the standardised fall of pain of {self.scores.n:.0f} patients, {found.low:.1f} to "
            f"{found.high:.1f} was foreseen from the printed line of {self.line.k} series, and "
            f"{found.seen:.1f} was seen: {verdict}, as that much or more had a probability of "
            f"{_percent(found.at_least)}."
        )


def _pain(project: Project, where: str, name: str) -> Pain:
    """Hold the patients' change, as Hedges' g of two groups, against a line that is printed as such."""
    lines = {line.name: line for line in read_lines(project)}
    if name not in lines:
        raise EvidenceError(f"{where}: no line {name!r} in data/lines.toml; {nearest(name, lines)}")
    line, scores = lines[name], read_patients(project)
    if line.measure != "SMD" or line.better != "higher":
        raise EvidenceError(
            f"{where}: expected line to name a standardised difference (SMD) of which more is better, found "
            f"{name} ({line.measure or 'no measure'}, better {line.better})"
        )
    if scores is None:
        raise EvidenceError(f"{where}: line needs data/{PATIENTS}, which this project does not have")
    own: Any = scales(scores).set_index("scale").loc[line.measure]
    found = foreseen_effect(read_again(line).posterior.theta_new, float(own["effect"]), float(own["v"]))
    return Pain(line, found, scores)


def _numbers(where: str, options: Mapping[str, Any], key: str, most: float) -> list[float]:
    """Read a list of numbers from 0 to `most`."""
    values = typed(where, options, key, list, [])
    for value in values:
        if type(value) not in (int, float) or not 0 <= value <= most:
            raise EvidenceError(
                f"{where}: expected {key} to hold numbers from 0 to {most:g}, found {value!r}"
            )
    if key in options and not values:
        raise EvidenceError(f"{where}: expected {key} to hold at least one number, found none")
    return sorted({float(value) for value in values})


def _vague(question: Question) -> dict[str, Prior]:
    """Read the prior of a series unlike the others from each set."""
    where = f"analyses.toml [{question.name}.priors]"
    if not question.priors:
        raise EvidenceError(f'{where}: expected a set with vague = {{ prior = "Normal(…)", why = "…" }}')
    found = {}
    for priors in question.priors:
        if list(priors) != [_VAGUE] or priors[_VAGUE].family != "Normal":
            said = ", ".join(f"{name} ~ {prior}" for name, prior in priors.items())
            raise EvidenceError(
                f"{where}.{priors.label}: expected one normal prior, named vague, found {said}"
            )
        found[priors.label] = priors[_VAGUE]
    return found


def _table(updates: list[Update], frame: Callable[[Update], pd.DataFrame]) -> pd.DataFrame:
    """One frame of all outcomes, with the outcome first."""
    parts = [frame(found).assign(outcome=found.series.analysis.outcome) for found in updates]
    whole = pd.concat(parts, ignore_index=True)
    return whole[["outcome", *(column for column in whole if column != "outcome")]]


def _foreseen(found: Update) -> pd.DataFrame:
    rows = []
    for label, one in found.foreseen.items():
        low, high = one.prediction.interval()
        rows.append(
            {
                "priors": label,
                "n": one.prediction.n,
                "seen": one.events,
                "expected": one.prediction.mean,
                "low": low,
                "high": high,
                "p_at_least": one.at_least,
                "p_at_most": one.at_most,
                "p_mid": one.mid,
                "p_as_improbable": one.as_improbable,
            }
        )
    return pd.DataFrame(rows)


def _map(found: Update) -> pd.DataFrame:
    sizes = {f"ess_{name}": size for name, size in found.sizes().items()}
    row = {"prior": str(found.prior.prior), "divergence": found.prior.divergence, **sizes}
    return pd.DataFrame([row | {"studies": found.series.before.k, "n_series": found.series.n}])


def _who(updates: list[Update]) -> pd.DataFrame:
    def role(found: Update, label: str) -> str:
        return "the later series" if label == found.series.label else "one of the studies before it"

    return studies_in_and_out(
        (one.analysis, one.evidence, {label: role(found, label) for label in one.evidence.labels})
        for found in updates
        for one in [found.series]
    )


def _sentence(found: Update) -> str:
    """Say what was foreseen, what was seen and what is known now."""
    one, main, event = found.series, found.main, found.series.analysis.event
    low, high = main.prediction.interval()
    verdict = "a surprise" if main.as_improbable < SURPRISE else "no surprise"
    rates = found.known.set_index(["who", "when"])
    typical, coming = (
        f"{_rate(rates.loc[(who, 'after')])} instead of {_rate(rates.loc[(who, 'before')])}"
        for who in ("typical", "next")
    )
    return (
        f"Of {main.prediction.n} {one.analysis.unit}, {low} to {high} {event} were foreseen (95 % predictive "
        f"interval from {one.before.k} series; {main.prediction.mean:.1f} expected) and {main.events} were "
        f"seen: {verdict}, as that many or more had a probability of {_percent(main.at_least)}. The typical "
        f"rate is now {typical}, the next centre's {coming}."
    )


def _rate(row: Any) -> str:
    return f"{_percent(row['median'])} ({100 * row['low']:.1f} to {_percent(row['high'])})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}\u00a0%"
