"""The model with studies' own values integrated out, written in numpy beside the declared graph.

Given the SDs, the two printed numbers of a study, mean before and mean change, are one bivariate normal
about (mu_before, mu) with the covariance T + S / n: T between studies, S of patients.
"""

import numpy as np
from scipy import special, stats

from kyphobayes.change.draws import Draws
from kyphobayes.errors import PriorError
from kyphobayes.evidence import PrePostMeans
from kyphobayes.evidence.views import Array
from kyphobayes.priors import Prior

_SD_NODES = 9  # of the Gauss-Hermite rule over the log of one SD
_N_NODES = 5  # of the Gauss-Legendre rule over a number of patients that is not printed
_LOG_2PI = float(np.log(2 * np.pi))


def covariance(draws: Draws, sd: Array, n: Array, slack: float | Array = 0.0) -> tuple[Array, Array, Array]:
    """Variance of a mean before, covariance with the change, and variance of the change.

    Parameters
    ----------
    draws : Draws
        s of them.
    sd : ndarray, shape (s, 2, m)
        SDs of patients, before and after.
    n : ndarray, shape (s, m)
    slack : float or ndarray, shape (m,)
        Half the width of a range in which the change is printed.

    Returns
    -------
    tuple of ndarray, shape (s, m)
    """
    tau_before, tau, slope, r = (x[:, None] for x in (draws.tau_before, draws.tau, draws.slope, draws.r))
    first, second = sd[:, 0] / np.sqrt(n), sd[:, 1] / np.sqrt(n)
    before = tau_before**2 + first**2
    shared = slope * tau_before**2 + r * first * second - first**2
    change = (slope * tau_before) ** 2 + tau**2 + first**2 + second**2 - 2 * r * first * second
    return before, shared, change + np.asarray(slack) ** 2 / 3


def study_log_likelihood(draws: Draws, evidence: PrePostMeans) -> Array:
    """Log likelihood of all that each study prints, its own SDs and number of patients integrated out.

    Parameters
    ----------
    draws : Draws
    evidence : PrePostMeans

    Returns
    -------
    ndarray, shape (s, k)

    Notes
    -----
    Gauss–Hermite quadrature over the log of either SD, placed and scaled for the product of its prior and
    the normal approximation of a printed SD's likelihood; Gauss–Legendre over a number of patients that is
    not printed.
    """
    return np.column_stack([_one(draws, evidence, i) for i in range(evidence.k)])


def _one(draws: Draws, evidence: PrePostMeans, i: int) -> Array:
    total = []
    least, most = evidence.n_least[i], evidence.n_most[i]
    places, shares = ([0.0], [1.0]) if least == most else _legendre()
    for place, share in zip(places, shares, strict=True):
        n = least + place * (most - least)
        logs, weights = zip(*(_sd_rule(draws, evidence.sd[t, i], t, n) for t in (0, 1)), strict=True)
        pairs = np.meshgrid(np.arange(_SD_NODES), np.arange(_SD_NODES), indexing="ij")
        one, two = (index.ravel() for index in pairs)
        sd = np.exp(np.stack([logs[0][:, one], logs[1][:, two]], axis=1))
        value = _means(draws, evidence, i, sd, np.full((len(draws.mu), 1), n))
        total.append(
            np.log(share) + special.logsumexp(value + weights[0][:, one] + weights[1][:, two], axis=1)
        )
    found = special.logsumexp(np.stack(total), axis=0)
    if np.isfinite(evidence.correlation[i]):
        z = np.arctanh(evidence.correlation[i])
        found = found + stats.norm.logpdf(z, draws.fisher_z, 1 / np.sqrt(least - 3))
    return found


def _legendre() -> tuple[Array, Array]:
    nodes, weights = np.polynomial.legendre.leggauss(_N_NODES)
    return (nodes + 1) / 2, weights / 2


