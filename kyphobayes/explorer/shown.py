"""What the page calls things, and which values its sliders and axes show."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy import special

from kyphobayes.exact import Posterior, Surface
from kyphobayes.explorer.likelihood import studies
from kyphobayes.names import IRLN, PLO, RATIOS
from kyphobayes.natural_scale import NaturalScale

_WIDEST = 10.0, 5.0  # scale of mu and of tau at the far end of their sliders, in units
_NARROWEST = 0.05, 0.01  # ... and at the near end
_BEYOND = 2.0  # units by which the location's slider goes beyond the studies
_Z = 1.959963984540054


class Claim(Protocol):
    """What is judged: that the effect lies below, or above, a limit on the scale that people read."""

    @property
    def below(self) -> float:
        """The limit."""
        ...

    @property
    def words(self) -> str:
        """The claim in words."""
        ...

    @property
    def probability(self) -> float:
        """From which on it is taken as the conclusion."""
        ...

    @property
    def side(self) -> str:
        """Whether it is "below" or "above" the limit."""
        ...


@dataclass(frozen=True)
class Words:
    """What the page calls things.

    Attributes
    ----------
    title, question : str
    unit, event : str
        Of counts: what n counts, and what is counted.
    next : tuple of int
        Sizes of a next series for which events are foretold; counts out of n only.
    """

    title: str
    question: str = ""
    unit: str = ""
    event: str = "events"
    next: tuple[int, ...] = ()


def transform(scale: NaturalScale) -> str:
    """How the page goes from the model's effects to natural values."""
    if scale.measure == PLO:
        return "logit"
    return "log" if scale.measure == IRLN or scale.measure in RATIOS else "none"


def sliders(surface: Surface, scale: NaturalScale) -> dict[str, Any]:
    """Ranges of the sliders: in units of 1 on log scales, else of the studies' own spread."""
    used = np.unique(surface.tables)
    centres, scales = surface.studies.centres[used], surface.studies.scales[used]
    unit = 1.0
    if transform(scale) == "none":
        spread = max(float(np.median(scales)), float(np.std(centres)), 1e-9 * float(np.abs(centres).max()))
        power = 10.0 ** np.floor(np.log10(spread))
        unit = float(power * min((1.0, 2.0, 5.0, 10.0), key=lambda m: abs(np.log(m * power / spread))))
    step = unit / 2
    low = float(np.floor((centres.min() - _BEYOND * unit) / step) * step)
    high = float(np.ceil((centres.max() + _BEYOND * unit) / step) * step)
    widest_mu, widest_tau = _WIDEST
    least_mu, least_tau = _NARROWEST
    middle = float(np.median(centres))
    return {
        "mu": {
            "location": [low, high],
            "scale": [least_mu * unit, widest_mu * unit],
            "start": {"location": middle, "scale": unit},
        },
        "tau": {"scale": [least_tau * unit, widest_tau * unit], "start": {"location": 0.0, "scale": unit}},
    }


def raw_estimates(surface: Surface, scale: NaturalScale) -> list[dict[str, Any]]:
    """Each study alone: its estimate, or the range of those it may have, and a 95 % interval.

    Clopper and Pearson's interval of a share, Garwood's of a rate; over all tables where counts are latent.
    """
    found, rows = studies(surface), []
    for column in surface.tables.T:
        pieces = [found["pieces"][i] for i in np.unique(column)]
        if found["kind"] == "normal":
            y, se = pieces[0]["y"], pieces[0]["se"]
            ends = [float(scale.natural(v)) for v in (y, y, y - _Z * se, y + _Z * se)]
            rows.append(_row(f"{y:.3g} (SE {se:.2g})", ends))
            continue
        least, most = pieces[0]["events"], pieces[-1]["events"]
        size = pieces[0]["n" if found["kind"] == "binomial" else "exposure"]
        shown = f"{least:g}" if least == most else f"{least:g} to {most:g}"
        if found["kind"] == "binomial":
            low = special.betaincinv(least, size - least + 1, 0.025) if least else 0.0
            high = special.betaincinv(most + 1, size - most, 0.975) if most < size else 1.0
            rows.append(_row(f"{shown} of {size:g}", [least / size, most / size, low, high]))
        else:
            per = float(scale.natural(0.0))
            low, high = (
                special.gammaincinv(least, 0.025) if least else 0.0,
                special.gammaincinv(most + 1, 0.975),
            )
            ends = [per * v / size for v in (least, most, low, high)]
            rows.append(_row(f"{shown} in {size:g}", ends))
    return rows


