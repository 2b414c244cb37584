"""One analysis of the plan, from tables to checked answers; finished fits are reused."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from kyphobayes import html
from kyphobayes.checks import Check
from kyphobayes.checks.agreement import certificate
from kyphobayes.checks.convergence import convergence
from kyphobayes.checks.predictive import predictive
from kyphobayes.engines.kept import ENGINES, fit_kept
from kyphobayes.errors import InputError
from kyphobayes.evidence import Analysis, Tabulated, View, evidence_for, read_priors
from kyphobayes.exact import Surface
from kyphobayes.files import make_folder
from kyphobayes.findings import Findings, findings
from kyphobayes.model import Model, load_model
from kyphobayes.names import MU, PROB
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.priors import Priors
from kyphobayes.project import Project
from kyphobayes.sensitivity import Sensitivity, prior_pairs, psense_of_fit, published_pairs, sensitivity
from kyphobayes.sensitivity.pairs import Pairs
from kyphobayes.subgroups import Subgroups
from kyphobayes.witness import likelihoods, witness

Say = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """Everything known about one question.

    Attributes
    ----------
    analysis : Analysis
    evidence : View
        Counts, rates or contrasts of studies.
    model : Model
    priors : Priors
        Those of the main result.
    fits : dict of str to DataTree
        By engine.
    answers : dict of str to Findings
        By prior set; the main one first.
    posteriors : dict of str to DataFrame
        Summary of mu, tau and theta_new by prior set, in the same order.
    witness : DataFrame
    checks : tuple of Check
    reused : tuple of str
        Engines whose fit was found on disk.
    sensitivity : Sensitivity or None
        How the answer depends on the priors; None if nothing was compared.
    subgroups : Subgroups or None
        Typical effects of groups of studies, under the priors of the main result; None if none was asked for.
    """

    analysis: Analysis
    evidence: View
    model: Model
    priors: Priors
    fits: dict[str, xr.DataTree]
    answers: dict[str, Findings]
    posteriors: dict[str, pd.DataFrame]
    compared: dict[str, Priors]
    witness: pd.DataFrame
    checks: tuple[Check, ...]
    reused: tuple[str, ...] = field(default=())
    sensitivity: Sensitivity | None = field(default=None)
    subgroups: Subgroups | None = field(default=None)

    def _repr_html_(self) -> str:
        from kyphobayes.report.sentences import answer  # upward, and only when a notebook shows a result

        rows = [
            [name, *row, found.p_typical, found.p_new]
            for name, found in self.answers.items()
            for row in [[_told(found, "typical"), f"{found.tau['median']:.3g}", _told(found, "new centre")]]
        ]
        claim = f"{self.main.sign} {self.main.below:g}"
        header = ["priors", f"typical {self.scale.name}", "tau", "next", f"typical {claim}", f"next {claim}"]
        checks = [[check.name, "passed" if check.passed else "FAILED", check.text] for check in self.checks]
        return html.block(
            html.line(self.analysis.question, strong=True),
            html.line(answer(self)),
            html.table(header, rows, caption=f"Medians with {100 * PROB:g} % intervals; probabilities"),
            html.table(["check", "", ""], checks),
        )

    @property
    def scale(self) -> NaturalScale:
        """Scale of the answers."""
        return self.evidence.scale

    @property
    def fit(self) -> xr.DataTree:
        """The fit that is reported, for ArviZ: the exact one where there is one."""
        return self.fits.get("exact", next(iter(self.fits.values())))

    @property
    def main(self) -> Findings:
        """Answer under the priors of the main result."""
        return next(iter(self.answers.values()))

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return answers, witness and checks as plain numbers and texts, for JSON."""
        return {
            "analysis": self.analysis.name,
            "question": self.analysis.question,
            "model": self.model.name,
            "studies": list(self.evidence.labels),
            "excluded": self.evidence.excluded.filter(["label", "arm", "reason"]).to_dict("records"),
            "tables": len(self.evidence.tables) if isinstance(self.evidence, Tabulated) else 1,
            "scale": {"measure": self.scale.measure, "name": self.scale.name, "unit": self.scale.unit},
            "answers": {
                label: {
                    "priors": self.compared[label].texts(),
                    "estimates": answer.estimates.to_dict("index"),
                    "tau": answer.tau.to_dict(),
                    "posterior": self.posteriors[label].to_dict("index"),
                    "claim": {
                        answer.side: answer.below, "typical": answer.p_typical, "new centre": answer.p_new
                    },
                    "next": [
                        {"n": count.n, "expected": count.mean, "interval": list(count.interval())}
                        for count in answer.next
                    ],
                    "log_marginal_likelihood": answer.log_marginal_likelihood,
                    "error": answer.error,
                }
                for label, answer in self.answers.items()
            },
            "witness": self.witness.to_dict("index"),
            "checks": {check.name: {"passed": check.passed, "text": check.text} for check in self.checks},
            "sensitivity": None if self.sensitivity is None else self.sensitivity.to_dict(),
            "subgroups": None
            if self.subgroups is None
            else self.subgroups.to_dict(self.main.below, self.main.side),
            "fits": {engine: tree.attrs["digest"] for engine, tree in self.fits.items()},
        }  # fmt: skip


