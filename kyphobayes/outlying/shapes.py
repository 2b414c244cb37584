"""Four shapes of the differences between studies, each with its exact posterior and left-out posteriors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from kyphobayes.exact import Density, OutlyingPosterior, StudentPosterior, Surface
from kyphobayes.exact.averaged import Averaged, mixed
from kyphobayes.exact.limits import CommonEffect
from kyphobayes.exact.loo import observations
from kyphobayes.exact.outliers import outlying
from kyphobayes.names import MU, STUDY, TAU
from kyphobayes.outlying.stacking import Stacked, bootstrapped_weights, stacking
from kyphobayes.priors import Priors

NORMAL, STUDENT, OUTLYING, COMMON = "normal", "Student-t", "outlying centres", "one common rate"
SHAPES = (NORMAL, STUDENT, OUTLYING, COMMON)
STACKED = "stacked"

Shape = Averaged | CommonEffect
Labels = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Shapes:
    """Posteriors of the same studies under each shape, under the same priors for mu and tau.

    Attributes
    ----------
    by_name : dict of str to Averaged or CommonEffect
        In the order of `SHAPES`.
    seed : int
        Of the bootstrap behind one kind of weights.
    """

    by_name: dict[str, Shape]
    seed: int = 0
    _without: dict[tuple[str, Labels], Shape] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Travel to another process without the posteriors that left studies out: what they said is known."""
        return self.__dict__ | {"_without": {}}

    def __iter__(self) -> Iterator[tuple[str, Shape]]:
        return iter(self.by_name.items())

    @property
    def surface(self) -> Surface:
        """Of normal effects."""
        return self.by_name[NORMAL].surface

    @property
    def outlying(self) -> Averaged:
        """Posterior with outlying studies, averaged over their share and spread."""
        found = self.by_name[OUTLYING]
        assert isinstance(found, Averaged)
        return found

    @cached_property
    def suspects(self) -> pd.Series:
        """Posterior probability that each study is an outlying one, by label."""
        return outlying(self.outlying)

    @property
    def probabilities(self) -> pd.Series:
        """Posterior probability of each shape, all being equally probable before the data."""
        evidence = [shape.log_marginal_likelihood for shape in self.by_name.values()]
        return pd.Series(special.softmax(evidence), index=list(self.by_name))

    def without(self, name: str, *labels: str) -> Shape:
        """Posterior under a shape without some studies; computed once."""
        key = name, labels
        if key not in self._without:
            self._without[key] = self.by_name[name].without(*labels)
        return self._without[key]

    @cached_property
    def elpd(self) -> pd.DataFrame:
        """Log predictive density of each observation left out, by shape: see `kyphobayes.exact.loo`.

        Studies with latent counts are one observation. Where they are the only one, its density given
        nothing but the priors is its marginal likelihood.
        """
        groups = observations(self.surface)
        rows = {
            " + ".join(labels): [
                shape.log_marginal_likelihood
                - (self.without(name, *labels).log_marginal_likelihood if len(groups) > 1 else 0.0)
                for name, shape in self
            ]
            for labels in groups
        }
        table = pd.DataFrame.from_dict(rows, orient="index", columns=list(self.by_name))
        return table.rename_axis(STUDY)

    @cached_property
    def stacked(self) -> Stacked:
        """Stacking weights, in the order of `by_name`."""
        return stacking(self.elpd.to_numpy())

    @cached_property
    def weights(self) -> pd.DataFrame:
        """Weights of the shapes: by stacking, by pseudo-BMA with and without bootstrap, by probability."""
        logs = self.elpd.to_numpy()
        return pd.DataFrame(
            {
                "stacking": self.stacked.weights,
                "pseudo_bma": special.softmax(logs.sum(axis=0)),
                "pseudo_bma_plus": bootstrapped_weights(logs, self.seed),
                "probability": self.probabilities.to_numpy(),
            },
            index=list(self.by_name),
        )

    def stacked_density(self, name: str) -> Density:
        """Density of mu or theta_new by the stacked shapes."""
        parts = [
            (density(shape, name), weight)
            for shape, weight in zip(self.by_name.values(), self.stacked.weights, strict=True)
            if weight > 0
        ]
        return mixed([part for part, _ in parts], [weight for _, weight in parts])

    def under(self, priors: Priors) -> "Shapes":
        """The same under other priors for mu and tau."""
        found: dict[str, Shape] = {}
        for name, shape in self:
            if isinstance(shape, CommonEffect):
                found[name] = self.surface.common_effect(priors[MU])
            else:
                found[name] = shape.under(priors[MU], priors[TAU])
        return Shapes(found, self.seed)


def shapes(
    surface: Surface, priors: Priors, nu: Sequence[float], grid: Sequence[tuple[float, float]], seed: int = 0
) -> Shapes:
    """Solve under every shape.

    Parameters
    ----------
    surface : Surface
        Of normal effects.
    priors : Priors
        For mu and tau: the scale of the middle where effects are not normal.
    nu : sequence of float
        Degrees of freedom, equally probable.
    grid : sequence of (float, float)
        Share of outlying studies and ratio of spreads, equally probable.
    seed : int
    """
    mu, tau = priors[MU], priors[TAU]
    return Shapes(
        {
            NORMAL: Averaged([surface], [1.0], mu, tau),
            STUDENT: StudentPosterior(surface, nu, mu, tau),
            OUTLYING: OutlyingPosterior(surface, grid, mu, tau),
            COMMON: surface.common_effect(mu),
        },
        seed,
    )


def density(shape: Shape, name: str) -> Density:
    """Posterior density of mu or theta_new, or of tau where it is not zero."""
    if isinstance(shape, CommonEffect):
        return getattr(shape, name)
    return shape.density(name)


def se_of(elpd: pd.Series) -> float:
    """Standard error of a sum of log predictive densities (Vehtari, Gelman and Gabry 2017, eq. 23)."""
    return float(np.sqrt(len(elpd) * np.var(elpd.to_numpy()))) if len(elpd) > 1 else np.nan
