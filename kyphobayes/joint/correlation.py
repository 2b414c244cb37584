r"""What two outcomes say of the correlation rho of their study effects.

With independent priors the posterior at rho = 0 is the product of each outcome's own, which is exact, and

.. math:: \frac{p(y \mid \rho)}{p(y \mid 0)} = E\left[\frac{L(\vartheta, \rho)}{L(\vartheta, 0)}\right]

over draws of all other parameters from it. The mean is smooth in rho: a Legendre series through a few
dozen values, and any prior for rho follows by a sum. Nothing of this uses NUTS.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from kyphobayes.errors import PriorError
from kyphobayes.evidence import JointCounts
from kyphobayes.joint.likelihood import Array, JointLikelihood, Margins
from kyphobayes.names import PROB
from kyphobayes.priors import Prior

_CELLS = 2000
GRID = (np.arange(_CELLS) + 0.5) * 2 / _CELLS - 1  # midpoints of equal cells from -1 to 1
_WIDTH = 2 / _CELLS
_DIGITS = 9  # of a quantile: 0 is 0, whatever the sum of two thousand cells makes of it
ENDS = ((1 - PROB) / 2, (1 + PROB) / 2)


@dataclass(frozen=True, eq=False)
class RhoLikelihood:
    """Likelihood of rho relative to rho = 0, at draws from the posterior with rho = 0.

    Attributes
    ----------
    margins : Margins
        The s draws.
    nodes : ndarray, shape (j,)
        Gauss-Legendre nodes from -1 to 1.
    relative : ndarray, shape (j, s)
    """

    margins: Margins
    nodes: Array
    relative: Array

    @cached_property
    def values(self) -> Array:
        """Likelihood relative to rho = 0 on `GRID`."""
        return np.maximum(self._series @ self.relative.mean(axis=1), 0.0)

    @property
    def errors(self) -> Array:
        """Standard error by Monte Carlo of the likelihood at the nodes."""
        return self.relative.std(axis=1, ddof=1) / np.sqrt(self.relative.shape[1])

    @cached_property
    def _series(self) -> Array:
        """From values at the nodes to values on the grid, by projection on Legendre polynomials."""
        order = len(self.nodes)
        _, weights = np.polynomial.legendre.leggauss(order)
        at_nodes = np.polynomial.legendre.legvander(self.nodes, order - 1)
        on_grid = np.polynomial.legendre.legvander(GRID, order - 1)
        return on_grid * (np.arange(order) + 0.5) @ (at_nodes * weights[:, None]).T

    def posterior(self, prior: Prior) -> "RhoPosterior":
        """Posterior of rho under a prior.

        Raises
        ------
        PriorError
            If the prior is improper or reaches beyond -1 or 1.
        """
        return RhoPosterior(self, prior)


@dataclass(frozen=True, eq=False)
class RhoPosterior:
    """Posterior of rho, and of everything else with it."""

    likelihood: RhoLikelihood
    prior: Prior

    def __post_init__(self) -> None:
        low, high = self.prior.support
        if not self.prior.proper or low < -1 or high > 1:
            raise PriorError(
                f"prior for rho: expected one between -1 and 1, such as Uniform(lower=-1, upper=1), "
                f"found {self.prior}"
            )

    @cached_property
    def before(self) -> Array:
        """Prior mass of every cell of `GRID`; it sums to one."""
        mass = np.exp(self.prior.log_density(GRID))
        return mass / mass.sum()

    @cached_property
    def mass(self) -> Array:
        """Posterior mass of every cell of `GRID`; it sums to one."""
        mass = self.before * self.likelihood.values
        return mass / mass.sum()

    @property
    def density(self) -> Array:
        """Posterior density on `GRID`."""
        return self.mass / _WIDTH

    @property
    def average(self) -> float:
        """Likelihood averaged over the prior, relative to rho = 0: the Bayes factor against rho = 0."""
        return float(self.before @ self.likelihood.values)

    def summary(self) -> dict[str, float]:
        """Before and after: median, 95 % interval, P(rho > 0); what was learned in between."""
        found: dict[str, float] = {}
        for name, mass in (("prior_", self.before), ("", self.mass)):
            median, low, high = (round(quantile(mass, q), _DIGITS) for q in (0.5, *ENDS))
            found |= {f"{name}median": median + 0.0, f"{name}low": low, f"{name}high": high}
            found[f"{name}p_positive"] = float(mass[GRID > 0].sum())
        width, before = (found[f"{p}high"] - found[f"{p}low"] for p in ("", "prior_"))
        held = self.mass > 0
        kl = self.mass[held] @ np.log(self.mass[held] / self.before[held])
        return found | {"width_ratio": width / before, "kl": float(kl), "bayes_factor_0": 1 / self.average}

    # -- by draws: what NUTS can be held to ------------------------------------------------------

    @cached_property
    def weights(self) -> Array:
        """Weight of every draw once rho is free, shape (s,); they sum to s."""
        found = self.before @ self.likelihood._series @ self.likelihood.relative
        return found / found.mean()

    def expectation(self, of: Any) -> tuple[float, float]:
        """Posterior mean of a function of rho on `GRID`, and its standard error by Monte Carlo."""
        mean = float(self.mass @ of)
        row = (self.before * (np.asarray(of) - mean)) @ self.likelihood._series
        influence = row @ self.likelihood.relative / self.average
        return mean, float(influence.std(ddof=1) / np.sqrt(len(influence)))

    def margin(self, of: Array, exactly: float) -> tuple[float, float]:
        """Posterior mean of a function of the other parameters once rho is free, and its standard error.

        Parameters
        ----------
        of : ndarray, shape (s,)
            At the draws.
        exactly : float
            Its mean at rho = 0, known by quadrature: only what rho changes is left to chance.
        """
        change = (self.weights - 1) * (of - exactly)
        return exactly + float(change.mean()), float(change.std(ddof=1) / np.sqrt(len(change)))

    def both(self, of: Any) -> float:
        """Posterior mean of a function of rho (a number) and the other parameters (draws), of shape (s,)."""
        mass = self.before @ self.likelihood._series
        values = np.array([of(float(rho)) for rho in self.likelihood.nodes])
        total = mass @ (self.likelihood.relative * values).mean(axis=1)
        return float(total / (mass @ self.likelihood.relative.mean(axis=1)))


def likelihood_of_rho(evidence: JointCounts, margins: Margins, order: int = 21) -> RhoLikelihood:
    """Likelihood of rho from draws of the other parameters at rho = 0.

    Parameters
    ----------
    evidence : JointCounts
    margins : Margins
    order : int
        Number of places between -1 and 1.
    """
    likelihood = JointLikelihood(evidence, margins)
    nodes, _ = np.polynomial.legendre.leggauss(order)
    nothing = likelihood.log(0.0)
    relative = np.array([np.exp(likelihood.log(float(rho)) - nothing) for rho in nodes])
    return RhoLikelihood(margins, nodes, relative)


def quantile(mass: Array, q: float) -> float:
    """Quantile of a distribution with so much mass in every cell of `GRID`, even within a cell."""
    edges = np.concatenate([[0.0], np.cumsum(mass)])
    return float(np.interp(q, edges / edges[-1], np.linspace(-1, 1, _CELLS + 1)))
