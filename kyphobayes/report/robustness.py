"""Whether a conclusion survives other priors, in a word, by a rule that is stated beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kyphobayes.names import MU
from kyphobayes.report.words import PERCENT, probabilities
from kyphobayes.run import Result

ROBUST = "robust"
DEPENDS = "depends on the prior"
DECIDED = "decided by the prior"
ALONE = "not compared"
_MOVES = 0.25  # of a probability over the priors, from which on it is said to depend on them
_MANY = 1 / 2  # of the priors; if so many lead to another conclusion, who chooses the prior chooses it
_WIDTHS = (0.25, 0.5)  # of the main interval, by which an estimate may move: little, and a lot

RULE = (
    "A conclusion is on which side of the certainty that the plan asks for (50 % unless it says otherwise) "
    f"the probability of the claim lies. “{ROBUST.capitalize()}”: the same under every prior compared, and "
    f"the probability moves by at most {100 * _MOVES:.0f} percentage points. “{DECIDED.capitalize()}”: "
    f"another under half of the priors or more. “{DEPENDS.capitalize()}”: all between. Where only an "
    f"estimate was compared: robust if no median moves by more than {100 * _WIDTHS[0]:.0f} % of the width of "
    f"the main 95 % interval, decided if one moves by more than {100 * _WIDTHS[1]:.0f} %."
)


@dataclass(frozen=True)
class Robustness:
    """How an answer stands under the priors compared.

    Attributes
    ----------
    word : str
        One of `ROBUST`, `DEPENDS`, `DECIDED` and `ALONE`.
    line : str
        The range over the priors, in words.
    same, of : int
        Priors that lead to the same conclusion, of how many.
    """

    word: str
    line: str
    same: int
    of: int


def of_chances(chances: Sequence[float], threshold: float = 0.5, what: str = "prior sets") -> Robustness:
    """Judge by the probability of one claim under each prior.

    Parameters
    ----------
    chances : sequence of float
        The main one first.
    threshold : float
        The conclusion is on which side of it the probability lies.
    what : str
        What the priors are, in the plural.
    """
    values = np.asarray(chances, dtype=float)
    if len(values) < 2:
        return Robustness(ALONE, "one set of priors", len(values), len(values))
    same = int(((values >= threshold) == (values[0] >= threshold)).sum())
    if len(values) - same >= _MANY * len(values):
        word = DECIDED
    else:
        moves = float(values.max() - values.min())
        word = ROBUST if same == len(values) and moves <= _MOVES else DEPENDS
    how_many = "all" if same == len(values) else f"{same} of"
    line = (
        f"{probabilities(float(values.min()), float(values.max()))}; same conclusion under {how_many} "
        f"{len(values)} {what}"
    )
    return Robustness(word, line, same, len(values))


def of_medians(low: float, high: float, medians: Sequence[float], what: str = "prior sets") -> Robustness:
    """Judge by how far the estimate moves, where no claim's probability was compared.

    Parameters
    ----------
    low, high : float
        Ends of the interval of the main result, on a scale on which differences mean something.
    medians : sequence of float
        The main one first.
    what : str
        What the priors are, in the plural.
    """
    values = np.asarray(medians, dtype=float)
    if len(values) < 2:
        return Robustness(ALONE, "one set of priors", len(values), len(values))
    moves = np.abs(values - values[0]) / (high - low)
    word = ROBUST if moves.max() <= _WIDTHS[0] else DEPENDS if moves.max() <= _WIDTHS[1] else DECIDED
    same = int((moves <= _WIDTHS[0]).sum())
    far = f"{100 * moves.max():.0f}{PERCENT}"
    line = f"median moves by up to {far} of the interval’s width over {len(values)} {what}"
    return Robustness(word, line, same, len(values))


def robustness_of(result: Result) -> Robustness:
    """Judge a pooled analysis: under all pairs of priors, or the plan's sets where no pairs were tried."""
    decision, found = result.analysis.decision, result.sensitivity
    if found is None or found.of != MU:
        return of_chances([answer.p_typical for answer in result.answers.values()], decision.probability)
    reference = str(found.atlas.attrs["reference"])
    below = found.atlas["probability"]
    others = below.sel(prior=[str(name) for name in below["prior"].values if str(name) != reference])
    chances = np.array([float(below.sel(prior=reference)), *others.values.tolist()])
    chances = 1 - chances if decision.side == "above" else chances
    return of_chances(chances.tolist(), decision.probability, "pairs of priors")
