"""How much a score changes from before to after, from means and SDs of several series.

Options are those of `kyphobayes.evidence.pre_post_asked`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy import special

from kyphobayes.change import Draws, answers, plug_in
from kyphobayes.change.checked import conditional_means, replicated_tables, witnesses
from kyphobayes.change.integrated import study_log_likelihood
from kyphobayes.change.printed_line import WithLine, with_line
from kyphobayes.checks import Check
from kyphobayes.checks.convergence import convergence
from kyphobayes.checks.left_out import K_BOUND, left_out
from kyphobayes.decisions import decision, decisions
from kyphobayes.engines import fit_declared
from kyphobayes.engines.reweighted import Under, under_priors
from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import PrePostMeans, Threshold, find_threshold
from kyphobayes.evidence.pre_post_asked import PrePost, read_pre_post
from kyphobayes.evidence.pre_post_rows import control_changes, read_pre_post_means
from kyphobayes.evidence.questions import Question
from kyphobayes.model import Model, load_model
from kyphobayes.names import PROB
from kyphobayes.priors import Priors
from kyphobayes.project import Project
from kyphobayes.questions.answered import Answered

KEEP = ("mu", "theta_new", "before_new", "log_sd_study")
DRAWS = 2000  # weighted ones, under another prior
_ENDS = ((1 - PROB) / 2, (1 + PROB) / 2)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """What every fit of one question shares."""

    name: str
    model: Model
    seed: int
    out: Path | None
    say: Say

    @property
    def settings(self) -> dict:
        """Keyword arguments of the engines."""
        return {"seed": self.seed, "out": self.out, "say": self.say}


def answer(
    question: Question,
    project: Project,
    *,
    seed: int = 0,
    out: Path | None = None,
    say: Say = lambda _: None,
) -> Answered:
    """Answer how much a score falls, in a typical centre, the next one and a new patient.

    The parameters are those of `kyphobayes.questions.answer`.

    Raises
    ------
    EvidenceError, PriorError, NotConverged
    """
    asked = read_pre_post(question)
    if not question.priors:
        raise EvidenceError(f"analyses.toml [{question.name}]: expected a prior set, found none")
    evidence, who = read_pre_post_means(asked, project)
    control = control_changes(asked, project)
    thresholds = [find_threshold(project, name) for name in asked.thresholds]
    falls = [threshold.value for threshold in thresholds]
    run = Run(question.name, load_model(question.model or "pre_post_change", project), seed, out, say)
    main = question.priors[0]
    fit = fit_declared(run.model, evidence, main, KEEP, name=run.name, **run.settings)
    draws = Draws.of(fit["posterior"].dataset, evidence)
    say(f"{run.name}: other priors")
    sets = _prior_sets(run, question, evidence, fit, falls)
    say(f"{run.name}: other evidence")
    se = plug_in.fixed_se(draws, evidence)
    others = {case.name: read_pre_post_means(asked, project, case)[0] for case in asked.cases}
    cases = _evidence(draws, evidence, others, question, falls)
    found = answers.quantities(draws, asked.top, falls, seed)
    table = answers.summarised(found)
    table["observed"] = pd.Series(answers.observed(evidence))
    line = with_line(asked.line, project, evidence, draws, seed) if asked.line else None
    say(f"{run.name}: checks")
    moved = float(np.ptp(sets["median"]) / draws.mu.std(ddof=1))
    checks = (
        convergence(fit),
        conditional_means(draws, evidence, main, fit["posterior"].sizes["chain"]),
        *witnesses(draws, evidence, se, main, moved),
        replicated_tables(fit, evidence),
        _left_out(run, evidence, draws, question),
    )
    tables = {
        "answer": table,
        "studies": answers.study_table(draws, evidence, seed),
        "spread": answers.spread_table(draws, evidence),
        "slope": plug_in.slopes(draws, evidence, se),
        "what remains": answers.what_remains(draws, control, falls),
        "prior sets": sets,
        "other evidence": cases,
        "fixed correlation": plug_in.by_correlation(draws, evidence, main, falls),
        "new patient": answers.patient_table(draws, asked.top, falls, seed),
        "learned": answers.learned(fit, main),
        "before the data": _before(fit, evidence, asked.top, falls, table, seed),
    }
    if line is not None:
        tables["with the printed line"] = line.table
    return Answered(
        question=question,
        sentence=_sentence(table, tables, falls, asked, control, evidence),
        tables=tables | {check.name: check.table for check in checks},
        who=_who(who, line),
        checks=checks,
        fits={main.label: fit},
        more={"evidence": evidence, "asked": asked, "falls": falls, "control": control, "line": line,
              "draws": draws, "beyond": answers.beyond_the_scale(draws, asked.top)},
        decisions=_decisions(draws, found, thresholds),
    )  # fmt: skip


def _prior_sets(
    run: Run, question: Question, evidence: PrePostMeans, fit: xr.DataTree, falls: list[float]
) -> pd.DataFrame:
    """The answer under every prior set.

    Draws are weighted anew where no prior is wider than the main one: they do not reach into a wider
    prior's tails, which Pareto's k cannot see where the data say little. Wider sets are fitted.
    """
    main, *others = question.priors
    narrow = [main, *(priors for priors in others if not _wider(priors, main))]
    under = dict(
        under_priors(fit, run.model, evidence, narrow, KEEP, name=run.name, draws=DRAWS, **run.settings)
    )
    for priors in others:
        if priors.label not in under:
            name = f"{run.name}-{priors.label}"
            again = fit_declared(run.model, evidence, priors, KEEP, name=name, **run.settings)
            under[priors.label] = Under(again["posterior"].dataset)
    rows = {}
    for priors in question.priors:
        one = under[priors.label]
        own = Draws.of(one.posterior, evidence)
        slope = np.quantile(own.slope, [0.5, *_ENDS])
        named = dict(zip(("slope", "slope_low", "slope_high"), slope, strict=True))
        rows[priors.label] = (
            plug_in.sampled_row(own, falls) | named | {"by": one.by, "pareto_k": one.pareto_k}
        )
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("priors")


def _wider(priors: Priors, main: Priors) -> bool:
    """Whether any prior's 95 % interval is wider than the main one's by half."""
    return any(
        np.diff(prior.quantile(np.array(_ENDS)))[0] > 1.5 * np.diff(main[name].quantile(np.array(_ENDS)))[0]
        for name, prior in priors.entries
    )


def _evidence(
    draws: Draws,
    evidence: PrePostMeans,
    others: Mapping[str, PrePostMeans],
    question: Question,
    falls: list[float],
) -> pd.DataFrame:
    """The whole answer, then the exact one with SDs fixed: from all, without each, and other evidence."""
    main = question.priors[0]
    found = plug_in.solved(evidence, plug_in.fixed_se(draws, evidence), main)
    rows = {
        "all series": plug_in.sampled_row(draws, falls) | {"by": "the model"},
        "all series, SDs fixed": plug_in.row(found, falls),
    }
    rows |= plug_in.without_each(found, falls)
    rows |= plug_in.other_evidence(draws, evidence, others, main, falls)
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("evidence")
    return frame.assign(by=frame["by"].fillna("exact, SDs fixed"))


def _decisions(draws: Draws, found: Mapping[str, np.ndarray], thresholds: list[Threshold]) -> pd.DataFrame:
    rows = []
    for threshold in thresholds:
        fall = threshold.value
        chance = found[f"P(new patient improves by {fall:g} or more)"]
        rows.append(
            decision(
                threshold,
                mean=float(np.mean(draws.mu <= -fall)),
                centre=float(np.mean(draws.theta_new <= -fall)),
                patient=float(np.mean(chance)),
                next_cases=chance,
                note="from before treatment to the first value after it",
            )
        )
    return decisions(rows)


def _before(
    fit: xr.DataTree, evidence: PrePostMeans, top: float, falls: list[float], table: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Prior predictive check: the same quantities before the data, and where the observed lies in them."""
    draws = Draws.of(fit["prior"].dataset, evidence)
    found = answers.quantities(draws, top, falls, seed)
    frame = answers.summarised(found)
    frame["observed"] = table["observed"]
    frame["share_below"] = [
        float(np.mean(found[str(name)] < value)) if np.isfinite(value) else np.nan
        for name, value in frame["observed"].items()
    ]
    return frame


