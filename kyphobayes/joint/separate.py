"""Exact posteriors of each outcome by itself: what both together say if rho is 0."""

from dataclasses import dataclass

import numpy as np

from kyphobayes import exact
from kyphobayes.evidence import Counts, JointCounts
from kyphobayes.exact import Posterior
from kyphobayes.joint.likelihood import Margins
from kyphobayes.priors import Priors

_RTOL = 1e-6


@dataclass(frozen=True, eq=False)
class Separate:
    """Posteriors of leaks and of fractures, each from its own counts alone."""

    leak: Posterior
    fracture: Posterior

    def draw(self, size: int, rng: np.random.Generator) -> Margins:
        """Independent draws of (mu, tau) of both."""
        values = []
        for posterior in (self.leak, self.fracture):
            tau = posterior.tau.quantile(rng.uniform(size=size))
            values += [posterior.draw_mu(tau, rng), tau]
        return Margins(*values)


def separate(evidence: JointCounts, priors: Priors) -> Separate:
    """Solve both outcomes by quadrature, under the priors of their own parameters.

    Parameters
    ----------
    evidence : JointCounts
    priors : Priors
        With mu_leak, tau_leak, mu_fracture and tau_fracture.

    Raises
    ------
    PriorError, ImproperPosterior
    """
    return Separate(
        _posterior(evidence.leaks, priors, "leak"), _posterior(evidence.fractures, priors, "fracture")
    )


def _posterior(counts: Counts, priors: Priors, name: str) -> Posterior:
    surface = exact.mixture(counts.tables, counts.n, counts.weights, labels=counts.labels)
    return surface.posterior(mu=priors[f"mu_{name}"], tau=priors[f"tau_{name}"], rtol=_RTOL)
