"""ArviZ's functions on every kind of fit, without preparation; warnings are errors unless about the data."""

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from kyphobayes.engines import fit_exact
from kyphobayes.evidence import contrasts, counts, rates
from kyphobayes.fits import arranged, load, observed, replicates, save
from kyphobayes.model import load_model

# What ArviZ rightly says: some studies carry much of the posterior, few counts are few, and discrete.
pytestmark = [
    # of few studies some carry much of the posterior
    pytest.mark.filterwarnings("ignore:Estimated shape parameter of Pareto:UserWarning"),
    # counts are few and whole
    pytest.mark.filterwarnings("ignore:Variables .* look (discrete|binary):UserWarning"),
    # a short fit for a quick test
    pytest.mark.filterwarnings("ignore:Found chain dimension to be longer than draw:UserWarning"),
]
DRAWS = ("chain", "draw")


@pytest.fixture(scope="module")
def fits(counts_exact, counts_nuts, contrasts_exact, contrasts_nuts):
    def exact(name, evidence):
        model = load_model(name)
        return fit_exact(model, evidence, model.priors)

    latent = [[3, 1, 2], [3, 1, 4]]
    return {
        "latent counts, exact": counts_exact,
        "latent counts, nuts": counts_nuts,
        "contrasts, exact": contrasts_exact,
        "contrasts, nuts": contrasts_nuts,
        "counts, exact": exact("binomial_normal", counts([3, 0, 11, 6], [42, 25, 96, 31])),
        "rates, exact": exact("poisson_normal", rates([3, 0, 11, 6], [42.5, 18, 96, 31])),
        "latent rates, exact": exact("poisson_normal", rates([3, 1, np.nan], [42.5, 18, 31], tables=latent)),
        "odds ratios, exact": exact("normal_normal", contrasts([-0.6, 0.1, -0.4], [0.3] * 3, measure="OR")),
    }


NAMES = (
    "latent counts, exact",
    "latent counts, nuts",
    "contrasts, exact",
    "contrasts, nuts",
    "counts, exact",
    "rates, exact",
    "latent rates, exact",
    "odds ratios, exact",
)


@pytest.fixture(params=NAMES)
def fit(request, fits):
    yield fits[request.param]
    plt.close("all")


PLOTS = (
    "plot_dist plot_forest plot_ppc_dist plot_ppc_interval plot_ppc_pit plot_ppc_tstat plot_prior_posterior "
    "plot_rank plot_trace_dist"
)


@pytest.mark.parametrize("name", PLOTS.split())
def test_plots(name, fit):
    assert getattr(az, name)(fit, backend="matplotlib") is not None


def test_tables(fit):
    assert {"mu", "tau", "theta_new"} <= set(az.summary(fit).index)
    assert np.isfinite(az.loo(fit).elpd)
    assert len(az.compare({"a": fit, "b": fit})) == 2
    assert az.extract(fit).sizes["sample"] == fit["posterior"].sizes["chain"] * fit["posterior"].sizes["draw"]


def test_power_scaling_is_about_the_priors_of_mu_and_tau(fit):
    table = az.psense_summary(fit, var_names=["mu", "tau"])
    assert set(fit["log_prior"].dataset.data_vars) == {"mu", "tau"}
    # The prior of tau matters with so few studies, and to mu that of estimates, Normal(0, 10), does not.
    assert table.loc["tau", "prior"] > 0.02 and (table["likelihood"] > 0.01).all()
    if fit.attrs["measure"] == "GEN":
        assert table.loc["mu", "prior"] < 0.01


def test_leave_one_out_probabilities_need_one_likelihood_a_study(fits):
    for name in ("contrasts, exact", "counts, exact", "rates, exact"):
        assert az.plot_loo_pit(fits[name], backend="matplotlib") is not None
        plt.close("all")


def test_counts_are_counts_for_the_rootogram(fits):
    assert az.plot_ppc_rootogram(fits["counts, exact"], backend="matplotlib") is not None
    plt.close("all")


def test_what_is_held_against_each_other_is_of_the_same_studies(fits):
    """Replicates of unprinted counts beside the printed ones would make every predictive check fail."""
    fit = fits["latent counts, exact"]
    assert list(fit["observed_data"]["study"].values) == ["a", "b"]
    for group in ("posterior_predictive", "prior_predictive"):
        assert list(fit[group]["study"].values) == ["a", "b"]
        assert list(replicates(fit, "events", group)["study"].values) == ["a", "b", "c", "d"]
    assert (
        list(fit["unprinted"]["study"].values) == list(fit["unprinted_prior"]["study"].values) == ["c", "d"]
    )
    np.testing.assert_array_equal(observed(fit)["events"], [0, 5, np.nan, np.nan])


