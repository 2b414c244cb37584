"""New fractures and deaths per time at risk: series with their mean follow-up, patients with their own.

The series are solved exactly and by NUTS. The likelihood of each of the patients' two rates has one unknown,
so that quadrature is exact, and holds NUTS to account.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from kyphobayes.checks import Check
from kyphobayes.checks.agreement import certificate
from kyphobayes.checks.convergence import convergence
from kyphobayes.checks.left_out import left_out
from kyphobayes.checks.predictive import predictive
from kyphobayes.checks.witnessed import witnessed
from kyphobayes.decisions import decision, decisions
from kyphobayes.engines import fit_declared
from kyphobayes.engines.kept import ENGINES, fit_kept
from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import (
    Analysis,
    Counts,
    FollowUp,
    Rates,
    Threshold,
    counts_for,
    find_analysis,
    find_threshold,
    rates_of,
    read_follow_up,
    read_priors,
    read_table,
)
from kyphobayes.evidence.questions import Question
from kyphobayes.exact import Density, Posterior
from kyphobayes.model import Model, load_model
from kyphobayes.names import MU, TAU
from kyphobayes.priors import Priors
from kyphobayes.project import Project
from kyphobayes.questions.answered import Answered
from kyphobayes.time_at_risk import background, cases, centres, patients, witnesses
from kyphobayes.time_at_risk.centres import PER
from kyphobayes.toml_files import check_keys, typed
from kyphobayes.witness import likelihoods

Say = Callable[[str], None]

_CENTRES, _PATIENTS = (MU, TAU), ("log_fracture_rate", "log_death_rate")
_THRESHOLDS = ("untreated_fracture_low", "untreated_fracture_high")
_PUBLISHED = ("fracture_adjacent", "fracture_distant")


@dataclass(frozen=True)
class Options:
    """What the plan says.

    Attributes
    ----------
    analysis : str
        Analysis of a share whose studies enter.
    patients : str
        Model of the patients.
    adjacent : str
        study_id of another series that counts adjacent fractures, shown for context.
    horizons, alive : tuple of int
        Months within which a fracture, or until which survival, is asked for.
    long : int
        Mean follow-up in months from which on a series may have lost patients whom it does not print.
    exposures : tuple of float
        Shares of the long series' exposure that are tried.
    first : int
        Months within which all fractures happen, in the case that they happen early.
    holds : tuple of float
        Probabilities that the range of untreated patients is taken to hold, the main one first.
    """

    analysis: str
    patients: str
    adjacent: str
    horizons: tuple[int, ...]
    alive: tuple[int, ...]
    long: int
    exposures: tuple[float, ...]
    first: int
    holds: tuple[float, ...]


def options_of(question: Question) -> Options:
    """Read and check the options.

    Raises
    ------
    EvidenceError
    """
    where, given = f"analyses.toml [{question.name}.options]", question.options
    check_keys(where, given, list(Options.__dataclass_fields__), [])
    texts = {key: typed(where, given, key, str) for key in ("analysis", "patients", "adjacent")}
    lists = {key: typed(where, given, key, list) for key in ("horizons", "alive", "exposures", "holds")}
    for key, values in lists.items():
        whole = key in ("horizons", "alive")
        good = all(type(x) is int and x > 0 if whole else isinstance(x, float) and 0 < x < 1 for x in values)
        if not values or not good:
            expected = "months, whole numbers above 0" if whole else "shares between 0 and 1"
            raise EvidenceError(f"{where}: expected {key} to hold {expected}, found {values!r}")
    months = {key: typed(where, given, key, int) for key in ("long", "first")}
    found: dict[str, Any] = {**texts, **months, **{key: tuple(values) for key, values in lists.items()}}
    return Options(**found)


def answer(
    question: Question,
    project: Project,
    *,
    seed: int = 0,
    out: Path | None = None,
    say: Say = lambda _: None,
) -> Answered:
    """Answer how many new fractures and deaths there are in a time at risk.

    The parameters are those of `kyphobayes.questions.answer`.

    Raises
    ------
    EvidenceError, PriorError, ImproperPosterior, NotConverged
    """
    options = options_of(question)
    if not question.priors or not question.model:
        raise EvidenceError(f"analyses.toml [{question.name}]: expected a model and a prior set, found none")
    main = question.priors[0]
    analysis = find_analysis(project, options.analysis)
    limits = tuple(find_threshold(project, name) for name in _THRESHOLDS)
    counts, followed = counts_for(analysis, project), read_follow_up(project)
    evidence = rates_of(counts, project)
    of_centres, of_patients = load_model(question.model, project), load_model(options.patients, project)
    for priors in question.priors:
        of_centres.check(evidence, priors)
        of_patients.check(followed, priors)

    say(f"{question.name}: solving under {len(question.priors)} prior sets")
    posteriors = {p.label: _solve(of_centres, evidence, p) for p in question.priors}
    posterior = posteriors[main.label]
    rates = patients.deaths_and_fractures(followed, main["log_death_rate"], main["log_fracture_rate"])
    fits = {
        engine: fit_kept(
            engine, of_centres, evidence, _only(main, _CENTRES),
            name=question.name, marks={"analysis": question.name}, seed=seed, out=out, say=say,
        )[0]
        for engine in ENGINES
    }  # fmt: skip
    fits["patients"] = fit_declared(
        of_patients, followed, _only(main, _PATIENTS), _PATIENTS,
        name=f"{question.name}-patients", seed=seed, out=out, say=say,
    )  # fmt: skip

    untreated = tuple(centres.Untreated(limits[0].value, limits[1].value, p) for p in options.holds)
    compared = centres.compared(posterior, untreated, options.horizons)
    without_time = _without_time(analysis, counts, project)
    tables = {
        "rates": _main(posterior, rates, options),
        "untreated": compared,
        "series": centres.series_table(evidence, posterior),
        "cases": cases.of_centres(
            evidence, posteriors, lambda view: _solve(of_centres, view, main), untreated[0],
            horizons=options.horizons, long=options.long, exposures=options.exposures, first=options.first,
        ),
        "patients": cases.of_patients(followed, question.priors, options.alive),
        "ignoring time": background.ignoring(
            without_time, posterior, options.horizons, background.mean_follow_up(evidence)
        ),
        "latent counts": background.latent_counts(evidence, without_time, posterior),
        "which vertebra": _which_vertebra(project, options),
        "frequentist": witnesses.frequentist(evidence),
        "learned": background.learned(
            {name: (main[name], posterior.marginal(name)) for name in _CENTRES}
            | {name: (main[name], rates[name]) for name in _PATIENTS}
        ),
        "before the data": background.before(
            fits["exact"]["prior"].dataset, fits["patients"]["prior"].dataset, evidence, followed,
            options.horizons, options.alive,
        ),
        "left out": posterior.loo(),
    }  # fmt: skip
    return Answered(
        question=question,
        sentence=sentence(tables, options, untreated[0].words),
        tables=tables,
        who=_who(evidence, followed),
        checks=_checks(fits, evidence, posteriors, rates, followed, tables),
        fits=fits,
        more={"evidence": evidence, "posterior": posterior, "followed": followed, "rates": rates,
              "options": options, "untreated": untreated, "without time": without_time},
        decisions=_decisions(posterior, limits, options),
    )  # fmt: skip


def sentence(tables: dict[str, pd.DataFrame], options: Options, untreated: str) -> str:
    """Say the answer for a clinician."""
    found: Any = tables["rates"]

    def rate(name: str) -> str:
        row = found.loc[name]
        return f"{row['median']:.1f} (95 % interval {row['low']:.1f} to {row['high']:.1f})"

    def share(name: str) -> str:
        row = found.loc[name]
        return f"{100 * row['median']:.0f} % ({100 * row['low']:.0f} to {100 * row['high']:.0f} %)"

    fractures, deaths = f"new fractures per {PER} patient-years", f"deaths per {PER} patient-years"
    shares = " and ".join(
        f"{share(f'share with one within {months} months, typical centre')} within {months} months"
        for months in options.horizons
    )
    first = tables["untreated"].groupby("months", sort=False)["p_typical"].first()
    chances = " and ".join(f"{100 * p:.0f} % if those took {months} months" for months, p in first.items())
    late = options.alive[-1]
    return (
        f"A typical centre has {rate(f'{fractures}, typical centre')} new fractures per {PER} patient-years, "
        f"the next one {rate(f'{fractures}, next centre')}: in a typical centre {shares} of follow-up. That "
        f"this is less than the {untreated} of untreated patients has a probability of {chances}, which the "
        f"paper does not say; nobody was compared. In Ribeirão Preto {rate(deaths)} patients died per {PER} "
        f"patient-years, so that {share(f'alive after {late} months')} are alive after {late} months."
    )


def _only(priors: Priors, names: tuple[str, ...]) -> Priors:
    """The priors of one of the two models."""
    return Priors.of(priors.label, **{name: priors[name] for name in names})


def _solve(model: Model, evidence: Rates, priors: Priors) -> Posterior:
    return model.surface(evidence, priors).posterior(mu=priors[MU], tau=priors[TAU])


def _without_time(analysis: Analysis, counts: Counts, project: Project) -> Posterior:
    """Posterior of the analysis itself, which knows shares and no time, under its own main priors."""
    priors = read_priors(project, analysis.priors, analysis, counts.measure)
    return load_model(analysis.model, project).surface(counts).posterior(priors[MU], priors[TAU])


def _main(posterior: Posterior, rates: dict[str, Density], options: Options) -> pd.DataFrame:
    rows = centres.fracture_rows(posterior, options.horizons)
    rows[f"new fractures per {PER} patient-years, Ribeirão Preto alone"] = centres.rate_row(
        rates["log_fracture_rate"]
    )
    rows[f"deaths per {PER} patient-years"] = centres.rate_row(rates["log_death_rate"])
    for months in options.alive:
        rows[f"alive after {months} months"] = centres.alive_row(rates["log_death_rate"], months)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("quantity")


def _which_vertebra(project: Project, options: Options) -> pd.DataFrame:
    printed = read_table(project, "published/ribeirao_preto.csv").set_index("figure_id")["events"]
    adjacent, distant = (int(printed[name]) for name in _PUBLISHED)
    table = read_table(project, "outcomes/new_fracture.csv")
    others = table[table["study_id"] == options.adjacent]
    if others.empty:
        raise EvidenceError(
            f"analyses.toml, option adjacent: expected a study of data/outcomes/new_fracture.csv, found "
            f"{options.adjacent!r}"
        )
    labels = read_table(project, "studies.csv").set_index("study_id")["label"]
    return background.which_vertebra(adjacent, distant, others.assign(label=others["study_id"].map(labels)))


def _decisions(posterior: Posterior, limits: tuple[Threshold, ...], options: Options) -> pd.DataFrame:
    rows = []
    for months in options.horizons:
        next_cases = centres.shares_of(posterior.theta_new, months)
        for limit in limits:
            log_rate = centres.log_rate_of(limit.value, months)
            rows.append(
                decision(
                    limit,
                    mean=float(posterior.mu.cdf(log_rate)),
                    centre=float(posterior.theta_new.cdf(log_rate)),
                    next_cases=next_cases,
                    of="patients with a new fracture",
                    note=f"within {months} months",
                )
            )
    return decisions(rows)


def _who(evidence: Rates, followed: FollowUp) -> pd.DataFrame:
    rows = [
        (row["label"], "in", f"{row['follow_up']:g} months ({row['follow_up_source']})")
        for row in evidence.rows.to_dict("records")
    ]
    rows += [
        (f"{row['label']}, {row['arm']}", "out", row["reason"])
        for row in evidence.excluded.to_dict("records")
    ]
    for label, months, died, fractured in zip(
        followed.labels, followed.months, followed.died, followed.fractured, strict=True
    ):
        told = ["died" if died else "alive when last seen"] + ["a new fracture by then"] * bool(fractured)
        rows.append((f"patient {label}", "in", f"{months:.0f} months as printed; {'; '.join(told)}"))
    return pd.DataFrame(rows, columns=["unit", "status", "reason"])


def _checks(
    fits: dict[str, xr.DataTree],
    evidence: Rates,
    posteriors: dict[str, Posterior],
    rates: dict[str, Density],
    followed: FollowUp,
    tables: dict[str, pd.DataFrame],
) -> tuple[Check, ...]:
    posterior = next(iter(posteriors.values()))
    spread = float(np.ptp([p.mu.mean for p in posteriors.values()]) / posterior.mu.sd)
    hands = likelihoods(evidence, posterior.surface, posterior.summary())
    drawn = fits["patients"]["posterior"].dataset
    fracture, death = (drawn[name].values.ravel() for name in _PATIENTS)
    by_patient = patients.fracture_log_likelihood(followed, fracture) + patients.death_log_likelihood(
        followed, death
    )
    estimate, *ends = (PER * x for x in patients.garwood(float(followed.died.sum()), followed.years.sum()))
    return (
        *(_named(convergence(fits[name]), f"convergence, {what}")
          for name, what in (("nuts", "series"), ("patients", "patients"))),
        certificate(fits["exact"], fits["nuts"], tables["frequentist"], spread, hands),
        witnesses.sampled(rates, drawn),
        _named(
            witnessed(f"deaths per {PER} patient-years", PER * np.exp(death), estimate, (ends[0], ends[1]),
                      "exact Poisson interval (Garwood)"),
            "agreement, deaths",
        ),
        _named(predictive(fits["exact"]), "posterior predictive, series"),
        _named(witnesses.replicated_patients(fits["patients"], followed), "posterior predictive, patients"),
        left_out(by_patient, list(followed.labels)),
    )  # fmt: skip


def _named(check: Check, name: str) -> Check:
    return replace(check, name=name)
