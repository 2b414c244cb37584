"""All that is asked about the priors of one analysis, together."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from kyphobayes.errors import PriorError
from kyphobayes.exact import Surface
from kyphobayes.jobs import Job, Say, run_all
from kyphobayes.names import MU, TAU
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.priors import Prior, Priors
from kyphobayes.sensitivity.atlas import atlas, to_frame
from kyphobayes.sensitivity.averaging import average
from kyphobayes.sensitivity.credibility import reverse_bayes
from kyphobayes.sensitivity.pairs import with_reference
from kyphobayes.sensitivity.power import power_scaling
from kyphobayes.sensitivity.prior_predictive import PROPORTIONS, prior_predictive
from kyphobayes.sensitivity.tipping import tipping_points

_RTOL = 1e-6  # of posteriors of which three digits are shown


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """How an answer depends on its priors.

    Attributes
    ----------
    below : float
        The decision on the scale of the model: that `of` lies below this.
    scale : NaturalScale
        On which people read it.
    of : str
    threshold : float
        The conclusion is on which side of this the probability of the decision lies.
    reference : Priors
        Those of the main result.
    atlas : Dataset
        See `kyphobayes.sensitivity.atlas`.
    tipping : DataFrame
        See `kyphobayes.sensitivity.tipping_points`.
    credibility : Dataset
        See `kyphobayes.sensitivity.reverse_bayes`.
    power : Dataset
        See `kyphobayes.sensitivity.power_scaling`.
    before : Dataset
        See `kyphobayes.sensitivity.prior_predictive`.
    averaged : Dataset
        See `kyphobayes.sensitivity.average`; mu = null is the decision's value. None where a prior is
        improper.
    published : Dataset or None
        What `surface.sweep` returns under published priors for tau. See `published_pairs`.
    sampled : DataFrame or None
        ArviZ's power-scaling index from draws. See `kyphobayes.sensitivity.psense_of_fit`.
    """

    below: float
    scale: NaturalScale
    of: str
    threshold: float
    reference: Priors
    atlas: xr.Dataset
    tipping: pd.DataFrame
    credibility: xr.Dataset
    power: xr.Dataset
    before: xr.Dataset
    averaged: xr.Dataset | None
    published: xr.Dataset | None = None
    sampled: pd.DataFrame | None = None

    @property
    def probability(self) -> float:
        """Probability of the decision under the reference."""
        return float(self.atlas["probability"].sel(prior=self.atlas.attrs["reference"]))

    @property
    def holds(self) -> xr.DataArray:
        """Whether the conclusion is that of the reference, over `prior`."""
        return self._same_side(self.atlas)

    @property
    def holds_published(self) -> xr.DataArray | None:
        """The same under published priors for tau, over `prior`."""
        return None if self.published is None else self._same_side(self.published)

    def _same_side(self, found: xr.Dataset) -> xr.DataArray:
        return (found["probability"] >= self.threshold) == (self.probability >= self.threshold)

    @property
    def nearest(self) -> pd.Series | None:
        """The tipping point whose prior is the least far from the reference's; None if nothing flips."""
        flips = self.tipping[self.tipping["flips"].astype(bool)]
        if flips.empty:
            return None
        return flips.iloc[int(np.argmin(flips["distance"].fillna(1.0).to_numpy(dtype=float)))]

    def datasets(self) -> dict[str, xr.Dataset]:
        """Every result as a Dataset, by name: what a NetCDF file holds as its groups."""
        tipping = self.tipping.astype({"flips": bool}).to_xarray()
        found = {
            "atlas": self.atlas, "tipping": tipping, "credibility": self.credibility, "power": self.power,
            "prior_predictive": self.before,
        }  # fmt: skip
        optional = {"averaged": self.averaged, "published": self.published}
        return found | {name: given for name, given in optional.items() if given is not None}

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts, for JSON."""
        return {
            "decision": {"below": self.below, "of": self.of, "threshold": self.threshold},
            "reference": self.reference.texts(),
            "probability": self.probability,
            "holds": {"priors": int(self.holds.sum()), "of": int(self.holds.size)},
            "holds_published": None
            if self.holds_published is None
            else {"priors": int(self.holds_published.sum()), "of": int(self.holds_published.size)},
            "refused": list(self.atlas.attrs["refused"]),
            "atlas": to_frame(self.atlas).to_dict("index"),
            "tipping": self.tipping.to_dict("index"),
            "reverse_bayes": {name: value.item() for name, value in self.credibility.data_vars.items()},
            "power_scaling": pd.DataFrame(self.power["psense"].to_pandas()).to_dict("index"),
            "prior_predictive": {
                str(prior): pd.DataFrame(self.before["expected"].sel(prior=prior).to_pandas()).to_dict(
                    "index"
                )
                for prior in self.before["prior"].values
            },
            "averaging": None if self.averaged is None else _averaged(self.averaged),
        }


def _averaged(found: xr.Dataset) -> dict[str, Any]:
    models = [str(model) for model in found["model"].values]
    return {
        "null": found.attrs["null"],
        "posterior": dict(zip(models, found["posterior"].values.tolist(), strict=True)),
        **{
            name: dict(zip(found["included"].values.tolist(), found[name].values.tolist(), strict=True))
            for name in ("log_bayes_factor", "probability")
        },
    }


def sensitivity(
    surface: Surface,
    priors: Priors,
    pairs: Mapping[str, tuple[Prior, Prior]],
    *,
    below: float,
    of: str = MU,
    threshold: float = 0.5,
    scale: NaturalScale = PROPORTIONS,
    published: Mapping[str, tuple[Prior, Prior]] | None = None,
    executor: Executor | None = None,
    say: Say = lambda _: None,
) -> Sensitivity:
    """Ask everything about the priors of one analysis.

    Parameters
    ----------
    surface : Surface
    priors : Priors
        The reference, with mu and tau.
    pairs : mapping of name to (mu, tau)
        The priors of the atlas, of the prior predictive and of the average. See `prior_pairs`.
    below : float
        The decision: that `of` lies below this, on the scale that people read.
    of : {"mu", "theta_new"}
    threshold : float
    scale : NaturalScale
    published : mapping of name to (mu, tau), optional
        Further pairs, of which only the answer is wanted. See `published_pairs`.
    executor : Executor, optional
        By `kyphobayes.jobs.workers`: the questions are independent of each other.
    say : callable

    Raises
    ------
    InputError, PriorError, ImproperPosterior
    """
    limit = float(scale.model(below))
    own = priors[MU], priors[TAU]
    name, pairs = with_reference(pairs, priors.label, own)
    about = {"below": limit, "of": of}
    # A surface learns where its mass lies from every question. Each gets a copy, so that no answer depends,
    # not even in its last digit, on what was asked before it, or where.
    asked = {
        "atlas": (atlas, (surface, pairs), {"reference": name, **about}),
        "tipping": (tipping_points, (surface, *own), {"threshold": threshold, **about}),
        "credibility": (reverse_bayes, (surface, own[1]), {"centre": limit}),
        "power": (power_scaling, (surface, *own), {}),
        "before": (prior_predictive, (pairs,), {"scale": scale}),
        "averaged": (_average, (surface, pairs), {"null": limit, "rtol": _RTOL}),
        "published": (_swept, (surface, published), about),
    }
    jobs = [
        Job(part, _ask, {"question": question, "given": given, "options": options})
        for part, (question, given, options) in asked.items()
    ]
    found = dict(zip(asked, run_all(jobs, executor, say), strict=True))
    return Sensitivity(below=limit, scale=scale, of=of, threshold=threshold, reference=priors, **found)


def _ask(question: Callable[..., Any], given: tuple[Any, ...], options: dict[str, Any], *, say: Say) -> Any:
    """Answer one of the questions, as a job."""
    return question(*deepcopy(given), **options)


def _average(surface: Surface, pairs: Mapping[str, tuple[Prior, Prior]], **options: Any) -> xr.Dataset | None:
    try:
        return average(surface, pairs, **options)
    except PriorError:  # with an improper prior there is nothing to average by
        return None


def _swept(
    surface: Surface, published: Mapping[str, tuple[Prior, Prior]] | None, **options: Any
) -> xr.Dataset | None:
    return surface.sweep(published, **options) if published else None
