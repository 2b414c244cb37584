"""Which of two treatments has fewer events, from studies that had both: an odds ratio and a difference.

The main result has exchangeable baselines, so that it knows what rates to expect; the same model with a free
baseline in every study is solved exactly, under every other prior set, and holds NUTS to account.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from kyphobayes.checks import Check
from kyphobayes.comparison import numbers, witnesses
from kyphobayes.decisions import decision, decisions
from kyphobayes.engines.kept import fit_kept
from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import TwoArms
from kyphobayes.evidence.comparisons import Comparison, comparisons, read_comparison, with_instead
from kyphobayes.evidence.questions import Question
from kyphobayes.exact import Posterior, two_arms
from kyphobayes.files import make_folder
from kyphobayes.model import Model, load_model
from kyphobayes.priors import Priors
from kyphobayes.project import Project
from kyphobayes.questions.answered import Answered
from kyphobayes.toml_files import nearest

Say = Callable[[str], None]

_EXCHANGEABLE = "tau_baseline"  # a set with a prior of this has exchangeable baselines
_OWN = "baseline_of_arm_2"  # the first set with free baselines, but the baseline is that of arm 2


def answer(question: Question, project: Project, *, seed: int, out: Path | None, say: Say) -> Answered:
    """Answer a question of kind `arm_comparison`.

    Raises
    ------
    EvidenceError, PriorError, ImproperPosterior, NotConverged
    """
    asked = read_comparison(question)
    main, free = _sets(question)
    model = load_model(question.model, project)
    say(f"{question.name}: reading the evidence")
    evidence, who = comparisons(question, asked, project)
    single = _single(question, asked, evidence)
    for priors in question.priors:
        model.check(evidence, priors)
    rate = float(evidence.events_2.sum() / evidence.n_2.sum())
    if not 0 < rate < 1:
        raise EvidenceError(
            f"analyses.toml [{question.name}]: {evidence.arms[1]} has {evidence.events_2.sum():g} events in "
            f"{evidence.n_2.sum():g} {evidence.unit} in all studies together: there is no rate to compare at"
        )
    if out is not None:
        make_folder(out / "fits")
    say(f"{question.name}: solving under {len(free)} prior sets")
    posteriors = {priors.label: _exact(model, evidence, priors) for priors in free}
    fits = {
        priors.label: fit_kept(
            "nuts", model, evidence, priors,
            name=(name := f"{question.name}-{priors.label}"), file=name, marks={"analysis": question.name},
            seed=seed, out=out, say=say,
        )[0]
        for priors in (main, free[0])
    }  # fmt: skip
    first = posteriors[free[0].label]
    by_itself = numbers.alone(first.surface, str(free[0]["mu"]))
    tables = {
        "answer": numbers.main_table(fits[main.label], evidence.arms),
        "prior_sets": _prior_sets(fits[main.label], main, posteriors | {_OWN: _own(evidence, free[0])}, rate),
        "studies": numbers.study_table(fits[main.label], evidence, by_itself),
        "other_evidence": _other_evidence(model, evidence, asked, free[0], first, rate),
        "frequentist": witnesses.frequentist(evidence, first),
        "learned": numbers.learned(first),
        "left_out": first.loo(),
        "before the data": witnesses.replicates(fits[main.label], evidence, "prior_predictive"),
    }
    if single:
        tables["one_study"] = witnesses.one_study(evidence, single, by_itself[single])
    checks = (
        *(_converged(fits[label], label) for label in fits),
        witnesses.agreement(first, fits[free[0].label]),
        witnesses.predictive(fits[main.label], evidence),
    )
    more = {
        "evidence": evidence,
        "comparison": asked,
        "rate": rate,
        "single": single,
        "free": free[0].label,
        "posteriors": posteriors,
    }
    return Answered(
        question, sentence(tables, evidence, asked), tables, who, checks, fits, more,
        _decisions(tables["answer"], evidence, asked),
    )  # fmt: skip


def sentence(tables: dict[str, pd.DataFrame], evidence: TwoArms, asked: Comparison) -> str:
    """Say the answer for a clinician."""
    found, sets = tables["answer"], tables["prior_sets"]
    one, two = evidence.arms
    odds, new = found.loc["odds ratio, typical centre"], found.loc["odds ratio, next centre"]
    change = found.loc[f"difference per {numbers.PER}, typical centre"]
    following = found.loc[f"difference per {numbers.PER}, next centre"]
    lowest, highest = 100 * sets["p_fewer_typical"].min(), 100 * sets["p_fewer_typical"].max()
    return (
        f"By the {evidence.k} studies that had both, {one} has fewer {asked.event} than {two} with "
        f"probability {100 * odds['p_fewer']:.0f} % in a typical centre and "
        f"{100 * new['p_fewer']:.0f} % in the next one; "
        f"the odds ratio is {odds['median']:.2f} (95 % interval {odds['low']:.2f} to {odds['high']:.2f}). In "
        f"{numbers.PER} {asked.unit} {one} has {_expected(change)} in a typical centre and "
        f"{_expected(following)} in the next. Other priors make it {lowest:.0f} to {highest:.0f} % probable."
    )


def _decisions(answer: pd.DataFrame, evidence: TwoArms, asked: Comparison) -> pd.DataFrame:
    """The one claim: that the first treatment has fewer events."""
    fewer = {str(name): float(row["p_fewer"]) for name, row in answer.iterrows()}
    one, two = evidence.arms
    claim = decision(
        f"{asked.event} are rarer after {one} than after {two}",
        mean=fewer["odds ratio, typical centre"],
        centre=fewer["odds ratio, next centre"],
        source="no threshold: an odds ratio below 1",
    )
    return decisions([claim])


def _expected(row: Any) -> str:
    kind = "fewer" if row["mean"] < 0 else "more"
    low, high = (f"{row[end]:+.0f}".replace("-", "−") for end in ("low", "high"))
    return f"{abs(row['mean']):.0f} {kind} (95 % interval {low} to {high})"


def _sets(question: Question) -> tuple[Priors, list[Priors]]:
    """The main set, with exchangeable baselines, and the others, with free ones."""
    where = f"analyses.toml [{question.name}.priors]"
    if not question.model:
        raise EvidenceError(f"analyses.toml [{question.name}]: expected a model, such as 'arm_comparison'")
    if len(question.priors) < 2:
        raise EvidenceError(f"{where}: expected a set with exchangeable baselines and one with free ones")
    main, *free = question.priors
    if _EXCHANGEABLE not in main:
        raise EvidenceError(f"{where}.{main.label}: the main set needs a prior for {_EXCHANGEABLE}")
    for priors in free:
        if _EXCHANGEABLE in priors:
            raise EvidenceError(
                f"{where}.{priors.label}: only the main set may have a prior for {_EXCHANGEABLE}"
            )
    return main, free


def _single(question: Question, asked: Comparison, evidence: TwoArms) -> str:
    """Label of the study to be analysed alone, empty for none."""
    ids = list(evidence.rows["study_id"])
    if asked.single and asked.single not in ids:
        raise EvidenceError(
            f"analyses.toml [{question.name}.options]: {asked.single!r} (single) is not compared; "
            f"{nearest(asked.single, ids)}"
        )
    return evidence.labels[ids.index(asked.single)] if asked.single else ""


def _exact(model: Model, evidence: TwoArms, priors: Priors) -> Posterior:
    return model.surface(evidence, priors).posterior(mu=priors["mu"], tau=priors["tau"])


def _own(evidence: TwoArms, priors: Priors) -> Posterior:
    """Posterior if the baseline is the log odds of arm 2: arm 1 then varies more before the data."""
    surface = two_arms(
        *evidence.counts, baseline=priors["baseline"], baseline_of="group 2", labels=evidence.labels
    )
    return surface.posterior(mu=priors["mu"], tau=priors["tau"])


def _prior_sets(
    tree: xr.DataTree, main: Priors, posteriors: dict[str, Posterior], rate: float
) -> pd.DataFrame:
    rows = {main.label: numbers.sampled_effects(tree, rate) | {"baselines": "exchangeable"}}
    rows |= {
        label: numbers.effects(found, rate) | {"baselines": "free"} for label, found in posteriors.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("priors")


def _other_evidence(
    model: Model, evidence: TwoArms, asked: Comparison, priors: Priors, first: Posterior, rate: float
) -> pd.DataFrame:
    """The exact answer with free baselines from all studies, without each, and with counts others print."""
    rows = pd.DataFrame.from_dict({"all studies": numbers.effects(first, rate)}, orient="index")
    parts = [rows, numbers.left_out(first, rate)]
    for other in asked.instead:
        found = numbers.effects(_exact(model, with_instead(evidence, other), priors), rate)
        parts.append(
            pd.DataFrame.from_dict({f"{other.study}, {other.arm}: {other.events}": found}, orient="index")
        )
    return pd.concat(parts).rename_axis("evidence")


def _converged(tree: xr.DataTree, label: str) -> Check:
    from kyphobayes.checks.convergence import convergence

    found = convergence(tree)
    return Check(f"convergence, {label.replace('_', ' ')}", found.passed, found.text, found.table)
