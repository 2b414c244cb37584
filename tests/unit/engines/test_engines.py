"""Both engines: one layout, numbers that follow from the draws, and the same seed gives the same fit."""

import json

import arviz as az
import numpy as np
import pytest
import xarray as xr
from scipy import special, stats

import kyphobayes.engines.nuts as nuts_engine
from kyphobayes.checks.convergence import convergence
from kyphobayes.engines import fit_exact, fit_nuts
from kyphobayes.errors import EvidenceError, ImproperPosterior, NotConverged, PriorError
from kyphobayes.evidence import contrasts
from kyphobayes.fits import observed, replicates
from kyphobayes.priors import Priors

FITS = ["counts_exact", "counts_nuts", "contrasts_exact", "contrasts_nuts"]
GROUPS = {
    "posterior", "prior", "prior_predictive", "posterior_predictive", "log_likelihood", "log_prior",
    "observed_data", "constant_data",
}  # fmt: skip
STAMP = {
    "model", "formula", "model_digest", "evidence_digest", "measure", "priors", "engine", "seed", "settings",
    "versions", "prior_set", "digest",
}  # fmt: skip


@pytest.fixture(params=FITS)
def fit(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["counts_exact", "counts_nuts"])
def counts_fit(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["contrasts_exact", "contrasts_nuts"])
def contrasts_fit(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def posterior(binomial_normal, latent_counts):
    """The exact posterior of the counts, straight from the surface."""
    priors = binomial_normal.priors
    return binomial_normal.surface(latent_counts).posterior(mu=priors["mu"], tau=priors["tau"])


def same(left, right):
    """Whether two fits are equal to the bit: groups, variables, coordinates, attributes."""
    return (
        set(left.children) == set(right.children)
        and dict(left.attrs) == dict(right.attrs)
        and all(left[g].dataset.identical(right[g].dataset) for g in left.children)
    )


def engine(fit):
    return fit.attrs["engine"]


# --- the layout of kyphobayes.fits -----------------------------------------------------------------


def test_groups(fit):
    own = {"exact": {"quadrature"}, "nuts": {"sample_stats"}}[engine(fit)]
    latent = {"unprinted", "unprinted_prior"} if "tables" in fit["constant_data"].dataset else set()
    assert set(fit.children) == GROUPS | own | latent


def test_dims(fit):
    k = fit["constant_data"].sizes["study"]
    draws = fit["posterior"].sizes["draw"]
    expected = json.loads(fit.attrs["settings"])
    assert fit["posterior"].sizes["chain"] == expected["chains"] and draws == expected["draws"]
    posterior = fit["posterior"].dataset
    for name in ("mu", "tau", "theta_new"):
        assert posterior[name].dims == ("chain", "draw")
    assert posterior["theta"].dims == ("chain", "draw", "study") and posterior.sizes["study"] == k
    for group in ("posterior_predictive", "prior_predictive"):
        (variable,) = fit[group].dataset.data_vars.values()
        assert variable.dims == ("chain", "draw", "study")
    assert fit["prior"].dataset["theta"].dims == ("chain", "draw", "study")
    assert set(fit["log_prior"].dataset.data_vars) == {"mu", "tau"}
    for group in ("posterior", "prior"):
        assert list(fit[group]["study"].values) == list(fit["constant_data"]["study"].values)
    for group in ("posterior_predictive", "prior_predictive"):  # what ArviZ compares is of one shape and type
        for name, values in fit["observed_data"].dataset.data_vars.items():
            assert list(fit[group][name]["study"].values) == list(values["study"].values)
            assert fit[group][name].dtype == values.dtype
    numbers = {n: v for g in fit.children for n, v in fit[g].dataset.data_vars.items()}
    assert all(np.isfinite(v.values).all() for v in numbers.values())


def test_latent_counts_have_their_tables(counts_fit, latent_counts):
    printed = counts_fit["observed_data"]["events"]
    assert list(printed["study"].values) == ["a", "b"] and list(printed.values) == [0, 5]
    np.testing.assert_array_equal(observed(counts_fit)["events"], [0, 5, np.nan, np.nan])
    assert list(counts_fit["unprinted"]["study"].values) == ["c", "d"]
    np.testing.assert_array_equal(counts_fit["constant_data"]["n"], latent_counts.n)
    np.testing.assert_array_equal(counts_fit["constant_data"]["tables"], latent_counts.tables)
    np.testing.assert_array_equal(counts_fit["constant_data"]["weights"], latent_counts.weights)
    assert counts_fit["constant_data"]["tables"].dims == ("table", "study")
    table = counts_fit["unprinted"]["table"]
    assert table.dims == ("chain", "draw") and set(np.unique(table)) <= {0, 1, 2}
    assert list(counts_fit["log_likelihood"]["observation"].values) == ["a", "b", "c + d"]


def test_contrasts_have_their_data(contrasts_fit, six_contrasts):
    np.testing.assert_array_equal(contrasts_fit["observed_data"]["y"], six_contrasts.y)
    np.testing.assert_array_equal(contrasts_fit["constant_data"]["se"], six_contrasts.se)
    assert list(contrasts_fit["log_likelihood"]["study"].values) == list(six_contrasts.labels)
    assert "unprinted" not in contrasts_fit.children


def test_stamp(fit, binomial_normal, normal_normal):
    extra = {"rung"} if engine(fit) == "nuts" else set()
    assert set(fit.attrs) == STAMP | extra
    model = {"binomial_normal": binomial_normal, "normal_normal": normal_normal}[fit.attrs["model"]]
    assert fit.attrs["seed"] == "1" and fit.attrs["prior_set"] == "default"
    assert fit.attrs["model_digest"] == model.digest and fit.attrs["formula"] == model.formula
    assert json.loads(fit.attrs["priors"]) == model.priors.texts()
    assert {"kyphobayes", "pymc", "arviz", "numpy"} <= set(json.loads(fit.attrs["versions"]))
    assert all(isinstance(value, str) for value in fit.attrs.values())
    assert all(not fit[group].dataset.attrs for group in fit.children)


def test_sample_stats_have_pymc_names(counts_nuts, contrasts_nuts):
    for fit in (counts_nuts, contrasts_nuts):
        stats_ = fit["sample_stats"].dataset
        assert set(stats_) == {
            "diverging", "energy", "lp", "tree_depth", "reached_max_treedepth", "acceptance_rate",
            "step_size", "n_steps",
        }  # fmt: skip
        assert stats_["diverging"].dtype == bool and not stats_["diverging"].any()


# --- numbers that follow from the draws -----------------------------------------------------------


def test_log_prior_is_that_of_mu_and_tau(counts_fit):
    posterior, log_prior = counts_fit["posterior"].dataset, counts_fit["log_prior"].dataset
    np.testing.assert_allclose(log_prior["mu"], stats.norm(-2.5, 1.5).logpdf(posterior["mu"]), rtol=1e-10)
    np.testing.assert_allclose(log_prior["tau"], stats.halfnorm(scale=1).logpdf(posterior["tau"]), rtol=1e-10)


def test_log_likelihood_of_counts(counts_fit, latent_counts):
    """Each printed count is one observation; the latent ones are one together, averaged over the tables."""
    p = special.expit(counts_fit["posterior"]["theta"].values)
    found = counts_fit["log_likelihood"]["events"].transpose("chain", "draw", "observation").values
    printed = stats.binom.logpmf([0, 5], [32, 35], p[..., :2])
    np.testing.assert_allclose(found[..., :2], printed, rtol=1e-8, atol=1e-10)
    by_table = stats.binom.logpmf(latent_counts.tables[:, 2:], [30, 40], p[..., None, 2:]).sum(axis=-1)
    latent = special.logsumexp(by_table, axis=-1, b=[0.25, 0.25, 0.5])
    np.testing.assert_allclose(found[..., 2], latent, rtol=1e-8, atol=1e-10)


def test_log_likelihood_of_contrasts(contrasts_fit, six_contrasts):
    theta = contrasts_fit["posterior"]["theta"].values
    found = contrasts_fit["log_likelihood"]["y"].transpose("chain", "draw", "study").values
    np.testing.assert_allclose(found, stats.norm.logpdf(six_contrasts.y, theta, six_contrasts.se), rtol=1e-8)


def test_table_is_drawn_with_its_posterior_probability(counts_fit, posterior):
    probabilities = posterior.table_probabilities()
    table = counts_fit["unprinted"]["table"].values.ravel()
    share = np.bincount(table, minlength=3) / len(table)
    # The draws of NUTS are not independent: a quarter of them are taken to be.
    error = np.sqrt(probabilities * (1 - probabilities) / (len(table) / 4))
    assert (np.abs(share - probabilities) < 4 * error).all()
    assert np.ptp(probabilities) > 0.02


def test_predictive_counts_fit_their_denominators(counts_fit, latent_counts):
    for group in ("posterior_predictive", "prior_predictive"):
        events = replicates(counts_fit, "events", group).transpose("chain", "draw", "study").values
        assert np.issubdtype(events.dtype, np.integer)
        assert (events >= 0).all() and (events <= latent_counts.n).all()
        assert (events.std(axis=(0, 1)) > 0).all()


def test_predictive_counts_follow_theta_of_their_own_study(counts_fit, latent_counts):
    """Replicates are matched to studies: their mean is n p, and they go with their own theta."""
    p = special.expit(counts_fit["posterior"]["theta"].values).reshape(-1, 4)
    events = replicates(counts_fit, "events").transpose("chain", "draw", "study").values.reshape(-1, 4)
    expected = latent_counts.n * p
    noise = np.sqrt((expected * (1 - p)).mean(axis=0) / len(p))
    assert (np.abs((events - expected).mean(axis=0)) < 4.5 * noise).all()


def test_prior_draws_are_from_the_prior(fit):
    mu, tau = (fit["prior"][name].values.ravel() for name in ("mu", "tau"))
    centre, spread = {"PLO": (-2.5, 1.5), "GEN": (0, 10)}[fit.attrs["measure"]]
    assert stats.kstest(mu, stats.norm(centre, spread).cdf).pvalue > 1e-4
    assert stats.kstest(tau, stats.halfnorm(scale=1).cdf).pvalue > 1e-4


def test_quadrature_of_the_exact_engine(counts_exact, posterior):
    quadrature = counts_exact["quadrature"].dataset
    assert list(quadrature["quantity"].values) == [
        "mu", "tau", "theta_new", "theta[a]", "theta[b]", "theta[c]", "theta[d]",
    ]  # fmt: skip
    table = quadrature["summary"].to_series().unstack("statistic")
    for name, row in posterior.summary().iterrows():
        np.testing.assert_allclose(
            table.loc[name, ["mean", "sd", "median", "low", "high"]].astype(float), row, rtol=1e-8
        )
    for name, row in posterior.shrinkage().iterrows():
        assert table.loc[f"theta[{name}]", "mean"] == pytest.approx(row["mean"], rel=1e-8)
    assert float(quadrature["log_marginal_likelihood"]) == pytest.approx(
        posterior.log_marginal_likelihood, abs=1e-9
    )
    assert 0 <= float(quadrature["error"]) < 1e-6
    areas = np.trapezoid(quadrature["density"], quadrature["x"], axis=-1)
    np.testing.assert_allclose(areas, 1, atol=2e-3)


def test_draws_of_the_exact_engine_are_from_its_posterior(counts_exact, posterior, latent_counts):
    for name in ("mu", "tau", "theta_new"):
        draws = counts_exact["posterior"][name].values.ravel()
        assert stats.kstest(draws, lambda x, name=name: posterior.cdf(name, x)).pvalue > 1e-4
    for i, label in enumerate(latent_counts.labels):
        draws = counts_exact["posterior"]["theta"].values[..., i].ravel()
        assert stats.kstest(draws, lambda x, label=label: posterior.cdf(label, x)).pvalue > 1e-4


def test_nuts_meets_its_own_gate(counts_nuts, contrasts_nuts):
    assert convergence(counts_nuts).passed and convergence(contrasts_nuts).passed


# --- seeds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "model", "evidence", "first"),
    [
        (fit_exact, "binomial_normal", "latent_counts", "counts_exact"),
        (fit_nuts, "normal_normal", "six_contrasts", "contrasts_nuts"),
    ],
    ids=["exact", "nuts"],
)
def test_same_seed_same_fit_to_the_bit_and_another_seed_another(make, model, evidence, first, request):
    model, evidence, first = (request.getfixturevalue(name) for name in (model, evidence, first))
    assert same(make(model, evidence, model.priors, seed=1), first)
    other = make(model, evidence, model.priors, seed=2)
    assert other.attrs["digest"] != first.attrs["digest"]
    (data,) = first["posterior_predictive"].dataset.data_vars
    for group, name in (
        ("posterior", "mu"),
        ("posterior", "theta"),
        ("posterior_predictive", data),
        ("prior", "tau"),
    ):
        assert not np.array_equal(other[group][name].values, first[group][name].values)


