"""Posteriors at the extremes against integrals by mpmath: the true error is within what `error` reports."""

import mpmath
import numpy as np
import pytest

from kyphobayes import exact
from kyphobayes.errors import InputError, KyphobayesError
from kyphobayes.exact.posterior import Posterior

TIMES = 2.0  # the reported error is an estimate, not a bound
ROUNDING = 2e-13  # of a probability or a log marginal likelihood of ordinary size
Q = (1e-4, 0.025, 0.5, 0.975, 1 - 1e-4)
WIDE = 0.6  # panels of the reference in log tau; narrower where the posterior is

# y, se, (mean, sd) of mu or None for flat, tau's prior by name and parameters, tau's reach, width of panels
NORMAL = {
    "tau next to 0": ([1, 2, 3], [1] * 3, (0, 10), ("half_normal", 1e-8), (1e-22, 1e-6), WIDE),
    "tau almost 0": ([1, 2, 3], [1] * 3, (0, 10), ("half_normal", 1e-90), (1e-104, 1e-88), WIDE),
    "half-Cauchy of a million": ([1, 2, 3], [1] * 3, (0, 10), ("half_cauchy", 1e6), (1e-14, 1e12), WIDE),
    "two studies, flat mu": ([1, 2], [1] * 2, None, ("half_cauchy", 1e6), (1e-14, 1e22), WIDE),
    "one study, flat mu": ([1], [1], None, ("half_cauchy", 1e8), (1e-14, 1e26), WIDE),
    "one study, tau far out": ([1], [1], (0, 10), ("half_normal", 1e8), (1e-14, 1e10), WIDE),
    "tau from 1e3 to 1e8": ([1], [1], (0, 10), ("uniform", 1e3, 1e8), (1e3, 1e8), WIDE),
    "flat tau": ([1, 2, 3, 4], [1] * 4, None, ("flat",), (1e-14, 1e20), WIDE),
    "flat tau, heavy tail": ([1, 2, 3], [1] * 3, None, ("flat",), (1e-14, 1e26), WIDE),
    "ratio of errors 1e6": ([0, 500], [1e-3, 1e3], (0, 10), ("half_normal", 1), (1e-17, 60), WIDE),
    "ratio of errors 1e6, four": (
        [0, 0.1, 500, -800], [1e-3, 1e-3, 1e3, 1e3], (0, 10), ("half_normal", 1), (1e-17, 60), WIDE,
    ),
    "data 30 sd off": ([30, 30.5], [0.5] * 2, (0, 1), ("half_normal", 0.5), (1e-10, 30), WIDE / 4),
    "data 300 sd off": ([300], [1], (0, 1), ("half_normal", 1), (1, 60), WIDE / 12),
    "all alike": ([2] * 4, [1] * 4, (0, 10), ("half_normal", 1), (1e-14, 60), WIDE),
    "tiny unit": ([1e-9, 2e-9], [1e-9, 3e-9], (0, 1e-8), ("half_normal", 1e-9), (1e-23, 6e-8), WIDE),
}  # fmt: skip
NAMES = {"half_normal": "HalfNormal", "half_cauchy": "HalfCauchy", "uniform": "Uniform", "flat": "HalfFlat"}
TOO_HEAVY = {"one study, flat mu"}  # for a grid over (mu, tau), which says so
TOO_FAR = {"data 300 sd off"}  # for the effect of a study by such a grid
# Where only tau is left, all; on a grid over (mu, tau), as counts need, those that cost a second.
ON_A_GRID = {
    "tau next to 0", "tau from 1e3 to 1e8", "ratio of errors 1e6", "ratio of errors 1e6, four",
    "data 30 sd off", "data 300 sd off", "all alike", "tiny unit",
}  # fmt: skip


def normal_case(witness, name):
    y, se, mu, (family, *parameters), reach, width = NORMAL[name]
    log_prior = getattr(witness, f"log_{family}")(*parameters)
    reference = witness.NormalReference(y, se, mu, log_prior, reach, width)
    flat_or_normal = "Flat()" if mu is None else f"Normal({mu[0]}, {mu[1]})"
    return reference, y, se, flat_or_normal, f"{NAMES[family]}({', '.join(map(repr, parameters))})"


