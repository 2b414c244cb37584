"""Heavy tails: whether the answers hang on the shape of the differences between centres, or on one study.

Options: `analyses`, names of analyses of the plan; `nu`, degrees of freedom of Student-t effects; `shares`
and `ratios`, how many centres are outlying and how many times as far, every pair of them; each list is a
grid of equally probable values. `thresholds` has the name of a threshold for each analysis. Priors for mu
and tau are those of the analyses. The model is fitted to the first analysis by NUTS, as a witness.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy import special

from kyphobayes.checks import Check
from kyphobayes.checks.agreement import certificate
from kyphobayes.checks.convergence import convergence
from kyphobayes.checks.predictive import predictive
from kyphobayes.decisions import decision, decisions
from kyphobayes.engines import fit_declared, fit_exact
from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import (
    Analysis,
    Counts,
    Threshold,
    counts_for,
    find_analysis,
    find_threshold,
    read_priors,
)
from kyphobayes.evidence.questions import Question
from kyphobayes.exact.averaged import Averaged
from kyphobayes.model import load_model
from kyphobayes.names import AGGREGATE, MU, THETA, THETA_NEW
from kyphobayes.outlying import (
    COMMON,
    NORMAL,
    OUTLYING,
    SHAPES,
    STUDENT,
    Shapes,
    density,
    influence,
    oddness,
    pairwise,
    shapes,
    table_probabilities,
)
from kyphobayes.outlying.before import before
from kyphobayes.outlying.tables import (
    before_and_after,
    comparison,
    grid_points,
    rates,
    taus,
    under_each,
    without_each,
)
from kyphobayes.priors import Priors
from kyphobayes.project import Project
from kyphobayes.questions.answered import Answered, studies_in_and_out
from kyphobayes.toml_files import check_keys, texts, typed
from kyphobayes.witness import witness

_GAP = 1e-6  # that stacking weights may leave of the mean log score
_ERROR = 1e-6  # relative, of probabilities by quadrature
_FEW = 5  # observations below which a standard error over them is not one
_DRIVES = 0.1  # nats by which a study that drives tau moves its posterior
_SIGN = "\u00a0%"
_DRAWS = 2000  # quantiles that stand for draws


@dataclass(frozen=True, eq=False)
class Asked:
    """One analysis under every shape of the differences between centres.

    Attributes
    ----------
    analysis : Analysis
    evidence : Counts
    threshold : Threshold
    found : Shapes
        Under the main priors.
    others : dict of str to Shapes
        Under the other prior sets of the analysis.
    influence : dict of str to DataFrame
        Of each study, under normal effects and with outlying centres.
    studies : DataFrame
        How odd each study is, and how probably an outlying one.
    """

    analysis: Analysis
    evidence: Counts = field(repr=False)
    priors: Priors = field(repr=False)
    threshold: Threshold
    found: Shapes = field(repr=False)
    others: dict[str, Shapes] = field(repr=False)
    influence: dict[str, pd.DataFrame] = field(repr=False)
    studies: pd.DataFrame = field(repr=False)

    @property
    def limit(self) -> float:
        """Log odds of the threshold."""
        return float(special.logit(self.threshold.value))

    @property
    def sets(self) -> dict[str, Shapes]:
        """By prior set, the main one first."""
        return {self.priors.label: self.found, **self.others}

    @property
    def driver(self) -> str:
        """Study without which the posterior of tau changes most, under normal effects."""
        return str(self.influence[NORMAL]["kl"].idxmax())


def answer(
    question: Question,
    project: Project,
    *,
    seed: int = 0,
    out: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Answered:
    """Compare shapes exactly, leave out each study, and hold one of the shapes against NUTS.

    Raises
    ------
    EvidenceError, PriorError, ImproperPosterior, NotConverged
    """
    options, where = question.options, f"analyses.toml [{question.name}.options]"
    check_keys(where, options, ["analyses", "nu", "shares", "ratios", "thresholds"], [])
    names = texts(where, options, "analyses")
    if not names:
        raise EvidenceError(f"{where}: expected analyses to name at least one analysis, found none")
    nu = _grid(where, options, "nu", 1.0, 1000.0)
    points = list(
        product(_grid(where, options, "shares", 0.001, 0.5), _grid(where, options, "ratios", 1.01, 100.0))
    )
    limits = typed(where, options, "thresholds", dict)
    check_keys(f"{where}.thresholds", limits, names, [])
    asked = []
    for name in names:
        say(f"{question.name}: {name}")
        threshold = find_threshold(project, limits[name])
        asked.append(_asked(find_analysis(project, name), project, threshold, nu, points, seed))
    checks, fits = _witnesses(question, asked[0], project, seed, out, say)
    return Answered(
        question,
        sentence=" ".join(_sentence(one) for one in asked),
        tables={
            "rates": _together(asked, lambda one: rates(one.found)),
            "tau": _together(asked, lambda one: taus(one.found)),
            "comparison": _together(asked, lambda one: comparison(one.found)),
            "pairs": _together(asked, lambda one: pairwise(one.found.elpd)),
            "studies": _together(asked, lambda one: one.studies.reset_index()),
            "without": _together(asked, lambda one: without_each(one.influence)),
            "left out": _together(asked, lambda one: one.found.elpd.reset_index()),
            "grid": _together(asked, lambda one: grid_points(one.found, nu, points)),
            "other priors": _together(asked, lambda one: under_each(one.sets, one.limit)),
            "before the data": _together(asked, lambda one: _before(one, nu, points, seed)),
        },
        who=_who(asked),
        checks=(*checks, _optimal(asked), _quadrature(asked)),
        fits=fits,
        more={"asked": asked},
        decisions=_decisions(asked),
    )


def _grid(where: str, options: dict[str, Any], key: str, low: float, high: float) -> list[float]:
    """Read a list of numbers between `low` and `high`."""
    values = typed(where, options, key, list)
    for value in values:
        if type(value) not in (int, float) or not low <= value <= high:
            raise EvidenceError(
                f"{where}: expected {key} to hold numbers from {low:g} to {high:g}, found {value!r}"
            )
    if not values:
        raise EvidenceError(f"{where}: expected {key} to hold at least one number, found none")
    return sorted({float(value) for value in values})


def _asked(
    analysis: Analysis,
    project: Project,
    threshold: Threshold,
    nu: list[float],
    points: list[tuple[float, float]],
    seed: int,
) -> Asked:
    evidence = counts_for(analysis, project)
    surface = load_model(analysis.model, project).surface(evidence)
    if not surface.studies.kernel.normal:
        raise EvidenceError(
            f"analyses.toml [{analysis.name}]: expected a model with normal effects, found {analysis.model}"
        )
    priors = read_priors(project, analysis.priors, analysis, evidence.measure)
    found = shapes(surface, priors, nu, points, seed)
    others = {
        label: found.under(read_priors(project, label, analysis, evidence.measure))
        for label in analysis.compare
        if label != analysis.priors
    }
    studies = oddness(found, NORMAL)
    whole = found.by_name[NORMAL]
    assert isinstance(whole, Averaged)
    studies.insert(0, "events", table_probabilities(whole) @ evidence.tables)
    studies.insert(1, "n", evidence.n)
    moved = {name: influence(found, name) for name in (NORMAL, OUTLYING)}
    return Asked(analysis, evidence, priors, threshold, found, others, moved, studies)


# -- tables ------------------------------------------------------------------------------------------------


def _together(asked: list[Asked], frame: Callable[[Asked], pd.DataFrame]) -> pd.DataFrame:
    """One frame of all outcomes, with the outcome first."""
    parts = [frame(one).assign(outcome=one.analysis.outcome) for one in asked]
    whole = pd.concat(parts, ignore_index=True)
    return whole[["outcome", *(column for column in whole if column != "outcome")]]


def _before(one: Asked, nu: list[float], points: list[tuple[float, float]], seed: int) -> pd.DataFrame:
    seen = one.evidence.weights @ one.evidence.tables / one.evidence.n
    draws = before(one.priors, nu, points, seed)
    return before_and_after(one.found, draws, float(seen.min()), float(seen.max()))


def _decisions(asked: list[Asked]) -> pd.DataFrame:
    """The claims under the shapes that the questions on pooled rates do not have."""
    rows = []
    steps = (np.arange(_DRAWS) + 0.5) / _DRAWS
    for one in asked:
        for name in (STUDENT, OUTLYING):
            typical, coming = (density(one.found.by_name[name], quantity) for quantity in (MU, THETA_NEW))
            rows.append(
                decision(
                    one.threshold, mean=float(typical.cdf(one.limit)), centre=float(coming.cdf(one.limit)),
                    next_cases=special.expit(coming.quantile(steps)), of=one.analysis.event, note=name,
                )
            )  # fmt: skip
    return decisions(rows)


def _who(asked: list[Asked]) -> pd.DataFrame:
    def told(one: Asked) -> dict[str, str]:
        latent, known = np.isnan(one.evidence.events), one.studies["known"]
        follows = {True: "its count follows from what is printed", False: "its count is not known"}
        return {
            label: follows[bool(known[label])] if hidden else "its count is printed"
            for label, hidden in zip(one.evidence.labels, latent, strict=True)
        }

    return studies_in_and_out((one.analysis, one.evidence, told(one)) for one in asked)


# -- checks ------------------------------------------------------------------------------------------------


def _witnesses(
    question: Question,
    one: Asked,
    project: Project,
    seed: int,
    out: Path | None,
    say: Callable[[str], None],
) -> tuple[tuple[Check, ...], dict[str, xr.DataTree]]:
    """The question's model by quadrature and by NUTS, on the first analysis."""
    model = load_model(question.model, project)
    model.check(one.evidence, one.priors)
    say(f"{question.name}: {question.model} by quadrature")
    exact = fit_exact(model, one.evidence, one.priors, seed=seed)
    nuts = fit_declared(
        model, one.evidence, one.priors, [*AGGREGATE, THETA], name=question.name, seed=seed, out=out, say=say
    )
    sets = [density(found.by_name[NORMAL], MU) for found in (one.found, *one.others.values())]
    means = [each.mean for each in sets]
    spread = (max(means) - min(means)) / sets[0].sd
    checks = (
        certificate(exact, nuts, witness(one.evidence), prior_range=float(spread)),
        convergence(nuts),
        predictive(exact),
    )
    return checks, {"exact": exact, "nuts": nuts}


