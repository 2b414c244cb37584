import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.patches import Polygon, Rectangle
from matplotlib.text import Text
from scipy import integrate, stats

from kyphobayes.priors import Prior
from kyphobayes.report.canvas import style, to_png, to_svg
from kyphobayes.report.figures import of_result as figures
from kyphobayes.report.values import clopper_pearson, new_centre_prior

from .made_fits import made_fit, view_of

KINDS = ["forest", "prior_posterior", "next_cases", "prior_comparison", "latent_counts"]


def texts_in(figure):
    """Visible texts of a drawn figure with their boxes in pixels."""
    with style():
        figure.canvas.draw()
        renderer = figure.canvas.get_renderer()
    hidden = _not_drawn(figure)
    return [
        (text.get_text(), text.get_window_extent(renderer))
        for text in figure.findobj(Text)
        if text.get_text().strip() and text.get_visible() and id(text) not in hidden
    ]


def _not_drawn(figure):
    """Texts in hidden axes, and labels of ticks outside their axis."""
    hidden = set()
    for axes in figure.axes:
        if not axes.get_visible():
            hidden |= {id(text) for text in axes.findobj(Text)}
        for axis in (axes.xaxis, axes.yaxis):
            drawn = {id(tick.label1) for tick in axis._update_ticks()}
            hidden |= {id(text) for text in axis.findobj(Text) if text is not axis.label} - drawn
    return hidden


def assert_tidy(figure):
    """Nothing is cut off at the canvas, and no two texts lie on each other."""
    texts = texts_in(figure)
    assert texts
    width, height = figure.canvas.get_width_height()
    for text, box in texts:
        inside = box.x0 >= -0.5 and box.y0 >= -0.5 and box.x1 <= width + 0.5 and box.y1 <= height + 0.5
        assert inside, f"{text!r} is cut off"
    for (one, a), (other, b) in itertools.combinations(texts, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        along = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= 1 or along <= 1, f"{one!r} lies on {other!r}"


def smallest_type(figure):
    return min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text().strip())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["leakage", "fracture", "made_up"])
def test_figures_of_results_are_tidy(kind, name, request):
    figure = getattr(figures, kind)(request.getfixturevalue(name))
    if kind == "latent_counts" and name == "made_up":
        assert figure is None
        return
    assert_tidy(figure)
    assert smallest_type(figure) >= 8


def test_forest_shows_what_it_must(leakage):
    figure = figures.forest(leakage)
    axes = figure.axes[0]
    shown = "\n".join(text for text, _ in texts_in(figure))
    for label in leakage.evidence.labels:
        assert label in shown
    assert "9–12 / 264" in shown
    assert any(isinstance(patch, Polygon) and not isinstance(patch, Rectangle) for patch in axes.patches)
    rate = leakage.main.estimates.loc["new centre"]
    widths = [patch.get_width() for patch in axes.patches if isinstance(patch, Rectangle)]
    assert max(widths) == pytest.approx(rate["high"] - rate["low"])
    low, high = axes.get_xlim()
    assert low == 0
    assert high >= rate["high"]


@pytest.mark.parametrize(
    ("kind", "words"), [("rates", "Fractures / patients"), ("ratios", "log odds ratio (SE)")]
)
def test_results_of_other_measures_are_drawn(kind, words):
    fit = made_fit(kind, 3)
    scale = view_of(kind, 3).scale
    asked = SimpleNamespace(event="fractures", unit="patients")
    result = SimpleNamespace(fit=fit, scale=scale, main=SimpleNamespace(below=0.5), analysis=asked)
    figure = figures.forest(result)
    assert_tidy(figure)
    assert words in [text.replace("\n", " ") for text, _ in texts_in(figure)]
    assert_tidy(figures.prior_posterior(result))
    assert figures.latent_counts(result) is None


def test_single_bars_of_counts_have_their_probabilities(leakage):
    figure = figures.next_cases(leakage)
    heights = [patch.get_height() for patch in figure.axes[0].patches]
    assert heights[0] == pytest.approx(100 * leakage.main.next[0].probabilities[0])
    assert figures.next_cases(SimpleNamespace(main=SimpleNamespace(next=()))) is None


def test_figures_of_nuts_need_nuts(leakage):
    assert figures.engines(leakage) is None
    assert figures.ranks(leakage) is None


def test_figures_of_nuts(leakage):
    exact = leakage.fits["exact"]
    both = SimpleNamespace(fits={"exact": exact, "nuts": exact}, scale=leakage.scale)
    assert_tidy(figures.engines(both))
    assert_tidy(figures.ranks(both))


def test_svg_is_repeatable_and_its_ids_are_its_own(leakage):
    figure = figures.forest(leakage)
    one, again, other = to_svg(figure, "one"), to_svg(figure, "one"), to_svg(figure, "other")
    assert one == again
    assert one.startswith("<svg")
    ids = set(_ids(one))
    assert ids
    assert not ids & set(_ids(other))
    assert "<date" not in one.lower()
    assert to_png(figure).startswith(b"\x89PNG")


def _ids(svg):
    import re

    return re.findall(r'\bid="([^"]+)"', svg)


def test_clopper_pearson():
    low, high = clopper_pearson([0, 5, 19], [22, 35, 19])
    assert low[0] == 0
    assert high[0] == pytest.approx(1 - 0.025 ** (1 / 22))
    exact = stats.binomtest(5, 35).proportion_ci(method="exact")
    assert (low[1], high[1]) == pytest.approx((exact.low, exact.high))
    assert high[2] == 1


def test_the_prior_of_a_new_centre_is_the_mixture_it_should_be():
    mu, tau = Prior.parse("Normal(mu=-2, sigma=1.5)"), Prior.parse("HalfNormal(sigma=1)")
    x = np.array([-6.0, -3.0, -2.0, 1.0])

    def by_quadrature(at):
        return integrate.quad(
            lambda t: stats.norm(-2, np.hypot(1.5, t)).pdf(at) * stats.halfnorm.pdf(t), 0, np.inf
        )[0]

    assert new_centre_prior(mu, tau, x) == pytest.approx([by_quadrature(at) for at in x], rel=5e-3)
