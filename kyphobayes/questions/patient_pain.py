"""Pain of patients before, after and late: the main fit, other priors, and what is missing."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from kyphobayes.checks import Check
from kyphobayes.checks.convergence import convergence
from kyphobayes.checks.left_out import left_out
from kyphobayes.checks.pain import replicated_scores
from kyphobayes.checks.witnessed import witnessed
from kyphobayes.decisions import decision, decisions
from kyphobayes.engines import fit_declared
from kyphobayes.engines.reweighted import (
    WEIGHTS_BOUND,
    log_prior_ratio,
    reweighted_rows,
    some_rows,
)
from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import PatientPain, Threshold, find_threshold, read_patient_pain, read_table
from kyphobayes.evidence.patients import REASONS
from kyphobayes.evidence.questions import Question
from kyphobayes.model import Model, load_model
from kyphobayes.names import PROB
from kyphobayes.pain import Population, population
from kyphobayes.pain.quantities import observed, quantities, summarised
from kyphobayes.pain.tipping import DELTAS, Conclusion, Missing, tipping
from kyphobayes.priors import Priors
from kyphobayes.project import Project
from kyphobayes.questions.answered import Answered
from kyphobayes.toml_files import check_keys, typed

KEEP = (
    "start", "treatment", "late", "level", "tau", "tau_slope", "slope", "correlation", "rho", "theta",
    "share", "delta_death", "delta_unexplained",
)  # fmt: skip
DRAWS = 1000  # of which quantities are computed
_DENSITIES = ("start", "treatment", "late", "tau", "tau_slope", "rho")  # what a prior set changes
_PRINTED = {"mean before": "vas_pre_mean", "mean after": "vas_post_mean",
            "mean late, as if seen": "vas_late_mean", "change after": "vas_change"}  # fmt: skip
_RELIEFS = ("vas_change_low", "vas_change_high")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """What the plan says: the score up to which pain is low, and when a conclusion is taken to hold."""

    low: float
    conclude: float


def options_of(question: Question) -> Options:
    """Read and check the options.

    Raises
    ------
    EvidenceError
    """
    where = f"analyses.toml [{question.name}.options]"
    check_keys(where, question.options, ["low", "conclude"], [])
    low, conclude = (typed(where, question.options, key, float) for key in ("low", "conclude"))
    if not 0 <= low < 10:
        raise EvidenceError(f"{where}: expected low to be a score from 0 to 9, found {low:g}")
    if not 0.5 <= conclude < 1:
        raise EvidenceError(f"{where}: expected conclude to be from 0.5 to below 1, found {conclude:g}")
    return Options(low, conclude)


def answer(
    question: Question,
    project: Project,
    *,
    seed: int = 0,
    out: Path | None = None,
    say: Say = lambda _: None,
) -> Answered:
    """Answer how much less pain patients have, at once and late.

    The parameters are those of `kyphobayes.questions.answer`.

    Raises
    ------
    EvidenceError, PriorError, NotConverged
    """
    options = options_of(question)
    if not question.priors:
        raise EvidenceError(f"analyses.toml [{question.name}]: expected a prior set, found none")
    evidence = read_patient_pain(project)
    model = load_model(question.model or "patient_pain", project)
    printed = _published(project)
    thresholds = tuple(find_threshold(project, name) for name in _RELIEFS)
    reliefs = tuple(threshold.value for threshold in thresholds)
    main = question.priors[0]
    fit = fit_declared(model, evidence, main, KEEP, name=question.name, seed=seed, out=out, say=say)
    say(f"{question.name}: what it says in points")
    posterior = fit["posterior"].dataset
    rows = some_rows(posterior.sizes["chain"] * posterior.sizes["draw"], DRAWS, seed)
    found = population(posterior, rows)
    draws = quantities(found, evidence.covariates, reliefs, options.low)
    table = summarised(draws)
    seen = observed(evidence.scores, reliefs, options.low)
    table["observed"], table["printed"] = pd.Series(seen), pd.Series(printed)
    missing = Missing.of(posterior, evidence.scores, evidence.reason, rows, seed)
    conclusions = tipping(missing, reliefs, options.conclude)
    say(f"{question.name}: other priors")
    others, refits = _others(question, model, evidence, fit, table, reliefs, options, seed, out, say)
    replicated = found.replicate(evidence.covariates, np.random.default_rng([seed, 4]))
    with np.errstate(divide="ignore"):  # a score that is impossible has a log likelihood of minus infinity
        log_likelihood = np.log(found.likelihood(evidence.scores, evidence.covariates))
    checks = (
        convergence(fit),
        replicated_scores(evidence.scores, replicated),
        left_out(log_likelihood, list(evidence.labels)),
        _paired_witness(evidence, draws["change after"], others),
    )  # fmt: skip
    return Answered(
        question=question,
        sentence=_sentence(table, reliefs, conclusions, evidence),
        tables={
            "quantities": table,
            "missing": missing.expected(evidence.labels),
            "tipping": _conclusions(conclusions),
            "other priors": others,
            "covariates": _slopes(posterior, evidence),
            "before the data": _before(fit, evidence, table, reliefs, options, seed),
            **{check.name: check.table for check in checks},
        },
        who=_who(evidence),
        checks=checks,
        fits={main.label: fit, **refits},
        more={"evidence": evidence, "missing": missing, "replicated": replicated, "reliefs": reliefs,
              "conclusions": conclusions, "options": options, "deltas": DELTAS},
        decisions=_decisions(draws, thresholds),
    )  # fmt: skip


def _published(project: Project) -> dict[str, float]:
    """What the paper prints for the same quantities."""
    own = read_table(project, "published/ribeirao_preto.csv").set_index("figure_id")["estimate"]
    for figure in _PRINTED.values():
        if figure not in own.index:
            raise EvidenceError(f"data/published/ribeirao_preto.csv: expected a figure {figure}, found none")
    printed = {name: float(own[figure]) for name, figure in _PRINTED.items()}
    printed["change after"] *= -1  # printed as an improvement
    return printed


def _decisions(draws: dict[str, NDArray[np.float64]], thresholds: tuple[Threshold, ...]) -> pd.DataFrame:
    """Whether pain falls by what matters, on average and in a new patient of this centre."""
    rows = []
    for time, words in (("after", "at once"), ("late", "late, missing scores averaged over")):
        for threshold in thresholds:
            each = draws[f"P(improves by {threshold.value:g} or more) {time}"]
            falls = float(np.mean(draws[f"change {time}"] <= -threshold.value))
            rows.append(
                decision(
                    threshold, mean=falls, patient=float(each.mean()), next_cases=each,
                    of="patients who improve so", note=words,
                )
            )  # fmt: skip
    return decisions(rows)


def _others(
    question: Question,
    model: Model,
    evidence: PatientPain,
    fit: xr.DataTree,
    table: pd.DataFrame,
    reliefs: tuple[float, ...],
    options: Options,
    seed: int,
    out: Path | None,
    say: Say,
) -> tuple[pd.DataFrame, dict[str, xr.DataTree]]:
    """Answers under the other prior sets, and without late scores of patients followed for 0 months.

    Draws of the main fit are weighted anew; where the weights are not to be trusted the model is fitted.
    """
    main, posterior = question.priors[0], fit["posterior"].dataset
    early = evidence.follow_up == 0
    shorter = evidence.without_late(early)
    cases: list[tuple[str, Priors, PatientPain]] = [(p.label, p, evidence) for p in question.priors[1:]]
    if (shorter.reason != evidence.reason).any():
        cases.append(("no late score at 0 months", main, shorter))
    frames, refits = [_case(main.label, table, "NUTS", float("nan"))], {}
    for label, priors, data in cases:
        ratio = _log_ratio(posterior, main, priors, evidence, data)
        rows, k = reweighted_rows(ratio, DRAWS, seed)
        source, way = posterior, "importance sampling"
        if not k <= WEIGHTS_BOUND:
            refits[label] = fit_declared(
                model, data, priors, KEEP, name=f"{question.name}-{label.replace(' ', '_')}",
                seed=seed, out=out, say=say,
            )  # fmt: skip
            source, way = refits[label]["posterior"].dataset, "NUTS"
            rows = some_rows(len(ratio), DRAWS, seed)
        found = _with_deltas(population(source, rows), priors, data, seed)
        other = summarised(quantities(found, data.covariates, reliefs, options.low))
        frames.append(_case(label, other, way, k))
    return pd.concat(frames), refits


def _case(label: str, table: pd.DataFrame, way: str, k: float) -> pd.DataFrame:
    shown = table[["median", "low", "high"]].assign(by=way, pareto_k=k)
    return pd.concat({label: shown}, names=["case"])


def _log_ratio(
    posterior: xr.Dataset, main: Priors, other: Priors, evidence: PatientPain, data: PatientPain
) -> NDArray[np.float64]:
    """Log of the other posterior density over the main one's, patient effects integrated out."""
    ratio = log_prior_ratio(posterior, main, other, _DENSITIES)
    changed = data.reason != evidence.reason
    if changed.any():
        found = population(posterior, np.arange(len(ratio)))
        x = evidence.covariates[changed]
        after, before = (found.likelihood(view.scores[changed], x) for view in (data, evidence))
        ratio += (np.log(after) - np.log(before)).sum(axis=1)
    return ratio


