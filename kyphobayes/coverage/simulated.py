"""What a coverage study simulates: cells of true values, and tables of counts of k studies."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Pair:
    """Priors of one exact posterior, as texts.

    Attributes
    ----------
    name : str
        Such as ``weakly_informative × vague``: the sets that the priors for mu and tau come from.
    mu, tau : str
    """

    name: str
    mu: str
    tau: str


@dataclass(frozen=True)
class Cell:
    """One place of the study: what is true, how large the studies are, and which priors are tried.

    Attributes
    ----------
    name : str
        Unlike any other; the random numbers depend on it and on the seed.
    sizes : tuple of int, length k
        Patients (or levels) of each study.
    mu, tau : float
        Mean and standard deviation of the centres' log odds.
    pairs : tuple of Pair
    """

    name: str
    sizes: tuple[int, ...]
    mu: float
    tau: float
    pairs: tuple[Pair, ...]

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.sizes)

    @property
    def n(self) -> float:
        """Mean size of a study."""
        return sum(self.sizes) / self.k

    @property
    def rate(self) -> float:
        """Rate of the typical centre."""
        return float(special.expit(self.mu))


@dataclass(frozen=True, eq=False)
class Simulated:
    """Replications of one cell, of which those alike are listed once.

    Attributes
    ----------
    events, sizes : ndarray of int, shape (tables, k)
        The distinct tables; in each the studies are in order of size, then of events, because no method
        cares for their order.
    which : ndarray of int, shape (replications,)
        The table of each replication.
    theta_new : ndarray, shape (replications,)
        Log odds of one more centre of the same population.
    """

    events: Counts
    sizes: Counts
    which: NDArray[np.intp]
    theta_new: Array


def simulate(cell: Cell, replications: int, seed: int) -> Simulated:
    """Draw theta_i ~ Normal(mu, tau) and events_i ~ Binomial(n_i, logistic(theta_i)), many times.

    Parameters
    ----------
    cell : Cell
    replications : int
    seed : int
        With the cell's name it decides everything, whoever does the work.
    """
    rng = np.random.default_rng([seed, zlib.crc32(cell.name.encode())])
    theta = cell.mu + cell.tau * rng.standard_normal((replications, cell.k))
    events = rng.binomial(np.array(cell.sizes), special.expit(theta))
    theta_new = cell.mu + cell.tau * rng.standard_normal(replications)
    return Simulated(*distinct(events, cell.sizes), theta_new)


def distinct(events: Counts, sizes: Sequence[int]) -> tuple[Counts, Counts, NDArray[np.intp]]:
    """Tables that differ by more than the order of their studies: events, sizes, and which is which.

    Those with few events come first, so that neighbours are alike.
    """
    base = max(sizes) + 1
    code = np.sort(np.array(sizes, dtype=np.int64) * base + events, axis=1)
    tables, which = np.unique(code, axis=0, return_inverse=True)
    order = np.argsort((tables % base).sum(axis=1), kind="stable")
    place = np.argsort(order)
    return tables[order] % base, tables[order] // base, place[which.reshape(len(events))]
