"""The scale that people read: what a model's effect becomes when it is shown.

A model has log odds, log rates and log ratios, because those have no bounds; people read shares, rates and
ratios. One value says how to go there and back, and what to call it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kyphobayes.names import GEN, IRLN, PLO, RATIOS

Array = NDArray[np.float64]


@dataclass(frozen=True)
class NaturalScale:
    """How effects of one measure are shown.

    Attributes
    ----------
    measure : str
        Of the model, by metafor's code.
    name : str
        What the natural value is: "rate", "odds ratio", "effect".
    unit : str
        Behind the numbers: "%", "per 100 patient-years"; may be empty.
    factor : float
        Natural values times this are shown: 100 for shares, else 1.
    bounds : tuple of float
        Of natural values.
    null : float or None
        The natural value that means no effect; None for a single group's rate.
    """

    measure: str
    name: str
    unit: str
    factor: float
    bounds: tuple[float, float]
    null: float | None
    _natural: Callable[[Array], Array]
    _model: Callable[[Array], Array]

    @property
    def one(self) -> str:
        """What one member of the population is: a centre with patients, or a study that compares."""
        return "centre" if self.null is None else "study"

    @property
    def logarithmic(self) -> bool:
        """Whether equal steps of the model are equal factors, so that a logarithmic axis is right."""
        return self.measure in RATIOS

    def natural(self, effect: ArrayLike) -> Array:
        """Natural values of the model's effects."""
        with np.errstate(
            over="ignore"
        ):  # a limit so far out that its ratio is beyond all numbers is infinite
            return self._natural(np.asarray(effect, dtype=float))

    def model(self, value: ArrayLike) -> Array:
        """Effects of the model of natural values; infinite at a bound."""
        with np.errstate(divide="ignore"):  # at a bound the logarithm is infinite, as promised
            return self._model(np.asarray(value, dtype=float))


def natural_scale(measure: str, *, unit: str = "", per: float = 1.0) -> NaturalScale:
    """Scale on which a measure is shown.

    Parameters
    ----------
    measure : str
        metafor's code: PLO is shown as a share in percent, IRLN as a rate, log ratios as ratios, all others
        as they are.
    unit : str
        Of time for rates ("patient-years"), of the effect for differences ("points").
    per : float
        Time that rates are shown per: 100 for a rate per 100 patient-years.
    """
    if measure == PLO:
        return NaturalScale(measure, "rate", "%", 100.0, (0.0, 1.0), None, special.expit, special.logit)
    if measure == IRLN:
        time = f"{per:g} {unit}".strip() if per != 1 else unit
        shown = f"per {time}" if time else ""
        there, back = partial(_rate, per), partial(_log_rate, per)
        return NaturalScale(measure, "rate", shown, 1.0, (0.0, np.inf), None, there, back)
    if measure in RATIOS:
        return NaturalScale(measure, RATIOS[measure], "", 1.0, (0.0, np.inf), 1.0, np.exp, np.log)
    name = "effect" if measure == GEN else "difference"
    return NaturalScale(measure, name, unit, 1.0, (-np.inf, np.inf), 0.0, _as_it_is, _as_it_is)


def _rate(per: float, effect: Array) -> Array:
    return per * np.exp(effect)


def _log_rate(per: float, value: Array) -> Array:
    return np.log(value / per)


def _as_it_is(value: Array) -> Array:
    return value
