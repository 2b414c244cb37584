"""The figures of the report's page: of a finished analysis, by way of its fit; None where it has none."""

import xarray as xr
from matplotlib.figure import Figure

from kyphobayes.report.figures import densities, prior_choice, samplers
from kyphobayes.report.figures.forest import forest as draw_forest
from kyphobayes.run import Result


def forest(result: Result) -> Figure:
    """Draw the forest plot."""
    return draw_forest(
        result.fit, scale=result.scale, limit=result.main.below, event=result.analysis.event,
        unit=result.analysis.unit, label=_axis(result),
    )  # fmt: skip


def _axis(result: Result) -> str:
    """What the axis of rates shows, in the plan's words; that of other effects has the scale's own name."""
    event, scale = result.analysis.event, result.scale
    if not event or scale.null is not None:
        return ""
    what = f"{event[:1].upper()}{event[1:]}"
    return f"{what}, % of {result.analysis.unit}" if scale.unit == "%" else f"{what} {scale.unit}".strip()


def prior_posterior(result: Result) -> Figure:
    """Draw prior and posterior of the typical effect, of tau and of the next one's effect."""
    return densities.prior_posterior(result.fit, scale=result.scale, limit=result.main.below)


def next_cases(result: Result) -> Figure | None:
    """Draw the predictive number of events in the next centre's cases; None where the plan asks for none."""
    if not result.main.next:
        return None
    return densities.cases_figure(result.main.next, result.analysis.event, result.analysis.unit)


def prior_comparison(result: Result) -> Figure:
    """Draw the typical effect and the next one's under each set of priors."""
    answers = {
        label: prior_choice.Answer(answer.estimates, answer.p_typical, answer.p_new)
        for label, answer in result.answers.items()
    }
    return prior_choice.comparison_figure(answers, result.scale, result.main.below, result.main.sign)


def latent_counts(result: Result) -> Figure | None:
    """Draw the probability of each count that is not printed, before and after the model; None if all are."""
    shares = densities.latent_shares(result.fit)
    return densities.latent_figure(shares) if shares else None


def engines(result: Result) -> Figure | None:
    """Draw draws of NUTS under the exact densities; None unless both engines ran."""
    both: list[xr.DataTree | None] = [result.fits.get(name) for name in ("nuts", "exact")]
    return (
        samplers.engines(both[0], both[1], scale=result.scale)
        if both[0] is not None and both[1] is not None
        else None
    )


def ranks(result: Result) -> Figure | None:
    """Draw rank histograms of mu and tau by chain; None unless NUTS ran."""
    return samplers.rank_histograms(result.fits["nuts"]) if "nuts" in result.fits else None
