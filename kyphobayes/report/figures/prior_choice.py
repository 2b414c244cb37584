"""How the answer depends on the priors: one row for each set, or a map over pairs of priors."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from kyphobayes.errors import InputError
from kyphobayes.findings import findings
from kyphobayes.names import MU, TAU
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.priors import Prior, Priors
from kyphobayes.report import words
from kyphobayes.report.canvas import BLUE, INK, VERMILION, style
from kyphobayes.report.figures.axis import decision_line, limits, natural_axis
from kyphobayes.report.figures.recovered import recover
from kyphobayes.report.figures.rows import Row, draw_rows, interval
from kyphobayes.report.heat_map import heat_map
from kyphobayes.sensitivity.atlas import atlas
from kyphobayes.sensitivity.pairs import crossed, with_reference

_FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)  # of a prior's scale
_SCALES = ("sigma", "beta")  # its name, by family


@dataclass(frozen=True)
class Answer:
    """Answer under one set of priors.

    `estimates` has rows "typical" and "new centre" of natural values; `p_typical` and `p_new` are the claim's
    probabilities.
    """

    estimates: pd.DataFrame
    p_typical: float
    p_new: float


def prior_comparison(
    fit: xr.DataTree,
    priors: Mapping[str, Priors | tuple[str | Prior, str | Prior]],
    *,
    limit: float,
    side: str = "below",
    scale: NaturalScale | None = None,
) -> Figure:
    """Draw the typical effect and that of the next study under several priors, all exact.

    Parameters
    ----------
    fit : DataTree
        Its own priors come first.
    priors : mapping of name to Priors or (mu, tau)
        Such as ``{"sceptical": ("Normal(mu=0, sigma=1)", "HalfNormal(sigma=0.5)")}``.
    limit : float
        Natural value that the decision is about.
    side : {"below", "above"}
        On which side of it the claim lies.
    scale : NaturalScale, optional
        See `forest`.

    Raises
    ------
    InputError, PriorError, ImproperPosterior
    """
    found = recover(fit, scale)
    if side not in ("below", "above"):
        raise InputError(f"side: expected 'below' or 'above', found {side!r}")
    sets = {found.priors.label: found.priors} | {str(name): _pair(given) for name, given in priors.items()}
    answers = {}
    for name, each in sets.items():
        posterior = found.surface.posterior(mu=each[MU], tau=each[TAU])
        answer = findings(posterior, name, below=limit, side=side, scale=found.scale)
        answers[name] = Answer(answer.estimates, answer.p_typical, answer.p_new)
    return comparison_figure(answers, found.scale, limit, "<" if side == "below" else ">")


def _pair(given: Priors | tuple[str | Prior, str | Prior]) -> Priors:
    if isinstance(given, Priors):
        return given
    mu, tau = given
    return Priors.of(mu=mu, tau=tau)


def comparison_figure(answers: Mapping[str, Answer], scale: NaturalScale, limit: float, sign: str) -> Figure:
    """Draw answers that were computed before."""

    def marks(estimates: pd.DataFrame):
        def draw(axes: Axes, y: float) -> None:
            for shift, row, colour in ((-0.075, "typical", VERMILION), (0.075, "new centre", BLUE)):
                # one cell of a table of numbers is a number
                low, middle, high = (float(estimates.loc[row, side]) for side in ("low", "median", "high"))  # pyright: ignore[reportArgumentType]
                interval(axes, y + shift, low, high, middle, colour=colour, hollow=True, width=3.0, size=5.0)

        return draw

    rows = [
        Row(
            name.replace("_", " "), (),
            (words.probability(answer.p_typical), words.probability(answer.p_new)), marks(answer.estimates),
        )
        for name, answer in answers.items()
    ]  # fmt: skip
    every = pd.concat([answer.estimates for answer in answers.values()])
    core = [*every["median"], *every.loc["typical", "high":"high"].to_numpy().ravel(), limit]
    low, high = limits(scale, core, every[["low", "high"]].to_numpy())

    def prepare(axes: Axes, width: float) -> None:
        natural_axis(axes, scale, low, high, width)
        decision_line(axes, limit)

    one = scale.one
    handles = [
        Line2D(
            [],
            [],
            color=VERMILION,
            lw=3.0,
            marker="o",
            mfc="white",
            mew=1.6,
            label=f"typical {one}, 95 % interval",
        ),
        Line2D(
            [], [], color=BLUE, lw=3.0, marker="o", mfc="white", mew=1.6, label=f"next {one}, 95 % predictive"
        ),
        Line2D([], [], color=INK, lw=1.0, ls=(0, (4, 3)), label=f"decision at {words.limit(limit, scale)}"),
    ]
    head = f"P({scale.name} {sign} {words.limit(limit, scale)})"
    with style():
        return draw_rows(rows, ((), ("\ntypical", f"{head}\nnext")), prepare, handles, first="Priors")


def sensitivity(
    fit: xr.DataTree,
    *,
    limit: float,
    mu: Mapping[str, str | Prior] | None = None,
    tau: Mapping[str, str | Prior] | None = None,
    of: str = MU,
    probability: float = 0.5,
    scale: NaturalScale | None = None,
) -> Figure:
    """Draw a heat map of the answer over priors for mu and for tau, every cell an exact posterior.

    Three panels: the typical effect, the next study's, and the probability that `of` lies below `limit`. The
    fit's own pair is framed in black, pairs under which the conclusion is another in colour.

    Parameters
    ----------
    fit : DataTree
    limit : float
        Natural value that the decision is about.
    mu, tau : mapping of name to prior, optional
        By default the fit's own prior, and the same a quarter, half, twice and four times as wide.
    of : {"mu", "theta_new"}
        Whose effect is judged.
    probability : float
        From which on the conclusion is taken to hold.
    scale : NaturalScale, optional
        See `forest`.

    Raises
    ------
    InputError, PriorError, ImproperPosterior
        InputError also where `mu` or `tau` is not given and the fit's own prior has no one scale.
    """
    found = recover(fit, scale)
    own = found.priors[MU], found.priors[TAU]
    given = {MU: mu, TAU: tau}
    read = {
        name: _widened(name, found.priors[name]) if priors is None else _read(priors)
        for name, priors in given.items()
    }
    reference, pairs = with_reference(crossed(read[MU], read[TAU]), found.priors.label, own)
    answers = atlas(found.surface, pairs, reference=reference, below=float(found.scale.model(limit)), of=of)
    who = "typical" if of == MU else "next"
    head = f"P({who} < {words.limit(limit, found.scale)}) (%)"
    return heat_map(answers, scale=found.scale, threshold=probability, decision=head)


def _read(priors: Mapping[str, str | Prior]) -> dict[str, Prior]:
    return {str(name): Prior.parse(prior) for name, prior in priors.items()}


def _widened(name: str, prior: Prior) -> dict[str, Prior]:
    """A prior with its scale multiplied, under its text."""
    parameters = dict(prior.parameters)
    key = next((key for key in _SCALES if isinstance(parameters.get(key), int | float)), None)
    if key is None:
        raise InputError(
            f"{name}: expected priors to draw the map over, since {prior} has no scale to multiply"
        )
    made = []
    for factor in _FACTORS:
        values = {**parameters, key: float(f"{parameters[key] * factor:.4g}")}
        made.append(prior if factor == 1 else Prior(prior.family, tuple(values.items())))
    return {str(each): each for each in made}
