"""The numbers behind the pictures, each against another way to get it."""

import numpy as np
import pytest
from scipy import integrate, special, stats

from kyphobayes.evidence import contrasts, counts
from kyphobayes.exact.conjugate import given_tau as normal_given_tau
from kyphobayes.findings import predict_counts
from kyphobayes.frequentist import baujat, pool
from kyphobayes.names import MU, TAU, THETA_NEW
from kyphobayes.natural_scale import natural_scale
from kyphobayes.priors import Priors
from kyphobayes.report import figures
from kyphobayes.report.figures.axis import limits, log_ticks, on_axis
from kyphobayes.report.figures.funnel import _binomial, _nodes, _poisson, predicted_estimates
from kyphobayes.report.figures.heterogeneity import _profile, conditional
from kyphobayes.report.figures.joint import joint_density, threshold
from kyphobayes.report.figures.labels import cut, spread
from kyphobayes.report.figures.observed import effects, garwood, observed, weights
from kyphobayes.report.figures.recovered import recover
from kyphobayes.report.words import estimated, value

from .made_fits import KINDS, fit_of, made_fit, view_of
from .test_figures import texts_in


@pytest.mark.parametrize("kind", KINDS)
def test_evidence_priors_and_posterior_are_recovered(kind):
    fit, view = made_fit(kind, 3), view_of(kind, 3)
    found = recover(fit)
    assert found.view.digest == view.digest
    assert found.priors.texts() == Priors.of(**found.priors.texts()).texts()
    exact = fit["quadrature"].dataset["summary"].sel(quantity=MU, statistic="median").item()
    assert found.posterior.quantile(MU, 0.5) == pytest.approx(exact, rel=1e-6, abs=1e-9)
    assert found.aggregate.loc[MU, "median"] == exact


def test_studies_given_tau_are_the_closed_form_of_normal_studies():
    found = recover(made_fit("effects", 7))
    given = conditional(found, 1.0)
    y, se = found.view.y[:, None], found.view.se[:, None]
    exact = normal_given_tau(found.surface.studies, found.priors[MU], given.tau)
    shrunk = se**2 / (se**2 + given.tau**2)
    assert given.mu[0] == pytest.approx(exact.mean, abs=1e-7)
    assert given.theta == pytest.approx(shrunk * exact.mean + (1 - shrunk) * y, abs=1e-7)
    assert given.mu[2] == pytest.approx(exact.mean + 1.959964 * np.sqrt(exact.variance), abs=2e-3)


@pytest.mark.parametrize("kind", ["counts", "latent"])
def test_studies_given_tau_are_those_under_a_prior_that_knows_tau(kind):
    found = recover(made_fit(kind, 3))
    given = conditional(found, 1.2)
    at = 30
    low, high = given.tau[at] * np.array([0.999, 1.001])
    posterior = found.surface.posterior(str(found.priors[MU]), f"Uniform(lower={low}, upper={high})")
    assert given.mu[0, at] == pytest.approx(posterior.mu.mean, abs=2e-3)
    means = [density.mean for density in posterior.studies.values()]
    assert given.theta[:, at] == pytest.approx(means, abs=5e-3)


def test_the_peak_of_the_profile_is_the_maximum_likelihood_estimate():
    found = recover(made_fit("ratios", 40))
    tau, profile = _profile(found, 1.0)
    y, v = (part[0] for part in effects(found.view))
    by_ml = np.sqrt(pool(y, v, method="ML", test="z").tau2)
    assert tau[profile.argmax()] == pytest.approx(by_ml, abs=1.1 * (tau[1] - tau[0]))
    place = int(profile.argmax())
    mu = np.linspace(y.min(), y.max(), 4001)
    assert profile[place] == pytest.approx(found.surface.log_likelihood(mu, [tau[place]]).max(), abs=1e-4)


def test_regions_of_highest_density_hold_what_they_say():
    found = recover(made_fit("effects", 7))
    posterior = found.posterior
    draws = posterior.draw(3000, np.random.default_rng(1))
    mu = np.linspace(*posterior.quantile(MU, [1e-4, 1 - 1e-4]), 201)
    tau = posterior.quantile(TAU, 0.9995) * np.linspace(1e-4, 1, 201)
    density = joint_density(found, mu, tau)
    # Where each draw lies, by the nearest place of the grid.
    at = density[
        np.abs(mu - draws[MU][:, None]).argmin(axis=1), np.abs(tau - draws[TAU][:, None]).argmin(axis=1)
    ]
    for level in (0.5, 0.8, 0.95):
        inside = np.mean(at > threshold(density, level))
        assert inside == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / 3000) + 0.005)


