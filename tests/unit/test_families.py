"""Every family of priors against scipy.stats and against PyMC itself, one prior and many at once."""

import numpy as np
import pytest
from scipy import integrate, stats

from kyphobayes.families import FAMILIES, NUMBER_FAMILIES, STUDY_FAMILIES, WRAPPERS, Law
from kyphobayes.priors import Prior, log_densities

PARAMETERS = {
    "Normal": [(0.0, 1.0), (-2.5, 0.3), (1e3, 1e-4)],
    "StudentT": [(3.0, 0.0, 1.0), (0.7, -2.0, 5.0), (30.0, 4.0, 0.01)],
    "Cauchy": [(0.0, 1.0), (3.0, 0.2)],
    "Logistic": [(0.0, 1.0), (-3.0, 0.4)],
    "Laplace": [(0.0, 1.0), (2.0, 0.05)],
    "Uniform": [(0.0, 1.0), (-4.0, 7.5), (0.5, 0.6)],
    "HalfNormal": [(1.0,), (0.03,), (40.0,)],
    "HalfStudentT": [(1.0, 1.0), (4.0, 0.6), (0.8, 3.0)],
    "HalfCauchy": [(1.0,), (0.02,)],
    "HalfLogistic": [(1.0,), (0.3,)],
    "Exponential": [(1.0,), (25.0,)],
    "PC": [(1.0, 0.05), (0.2, 0.5)],
    "Gamma": [(2.0, 0.1), (0.5, 3.0), (1.0, 1.0), (900.0, 300.0)],
    "InverseGamma": [(3.0, 1.0), (0.4, 0.2)],
    "LogNormal": [(0.0, 1.0), (-1.07, 0.87)],
    "LogStudentT": [(5.0, 0.0, 1.0), (30.0, -1.7, 0.6)],
    "Weibull": [(1.5, 2.0), (0.7, 0.3), (1.0, 1.0)],
    "Lomax": [(1.0, 1.0), (6.0, 2.5)],
    "Rayleigh": [(1.0,), (0.2,)],
}
SCIPY = {
    "Normal": stats.norm,
    "StudentT": stats.t,
    "Cauchy": stats.cauchy,
    "Logistic": stats.logistic,
    "Laplace": stats.laplace,
    "Uniform": lambda lower, upper: stats.uniform(lower, upper - lower),
    "HalfNormal": lambda sigma: stats.halfnorm(scale=sigma),
    "HalfStudentT": lambda nu, sigma: _RootOfF(nu, sigma),
    "HalfCauchy": lambda beta: stats.halfcauchy(scale=beta),
    "HalfLogistic": lambda s: stats.halflogistic(scale=s),
    "Exponential": lambda lam: stats.expon(scale=1 / lam),
    "PC": lambda U, alpha: stats.expon(scale=-U / np.log(alpha)),
    "Gamma": lambda alpha, beta: stats.gamma(alpha, scale=1 / beta),
    "InverseGamma": lambda alpha, beta: stats.invgamma(alpha, scale=beta),
    "LogNormal": lambda mu, sigma: stats.lognorm(sigma, scale=np.exp(mu)),
    "LogStudentT": lambda nu, mu, sigma: _OfLog(stats.t(nu, mu, sigma)),
    "Weibull": lambda alpha, beta: stats.weibull_min(alpha, scale=beta),
    "Lomax": lambda alpha, beta: stats.lomax(alpha, scale=beta),
    "Rayleigh": lambda sigma: stats.rayleigh(scale=sigma),
}
PROBABILITIES = np.array([1e-6, 0.025, 0.3, 0.5, 0.8, 0.975, 1 - 1e-6])
CASES = [(name, values) for name, many in PARAMETERS.items() for values in many]
SE = (0.1, 0.3, 0.25, 2.0)
# What is made of other priors or of the studies, by its text.
MADE = [
    "Truncated(Normal(mu=0, sigma=1), lower=0, upper=2)",
    "Truncated(Normal(mu=0, sigma=1), lower=9)",
    "Truncated(Normal(mu=0, sigma=1), upper=-9)",
    "Truncated(HalfCauchy(beta=1), upper=5)",
    "Truncated(StudentT(nu=3, mu=1, sigma=2), lower=-1, upper=1.5)",
    "Tau2(LogNormal(mu=-2.14, sigma=1.74))",
    "Tau2(LogStudentT(nu=5, mu=-3.44, sigma=1.2))",
    "Tau2(InverseGamma(alpha=2, beta=0.1))",
    "Tau2(Gamma(alpha=0.5, beta=3))",
    "Tau2(Uniform(lower=0, upper=4))",
    "Mixture(0.8*Normal(mu=0, sigma=1) + 0.2*Normal(mu=1, sigma=5))",
    "Mixture(0.5*HalfNormal(sigma=0.2) + 0.25*HalfCauchy(beta=1) + 0.25*Uniform(lower=1, upper=3))",
    "Truncated(Mixture(0.5*Normal(mu=-3, sigma=1) + 0.5*Normal(mu=3, sigma=1)), lower=0)",
    "Conventional()",
    "DuMouchel()",
    "UniformShrinkage()",
    "UniformI2()",
    "Truncated(DuMouchel(), upper=1)",
    "Mixture(0.5*UniformShrinkage() + 0.5*HalfNormal(sigma=1))",
]
IMPROPER = ["Flat()", "HalfFlat()", "FlatSqrt()", "Tau2(HalfFlat())", "Jeffreys()", "OverallJeffreys()"]
IMPROPER += ["BergerDeely()"]


