"""Leakage by vertebra and site: how often, in which region, where to, and how alike a patient's levels are.

The posterior is integrated on points of the prior, under every set of priors; NUTS samples the declared
graph under the main set and holds the integration to account.

Options: `past`, an analysis of the plan whose predictive prior of the next series is one more prior of mu;
`most`, the number of levels of one patient up to which leaks are foretold.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kyphobayes import exact
from kyphobayes.borrowing import map_prior
from kyphobayes.checks import Check
from kyphobayes.checks.convergence import convergence
from kyphobayes.checks.features import replicated
from kyphobayes.checks.leaks import agreement, features, integration, patients_left_out
from kyphobayes.checks.witnessed import witnessed
from kyphobayes.decisions import NEXT, decision, decisions, number_in_next
from kyphobayes.engines import fit_declared
from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import (
    LeakSites,
    Threshold,
    counts_for,
    find_analysis,
    find_threshold,
    read_leak_sites,
    read_priors,
    read_table,
)
from kyphobayes.evidence.leakage_sites import REGIONS, SITES
from kyphobayes.evidence.questions import Question
from kyphobayes.leaks import (
    Clusters,
    Points,
    Quantities,
    clustered_share,
    exact_share,
    none_seen,
    quantities,
    replicate,
    solve,
    tables,
)
from kyphobayes.model import load_model
from kyphobayes.names import MU, TAU
from kyphobayes.priors import Prior, Priors
from kyphobayes.project import Project
from kyphobayes.questions.answered import Answered
from kyphobayes.toml_files import check_keys, typed

KEEP = ("mu", "tau_region", "tau_patient", "region_effect", "patient_effect", "logit", "share")
DRAWS = 4000  # points of equal weight, for what is simulated
ALIKE = "all regions alike"
_PAST = "past_series"  # label of the set with the predictive prior
_MOST = 6  # levels of one patient
_COUNTED = "ribeirao_preto, Results"
_WHERE = {"anterior": "through the anterior cortex", "disc": "into a disc", "canal": "into the canal"}
_PRINTED = {"leaks": "leak_count", **{f"leaks, {site}": f"leak_{site}_count" for site in SITES}}
Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Solved:
    """A posterior with the quantities at its points."""

    points: Points
    known: Quantities


def answer(question: Question, project: Project, *, seed: int, out: Path | None, say: Say) -> Answered:
    """Answer a question of kind `leakage_site`.

    Raises
    ------
    EvidenceError, PriorError, InputError, NotConverged
    """
    past, most = _options(question)
    evidence = read_leak_sites(project)
    model = load_model(question.model or "leakage_site", project)
    for priors in question.priors:
        model.check(evidence, priors)
    threshold = find_threshold(project, "leak_rate")
    own, review = (_published(project, name) for name in ("ribeirao_preto", "bouza2009"))
    leaks, owner, weights, places = evidence.placements()
    clusters = Clusters(evidence.levels, leaks, owner, weights)
    main = question.priors[0]
    fit = fit_declared(model, evidence, main, KEEP, name=question.name, seed=seed, out=out, say=say)

    say(f"{question.name}: integrating under every set of priors")
    sets = {priors.label: priors for priors in question.priors}
    sets[_PAST] = replace(main.replace(mu=_predictive(project, past)), label=_PAST)
    solved = _solved(sets, clusters, places, evidence, most, seed)
    found, known = solved[main.label].points, solved[main.label].known
    before = solve(main, clusters, np.ones(len(SITES)), seed=seed)
    rows = found.rows(DRAWS, seed)
    table, witness = _cases(solved, threshold), _frequentist(clusters)
    moved = np.ptp(table["mean"].loc[list(sets)]) / found.sd(known.rate)
    checks = (
        convergence(fit),
        agreement(found, known, fit, clusters, (REGIONS, SITES)),
        integration(found, known, solved[ALIKE].points, _without_regions(clusters, main)),
        _printed(own, evidence),
        replicated(
            features(clusters, evidence.sites, SITES, *replicate(found, clusters, rows, seed)), "series"
        ),
        patients_left_out(found, fit, clusters, evidence.patients),
        _witnessed(known.rate[rows], witness, float(moved)),
    )
    shown = {
        "rates": tables.rates(found, known, clusters, REGIONS, threshold.value),
        "levels": tables.levels(found, known),
        "sites": tables.sites(found, before, known, evidence.sites, SITES),
        f"next {NEXT} levels": _next(found, known, rows),
        "symptoms": _symptoms(own, review, evidence),
        "cases": table,
        "learned": tables.learned(found, known, REGIONS),
        "unplaced": _unplaced(found, clusters, places),
        "before the data": _before(before, clusters, evidence, seed),
        "frequentist": witness,
        **{check.name: check.table for check in checks},
    }
    return Answered(
        question,
        sentence=_sentence(shown, evidence),
        tables=shown,
        who=_who(evidence),
        checks=checks,
        fits={main.label: fit},
        more={"evidence": evidence, "threshold": threshold, "sets": sets},
        decisions=_decisions(found, known, rows, threshold),
    )


def _solved(
    sets: dict[str, Priors],
    clusters: Clusters,
    places: tuple[str, ...],
    evidence: LeakSites,
    most: int,
    seed: int,
) -> dict[str, Solved]:
    """Posteriors under every set of priors; under the first also with less, or with more, known."""
    main, shares = next(iter(sets.values())), 1.0 + evidence.sites
    cases: dict[str, tuple[Any, Clusters, NDArray[Any]]] = {
        label: (priors, clusters, shares) for label, priors in sets.items()
    }
    alike = {name: main[name] for name in main if name != "tau_region"}
    cases[ALIKE] = (alike, clusters, shares)
    cases["Jeffreys’ prior for the sites"] = (main, clusters, 0.5 + evidence.sites)
    for row, place in enumerate(places):
        if place:
            patient, vertebra = place.split()
            cases[f"leak of patient {patient} in {vertebra}"] = (main, clusters.fixed(row), shares)
    solved = {}
    for label, (priors, patients, concentration) in cases.items():
        found = solve(priors, patients, concentration, seed=seed)
        solved[label] = Solved(found, quantities(found, patients, most))
    return solved


def _options(question: Question) -> tuple[str, int]:
    where = f"analyses.toml [{question.name}.options]"
    check_keys(where, question.options, ["past", "most"], [])
    past, most = typed(where, question.options, "past", str), typed(where, question.options, "most", int)
    if not 2 <= most <= _MOST:
        raise EvidenceError(f"{where}: expected most to be a whole number from 2 to {_MOST}, found {most}")
    if not question.priors:
        raise EvidenceError(f"analyses.toml [{question.name}]: expected a prior set, found none")
    return past, most


def _predictive(project: Project, name: str) -> Prior:
    """Prior of mu from other series: what they foresee of the log odds in the next one."""
    analysis = find_analysis(project, name)
    evidence = counts_for(analysis, project)
    priors = read_priors(project, analysis.priors, analysis, evidence.measure)
    past = load_model(analysis.model, project).surface(evidence).posterior(priors[MU], priors[TAU])
    why = (
        f"The predictive (MAP) prior of the log odds in the next series by {evidence.k} earlier ones "
        f"({name}), taken as those of a typical patient."
    )
    return replace(map_prior(past.theta_new).prior, why=why)


def _published(project: Project, paper: str) -> Any:
    """Counts that a paper prints, by the name of the figure."""
    table: Any = read_table(project, f"published/{paper}.csv").set_index("figure_id")
    for figure in (
        "leak_count",
        "leak_symptomatic",
        *(_PRINTED.values() if paper == "ribeirao_preto" else ()),
    ):
        if figure not in table.index or np.isnan(table.loc[figure, "events"]):
            raise EvidenceError(
                f"data/published/{paper}.csv: expected events of a figure {figure}, found none"
            )
    return table["events"]


def _without_regions(clusters: Clusters, priors: Priors) -> exact.Posterior:
    """Posterior of the model in which all regions are alike: patients are its studies."""
    surface = exact.binomial(clusters.events, clusters.levels.sum(axis=1))
    return surface.posterior(priors["mu"], priors["tau_patient"])


def _next(found: Points, known: Quantities, rows: NDArray[np.intp]) -> pd.DataFrame:
    """What the next levels would show, by site: one level in each patient, and two in each."""
    frame = {}
    for name, rate, none in zip(
        (*SITES, tables.ANY), (*known.sites.T, known.rate), known.none_in_pairs.T, strict=True
    ):
        _, low, high = number_in_next(rate[rows])
        frame[name] = {
            "expected": NEXT * found.mean(rate), "low": low, "high": high,
            "p_none": found.mean((1 - rate) ** NEXT), "p_none_in_pairs": found.mean(none ** (NEXT // 2)),
        }  # fmt: skip
    return pd.DataFrame.from_dict(frame, orient="index").rename_axis("site")


def _symptoms(own: Any, review: Any, evidence: LeakSites) -> pd.DataFrame:
    """Limits of the share of leaks, and of levels, with symptoms: where none was seen, zero is no answer."""
    leaks, past = int(own["leak_count"]), int(review["leak_count"])
    groups = {
        "leaks of this series": (own["leak_symptomatic"], leaks),
        "levels of this series": (own["leak_symptomatic"], len(evidence.labels)),
        "leaks of this series and of Bouza 2009": (
            own["leak_symptomatic"] + review["leak_symptomatic"],
            leaks + past,
        ),
    }
    rows = {}
    for name, (events, n) in groups.items():
        if events:
            raise EvidenceError(
                f"data/published/: expected no leak with symptoms ({name}), found {events:g}; the limits are "
                f"those of a share of which none was seen"
            )
        rows[name] = {"symptomatic": 0, "n": n, **none_seen(n)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("of")


def _unplaced(found: Points, clusters: Clusters, places: tuple[str, ...]) -> pd.DataFrame:
    """Where a leak that the paper does not place lies: its probability before and after the data."""
    rows = []
    for row, place in enumerate(places):
        if place:
            share = found.placed[:, row] / found.likelihood[:, clusters.owner[row]]
            rows.append((place, float(clusters.weights[row]), found.mean(share)))
    return pd.DataFrame(rows, columns=["place", "before", "after"]).set_index("place")


def _cases(solved: dict[str, Solved], threshold: Threshold) -> pd.DataFrame:
    """The answer under every set of priors, with all regions alike, and with the leak placed."""
    rows = {}
    for label, one in solved.items():
        found, known = one.points, one.known
        canal = 100 * known.sites[:, SITES.index("canal")]
        new_low, new_high = found.quantile(known.new, tables.ENDS)
        rows[label] = {
            "mean": found.mean(known.rate), **tables.middle(found, known.rate),
            "new_low": new_low, "new_high": new_high, "p_below": found.mean(known.rate < threshold.value),
            **{region: found.mean(known.regions[:, i]) for i, region in enumerate(REGIONS)},
            **tables.middle(found, canal, "canal_"), "log_evidence": found.log_evidence,
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("case")


def _frequentist(clusters: Clusters) -> pd.DataFrame:
    """Share of levels with a leak: of independent levels, and of levels that patients share."""
    events, n = clusters.events, clusters.levels.sum(axis=1)
    found = {
        "independent levels (Clopper–Pearson)": exact_share(events.sum(), n.sum()),
        "levels clustered in patients": clustered_share(events, n),
    }
    return pd.DataFrame.from_dict(
        {name: vars(share) for name, share in found.items()}, orient="index"
    ).rename_axis("method")


def _witnessed(rate: NDArray[np.float64], witness: pd.DataFrame, moved: float) -> Check:
    plain: Any = witness.loc["levels clustered in patients"]
    interval = (float(plain["low"]), float(plain["high"]))
    check = witnessed(
        "share of levels with a leak", rate, float(plain["estimate"]), interval,
        "share with a cluster-robust interval", prior_range=moved,
    )  # fmt: skip
    return replace(check, name="frequentist agreement")


def _before(before: Points, clusters: Clusters, evidence: LeakSites, seed: int) -> pd.DataFrame:
    """Prior predictive check: what series of these patients would show before the data."""
    rows = before.before.rows(DRAWS, seed)
    frame = {}
    for feature in features(clusters, evidence.sites, SITES, *replicate(before, clusters, rows, seed)):
        many = np.asarray(feature.replicated)
        median, low, high = np.quantile(many, [0.5, *tables.ENDS])
        frame[feature.name] = {
            "median": median, "low": low, "high": high, "observed": float(feature.observed),
            "share_below": float(np.mean(many < feature.observed)),
        }  # fmt: skip
    return pd.DataFrame.from_dict(frame, orient="index").rename_axis("in a series of these patients")


def _printed(own: pd.Series, evidence: LeakSites) -> Check:
    """Hold the table of vertebrae to the counts that the paper prints."""
    counted = {
        "leaks": int(evidence.sites.sum()),
        **{f"leaks, {s}": int(n) for s, n in zip(SITES, evidence.sites, strict=True)},
    }
    rows = {name: (counted[name], own[figure]) for name, figure in _PRINTED.items()}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["in the table", "printed"])
    same = bool((table["in the table"] == table["printed"]).all())
    text = "the vertebrae have the leaks that the paper prints, in all and by site"
    return Check(
        "printed counts",
        same,
        text if same else text.replace("have", "do not have"),
        table.rename_axis("count"),
    )


def _decisions(
    found: Points, known: Quantities, rows: NDArray[np.intp], threshold: Threshold
) -> pd.DataFrame:
    """Claims about rates and numbers; of another centre one series tells nothing."""
    groups = {f"levels {tables.ALL}": (known.rate, known.new)}
    for i, region in enumerate(REGIONS):
        groups[f"{region} levels"] = (known.regions[:, i], known.new_regions[:, i])
    claims = [
        decision(
            threshold, mean=found.mean(rate < threshold.value), patient=found.mean(new < threshold.value),
            next_cases=rate[rows], of="levels that leak", note=name,
        )
        for name, (rate, new) in groups.items()
    ]  # fmt: skip
    claims += [
        decision(
            f"cement leaks {_WHERE[site]}", source=_COUNTED, next_cases=rate[rows], of="levels that leak"
        )
        for site, rate in zip(SITES, known.sites.T, strict=True)
    ]
    return decisions(claims)


def _who(evidence: LeakSites) -> pd.DataFrame:
    """Every vertebra: all are in."""
    rows = []
    for i, (label, seen) in enumerate(zip(evidence.labels, evidence.events, strict=True)):
        patient, vertebra = label.split()
        site = evidence.rows["leak_site"].iloc[i]
        told = f"leak, {site}" if seen == 1 else "no leak"
        if np.isnan(seen):
            own = (evidence.patient == evidence.patient[i]) & np.isnan(evidence.events)
            shared = " or ".join(evidence.labels[j].split()[1] for j in np.flatnonzero(own))
            told = f"one leak, {site}, in {shared}: the paper does not say which, and both are kept"
        rows.append({"unit": f"patient {patient}, {vertebra}", "status": "in", "reason": told})
    return pd.DataFrame(rows)


def _sentence(shown: dict[str, Any], evidence: LeakSites) -> str:
    """Say the answer for a clinician."""
    rate = shown["rates"].loc[(tables.ALL, tables.PATIENTS[0])]
    two, canal = shown["levels"].loc[2], shown["sites"].loc["canal"]
    coming = shown[f"next {NEXT} levels"].loc["canal"]
    tau = (
        shown["learned"].loc["tau_patient", "width_ratio"],
        shown["learned"].loc["tau_region", "width_ratio"],
    )
    symptoms = shown["symptoms"]["below_uniform"]
    n = len(evidence.labels)
    return (
        f"Cement leaks in {_percent(rate)} of levels; at least one of two levels of a new patient leaks with "
        f"a probability of {_percent(two)}. Into the canal, where it was seen in {canal['leaks']:.0f} of {n} "
        f"levels, it leaks in {canal['per_100_median']:.1f} of 100 (95 % interval {canal['per_100_low']:.1f} "
        f"to {canal['per_100_high']:.1f}): {coming['low']:.0f} to {coming['high']:.0f} in the next "
        f"{NEXT}, none with a probability of {100 * coming['p_none']:.0f} %. None of {evidence.sites.sum()} "
        f"leaks had symptoms, which leaves up to {100 * symptoms.iloc[0]:.0f} % possible. Whether regions or "
        f"patients differ cannot be learned: the intervals of their spreads keep {100 * min(tau):.0f} % of "
        f"their prior’s width or more."
    )


def _percent(row: Any) -> str:
    return f"{100 * row['mean']:.0f} % (95 % interval {100 * row['low']:.0f} to {100 * row['high']:.0f} %)"
