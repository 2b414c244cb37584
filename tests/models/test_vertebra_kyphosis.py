"""models/vertebra_kyphosis.py: what `build` declares is its formula, in either order of writing it."""

import numpy as np
import pymc as pm
import pytest
from pymc.model.transform.conditioning import remove_value_transforms
from pytensor import function, tensor
from pytensor.compile.mode import Mode
from scipy import integrate, special, stats

from kyphobayes.evidence import read_vertebra_angles
from kyphobayes.model import load_model
from kyphobayes.project import default_project

PYTHON = Mode(linker="py", optimizer="fast_compile")
EVIDENCE = read_vertebra_angles(default_project())
MODEL = load_model("vertebra_kyphosis")
V, N = EVIDENCE.k, len(EVIDENCE.patients)


@pytest.fixture(scope="module")
def declared():
    return {
        centred: remove_value_transforms(MODEL.build(EVIDENCE, centred=centred)) for centred in (True, False)
    }


@pytest.fixture(scope="module")
def place():
    """One place in the space of all parameters, in the centred form."""
    rng = np.random.default_rng(4)
    return {
        "level": np.array([11.0, 6.0]), "tau_angle": 5.0, "tau_patient_angle": 2.5, "tau_reading": 1.4,
        "change": -0.4, "tau_region": 1.3, "tau_patient": 1.2, "tau_vertebra": 2.3, "nu": 6.0,
        "start": 1.9, "slope_start": -0.1, "treated": -1.6, "slope_pain": -0.15, "slope_angle": 0.04,
        "rho": np.array([0.03, 0.05]), "patient_angle": rng.normal(0, 2.5, N),
        "of_region": np.array([-0.9, 0.7]), "of_patient": rng.normal(0, 1.2, N),
        "weight": rng.gamma(3, 1 / 3, V), "true_change": rng.normal(0, 3, V),
    }  # fmt: skip


def total(model, point, names):
    """Sum of the log densities of some variables at a place."""
    values = {value.name: value for value in model.value_vars}
    terms = model.logp(vars=[model[name] for name in names], sum=False, jacobian=False)
    run = function(
        list(values.values()), sum(term.sum() for term in terms), mode=PYTHON, on_unused_input="ignore"
    )
    return float(run(*(np.asarray(point[name], dtype=float) for name in values)))


def expected_change(p):
    shift = p["of_region"] - EVIDENCE.mix @ p["of_region"]
    return p["change"] + shift[EVIDENCE.region] + p["of_patient"][EVIDENCE.patient]


def readings_by_hand(p):
    """Both readings of a vertebra as one bivariate normal around its true angles."""
    centre = p["level"][EVIDENCE.region] + p["patient_angle"][EVIDENCE.patient]
    covariance = np.full((2, 2), p["tau_angle"] ** 2) + p["tau_reading"] ** 2 * np.eye(2)
    found = 0.0
    for v in range(V):
        mean = np.array([centre[v], centre[v] + p["true_change"][v]])
        read = np.array([EVIDENCE.before[v], EVIDENCE.after[v]])
        there = np.isfinite(read)
        if there.any():
            law = stats.multivariate_normal(mean[there], covariance[np.ix_(there, there)])
            found += law.logpdf(read[there])
    return found


def scores_by_hand(p):
    mean = np.array([p["true_change"][EVIDENCE.patient == i].mean() for i in range(N)])
    first, second = EVIDENCE.scores.T
    odds = (
        p["start"] + p["slope_start"] * mean,
        p["treated"] + p["slope_pain"] * (first - first.mean()) + p["slope_angle"] * mean,
    )
    return sum(
        stats.betabinom.logpmf(y, 10, special.expit(o) * (1 - r) / r, special.expit(-o) * (1 - r) / r).sum()
        for y, o, r in zip((first, second), odds, p["rho"], strict=True)
    )


def test_the_centred_form_is_the_formula(declared, place):
    p, model = place, declared[True]
    assert total(model, p, ["pre", "post"]) == pytest.approx(readings_by_hand(p), rel=1e-9)
    assert total(model, p, ["before", "after"]) == pytest.approx(scores_by_hand(p), rel=1e-9)
    spread = p["tau_vertebra"] / np.sqrt(p["weight"])
    by_hand = stats.norm.logpdf(p["true_change"], expected_change(p), spread).sum()
    by_hand += stats.gamma.logpdf(p["weight"], p["nu"] / 2, scale=2 / p["nu"]).sum()
    assert total(model, p, ["true_change", "weight"]) == pytest.approx(by_hand, rel=1e-9)
    effects = (
        ("patient_angle", "tau_patient_angle"),
        ("of_region", "tau_region"),
        ("of_patient", "tau_patient"),
    )
    for name, tau in effects:
        assert total(model, p, [name]) == pytest.approx(stats.norm.logpdf(p[name], 0, p[tau]).sum(), rel=1e-9)


def test_a_normal_with_these_weights_is_student():
    found, _ = integrate.quad(
        lambda w: stats.norm.pdf(4.0, 0, 2.3 / np.sqrt(w)) * stats.gamma.pdf(w, 3.0, scale=1 / 3.0), 0, np.inf
    )
    assert found == pytest.approx(stats.t.pdf(4.0, 6.0, scale=2.3), rel=1e-7)


