"""The cells of the study: k, tau, rate and size crossed, and those of the plan's own two questions."""

from collections.abc import Sequence
from typing import Final

from scipy import special

from kyphobayes.coverage.simulated import Cell, Pair
from kyphobayes.evidence import Analysis, Counts, evidence_for, find_analysis, read_priors
from kyphobayes.model import load_model
from kyphobayes.names import MU, TAU
from kyphobayes.project import Project
from kyphobayes.sensitivity import named_priors

KS: Final = (3, 7, 20)
TAUS: Final = (0.0, 0.5, 1.0, 1.5)
RATES: Final = (0.01, 0.05, 0.2)
SIZES: Final = (20, 60)
PATTERN: Final = (1.0, 0.6, 1.4, 0.8, 1.2)  # sizes of the studies relative to their mean, again and again
OWN: Final = ("cement_leakage", "new_fracture")
FLAT: Final = "flat"  # beside the sets: a prior for tau that has no end
_DIGITS = 3  # of the truth in an own cell, so that the last bits of a machine do not matter


def crossed_cells(project: Project, ks: Sequence[int] = KS) -> list[Cell]:
    """Cells k by size by tau by rate.

    Their priors for mu are those that hold for any outcome, the weakly informative with every set's prior
    for tau and a flat one, the vague with the weakly informative and the vague.
    """
    pairs = _general(project)
    return [
        Cell(
            f"k{k}-n{n}-tau{tau:g}-rate{100 * rate:g}",
            tuple(round(n * PATTERN[i % len(PATTERN)]) for i in range(k)),
            float(special.logit(rate)),
            tau,
            pairs,
        )
        for k in ks
        for n in SIZES
        for tau in TAUS
        for rate in RATES
    ]


def own_cells(project: Project) -> list[Cell]:
    """Cells of the plan's questions: their studies' sizes, and the posterior medians as the truth.

    Every set that the plan compares is tried whole, beside the priors of `crossed_cells`.
    """
    return [_own_cell(find_analysis(project, name), project) for name in OWN]


def _own_cell(analysis: Analysis, project: Project) -> Cell:
    evidence = evidence_for(analysis, project)
    assert isinstance(evidence, Counts)
    priors = read_priors(project, analysis.priors, analysis, evidence.measure)
    posterior = load_model(analysis.model, project).surface(evidence).posterior(priors[MU], priors[TAU])
    truth = {name: round(float(posterior.quantile(name, 0.5)), _DIGITS) for name in (MU, TAU)}
    found = named_priors(project, analysis, evidence)
    whole = tuple(
        _pair(name, name, str(found[MU][name]), str(found[TAU][name]))
        for name in analysis.compare
        if name in found[MU] and name in found[TAU]
    )
    sizes = tuple(int(n) for n in evidence.n)
    return Cell(analysis.name, sizes, truth[MU], truth[TAU], _once((*_general(project), *whole)))


def _general(project: Project) -> tuple[Pair, ...]:
    analysis = find_analysis(project, OWN[0])
    found = named_priors(project, analysis, evidence_for(analysis, project))
    taus = {name: str(prior) for name, prior in found[TAU].items()} | {FLAT: "HalfFlat()"}
    weak, vague = "weakly_informative", "vague"
    tried = [(weak, tau) for tau in ("sceptical", weak, "empirical", vague, FLAT)]
    tried += [(vague, weak), (vague, vague)]
    return tuple(_pair(mu, tau, str(found[MU][mu]), taus[tau]) for mu, tau in tried)


def _pair(mu_name: str, tau_name: str, mu: str, tau: str) -> Pair:
    return Pair(f"{mu_name} × {tau_name}", mu, tau)


def _once(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    return tuple({pair.name: pair for pair in pairs}.values())
