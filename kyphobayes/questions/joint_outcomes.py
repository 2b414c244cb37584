"""Whether two outcomes of the same studies go together, and what the next centre will have of both.

NUTS gives the main result. Exact posteriors of each outcome by itself and weights give the same without
NUTS, under every prior set and without each study; where the data cannot tell, the answer says so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from scipy import special

from kyphobayes.checks import Check
from kyphobayes.checks.convergence import convergence
from kyphobayes.checks.witnessed import witnessed
from kyphobayes.decisions import decision, decisions
from kyphobayes.engines import fit_declared
from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import JointCounts, Threshold, find_threshold, read_joint_counts
from kyphobayes.evidence.questions import Question
from kyphobayes.fits import UNPRINTED_PRIOR
from kyphobayes.joint import profile as frequentist
from kyphobayes.joint import witnesses
from kyphobayes.joint.correlation import ENDS
from kyphobayes.joint.left_out import Solved, left_out, solve, under_other_priors
from kyphobayes.joint.likelihood import Array, Margins
from kyphobayes.joint.next_centre import both_below, compared, foretold, next_cases
from kyphobayes.joint.simulated import studies_needed
from kyphobayes.model import load_model
from kyphobayes.project import Project
from kyphobayes.questions.answered import Answered
from kyphobayes.toml_files import check_keys, typed

KEEP = ("mu_leak", "tau_leak", "mu_fracture", "tau_fracture", "rho", "theta_leak", "theta_fracture",
        "theta_leak_new", "theta_fracture_new")  # fmt: skip
BACK = 0.9  # an interval that keeps so much of its prior's width has not learned anything to speak of
_WEIGHTS = "exact margins, weights"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """What the plan says: which analyses and limits, and what is simulated."""

    leaks: str
    fractures: str
    leak_limit: str
    fracture_limit: str
    studies: tuple[int, ...]
    correlations: tuple[float, ...]
    data_sets: int


def options_of(question: Question) -> Options:
    """Read and check the options.

    Raises
    ------
    EvidenceError
    """
    where = f"analyses.toml [{question.name}.options]"
    words = ("leaks", "fractures", "leak_limit", "fracture_limit")
    check_keys(where, question.options, [*words, "studies", "correlations", "data_sets"], [])
    sizes, truths = (typed(where, question.options, key, list) for key in ("studies", "correlations"))
    data_sets = typed(where, question.options, "data_sets", int)
    if not sizes or any(type(size) is not int or not 2 <= size <= 200 for size in sizes):
        raise EvidenceError(f"{where}: expected studies to hold whole numbers from 2 to 200, found {sizes!r}")
    if not truths or any(type(rho) not in (int, float) or not -1 < rho < 1 for rho in truths):
        raise EvidenceError(f"{where}: expected correlations to lie between -1 and 1, found {truths!r}")
    if not 1 <= data_sets <= 1000:
        raise EvidenceError(f"{where}: expected data_sets to be from 1 to 1000, found {data_sets}")
    text = {key: typed(where, question.options, key, str) for key in words}
    return Options(
        **text, studies=tuple(sizes), correlations=tuple(float(r) for r in truths), data_sets=data_sets
    )


def answer(
    question: Question,
    project: Project,
    *,
    seed: int = 0,
    out: Path | None = None,
    say: Say = lambda _: None,
) -> Answered:
    """Answer whether leaks and new fractures go together between centres.

    The parameters are those of `kyphobayes.questions.answer`.

    Raises
    ------
    EvidenceError, PriorError, ImproperPosterior, NotConverged
    """
    options = options_of(question)
    if not question.priors:
        raise EvidenceError(f"analyses.toml [{question.name}]: expected a prior set, found none")
    thresholds = tuple(find_threshold(project, name) for name in (options.leak_limit, options.fracture_limit))
    limits = (_share(thresholds[0]), _share(thresholds[1]))
    evidence = read_joint_counts(project, options.leaks, options.fractures)
    main = question.priors[0]
    fit = fit_declared(
        load_model(question.model or "joint_outcomes", project), evidence, main, KEEP,
        name=question.name, seed=seed, out=out, say=say,
    )  # fmt: skip
    draws = flat(fit["posterior"].dataset)
    say(f"{question.name}: exact margins, and the likelihood of the correlation")
    solved = solve(evidence, main, seed)
    say(f"{question.name}: other priors, and each study left out")
    others = under_other_priors(evidence, question.priors, solved, seed)
    removed = left_out(evidence, main, solved, seed)
    say(f"{question.name}: how many studies it would take")
    needed = studies_needed(
        evidence, main, solved.apart, options.studies, options.correlations, options.data_sets, seed
    )
    profiled = frequentist.profile(evidence)
    labels = [priors.label for priors in question.priors]
    tables = {
        "correlation": _correlations(draws, labels, others),
        "next centre": foretold(draws, solved.apart, limits),
        "with and without the other outcome": compared(draws, solved.apart),
        "next cases": next_cases(draws, solved.apart),
        "studies": _studies(fit["posterior"].dataset, evidence),
        "studies needed": needed,
        "other priors": _other_priors(draws, labels, others, limits),
        "likelihood": _likelihood(solved, profiled),
        "crude correlations": frequentist.crude(evidence),
        "before the data": _before(fit, evidence, limits),
        "leave-one-study-out": removed.table,
    }
    checks = (
        convergence(fit),
        witnesses.agreement(fit, solved),
        _profile_witness(draws["rho"], profiled, others),
        witnesses.predictive(draws, evidence, seed),
        removed,
    )
    more = {
        "evidence": evidence, "limits": limits, "thresholds": thresholds, "draws": draws, "solved": solved,
        "others": dict(zip(labels, others, strict=True)), "profile": profiled, "options": options,
    }  # fmt: skip
    return Answered(
        question, sentence(tables, evidence, limits), tables, _who(evidence), checks, {main.label: fit}, more,
        _decisions(draws, thresholds, limits),
    )  # fmt: skip


def sentence(tables: Mapping[str, pd.DataFrame], evidence: JointCounts, limits: tuple[float, float]) -> str:
    """Say the answer for a clinician."""
    found, coming = tables["correlation"].iloc[0], tables["next centre"]
    both, printed = len(evidence.both), len(evidence.printed)
    pair = f"{printed or 'none'} {'prints' if printed < 2 else 'print'} both counts"
    interval = f"{found['median']:.2f} (95 % interval {found['low']:.2f} to {found['high']:.2f})"
    before = f"{found['prior_median']:.2f} ({found['prior_low']:.2f} to {found['prior_high']:.2f})"
    if found["width_ratio"] >= BACK:
        told = (
            f"Whether centres with more leaks also have more new fractures is not identifiable with "
            f"k = {both} studies, of which {pair}: the correlation is {interval}, and before the data it was "
            f"{before}. The prior comes back."
        )
    else:
        told = (
            f"The correlation of leaks and new fractures between centres is {interval} with k = {both} "
            f"studies, of which {pair}; before the data it was {before}."
        )
    row = coming.loc["P(both)"]
    return (
        f"{told} The next centre has leaks in fewer than {100 * limits[0]:g} % of levels and new fractures "
        f"in fewer than {100 * limits[1]:g} % of patients with probability {100 * row['together']:.0f} %, "
        f"and {100 * row['apart']:.0f} % if the two are taken to be independent."
    ).replace("-", "−")


def flat(posterior: xr.Dataset) -> dict[str, Array]:
    """Draws of all that has no dimension of its own, shape (s,) each."""
    return {
        str(name): values.values.ravel()
        for name, values in posterior.items()
        if set(values.dims) == {"chain", "draw"}
    }


def _share(threshold: Threshold) -> float:
    if threshold.unit != "share":
        raise EvidenceError(
            f"thresholds.toml [{threshold.name}]: expected a share, which limits a rate, "
            f"found {threshold.unit}"
        )
    return threshold.value


def _margins(draws: Mapping[str, Array]) -> Margins:
    return Margins(*(draws[name] for name in ("mu_leak", "tau_leak", "mu_fracture", "tau_fracture")))


def _correlations(draws: Mapping[str, Array], labels: list[str], others: list[Solved]) -> pd.DataFrame:
    """Correlation between centres before and after the data: by NUTS, then under every prior set."""
    exact = [solved.posterior.summary() for solved in others]
    rho = draws["rho"]
    median, low, high = np.quantile(rho, [0.5, *ENDS])
    width = exact[0]["prior_high"] - exact[0]["prior_low"]
    sampled = exact[0] | {
        "median": median, "low": low, "high": high, "p_positive": float((rho > 0).mean()),
        "width_ratio": float((high - low) / width),
    }  # fmt: skip
    rows = [(label, _WEIGHTS, row) for label, row in zip(labels, exact, strict=True)]
    rows.insert(1, (labels[0], "NUTS", sampled))
    index = pd.MultiIndex.from_tuples([(label, by) for label, by, _ in rows], names=["priors", "by"])
    columns = ["median", "low", "high", "p_positive", "prior_median", "prior_low", "prior_high",
               "prior_p_positive", "width_ratio", "kl", "bayes_factor_0"]  # fmt: skip
    return pd.DataFrame([row for _, _, row in rows], index=index)[columns]


def _other_priors(
    draws: Mapping[str, Array], labels: list[str], others: list[Solved], limits: tuple[float, float]
) -> pd.DataFrame:
    """The next centre under every prior set: each rate, both, and the product of the two."""
    sampled = foretold(draws, others[0].apart, limits)["together"].iloc[:3].to_numpy()
    rows: dict[tuple[str, str], dict[str, float]] = {
        (labels[0], "NUTS"): dict(zip(("leak", "fracture", "both"), map(float, sampled), strict=True))
    }
    for label, solved in zip(labels, others, strict=True):
        leak, fracture = (
            float(p.cdf("theta_new", special.logit(limit)))
            for p, limit in zip((solved.apart.leak, solved.apart.fracture), limits, strict=True)
        )
        both = solved.both_below(limits)
        rows[label, _WEIGHTS] = {
            "leak": leak, "fracture": fracture, "both": both, "product": leak * fracture,
            "difference": both - leak * fracture,
        }  # fmt: skip
    index = pd.MultiIndex.from_tuples(rows, names=["priors", "by"])
    return pd.DataFrame(list(rows.values()), index=index)


def _studies(posterior: xr.Dataset, evidence: JointCounts) -> pd.DataFrame:
    """Counts at hand or possible, and both rates of every centre; one it did not count is foretold."""
    frame = pd.DataFrame(index=pd.Index(evidence.labels, name="study"))
    for (name, counts, places), effect in zip(evidence.sides, ("theta_leak", "theta_fracture"), strict=True):
        values = special.expit(
            posterior[effect].stack(sample=("chain", "draw")).transpose("sample", ...).values
        )
        columns = {
            "events_low": counts.tables.min(axis=0),
            "events_high": counts.tables.max(axis=0),
            "n": counts.n,
        }
        for key, column in columns.items():
            whole = np.full(evidence.k, np.nan)
            whole[places] = column
            frame[f"{name}_{key}"] = whole
        for key, row in zip(
            ("median", "low", "high"), np.quantile(values, [0.5, *ENDS], axis=0), strict=True
        ):
            frame[f"{name}_rate_{key}"] = row
    return frame


def _likelihood(solved: Solved, profiled: frequentist.Profile) -> pd.DataFrame:
    """Likelihood of rho relative to rho = 0: averaged over all else, and at its maximum over all else."""
    likelihood = solved.likelihood
    frame = pd.DataFrame(
        {
            "rho": likelihood.nodes,
            "likelihood": likelihood.relative.mean(axis=1),
            "standard_error": likelihood.errors,
        }
    )
    nothing = float(np.interp(0.0, profiled.rho, profiled.log_likelihood))
    frame["profile_likelihood"] = np.exp(
        np.interp(frame["rho"], profiled.rho, profiled.log_likelihood) - nothing
    )
    return frame.set_index("rho")


def _before(fit: xr.DataTree, evidence: JointCounts, limits: tuple[float, float]) -> pd.DataFrame:
    """Prior predictive check: what the priors say before the data, and where the observed lies."""
    prior = flat(fit["prior"].dataset)
    predicted = xr.merge(
        [fit[group].dataset for group in ("prior_predictive", UNPRINTED_PRIOR) if group in fit.children]
    )
    rates = {
        "leak rate, typical centre": (special.expit(prior["mu_leak"]), evidence.leaks),
        "leak rate, next centre": (special.expit(prior["theta_leak_new"]), evidence.leaks),
        "fracture share, typical centre": (special.expit(prior["mu_fracture"]), evidence.fractures),
        "fracture share, next centre": (special.expit(prior["theta_fracture_new"]), evidence.fractures),
    }
    rows = {
        name: (values, float(counts.weights @ counts.tables.sum(axis=1) / counts.n.sum()))
        for name, (values, counts) in rates.items()
    }
    for name, counts, _ in evidence.sides:
        total = np.zeros(len(prior["rho"]))
        if name in predicted:
            total += predicted[name].values.reshape(len(total), -1).sum(axis=1)
        if f"{name}_latent" in predicted:
            total += predicted[f"{name}_latent"].values.reshape(len(total), -1).sum(axis=1)
        rows[f"{name} in all studies"] = (total, float(counts.weights @ counts.tables.sum(axis=1)))
    rows["correlation between centres"] = (prior["rho"], np.nan)
    rows["P(both below their limits), next centre"] = (
        both_below(_margins(prior), prior["rho"], limits), np.nan
    )  # fmt: skip
    found = {}
    for name, (values, observed) in rows.items():
        below = float(np.mean(values < observed)) if np.isfinite(observed) else np.nan
        found[name] = (*np.quantile(values, [0.5, *ENDS]), observed, below)
    columns = ["median", "low", "high", "observed", "share_below"]
    return pd.DataFrame.from_dict(found, orient="index", columns=columns).rename_axis("quantity")


def _profile_witness(rho: Array, profiled: frequentist.Profile, others: list[Solved]) -> Check:
    """Hold the posterior of rho against the maximum of its profile likelihood."""
    medians = [solved.posterior.summary()["median"] for solved in others]
    found = witnessed(
        "correlation between centres", rho, profiled.estimate, profiled.interval,
        "maximum of the profile likelihood", prior_range=float(np.ptp(medians) / rho.std(ddof=1)),
        expected="expected, as the profile log likelihood varies by only "
        f"{np.ptp(profiled.log_likelihood):.2f} over all correlations, where 1.92 is needed to reject one",
    )  # fmt: skip
    return Check("profile likelihood", found.passed, found.text, found.table)


def _decisions(
    draws: Mapping[str, Array], thresholds: tuple[Threshold, ...], limits: tuple[float, float]
) -> pd.DataFrame:
    margins = _margins(draws)
    leak, fracture = special.logit(limits)
    low = draws["mu_leak"] < leak
    few = draws["mu_fracture"] < fracture
    rows = [
        decision(
            thresholds[0], mean=float(low.mean()), centre=float((draws["theta_leak_new"] < leak).mean()),
            next_cases=special.expit(draws["theta_leak_new"]), of="levels that leak",
            note="in the joint model",
        ),
        decision(
            thresholds[1], mean=float(few.mean()),
            centre=float((draws["theta_fracture_new"] < fracture).mean()),
            next_cases=special.expit(draws["theta_fracture_new"]), note="in the joint model",
        ),
        decision(
            " and ".join(t.claim for t in thresholds), mean=float((low & few).mean()),
            centre=float(both_below(margins, draws["rho"], limits).mean()), of="centres",
            source="; ".join(dict.fromkeys(t.cited for t in thresholds)),
        ),
    ]  # fmt: skip
    return decisions(rows)


def _who(evidence: JointCounts) -> pd.DataFrame:
    """Every study and outcome: printed, one of several counts, or not there; and the rows that are out."""
    rows = []
    for name, counts, places in evidence.sides:
        at = {int(place): i for i, place in enumerate(places)}
        for place, label in enumerate(evidence.labels):
            if place not in at:
                rows.append((f"{label}, {name}", "out", f"no count of {name} in the evidence"))
                continue
            i = at[place]
            low, high = (int(end(counts.tables[:, i])) for end in (np.min, np.max))
            told = f"{low}" if low == high else f"{low} to {high}"
            status = "not printed" if i in counts.latent else "printed"
            rows.append(
                (f"{label}, {name}", "in", f"{status}: {told} of {counts.n[i]:g} {counts.unit}".strip())
            )
        for row in evidence.excluded[evidence.excluded["outcome"] == name].to_dict("records"):
            rows.append((f"{row['label']} ({row['arm']}), {name}", "out", row["reason"]))
    return pd.DataFrame(rows, columns=["unit", "status", "reason"])