def _told(found: Findings, who: str) -> str:
    row = found.estimates.loc[who]
    return f"{row['median']:.3g} ({row['low']:.3g} to {row['high']:.3g})"


def run_analysis(
    analysis: Analysis,
    project: Project,
    *,
    engines: tuple[str, ...] = ENGINES,
    model: str | None = None,
    prior_set: str | None = None,
    changed: dict[str, str] | None = None,
    seed: int = 0,
    out: Path | None = None,
    compare: bool = True,
    say: Say = lambda _: None,
    progress: bool = False,
) -> Result:
    """Fit, compare priors and check.

    Parameters
    ----------
    analysis : Analysis
    project : Project
    engines : tuple of str
        Of "exact" and "nuts".
    model, prior_set : str, optional
        In place of the plan's.
    changed : dict of str to str, optional
        Priors in text form that replace those of the set.
    seed : int
    out : Path, optional
        Where fits are kept; without it nothing is written.
    compare : bool
        Whether to solve under other priors: the plan's other sets, and those of the sensitivity analysis.
    say : callable
        Is told what happens.
    progress : bool
        Whether the sampler shows its progress.

    Raises
    ------
    EvidenceError, PriorError, ImproperPosterior, NotConverged
    """
    say(f"{analysis.name}: reading the evidence")
    evidence = evidence_for(analysis, project)
    loaded = load_model(model or analysis.model, project)
    priors = read_priors(project, prior_set or analysis.priors, analysis, evidence.measure)
    if changed:
        priors = priors.replace(**changed)
    others = [label for label in analysis.compare if label != priors.label] if compare else []
    compared = [read_priors(project, label, analysis, evidence.measure) for label in others]
    pairs = prior_pairs(project, analysis, evidence) if compare else None
    published = published_pairs(project, analysis, evidence) if compare else None
    return run_evidence(
        analysis, evidence, loaded, [priors, *compared],
        engines=engines, seed=seed, out=out, pairs=pairs, published=published, say=say, progress=progress,
    )  # fmt: skip


def run_evidence(
    analysis: Analysis,
    evidence: View,
    model: Model,
    compared: Sequence[Priors],
    *,
    engines: tuple[str, ...] = ENGINES,
    seed: int = 0,
    out: Path | None = None,
    pairs: Pairs | None = None,
    published: Pairs | None = None,
    say: Say = lambda _: None,
    progress: bool = False,
) -> Result:
    """Fit evidence that is at hand, compare priors and check.

    Parameters
    ----------
    analysis : Analysis
        What is asked, and in which words the answer is given.
    evidence : View
        Counts, rates or contrasts of studies.
    model : Model
        With a surface.
    compared : sequence of Priors
        Sets for mu and tau with different labels, the main one first.
    engines : tuple of str
        Of "exact" and "nuts".
    seed : int
    out : Path, optional
        Where fits are kept; without it nothing is written.
    pairs : mapping of name to (mu, tau), optional
        Priors of the sensitivity analysis; without them there is none.
    published : mapping of name to (mu, tau), optional
        Published priors, of which only the answer is wanted.
    say : callable
        Is told what happens.
    progress : bool
        Whether the sampler shows its progress.

    Raises
    ------
    InputError, EvidenceError, PriorError, ImproperPosterior, NotConverged
    """
    if not compared:
        raise InputError("compared: expected at least one set of priors, found none")
    for each in compared:
        model.check(evidence, each)
    if out is not None:
        make_folder(out / "fits")  # before the work, so that a folder that cannot be written is told at once
    say(f"{analysis.name}: solving under {len(compared)} prior {'set' if len(compared) == 1 else 'sets'}")
    surface = model.surface(evidence)
    sets = {each.label: each.bind(surface.standard_errors) for each in compared}
    priors = next(iter(sets.values()))
    answers, posteriors = _answers(surface, sets, analysis, evidence.scale)
    fits, reused = {}, []
    for engine in engines:
        fits[engine], found = fit_kept(
            engine, model, evidence, priors,
            name=analysis.name, marks={"analysis": analysis.name, "outcome": analysis.outcome},
            seed=seed, out=out, say=say, progress=progress,
        )  # fmt: skip
        reused += [engine] * found
    frequentist = witness(evidence)
    by_both = None
    if surface.studies.kernel.normal:  # the frequentist hand knows no other effects
        by_both = likelihoods(evidence, surface, posteriors[priors.label])
    checks = _checks(fits, frequentist, posteriors, by_both)
    asked = None
    if pairs is not None:
        asked = _sensitivity(surface, priors, evidence, analysis, pairs, published, fits.get("nuts"))
    return Result(
        analysis, evidence, model, priors, fits, answers, posteriors, sets, frequentist, checks,
        tuple(reused), asked,
    )  # fmt: skip