def test_where_no_count_is_printed_nothing_is_observed():
    model = load_model("binomial_normal")
    evidence = counts([np.nan, np.nan], [32, 35], ["a", "b"], tables=[[0, 5], [1, 4]])
    fit = fit_exact(model, evidence, model.priors)
    assert not fit["observed_data"].dataset.data_vars and np.isnan(observed(fit)["events"]).all()
    assert list(replicates(fit, "events")["study"].values) == ["a", "b"]


# --- fits written before they had this layout ------------------------------------------------------------


def before(fit):
    """A fit of latent counts as it was written then."""
    groups = {f"/{name}": fit[name].to_dataset() for name in fit.children if "unprinted" not in name}
    groups["/posterior"] = groups["/posterior"].assign(table=fit["unprinted"]["table"])
    for group in ("posterior_predictive", "prior_predictive"):
        groups[f"/{group}"] = xr.Dataset({"events": replicates(fit, "events", group)})
    groups["/observed_data"] = observed(fit)
    old = xr.DataTree.from_dict(groups)
    old.attrs.update(fit.attrs)
    return old


def same(one, other):
    assert set(one.children) == set(other.children) and one.attrs == other.attrs
    for name in one.children:
        xr.testing.assert_equal(one[name].to_dataset(), other[name].to_dataset())


def test_an_old_fit_is_read_as_a_new_one(counts_exact, tmp_path):
    old = before(counts_exact)
    assert "table" in old["posterior"].dataset and old["observed_data"].sizes["study"] == 4
    same(arranged(old), counts_exact)
    save(old, tmp_path / "old.nc")
    same(load(tmp_path / "old.nc", old.attrs["digest"]), counts_exact)


def test_a_fit_in_order_stays_as_it_is(fits):
    for fit in fits.values():
        same(arranged(fit), fit)


def test_several_observed_variables_have_one_likelihood():
    rng = np.random.default_rng(1)
    likelihood = xr.Dataset(
        {
            "deaths": ((*DRAWS, "interval"), rng.normal(size=(2, 50, 3))),
            "score": ((*DRAWS, "patient", "time"), rng.normal(size=(2, 50, 2, 2))),
            "events_latent": (DRAWS, rng.normal(size=(2, 50))),
        },
        {
            "chain": [0, 1],
            "draw": range(50),
            "interval": [1, 2, 3],
            "patient": ["x", "y"],
            "time": ["pre", "post"],
        },
    )
    posterior = xr.Dataset({"mu": (DRAWS, rng.normal(size=(2, 50)))}, {"chain": [0, 1], "draw": range(50)})
    fit = arranged(xr.DataTree.from_dict({"/posterior": posterior, "/log_likelihood": likelihood}))
    (joined,) = fit["log_likelihood"].dataset.data_vars.values()
    assert joined.dims == (*DRAWS, "observation") and joined.sizes["observation"] == 8
    total = sum(
        values.sum([dim for dim in values.dims if dim not in DRAWS]) for values in likelihood.values()
    )
    xr.testing.assert_allclose(joined.sum("observation"), total)
    at = joined.sel(observation="score[y, pre]", drop=True)
    np.testing.assert_array_equal(at, likelihood["score"].sel(patient="y", time="pre"))
    assert joined["observation"].values[0] == "deaths[1]" and "events_latent" in joined["observation"]
    assert np.isfinite(az.loo(fit).elpd)


def test_tables_of_counts_are_not_taken_for_observations():
    rng = np.random.default_rng(1)
    dims = {"reported": ["a"], "table_leaks": [1, 2], "latent": ["b", "c"]}
    drawn = xr.Dataset(
        {
            "leaks": ((*DRAWS, "reported"), rng.poisson(3, (2, 50, 1))),
            "leaks_latent": (
                (*DRAWS, "table_leaks", "latent"),
                np.repeat(rng.poisson(3, (2, 50, 1, 2)), 2, 2),
            ),
        },
        {"chain": [0, 1], "draw": range(50), **dims},
    )
    data = xr.Dataset(
        {"leaks": ("reported", [4.0]), "leaks_latent": (("table_leaks", "latent"), [[1, 2], [2, 1]])}, dims
    )
    posterior = xr.Dataset({"mu": (DRAWS, rng.normal(size=(2, 50)))}, {"chain": [0, 1], "draw": range(50)})
    groups = {"/posterior": posterior, "/posterior_predictive": drawn, "/observed_data": data}
    fit = arranged(xr.DataTree.from_dict(groups))
    assert set(fit["observed_data"].dataset) == set(fit["posterior_predictive"].dataset) == {"leaks"}
    assert fit["observed_data"]["leaks"].dtype.kind == "i"
    assert fit["unprinted"]["leaks_latent"].dims == (*DRAWS, "latent")
    assert az.plot_ppc_dist(fit, backend="matplotlib") is not None
    plt.close("all")