def check_normal(post, reference, quantities):
    allowed = TIMES * post.error + ROUNDING
    size = max(1.0, abs(post.log_marginal_likelihood))
    assert abs(post.log_marginal_likelihood - reference.log_marginal_likelihood) < allowed * size
    assert post.error < 1e-6
    for quantity in quantities:
        places = post.quantile(quantity, Q)
        true = np.array([float(reference.cdf(quantity, x)) for x in places])
        np.testing.assert_allclose(true, Q, rtol=0, atol=allowed, err_msg=quantity)
        np.testing.assert_allclose(post.cdf(quantity, places), true, rtol=0, atol=allowed, err_msg=quantity)


@pytest.mark.parametrize("name", NORMAL)
def test_normal_studies(witness, name):
    reference, y, se, mu, tau = normal_case(witness, name)
    surface = exact.normal(y, se)
    check_normal(surface.posterior(mu, tau), reference, ("mu", "theta_new", "1"))
    if name in ON_A_GRID:
        post = Posterior(surface, surface.priors(mu, tau), rtol=1e-8)
        check_normal(post, reference, ("mu", "theta_new", *(() if name in TOO_FAR else "1")))


@pytest.mark.parametrize("name", [*TOO_HEAVY, *TOO_FAR])
def test_what_a_grid_cannot_hold_it_refuses(name):
    y, se, mu, (family, *parameters), *_ = NORMAL[name]
    surface = exact.normal(y, se)
    priors = surface.priors("Flat()" if mu is None else f"Normal{mu}", f"{NAMES[family]}({parameters[0]!r})")
    with pytest.raises(KyphobayesError, match=r"too heavy|study 1 lies too far"):
        Posterior(surface, priors, rtol=1e-8).shrinkage()


@pytest.mark.parametrize("name", ["one study, flat mu", "tau next to 0"])
def test_tau_is_its_prior_where_the_data_say_nothing_of_it(name):
    y, se, mu, (family, *parameters), *_ = NORMAL[name]
    tau = f"{NAMES[family]}({parameters[0]!r})"
    post = exact.normal(y, se).posterior("Flat()" if mu is None else "Normal(0, 10)", tau)
    np.testing.assert_allclose(post.quantile("tau", Q), post.priors["tau"].quantile(Q), rtol=1e-9)


def test_tau_of_exactly_zero(witness):
    """The limit of ever smaller tau is the common effect, for counts of a billion too."""
    rare = exact.binomial([0, 1, 2], [10**9] * 3)
    limit = rare.common_effect("Normal(-20, 3)")
    near = rare.posterior("Normal(-20, 3)", "HalfNormal(1e-8)")
    assert near.log_marginal_likelihood == pytest.approx(limit.log_marginal_likelihood, abs=1e-8)
    np.testing.assert_allclose(near.quantile("mu", Q), limit.mu.quantile(Q), rtol=1e-9)

    def density(theta):
        log_f = sum(witness.log_likelihood("binomial", x, 10**9, theta) for x in (0, 1, 2))
        return mpmath.exp(log_f + witness.log_normal(theta + 20, mpmath.mpf(3)))

    total = mpmath.quad(density, [-60, -40, -30, *range(-26, -16), -10])
    assert limit.log_marginal_likelihood == pytest.approx(float(mpmath.log(total)), abs=1e-9)


# -- counts: what is kept ------------------------------------------------------------