def _sensitivity(
    surface: Surface,
    priors: Priors,
    evidence: View,
    analysis: Analysis,
    pairs: Pairs,
    published: Pairs | None,
    sampled: xr.DataTree | None = None,
    **options: Any,
) -> Sensitivity:
    """How the answer depends on the priors; with ArviZ's power-scaling beside the exact one after NUTS."""
    found = sensitivity(
        surface, priors, pairs,
        below=analysis.decision.below, threshold=analysis.decision.probability, scale=evidence.scale,
        published=published, **options,
    )  # fmt: skip
    return found if sampled is None else replace(found, sampled=psense_of_fit(sampled, surface))


def sensitivity_of(
    analysis: Analysis,
    project: Project,
    *,
    below: float | None = None,
    of: str = MU,
    threshold: float | None = None,
    prior_set: str | None = None,
    executor: Executor | None = None,
    say: Say = lambda _: None,
) -> Sensitivity:
    """How far the answer to a question depends on the priors, without fitting anything.

    Parameters
    ----------
    analysis : Analysis
    project : Project
    below, threshold : float, optional
        Limit that the decision is about, and probability from which on it is taken; the plan's by default.
    of : {"mu", "theta_new"}
        Whose rate is judged.
    prior_set : str, optional
        The reference in place of the plan's.
    executor : Executor, optional
        By `kyphobayes.jobs.workers`.
    say : callable

    Raises
    ------
    EvidenceError, PriorError, ImproperPosterior
    """
    evidence = evidence_for(analysis, project)
    loaded = load_model(analysis.model, project)
    priors = read_priors(project, prior_set or analysis.priors, analysis, evidence.measure)
    loaded.check(evidence, priors)
    decision = replace(
        analysis.decision,
        below=analysis.decision.below if below is None else below,
        probability=threshold or analysis.decision.probability,
    )
    asked = replace(analysis, decision=decision)
    pairs, published = prior_pairs(project, asked, evidence), published_pairs(project, asked, evidence)
    return _sensitivity(
        loaded.surface(evidence), priors, evidence, asked, pairs, published, of=of, executor=executor, say=say
    )


def _answers(
    surface: Surface, compared: dict[str, Priors], analysis: Analysis, scale: NaturalScale
) -> tuple[dict[str, Findings], dict[str, pd.DataFrame]]:
    """Answers under each prior set, from one surface."""
    answers, summaries = {}, {}
    for label, priors in compared.items():
        posterior = surface.posterior(mu=priors["mu"], tau=priors["tau"])
        answers[label] = findings(
            posterior,
            label,
            below=analysis.decision.below,
            side=analysis.decision.side,
            scale=scale,
            next_sizes=analysis.next,
        )
        summaries[label] = posterior.summary()
    return answers, summaries


def _checks(
    fits: dict[str, xr.DataTree],
    frequentist: pd.DataFrame,
    posteriors: dict[str, pd.DataFrame],
    compared: pd.DataFrame | None,
) -> tuple[Check, ...]:
    centres = pd.concat(posteriors).xs(MU, level=1)
    spread = float((centres["mean"].max() - centres["mean"].min()) / centres["sd"].iloc[0])
    checks = [certificate(fits.get("exact"), fits.get("nuts"), frequentist, spread, compared)]
    if "nuts" in fits:
        checks.append(convergence(fits["nuts"]))
    checks += [predictive(next(iter(fits.values())))] if fits else []
    return tuple(checks)
