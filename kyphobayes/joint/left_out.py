"""What is known of rho without each study, and under other priors: exact margins and weights, no NUTS."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kyphobayes.checks import Check
from kyphobayes.evidence import JointCounts
from kyphobayes.joint.correlation import RhoLikelihood, RhoPosterior, likelihood_of_rho
from kyphobayes.joint.next_centre import both_below
from kyphobayes.joint.separate import Separate, separate
from kyphobayes.priors import Priors

DRAWS = 2000
_LEFT_OUT_DRAWS = 800
_FEWEST = 3  # studies with both, of which one can be left out


@dataclass(frozen=True, eq=False)
class Solved:
    """Posterior under one set of priors by exact margins and weights."""

    apart: Separate
    likelihood: RhoLikelihood
    posterior: RhoPosterior

    def both_below(self, limits: tuple[float, float]) -> float:
        """Probability that the next centre has both rates below their limits."""
        margins = self.likelihood.margins
        return self.posterior.both(lambda rho: both_below(margins, rho, limits))


def solve(evidence: JointCounts, priors: Priors, seed: int, draws: int = DRAWS) -> Solved:
    """Solve the joint model without NUTS.

    Raises
    ------
    PriorError, ImproperPosterior
    """
    apart = separate(evidence, priors)
    likelihood = likelihood_of_rho(evidence, apart.draw(draws, np.random.default_rng([seed, 8])))
    return Solved(apart, likelihood, likelihood.posterior(priors["rho"]))


def under_other_priors(
    evidence: JointCounts, sets: Sequence[Priors], main: Solved, seed: int
) -> list[Solved]:
    """Solve under other sets; where only rho has another prior, the likelihood of the main one serves."""
    first, *others = sets
    found = [main]
    for priors in others:
        same = all(priors[name] == prior for name, prior in first.entries if name != "rho")
        if same:
            found.append(Solved(main.apart, main.likelihood, main.likelihood.posterior(priors["rho"])))
        else:
            found.append(solve(evidence, priors, seed))
    return found


def left_out(evidence: JointCounts, priors: Priors, main: Solved, seed: int) -> Check:
    """Leave out each study that has both outcomes, and solve again.

    Importance sampling of single studies' likelihoods is not to be had: those whose counts are not printed
    have one likelihood together.

    Returns
    -------
    Check
        One row per study left out: what is then known of rho. It passes unless one study decides whether
        the 95 % interval of rho leaves out 0.
    """
    rows = {"none": main.posterior.summary()}
    if len(evidence.both) >= _FEWEST:
        for label in (evidence.labels[place] for place in evidence.both):
            solved = solve(evidence.without(label), priors, seed, _LEFT_OUT_DRAWS)
            rows[label] = solved.posterior.summary()
    columns = ["median", "low", "high", "p_positive", "width_ratio", "kl"]
    table = pd.DataFrame.from_dict(rows, orient="index")[columns].rename_axis("without")
    holds_0 = (table["low"] < 0) & (table["high"] > 0)
    decided = holds_0.ne(holds_0.iloc[0])
    others = table.iloc[1:]
    if decided.any():
        text = f"one study decides: without {decided.idxmax()} the interval of rho is another side of 0"
    elif others.empty:
        text = f"not done: {len(evidence.both)} studies have both outcomes"
    else:
        text = (
            f"without each study in turn, solved again, the median of rho lies between "
            f"{others['median'].min():.2f} and {others['median'].max():.2f} and P(rho > 0) between "
            f"{others['p_positive'].min():.2f} and {others['p_positive'].max():.2f}: no study decides"
        )
    return Check("leave-one-study-out", not decided.any(), text, table)
