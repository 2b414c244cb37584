"""Every public picture of a fit: whole, legible, and nothing on top of anything, for few and many studies."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from kyphobayes.engines.complete import _data
from kyphobayes.errors import InputError
from kyphobayes.evidence import counts, read_patient_pain
from kyphobayes.names import MU
from kyphobayes.natural_scale import natural_scale
from kyphobayes.project import default_project
from kyphobayes.report import figures
from kyphobayes.report.canvas import to_svg

from .made_fits import fit_of, made_fit, view_of
from .test_figures import assert_tidy, smallest_type, texts_in

QUICK = (
    "forest", "prior_posterior", "given_tau", "tau_profile", "joint", "funnel", "baujat", "drapery",
    "confidence_density",
)  # fmt: skip
REFITS = ("cumulative", "leave_one_out")
BY_ARVIZ = ("ridge", "interval_rows", "ranks", "prior_posterior_draws")
NULL = {"counts": 0.1, "latent": 0.1, "rates": 0.1, "ratios": 1.0, "arms": 1.0}


def drawn(name, fit, **options):
    made = getattr(figures, name)(fit, **options)
    return made if isinstance(made, Figure) else made.viz["figure"].item()


@pytest.mark.parametrize(("kind", "k"), [("counts", 3), ("rates", 3), ("effects", 40), ("ratios", 40)])
@pytest.mark.parametrize("name", QUICK)
def test_picture_is_tidy(name, kind, k):
    figure = drawn(name, made_fit(kind, k))
    assert_tidy(figure)
    assert smallest_type(figure) >= 8


@pytest.mark.parametrize(("kind", "k"), [("counts", 40), ("rates", 7)])
@pytest.mark.parametrize("name", ["forest", "funnel", "drapery"])
def test_picture_of_many_counts_is_tidy(name, kind, k):
    assert_tidy(drawn(name, made_fit(kind, k)))


@pytest.mark.parametrize("kind", ["latent", "arms"])
@pytest.mark.parametrize("name", [*QUICK, *REFITS])
def test_picture_of_unusual_studies_is_tidy(name, kind):
    assert_tidy(drawn(name, made_fit(kind, 3)))


@pytest.mark.parametrize("kind", ["huge", "tiny"])
@pytest.mark.parametrize("name", ["forest", "prior_posterior", "given_tau", "joint", "funnel", "drapery"])
def test_picture_of_huge_and_tiny_effects_is_tidy(name, kind):
    assert_tidy(drawn(name, made_fit(kind, 3)))


@pytest.mark.parametrize("name", REFITS)
def test_refits_of_many_studies_are_tidy(name):
    assert_tidy(drawn(name, made_fit("effects", 40)))


@pytest.mark.parametrize(("kind", "k"), [("counts", 3), ("ratios", 40)])
@pytest.mark.parametrize("name", BY_ARVIZ)
def test_arviz_plots_are_tidy(name, kind, k):
    assert_tidy(drawn(name, made_fit(kind, k)))


@pytest.mark.parametrize("name", BY_ARVIZ)
def test_a_plot_collection_that_comes_in_goes_out(name):
    fit = made_fit("counts", 3)
    first = getattr(figures, name)(fit)
    axes = first.viz["figure"].item().axes
    before = sum(len(each.lines) for each in axes)
    assert getattr(figures, name)(fit, plot_collection=first) is first
    assert sum(len(each.lines) for each in axes) > before


@pytest.mark.parametrize("kind", ["counts", "ratios", "tiny"])
def test_prior_choice_is_tidy(kind):
    fit, limit = made_fit(kind, 3), NULL.get(kind, 0.0)
    others = {
        "a rather long name of a prior set that goes on": ("Normal(mu=0, sigma=2)", "HalfNormal(sigma=0.3)")
    }
    figure = figures.prior_comparison(fit, others, limit=limit)
    assert_tidy(figure)
    assert any("goes on" in text.replace("\n", " ") for text, _ in texts_in(figure))
    assert_tidy(figures.sensitivity(fit, limit=limit, tau={"narrow": "HalfNormal(sigma=0.3)"}))


def test_labbe_of_few_and_many_is_tidy():
    arms = ("balloon kyphoplasty", "vertebroplasty")
    for k in (1, 3):
        assert_tidy(figures.labbe(made_fit("arms", k), arms=arms, event="leaks"))
    many = made_fit("ratios", 40).copy()  # of the posterior it reads mu and theta_new
    for name, dataset in _data(view_of("arms", 40)).items():
        many[name] = xr.DataTree(dataset)
    assert_tidy(figures.labbe(many, arms=arms, event="leaks"))


def test_counts_foretell_counts():
    assert_tidy(figures.next_cases(made_fit("counts", 3), (5, 20, 50, 100), event="leaks", unit="levels"))
    assert_tidy(figures.latent_counts(made_fit("latent", 3)))


@pytest.mark.parametrize("name", ["engines", "rank_histograms"])
def test_pictures_of_draws_are_tidy(name):
    assert_tidy(drawn(name, made_fit("counts", 3)))


@pytest.mark.parametrize("kind", ["counts", "rates", "effects", "ratios", "arms", "tiny"])
def test_a_single_study_is_drawn_where_that_means_something(kind):
    fit = made_fit(kind, 1)
    for name in ("forest", "prior_posterior", "joint", "funnel", "cumulative"):
        assert_tidy(drawn(name, fit))


@pytest.mark.parametrize(
    ("name", "least"),
    [("baujat", 3), ("tau_profile", 2), ("leave_one_out", 2), ("drapery", 2), ("confidence_density", 2)],
)
def test_too_few_studies_are_refused(name, least):
    with pytest.raises(InputError, match=f"needs at least {least} studies, found 1"):
        drawn(name, made_fit("counts", 1))


def test_what_a_picture_lacks_is_said():
    fit = made_fit("effects", 3)
    with pytest.raises(InputError, match="events of two arms in every study"):
        figures.labbe(fit)
    with pytest.raises(InputError, match="found all printed"):
        figures.latent_counts(fit)
    with pytest.raises(InputError, match="expected a fit of proportions"):
        figures.next_cases(fit)
    with pytest.raises(InputError, match=r"of a result, its \.fit is one"):
        figures.forest(object())
    with pytest.raises(InputError, match="found one of OR"):
        figures.forest(fit, scale=natural_scale("OR"))
    with pytest.raises(InputError, match="expected each of the 3 studies once, found 'nobody'"):
        figures.cumulative(fit, order=["nobody", "Study 3"])
    with pytest.raises(InputError, match="expected a group for every study"):
        figures.forest(fit, groups={"Study 3": "late"})
    changed = fit.copy()
    changed.attrs = fit.attrs | {"model_digest": "another"}
    with pytest.raises(InputError, match="found it changed; fit again"):
        figures.joint(changed)


def test_a_fit_without_quadrature_is_drawn_from_its_draws():
    fit = made_fit("counts", 3).copy()
    del fit["quadrature"]
    for name in ("forest", "prior_posterior", "joint", "drapery"):
        assert_tidy(drawn(name, fit))


def test_names_are_shown_and_not_run():
    text = to_svg(figures.forest(made_fit("effects", 3)), "x")
    assert "<b>" not in text
    shown = "\n".join(text for text, _ in texts_in(figures.forest(made_fit("effects", 3))))
    assert "<b>Donau" in shown


def test_units_and_time_are_shown():
    scale = natural_scale("IRLN", unit="patient-years", per=100)
    figure = figures.forest(made_fit("rates", 3), scale=scale, event="fractures")
    shown = "\n".join(text for text, _ in texts_in(figure))
    assert "rate (per 100 patient-years)" in shown
    assert "Fractures / time" in shown
    assert_tidy(figure)


def test_subgroups_have_the_posterior_of_their_studies():
    fit, view = made_fit("effects", 7), view_of("effects", 7)
    groups = {
        label: "early" if i < 3 else "later, with a long description of what they share"
        for i, label in enumerate(view.labels)
    }
    figure = figures.forest(fit, groups=groups, limit=0.2)
    assert_tidy(figure)
    early = type(view)(view.labels[:3], view.rows[:3], view.excluded, view.y[:3], view.se[:3])
    low, middle, high = (
        fit_of(early)["quadrature"]
        .dataset["summary"]
        .sel(quantity=MU, statistic=["low", "median", "high"])
        .values
    )
    shown = [text for text, _ in texts_in(figure)]
    assert f"{middle:.2f} ({low:.2f} to {high:.2f})".replace("-", "−") in shown


def test_weights_are_those_of_the_random_effects_mean():
    from kyphobayes.frequentist import pool

    view = view_of("effects", 7)
    weights = 100 * pool(view.y, view.se**2, test="z").weights
    shown = [text for text, _ in texts_in(figures.forest(made_fit("effects", 7)))]
    for weight in weights:
        assert f"{weight:.1f}" in shown
    assert "Weight\n(%)" not in [
        text for text, _ in texts_in(figures.forest(made_fit("effects", 7), weights=False))
    ]


def test_an_interval_that_goes_on_ends_in_an_arrow():
    view = counts([0, 4, 5], [3, 60, 70])
    for fit, arrows in ((fit_of(view), 0), (made_fit("rates", 3), 1)):
        axes = figures.forest(fit).axes[0]
        assert (sum(line.get_marker() == ">" for line in axes.lines) >= 1) == bool(arrows)


def test_patients_are_drawn_with_the_reason_of_what_is_missing():
    pain = read_patient_pain(default_project())
    figure = figures.trajectories(pain)
    assert_tidy(figure)
    shown = "\n".join(text for text, _ in texts_in(figure))
    seen, died, unexplained = pain.patterns
    assert f"all three scores: {seen}" in shown
    assert f"died before the last visit: {died}" in shown
    assert f"no reason printed: {unexplained}" in shown
    assert f"n = {seen}" in shown
    crosses = [line for line in figure.axes[0].lines if line.get_marker() == "X"]
    assert len(crosses) == died
    with pytest.raises(InputError, match="expected patients' pain"):
        figures.trajectories(made_fit("counts", 3))


def test_a_fit_of_patients_does_not_know_why_scores_are_missing():
    pain = read_patient_pain(default_project())
    patient, time = pain.seen
    scores = xr.Dataset(
        {"score": ("reading", pain.scores[patient, time])}, {"reading": pain.coords["reading"]}
    )
    shown = "\n".join(
        text for text, _ in texts_in(figures.trajectories(xr.DataTree.from_dict({"/observed_data": scores})))
    )
    assert f"a fit does not say why): {pain.patterns[1:].sum()}" in shown
    assert f"{np.nanmean(pain.scores[:, 2]):.1f}" in shown


def test_every_public_picture_is_documented():
    for name in figures.__all__:
        text = getattr(figures, name).__doc__
        assert "Parameters\n----------" in text, name
        assert text.count("\n") >= 4