def test_the_outer_funnel_of_estimates_is_theta_new_with_sampling_error():
    posterior, rng = recover(made_fit("effects", 7)).posterior, np.random.default_rng(2)
    new, draws = posterior.theta_new, posterior.draw(200_000, rng)[THETA_NEW]
    for se in (0.05, 0.3, 2.0):
        around = np.quantile(draws + se * rng.standard_normal(len(draws)), [0.025, 0.975])
        found = predicted_estimates(new, np.array([se]))[:, 0]
        assert found == pytest.approx(around, abs=0.02 * max(1.0, se))
    assert predicted_estimates(new, np.array([1e-6]))[:, 0] == pytest.approx(
        new.quantile([0.025, 0.975]), abs=2e-3
    )


@pytest.mark.parametrize("n", [1, 20, 150])
def test_the_outer_funnel_of_counts_is_their_predictive_interval(n):
    new = recover(made_fit("counts", 7)).posterior.theta_new
    low, high = predict_counts(new, n).interval()
    assert _binomial(*_nodes(new), n) == (low, high)
    one = np.array([special.logit(0.1)]), np.ones(1)
    assert _binomial(*one, n) == tuple(stats.binom.ppf([0.025, 0.975], n, 0.1))
    rate = np.array([np.log(0.1)]), np.ones(1)
    assert _poisson(*rate, n) == tuple(stats.poisson.ppf([0.025, 0.975], 0.1 * n))


def test_baujat_draws_the_frequentist_numbers():
    view = view_of("effects", 7)
    expected = baujat(view.y, view.se**2)
    points = figures.baujat(made_fit("effects", 7)).axes[0].lines[0]
    assert points.get_xdata() == pytest.approx(expected.contribution)
    assert points.get_ydata() == pytest.approx(expected.influence)


def test_where_the_pooled_drapery_is_at_five_percent_lies_its_confidence_interval():
    view = view_of("effects", 7)
    pooled = pool(view.y, view.se**2)
    axes = figures.drapery(made_fit("effects", 7)).axes[0]
    curves = {
        line.get_color(): (line.get_xdata(), line.get_ydata())
        for line in axes.lines
        if len(line.get_xdata()) > 100
    }
    x, p = curves["#E69F00"]
    inside = x[p >= 0.05]
    assert (inside[0], inside[-1]) == pytest.approx((pooled.ci_low, pooled.ci_high), abs=2 * (x[1] - x[0]))
    x, p = curves["#0072B2"]
    inside = x[p >= 0.05]
    ends = recover(made_fit("effects", 7)).posterior.mu.quantile([0.025, 0.975])
    assert (inside[0], inside[-1]) == pytest.approx(tuple(ends), abs=2 * (x[1] - x[0]))


def test_the_last_row_of_a_cumulative_figure_has_all_studies_and_the_first_one():
    view = view_of("ratios", 3)
    fit = made_fit("ratios", 3)
    order = list(view.labels[::-1])
    shown = [text for text, _ in texts_in(figures.cumulative(fit, order=order))]
    alone = fit_of(contrasts(view.y[2:], view.se[2:], view.labels[2:], measure="OR"))
    for each in (fit, alone):
        typical = np.exp(recover(each).aggregate.loc[MU].astype(float))
        assert estimated(typical, recover(fit).scale, unit=False) in shown
    assert f"+ {order[1]}".replace(" ", "") in ["".join(text.split()) for text in shown]


def test_leaving_one_out_is_a_refit_without_it():
    view = view_of("effects", 7)
    shown = [text for text, _ in texts_in(figures.leave_one_out(made_fit("effects", 7)))]
    for left_out in (0, 4):
        keep = [i for i in range(7) if i != left_out]
        others = fit_of(contrasts(view.y[keep], view.se[keep], [view.labels[i] for i in keep]))
        low, middle, high = recover(others).aggregate.loc[MU, ["low", "median", "high"]].to_numpy(dtype=float)
        assert f"{middle:.2f} ({low:.2f} to {high:.2f})".replace("-", "−") in shown


def test_weights_of_latent_counts_are_averaged_over_the_tables():
    view = view_of("latent", 3)
    y, v = effects(view)
    each = [pool(*row, test="z").weights for row in zip(y, v, strict=True)]
    assert weights(view) == pytest.approx(np.average(each, axis=0, weights=view.weights))
    assert weights(view).sum() == pytest.approx(1)


