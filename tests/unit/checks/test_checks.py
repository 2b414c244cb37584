"""Checks pass on fits that are right and fail on fits that were made wrong."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from kyphobayes.checks.agreement import MCSE_BOUND, SD_BOUND, SD_LIMIT, certificate
from kyphobayes.checks.convergence import convergence
from kyphobayes.checks.predictive import predictive
from kyphobayes.fits import summary
from kyphobayes.witness import witness

PAIRS = [
    ("counts_exact", "counts_nuts", "latent_counts"),
    ("contrasts_exact", "contrasts_nuts", "six_contrasts"),
]


@pytest.fixture(params=PAIRS, ids=["counts", "contrasts"])
def pair(request):
    """Exact fit, NUTS fit, frequentist witness of the same evidence."""
    exact, nuts, evidence = (request.getfixturevalue(name) for name in request.param)
    return exact, nuts, witness(evidence)


def changed(fit, **variables):
    """A copy of a fit with some posterior variables changed."""
    posterior = fit["posterior"].dataset
    copy = fit.copy()
    copy["posterior"] = xr.DataTree(posterior.assign({n: f(posterior[n]) for n, f in variables.items()}))
    return copy


def failures(check):
    return set(check.table.loc[~check.table["passed"], "quantity"])


# --- agreement: exact and NUTS --------------------------------------------------------------------


def test_certificate_passes_on_fits_of_one_model(pair):
    exact, nuts, other = pair
    check = certificate(exact, nuts, other)
    engines = check.table[check.table["between"] == "exact ~ NUTS"]
    k = exact["posterior"].sizes["study"]
    assert len(engines) == 3 * (3 + k) and engines["passed"].all()
    assert (engines["difference"].abs() <= MCSE_BOUND).all()
    assert set(engines["unit"]) == {"MCSE"} and (engines["reason"] == "").all()


def test_differences_are_in_units_of_the_monte_carlo_error(pair):
    exact, nuts, other = pair
    table = certificate(exact, nuts, other).table.set_index("quantity")
    error = summary(nuts).loc["mu", "mcse_mean"]
    expected = (summary(nuts).loc["mu", "mean"] - summary(exact).loc["mu", "mean"]) / error
    assert table.loc["mu mean", "difference"] == pytest.approx(expected, rel=1e-12)
    assert summary(exact).loc["mu", "mean"] == pytest.approx(
        float(exact["quadrature"]["summary"].sel(quantity="mu", statistic="mean")), rel=1e-12
    )


@pytest.mark.parametrize("sign", [-1, 1])
def test_certificate_fails_when_mu_is_shifted(pair, sign):
    exact, nuts, other = pair
    shift = sign * 10 * summary(nuts).loc["mu", "mcse_mean"]
    check = certificate(exact, changed(nuts, mu=lambda mu: mu + shift), other)
    assert not check.passed
    assert "mu mean" in failures(check)
    assert "disagree" in check.text and "exact ~ NUTS on mu mean" in check.text


def test_certificate_fails_when_tau_is_wrong(pair):
    exact, nuts, other = pair
    check = certificate(exact, changed(nuts, tau=lambda tau: 1.15 * tau), other)
    assert not check.passed and {"tau mean", "tau high"} <= failures(check)


def test_certificate_fails_when_only_the_spread_is_wrong(pair):
    """The mean agrees, the interval does not."""
    exact, nuts, other = pair
    check = certificate(exact, changed(nuts, mu=lambda mu: mu.mean() + 1.4 * (mu - mu.mean())), other)
    assert not check.passed and {"mu low", "mu high"} <= failures(check) and "mu mean" not in failures(check)


def test_certificate_fails_when_one_study_is_another(pair):
    exact, nuts, other = pair
    check = certificate(
        exact, changed(nuts, theta=lambda theta: theta.copy(data=theta.values[..., ::-1])), other
    )
    assert not check.passed and any(q.startswith("theta[") for q in failures(check))


def test_certificate_fails_on_missing_numbers(pair):
    exact, nuts, other = pair
    check = certificate(exact, nuts, other.assign(mu=np.nan))
    assert not check.passed and failures(check) == {"mu"}


# --- agreement: Bayes and frequentist -------------------------------------------------------------


def one_method(fit, sds, **row):
    """A frequentist row whose mu lies so many posterior sd from the Bayesian mean, tau where Bayes has it."""
    table = summary(fit)
    mu = table.loc["mu", "mean"] + sds * table.loc["mu", "sd"]
    tau2 = table.loc["tau", "mean"] ** 2
    plain = {"measure": "PLO", "mu": mu, "tau2": tau2, "tau2_lowest": 0.3, "corrected": 0, "k": 9}
    return pd.DataFrame([plain | row], index=["REML"])


@pytest.mark.parametrize("engines", [(True, False), (False, True)])
def test_one_engine_is_held_against_the_witness_alone(engines, counts_exact, counts_nuts):
    exact, nuts = (
        fit if use else None for fit, use in zip((counts_exact, counts_nuts), engines, strict=True)
    )
    check = certificate(exact, nuts, one_method(exact or nuts, 0.1))
    assert check.passed and list(check.table["quantity"]) == ["mu", "tau"]
    assert check.table["difference"].iloc[0] == pytest.approx(0.1)


@pytest.mark.parametrize("sds", [-0.6, 0.6, 1.9])
def test_a_difference_without_a_reason_fails(sds, counts_exact):
    check = certificate(counts_exact, None, one_method(counts_exact, sds))
    assert not check.passed and failures(check) == {"mu"} and "posterior sd" in check.text


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"corrected": 2}, "0.5 was added to both cells of 2 studies"),
        ({"tau2_lowest": 0.0}, "boundary 0"),
        ({"k": 4}, "with 4 studies"),
    ],
)
def test_a_difference_with_a_reason_passes_and_says_it(row, words, counts_exact):
    check = certificate(counts_exact, None, one_method(counts_exact, 1.5, **row))
    assert check.passed and "known reason" in check.text
    assert words in check.table.set_index("quantity").loc["mu", "reason"]
    close = certificate(counts_exact, None, one_method(counts_exact, 0.1, **row))
    assert (close.table["reason"] == "").all()  # no excuse where none is needed


def test_priors_that_matter_are_a_reason(counts_exact):
    far = one_method(counts_exact, 1.5)
    assert not certificate(counts_exact, None, far, prior_range=0.4).passed
    check = certificate(counts_exact, None, far, prior_range=0.9)
    assert check.passed and "the prior matters" in check.table["reason"].iloc[0]


@pytest.mark.parametrize("sds", [-3, 3, SD_LIMIT + 0.01])
def test_no_reason_excuses_a_large_difference(sds, counts_exact):
    every = {"corrected": 2, "tau2_lowest": 0.0, "k": 3}
    check = certificate(counts_exact, None, one_method(counts_exact, sds, **every), prior_range=9.0)
    assert not check.passed and failures(check) == {"mu"}


def test_a_prior_that_holds_the_estimate_to_be_improbable_decides(counts_exact):
    far = one_method(counts_exact, 0.1, tau2=16.0)  # far beyond what was expected of tau
    check = certificate(counts_exact, None, far)
    reason = check.table.set_index("quantity").loc["tau", "reason"]
    assert check.passed and "the prior for tau decides" in reason and "would say 4" in reason
    unknown = counts_exact.copy()
    del unknown["prior"]  # an improper prior expects nothing, and decides nothing
    assert failures(certificate(unknown, None, far)) == {"tau"}


@pytest.mark.parametrize(("k", "passed"), [(9, True), (10, False)])
def test_with_few_studies_two_estimates_of_tau_may_differ_but_not_of_mu(k, passed, counts_exact):
    tau = summary(counts_exact).loc["tau"]
    other = one_method(counts_exact, 0.1, k=k, tau2=(tau["mean"] - tau["sd"]) ** 2)
    check = certificate(counts_exact, None, other)
    reasons = check.table.set_index("quantity")["reason"]
    assert check.passed == passed and ("with 9 studies" in reasons["tau"]) == passed
    assert not certificate(counts_exact, None, one_method(counts_exact, 1.0, k=k)).passed


def test_bounds_are_those_of_the_documentation():
    assert (MCSE_BOUND, SD_BOUND, SD_LIMIT) == (4.5, 0.5, 2.0)


# --- convergence ----------------------------------------------------------------------------------


def draws(seed=0, **changes):
    """Independent draws of four chains, or with something wrong."""
    rng = np.random.default_rng(seed)
    mu, energy = rng.normal(size=(4, 1000)), rng.normal(size=(4, 1000))
    diverging = np.zeros((4, 1000), dtype=bool)
    given = {"mu": mu, "energy": energy, "diverging": diverging} | {
        name: change(rng) for name, change in changes.items()
    }
    dims = ("chain", "draw")
    return xr.DataTree.from_dict(
        {
            "/posterior": xr.Dataset(
                {"mu": (dims, given["mu"]), "tau": (dims, np.abs(rng.normal(size=(4, 1000))))}
            ),
            "/sample_stats": xr.Dataset({name: (dims, given[name]) for name in ("energy", "diverging")}),
        }
    )


def autocorrelated(rng, rho=0.97):
    noise, out = rng.normal(size=(4, 1000)), np.zeros((4, 1000))
    for i in range(1, 1000):
        out[:, i] = rho * out[:, i - 1] + noise[:, i]
    return out


def one_divergence(rng):
    out = np.zeros((4, 1000), dtype=bool)
    out[2, 17] = True
    return out


def heavy_only_in_the_tail(rng):
    """Chains that agree in the middle and stay in the tail for long when they get there."""
    out = rng.normal(size=(4, 1000))
    out[:, 300:340] = np.abs(out[:, 300:340]) + 4
    out[:, 700:740] = -np.abs(out[:, 700:740]) - 4
    return out


def test_good_draws_pass():
    check = convergence(draws())
    assert check.passed and check.table["passed"].all() and "converged" in check.text
    assert list(check.table.index) == ["R-hat", "bulk ESS", "tail ESS", "divergences", "E-BFMI"]


BAD = {
    "R-hat": dict(mu=lambda rng: rng.normal(size=(4, 1000)) + np.array([0, 0, 0, 0.5])[:, None]),
    "bulk ESS": dict(mu=autocorrelated),
    "tail ESS": dict(mu=heavy_only_in_the_tail),
    "divergences": dict(diverging=one_divergence),
    "E-BFMI": dict(energy=lambda rng: np.cumsum(rng.normal(size=(4, 1000)), axis=1)),
}


@pytest.mark.parametrize("diagnostic", BAD)
def test_bad_draws_fail_by_the_diagnostic_they_are_bad_in(diagnostic):
    check = convergence(draws(**BAD[diagnostic]))
    assert not check.passed
    assert not check.table.loc[diagnostic, "passed"]
    assert diagnostic in check.text


def test_one_bad_variable_among_good_ones_is_enough():
    tree = draws()
    rng = np.random.default_rng(1)
    theta = rng.normal(size=(4, 1000, 5))
    theta[1, :, 3] += 1
    tree["posterior"] = xr.DataTree(
        tree["posterior"].dataset.assign(theta=(("chain", "draw", "study"), theta))
    )
    assert not convergence(tree).passed


# A quantity that does not move has variance 0, and ArviZ divides by it.
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("stuck", [np.zeros((4, 1000)), np.full((4, 1000), np.nan)], ids=["constant", "nan"])
def test_a_quantity_that_does_not_move_is_no_result(stuck):
    assert not convergence(draws(mu=lambda _: stuck)).passed


# --- posterior predictive -------------------------------------------------------------------------


def predictive_tree(observed, replicated, n):
    labels = [f"s{i}" for i in range(len(observed))]
    return xr.DataTree.from_dict(
        {
            "/posterior": xr.Dataset(
                {"mu": (("chain", "draw"), np.zeros((1, len(replicated))))}, {"study": labels}
            ),
            "/posterior_predictive": xr.Dataset(
                {"events": (("chain", "draw", "study"), replicated[None])}, {"study": labels}
            ),
            "/observed_data": xr.Dataset(
                {"events": ("study", np.asarray(observed, dtype=float))}, {"study": labels}
            ),
            "/constant_data": xr.Dataset({"n": ("study", np.asarray(n, dtype=float))}, {"study": labels}),
        }
    )


def test_predictive_passes_on_real_fits(pair):
    exact, nuts, _ = pair
    for fit in (exact, nuts):
        check = predictive(fit)
        assert check.passed and "look like" in check.text
        k = fit["posterior"].sizes["study"]
        assert list(check.table.index[:k]) == list(fit["posterior"]["study"].values)
        assert check.table["p"].between(0, 1).all()
        assert (check.table["low"] <= check.table["high"]).all()


def test_predictive_passes_on_data_of_the_model_and_fails_on_data_it_cannot_make():
    rng = np.random.default_rng(0)
    n = [40, 40, 40]
    replicated = rng.binomial(40, 0.1, size=(4000, 3))
    assert predictive(predictive_tree([4, 5, 3], replicated, n)).passed
    check = predictive(predictive_tree([4, 30, 3], replicated, n))
    assert not check.passed and "s1" in check.text
    assert check.table.loc["s1", "p"] == 0 and check.table.loc["highest rate", "p"] == 0


def test_predictive_sees_what_no_single_study_shows():
    """Each count is ordinary, but twelve studies without an event among twelve are not."""
    rng = np.random.default_rng(0)
    replicated = rng.binomial(40, 0.03, size=(4000, 12))
    check = predictive(predictive_tree([0] * 12, replicated, [40] * 12))
    extreme = check.table["p"].clip(upper=1 - check.table["p"]) < 0.01
    assert not check.passed
    assert not extreme[[f"s{i}" for i in range(12)]].any()
    assert extreme["studies without an event"] and extreme["all events"]


def test_predictive_p_is_the_mid_p_value():
    replicated = np.array([[0, 1], [1, 1], [2, 1], [3, 1]])
    table = predictive(predictive_tree([1, 1], replicated, [5, 5])).table
    assert table.loc["s0", "p"] == pytest.approx((2 + 0.5) / 4)
    assert table.loc["s1", "p"] == 0.5


def test_predictive_fails_on_contrasts_the_model_cannot_make(contrasts_exact):
    far = contrasts_exact.copy()
    y = far["observed_data"].dataset["y"].values.copy()
    y[2] = 25.0
    far["observed_data"] = xr.DataTree(far["observed_data"].dataset.assign(y=("study", y)))
    check = predictive(far)
    assert not check.passed and {"study 3", "largest"} <= set(check.table.index[check.table["p"] < 0.01])


def test_latent_counts_are_compared_with_the_table_of_the_same_draw(counts_exact, latent_counts):
    check = predictive(counts_exact)
    table = counts_exact["unprinted"]["table"].values.ravel()
    expected = latent_counts.tables[table].mean(axis=0)
    np.testing.assert_allclose(check.table.loc[["a", "b", "c", "d"], "observed"], expected, rtol=1e-12)


# --- agreement: the likelihood itself -------------------------------------------------------------


def same_likelihood(**changed):
    places = {"mu": [-3.0, -2.0], "tau": [0.5, 1.0], "exact": [-9.0, -8.0], "frequentist": [-9.0, -8.0]}
    return pd.DataFrame(places | changed)


def test_likelihoods_that_agree_are_one_comparison(counts_exact):
    check = certificate(counts_exact, None, one_method(counts_exact, 0.1), likelihoods=same_likelihood())
    assert check.passed and next(iter(check.table["between"])) == "exact ~ frequentist"


@pytest.mark.parametrize("value", [-8.0 + 2e-7, -8.1, np.nan])
def test_likelihoods_that_differ_fail_whatever_the_estimates(value, counts_exact):
    other = same_likelihood(frequentist=[-9.0, value])
    check = certificate(counts_exact, None, one_method(counts_exact, 0.0), likelihoods=other)
    assert not check.passed
    assert "log likelihood at mu -2, tau 1" in check.table.loc[~check.table["passed"], "quantity"].item()
