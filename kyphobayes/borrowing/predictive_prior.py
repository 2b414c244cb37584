"""Meta-analytic-predictive priors: what past studies say about the next one, as a mixture of normals."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from kyphobayes.borrowing.grid import Array, Density, Grid
from kyphobayes.errors import InputError
from kyphobayes.priors import Prior

_SIZE, _TAIL = 2001, 1e-6
_MOST_STEPS = 5000
_NARROWEST = 1e-8  # variance of a component, as a share of the whole
_SETTLED = 1e-11  # gain in divergence by one step


@dataclass(frozen=True)
class PredictivePrior:
    """A mixture that stands for a predictive density.

    Attributes
    ----------
    prior : Prior
        ``Mixture(w*Normal(mu, sigma) + …)``, the heaviest component first.
    divergence : float
        Kullback-Leibler divergence of the mixture from the density, in nats: below 1e-3 nobody could
        tell them apart.
    """

    prior: Prior
    divergence: float


def map_prior(density: Density, components: int = 3) -> PredictivePrior:
    """Fit a mixture of normals to a predictive density.

    Parameters
    ----------
    density : Prior, object with pdf and quantile, or tuple (x, pdf)
        Such as ``posterior.theta_new``.
    components : int
        Number of normals, 1 to 10.

    Raises
    ------
    InputError

    Notes
    -----
    Schmidli et al. (2014), Biometrics 70:1023-1032. The mixture minimises the divergence on a grid by
    the EM algorithm. It begins with normals of different widths around the median and uses no random
    numbers, so the same density gives the same prior.
    """
    if not 1 <= components <= 10:
        raise InputError(f"components: expected a number from 1 to 10, found {components}")
    grid = Grid.of(density, _SIZE, _TAIL)
    share = grid.pdf / grid.pdf.sum()
    mean = float(share @ grid.x)
    sd = float(np.sqrt(share @ (grid.x - mean) ** 2))
    middle = float(grid.x[np.searchsorted(np.cumsum(share), 0.5)])
    weights = np.full(components, 1 / components)
    means = np.full(components, middle)
    sds = sd * np.exp2(np.arange(components) - (components - 1) / 2)
    before = np.inf
    for _ in range(_MOST_STEPS):
        log_terms = _log_terms(grid.x, weights, means, sds)
        log_mixture = special.logsumexp(log_terms, axis=1)
        fit = -float(share @ log_mixture)
        if before - fit < _SETTLED:
            break
        before = fit
        belongs = np.exp(log_terms - log_mixture[:, None]) * share[:, None]
        weights = belongs.sum(axis=0)
        means = belongs.T @ grid.x / weights
        variances = (belongs * (grid.x[:, None] - means) ** 2).sum(axis=0) / weights
        sds = np.sqrt(np.maximum(variances, _NARROWEST * sd**2))
    order = np.argsort(-weights)
    parts = [Prior("Normal", (("mu", float(means[i])), ("sigma", float(sds[i])))) for i in order]
    positive = grid.pdf > 0
    log_p = np.log(np.where(positive, grid.pdf, 1.0))
    divergence = float(share @ (positive * (log_p - log_mixture)))
    return PredictivePrior(_mixture([float(weights[i]) for i in order], parts), max(divergence, 0.0))


def robust(prior: Prior, weight: float = 0.2, *, sigma: float, mu: float | None = None) -> Prior:
    """Add a vague component to a prior, for the case that the next study is unlike those before.

    Parameters
    ----------
    prior : Prior
        A mixture of `map_prior`, or any proper prior.
    weight : float
        Prior probability that the past does not apply, between 0 and 1.
    sigma : float
        Standard deviation of the vague component; the unit-information standard deviation is usual.
    mu : float, optional
        Its mean. Default: the median of `prior`.

    Notes
    -----
    Schmidli et al. (2014), section 2.4.
    """
    if not 0 < weight < 1:
        raise InputError(f"weight: expected a number between 0 and 1, found {weight:g}")
    place = float(prior.quantile(0.5)) if mu is None else float(mu)
    vague = Prior("Normal", (("mu", place), ("sigma", float(sigma))))
    values = dict(prior.parameters)
    weights, parts = ([1.0], [prior])
    if prior.family == "Mixture":
        weights, parts = list(values["weights"]), list(values["components"])
    return _mixture([(1 - weight) * w for w in weights] + [weight], [*parts, vague])


def _mixture(weights: list[float], parts: list[Prior]) -> Prior:
    return Prior("Mixture", (("weights", tuple(weights)), ("components", tuple(parts))))


def _log_terms(x: Array, weights: Array, means: Array, sds: Array) -> Array:
    z = (x[:, None] - means) / sds
    return np.log(weights) - np.log(sds) - 0.5 * z**2 - 0.5 * np.log(2 * np.pi)
