"""Next study: how much another study of n would teach, as a function of n.

Options: `analyses`, the names of analyses of the plan; `sizes`, those of the study; `certainty`, the
probability from which on the decision of an analysis is taken. Priors are the analyses' main ones.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special

from kyphobayes.checks import Check
from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import Analysis, Counts, counts_for, find_analysis, read_priors
from kyphobayes.evidence.questions import Question
from kyphobayes.exact import Posterior
from kyphobayes.model import load_model
from kyphobayes.names import MU, PROB, TAU, THETA_NEW
from kyphobayes.project import Project
from kyphobayes.questions.answered import Answered, studies_in_and_out
from kyphobayes.toml_files import check_keys, texts, typed
from kyphobayes.updating import NextStudy, commensurate, next_study

_SAME = 1e-6  # difference that two ways of integrating may leave
_LARGEST = 300  # of a study: every count is a posterior of its own
_ENDS = ((1 - PROB) / 2, (1 + PROB) / 2)


@dataclass(frozen=True, eq=False)
class Planned:
    """One analysis, and the studies that may follow.

    Attributes
    ----------
    analysis : Analysis
    evidence : Counts
    now : Posterior
    studies : tuple of NextStudy
        By size.
    """

    analysis: Analysis
    evidence: Counts = field(repr=False)
    now: Posterior = field(repr=False)
    studies: tuple[NextStudy, ...]


def answer(
    question: Question,
    project: Project,
    *,
    seed: int = 0,
    out: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Answered:
    """Enumerate what another study may find; nothing is drawn, so `seed` and `out` play no part.

    Raises
    ------
    EvidenceError, PriorError, ImproperPosterior
    """
    del seed, out
    options, where = question.options, f"analyses.toml [{question.name}.options]"
    check_keys(where, options, ["analyses", "sizes"], ["certainty"])
    names, sizes = texts(where, options, "analyses"), typed(where, options, "sizes", list)
    if not names or not sizes:
        raise EvidenceError(f"{where}: expected at least one name in analyses and one number in sizes")
    for size in sizes:
        if type(size) is not int or not 1 <= size <= _LARGEST:
            raise EvidenceError(
                f"{where}: expected sizes to hold whole numbers from 1 to {_LARGEST}, found {size!r}"
            )
    certainty = typed(where, options, "certainty", float, PROB)
    if not 0.5 < certainty < 1:
        raise EvidenceError(f"{where}: expected certainty to lie between one half and 1, found {certainty:g}")
    planned = []
    for name in names:
        say(f"{question.name}: {name}")
        planned.append(_planned(find_analysis(project, name), project, sorted(set(sizes)), certainty))
    return Answered(
        question,
        sentence=" ".join(_sentence(one, certainty) for one in planned),
        tables={
            "expected": pd.concat([_expected(one, certainty) for one in planned], ignore_index=True),
            "outcomes": pd.concat([_outcomes(one) for one in planned], ignore_index=True),
        },
        who=_who(planned),
        checks=(_coherence(planned), _one_by_one(planned)),
        more={"planned": planned, "certainty": certainty},
    )


def _planned(analysis: Analysis, project: Project, sizes: list[int], certainty: float) -> Planned:
    evidence = counts_for(analysis, project)
    priors = read_priors(project, analysis.priors, analysis, evidence.measure)
    now = load_model(analysis.model, project).surface(evidence).posterior(priors[MU], priors[TAU])
    below = analysis.decision.below
    studies = tuple(next_study(now, size, below=below, certainty=certainty) for size in sizes)
    return Planned(analysis, evidence, now, studies)


def widths_now(now: Posterior) -> tuple[float, float]:
    """Width of the 95 % intervals of the typical and the next centre's rate, as shares."""
    typical, coming = (special.expit(now.quantile(name, _ENDS)) for name in (MU, THETA_NEW))
    return float(np.diff(typical)[0]), float(np.diff(coming)[0])