def _with_deltas(found: Population, priors: Priors, data: PatientPain, seed: int) -> Population:
    """Population with delta and share drawn from what is known of them, which scores do not change."""
    rng = np.random.default_rng([seed, 5])
    size = len(found.rho)
    shifts = [priors[f"delta_{name}"].quantile(rng.random(size)) for name in REASONS[1:]]
    delta = np.column_stack([np.zeros(size), *shifts])
    share = rng.dirichlet(1 + data.patterns, size)
    return Population(found.level, found.tau, found.correlation, found.slope, found.rho, share, delta)


def _before(
    fit: xr.DataTree,
    evidence: PatientPain,
    table: pd.DataFrame,
    reliefs: tuple[float, ...],
    options: Options,
    seed: int,
) -> pd.DataFrame:
    """Prior predictive check: the same quantities before the data, and where the observed lies in them."""
    prior = fit["prior"].dataset
    size = prior.sizes["chain"] * prior.sizes["draw"]
    found = population(prior, some_rows(size, DRAWS, seed))
    draws = quantities(found, evidence.covariates, reliefs, options.low)
    frame = summarised(draws)
    frame["observed"] = table["observed"]
    frame["share_below"] = [
        float(np.mean(draws[str(name)] < value)) if np.isfinite(value) else np.nan
        for name, value in frame["observed"].items()
    ]
    return frame