def _optimal(asked: list[Asked]) -> Check:
    rows = [(one.analysis.outcome, one.found.stacked.score, one.found.stacked.gap) for one in asked]
    table = pd.DataFrame(rows, columns=["outcome", "score", "gap"])
    worst = float(table["gap"].max())
    text = f"no other weights of the shapes would predict better (by {worst:.1g} per observation at most)"
    return Check("stacking", worst <= _GAP, text, table)


def _quadrature(asked: list[Asked]) -> Check:
    rows = []
    for one in asked:
        for name, shape in one.found:
            errors = [p.error for p in shape.posteriors] if isinstance(shape, Averaged) else [shape.error]
            rows.append((one.analysis.outcome, name, max(errors)))
    table = pd.DataFrame(rows, columns=["outcome", "shape", "error"])
    worst = float(table["error"].max())
    text = f"probabilities are integrated to a relative error of {worst:.1g} or less"
    return Check("quadrature", worst <= _ERROR, text, table)


# -- words -------------------------------------------------------------------------------------------------


def _sentence(one: Asked) -> str:
    """Say whether the shape or one study matters, and what cannot be told."""
    table: Any = rates(one.found).set_index("shape")
    three = table.loc[list(SHAPES[:3])]
    middles, tops = three["typical"], [_percent(value) for value in three["next_high"]]
    return (
        f"{one.analysis.title}: the typical rate is {_percents(middles.min(), middles.max())} whatever the "
        f"shape of the differences between centres; the next centre's may (95 %) reach up to {tops[0]} with "
        f"normal, {tops[1]} with heavy-tailed differences and {tops[2]} with outlying centres. "
        f"{_told_apart(one)} {_driven(one)}"
    )


