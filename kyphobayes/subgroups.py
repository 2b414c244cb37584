r"""Groups of studies that differ in their typical effect and share how much studies of one group differ.

.. math:: \theta_i \sim N(\mu_{g(i)}, \tau), \qquad \mu_g \text{ independent with one prior}

Given tau the groups know nothing of each other, so that

.. math:: p(\tau \mid y) \propto p(\tau) \prod_g \int L_g(\mu, \tau)\, p(\mu)\, d\mu ,

and each group's joint density of (mu, tau) is its own likelihood times that of the others integrated. A
common tau is usual where groups are small (Borenstein et al. 2009, chapter 19): five studies of a group say
little about their spread, ten of all groups say more. Given tau, effects that are compared are independent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from kyphobayes.errors import InputError
from kyphobayes.exact import Density, Surface
from kyphobayes.exact.panels import Panels
from kyphobayes.exact.population import predictive
from kyphobayes.names import MU, PLO, PROB, TAU
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.priors import Prior, Priors

Array = NDArray[np.float64]
MOST = 20  # groups
_RTOL = 1e-8
_ROUNDS = 12
_FURTHER = np.array([0.5, 1.5])  # how far panels in mu reach beyond those of the group by itself
_POINTS = 4001  # of the grid on which differences are laid
_LEAST = 1e-9  # probability beyond the ends of that grid

# What the difference of two groups is called on the natural scale, where that is a ratio.
_RATIO_OF = {PLO: "odds ratio", "IRLN": "rate ratio"}


@dataclass(frozen=True, eq=False)
class Subgroups:
    """Typical effects of groups with a common tau.

    Attributes
    ----------
    by : str
        What the groups differ in.
    names : tuple of str
        Of the groups.
    members : tuple of tuple of str
        Labels of the studies in each.
    scale : NaturalScale
    tau_panels : Panels
    mu_panels : tuple of Panels
        One for each group.
    joints : tuple of ndarray, shape (mu nodes, tau nodes)
        Posterior density of each group's mu and tau.
    kernels : tuple
        How studies lie about their group's mu.
    """

    by: str
    names: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]
    scale: NaturalScale
    tau_panels: Panels
    mu_panels: tuple[Panels, ...]
    joints: tuple[Array, ...]
    kernels: tuple

    def __repr__(self) -> str:
        return f"Subgroups({self.by}: {', '.join(self.names)})"

    @cached_property
    def typical(self) -> dict[str, Density]:
        """Posterior density of each group's mu, on the model's scale."""
        return {
            name: Density(panels, joint @ self.tau_panels.weights)
            for name, panels, joint in zip(self.names, self.mu_panels, self.joints, strict=True)
        }

    @cached_property
    def new(self) -> dict[str, Density]:
        """Posterior predictive density of the effect in a new study of each group."""
        return {
            name: predictive(panels, self.tau_panels, joint, kernel)
            for name, panels, joint, kernel in zip(
                self.names, self.mu_panels, self.joints, self.kernels, strict=True
            )
        }

    @cached_property
    def tau(self) -> Density:
        """Posterior density of the spread within groups."""
        return Density(self.tau_panels, self.mu_panels[0].weights @ self.joints[0])

    def groups(self, below: float, side: str = "below", prob: float = PROB) -> pd.DataFrame:
        """One row per group: k, median, low and high of the typical effect, new_low and new_high, p_claim.

        Parameters
        ----------
        below : float
            Limit of the claim, on the scale that people read.
        side : {"below", "above"}
        prob : float
            Of the intervals.
        """
        tail = (1 - prob) / 2
        limit = float(self.scale.model(below))
        rows = []
        for name, inside in zip(self.names, self.members, strict=True):
            median, low, high = self.scale.natural(self.typical[name].quantile([0.5, tail, 1 - tail]))
            new_low, new_high = self.scale.natural(self.new[name].quantile([tail, 1 - tail]))
            chance = float(self.typical[name].cdf(limit))
            chance = chance if side == "below" else 1 - chance
            rows.append((len(inside), median, low, high, new_low, new_high, chance))
        columns = ["k", "median", "low", "high", "new_low", "new_high", "p_claim"]
        return pd.DataFrame(rows, columns=columns, index=pd.Index(self.names, name=self.by))

    @property
    def contrast(self) -> str:
        """What two groups' difference is on the scale that people read: "odds ratio", "difference"."""
        if self.scale.measure in _RATIO_OF:
            return _RATIO_OF[self.scale.measure]
        return f"ratio of {self.scale.name}s" if self.scale.logarithmic else "difference"

    def differences(self, prob: float = PROB) -> pd.DataFrame:
        """One row per pair, "first against second": median, low and high of `contrast`, and p_larger.

        `p_larger` is the probability that the first has the larger typical effect.
        """
        tail = (1 - prob) / 2
        natural = np.exp if self.contrast != "difference" else np.asarray
        rows = {}
        for a, b in combinations(range(len(self.names)), 2):
            grid, cumulative = self._difference(a, b)
            median, low, high = natural(np.interp([0.5, tail, 1 - tail], cumulative, grid))
            larger = 1 - float(np.interp(0.0, grid, cumulative))
            rows[f"{self.names[a]} against {self.names[b]}"] = (median, low, high, larger)
        return pd.DataFrame.from_dict(rows, orient="index", columns=["median", "low", "high", "p_larger"])

    def _difference(self, a: int, b: int) -> tuple[Array, Array]:
        """Distribution function of mu_a - mu_b on a grid."""
        ends = [self.typical[self.names[g]].quantile([_LEAST, 1 - _LEAST]) for g in (a, b)]
        low, high = min(e[0] for e in ends), max(e[1] for e in ends)
        places = np.linspace(low, high, _POINTS)
        step = places[1] - places[0]
        inside, outside = (
            np.maximum(self.mu_panels[g].interpolation(places) @ self.joints[g], 0) for g in (a, b)
        )
        total = inside.sum(axis=0) * step  # density of tau, at its nodes
        alive = total > 1e-14 * total.max()
        given = outside[:, alive] / (outside[:, alive].sum(axis=0) * step)  # of mu_b given tau
        density = fftconvolve(inside[:, alive], given[::-1], axes=0) * step @ self.tau_panels.weights[alive]
        grid = np.arange(1 - _POINTS, _POINTS) * step
        cumulative = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
        return grid, np.maximum.accumulate(cumulative / cumulative[-1])

    def to_dict(self, below: float, side: str = "below") -> dict[str, object]:
        """Return all that is shown as plain numbers, for JSON."""
        return {
            "by": self.by,
            "groups": self.groups(below, side).to_dict("index"),
            "contrast": self.contrast,
            "differences": self.differences().to_dict("index"),
        }


