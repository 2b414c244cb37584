"""models/pre_post_change.py: the declared graph is the normal of its formula, and can be simulated."""

import numpy as np
import pymc as pm
import pytensor
import pytest
from pymc.model.transform.conditioning import remove_value_transforms
from scipy import stats

from kyphobayes.evidence import pre_post_means
from kyphobayes.model import load_model
from kyphobayes.project import Project

PYTHON = pytensor.compile.mode.Mode(linker="py", optimizer="fast_compile")
NAN = np.nan
WHOLE = pre_post_means(
    [8.7, NAN, 7.9, 8.1], [-7.0, -5.5, -4.9, -4.5], [22, 69, 14, 8], ["a", "b", "c", "d"],
    sd_before=[1.1, NAN, NAN, 1.5], sd_after=[1.4, NAN, 0.9, 1.8], n_most=[22, 69, 14, 43],
    slack=[0, 0.1, 0, 0], correlation=[-0.2, NAN, NAN, NAN],
)  # fmt: skip
PLAIN = pre_post_means([63.2, 75.8], [-26.1, -63.8], [14, 20], sd_before=[15.9, 4.8], top=100)
EVIDENCE = {"all that may be there": WHOLE, "nothing but means and one SD each": PLAIN}


@pytest.fixture(scope="module")
def model():
    return load_model("pre_post_change")


def point_of(declared, rng):
    """Some values of all free variables, in natural units."""
    point = {name: rng.normal(0, 0.3, np.shape(value)) for name, value in declared.initial_point().items()}
    for name in point:
        if name.startswith("tau"):
            point[name] = np.abs(point[name]) + 0.4
    point |= {"mu": np.array(-4.0), "mu_before": np.array(7.5)}
    return point | ({"place": np.array([0.3])} if "place" in point else {})


def found_and_expected(build, evidence, priors, seed):
    declared = remove_value_transforms(build(evidence, priors, centred=True))
    point = point_of(declared, np.random.default_rng(seed))
    density = declared.compile_logp(vars=declared.observed_RVs, mode=PYTHON, sum=True)
    return float(density(point)), by_hand(evidence, point)


def by_hand(evidence, point):
    """Log density of what is printed, by SciPy: a normal of two dimensions for every study."""
    sd, r = np.exp(point["log_sd_study"]), np.tanh(point["fisher_z"])
    n = evidence.n_least.copy()
    if "place" in point:
        n[3] += 0.3 * (43 - 8)
    tau_before, slope = point["tau_before"], point["slope"]
    between = np.array([[tau_before**2, slope * tau_before**2],
                        [slope * tau_before**2, slope**2 * tau_before**2 + point["tau"] ** 2]])  # fmt: skip
    to_change = np.array([[1.0, 0.0], [-1.0, 1.0]])  # from (before, after) to (before, change)
    total, middle = 0.0, [point["mu_before"], point["mu"]]
    for i in range(evidence.k):
        one, two = sd[:, i]
        error = np.array([[one**2, r * one * two], [r * one * two, two**2]]) / n[i]
        covariance = between + to_change @ error @ to_change.T
        if np.isfinite(evidence.before[i]):
            printed = [evidence.before[i], evidence.change[i]]
            total += stats.multivariate_normal(middle, covariance).logpdf(printed)
        else:
            spread = np.sqrt(covariance[1, 1] + evidence.slack[i] ** 2 / 3)
            total += stats.norm.logpdf(evidence.change[i], middle[1], spread)
        for time in (0, 1):
            if np.isfinite(evidence.sd[time, i]):  # (n - 1) s^2 / sigma^2 is chi-squared
                scale = sd[time, i] ** 2 / (n[i] - 1)
                total += stats.chi2.logpdf(evidence.sd[time, i] ** 2 / scale, n[i] - 1) - np.log(scale)
        if np.isfinite(evidence.correlation[i]):
            z = np.arctanh(evidence.correlation[i])
            total += stats.norm.logpdf(z, point["fisher_z"], 1 / np.sqrt(n[i] - 3))
    return total


@pytest.mark.parametrize("label", EVIDENCE)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_declaration_is_the_formula(model, label, seed):
    found, expected = found_and_expected(model.build, EVIDENCE[label], model.priors, seed)
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("+ r * error[0] * error[1] - error[0] ** 2", "+ r * error[0] * error[1]"),  # coupling forgotten
        ("shared = slope * tau_before**2", "shared = slope * tau_before"),
        ("alpha=degrees / 2", "alpha=degrees"),
        ("evidence.slack[bare] ** 2 / 3", "evidence.slack[bare] ** 2 / 12"),
    ],
)
def test_a_wrong_edit_is_caught(model, tmp_path, right, wrong):
    source = model.path.read_text(encoding="utf-8")
    assert right in source
    for folder in ("data", "models"):
        (tmp_path / folder).mkdir()
    (tmp_path / "models/pre_post_change.py").write_text(source.replace(right, wrong), encoding="utf-8")
    edited = load_model("pre_post_change", Project(tmp_path))
    found, expected = found_and_expected(edited.build, WHOLE, edited.priors, 1)
    assert abs(found - expected) > 1e-4


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("label", EVIDENCE)
def test_variables_are_those_of_the_priors(model, label, centred):
    declared = model.build(EVIDENCE[label], model.priors, centred=centred)
    free = {v.name for v in declared.free_RVs}
    assert set(model.priors) <= free and {"theta_new", "before_new", "log_sd_study"} <= set(
        declared.named_vars
    )
    assert ("theta_new" in free) is ("log_sd_study" in free) is centred
    assert ("place" in free) is (label == "all that may be there")
    assert {"mean_before", "mean_change", "variance"} <= {v.name for v in declared.observed_RVs}


@pytest.mark.parametrize("centred", [True, False])
def test_the_model_can_be_simulated(model, centred):
    declared = model.build(WHOLE, model.priors, centred=centred)
    with declared:
        drawn = pm.sample_prior_predictive(2000, random_seed=1, compile_kwargs={"mode": PYTHON})
    replicated, prior = drawn["prior_predictive"].dataset, drawn["prior"].dataset
    shapes = {name: values.shape[2:] for name, values in replicated.items()}
    assert shapes == {"mean_before": (3,), "mean_change": (3,), "bare_change": (1,), "variance": (5,),
                      "fisher_z_seen": (1,)}  # fmt: skip
    assert all(np.isfinite(values).all() for values in replicated.values())
    # A mean before that is too high by chance makes a change too low: it is drawn from the drawn mean.
    level = (replicated["mean_before"] - prior["mu_before"]).values[0, :, 0]
    change = (replicated["mean_change"] - prior["mu"]).values[0, :, 0]
    assert np.corrcoef(level, change)[0, 1] == pytest.approx(-0.2, abs=0.2)
    assert prior["theta_new"].std() == pytest.approx(float(np.sqrt(16 + 1.5**2 + 0.25)), rel=0.1)
