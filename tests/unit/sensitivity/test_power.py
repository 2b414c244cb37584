"""Power-scaling: conjugate cases, limits, and ArviZ on draws."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from kyphobayes import exact
from kyphobayes.errors import InputError
from kyphobayes.sensitivity import power_scaling, psense_of_fit
from kyphobayes.sensitivity.distance import cjs_both_ways
from kyphobayes.sensitivity.power import Limits, diagnosis, integrated_log_likelihood

MU, TAU = "Normal(mu=-2.5, sigma=1.5)", "HalfNormal(sigma=1)"


def test_of_a_conjugate_estimate_is_the_closed_form():
    """With tau next to 0, mu's prior to a power is normal with its variance over the power."""
    y, se, sigma = 0.4, 0.3, 0.5
    found = power_scaling(exact.normal([y], [se]), f"Normal(mu=0, sigma={sigma})", "HalfNormal(sigma=1e-5)")

    def posterior(prior_power, likelihood_power):
        precision = prior_power / sigma**2 + likelihood_power / se**2
        return stats.norm(likelihood_power * y / se**2 / precision, precision**-0.5)

    base = posterior(1, 1)
    low, high = base.ppf([1 / 4001, 4000 / 4001])
    for component, powers in (("prior", lambda a: (a, 1)), ("likelihood", lambda a: (1, a))):
        apart = {a: cjs_both_ways(base.cdf, posterior(*powers(a)).cdf, low, high) for a in (0.99, 1.01)}
        expected = (apart[1.01] / np.log2(1.01) - apart[0.99] / np.log2(0.99)) / 2
        assert found["psense"].sel(component=component, quantity="mu") == pytest.approx(expected, rel=1e-4)
    shift = (posterior(1.01, 1).mean() - posterior(0.99, 1).mean()) / base.std()
    shift /= np.log2(1.01) - np.log2(0.99)
    assert found["mean_shift"].sel(component="prior", quantity="mu") == pytest.approx(shift, rel=1e-4)


def test_a_wide_prior_does_not_matter_and_a_narrow_one_does(effects):
    wide = power_scaling(effects, "Normal(mu=0, sigma=100)", "HalfNormal(sigma=0.5)")["psense"]
    narrow = power_scaling(effects, "Normal(mu=1, sigma=0.1)", "HalfNormal(sigma=0.5)")["psense"]
    assert (
        wide.sel(component="prior", quantity="mu")
        < 0.02
        < 0.05
        < wide.sel(component="likelihood", quantity="mu")
    )
    assert narrow.sel(component="prior", quantity="mu") > 0.1


def test_index_does_not_depend_on_the_unit():
    y, se = np.array([0.1, -0.3, 0.4]), np.array([0.2, 0.15, 0.3])
    one = power_scaling(exact.normal(y, se), "Normal(mu=0, sigma=1)", "HalfNormal(sigma=0.5)")["psense"]
    big = power_scaling(exact.normal(1e6 * y, 1e6 * se), "Normal(mu=0, sigma=1e6)", "HalfNormal(sigma=5e5)")
    assert big["psense"].values == pytest.approx(one.values, rel=1e-4)


def test_integrated_likelihood_of_draws_is_the_surfaces(leaks):
    mu, tau = np.array([[-3.0, -2.0], [-1.0, 0.5]]), np.array([[0.2, 1.0], [2.0, 0.05]])
    found = integrated_log_likelihood(leaks, mu, tau)
    expected = [
        [leaks.log_likelihood([m], [t])[0, 0] for m, t in zip(*row, strict=True)]
        for row in zip(mu, tau, strict=True)
    ]
    assert found == pytest.approx(np.array(expected), abs=1e-7)


@pytest.mark.parametrize("kind", ["counts", "contrasts"])
@pytest.mark.parametrize("engine", ["exact", "nuts"])
def test_arviz_agrees_on_draws_of_either_engine(kind, engine, request):
    """Exact index over the range of the draws against ArviZ's on 4000 or more draws of the same posterior."""
    model = request.getfixturevalue("binomial_normal" if kind == "counts" else "normal_normal")
    evidence = request.getfixturevalue("latent_counts" if kind == "counts" else "six_contrasts")
    fit = request.getfixturevalue(f"{kind}_{engine}")
    surface, priors = model.surface(evidence), model.priors
    draws = fit["posterior"].dataset
    limits = {
        name: Limits(float(draws[name].min()), float(draws[name].max()))
        for name in ("mu", "tau", "theta_new")
    }
    found = power_scaling(surface, priors["mu"], priors["tau"], limits=limits)["psense"]
    sampled = psense_of_fit(fit, surface)
    errors = _batched(fit, surface)
    for component in ("prior", "likelihood"):
        for name in ("mu", "tau", "theta_new"):
            expected = float(found.sel(component=component, quantity=name))
            allowed = 4 * errors[component][name] + 0.003  # + what an index of pure noise has
            assert sampled.loc[name, component] == pytest.approx(expected, abs=allowed), (component, name)


def _batched(fit, surface, parts=4):
    """Monte Carlo error of each index: the standard error over parts of the draws."""
    size = fit["posterior"].sizes["draw"] // parts
    groups = {f"/{name}": fit[name].dataset for name in ("posterior", "log_prior")}
    pieces = [
        xr.DataTree.from_dict({n: g.isel(draw=slice(i * size, (i + 1) * size)) for n, g in groups.items()})
        for i in range(parts)
    ]
    tables = [psense_of_fit(piece, surface) for piece in pieces]
    return {
        component: {
            name: float(np.std([t.loc[name, component] for t in tables], ddof=1) / np.sqrt(parts))
            for name in ("mu", "tau", "theta_new")
        }
        for component in ("prior", "likelihood")
    }


def test_without_a_surface_the_fits_own_likelihood_is_scaled(contrasts_exact):
    table = psense_of_fit(contrasts_exact)
    assert list(table.index) == ["mu", "tau", "theta_new"]
    assert list(table.columns) == ["prior", "likelihood", "diagnosis"]
    assert (table[["prior", "likelihood"]].to_numpy() >= 0).all()


def test_diagnosis():
    assert diagnosis(0.01, 0.2) == "steady" == diagnosis(0.01, 0.01)
    assert diagnosis(0.1, 0.01) == "strong prior or weak likelihood"
    assert diagnosis(0.1, 0.1) == "prior and data may conflict"


def test_powers_on_one_side_of_one_are_refused(leaks):
    with pytest.raises(InputError, match="alphas: expected a power between 0 and 1 and one above 1"):
        power_scaling(leaks, MU, TAU, alphas=(1.01, 1.02))