def _slopes(posterior: xr.Dataset, evidence: PatientPain) -> pd.DataFrame:
    """Coefficients of the covariates, and the probability that more of it goes with more pain."""
    rows: dict[tuple[str, str], list[float]] = {}
    for covariate in evidence.coords["covariate"]:
        for time in evidence.coords["time"]:
            values = posterior["slope"].sel(covariate=covariate, time=time).values.ravel()
            rows[covariate, time] = [*np.quantile(values, [0.5, 0.025, 0.975]), np.mean(values > 0)]
    index = pd.MultiIndex.from_tuples(rows, names=["covariate", "time"])
    return pd.DataFrame(list(rows.values()), index=index, columns=["median", "low", "high", "p_more_pain"])


def _conclusions(conclusions: tuple[Conclusion, ...]) -> pd.DataFrame:
    rows = [
        {"conclusion": c.words, "as if seen": c.as_seen, "tipping delta": c.delta,
         "mean late there": c.mean_late, "holds if all missing were 10": c.worst}
        for c in conclusions
    ]  # fmt: skip
    return pd.DataFrame(rows).set_index("conclusion")


def _who(evidence: PatientPain) -> pd.DataFrame:
    """Every patient: all are in, with what is to be known of the late score."""
    rows = []
    for label, reason, months, row in zip(
        evidence.labels, evidence.reason, evidence.follow_up, evidence.rows.to_dict("records"), strict=True
    ):
        notes: dict[str, Any] = {
            "late score missing: death": REASONS[reason] == "death",
            "late score missing: P*, which the paper does not explain": REASONS[reason] == "unexplained",
            "flagged: a late score after 0 months of follow-up": REASONS[reason] == "seen" and months == 0,
            "flagged: died, but a late score is printed": REASONS[reason] == "seen" and row["death"] == "yes",
        }
        told = "; ".join(note for note, true in notes.items() if true)
        rows.append({"unit": f"patient {label}", "status": "in", "reason": told or "all three scores"})
    return pd.DataFrame(rows)


def _paired_witness(evidence: PatientPain, change: NDArray[np.float64], others: pd.DataFrame) -> Check:
    """Hold the posterior of the mean change against the plain paired mean and its t interval."""
    fall = evidence.scores[:, 1] - evidence.scores[:, 0]
    low, high = stats.t.interval(PROB, len(fall) - 1, loc=fall.mean(), scale=stats.sem(fall))
    medians = others.xs("change after", level="quantity")["median"]
    return witnessed(
        "mean change from before to after", change, float(fall.mean()), (float(low), float(high)),
        "paired t interval", prior_range=float(np.ptp(medians) / change.std(ddof=1)),
    )  # fmt: skip


def _sentence(
    table: pd.DataFrame,
    reliefs: tuple[float, ...],
    conclusions: tuple[Conclusion, ...],
    evidence: PatientPain,
) -> str:
    def points(name: str) -> str:
        row = table.loc[name]
        return f"{abs(row['median']):.1f} points (95 % interval {-row['high']:.1f} to {-row['low']:.1f})"

    def chance(name: str) -> str:
        row = table.loc[name]
        return f"{100 * row['median']:.0f} % ({100 * row['low']:.0f} to {100 * row['high']:.0f} %)"

    name = f"P(improves by {reliefs[0]:g} or more)"
    lasting = conclusions[-1]
    tips = (
        "no assumption about them changes that relief lasts"
        if np.isnan(lasting.delta)
        else f"if these had a mean of {lasting.mean_late:.1f} points, it would no longer be clear that "
        f"relief lasts"
    )
    return (
        f"Pain falls by {points('change after')} at once and by {points('change late')} to the last visit; a "
        f"new patient improves by {reliefs[0]:g} points or more with a probability of "
        f"{chance(name + ' after')} at once and {chance(name + ' late')} late. "
        f"Of {len(evidence.labels)} late scores {evidence.patterns[1:].sum()} are missing; {tips}."
    )
