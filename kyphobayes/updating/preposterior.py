r"""How much another study of n would teach, before it is done: preposterior analysis by enumeration.

Each count y that it may find has the predictive probability m(y), and leads to a posterior of its own,

.. math:: p(\mu, \tau \mid y, past) \propto p(\mu, \tau \mid past)\, L_y(\mu, \tau) .

What is expected of the study is the mean over y of what would then be known (Raiffa and Schlaifer 1961,
Applied Statistical Decision Theory); its assurance is the probability of the counts after which the
decision would be taken (O'Hagan, Stevens and Campbell 2005, Pharmaceutical Statistics 4:187).
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from kyphobayes.errors import InputError
from kyphobayes.exact import Density, Posterior
from kyphobayes.exact.panels import Array
from kyphobayes.exact.population import smooth
from kyphobayes.names import PROB
from kyphobayes.updating.foreseen import log_likelihoods

_TOGETHER = 30_000_000  # values of (mu, tau, count) held at a time


@dataclass(frozen=True, eq=False)
class NextStudy:
    """What another study of `n` would teach.

    Attributes
    ----------
    n : int
    outcomes : DataFrame
        One row per count: `probability`, `below` (probability that the typical rate lies below the limit
        after it) and the ends of the intervals after it, `typical_low`, `typical_high`, `next_low`,
        `next_high`, as shares.
    typical_width, next_width : float
        Expected width of those intervals, as shares.
    concludes_below, concludes_above : float
        Probability that the typical rate would then lie below the limit, or not below it, with the
        certainty asked for.
    drift : float
        By how much the mean of `below` over the counts differs from what is held now: 0 but for the
        error of the integrals, because no study can be expected to change anyone's mind in one direction.
    """

    n: int
    outcomes: pd.DataFrame = field(repr=False)
    typical_width: float
    next_width: float
    concludes_below: float
    concludes_above: float
    drift: float


def next_study(
    past: Posterior, n: int, *, below: float, certainty: float = PROB, prob: float = PROB
) -> NextStudy:
    """Enumerate what another study of the same population may find, and what would be known after it.

    Parameters
    ----------
    past : Posterior
        Of normal effects on the log odds scale.
    n : int
        Size of the study.
    below : float
        The share that the decision is about.
    certainty : float
        Probability from which on a decision is taken, above one half.
    prob : float
        Of the intervals.

    Raises
    ------
    InputError
    """
    if n < 1:
        raise InputError(f"n: expected a whole number of 1 or more, found {n}")
    if not 0 < below < 1:
        raise InputError(f"below: expected a share between 0 and 1, found {below:g}")
    if not 0.5 < certainty < 1:
        raise InputError(f"certainty: expected a number between one half and 1, found {certainty:g}")
    limit = float(special.logit(below))
    ends = np.array([(1 - prob) / 2, (1 + prob) / 2])
    rows = []
    each = max(1, _TOGETHER // past.joint.size)
    for start in range(0, n + 1, each):
        counts = np.arange(start, min(start + each, n + 1))
        rows += _after(past, counts, n, limit, ends)
    frame = pd.DataFrame(rows)
    frame["probability"] /= frame["probability"].sum()
    p = frame["probability"].to_numpy()
    now = float(past.mu.cdf(limit))
    return NextStudy(
        n=n,
        outcomes=frame,
        typical_width=float(p @ (frame["typical_high"] - frame["typical_low"])),
        next_width=float(p @ (frame["next_high"] - frame["next_low"])),
        concludes_below=float(p[frame["below"] >= certainty].sum()),
        concludes_above=float(p[frame["below"] <= 1 - certainty].sum()),
        drift=abs(float(p @ frame["below"]) - now),
    )


def _after(
    past: Posterior, counts: NDArray[np.intp], n: int, limit: float, ends: Array
) -> list[dict[str, float]]:
    """What would be known after each of these counts."""
    mu, tau = past.mu_panels, past.tau_panels
    columns = np.exp(log_likelihoods(past, counts, n, 0.0)) * past.joint  # (counts, mu, tau)
    by_mu = columns @ tau.weights
    panels = past.theta_new.panels
    by_theta = smooth(mu, tau, past.joint, np.moveaxis(columns, 0, -1), panels.nodes)
    rows = []
    for place, count in enumerate(counts):
        typical, coming = Density(mu, by_mu[place]), Density(panels, by_theta[:, place])
        low, high = special.expit(typical.quantile(ends))
        next_low, next_high = special.expit(coming.quantile(ends))
        rows.append(
            {
                "events": int(count),
                "probability": float(mu.weights @ by_mu[place]),
                "below": float(typical.cdf(limit)),
                "typical_low": float(low),
                "typical_high": float(high),
                "next_low": float(next_low),
                "next_high": float(next_high),
            }
        )
    return rows
