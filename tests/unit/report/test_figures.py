import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.patches import Polygon, Rectangle
from matplotlib.text import Text
from scipy import integrate, stats

from kyphobayes.priors import Prior
from kyphobayes.report import figures
from kyphobayes.report.canvas import style, to_png, to_svg
from kyphobayes.report.values import as_rate, clopper_pearson, new_centre_prior

from .conftest import many_studies, simple_findings

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


@pytest.mark.parametrize("k", [3, 40])
@pytest.mark.parametrize("unit", ["levels", "levels treated by balloon kyphoplasty at one sitting"])
def test_forest_is_tidy_with_few_and_many_studies_and_long_names(k, unit):
    studies = many_studies(k)
    figure = figures.forest_of(studies, simple_findings().rates, below=0.1, unit=unit, event="leaks")
    assert_tidy(figure)
    assert smallest_type(figure) >= 8
    shown = "\n".join(text for text, _ in texts_in(figure))
    for i in range(k):
        if i % 3 and i != 1:
            assert f"Study {i}" in shown
    assert "2011" in shown


def test_forest_shows_what_it_must(leakage):
    figure = figures.forest(leakage)
    axes = figure.axes[0]
    shown = "\n".join(text for text, _ in texts_in(figure))
    for label in leakage.evidence.labels:
        assert label in shown
    assert "9–12 / 264" in shown
    assert any(isinstance(patch, Polygon) and not isinstance(patch, Rectangle) for patch in axes.patches)
    widest = max(patch.get_width() for patch in axes.patches if isinstance(patch, Rectangle))
    rate = leakage.main.rates.loc["new centre"]
    assert widest == pytest.approx(rate["high"] - rate["low"])
    low, high = axes.get_xlim()
    assert low == 0
    assert high >= rate["high"]


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
    both = SimpleNamespace(fits={"exact": exact, "nuts": exact}, priors=leakage.priors)
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


def test_a_density_of_rates_integrates_to_one():
    x = np.linspace(-12, 12, 4001)
    p, density = as_rate((x, stats.norm(-2, 1).pdf(x)))
    assert integrate.trapezoid(density, p) == pytest.approx(1, abs=1e-4)
    assert density[2000] == pytest.approx(stats.norm(-2, 1).pdf(0) / 0.25)


def test_the_prior_of_a_new_centre_is_the_mixture_it_should_be():
    mu, tau = Prior.parse("Normal(mu=-2, sigma=1.5)"), Prior.parse("HalfNormal(sigma=1)")
    x = np.array([-6.0, -3.0, -2.0, 1.0])

    def by_quadrature(at):
        return integrate.quad(
            lambda t: stats.norm(-2, np.hypot(1.5, t)).pdf(at) * stats.halfnorm.pdf(t), 0, np.inf
        )[0]

    assert new_centre_prior(mu, tau, x) == pytest.approx([by_quadrature(at) for at in x], rel=5e-3)
