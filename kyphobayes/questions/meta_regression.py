"""Do design, detection or tumour explain why series differ? One covariate at a time, shrunken.

Options: `comparisons`, a list of tables with `name`, `title`, `analysis` (whose evidence), `covariate`, two
`levels` and `why`; and `shares` of the first level in studies of both, `figures` to reconstruct latent counts
from instead, `beside` (the comparison of which this is another reading), `thresholds`, and `printed` figures
of the two levels. Every comparison is exact under every prior set; NUTS solves the first one too.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from kyphobayes.checks import Check
from kyphobayes.checks.convergence import convergence
from kyphobayes.decisions import decisions
from kyphobayes.engines import fit_declared
from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.moderations import FEWEST, Moderation, moderations, who_of
from kyphobayes.evidence.questions import Question
from kyphobayes.exact import Posterior, mixture
from kyphobayes.model import load_model
from kyphobayes.moderators import TwoLevels, numbers, witnesses
from kyphobayes.names import MU, TAU
from kyphobayes.project import Project
from kyphobayes.questions.answered import Answered

Say = Callable[[str], None]
Found = Mapping[str, Mapping[str, TwoLevels]]  # by comparison and prior set

KEEP = ("mu", "beta", "tau", "level", "theta", "theta_new")


def answer(
    question: Question,
    project: Project,
    *,
    seed: int = 0,
    out: Path | None = None,
    say: Say = lambda _: None,
) -> Answered:
    """Answer a question of kind `meta_regression`.

    Raises
    ------
    EvidenceError, PriorError, NotConverged
    """
    where = f"analyses.toml [{question.name}]"
    if not question.priors or not question.model:
        raise EvidenceError(f"{where}: expected a model and a prior set at least")
    say(f"{question.name}: reading the evidence")
    compared = moderations(question, project)
    model = load_model(question.model, project)
    for priors in question.priors:
        model.check(compared[0].evidence, priors)
    main = question.priors[0]
    found: dict[str, dict[str, TwoLevels]] = {}
    alone: dict[str, Posterior] = {}
    for one in compared:
        say(f"{question.name}: {one.name}")
        view = one.evidence
        surface = mixture(view.tables, view.n, view.weights, labels=view.labels)
        found[one.name] = {p.label: TwoLevels(surface, view.x, p) for p in question.priors}
        alone[one.name] = surface.posterior(main[MU], main[TAU])
    first = {one.name: found[one.name][main.label] for one in compared}
    fit = fit_declared(
        model, compared[0].evidence, main, KEEP, name=question.name, seed=seed, out=out, say=say
    )
    say(f"{question.name}: leaving out, witnesses and checks")
    methods = {one.name: witnesses.frequentist(one) for one in compared}
    tables = {
        "answer": _frame({one.name: numbers.odds_ratio(first[one.name]) for one in compared}),
        "rates": _joined({one.name: numbers.rates(one, first[one.name]) for one in compared}),
        "heterogeneity": _frame({
            one.name: numbers.heterogeneity(first[one.name], alone[one.name]) for one in compared
        }),
        "prior_sets": _joined({name: _prior_sets(sets) for name, sets in found.items()}),
        "left_out": _joined({
            one.name: numbers.left_out(first[one.name]) for one in compared if not one.beside
        }),
        "frequentist": _joined(methods),
        "studies": _joined({one.name: numbers.studies(one.evidence) for one in compared}),
        "before": _joined({one.name: numbers.before(one, main, seed) for one in compared}),
    }  # fmt: skip
    checks = _checks(compared, found, first, alone, methods, fit, seed)
    return Answered(
        question,
        sentence(compared, tables),
        tables,
        who=who_of(compared),
        checks=checks,
        fits={main.label: fit},
        more={"compared": compared, "found": first},
        decisions=decisions([row for one in compared for row in numbers.decisions_of(one, first[one.name])]),
    )


def _checks(
    compared: tuple[Moderation, ...],
    found: Found,
    first: Mapping[str, TwoLevels],
    alone: Mapping[str, Posterior],
    methods: Mapping[str, pd.DataFrame],
    fit: xr.DataTree,
    seed: int,
) -> tuple[Check, ...]:
    sampled = compared[0].name
    return (
        convergence(fit),
        witnesses.sampled(first[sampled], fit),
        witnesses.two_integrals(compared, first, alone, sampled),
        witnesses.frequentist_check(compared, methods, found),
        witnesses.predictive(compared, first, seed),
    )


def _prior_sets(sets: Mapping[str, TwoLevels]) -> pd.DataFrame:
    """Odds ratio and typical rates under every prior set."""
    rows = {}
    for label, posterior in sets.items():
        typical = [numbers.typical_rate(density) for density in (posterior.first, posterior.second)]
        rows[label] = numbers.odds_ratio(posterior) | {"rate_first": typical[0], "rate_second": typical[1]}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("priors")


def _frame(rows: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    return pd.DataFrame.from_dict(dict(rows), orient="index").rename_axis("comparison")


def _joined(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(dict(frames), names=["comparison"])


def sentence(compared: tuple[Moderation, ...], tables: Mapping[str, pd.DataFrame]) -> str:
    """Say, of every comparison that is not another reading of one before, what it teaches."""
    main = [one for one in compared if not one.beside]
    told = [_said(one, compared, tables) for one in main]
    rows = tables["answer"].loc[[one.name for one in main]]
    if ((rows["low"] < 1) & (rows["high"] > 1)).all():
        told.append("Every interval includes 1: none of these is shown to be why series differ.")
    return " ".join(told)


def _said(one: Moderation, compared: tuple[Moderation, ...], tables: Mapping[str, pd.DataFrame]) -> str:
    row: Any = tables["answer"].loc[one.name]
    ratio = f"{_short(row['odds_ratio'])} (95 % interval {_short(row['low'])} to {_short(row['high'])})"
    if row["k"] < FEWEST:
        return (
            f"{one.title}: nothing can be learned from {row['k']:.0f} series, as two centres differ anyway; "
            f"the interval of the odds ratio, {_short(row['low'])} to {_short(row['high'])}, is "
            f"{100 * row['width_ratio']:.0f} % as wide as before the data."
        )
    ways = [("under other priors", tables["prior_sets"].loc[one.name]["odds_ratio"].iloc[1:])]
    others = [other.name for other in compared if other.beside == one.name]
    ways.append(("in other readings of the evidence", tables["answer"].loc[others, "odds_ratio"]))
    ranges = ", ".join(f"{_range(values)} {how}" for how, values in ways if len(values))
    return (
        f"{one.title} ({row['k']:.0f} series): odds ratio {ratio}, above 1 with a probability of "
        f"{100 * row['p_more']:.0f} %; {ranges}."
    )


def _range(values: pd.Series) -> str:
    low, high = _short(float(np.min(values))), _short(float(np.max(values)))
    return low if low == high else f"{low} to {high}"


def _short(ratio: float) -> str:
    return f"{ratio:.1f}" if 9.95 > ratio >= 0.995 else f"{ratio:.2f}" if ratio < 1 else f"{ratio:.0f}"
