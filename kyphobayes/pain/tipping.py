"""How much worse the missing late scores would have to be to change a conclusion."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from kyphobayes.pain.missing import late_scores, tipping_point, unseen, worst_case
from kyphobayes.pain.scores import Array

DELTAS = np.arange(0.0, 8.01, 0.25)
REASONS = ("seen", "death", "unexplained")


@dataclass(frozen=True, eq=False)
class Missing:
    """Draws of the late scores of the patients at hand who are not seen.

    Attributes
    ----------
    scores : ndarray, shape (n, 3)
    reason : ndarray of int, shape (n,)
    theta : ndarray, shape (s, m)
        Late log odds of the missing that the seen would let expect.
    rho : ndarray, shape (s,)
    delta : ndarray, shape (s, m)
        By the prior, which the data cannot change.
    uniform : ndarray, shape (s, m)
    """

    scores: Array
    reason: NDArray[np.intp]
    theta: Array
    rho: Array
    delta: Array
    uniform: Array

    @classmethod
    def of(
        cls,
        posterior: xr.Dataset,
        scores: Array,
        reason: NDArray[np.intp],
        rows: NDArray[np.intp],
        seed: int,
    ) -> "Missing":
        """Take some draws, at positions `rows`, of a posterior of ``patient_pain``."""
        stacked = posterior.stack(sample=("chain", "draw")).transpose("sample", ...)
        lost = np.isnan(scores[:, 2])
        theta = stacked["theta"].values[rows][:, lost, 2]
        deltas = np.column_stack(
            [np.zeros(len(rows))] + [stacked[f"delta_{name}"].values[rows] for name in REASONS[1:]]
        )
        uniform = np.random.default_rng([seed, 6]).random(theta.shape)
        return cls(scores, reason, theta, stacked["rho"].values[rows], deltas[:, reason[lost]], uniform)

    def late(self, delta: Array | float) -> Array:
        """Late scores of all patients for a shift of the missing, shape (s, n)."""
        return late_scores(self.scores[:, 2], unseen(self.theta, self.rho, delta, self.uniform))

    def mean_missing(self, delta: Array | float) -> float:
        """Mean late score of the missing, NaN where none is."""
        if self.theta.shape[1] == 0:
            return float("nan")
        return float(unseen(self.theta, self.rho, delta, self.uniform).mean())

    def expected(self, labels: tuple[str, ...]) -> pd.DataFrame:
        """Late score of each missing patient, as if seen and with the prior's delta: mean, 95 % interval."""
        lost = np.flatnonzero(np.isnan(self.scores[:, 2]))
        both = {
            "as_seen": unseen(self.theta, self.rho, 0.0, self.uniform),
            "shifted": unseen(self.theta, self.rho, self.delta, self.uniform),
        }
        frame = pd.DataFrame(
            {"reason": [REASONS[self.reason[i]] for i in lost]},
            index=pd.Index([labels[i] for i in lost], name="patient"),
        )
        for name, drawn in both.items():
            frame[f"{name}_mean"] = drawn.mean(axis=0)
            frame[f"{name}_low"], frame[f"{name}_high"] = np.quantile(drawn, [0.025, 0.975], axis=0)
        return frame


@dataclass(frozen=True)
class Conclusion:
    """A claim about the patients at hand, and what it takes to lose it.

    Attributes
    ----------
    words : str
    as_seen : float
        Its probability if the missing were like the seen.
    delta : float
        Smallest shift from which on it no longer holds; NaN where none does.
    mean_late : float
        Mean late score of the missing at that shift.
    worst : bool
        Whether it holds even if all the missing had the highest score.
    """

    words: str
    as_seen: float
    delta: float
    mean_late: float
    worst: bool


def tipping(missing: Missing, reliefs: tuple[float, ...], conclude: float) -> tuple[Conclusion, ...]:
    """Tipping point of each conclusion on the mean of the patients at hand.

    Parameters
    ----------
    missing : Missing
    reliefs : tuple of float
        Points by which pain must be lower late than before; the first is also what it may come back by.
    conclude : float
        Probability from which on a conclusion holds.

    Returns
    -------
    tuple of Conclusion
        One per relief, then that at least half have a late score of 3 or less, then that relief lasts.
    """
    before, after = missing.scores[:, 0], missing.scores[:, 1]
    claims: list[tuple[str, Callable[[Array], NDArray[np.bool_]]]] = [
        (
            f"mean pain is lower by {points:g} points or more, late against before",
            lambda late, points=points: (before - late).mean(axis=-1) >= points,
        )
        for points in reliefs
    ]
    claims += [
        ("at least half have a late score of 3 or less", lambda late: (late <= 3).mean(axis=-1) >= 0.5),
        (
            f"relief lasts: mean pain comes back by less than {reliefs[0]:g} points, late against after",
            lambda late: (late - after).mean(axis=-1) < reliefs[0],
        ),
    ]
    worst = worst_case(missing.scores[:, 2])[None]
    found = []
    for words, claim in claims:

        def holds(delta: float, claim: Callable[[Array], NDArray[np.bool_]] = claim) -> float:
            return float(claim(missing.late(delta)).mean())

        delta = tipping_point(holds, conclude, DELTAS)
        mean_late = float("nan") if np.isnan(delta) else missing.mean_missing(delta)
        found.append(Conclusion(words, holds(0.0), delta, mean_late, bool(claim(worst)[0])))
    return tuple(found)


def late_by_delta(missing: Missing, deltas: Array) -> pd.DataFrame:
    """Mean late score of all patients and of the missing, with a 95 % interval of the former, by delta."""
    rows = []
    for delta in deltas:
        means = missing.late(float(delta)).mean(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        rows.append(
            (float(delta), float(means.mean()), float(low), float(high), missing.mean_missing(float(delta)))
        )
    return pd.DataFrame(rows, columns=["delta", "mean", "low", "high", "missing"])