# --- ArviZ works on what comes out ----------------------------------------------------------------


def test_summary_of_arviz(fit):
    table = az.summary(fit, var_names=["mu", "tau", "theta_new", "theta"], ci_prob=0.95, round_to="none")
    assert len(table) == 3 + fit["posterior"].sizes["study"]
    assert (table["r_hat"] < 1.01).all() and (table["ess_bulk"] > 400).all()


# With four or six observations some always carry much of the posterior; ArviZ says so by a high Pareto k.
@pytest.mark.filterwarnings("ignore:Estimated shape parameter of Pareto:UserWarning")
def test_loo_of_arviz(fit):
    elpd = az.loo(fit)
    (likelihood,) = fit["log_likelihood"].dataset.data_vars.values()
    assert elpd.n_data_points == likelihood.isel(chain=0, draw=0).size
    assert np.isfinite(elpd.elpd) and elpd.se > 0


# With four or six observations some carry much of the posterior, as above.
@pytest.mark.filterwarnings("ignore:Estimated shape parameter of Pareto:UserWarning")
def test_power_scaling_of_arviz_sees_the_priors_of_mu_and_tau(fit):
    table = az.psense_summary(fit, var_names=["mu", "tau"])
    assert list(table.index) == ["mu", "tau"]
    assert np.isfinite(table[["prior", "likelihood"]].to_numpy(dtype=float)).all()