def _row(text: str, ends: list[float]) -> dict[str, Any]:
    return {"text": text} | dict(zip(("from", "to", "low", "high"), map(float, ends), strict=True))


def ranges(
    scale: NaturalScale, solved: list[Posterior], raw: list[dict[str, Any]], decision: Claim | None
) -> dict[str, Any]:
    """What the axes show at first, in shown values; that of tau on the model's scale."""
    typical = _shown(scale, [p.mu.quantile([0.005, 0.995]) for p in solved])
    coming = _shown(scale, [p.theta_new.quantile([0.05, 0.95]) for p in solved])
    if decision is not None:
        limit = scale.factor * decision.below
        typical, coming = np.append(typical, 1.5 * limit), np.append(coming, 1.5 * limit)
    ends = np.array([[row["low"], row["high"]] for row in raw]).ravel() * scale.factor
    all_of_them = np.concatenate([ends, coming])
    if scale.logarithmic:
        all_of_them = all_of_them[all_of_them > 0]
    tau = max((float(p.tau.quantile(0.995)) for p in solved[:1]), default=1.0)
    return {
        "ranges": {"typical": _round(scale, typical), "next": _round(scale, coming)},
        "studyRange": _round(scale, all_of_them),
        "tauRange": tau,
    }


def _shown(scale: NaturalScale, effects: list[np.ndarray]) -> np.ndarray:
    if not effects:
        return scale.factor * scale.natural(np.array([-1.0, 1.0]))
    return scale.factor * scale.natural(np.concatenate(effects))


def _round(scale: NaturalScale, values: np.ndarray) -> list[float]:
    low, high = float(values.min()), float(values.max())
    if scale.logarithmic:
        return [low / 1.1, high * 1.1]
    if scale.bounds[0] == 0:
        return [0.0, min(high * 1.05, scale.bounds[1] * scale.factor)]
    margin = 0.05 * (high - low) or 1.0
    return [low - margin, high + margin]


def names(scale: NaturalScale, words: Words) -> dict[str, str]:
    """Words for the typical, the next and all, for axes and for counts."""
    one, many = scale.one, _many(scale)
    axis = scale.name[:1].upper() + scale.name[1:]
    return {
        "mu": f"mu: the typical {one}" + (f" ({_model_words(scale)})" if transform(scale) != "none" else ""),
        "tau": f"tau: how {many} differ (SD)",
        "typical": f"Typical {one}",
        "next": f"Next {one}",
        "one": one,
        "many": many,
        "axis": f"{axis}, {scale.unit}" if scale.unit else axis,
        "limit": f"Limit for the {scale.name}",
        "unit": words.unit,
        "event": words.event,
        "tables": ", averaged over the count tables that agree with what is printed"
        if scale.measure == PLO
        else "",
    }


def _many(scale: NaturalScale) -> str:
    return "centres" if scale.one == "centre" else "studies"


def _model_words(scale: NaturalScale) -> str:
    if scale.measure == PLO:
        return "log odds"
    return "log rate" if scale.measure == IRLN else f"log {scale.name}"


def captions(scale: NaturalScale) -> dict[str, str]:
    """What stands under the pictures."""
    one, many = scale.one, _many(scale)
    shown = "the logarithm of the axis" if scale.logarithmic else "the axis"
    return {
        "typical": f"Prior, likelihood and posterior of the typical {one}: densities over {shown}; the "
        "likelihood has tau integrated over its prior, so that prior times likelihood is the posterior, and "
        "its height is its own. The point and bar are the posterior median and the 95 % interval, the dotted "
        "line is the limit.",
        "next": f"The next {one}: foreseen by the priors alone, and after the studies.",
        "tau": f"Prior and posterior of tau, by which {many} differ, on the scale of the model.",
        "studies": "Above: what each study says by itself (a wide box: a count that is not printed). Below: "
        "its effect by the model, drawn towards the typical one the more, the tighter the prior of tau.",
    }
