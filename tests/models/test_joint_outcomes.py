"""models/joint_outcomes.py: what `build` declares is the formula in SciPy, and can be simulated."""

import numpy as np
import pymc as pm
import pytest
from pymc.model.transform.conditioning import remove_value_transforms
from pytensor.compile.mode import Mode
from scipy import special, stats

from kyphobayes.errors import PriorError
from kyphobayes.evidence import counts, joint_counts
from kyphobayes.model import load_model
from kyphobayes.priors import Priors

PYTHON = Mode(linker="py", optimizer="fast_compile")
nan = np.nan
LEAKS = counts(
    [0, nan, nan, 5],
    [22, 40, 60, 35],
    ["a", "b", "c", "d"],
    tables=[[0, 3, 9, 5], [0, 5, 7, 5], [0, 4, 8, 5]],
    weights=[1, 2, 1],
)
FRACTURES = counts(
    [nan, 2, nan, 1], [18, 22, 65, 12], ["a", "d", "c", "e"], tables=[[0, 2, 9, 1], [3, 2, 7, 1]]
)
EVIDENCE = joint_counts(LEAKS, FRACTURES)  # a, b, c, d, e: a, c and d counted both, b leaks, e fractures
GIVEN = {"mu_leak": -2.2, "tau_leak": 0.8, "mu_fracture": -1.9, "tau_fracture": 0.5, "rho": -0.4}


@pytest.fixture(scope="module")
def model():
    return load_model("joint_outcomes")


def log_density(model, theta):
    """Of the declared graph: effects and counts, given the rest."""
    declared = remove_value_transforms(model.build(EVIDENCE, model.priors, centred=True))
    variables = [declared["theta_leak"], declared["theta_fracture"], *declared.observed_RVs]
    density = declared.compile_logp(vars=variables, jacobian=False, mode=PYTHON)
    point = declared.initial_point() | {name: np.array(value) for name, value in GIVEN.items()}
    return float(density(point | {"theta_leak": theta[:, 0], "theta_fracture": theta[:, 1]}))


def by_hand(theta, *, rho=GIVEN["rho"], table_weights=(0.25, 0.5, 0.25)):
    """The same from SciPy's bivariate normal and binomials."""
    one, two = GIVEN["tau_leak"], GIVEN["tau_fracture"]
    covariance = [[one**2, rho * one * two], [rho * one * two, two**2]]
    effects = stats.multivariate_normal([GIVEN["mu_leak"], GIVEN["mu_fracture"]], covariance).logpdf(theta)
    leak = stats.binom.logpmf(LEAKS.tables, LEAKS.n, special.expit(theta[:4, 0])).sum(axis=1)
    order = [0, 3, 2, 4]  # of a, d, c and e among the studies
    fracture = stats.binom.logpmf(FRACTURES.tables, FRACTURES.n, special.expit(theta[order, 1])).sum(axis=1)
    return (
        effects.sum() + special.logsumexp(leak, b=table_weights) + special.logsumexp(fracture, b=[0.5, 0.5])
    )


def test_the_declaration_is_the_formula(model):
    rng = np.random.default_rng(2)
    for _ in range(3):
        theta = rng.normal([-2, -2], 0.7, (5, 2))
        found = log_density(model, theta)
        assert found == pytest.approx(by_hand(theta), abs=1e-6)
        assert abs(found - by_hand(theta, rho=0.4)) > 1e-2  # a wrong sign would be seen
        assert abs(found - by_hand(theta, table_weights=(0.5, 0.25, 0.25))) > 1e-3


@pytest.mark.parametrize("centred", [True, False])
def test_simulated_effects_have_the_correlation_and_counts_their_shapes(model, centred):
    """Both parametrisations say the same, also of the next centre."""
    priors = Priors.of(
        mu_leak="Normal(mu=-2, sigma=0.001)", tau_leak="Uniform(lower=0.899, upper=0.901)",
        mu_fracture="Normal(mu=-1, sigma=0.001)", tau_fracture="Uniform(lower=0.599, upper=0.601)",
        rho="Uniform(lower=0.699, upper=0.701)",
    )  # fmt: skip
    declared = model.build(EVIDENCE, priors, centred=centred)
    names = ["theta_leak", "theta_fracture", "theta_leak_new", "theta_fracture_new"]
    observed = [str(v.name) for v in declared.observed_RVs]
    assert observed == ["leaks", "leaks_latent", "fractures", "fractures_latent"]
    with declared:
        drawn = pm.sample_prior_predictive(
            800, var_names=[*names, *observed], random_seed=3, compile_kwargs={"mode": PYTHON}
        )
    prior = {name: drawn["prior"][name].values[0] for name in names}
    for leak, fracture in (
        (prior["theta_leak"].ravel(), prior["theta_fracture"].ravel()),
        (prior["theta_leak_new"], prior["theta_fracture_new"]),
    ):
        error = 4 / np.sqrt(len(leak))
        assert np.corrcoef(leak, fracture)[0, 1] == pytest.approx(0.7, abs=error)
        assert leak.std() == pytest.approx(0.9, abs=error) and leak.mean() == pytest.approx(-2, abs=error)
        assert fracture.std() == pytest.approx(0.6, abs=error)
        assert fracture.mean() == pytest.approx(-1, abs=error)
    assert abs(np.corrcoef(prior["theta_leak"][:, 0], prior["theta_fracture"][:, 1])[0, 1]) < 0.15
    predicted = drawn["prior_predictive"]
    shapes = {"leaks": (2,), "leaks_latent": (3, 2), "fractures": (2,), "fractures_latent": (2, 2)}
    for name, shape in shapes.items():
        values = predicted[name].values[0]
        assert values.shape == (800, *shape) and np.isfinite(values).all() and np.ptp(values) > 0
    latent = predicted["leaks_latent"].values[0]
    assert (latent == latent[:, :1]).all() and (latent <= [40, 60]).all()


def test_variables_are_named_as_their_priors(model):
    free = {str(v.name) for v in model.build(EVIDENCE, model.priors, centred=True).free_RVs}
    assert free == set(model.priors) | {
        "theta_leak",
        "theta_fracture",
        "theta_leak_new",
        "theta_fracture_new",
    }
    with pytest.raises(PriorError, match="no prior for rho"):
        model.check(EVIDENCE, Priors(model.priors.entries[:-1], "short"))


def test_evidence_without_latent_counts_is_declared_too(model):
    evidence = joint_counts(counts([1, 2], [10, 20]), counts([0, 3], [10, 20]))
    assert [str(v.name) for v in model.build(evidence).observed_RVs] == ["leaks", "fractures"]