def test_the_other_order_has_the_same_joint_density(declared, place):
    """Its free variables are standard normals, which are stretched by what is left to learn of each."""
    p = dict(place)
    expected, own = expected_change(p), p["tau_vertebra"] ** 2 / p["weight"]
    centre = p["level"][EVIDENCE.region] + p["patient_angle"][EVIDENCE.patient]
    fixed = np.full((2, 2), p["tau_angle"] ** 2) + p["tau_reading"] ** 2 * np.eye(2)
    middle, left = expected.copy(), np.sqrt(own)
    for v in np.flatnonzero(np.isfinite(EVIDENCE.after)):  # d given the readings, by joint normality
        there = np.isfinite([EVIDENCE.before[v], EVIDENCE.after[v]])
        covariance = (fixed + np.diag([0.0, own[v]]))[np.ix_(there, there)]
        surprise = np.array([EVIDENCE.before[v] - centre[v], EVIDENCE.after[v] - centre[v] - expected[v]])[
            there
        ]
        with_change = np.array([0.0, own[v]])[there]
        middle[v] += with_change @ np.linalg.solve(covariance, surprise)
        left[v] = np.sqrt(own[v] - with_change @ np.linalg.solve(covariance, with_change))
    p["z_true_change"] = (p["true_change"] - middle) / left
    jacobian = np.log(left).sum()
    for name, tau in (
        ("patient_angle", "tau_patient_angle"),
        ("of_region", "tau_region"),
        ("of_patient", "tau_patient"),
    ):
        p[f"z_{name}"] = p[name] / p[tau]
        jacobian += len(p[name]) * np.log(p[tau])
    both = []
    for centred, model in declared.items():
        names = [str(v.name) for v in [*model.free_RVs, *model.observed_RVs]]
        both.append(total(model, p, names) + (jacobian if centred else 0.0))
    assert both[0] == pytest.approx(both[1], rel=1e-9)


@pytest.mark.parametrize("nu", [2.3, 8.0, 60.0])
def test_the_transform_of_weights_is_exact_and_close_to_standard(nu):
    declared = MODEL.build(EVIDENCE)
    transform = declared.rvs_to_transforms[declared["weight"]]
    with pm.Model() as model:
        shape = np.float64(nu / 2)  # PyTensor would keep a plain float in single precision
        pm.Gamma("w", alpha=shape, beta=shape, default_transform=transform)
    (value,) = model.value_vars
    density = function([value], model.logp(jacobian=True), mode=PYTHON)
    grid = np.linspace(-30, 12, 6001)
    mass = np.exp([float(density(x)) for x in grid])
    assert value.name == "w_standardised__"
    assert np.trapezoid(mass, grid) == pytest.approx(1, abs=1e-6)
    mean = np.trapezoid(mass * grid, grid)
    assert abs(mean) < 0.2
    assert np.sqrt(np.trapezoid(mass * (grid - mean) ** 2, grid)) == pytest.approx(1, abs=0.15)
    x, inputs = tensor.dscalar("x"), (tensor.constant(nu / 2), tensor.constant(2 / nu))
    again = function([x], transform.forward(transform.backward(x, *inputs), *inputs), mode=PYTHON)
    assert float(again(-1.7)) == pytest.approx(-1.7)


@pytest.mark.parametrize("centred", [True, False])
def test_variables_are_those_of_the_priors(centred):
    model = MODEL.build(EVIDENCE, centred=centred)
    free = {v.name for v in model.free_RVs}
    assert set(MODEL.priors) <= free
    assert ("true_change" in free) is centred and ("z_true_change" in free) is not centred
    assert {"shift", "patient_change", "true_change", "weight", "patient_angle"} <= set(model.named_vars)


@pytest.mark.parametrize("centred", [True, False])
def test_it_can_be_simulated_and_both_orders_agree(centred):
    """With spreads that are all but known, the readings have the variances that the formula says."""
    known = {"tau_angle": 4, "tau_patient_angle": 1, "tau_reading": 1, "tau_region": 0.001, "tau_patient": 1,
             "tau_vertebra": 2}  # fmt: skip
    priors = MODEL.priors.replace(
        **{name: f"LogNormal(mu={np.log(value)}, sigma=0.001)" for name, value in known.items()},
        level="Normal(5, 0.001)",
        change="Normal(-3, 0.001)",
        nu="Truncated(Gamma(alpha=2, beta=0.1), lower=30)",
    )
    model = MODEL.build(EVIDENCE, priors, centred=centred)
    names = ["pre", "post", "before", "after", "true_change"]
    drawn = dict(zip(names, pm.draw([model[n] for n in names], 400, random_seed=2, mode=PYTHON), strict=True))
    shapes = {name: drawn[name].shape[1:] for name in names}
    assert shapes == {"pre": (29,), "post": (33,), "before": (N,), "after": (N,), "true_change": (V,)}
    assert all(np.isfinite(values).all() for values in drawn.values())
    for name in ("before", "after"):
        assert drawn[name].min() >= 0 and drawn[name].max() <= 10 and np.ptp(drawn[name]) > 0
    pairs = np.flatnonzero(EVIDENCE.paired)
    change = drawn["post"][:, pairs] - drawn["pre"]
    true = drawn["true_change"][:, EVIDENCE.read_after[pairs]]
    own = 4 * 1.04  # of Student's t, whose nu is at least 30 and about 40
    assert change.mean() == pytest.approx(-3, abs=0.1)
    assert true.var() == pytest.approx(1 + own, rel=0.07)
    assert change.var() == pytest.approx(1 + own + 2, rel=0.07)
    assert np.cov(change.ravel(), true.ravel())[0, 1] == pytest.approx(1 + own, rel=0.07)
    assert drawn["pre"].var() == pytest.approx(16 + 1 + 1, rel=0.07)
    alone = np.flatnonzero(~EVIDENCE.paired)
    assert drawn["post"][:, alone].var() == pytest.approx(16 + 1 + 1 + 1 + own, rel=0.12)