# --- checks -------------------------------------------------------------------------------------------------


def _left_out(run: Run, evidence: PrePostMeans, draws: Draws, question: Question) -> Check:
    """Leave one study out, its own values and SDs integrated out; fit again where weights cannot tell."""
    check = left_out(study_log_likelihood(draws, evidence), list(evidence.labels), "study")
    table = check.table.assign(by="importance sampling")
    again = list(table.index[~(table["pareto_k"] <= K_BOUND)])
    for label in again:
        place = evidence.labels.index(str(label))
        rest = evidence.without(place)
        fit = fit_declared(
            run.model, rest, question.priors[0], KEEP, name=f"{run.name}-without_{place}", **run.settings
        )
        unseen = study_log_likelihood(Draws.of(fit["posterior"].dataset, rest), evidence)[:, place]
        table.loc[label, ["elpd", "by"]] = [float(special.logsumexp(unseen) - np.log(len(unseen))), "NUTS"]
    table["elpd"] = table["elpd"].astype(float)
    fitted = (
        f"; fitted again without {', '.join(map(str, again))}, whose weights cannot be trusted"
        if again
        else ""
    )
    text = (
        f"leaving out each study in turn, elpd {table['elpd'].sum():.1f}; least expected from the others is "
        f"{table['elpd'].idxmin()}{fitted}"
    )
    return Check(check.name, True, text, table)


