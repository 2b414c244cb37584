r"""The likelihoods of thousands of count tables on one grid of (mu, tau).

Tables of one simulation share their studies: a study of 20 patients with 3 events is the same study in
every table. Its integrated likelihood is computed once, by `kyphobayes.exact`, at the nodes of a grid, and
the log likelihood of a table is a sum over its studies. The grid is placed for the tables that lie furthest
out and some between; a table that it does not resolve says so by its error, and is solved by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kyphobayes.coverage.simulated import Array, Counts
from kyphobayes.exact.batch import Grid, solve
from kyphobayes.exact.likelihoods import BinomialStudies
from kyphobayes.exact.panels import Panels
from kyphobayes.priors import Prior

RESOLVED = 3e-6  # error of probabilities that a panel may have for a table of the sample
BEYOND = 5e-5  # mass beyond an edge for which the grid grows for a table of the sample
_SAMPLE = 8  # parts of the tables, of each of which three are looked at
_ROUNDS = 16
_MU = np.array([-22.0, -14.0, -10.0, -7.0, -5.0, -3.0, -1.0, 1.0, 4.0, 12.0])  # the edges to begin with
_TAU = np.array([0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 48.0])
_LONGER = 6.0  # factor by which the grid grows in tau
_LONGEST = 1e6
_EMPTY = 1e-12
_NARROW = 4.0  # widths of a prior's middle nine tenths that a panel may have
_BLOCK = 60  # studies at a time, for memory's sake


@dataclass(frozen=True, eq=False)
class SharedGrid:
    """Panels in mu and tau, and the log likelihoods of single studies at their nodes.

    Attributes
    ----------
    mu, tau : Panels
    pieces : ndarray, shape (pieces, mu nodes, tau nodes)
        Of each different study.
    index : ndarray of int, shape (tables, k)
        Which piece stands where in each table.
    """

    mu: Panels
    tau: Panels
    pieces: Array
    index: NDArray[np.intp]

    def log_likelihood(self, tables: slice) -> Array:
        """Log likelihood of some tables at the nodes: shape (tables, mu nodes, tau nodes)."""
        index = self.index[tables]
        values = self.pieces[index[:, 0]]
        for column in index.T[1:]:
            values += self.pieces[column]
        return values


def place(events: Counts, sizes: Counts, pairs: Sequence[tuple[Prior, Prior]]) -> SharedGrid:
    """A grid that resolves the posteriors of the tables under every pair of priors.

    Parameters
    ----------
    events, sizes : ndarray of int, shape (tables, k)
    pairs : sequence of (mu, tau)
    """
    studies, index = _studies(events, sizes)
    sample = _sample(events, sizes)
    used, position = np.unique(index[sample], return_inverse=True)
    tables, exists = position.reshape(len(sample), -1), is_proper(events[sample], sizes[sample], pairs)
    alike = studies.take(used)
    mu = _seeing(Panels(_MU), [prior for prior, _ in pairs])
    tau = _seeing(Panels(_TAU), [prior for _, prior in pairs])
    pieces = alike.log_integrated(mu.nodes, tau.nodes)
    for _ in range(_ROUNDS):
        rough_mu, rough_tau = np.zeros(len(mu), dtype=bool), np.zeros(len(tau), dtype=bool)
        full, short = np.zeros(len(mu), dtype=bool), False
        for row, known in zip(tables, exists, strict=True):
            total = pieces[row].sum(axis=0)
            top = float(total.max())
            likelihood = np.exp(total - top)
            batch = solve(Grid(mu, tau, likelihood, np.zeros_like(likelihood), top), pairs)
            proper = batch.take(np.flatnonzero(np.isfinite(batch.error) & known))
            short |= bool((proper.outside()["tau"] > BEYOND).any())
            rough_mu |= (mu.tails(proper.mu) > RESOLVED).any(axis=1)
            rough_tau |= (tau.tails(proper.tau) > RESOLVED).any(axis=1)
            full |= (mu.integrals(proper.mu) > _EMPTY).any(axis=1)
        first, last = np.flatnonzero(full)[[0, -1]] if full.any() else (0, len(mu) - 1)
        grows = short and tau.edges[-1] < _LONGEST
        if not (rough_mu.any() or rough_tau.any() or grows):
            break
        before = mu, tau, pieces
        mu = Panels(mu.edges[first : last + 2]).split(rough_mu[first : last + 1])
        tau = tau.split(rough_tau)
        if grows:
            tau = Panels(np.append(tau.edges, _LONGER * tau.edges[-1]))
        pieces = _moved(alike, *before, mu, tau)
    others = np.setdiff1d(np.arange(studies.size), used)
    every = np.empty((studies.size, len(mu.nodes), len(tau.nodes)))
    every[used] = pieces
    for start in range(0, len(others), _BLOCK):
        block = others[start : start + _BLOCK]
        every[block] = studies.take(block).log_integrated(mu.nodes, tau.nodes)
    return SharedGrid(mu, tau, every, index)


def _seeing(panels: Panels, priors: Sequence[Prior]) -> Panels:
    """Halve panels whose nodes could miss a prior that is much narrower."""
    for prior in priors:
        if prior.proper:
            low, middle, high = prior.quantile([0.05, 0.5, 0.95])
            while panels.widths[(at := panels.locate(middle)[0])] > _NARROW * (high - low):
                panels = panels.split(np.arange(len(panels)) == at)
    return panels


def _moved(
    studies: BinomialStudies, old_mu: Panels, old_tau: Panels, values: Array, mu: Panels, tau: Panels
) -> Array:
    """Log likelihoods of studies at the nodes of other panels; what is known at nodes that stay is kept."""
    known_mu, known_tau = np.isin(mu.nodes, old_mu.nodes), np.isin(tau.nodes, old_tau.nodes)
    stays = np.ix_(np.isin(old_mu.nodes, mu.nodes), np.isin(old_tau.nodes, tau.nodes))
    moved = np.empty((studies.size, len(mu.nodes), len(tau.nodes)))
    moved[:, *np.ix_(known_mu, known_tau)] = values[:, *stays]
    if not known_mu.all():
        moved[:, ~known_mu] = studies.log_integrated(mu.nodes[~known_mu], tau.nodes)
    if not known_tau.all():
        fresh = studies.log_integrated(mu.nodes[known_mu], tau.nodes[~known_tau])
        moved[:, *np.ix_(known_mu, ~known_tau)] = fresh
    return moved


def is_proper(events: Counts, sizes: Counts, pairs: Sequence[tuple[Prior, Prior]]) -> NDArray[np.bool_]:
    """Whether a posterior exists: shape (tables, pairs).

    As tau grows, the integrated likelihood of a study with events and with patients without falls as 1 / tau,
    that of a study with no events or nothing else not at all. A flat prior for tau needs two of the former.
    """
    telling = ((events > 0) & (events < sizes)).sum(axis=1)
    return np.column_stack([telling >= (0 if tau.proper else 2) for _, tau in pairs])


def _studies(events: Counts, sizes: Counts) -> tuple[BinomialStudies, NDArray[np.intp]]:
    """The different studies, and which one stands where in the tables."""
    pairs, index = np.unique(np.stack([sizes, events]).reshape(2, -1), axis=1, return_inverse=True)
    return BinomialStudies(pairs[1], pairs[0]), index.reshape(events.shape)


def _sample(events: Counts, sizes: Counts) -> NDArray[np.intp]:
    """Some tables from the fewest events to the most, among them those whose studies differ least and most.

    Studies that differ little make sharp posteriors.
    """
    effects = special.logit((events + 0.5) / (sizes + 1.0))
    spread, by_mean = effects.std(axis=1), np.argsort(effects.mean(axis=1))
    parts = [part for part in np.array_split(by_mean, _SAMPLE) if len(part)]
    some = [part[[0, np.argmin(spread[part]), -1]] for part in parts]
    return np.unique(np.concatenate([*some, [spread.argmax()]]))