def check_counts(post, expected, studies):
    allowed = TIMES * post.error + ROUNDING
    expected = {name: float(value) for name, value in expected.items()}
    size = max(1.0, abs(expected["log_marginal_likelihood"]))
    assert post.log_marginal_likelihood == pytest.approx(
        expected["log_marginal_likelihood"], rel=0, abs=allowed * size
    )
    # A moment weighs what is in the tails: a probability moved by `allowed` may move it by some sds of it.
    tails = 20 * allowed + 1e-12
    sd = expected["sd of mu"]
    assert post.mu.mean == pytest.approx(expected["mu"], rel=0, abs=tails * sd)
    assert post.mu.sd == pytest.approx(sd, rel=tails)
    assert np.hypot(post.tau.mean, post.tau.sd) == pytest.approx(
        expected["root mean square of tau"], rel=tails
    )
    assert post.theta_new.sd == pytest.approx(expected["sd of theta_new"], rel=1e-7)
    effects = post.shrinkage()["mean"]
    for study in range(studies):
        assert effects.iloc[study] == pytest.approx(expected[f"effect {study + 1}"], rel=1e-7)


ONE = (
    "no event in a billion", "one event in a billion", "two events in a billion", "all of a billion",
    "prior 30 sd from one event", "tiny exposure, no event", "tiny exposure, three events",
    "huge exposure, no event",
)  # fmt: skip
SEVERAL = ("rare events", "no events, a billion beside ten", "exposures from 1e-6 to 1e9")


@pytest.mark.parametrize("name", ONE)
def test_one_study_of_counts(witness, stored, name):
    kind, events, size, mu, sigma = witness.ONE[name]
    post = getattr(exact, kind)([events], [size]).posterior(f"Normal{mu}", f"HalfNormal({sigma})")
    check_counts(post, stored[name], 1)


@pytest.mark.parametrize("name", SEVERAL)
def test_several_studies_of_counts(witness, stored, name):
    kind, studies, mu, sigma, _ = witness.SEVERAL[name]
    events, sizes = zip(*studies, strict=True)
    post = getattr(exact, kind)(events, sizes).posterior(f"Normal{mu}", f"HalfNormal({sigma})")
    check_counts(post, stored[name], len(studies))


def test_every_case_is_kept(witness, stored):
    assert set(stored) == {*ONE, *SEVERAL} == {*witness.ONE, *witness.SEVERAL}


@pytest.mark.parametrize("name", ["one event in a billion", "tiny exposure, three events"])
def test_what_is_kept_is_what_the_script_finds(witness, stored, name):
    again = witness.one_case(name, step="0.25")  # a sum twice as coarse
    for quantity, value in stored[name].items():
        assert abs(mpmath.mpf(again[quantity]) / mpmath.mpf(value) - 1) < 1e-13, quantity


# -- what is refused ------------------------------------------------------------


@pytest.mark.parametrize(
    ("fit", "said"),
    [
        (lambda: exact.normal([1, 2], [1e-200, 1]), "se.0.: expected a standard error in a unit"),
        (lambda: exact.normal([1, 1e200], [1, 1]), "y.1.: expected an estimate of less than"),
        (
            lambda: exact.normal([1, 2], [1, 1]).posterior("Normal(0, 1e-200)", "HalfNormal(1)"),
            "at least 1e-100",
        ),
        (lambda: exact.binomial([1], [9]).posterior("Normal(0, 1)", "HalfNormal(1e-200)"), "common effect"),
        (
            lambda: exact.normal([1, 2], [1, 1]).posterior("Normal(0, 1e200)", "HalfNormal(1)"),
            "at most 1e.100",
        ),
        (lambda: exact.binomial([0], [9]).posterior("Flat()", "HalfNormal(1)"), "give mu a proper prior"),
        (lambda: exact.normal([1, 2], [1, 1]).posterior("Flat()", "HalfFlat()"), "needs at least 3 studies"),
        (
            lambda: exact.binomial([0], [10**9]).posterior("Normal(300, 1)", "HalfNormal(1)").shrinkage(),
            "study 1 lies too far from the priors",
        ),
    ],
)
def test_what_no_number_can_hold_is_refused_in_a_sentence(fit, said):
    with pytest.raises(KyphobayesError, match=said):
        fit()


def test_refusals_are_of_what_was_given():
    with pytest.raises(InputError):
        exact.normal([1], [0])
