"""Angles of vertebrae before and after, and whether relief of pain goes with correction of the angle."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import special

from kyphobayes.checks import Check
from kyphobayes.checks.convergence import convergence
from kyphobayes.checks.left_out import K_BOUND, left_out
from kyphobayes.decisions import decision, decisions
from kyphobayes.engines import fit_declared
from kyphobayes.engines.reweighted import resampled, reweighted_rows, some_rows, under_priors
from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import Threshold, VertebraAngles, find_threshold, read_table, read_vertebra_angles
from kyphobayes.evidence.questions import Question
from kyphobayes.model import Model, load_model
from kyphobayes.pain.quantities import summarised
from kyphobayes.priors import Priors
from kyphobayes.project import Project
from kyphobayes.questions.answered import Answered
from kyphobayes.toml_files import check_keys, typed
from kyphobayes.vertebrae import Simulated, pair_log_density, patient_log_likelihood, population
from kyphobayes.vertebrae.checked import PEARSON, ROBUST, plain, replicated_patients, witnesses
from kyphobayes.vertebrae.quantities import NEW, THESE, observed, quantities
from kyphobayes.vertebrae.tables import (
    correlation_table,
    learned,
    patient_table,
    stacked,
    vertebra_table,
    who,
)

KEEP = ("true_change", "patient_change", "shift", "weight")
DRAWS = 1000  # of which quantities are computed
COPIES = 45  # of the patients at hand, for each draw
BOTH = "patient 20: both vertebrae from 4 to 3"
Say = Callable[[str], None]
Array = NDArray[np.float64]


def answer(
    question: Question,
    project: Project,
    *,
    seed: int = 0,
    out: Path | None = None,
    say: Say = lambda _: None,
) -> Answered:
    """Answer how angles change, and what relief of pain has to do with it.

    The parameters are those of `kyphobayes.questions.answer`.

    Raises
    ------
    EvidenceError, PriorError, NotConverged
    """
    conclude = _conclude(question)
    evidence = read_vertebra_angles(project)
    model = load_model(question.model or "vertebra_kyphosis", project)
    enough, weak = find_threshold(project, "angle_change"), find_threshold(project, "weak_correlation")
    main = question.priors[0]
    settings: dict[str, Any] = {"seed": seed, "out": out, "say": say}
    fit = fit_declared(model, evidence, main, KEEP, name=question.name, **settings)
    posterior = fit["posterior"].dataset

    say(f"{question.name}: what it says in degrees and points")
    draws, simulated = _draws(posterior, evidence, enough, seed)
    before, _ = _draws(fit["prior"].dataset, evidence, enough, seed)
    table = summarised(draws)
    seen = pd.Series(observed(evidence, enough.value))
    table["observed"] = seen
    relation = correlation_table(draws, before, seen, evidence, weak.value)

    say(f"{question.name}: leaving patients out")
    left, without = _left_out(model, evidence, main, posterior, question.name, settings)
    say(f"{question.name}: other priors and other data")
    cases = {
        label: (found.posterior, evidence, found.by, found.pareto_k)
        for label, found in under_priors(
            fit, model, evidence, question.priors, KEEP, name=question.name, draws=DRAWS, **settings
        ).items()
    }
    cases[BOTH] = _both(model, evidence, main, posterior, question.name, settings)
    cases |= {f"without {label}": (tree["posterior"].dataset, data, "NUTS", np.nan)
              for label, (tree, data) in without.items()}  # fmt: skip
    others = pd.concat(
        {label: _case(*case, enough, weak, seed) for label, case in cases.items()}, names=["case"]
    )
    by_plain_methods = plain(evidence)
    checks = (
        convergence(fit),
        replicated_patients(evidence, simulated),
        left,
        *witnesses(draws, by_plain_methods, others),
    )  # fmt: skip
    return Answered(
        question=question,
        sentence=_sentence(table, relation, enough, weak, conclude),
        tables={
            "quantities": table,
            "correlation": relation,
            "vertebrae": vertebra_table(posterior, evidence, enough.value),
            "patients": patient_table(posterior, evidence),
            "other cases": others,
            "frequentist": by_plain_methods,
            "printed": _printed(project, by_plain_methods, table),
            "learned": learned(posterior, main),
            "before the data": summarised(before).assign(observed=seen),
            **{check.name: check.table for check in checks},
        },
        who=who(evidence),
        checks=checks,
        fits={main.label: fit, **{f"without {label}": tree for label, (tree, _) in without.items()}},
        more={"evidence": evidence, "weak": weak.value, "conclude": conclude,
              "population": population(posterior, _rows(posterior, seed)),
              "draws": {name: draws[name] for name in (NEW, THESE)}, "before": before[NEW]},
        decisions=_decisions(draws, enough, weak),
    )  # fmt: skip


def _conclude(question: Question) -> float:
    where = f"analyses.toml [{question.name}.options]"
    check_keys(where, question.options, ["conclude"], [])
    conclude = typed(where, question.options, "conclude", float)
    if not 0.5 <= conclude < 1:
        raise EvidenceError(f"{where}: expected conclude to be from 0.5 to below 1, found {conclude:g}")
    if not question.priors:
        raise EvidenceError(f"analyses.toml [{question.name}]: expected a prior set, found none")
    return conclude


# --- quantities -------------------------------------------------------------------------------------------


def _rows(posterior: xr.Dataset, seed: int) -> NDArray[np.intp]:
    return some_rows(posterior.sizes["chain"] * posterior.sizes["draw"], DRAWS, seed)


def _draws(
    posterior: xr.Dataset, evidence: VertebraAngles, enough: Threshold, seed: int
) -> tuple[dict[str, Array], Simulated]:
    rows = _rows(posterior, seed)
    found = population(posterior, rows)
    simulated = found.simulate(evidence, COPIES, np.random.default_rng([seed, 7]))
    own = stacked(posterior, "patient_change")[rows]
    return quantities(found, simulated, own, evidence, enough.value), simulated


def _case(
    posterior: xr.Dataset, evidence: VertebraAngles, by: str, k: float,
    enough: Threshold, weak: Threshold, seed: int,
) -> pd.DataFrame:  # fmt: skip
    draws, _ = _draws(posterior, evidence, enough, seed)
    table = summarised(draws)
    table.loc[NEW, "p_weak"] = np.mean(np.abs(draws[NEW]) < weak.value)
    return table.assign(by=by, pareto_k=k)


# --- leaving out, and other data --------------------------------------------------------------------------


def _likelihood(posterior: xr.Dataset, rows: NDArray[np.intp], data: VertebraAngles, of: VertebraAngles,
                patient: str) -> Array:  # fmt: skip
    """Log likelihood of a patient of one evidence by draws of a fit to another, shape (s,)."""
    place = of.patients.index(patient)
    own = of.patient == place
    return patient_log_likelihood(
        population(posterior, rows), of.region[own], of.before[own], of.after[own], of.scores[place],
        data.mean_before,
    )  # fmt: skip


def _left_out(
    model: Model,
    evidence: VertebraAngles,
    main: Priors,
    posterior: xr.Dataset,
    name: str,
    settings: dict[str, Any],
) -> tuple[Check, dict[str, tuple[xr.DataTree, VertebraAngles]]]:
    """Leave patients out: by importance sampling, and by another fit where that is not to be trusted."""
    rows = _rows(posterior, settings["seed"])
    each = [_likelihood(posterior, rows, evidence, evidence, patient) for patient in evidence.patients]
    check = left_out(np.stack(each, axis=1), list(evidence.patients))
    table, again = check.table.assign(by="importance sampling"), {}
    for patient in table.index[~(table["pareto_k"] <= K_BOUND)]:
        data = evidence.without(patient)
        tree = fit_declared(model, data, main, KEEP, name=f"{name}-without_{patient}", **settings)
        found = tree["posterior"].dataset
        own = _likelihood(found, _rows(found, settings["seed"]), data, evidence, patient)
        table.loc[patient, ["elpd", "by"]] = special.logsumexp(own) - np.log(len(own)), "another fit"
        again[f"patient {patient}"] = (tree, data)
    if not again:
        return check, again
    text = (
        f"leaving out each patient in turn, elpd {table['elpd'].sum():.1f}; "
        f"{' and '.join(again)} by another fit, because Pareto k is above {K_BOUND} (largest "
        f"{table['pareto_k'].max():.2f}); least expected is patient {table['elpd'].idxmin()}"
    )
    return Check(check.name, True, text, table), again


def _both(
    model: Model,
    evidence: VertebraAngles,
    main: Priors,
    posterior: xr.Dataset,
    name: str,
    settings: dict[str, Any],
) -> tuple[xr.Dataset, VertebraAngles, str, float]:
    """Posterior if a pair printed for two vertebrae is that of each."""
    data = evidence.with_pair_for_each()
    ratio = np.zeros(posterior.sizes["chain"] * posterior.sizes["draw"])
    for v in np.flatnonzero(np.isnan(evidence.after) & np.isfinite(data.after)):
        centre = stacked(posterior, "level")[:, evidence.region[v]]
        centre = centre + stacked(posterior, "patient_angle")[:, evidence.patient[v]]
        true = stacked(posterior, "true_change")[:, v]
        spreads = (stacked(posterior, tau) for tau in ("tau_angle", "tau_reading"))
        ratio += pair_log_density(data.before[v], data.after[v], centre, true, *spreads)
    rows, k = reweighted_rows(ratio, DRAWS, settings["seed"])
    if k <= K_BOUND:
        return resampled(posterior, rows), data, "importance sampling", k
    tree = fit_declared(model, data, main, KEEP, name=f"{name}-pair_for_each", **settings)
    return tree["posterior"].dataset, data, "NUTS", k


# --- what it comes to -------------------------------------------------------------------------------------


def _decisions(draws: dict[str, Array], enough: Threshold, weak: Threshold) -> pd.DataFrame:
    """Whether angles fall by what counts, and whether relief hardly goes with it."""
    each = draws[f"P(falls by {enough.value:g} or more)"]
    beyond = draws["P(falls by more than two readings may differ)"]
    mean, weakly = float(np.mean(draws["mean change"] <= -enough.value)), np.abs(draws[NEW]) < weak.value
    fall_so = "vertebrae that fall so"
    return decisions(
        [
            decision(enough, mean=mean, patient=float(each.mean()), next_cases=each, of=fall_so),
            decision(
                "the kyphotic angle of a vertebra falls by more than two readings may differ by error (95 %)",
                patient=float(beyond.mean()),
                next_cases=beyond,
                of=fall_so,
                source="1.96 √2 times the error of a reading, whose prior is a convention of this project",
            ),
            decision(weak, mean=float(weakly.mean())),
        ]
    )


def _printed(project: Project, by_plain_methods: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """What the paper says of the angle, without a figure or a p value, beside what its tables say."""
    told = read_table(project, "published/ribeirao_preto.csv").set_index("figure_id")
    rows = {}
    for figure, method, quantity in (
        ("kyphosis_test", ROBUST, "mean change"),
        ("pain_angle_test", PEARSON, NEW),
    ):
        if figure not in told.index:
            raise EvidenceError(f"data/published/ribeirao_preto.csv: expected a figure {figure}, found none")
        rows[told.loc[figure, "printed"]] = {
            "where": told.loc[figure, "locator"],
            **by_plain_methods.loc[method, ["estimate", "low", "high", "p"]].add_prefix("plain_"),
            **table.loc[quantity, ["median", "low", "high"]],
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("printed")


def _sentence(
    table: pd.DataFrame, relation: pd.DataFrame, enough: Threshold, weak: Threshold, conclude: float
) -> str:
    def value(name: str, digits: int = 1) -> str:
        middle, low, high = (
            f"{number:.{digits}f}".replace("-", "−") for number in table.loc[name, ["median", "low", "high"]]
        )
        return f"{middle} (95 % interval {low} to {high})"

    falls, rises = (table.loc[f"P({way} by {enough.value:g} or more)"] for way in ("falls", "rises"))
    chances = (
        f"{100 * row['median']:.0f} % ({100 * row['low']:.0f} to {100 * row['high']:.0f} %)"
        for row in (falls, rises)
    )
    p: Any = relation.loc[NEW, "p_weak"]
    verdict = (
        "so that there is hardly a correlation is shown"
        if p >= conclude
        else "so that these patients do not show that there is none, but merely do not exclude it"
    )
    points = value(f"points of relief per {enough.value:g} degrees of correction")
    return (
        f"The kyphotic angle of a vertebra changes by {value('mean change')} degrees on average, a fall "
        f"being a correction; in a new patient the probability of a fall by {enough.value:g} degrees or more "
        f"is {next(chances)}, and that of such a rise {next(chances)}. For {enough.value:g} degrees of "
        f"correction patients have {points} points more relief; the correlation of relief with correction is "
        f"{value(NEW, 2)}, and smaller than {weak.value:g} either way with a probability of "
        f"{100 * p:.0f} %, {verdict}. How much of a change is error of reading the data cannot tell."
    )