def test_what_studies_saw():
    scale = natural_scale("PLO")
    seen = observed(counts([0, 5], [22, 35]), scale, unit="levels", event="leaks")
    assert seen.heads == ("Leaks / levels",)
    assert seen.cells == (["0 / 22", "5 / 35"],)
    assert seen.estimates["least"].tolist() == [0, 5 / 35]
    assert seen.estimates.loc["study 1", "high"] == pytest.approx(1 - 0.025 ** (1 / 22))
    arms = observed(view_of("arms", 3), natural_scale("OR"))
    assert "0.5 added" in arms.method
    assert len(arms.cells) == 2


def test_garwood_by_chi_squared():
    low, high = garwood(np.array([0.0, 7.0]), np.array([0.0, 9.0]), np.array([10.0, 50.0]))
    assert low == pytest.approx([0, stats.chi2.ppf(0.025, 14) / 2 / 50])
    assert high == pytest.approx([stats.chi2.ppf(0.975, 2) / 2 / 10, stats.chi2.ppf(0.975, 20) / 2 / 50])


@pytest.mark.parametrize("measure", ["PLO", "IRLN", "MD"])
def test_a_density_on_the_natural_axis_integrates_to_one(measure):
    x = np.linspace(-9, 6, 8001)
    value, density = on_axis(natural_scale(measure), x, stats.norm(-2, 1).pdf(x))
    assert integrate.trapezoid(density, value) == pytest.approx(1, abs=1e-4)


def test_draws_on_the_natural_scale_keep_their_medians():
    fit = made_fit("counts", 3)
    drawn = figures.natural_draws(fit)["posterior"].dataset
    for name, shown in ((MU, "typical rate (%)"), (THETA_NEW, "next centre's rate (%)")):
        expected = 100 * special.expit(fit["posterior"].dataset[name].median().item())
        assert drawn[shown].median().item() == pytest.approx(expected, rel=1e-3)
    assert drawn["rate (%)"].dims == ("chain", "draw", "study")


def test_spread_moves_no_more_than_it_must():
    apart = spread([0.1, 0.5, 0.9], 0.2, 0, 1)
    assert apart == pytest.approx([0.1, 0.5, 0.9])
    close = spread([0.5, 0.5, 0.52, 0.9], 0.1, 0, 1)
    assert np.diff(close).min() >= 0.1 - 1e-9
    assert close[:3].mean() == pytest.approx(np.mean([0.5, 0.5, 0.52]))
    assert close[3] == pytest.approx(0.9)
    packed = spread(np.full(30, 0.99), 0.2, 0, 1)
    assert (packed.min(), packed.max()) == pytest.approx((0, 1))
    assert np.argsort(spread([0.9, 0.1], 0.3, 0, 1)).tolist() == [1, 0]


def test_a_name_is_cut_in_its_middle():
    from kyphobayes.report.canvas import blank, text_size

    figure = blank()
    name = "Multicentre cooperative group of surname-hyphenated authors 2011"
    shown = cut(figure, name, 1.5)
    assert text_size(figure, shown, 9.0)[0] <= 1.5
    assert shown.startswith("Multi")
    assert shown.endswith("2011")
    assert cut(figure, "Study 1", 1.5) == "Study 1"


def test_axes_show_the_middle_whole_and_cut_what_is_far():
    ratio = natural_scale("OR")
    low, high = limits(ratio, [0.5, 0.8], [0.4, 1e9])
    assert low < 0.5
    assert 1.0 < high < 10
    assert limits(natural_scale("PLO"), [0.1], [0.99]) == (0.0, 1.0)
    first, last = limits(natural_scale("MD"), [100, 110], [95, 120])
    assert first > 0  # no effect is too far to be in sight
    assert (first < 95, last > 120) == (True, True)
    assert log_ticks(0.09, 12, 9).tolist() == [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]
    assert log_ticks(1e-9, 1e9, 5).size <= 6


def test_sensitivity_frames_the_fits_own_priors():
    figure = figures.sensitivity(
        made_fit("effects", 3), limit=0.0,
        mu={"own": "Normal(mu=0, sigma=10)", "tight": "Normal(mu=0, sigma=1)"},
        tau={"own": "HalfNormal(sigma=1)"},
    )  # fmt: skip
    shown = [text for text, _ in texts_in(figure)]
    middle = recover(made_fit("effects", 3)).aggregate.loc[MU, "median"]
    assert value(middle, natural_scale("GEN")) in shown
    assert "typical effect" in shown