class _RootOfF:
    """Student-t's positive half: its square has the F distribution (t.ppf((1 + q) / 2) has no digits)."""

    def __init__(self, nu, scale):
        self.scale, self.square = scale, stats.f(1, nu)

    def logpdf(self, x):
        z = x / self.scale
        return np.log(2 * z / self.scale) + self.square.logpdf(z**2)

    def cdf(self, x):
        return self.square.cdf((x / self.scale) ** 2)

    def sf(self, x):
        return self.square.sf((x / self.scale) ** 2)

    def ppf(self, q):
        return self.scale * np.sqrt(self.square.ppf(q))

    def isf(self, q):
        return self.scale * np.sqrt(self.square.isf(q))


class _OfLog:
    """Exponential of a variable."""

    def __init__(self, log):
        self.log = log

    def logpdf(self, x):
        return self.log.logpdf(np.log(x)) - np.log(x)

    def cdf(self, x):
        return self.log.cdf(np.log(x))

    def sf(self, x):
        return self.log.sf(np.log(x))

    def ppf(self, q):
        return np.exp(self.log.ppf(q))

    def isf(self, q):
        return np.exp(self.log.isf(q))


def make(name, values):
    return Prior(name, tuple(zip(FAMILIES[name].defaults, values, strict=True)))


def bound(text):
    return Prior.parse(text).for_studies(SE)


def everything():
    return [str(make(*case)) for case in CASES] + MADE


# --- one prior -------------------------------------------------------------------------------------------


def test_every_proper_family_is_held_to_a_reference():
    proper = {name for name, family in NUMBER_FAMILIES.items() if family.quantile is not None}
    assert set(PARAMETERS) == set(SCIPY) == proper
    named = {text.partition("(")[0] for text in [*everything(), *IMPROPER]}
    assert named == set(FAMILIES) == {*NUMBER_FAMILIES, *STUDY_FAMILIES, *WRAPPERS}