# --- words --------------------------------------------------------------------------------------------------


def _who(who: pd.DataFrame, line: WithLine | None) -> pd.DataFrame:
    """Rows of the outcome's table, then the series that are pooled with the printed line."""
    if line is None:
        return who
    title = f"pooling with the printed line ({line.line.title})"
    rows = [
        {"unit": f"{label}, {title}", "status": "in", "reason": "shares no patients with it"}
        for label in line.labels
    ]
    rows += [
        {"unit": f"{label}, {title}", "status": "out", "reason": reason} for label, reason in line.out.items()
    ]
    return pd.concat([who, pd.DataFrame(rows)], ignore_index=True)


def _sentence(
    table: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    falls: list[float],
    asked: PrePost,
    control: Mapping[str, float],
    evidence: PrePostMeans,
) -> str:
    quantity: Any = table
    typical, following = (quantity.loc[f"mean change, {centre} centre"] for centre in ("typical", "next"))
    slope: Any = tables["learned"].loc["slope"]
    digits = 1 if asked.top <= 10 else 0
    chances = [
        f"by {fall:g} points or more with a probability of "
        f"{100 * quantity.loc[f'P(new patient improves by {fall:g} or more)', 'mean']:.0f} %"
        for fall in falls
    ]
    rise = " (below 0: a rise)" if following["high"] > 0 else ""
    medians = tables["prior sets"]["median"]
    others = f"{_signed(-medians.max(), digits)} to {_signed(-medians.min(), digits)}"
    beside = ""
    if control:
        scale = "" if np.isfinite(control["factor"]) else " on another scale"
        beside = (
            f" In the one trial with a control arm mean changes were {_signed(control['treated'])} with and "
            f"{_signed(control['control'])} without treatment{scale}."
        )
    return (
        f"By {evidence.k} series, {asked.noun} falls by {_points(typical, digits)} in a typical centre, by "
        f"{others} under other priors, and by {_range(following, digits)} in the next centre{rise}; a new "
        f"patient improves {' and '.join(chances)}. Without a comparison group no series can say how much of "
        f"this is the treatment.{beside} Whether it falls more where it was worse before, "
        f"{len(evidence.both)} series that print a mean before do not show: the slope is "
        f"{_signed(slope['median'])} ({_signed(slope['low'])} to {_signed(slope['high'])}), an interval "
        f"{100 * slope['width_ratio']:.0f} % as wide as its prior's."
    )


def _points(row: pd.Series, digits: int) -> str:
    return f"{_signed(-row['median'], digits)} points (95 % interval {_range(row, digits)})"


def _range(row: pd.Series, digits: int) -> str:
    return f"{_signed(-row['high'], digits)} to {_signed(-row['low'], digits)}"


def _signed(value: float, digits: int = 1) -> str:
    return f"{value:.{digits}f}".replace("-", "−")