def _expected(one: Planned, certainty: float) -> pd.DataFrame:
    """One row for what is known now (n = 0), and one for each size."""
    typical, coming = widths_now(one.now)
    held = float(one.now.cdf(MU, float(special.logit(one.analysis.decision.below))))
    rows = [
        {
            "n": 0,
            "typical_width": typical,
            "next_width": coming,
            "concludes_below": float(held >= certainty),
            "concludes_above": float(held <= 1 - certainty),
            "least_below": held,
            "most_below": held,
        }
    ]
    rows += [
        {
            key: getattr(study, key)
            for key in ("n", "typical_width", "next_width", "concludes_below", "concludes_above")
        }
        | {"least_below": study.outcomes["below"].min(), "most_below": study.outcomes["below"].max()}
        for study in one.studies
    ]
    frame = pd.DataFrame(rows)
    frame.insert(0, "outcome", one.analysis.outcome)
    return frame


def _outcomes(one: Planned) -> pd.DataFrame:
    frame = pd.concat([study.outcomes.assign(n=study.n) for study in one.studies], ignore_index=True)
    frame.insert(0, "outcome", one.analysis.outcome)
    return frame


def _who(planned: list[Planned]) -> pd.DataFrame:
    return studies_in_and_out(
        (one.analysis, one.evidence, dict.fromkeys(one.evidence.labels, "one of the studies so far"))
        for one in planned
    )


def _sentence(one: Planned, certainty: float) -> str:
    """Say what the largest study is expected to teach."""
    study, (typical, coming) = one.studies[-1], widths_now(one.now)
    limit = f"{100 * one.analysis.decision.below:g}\u00a0%"
    return (
        f"Another study of {study.n} {one.analysis.unit} is expected to narrow the 95 % interval of the next "
        f"centre's rate ({one.analysis.event}) from {100 * coming:.1f} to {100 * study.next_width:.1f} "
        f"percentage points, and that of the typical rate from {100 * typical:.1f} to "
        f"{100 * study.typical_width:.1f}; {_decides(study, certainty, limit)}."
    )


def _decides(study: NextStudy, certainty: float, limit: str) -> str:
    sure = f"{100 * certainty:g}\u00a0% certainty"
    chances = {
        "lies below": study.concludes_below,
        "does not lie below": study.concludes_above,
    }
    said = [
        f"{100 * p:.0f}\u00a0% (that the typical rate {side} {limit})"
        for side, p in chances.items()
        if p >= 0.005
    ]
    if not said:
        return f"that {sure} would be reached on which side of {limit} the typical rate lies is improbable"
    return f"the probability that {sure} would be reached is {' and '.join(said)}"


def _coherence(planned: list[Planned]) -> Check:
    """What is held now is the mean of what will be held: no study moves minds one way on average."""
    rows = [(one.analysis.outcome, study.n, study.drift) for one in planned for study in one.studies]
    table = pd.DataFrame(rows, columns=["outcome", "n", "difference"])
    worst = float(table["difference"].max())
    text = "the probability of the decision now is the mean of what it would be after the study"
    if worst > _SAME:
        text = "the probability of the decision now is not the mean of what it would be after the study"
    return Check("coherence", worst <= _SAME, f"{text} (largest difference {worst:.1g})", table)


def _one_by_one(planned: list[Planned]) -> Check:
    """The most probable and the largest count of the largest study, updated by themselves."""
    rows = []
    for one in planned:
        study = one.studies[-1]
        likely = int(study.outcomes["probability"].to_numpy().argmax())
        for events in (likely, study.n):
            alone, row = commensurate(one.now, 0.0, events, study.n), study.outcomes.iloc[events]
            found = special.expit([*alone.mu.quantile(_ENDS), *alone.theta_new.quantile(_ENDS)])
            batch = row[["typical_low", "typical_high", "next_low", "next_high"]].to_numpy(dtype=float)
            rows.append((one.analysis.outcome, events, float(np.abs(found - batch).max())))
    table = pd.DataFrame(rows, columns=["outcome", "events", "difference"])
    worst = float(table["difference"].max())
    text = "intervals after a count agree" if worst <= _SAME else "intervals after a count differ"
    return Check(
        "one by one",
        worst <= _SAME,
        f"{text} whether counts are taken together or alone (largest difference {worst:.1g})",
        table,
    )