def _sd_rule(draws: Draws, printed: float, time: int, n: float) -> tuple[Array, Array]:
    """Nodes of log SD, shape (s, nodes), and the log weight of each: prior, printed SD and the rule's own."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(_SD_NODES)
    middle, spread = draws.log_sd[:, time], draws.tau_sd
    degrees = n - 1
    information = 2 * degrees if np.isfinite(printed) else 0.0
    precision = 1 / spread**2 + information
    seen = information * np.log(printed) if np.isfinite(printed) else 0.0
    centre, scale = (middle / spread**2 + seen) / precision, 1 / np.sqrt(precision)
    x = centre[:, None] + scale[:, None] * nodes
    log_weight = (
        np.log(weights) - np.log(weights.sum()) + nodes**2 / 2 + _LOG_2PI / 2 + np.log(scale)[:, None]
    )
    log_weight = log_weight + stats.norm.logpdf(x, middle[:, None], spread[:, None])
    if np.isfinite(printed):
        log_weight = log_weight + stats.gamma.logpdf(
            printed**2, degrees / 2, scale=2 * np.exp(2 * x) / degrees
        )
    return x, log_weight


def _means(draws: Draws, evidence: PrePostMeans, i: int, sd: Array, n: Array) -> Array:
    """Log density of the printed means of study i at SDs of shape (s, 2, m)."""
    before, shared, change = covariance(draws, sd, n, evidence.slack[i])
    change_off = evidence.change[i] - draws.mu[:, None]
    if np.isnan(evidence.before[i]):
        return -0.5 * (change_off**2 / change + np.log(change) + _LOG_2PI)
    before_off = evidence.before[i] - draws.mu_before[:, None]
    rest = change - shared**2 / before
    misfit = (change_off - shared / before * before_off) ** 2 / rest + before_off**2 / before
    return -0.5 * (misfit + np.log(before) + np.log(rest)) - _LOG_2PI


def expected_mu(draws: Draws, evidence: PrePostMeans, priors: dict[str, Prior]) -> tuple[Array, Array]:
    """Mean of mu and of mu_before given everything else in each draw, shape (s,) each.

    Under normal priors both are jointly normal then. Their average over the draws must be that of the
    draws themselves: a check of the sampler and of the declared graph by another formula.

    Raises
    ------
    PriorError
        If the prior of either is not normal.
    """
    precision = np.zeros((len(draws.mu), 2, 2))
    weighted = np.zeros((len(draws.mu), 2))
    for place, name in enumerate(("mu_before", "mu")):
        prior = priors[name]
        if prior.family != "Normal":
            raise PriorError(f"prior for {name}: expected a normal one, found {prior}")
        centre, sigma = (value for _, value in prior.parameters)
        precision[:, place, place] += 1 / sigma**2
        weighted[:, place] += centre / sigma**2
    before, shared, change = covariance(draws, draws.sd, draws.n, evidence.slack)
    for i in range(evidence.k):
        if np.isnan(evidence.before[i]):
            precision[:, 1, 1] += 1 / change[:, i]
            weighted[:, 1] += evidence.change[i] / change[:, i]
            continue
        cov = np.stack([[before[:, i], shared[:, i]], [shared[:, i], change[:, i]]]).transpose(2, 0, 1)
        inverse = np.linalg.inv(cov)
        precision += inverse
        weighted += inverse @ np.array([evidence.before[i], evidence.change[i]])
    found = np.linalg.solve(precision, weighted[..., None])[..., 0]
    return found[:, 1], found[:, 0]


def true_values(draws: Draws, evidence: PrePostMeans, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draws of every study's true level before and true change, shape (s, k) each, given all else."""
    s, k = len(draws.mu), evidence.k
    prior = np.stack([draws.tau_before**2, draws.slope * draws.tau_before**2], axis=1)
    between = np.stack([prior, np.stack([prior[:, 1], draws.spread**2], axis=1)], axis=1)
    middle = np.stack([draws.mu_before, draws.mu], axis=1)
    before, shared, change = covariance(draws, draws.sd, draws.n, evidence.slack)
    found = np.empty((s, k, 2))
    for i in range(k):
        bare = np.isnan(evidence.before[i])
        rows = [1] if bare else [0, 1]
        seen = np.array([evidence.change[i]] if bare else [evidence.before[i], evidence.change[i]])
        cov = np.stack([[before[:, i], shared[:, i]], [shared[:, i], change[:, i]]]).transpose(2, 0, 1)
        gain = between[:, :, rows] @ np.linalg.inv(cov[:, rows][:, :, rows])
        mean = middle + (gain @ (seen - middle[:, rows])[..., None])[..., 0]
        left = between - gain @ between[:, rows]
        found[:, i] = mean + (_root(left) @ rng.standard_normal((s, 2, 1)))[..., 0]
    return found[..., 0], found[..., 1]


def _root(cov: Array) -> Array:
    """Cholesky factors of 2 x 2 covariances, shape (s, 2, 2), that may be all but singular."""
    first = np.sqrt(np.maximum(cov[:, 0, 0], 0.0))
    cross = np.divide(cov[:, 0, 1], first, out=np.zeros_like(first), where=first > 0)
    second = np.sqrt(np.maximum(cov[:, 1, 1] - cross**2, 0.0))
    return np.stack([np.stack([first, np.zeros_like(first)], 1), np.stack([cross, second], 1)], axis=1)
