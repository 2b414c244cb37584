"""What people read in a posterior of leaks: rates, several levels in one patient, sites, clustering."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from kyphobayes.leaks.clusters import Array, Clusters, patient_nodes
from kyphobayes.leaks.points import Points


@dataclass(frozen=True, eq=False)
class Quantities:
    """Quantities at every point of a posterior, each of shape (s,) where nothing else is said.

    Levels "as here" are of a region drawn in the shares of the levels at hand.

    Attributes
    ----------
    regions : ndarray, shape (s, r)
        Probability that a level leaks, averaged over patients, by region.
    typical_regions : ndarray, shape (s, r)
        The same in a typical patient, whose effect is 0.
    rate : ndarray
        Probability that a level as here leaks, averaged over patients.
    typical : ndarray
        The same in a typical patient.
    new : ndarray
        The same in one patient not yet seen, whose effect is drawn.
    new_regions : ndarray, shape (s, r)
        The same by region.
    at_least_one : ndarray, shape (s, m)
        Probability of a leak in 1, 2, ..., m levels as here of one patient.
    independent : ndarray, shape (s, m)
        What it would be if levels of one patient leaked independently of each other.
    icc : ndarray
        Correlation of the leaks, yes or no, of two levels as here of one patient.
    sites : ndarray, shape (s, c)
        Probability that a level as here leaks into each site.
    none_in_pairs : ndarray, shape (s, c + 1)
        Probability that neither of two levels of one patient leaks into each site, and anywhere.
    """

    regions: Array
    typical_regions: Array
    rate: Array
    typical: Array
    new: Array
    new_regions: Array
    at_least_one: Array
    independent: Array
    icc: Array
    sites: Array
    none_in_pairs: Array


def quantities(found: Points, clusters: Clusters, most: int) -> Quantities:
    """Compute quantities at the points of a posterior.

    Parameters
    ----------
    found : Points
    clusters : Clusters
        The levels at hand.
    most : int
        Levels of one patient, at most.
    """
    nodes, weights = patient_nodes()
    mix = clusters.levels.sum(axis=0) / clusters.levels.sum()
    regions = np.empty_like(found.logit)
    within = np.zeros((len(found.mu), len(nodes)))  # rate of levels as here, by the patient's effect
    for region, share in enumerate(mix):
        p = special.expit(found.logit[:, region, None] + found.tau_patient[:, None] * nodes)
        regions[:, region] = p @ weights
        within += share * p
    rate = within @ weights
    counts = range(1, most + 1)
    new = special.expit(found.logit + (found.tau_patient * found.step)[:, None])
    return Quantities(
        regions=regions,
        typical_regions=special.expit(found.logit),
        rate=rate,
        typical=special.expit(found.logit) @ mix,
        new=new @ mix,
        new_regions=new,
        at_least_one=np.column_stack([1 - (1 - within) ** n @ weights for n in counts]),
        independent=np.column_stack([1 - (1 - rate) ** n for n in counts]),
        icc=((within - rate[:, None]) ** 2 @ weights) / (rate * (1 - rate)),
        sites=rate[:, None] * found.share,
        none_in_pairs=np.column_stack(
            [(1 - within * share[:, None]) ** 2 @ weights for share in (*found.share.T, np.ones(len(rate)))]
        ),
    )


def replicate(found: Points, clusters: Clusters, rows: np.ndarray, seed: int) -> tuple[Array, Array]:
    """Simulate the series anew, with new patients who have the levels of those at hand.

    Parameters
    ----------
    found : Points
    clusters : Clusters
    rows : ndarray of int, shape (s,)
        Points to use, one for each simulated series.
    seed : int

    Returns
    -------
    leaks : ndarray, shape (s, p)
        By patient.
    sites : ndarray, shape (s, c)
        Leaks by site.
    """
    rng = np.random.default_rng([seed, 8])
    effect = found.tau_patient[rows, None] * rng.normal(size=(len(rows), len(clusters.levels)))
    p = special.expit(found.logit[rows, None, :] + effect[..., None])
    leaks = rng.binomial(clusters.levels.astype(int), p).sum(axis=2)
    return leaks.astype(float), rng.multinomial(leaks.sum(axis=1), found.share[rows]).astype(float)