def _told_apart(one: Asked) -> str:
    pairs = pairwise(one.found.elpd)
    near = pairs[(pairs["model"] != COMMON) & (pairs["against"] != COMMON)]
    widest: Any = near.iloc[int(near["difference"].abs().to_numpy().argmax())]
    count = len(one.found.elpd)
    if count < _FEW:
        return f"The {count} observations that can be left out cannot tell the three shapes apart."
    return (
        f"Leaving out {count} observations cannot tell the three shapes apart (log predictive density within "
        f"{abs(widest['difference']):.2f}, standard error {widest['se']:.2f})."
    )


def _driven(one: Asked) -> str:
    moved: Any = one.influence[NORMAL]
    tau, others = moved["tau"], moved.drop(index="none")
    study = one.driver
    if others["kl"].max() < _DRIVES:
        return f"No study drives tau, which is {tau['none']:.2f}."
    top, before = float(special.expit(moved.loc[study, f"{THETA_NEW}_high"])), one.studies["prior"].iloc[0]
    return (
        f"{study} drives tau: without it tau is {tau[study]:.2f} instead of {tau['none']:.2f}, and the next "
        f"centre's rate reaches up to {_percent(top)}; it is an outlying centre with a probability of "
        f"{_percent(one.found.suspects[study])} ({_percent(float(before))} before the data)."
    )


def _percents(low: float, high: float) -> str:
    return f"{_percent(low).removesuffix(_SIGN)} to {_percent(high)}"


def _percent(share: float) -> str:
    return f"{100 * share:.{0 if share >= 0.2 else 1}f}{_SIGN}"
