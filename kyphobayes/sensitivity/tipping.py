"""The smallest move of a prior that flips a decision, by root search on the exact posterior."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import optimize

from kyphobayes.errors import ImproperPosterior, InputError, PriorError
from kyphobayes.exact import Surface
from kyphobayes.names import AGGREGATE, MU, TAU
from kyphobayes.priors import Prior
from kyphobayes.sensitivity.distance import hellinger
from kyphobayes.sensitivity.moves import scaled, shifted

MOVES = ("location of mu", "scale of mu", "scale of tau")
RTOL = 1e-6  # of the posteriors that the search looks at
_FACTOR = 1000.0  # by which a scale may grow or shrink
_REACH = 20.0  # interquartile ranges by which a location may move
_FIRST, _GROWTH = 0.1, 1.5  # first step of a bracket, and by how much each next step is longer
_XTOL = 1e-7


@dataclass(frozen=True)
class _Family:
    """Priors for mu and tau along one move; `at(0)` is where it begins."""

    name: str
    at: Callable[[float], tuple[Prior, Prior]]
    reach: float
    unit: float
    log: bool

    def steps(self) -> Iterator[float]:
        """Distances from the start at which to look, growing up to the reach."""
        place = step = _FIRST * self.unit
        while place < self.reach:
            yield place
            step *= _GROWTH
            place += step
        yield self.reach

    def value(self, place: float) -> float:
        """What a reader calls the move: a factor, or a shift."""
        return float(np.exp(place)) if self.log else float(place)


def _family(move: str, mu: Prior, tau: Prior) -> _Family:
    longest = float(np.log(_FACTOR))
    if move == "location of mu":
        shifted(mu, 0.0)  # refuses a prior without a location
        width = float(np.diff(mu.quantile([0.25, 0.75]))[0])
        return _Family(move, lambda t: (shifted(mu, t), tau), _REACH * width, width, log=False)
    if move == "scale of mu":
        scaled(mu, 1.0)
        return _Family(move, lambda t: (scaled(mu, float(np.exp(t))), tau), longest, 1.0, log=True)
    if move == "scale of tau":
        scaled(tau, 1.0)
        return _Family(move, lambda t: (mu, scaled(tau, float(np.exp(t)))), longest, 1.0, log=True)
    raise InputError(f"move: expected one of {', '.join(MOVES)}, found {move!r}")


def tipping_points(
    surface: Surface,
    mu: str | Prior,
    tau: str | Prior,
    *,
    below: float,
    of: str = MU,
    threshold: float = 0.5,
    interval: float | None = None,
    moves: tuple[str, ...] = MOVES,
) -> pd.DataFrame:
    """Find the smallest move along each family of priors that flips a decision.

    Parameters
    ----------
    surface : Surface
    mu, tau : str or Prior
        Where the moves begin.
    below : float
        The decision: that `of` lies below this.
    of : {"mu", "tau", "theta_new"}
    threshold : float
        The decision is taken where its probability is at least this.
    interval : float, optional
        Judge by a central interval of this probability instead: the decision is whether it excludes
        `below`.
    moves : tuple of str
        Of "location of mu" (a shift of up to 20 interquartile ranges), "scale of mu" and "scale of tau"
        (a factor from 1/1000 to 1000).

    Returns
    -------
    DataFrame
        One row per move, with `flips`; `move`, the shift or the factor at which it flips; `prior`, the
        moved prior; `distance`, its Hellinger distance from the prior it began as; `low` and `high`, the
        ends that were reached, with `p_low` and `p_high`, the probability there; `probability`, that at
        the start; `remark`. What is not found is NaN or empty.

    Raises
    ------
    InputError, PriorError, ImproperPosterior

    Notes
    -----
    Steps that grow by half bracket the first crossing on either side, Brent's method closes in on it.
    Where the ends of all steps agree but the probability comes closest in between, a bounded minimisation
    looks whether it crosses there and comes back.
    """
    levels = _levels(threshold, interval)
    if of not in AGGREGATE:
        raise InputError(f"of: expected one of {', '.join(AGGREGATE)}, found {of!r}")
    read = surface.priors(mu, tau)

    def probability(pair: tuple[Prior, Prior]) -> float:
        return float(surface.posterior(*pair, rtol=RTOL).cdf(of, below))

    start = probability((read[MU], read[TAU]))
    rows = {}
    for move in moves:
        try:
            family = _family(move, read[MU], read[TAU])
        except PriorError as problem:
            rows[move] = _row(start, remark=str(problem))
            continue
        rows[move] = _along(family, lru_cache(lambda t, f=family: probability(f.at(t))), levels)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("family")


def _levels(threshold: float, interval: float | None) -> tuple[float, ...]:
    """Probabilities at which the decision changes."""
    for name, value in (("threshold", threshold), ("interval", 0.5 if interval is None else interval)):
        if not 0 < value < 1:
            raise InputError(f"{name}: expected a probability between 0 and 1, found {value:g}")
    return (threshold,) if interval is None else ((1 - interval) / 2, (1 + interval) / 2)


def _along(family: _Family, p: Callable[[float], float], levels: tuple[float, ...]) -> dict:
    """Crossing nearest to the start on either side of it, whichever is nearer."""
    start = p(0.0)
    found, ends = [], {}
    for sign in (-1, 1):
        places, values = [0.0], [start]
        for step in family.steps():
            try:
                value = p(sign * step)
            except (InputError, ImproperPosterior):
                break  # prior and data too far apart to integrate: this is as far as one can look
            places.append(sign * step)
            values.append(value)
            if any((value >= level) != (start >= level) for level in levels):
                break
        ends[sign] = places[-1], values[-1]
        crossings = [_crossing(p, places, np.array(values) - level, level) for level in levels]
        found += [place for place in crossings if place is not None]
    reached = {
        "low": family.value(ends[-1][0]), "p_low": ends[-1][1],
        "high": family.value(ends[1][0]), "p_high": ends[1][1],
    }  # fmt: skip
    if not found:
        return _row(start, **reached, remark="no prior in this family flips it")
    place = min(found, key=abs)
    old, new = family.at(0.0), family.at(place)
    which = int(family.name.endswith(TAU))
    return _row(
        start, **reached, flips=True, move=family.value(place), prior=str(new[which]),
        distance=hellinger(old[which], new[which]) if old[which].proper else np.nan,
    )  # fmt: skip


def _crossing(
    p: Callable[[float], float], places: list[float], gaps: np.ndarray, level: float
) -> float | None:
    """Where the probability first crosses a level between the places looked at, or touches it in between."""

    def gap(t: float) -> float:
        return p(t) - level

    over = gaps >= 0
    changed = np.flatnonzero(over[1:] != over[:-1])
    if len(changed):
        first = int(changed[0])
        return _root(gap, places[first], places[first + 1])
    nearest = int(np.argmin(np.abs(gaps)))
    if not 0 < nearest < len(places) - 1:
        return None
    side = 1.0 if over[0] else -1.0
    ends = sorted((places[nearest - 1], places[nearest + 1]))
    lowest = optimize.minimize_scalar(lambda t: side * gap(t), bounds=ends, method="bounded")
    if not (side * gap(float(lowest.x)) < 0):
        return None
    return _root(gap, places[nearest - 1], float(lowest.x))


def _root(gap: Callable[[float], float], first: float, last: float) -> float:
    return float(optimize.brentq(gap, first, last, xtol=_XTOL))


def _row(start: float, **known: object) -> dict:
    blank = {
        "probability": start, "flips": False, "move": np.nan, "prior": "", "distance": np.nan,
        "low": np.nan, "p_low": np.nan, "high": np.nan, "p_high": np.nan, "remark": "",
    }  # fmt: skip
    return blank | known
