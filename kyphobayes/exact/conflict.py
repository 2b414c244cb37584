r"""What the data did to the priors (contraction), and whether they contradict them (Box's p).

A prior predictive p-value asks how surprising a statistic of the data is under the model with its priors
(Box 1980, J. R. Stat. Soc. A 143:383); with a statistic that is sufficient for the parameter it speaks of
the prior and not of the model (Evans and Moshonov 2006, Bayesian Anal. 1:893). Ours are

* for mu, the statistic that is sufficient for it if tau = 0: the inverse-variance weighted mean
  :math:`T = \sum w_i y_i / \sum w_i, w_i = se_i^{-2}` of normal studies, the number of events of counts;
* for tau, the statistic that tests tau = 0: Cochran's Q with the same weights, or Pearson's
  :math:`X^2` of homogeneity of counts.

p is twice the smaller tail of the statistic's prior predictive distribution, ties counted half. Where that
distribution is symmetric with one mode, as that of T is under a normal prior for mu, this is Box's
:math:`P\{m(T^{rep}) \le m(T)\}` itself. The tail of T is integrated,

.. math:: P(T^{rep} \le T) = \int\!\!\int \Phi\{(T - \mu) / s_\tau\}\, p(\mu)\, p(\tau)\, d\mu\, d\tau,
          \qquad s_\tau^2 = \frac{1}{\sum w_i} + \tau^2 \frac{\sum w_i^2}{(\sum w_i)^2} ,

and the others are counted among seeded draws from the prior predictive distribution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from kyphobayes.errors import InputError
from kyphobayes.exact.likelihoods import BinomialStudies, Likelihood, NormalStudies, PoissonStudies
from kyphobayes.exact.loo import known
from kyphobayes.exact.panels import Array, Panels, resolve
from kyphobayes.names import MU, TAU
from kyphobayes.priors import Prior

if TYPE_CHECKING:
    import pandas as pd

    from kyphobayes.exact.posterior import Posterior

_CHUNK = 1_000_000  # outcomes drawn at a time
_FAR = np.array([1e80, 1e81])  # prior scales from its median, where the power of its tail is read off
_NEAR = 1e-6  # to the power of -3, at which a variance is taken to be infinite
# Probabilities that become edges: a prior is smooth between them, in the logarithm of what lies beyond.
_LEVELS = np.concatenate([10.0 ** -np.arange(14.0, 1.0, -1), [0.04, 0.1, 0.3, 0.5]])
_TOLERANCE = 1e-11


def contraction(post: Posterior) -> pd.DataFrame:
    """Posterior contraction of mu and tau, 1 - posterior variance / prior variance.

    Returns
    -------
    DataFrame
        Rows mu and tau; columns `prior_sd`, `sd` and `contraction`. It is 1 where the prior has no finite
        variance and the posterior has, and NaN (not defined) where neither has one.

    Notes
    -----
    Schad, Betancourt and Vasishth (2021), Psychol. Methods 26:103. Negative values are possible: a
    posterior is wider than a prior that it contradicts.
    """
    import pandas as pd

    rows = {}
    for name in (MU, TAU):
        before, after = prior_sd(post.priors[name]), float(getattr(post, name).sd)
        with np.errstate(invalid="ignore"):  # two infinite sds have no ratio: NaN says so
            share = np.square(after / before) if np.isfinite(before) or np.isfinite(after) else np.nan
        rows[name] = (before, after, 1 - share)
    return pd.DataFrame.from_dict(rows, orient="index", columns=["prior_sd", "sd", "contraction"])


def prior_sd(prior: Prior) -> float:
    """Standard deviation of a prior; infinite if it is improper or its tail is too heavy.

    Each side of the median is integrated by a double exponential rule (Takahasi and Mori 1974), which
    follows heavy tails; a density that falls no faster than the third power has no variance.
    """
    if not prior.proper:
        return float("inf")
    middle, upper = (float(x) for x in prior.quantile([0.5, 0.75]))
    scale = upper - middle
    mean = square = 0.0
    t = np.linspace(-5.0, 5.0, 4001)
    u, slope = np.pi / 2 * np.sinh(t), np.pi / 2 * np.cosh(t) * (t[1] - t[0])
    for sign, bound in zip((-1.0, 1.0), prior.support, strict=True):
        if np.isinf(bound):
            log_density = prior.log_density(middle + sign * scale * _FAR)
            fall = (
                np.diff(log_density)[0] / np.diff(np.log(_FAR))[0] if np.isfinite(log_density).all() else -9
            )
            if fall > -3 - _NEAR:
                return float("inf")
            inner = u < 230
            x = middle + sign * scale * np.exp(u[inner])
            weights = slope[inner] * np.abs(x - middle)
        else:  # from the bound inwards, where a density may have no end
            from_bound = special.expit(2 * u)
            inner = (from_bound > 1e-60) & (from_bound < 1 - 1e-15)
            x = bound - sign * abs(bound - middle) * from_bound[inner]
            weights = slope[inner] * abs(bound - middle) * 2 * (from_bound * special.expit(-2 * u))[inner]
        mass = weights * np.exp(prior.log_density(x))
        mean += float(mass @ (x - middle))
        square += float(mass @ (x - middle) ** 2)
    return float(np.sqrt(square - mean**2))


def conflict(post: Posterior, *, draws: int = 100_000, seed: int = 0) -> pd.DataFrame:
    """Prior-data conflict for mu and tau: two-sided prior predictive p-values.

    Parameters
    ----------
    post : Posterior
    draws, seed : int
        Of the prior predictive distribution, where it is drawn and not integrated.

    Returns
    -------
    DataFrame
        Rows mu and, with at least 2 studies, tau; columns `statistic` (its name), `observed`, `p` and
        `mc_error`, the standard error of p by simulation (0 where it is integrated). Studies with latent
        counts play no part.

    Raises
    ------
    InputError
        If a prior is improper, no study has a known outcome or the studies are of a kind without such
        statistics.
    """
    import pandas as pd

    for name, prior in post.priors.items():
        if not prior.proper:
            raise InputError(f"conflict: expected proper priors, found {name} ~ {prior}: it predicts nothing")
    if draws < 1:
        raise InputError(f"draws: expected at least 1, found {draws}")
    surface = post.surface
    pieces = surface.tables[0, known(surface)]
    if not len(pieces):
        raise InputError("conflict needs a study with a known outcome; all counts are latent")
    studies = surface.studies.take(pieces)
    found, names = _statistics(studies, _outcomes(studies)[None])
    low, high = _tails(studies, post.priors[MU], post.priors[TAU], found[0], draws, seed)
    p, error = 2 * np.minimum(low, high), 2 * np.sqrt(low * high / draws)
    if isinstance(studies, NormalStudies):
        below = _normal_tail(studies, post.priors[MU], post.priors[TAU])
        p[0], error[0] = 2 * min(below, 1 - below), 0.0
    columns = {"statistic": names, "observed": found[0], "p": np.minimum(p, 1.0), "mc_error": error}
    return pd.DataFrame(columns, index=[MU, TAU])[: min(studies.size, 2)]


def _outcomes(studies: Likelihood) -> Array:
    if isinstance(studies, NormalStudies):
        return studies.y
    if isinstance(studies, BinomialStudies | PoissonStudies):
        return studies.events
    raise InputError(
        f"conflict: expected normal, binomial or Poisson studies, found {type(studies).__name__}"
    )


def _statistics(studies: Likelihood, outcomes: Array) -> tuple[Array, list[str]]:
    """Statistics for mu and tau of outcomes, shape (draws, k): shape (draws, 2), and their names."""
    if isinstance(studies, NormalStudies):
        w = studies.se**-2
        pooled = outcomes @ w / w.sum()
        return np.stack([pooled, (outcomes - pooled[:, None]) ** 2 @ w], axis=1), ["weighted mean", "Q"]
    # what is not binomial here is Poisson, and has an exposure
    size = studies.n if isinstance(studies, BinomialStudies) else studies.exposure  # pyright: ignore[reportAttributeAccessIssue]
    total = outcomes.sum(axis=1)
    rate = total / size.sum()
    expected = rate[:, None] * size
    spread = expected * (1 - rate[:, None]) if isinstance(studies, BinomialStudies) else expected
    terms = np.divide((outcomes - expected) ** 2, spread, out=np.zeros(outcomes.shape), where=spread > 0)
    return np.stack([total, terms.sum(axis=1)], axis=1), ["events", "X2"]


def _tails(
    studies: Likelihood, mu: Prior, tau: Prior, found: Array, draws: int, seed: int
) -> tuple[Array, Array]:
    """Shares of replicated statistics below and above those found, ties counted half."""
    rng = np.random.default_rng(seed)
    below, above = np.zeros(2), np.zeros(2)
    rows = max(1, _CHUNK // studies.size)
    for start in range(0, draws, rows):
        count = min(rows, draws - start)
        centre, spread = mu.draw(count, rng), tau.draw(count, rng)
        theta = centre[:, None] + spread[:, None] * rng.standard_normal((count, studies.size))
        replicated, _ = _statistics(studies, studies.replicate(theta, rng))
        # Equal outcomes must tie, though their sums may be rounded in another order.
        slack = 1e-9 * np.abs(found)
        ties = np.abs(replicated - found) <= slack
        below += ((replicated < found) & ~ties).sum(axis=0) + ties.sum(axis=0) / 2
        above += ((replicated > found) & ~ties).sum(axis=0) + ties.sum(axis=0) / 2
    return below / draws, above / draws


def _normal_tail(studies: NormalStudies, mu: Prior, tau: Prior) -> float:
    """Prior predictive probability of a weighted mean up to the one found."""
    w = studies.se**-2
    pooled, share = float(studies.y @ w / w.sum()), float(w @ w / w.sum() ** 2)

    def given(scale: Array) -> Array:
        variance = 1 / w.sum() + share * scale**2
        if mu.family == "Normal":
            centre, sigma = (value for _, value in mu.parameters)
            return special.ndtr((pooled - centre) / np.sqrt(variance + sigma**2))
        return prior_mean(mu, lambda x: special.ndtr((pooled - x[:, None]) / np.sqrt(variance)))

    return float(prior_mean(tau, given))


def prior_mean(prior: Prior, function) -> Array:
    """Mean of a bounded function under a proper prior, over its probabilities q."""
    edges = np.unique(np.concatenate([_LEVELS, 1 - _LEVELS]))
    panels, values = resolve(lambda q: function(prior.quantile(q)), Panels(edges), _TOLERANCE)
    return panels.weights @ values
