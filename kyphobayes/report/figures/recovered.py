"""What pictures need of a fit: its evidence, priors and scale again, and the exact posterior behind it.

A fit is an xarray DataTree (`kyphobayes.fits`) and holds all of this: counts or estimates in its groups of
data, the names of model, measure and priors in its stamp. The exact posterior is not kept, because it takes
less than a second to solve again.
"""

import json
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from kyphobayes.errors import EvidenceError, InputError
from kyphobayes.evidence import View, contrasts, counts, rates, two_arms
from kyphobayes.exact import Posterior, Surface
from kyphobayes.fits import observed as observed_of
from kyphobayes.model import Model, load_model
from kyphobayes.names import AGGREGATE, EVENTS, EVENTS_1, MU, PROB, STUDY, TAU, THETA, Y
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.priors import Priors

Array = NDArray[np.float64]
_STATISTICS = ("median", "low", "high")


@dataclass(frozen=True, eq=False)
class Recovered:
    """A fit of studies, ready to be drawn.

    Attributes
    ----------
    fit : DataTree
    view : Counts, Rates, Contrasts or TwoArms
        The evidence, without the rows that it came from.
    priors : Priors
    scale : NaturalScale
        On which effects are shown.
    """

    fit: xr.DataTree
    view: View
    priors: Priors
    scale: NaturalScale

    @cached_property
    def surface(self) -> Surface:
        """Likelihood of mu and tau under the fit's own model.

        Raises
        ------
        InputError
            If the model has none, or its file is not the one that was fitted.
        """
        return self.posterior.surface

    @cached_property
    def posterior(self) -> Posterior:
        """Exact posterior under the fit's own priors.

        Raises
        ------
        InputError
            As `surface` does.
        """
        model = load_model(self.fit.attrs["model"])
        if model.digest != self.fit.attrs.get("model_digest", model.digest):
            raise InputError(
                f"expected models/{model.name}.py as when the fit was made, found it changed; fit again"
            )
        texts = json.dumps(self.priors.texts())
        return _solved(_Problem(model.digest, self.view.digest, texts, model, self.view, self.priors))

    @cached_property
    def aggregate(self) -> pd.DataFrame:
        """Median, low and high of mu, tau and theta_new, on the scale of the model."""
        return self._estimates.loc[list(AGGREGATE)]

    @cached_property
    def studies(self) -> pd.DataFrame:
        """Median, low and high of each study's own effect, on the scale of the model: one row per label."""
        rows = self._estimates.loc[[f"{THETA}[{label}]" for label in self.view.labels]]
        return rows.set_axis(pd.Index(self.view.labels, name=STUDY))

    @cached_property
    def _estimates(self) -> pd.DataFrame:
        """From quadrature where the fit has it, else from draws."""
        if "quadrature" in self.fit.children:
            table = self.fit["quadrature"].dataset["summary"].sel(statistic=list(_STATISTICS))
            return table.to_series().unstack("statistic")[list(_STATISTICS)]
        draws = self.fit["posterior"].dataset[[*AGGREGATE, THETA]]
        tail = (1 - PROB) / 2
        found = draws.quantile([0.5, tail, 1 - tail], ["chain", "draw"])
        names = [f"{THETA}[{label}]" for label in self.view.labels]
        rows = {name: found[name].values for name in AGGREGATE}
        rows |= dict(zip(names, found[THETA].transpose(STUDY, "quantile").values, strict=True))
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(_STATISTICS))


@dataclass(frozen=True)
class _Problem:
    """What decides a posterior: two with the same first three fields are the same."""

    model_digest: str
    evidence_digest: str
    texts: str
    model: Model = field(compare=False)
    view: View = field(compare=False)
    priors: Priors = field(compare=False)


@lru_cache(maxsize=8)  # several pictures of one fit solve it once
def _solved(problem: _Problem) -> Posterior:
    try:
        surface = problem.model.surface(problem.view, problem.priors)
    except EvidenceError as reason:
        raise InputError(f"this picture needs an exact posterior, and there is none: {reason}") from None
    return surface.posterior(mu=problem.priors[MU], tau=problem.priors[TAU])


def recover(fit: xr.DataTree, scale: NaturalScale | None = None) -> Recovered:
    """Read back from a fit what pictures need.

    Parameters
    ----------
    fit : DataTree
        Of a model of studies with mu, tau and theta, made by the exact engine or by NUTS.
    scale : NaturalScale, optional
        On which effects are shown; by default that of the fit's measure, without a unit.

    Returns
    -------
    Recovered

    Raises
    ------
    InputError
        If it is no fit, or not one of studies, or its measure is another than the scale's.
    """
    if not isinstance(fit, xr.DataTree) or "posterior" not in fit.children or "measure" not in fit.attrs:
        raise InputError(
            f"expected a fit (a DataTree that engines or run_analysis made), found {type(fit).__name__}; "
            f"of a result, its .fit is one"
        )
    model, measure = fit.attrs.get("model", "a model"), fit.attrs["measure"]
    missing = [name for name in (*AGGREGATE, THETA) if name not in fit["posterior"].dataset]
    if missing or STUDY not in fit["posterior"].dataset[THETA].dims:
        raise InputError(
            f"expected a fit of studies, with mu, tau, theta_new and theta over study; found one of {model}"
            + (f", which has no {missing[0]}" if missing else "")
        )
    view = _view(fit, measure, scale)
    shown = view.scale if scale is None else scale
    if shown.measure != measure:
        raise InputError(f"scale: expected one of {measure}, the fit's measure, found one of {shown.measure}")
    texts = json.loads(fit.attrs["priors"])
    return Recovered(fit, view, Priors.of(fit.attrs.get("prior_set", "custom"), **texts), shown)


def _view(fit: xr.DataTree, measure: str, scale: NaturalScale | None) -> View:
    constant = fit["constant_data"].dataset
    labels = [str(label) for label in constant[STUDY].values]
    observed = observed_of(fit)
    if EVENTS in observed:
        more: dict[str, Any] = {
            name: constant[name].values for name in ("tables", "weights") if name in constant
        }
        if "exposure" in constant:
            return rates(observed[EVENTS].values, constant["exposure"].values, labels, unit="", **more)
        return counts(observed[EVENTS].values, constant["n"].values, labels, **more)
    if EVENTS_1 in observed:
        arms = [(observed[f"events_{arm}"].values, constant[f"n_{arm}"].values) for arm in "12"]
        return two_arms(*arms[0], *arms[1], labels)
    if Y in observed:
        return contrasts(observed[Y].values, constant["se"].values, labels, measure=measure)
    raise InputError(
        "expected a fit of counts, rates, estimates or two arms; found data called "
        f"{', '.join(map(str, observed))}"
    )


def need(recovered: Recovered, what: str, least: int) -> None:
    """Refuse a picture of too few studies.

    Raises
    ------
    InputError
    """
    if recovered.view.k < least:
        raise InputError(f"{what} needs at least {least} studies, found {recovered.view.k}")