@pytest.mark.parametrize(("name", "values"), CASES)
def test_a_family_is_that_of_scipy(name, values):
    prior, reference = make(name, values), SCIPY[name](*values)
    x = prior.quantile(PROBABILITIES)
    np.testing.assert_allclose(x, reference.ppf(PROBABILITIES), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        prior.law.upper_quantile(PROBABILITIES), reference.isf(PROBABILITIES), rtol=1e-9
    )
    np.testing.assert_allclose(prior.log_density(x), reference.logpdf(x), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(prior.cdf(x), reference.cdf(x), rtol=1e-8, atol=1e-15)
    np.testing.assert_allclose(prior.survival(x), reference.sf(x), rtol=1e-8, atol=1e-15)


@pytest.mark.parametrize("text", everything())
def test_density_cdf_and_quantile_belong_together(text):
    prior = bound(text)
    assert prior.proper
    q = np.array([1e-6, 1e-4, 0.1, 0.5, 0.9, 1 - 1e-4])
    x = prior.quantile(q)
    assert (np.diff(x) > 0).all()
    np.testing.assert_allclose(prior.cdf(x), q, rtol=1e-7, atol=2e-16)
    np.testing.assert_allclose(prior.survival(prior.law.upper_quantile(q)), q, rtol=1e-7, atol=2e-16)
    np.testing.assert_allclose(prior.cdf(x) + prior.survival(x), 1.0, rtol=1e-12)
    low, high = prior.support
    np.testing.assert_array_equal(prior.quantile([0.0, 1.0]), [low, high])
    np.testing.assert_allclose(prior.cdf([low, high]), [0.0, 1.0], atol=4e-16)
    edges = prior.quantile(np.linspace(0.02, 0.98, 25))
    kinks = {value for component in [prior, *prior.inside] for value in component.support}
    mass, _ = integrate.quad_vec(
        lambda value: np.exp(prior.log_density(value)),
        edges[0],
        edges[-1],
        points=sorted({*edges[1:-1], *(k for k in kinks if edges[0] < k < edges[-1])}),
        epsrel=1e-9,
    )
    assert mass == pytest.approx(0.96, rel=1e-7)


@pytest.mark.parametrize("text", everything())
def test_density_is_zero_outside_the_support(text):
    prior = bound(text)
    low, high = prior.support
    outside = [edge + step for edge, step in ((low, -1.0), (high, 1.0)) if np.isfinite(edge)]
    assert np.all(prior.log_density(outside) == -np.inf)
    assert not np.isnan(prior.log_density([edge for edge in (low, high) if np.isfinite(edge)])).any()


@pytest.mark.parametrize("text", IMPROPER)
def test_improper_families_say_so(text):
    prior = bound(text)
    assert not prior.proper
    for function in (prior.quantile, prior.cdf, prior.survival):
        with pytest.raises(ValueError, match="is improper and has no"):
            function(0.5)
    assert np.isfinite(prior.log_density([0.1, 5.0, 1e6])).all()
    assert prior.log_density(-1.0) == (0.0 if text == "Flat()" else -np.inf)


@pytest.mark.parametrize(
    ("text", "log_density"),
    [
        ("Flat()", lambda t: 0 * t),
        ("HalfFlat()", lambda t: 0 * t),
        ("FlatSqrt()", lambda t: -np.log(t) / 2),
        ("Tau2(HalfFlat())", lambda t: np.log(2 * t)),  # flat in tau^2
    ],
)
def test_improper_families_have_the_constant_of_their_definition(text, log_density):
    t = np.array([1e-3, 0.4, 7.0])
    np.testing.assert_allclose(Prior.parse(text).log_density(t), log_density(t), rtol=1e-14)


@pytest.mark.parametrize(("name", "values"), CASES)
def test_draws_follow_the_prior(name, values):
    prior = make(name, values)
    draws = prior.draw(4000, np.random.default_rng(20))
    share_below = (draws[:, None] <= prior.quantile([0.1, 0.5, 0.9])).mean(axis=0)
    np.testing.assert_allclose(share_below, [0.1, 0.5, 0.9], atol=0.035)  # 4.4 standard errors


def test_the_tail_statement_of_the_pc_prior():
    """Simpson et al. (2017): P(tau > U) = alpha."""
    assert Prior.parse("PC(U=0.7, alpha=0.03)").survival(0.7) == pytest.approx(0.03, rel=1e-14)


def test_a_truncated_tail_keeps_its_digits():
    far = Prior.parse("Truncated(Normal(mu=0, sigma=1), lower=20, upper=21)")
    reference = stats.truncnorm(20, 21)
    q = np.array([0.01, 0.5, 0.99])
    np.testing.assert_allclose(far.quantile(q), reference.ppf(q), rtol=1e-12)
    np.testing.assert_allclose(far.log_density([20.1, 20.9]), reference.logpdf([20.1, 20.9]), rtol=1e-11)


def test_the_prior_of_the_square_has_the_jacobian():
    """Of tau, exp(N(mu, sigma) / 2) is log-normal with half of both."""
    t = np.array([0.01, 0.3, 2.0])
    square, direct = (
        Prior.parse("Tau2(LogNormal(mu=-2.34, sigma=1.62))"),
        Prior.parse("LogNormal(-1.17, 0.81)"),
    )
    np.testing.assert_allclose(square.log_density(t), direct.log_density(t), rtol=1e-13)
    np.testing.assert_allclose(square.quantile([0.1, 0.9]), direct.quantile([0.1, 0.9]), rtol=1e-13)
    # At zero, infinity times zero has the limit 2 sqrt(beta / pi).
    half = Prior.parse("Tau2(Gamma(alpha=0.5, beta=3))")
    assert half.log_density(0.0) == pytest.approx(np.log(2 * np.sqrt(3 / np.pi)), rel=1e-12)


# --- many at once ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_may_be_arrays(name):
    family, many = FAMILIES[name], PARAMETERS[name]
    columns = np.array(many)[:, :, None]
    law = Law(family, {key: columns[:, place] for place, key in enumerate(family.defaults)})
    priors = [make(name, values) for values in many]
    q = PROBABILITIES[1:-1]
    np.testing.assert_allclose(law.quantile(q), [p.quantile(q) for p in priors], rtol=1e-15)
    x = np.array([-2.0, 0.01, 0.55, 3.0])
    for function in ("log_density", "cdf", "survival"):
        expected = [getattr(p, function)(x) for p in priors]
        np.testing.assert_allclose(getattr(law, function)(x), expected, rtol=1e-13, atol=1e-300)


def test_densities_of_many_priors_are_those_of_each():
    texts = everything() + [text for text in IMPROPER if text != "Tau2(HalfFlat())"]
    texts += ["Truncated(Normal(mu=3, sigma=2), lower=-1)", "Mixture(0.3*Normal(0, 2) + 0.7*Normal(5, 1))"]
    priors = [bound(text) for text in texts]
    order = np.random.default_rng(3).permutation(2 * len(priors)) % len(priors)
    shuffled = [priors[place] for place in order]
    x = np.linspace(-3.0, 9.0, 57)
    np.testing.assert_allclose(
        log_densities(shuffled, x), [p.log_density(x) for p in shuffled], rtol=1e-12, atol=1e-12
    )
    assert log_densities([], x).shape == (0, 57)


def test_densities_of_many_priors_are_asked_at_a_row_of_places():
    with pytest.raises(ValueError, match=r"places of shape \(m,\), found shape \(1, 2\)"):
        log_densities([Prior.parse("Flat()")], [[1.0, 2.0]])


# --- PyMC ------------------------------------------------------------------------------------------------

# pm.icdf knows none for the Student-t's half and the inverse gamma; scipy holds those above.
WITHOUT_ICDF = {"HalfStudentT", "InverseGamma"}
OURS = {"HalfLogistic", "LogStudentT", "Lomax", "PC", "Rayleigh"}  # PyMC has no such family
WITH_ICDF = [case for case in CASES if case[0] not in WITHOUT_ICDF | OURS]
VARIABLES = [str(make(name, many[-1])) for name, many in PARAMETERS.items()] + MADE + IMPROPER
DRAWN = [*MADE[::3], "Lomax(2, 0.5)", "HalfLogistic(0.7)", "LogStudentT(5, -1, 1)"]


def distribution(pm, prior):
    # As arrays: PyTensor rounds a Python float such as 0.7 to single precision.
    return getattr(pm, prior.family).dist(**{name: np.array(value) for name, value in prior.parameters})


def places(prior):
    inside = prior.quantile(PROBABILITIES) if prior.proper else np.array([0.01, 0.4, 3.0])
    beyond = zip(prior.support, (-1, 1), strict=True)
    return np.append(inside, [edge + step for edge, step in beyond if np.isfinite(edge)])


@pytest.fixture(scope="module")
def pymc():
    """What PyMC says of every family, compiled once."""
    pm = pytest.importorskip("pymc")
    import pytensor

    q = PROBABILITIES[1:-1]

    def evaluate(graphs):
        return pytensor.function([], graphs, mode="FAST_COMPILE")()

    quantiles = evaluate([pm.icdf(distribution(pm, make(*case)), q) for case in WITH_ICDF])
    with pm.Model() as model:
        variables = [bound(text).to_pymc(f"prior_{i}") for i, text in enumerate(VARIABLES)]
        pairs = zip(variables, VARIABLES, strict=True)
        densities = evaluate([pm.logp(v, places(bound(text))) for v, text in pairs])
        start = model.compile_logp(sum=False, mode="FAST_COMPILE")(model.initial_point())
    with pm.Model():
        draws = pm.draw([bound(text).to_pymc(text) for text in DRAWN], 4000, random_seed=5)
    return {"quantile": quantiles, "log_density": densities, "start": start, "draws": draws}


@pytest.mark.parametrize(("name", "values"), WITH_ICDF)
def test_quantile_is_that_of_pymc(pymc, name, values):
    theirs = pymc["quantile"][WITH_ICDF.index((name, values))]
    np.testing.assert_allclose(make(name, values).quantile(PROBABILITIES[1:-1]), theirs, rtol=1e-6)


@pytest.mark.parametrize("text", VARIABLES)
def test_a_variable_of_a_pymc_model_has_the_same_density(pymc, text):
    prior, place = bound(text), VARIABLES.index(text)
    # PyMC's own log 2 of a Half… family is in single precision: off by 1.9e-9.
    np.testing.assert_allclose(
        pymc["log_density"][place], prior.log_density(places(prior)), rtol=1e-9, atol=3e-9
    )
    assert np.isfinite(pymc["start"][place])


@pytest.mark.parametrize("text", DRAWN)
def test_draws_of_a_pymc_model_follow_the_prior(pymc, text):
    draws = pymc["draws"][DRAWN.index(text)]
    share_below = (draws[:, None] <= bound(text).quantile([0.1, 0.5, 0.9])).mean(axis=0)
    np.testing.assert_allclose(share_below, [0.1, 0.5, 0.9], atol=0.035)


def test_a_model_with_priors_of_ours_can_be_rewritten():
    """PyMC rewrites a model to evaluate its likelihood at draws; it refuses one with an `initval`."""
    pm = pytest.importorskip("pymc")
    from pymc.model.transform.conditioning import remove_value_transforms

    with pm.Model() as model:
        for text in ("Conventional()", "Lomax(2, 0.5)", "Truncated(Normal(0, 1), lower=0)"):
            bound(text).to_pymc(text)
    assert len(remove_value_transforms(model).free_RVs) == 3


def test_nuts_samples_a_prior_that_pymc_does_not_have():
    pm = pytest.importorskip("pymc")
    prior = bound("Tau2(LogStudentT(nu=5, mu=-1, sigma=1))")
    with pm.Model():
        prior.to_pymc("tau")
        tree = pm.sample(
            1000, tune=500, chains=2, cores=1, random_seed=1, nuts_sampler="nutpie", progressbar=False
        )
    draws = tree["posterior"]["tau"].values.ravel()
    share_below = (draws[:, None] <= prior.quantile([0.1, 0.5, 0.9])).mean(axis=0)
    np.testing.assert_allclose(share_below, [0.1, 0.5, 0.9], atol=0.06)