def subgroups(
    surfaces: Mapping[str, Surface],
    priors: Priors,
    scale: NaturalScale,
    *,
    by: str = "group",
    rtol: float = _RTOL,
) -> Subgroups:
    """Solve groups of studies with a common tau.

    Parameters
    ----------
    surfaces : mapping of str to Surface
        Each group's studies.
    priors : Priors
        Of mu, for every group by itself, and of tau.
    scale : NaturalScale
    by : str
        What the groups differ in.
    rtol : float
        Bound on the relative error of tau's posterior.

    Raises
    ------
    InputError
        If there are fewer than two groups or more than `MOST`.
    ImproperPosterior
    """
    if not 2 <= len(surfaces) <= MOST:
        raise InputError(f"{by}: expected 2 to {MOST} groups, found {len(surfaces)}")
    alone = {name: surface.posterior(mu=priors[MU], tau=priors[TAU]) for name, surface in surfaces.items()}
    mu = [_wider(one.mu_panels, priors[MU]) for one in alone.values()]
    tau = Panels(_apart(np.concatenate([one.tau_panels.edges for one in alone.values()])))
    left = _ROUNDS
    while True:
        logs = [
            surface.log_likelihood(panels.nodes, tau.nodes) + priors[MU].log_density(panels.nodes)[:, None]
            for surface, panels in zip(surfaces.values(), mu, strict=True)
        ]
        integrated = np.stack([_log_integral(panels, log) for panels, log in zip(mu, logs, strict=True)])
        log_tau = priors[TAU].log_density(tau.nodes) + integrated.sum(axis=0)
        density = np.exp(log_tau - log_tau.max())
        density /= tau.weights @ density
        rough, left = tau.tails(density) > rtol, left - 1
        if left == 0 or not rough.any():
            break
        tau = tau.split(rough)
    joints = tuple(np.exp(log - one) * density for log, one in zip(logs, integrated, strict=True))
    members = tuple(tuple(surface.labels) for surface in surfaces.values())
    return Subgroups(
        by, tuple(surfaces), members, scale, tau, tuple(mu), joints,
        tuple(surface.studies.kernel for surface in surfaces.values()),
    )  # fmt: skip


def _wider(panels: Panels, prior: Prior) -> Panels:
    """Panels that reach further: with the tau of all groups one may be less sure of mu than by itself."""
    edges, reach = panels.edges, panels.edges[-1] - panels.edges[0]
    low, high = prior.support
    wide = np.concatenate([edges[0] - reach * _FURTHER[::-1], edges, edges[-1] + reach * _FURTHER])
    wide = np.unique(np.clip(wide, low, high))
    return Panels(wide)


def _apart(edges: Array) -> Array:
    """Edges of several panels as those of one, without slivers."""
    edges = np.unique(edges)
    keep = np.append(True, np.diff(edges) > 1e-3 * edges[1:])
    return edges[keep]


def _log_integral(panels: Panels, log: Array) -> Array:
    """Logarithm of the integral over the first axis."""
    top = log.max(axis=0)
    return top + np.log(panels.weights @ np.exp(log - top))
