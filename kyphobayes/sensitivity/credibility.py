r"""Reverse-Bayes: the prior that it would take to change what the evidence says.

The analysis of credibility (Matthews 2001, J. Stat. Plan. Inference 94; 2018, R. Soc. Open Sci. 5,
171047; Held 2019, R. Soc. Open Sci. 6, 181534) asks of a convincing result how sure a sceptic, whose
normal prior is centred at the value in question, had to be not to be convinced; and of one that is not
convincing, how far an advocate's prior, whose interval begins at that value, may reach and still convince.
"""

from collections.abc import Callable

import numpy as np
import xarray as xr
from scipy import optimize, special

from kyphobayes.errors import ImproperPosterior, InputError
from kyphobayes.exact import Surface
from kyphobayes.names import MU, PROB, TAU
from kyphobayes.priors import Prior

_RTOL = 1e-6
_WIDEST, _NARROWEST = 1e3, 1e-3  # standard deviations looked at, in units of the data's own
_STEP = 0.8  # of the logarithm of the standard deviation
_XTOL = 1e-7


def reverse_bayes(surface: Surface, tau: str | Prior, *, centre: float, prob: float = PROB) -> xr.Dataset:
    """Sceptical or advocacy prior for mu at which a result is just, or no longer, convincing.

    A result is convincing where the central interval of mu that holds `prob` excludes `centre`.

    Parameters
    ----------
    surface : Surface
    tau : str or Prior
        Prior for tau, which stays.
    centre : float
        The value in question: the decision's, or that of no effect.
    prob : float

    Returns
    -------
    Dataset
        `convincing`, under a prior so wide that it says nothing; `side`, -1 if mu is more probably
        below `centre` and 1 if above; `probability` of that side under the wide prior;
        `sceptical_sd`, the largest sd of a prior Normal(centre, sd) that leaves a convincing result
        unconvincing, and `scepticism_limit`, the end of that prior's own interval towards the data;
        `advocacy_sd` and `advocacy_limit`, the far end of the interval of the widest prior
        Normal(centre + side z sd, sd) that makes an unconvincing one convincing. NaN where it is the other
        case, or no sd between `narrowest` and `widest` does it.

    Raises
    ------
    InputError, PriorError, ImproperPosterior
    """
    if not 0 < prob < 1:
        raise InputError(f"prob: expected a number between 0 and 1, found {prob:g}")
    if not np.isfinite(centre):
        raise InputError(f"centre: expected a finite number, found {centre:g}")
    tau = surface.priors("Flat()", tau)[TAU]
    level, z = (1 + prob) / 2, float(special.ndtri((1 + prob) / 2))
    unit = _unit(surface)

    def below(mean: float, sd: float) -> float:
        prior = Prior("Normal", (("mu", mean), ("sigma", sd)))
        return float(surface.posterior(prior, tau, rtol=_RTOL).cdf(MU, centre))

    side = -1 if below(centre, _WIDEST * unit) > 0.5 else 1

    def short(mean: float, sd: float) -> float:
        """By how much the probability of the data's side is short of convincing."""
        p = below(mean, sd)
        return level - (p if side < 0 else 1 - p)

    lacking = short(centre, _WIDEST * unit)
    sds = {"sceptical_sd": np.nan, "advocacy_sd": np.nan}
    if lacking <= 0:
        sds["sceptical_sd"] = _widest(lambda sd: short(centre, sd), unit)
    else:
        sds["advocacy_sd"] = _widest(lambda sd: short(centre + side * z * sd, sd), unit)
    return xr.Dataset(
        {
            "convincing": lacking <= 0,
            "side": side,
            "probability": level - lacking,
            **sds,
            "scepticism_limit": centre + side * z * sds["sceptical_sd"],
            "advocacy_limit": centre + 2 * side * z * sds["advocacy_sd"],
            "narrowest": _NARROWEST * unit,
            "widest": _WIDEST * unit,
        },
        attrs={"centre": centre, "prob": prob, "tau": str(tau)},
    )


def _unit(surface: Surface) -> float:
    """Standard error of mu, were all studies estimates of one effect."""
    scales = surface.studies.scales[np.unique(surface.tables)]
    return float(np.sum(scales**-2.0) ** -0.5)


def _widest(function: Callable[[float], float], unit: float) -> float:
    """Largest sd at which a function changes its sign, searched from the widest inwards; NaN if none."""
    last, ends = np.log(_WIDEST * unit), np.log(_NARROWEST * unit)
    before = function(float(np.exp(last)))
    while last > ends:
        place = max(last - _STEP, ends)
        try:
            now = function(float(np.exp(place)))
        except (InputError, ImproperPosterior):
            return np.nan  # prior and data too far apart to integrate
        if (now > 0) != (before > 0):
            root = optimize.brentq(lambda t: function(float(np.exp(t))), place, last, xtol=_XTOL)
            return float(np.exp(root))
        last, before = place, now
    return np.nan


def credibility_of_estimate(
    estimate: float, se: float, *, centre: float = 0.0, prob: float = PROB
) -> xr.Dataset:
    """Analysis of credibility of one normal estimate, in closed form: what `reverse_bayes` is for a surface.

    Parameters
    ----------
    estimate, se : float
        An estimate with its standard error.
    centre : float
        The value in question.
    prob : float

    Returns
    -------
    Dataset
        As `reverse_bayes`, and `p_intrinsic`, the p-value for intrinsic credibility (Held 2019).

    Raises
    ------
    InputError

    Notes
    -----
    With z = |estimate - centre| / se, and c the normal quantile of the interval: the sceptic's variance is
    se^2 / (z^2 / c^2 - 1) (Held 2019), and the advocate's sd, for which (z / se + c / sd)^2 equals
    c^2 (1 / se^2 + 1 / sd^2), is 2 c z se / (c^2 - z^2); its limit is Matthews's (2018).
    """
    if not (np.isfinite(estimate) and np.isfinite(se) and se > 0):
        raise InputError(
            f"expected an estimate and a standard error greater than 0, found {estimate:g}, {se:g}"
        )
    away = estimate - centre
    side, z, c = (-1 if away < 0 else 1), abs(away) / se, float(special.ndtri((1 + prob) / 2))
    convincing = z >= c
    with np.errstate(divide="ignore"):  # just convincing: a prior ever so wide takes it back
        sceptical = se / np.sqrt(np.float64(z**2 / c**2 - 1)) if convincing else np.nan
    advocacy = 2 * z * se * c / (c**2 - z**2) if not convincing and z > 0 else np.nan
    return xr.Dataset(
        {
            "convincing": convincing,
            "side": side,
            "probability": float(special.ndtr(z)),
            "sceptical_sd": sceptical,
            "advocacy_sd": advocacy,
            "scepticism_limit": centre + side * c * sceptical,
            "advocacy_limit": centre + 2 * side * c * advocacy,
            "p_intrinsic": 2 * float(special.ndtr(-z / np.sqrt(2))),
        },
        attrs={"centre": centre, "prob": prob},
    )