def test_power_scaling_sees_that_a_prior_matters(counts_exact):
    """Four small studies: the prior of tau matters to tau."""
    table = az.psense_summary(counts_exact, var_names=["mu", "tau"])
    assert float(table.loc["tau", "prior"]) > 0.02


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [fit_exact, fit_nuts])
def test_the_wrong_view_or_no_prior(make, binomial_normal, six_contrasts, latent_counts):
    with pytest.raises(EvidenceError, match="binomial_normal takes Counts, found Contrasts"):
        make(binomial_normal, six_contrasts, binomial_normal.priors)
    with pytest.raises(PriorError, match="no prior for tau"):
        make(binomial_normal, latent_counts, Priors.of("half", mu="Normal(mu=0, sigma=1)"))


def test_a_flat_tau_on_one_study_is_refused_by_the_exact_engine(normal_normal):
    priors = Priors.of("flat", mu="Normal(mu=0, sigma=1)", tau="HalfFlat()")
    with pytest.raises(ImproperPosterior, match="with 1 study"):
        fit_exact(normal_normal, contrasts([0.4], [0.3]), priors)


# --- the gate of NUTS -----------------------------------------------------------------------------


def some_draws(good):
    """Draws as `_sample` returns them: independent, or with chains that do not agree and a divergence."""
    rng = np.random.default_rng(0)
    shape = (4, 1000)
    offset = np.zeros((4, 1)) if good else np.arange(4.0)[:, None]
    posterior = xr.Dataset(
        {
            name: (("chain", "draw"), np.abs(rng.normal(size=shape) + offset))
            for name in ("mu", "tau", "theta_new")
        }
        | {"theta": (("chain", "draw", "study"), rng.normal(size=(*shape, 4)))},
        {"chain": range(4), "draw": range(1000), "study": ["a", "b", "c", "d"]},
    )
    stats_ = xr.Dataset(
        {
            "diverging": (("chain", "draw"), np.zeros(shape, dtype=bool)),
            "energy": (("chain", "draw"), rng.normal(size=shape)),
        }
    )
    if not good:
        stats_["diverging"].values[0, 0] = True
    return xr.DataTree.from_dict({"/posterior": posterior, "/sample_stats": stats_})


