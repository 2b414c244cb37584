r"""What is known after a series that may not be like those before it.

With probability 1 - w the series is one more of the same population, with probability w its effect has
a vague prior of its own and says nothing of the others: the robust predictive prior of Schmidli et al.
(2014, Biometrics 70:1023), which is the "exchangeable or not" model of Neuenschwander et al. (2016,
Pharmaceutical Statistics 15:123) for one new series. After y events

.. math:: w' = \frac{w\, m_v(y)}{w\, m_v(y) + (1 - w)\, m(y)} ,

with m and m_v the predictive probabilities of y under either, and every posterior is a mixture with the
weights w' and 1 - w'.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from kyphobayes.errors import InputError
from kyphobayes.exact import Density, Posterior
from kyphobayes.exact.panels import Array, Panels, resolve
from kyphobayes.exact.population import predictive
from kyphobayes.priors import Prior
from kyphobayes.updating.foreseen import log_binomial, log_likelihoods

_TOLERANCE = 1e-11
_STEPS = np.array([-30.0, -8.0, -3.0, 0.0, 3.0, 8.0, 30.0])  # edges around the series, in its scales
_LEVELS = np.array([1e-13, 1e-8, 1e-4, 0.05, 0.5, 0.95, 1 - 1e-4, 1 - 1e-8, 1 - 1e-13])


@dataclass(frozen=True, eq=False)
class Relaxed:
    """What is known after a series, given how far it may differ from those before it.

    Attributes
    ----------
    weight : float
        Posterior probability that the series is unlike the others.
    log_marginal : float
        Log predictive probability of what it found.
    mu, theta_new : Density
        The typical centre's and the next centre's log odds.
    own : Density or None
        Of the series itself; None where it was not asked for.
    """

    weight: float
    log_marginal: float
    mu: Density
    theta_new: Density
    own: Density | None = None


def mixed(weights: Sequence[float], densities: Sequence[Density]) -> Density:
    """Mixture of densities of one quantity.

    Parameters
    ----------
    weights : sequence of float
        0 or more, not all 0; they are normalised.
    densities : sequence of Density

    Raises
    ------
    InputError
    """
    given = np.asarray(weights, dtype=float)
    if given.shape != (len(densities),) or not (given >= 0).all() or not 0 < given.sum() < np.inf:
        raise InputError(f"weights: expected {len(densities)} numbers of 0 or more, found {list(weights)}")
    used = [(w, d) for w, d in zip(given / given.sum(), densities, strict=True) if w > 0]
    if len(used) == 1:
        return used[0][1]
    panels = Panels(np.concatenate([density.panels.edges for _, density in used]))
    return Density(panels, sum((w * d.pdf(panels.nodes) for w, d in used), np.zeros(len(panels.nodes))))


def own_effect(prior: Density | Prior, events: int, n: int) -> tuple[Density, float]:
    """Posterior of a series' own log odds, and the log predictive probability of what it found.

    Parameters
    ----------
    prior : Density or Prior
        Of its log odds before it was seen; proper.
    events, n : int
    """
    centre = float(special.logit((events + 0.5) / (n + 1)))
    scale = float(np.sqrt(1 / (events + 0.5) + 1 / (n - events + 0.5)))
    known = prior.quantile(_LEVELS) if isinstance(prior, Prior) else prior.panels.edges
    around = centre + scale * _STEPS
    edges = np.append(known, around[(around > known[0]) & (around < known[-1])])

    def joint(theta: Array) -> Array:
        before = np.exp(prior.log_density(theta)) if isinstance(prior, Prior) else prior.pdf(theta)
        return before * np.exp(log_binomial(events, n, theta))

    panels, values = resolve(joint, Panels(edges), _TOLERANCE)
    return Density(panels, values), float(np.log(panels.weights @ values))


def exchangeable_or_not(
    past: Posterior, after: Posterior, vague: Prior, weight: float, events: int, n: int
) -> Relaxed:
    """Posteriors after a series that is unlike the others with a prior probability of `weight`.

    Parameters
    ----------
    past, after : Posterior
        Without the series, and with it as one of the same population, under the same priors.
    vague : Prior
        Of the log odds of a series unlike the others.
    weight : float
        0 (the same population, surely) to 1 (the past says nothing of the series, nor it of the others).
    events, n : int
        What the series found.

    Raises
    ------
    InputError
    """
    if not 0 <= weight <= 1:
        raise InputError(f"weight: expected a number from 0 to 1, found {weight:g}")
    like, log_like = own_effect(past.theta_new, events, n)
    unlike, log_unlike = own_effect(vague, events, n)
    with np.errstate(divide="ignore"):  # a weight of 0 or 1 leaves one part out: its log is minus infinity
        log_terms = np.log([weight, 1 - weight]) + np.array([log_unlike, log_like])
    log_marginal = float(special.logsumexp(log_terms))
    parts = [float(part) for part in np.exp(log_terms - log_marginal)]
    return Relaxed(
        weight=parts[0],
        log_marginal=log_marginal,
        mu=mixed(parts, [past.mu, after.mu]),
        theta_new=mixed(parts, [past.theta_new, after.theta_new]),
        own=mixed(parts, [unlike, like]),
    )


def commensurate(past: Posterior, kappa: float, events: int, n: int) -> Relaxed:
    """Posteriors after a series that may be off the population by another Normal(0, kappa).

    At kappa = 0 it is one more of the same population; the greater kappa, the less it counts.

    Parameters
    ----------
    past : Posterior
    kappa : float
        In log odds; 0 or more.
    events, n : int

    Raises
    ------
    InputError
    """
    log_l = log_likelihoods(past, [events], n, kappa)[0]
    top = log_l.max()
    joint = past.joint * np.exp(log_l - top)
    mu, tau = past.mu_panels, past.tau_panels
    total = float(mu.weights @ joint @ tau.weights)
    joint = joint / total
    return Relaxed(
        weight=0.0,
        log_marginal=float(top + np.log(total)),
        mu=Density(mu, joint @ tau.weights),
        theta_new=predictive(mu, tau, joint),
    )