@pytest.fixture
def tried(monkeypatch):
    """Rungs that were tried; draws are good from a given rung on, and completing a fit is recorded."""
    rungs = []

    def set_up(good_from):
        def sample(model, evidence, priors, rung, seed, progress):
            rungs.append(rung)
            return some_draws(len(rungs) > good_from)

        def complete(posterior, *_):
            rungs.append("complete")
            return xr.DataTree.from_dict({"/posterior": posterior})

        monkeypatch.setattr(nuts_engine, "_sample", sample)
        monkeypatch.setattr(nuts_engine, "complete", complete)
        return rungs

    return set_up


def test_not_converged_names_the_diagnostics_of_every_attempt(tried, binomial_normal, latent_counts):
    rungs = tried(99)
    with pytest.raises(NotConverged) as error:
        fit_nuts(binomial_normal, latent_counts, binomial_normal.priors)
    assert rungs == list(nuts_engine.LADDER)  # and nothing was made of the draws
    message = str(error.value)
    assert "\n" not in message
    for word in ("binomial_normal", "3 attempts", "R-hat", "bulk ESS", "divergences 1"):
        assert word in message
    assert message.count("R-hat") == 3


@pytest.mark.parametrize("good_from", [0, 1, 2])
def test_the_first_rung_that_passes_is_taken_and_recorded(good_from, tried, binomial_normal, latent_counts):
    rungs = tried(good_from)
    fit = fit_nuts(binomial_normal, latent_counts, binomial_normal.priors)
    assert rungs == [*nuts_engine.LADDER[: good_from + 1], "complete"]
    assert fit.attrs["rung"] == str(dict(nuts_engine.LADDER[good_from]))


def test_ladder_becomes_more_careful_and_then_changes_the_parametrisation():
    accept = [rung["target_accept"] for rung in nuts_engine.LADDER]
    tune = [rung["tune"] for rung in nuts_engine.LADDER]
    assert accept == sorted(accept) and tune == sorted(tune)
    assert [rung["centred"] for rung in nuts_engine.LADDER] == [False, False, True]


def test_one_real_rung_that_is_too_short_does_not_pass(monkeypatch, normal_normal, six_contrasts):
    """Ten draws after ten steps of tuning are no result, whatever their values."""
    monkeypatch.setattr(nuts_engine, "LADDER", ({"centred": False, "target_accept": 0.8, "tune": 10},))
    monkeypatch.setattr(nuts_engine, "SETTINGS", nuts_engine.SETTINGS | {"draws": 10})
    with pytest.raises(NotConverged, match="1 attempt"):
        fit_nuts(normal_normal, six_contrasts, normal_normal.priors, seed=3)
