"""models/meta_regression.py: `build` declares the formula, and the surface is the integral of it."""

import numpy as np
import pymc as pm
import pytensor
import pytest
from pymc.model.transform.conditioning import remove_value_transforms
from pytensor.graph.replace import vectorize_graph
from scipy import special, stats

from kyphobayes.errors import EvidenceError, PriorError
from kyphobayes.evidence import counts, with_covariate
from kyphobayes.model import load_model
from kyphobayes.priors import Priors
from kyphobayes.project import Project

_PYTHON = pytensor.compile.mode.Mode(linker="py", optimizer="fast_compile")
_nan = np.nan
EVIDENCE = {
    "printed": with_covariate(counts([0, 5, 4], [32, 35, 19]), [-0.5, 0.5, 0.1]),
    "latent": with_covariate(
        counts([4, _nan, _nan], [50, 30, 25], tables=[[4, 1, 0], [4, 0, 3], [4, 2, 5]], weights=[3, 1, 2]),
        [0.5, -0.5, 0.5],
        covariate="design",
        levels=("prospective", "retrospective"),
    ),
}


@pytest.fixture(scope="module")
def model():
    return load_model("meta_regression")


def density(declared):
    """log p(counts, theta | mu, beta, tau) of the declared graph, at many theta."""
    declared = remove_value_transforms(declared)
    values = {value.name: value for value in declared.value_vars}
    terms = declared.logp(vars=[declared["theta"], *declared.observed_RVs], sum=False, jacobian=False)
    theta = pytensor.tensor.matrix("theta")
    many = vectorize_graph(sum(term.sum() for term in terms), {values["theta"]: theta})
    rest = [values[name] for name in ("mu", "beta", "tau")]
    return pytensor.function([*rest, theta], many, mode=_PYTHON, on_unused_input="ignore")


def by_hand(evidence, theta, mu, beta, tau):
    """The same written out in SciPy: shape (m,) from theta of shape (m, k)."""
    p = special.expit(theta)
    by_table = np.stack([stats.binom.logpmf(row, evidence.n, p).sum(axis=1) for row in evidence.tables])
    effects = stats.norm.logpdf(theta, mu + evidence.x * beta, tau).sum(axis=1)
    return effects + special.logsumexp(by_table, axis=0, b=evidence.weights[:, None])


@pytest.mark.parametrize("label", EVIDENCE)
def test_the_declaration_is_the_formula(model, label):
    evidence, rng = EVIDENCE[label], np.random.default_rng(1)
    theta = rng.normal(-1, 1, size=(20, evidence.k))
    found = density(model.build(evidence, model.priors, centred=True))(-1.2, 0.7, 0.8, theta)
    np.testing.assert_allclose(found, by_hand(evidence, theta, -1.2, 0.7, 0.8), rtol=1e-9)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("mu + evidence.x * beta", "mu - evidence.x * beta"),
        ("mu + evidence.x * beta", "mu + 2 * evidence.x * beta"),
        ("weights=evidence.weights,", "weights=evidence.weights[::-1],"),
        ("logit_p=theta[printed]", "p=pm.math.invprobit(theta[printed])"),
    ],
)
def test_a_wrong_line_is_caught(model, tmp_path, old, new):
    source = model.path.read_text(encoding="utf-8")
    assert source.count(old) == 1, "the edit no longer fits the model file"
    for folder in ("data", "models"):
        (tmp_path / folder).mkdir()
    (tmp_path / "models" / "meta_regression.py").write_text(source.replace(old, new), encoding="utf-8")
    wrong, evidence = load_model("meta_regression", Project(tmp_path)), EVIDENCE["latent"]
    theta = np.random.default_rng(1).normal(-1, 1, size=(5, evidence.k))
    found = density(wrong.build(evidence, model.priors, centred=True))(-1.2, 0.7, 0.8, theta)
    assert np.abs(found - by_hand(evidence, theta, -1.2, 0.7, 0.8)).max() > 1e-3


@pytest.mark.parametrize("label", EVIDENCE)
def test_both_forms_are_one_model(model, label):
    """theta in standard form has the same value at the same place, and levels are half of beta from mu."""
    declared = model.build(EVIDENCE[label], model.priors)
    names = ["mu", "beta", "tau", "z", "z_new", "level", "theta", "theta_new"]
    drawn = dict(
        zip(names, pm.draw([declared[n] for n in names], draws=20, random_seed=2, mode=_PYTHON), strict=True)
    )
    level = drawn["mu"][:, None] + np.outer(drawn["beta"], [0.5, -0.5])
    np.testing.assert_allclose(drawn["level"], level)
    np.testing.assert_allclose(drawn["theta_new"], level + drawn["tau"][:, None] * drawn["z_new"])
    centre = drawn["mu"][:, None] + np.outer(drawn["beta"], EVIDENCE[label].x)
    np.testing.assert_allclose(drawn["theta"], centre + drawn["tau"][:, None] * drawn["z"])


@pytest.mark.parametrize("label", EVIDENCE)
def test_the_surface_is_the_integral_of_the_formula(model, label):
    evidence, surface = EVIDENCE[label], model.surface(EVIDENCE[label])
    x, beta = np.linspace(-14, 14, 1201), np.linspace(-7, 7, 281)
    for mu, tau in ((-2.0, 0.3), (-1.0, 1.2)):
        by_study = np.stack([
            special.logsumexp(
                stats.binom.logpmf(evidence.tables[:, i, None, None], evidence.n[i], special.expit(x))
                + stats.norm.logpdf(x, (mu + evidence.x[i] * beta)[:, None], tau),
                axis=2,
            )
            + np.log(x[1] - x[0])
            for i in range(evidence.k)
        ])  # fmt: skip
        given = special.logsumexp(by_study.sum(axis=0), axis=0, b=evidence.weights[:, None])
        total = special.logsumexp(given + stats.norm.logpdf(beta, 0, 0.75)) + np.log(beta[1] - beta[0])
        assert surface.log_likelihood(mu, tau).item() == pytest.approx(total, abs=1e-6)


def test_the_surface_uses_the_prior_of_beta(model):
    narrow = model.surface(EVIDENCE["printed"], model.priors.replace(beta="Normal(mu=0, sigma=0.05)"))
    wide = model.surface(EVIDENCE["printed"]).log_likelihood(-2.0, 0.3).item()
    assert abs(narrow.log_likelihood(-2.0, 0.3).item() - wide) > 0.1


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("label", EVIDENCE)
def test_variables_are_named_by_the_rules(model, label, centred):
    evidence = EVIDENCE[label]
    declared = model.build(evidence, model.priors, centred=centred)
    dims = declared.named_vars_to_dims
    assert dims["theta"] == ("study",) and dims["theta_new"] == dims["level"] == ("group",)
    assert tuple(declared.coords["group"]) == evidence.levels
    free = {v.name for v in declared.free_RVs}
    local = {"theta", "theta_new"} if centred else {"z", "z_new"}
    assert free == {"mu", "beta", "tau"} | local
    observed = {v.name for v in declared.observed_RVs}
    assert observed == ({"events"} if label == "printed" else {"events", "events_latent"})


@pytest.mark.parametrize("label", EVIDENCE)
def test_data_can_be_simulated(model, label):
    evidence = EVIDENCE[label]
    declared = model.build(evidence, model.priors, centred=True)
    for variable in declared.observed_RVs:
        drawn = pm.draw(variable, draws=40, random_seed=3, mode=_PYTHON)
        shape = tuple(len(declared.coords[d]) for d in declared.named_vars_to_dims[variable.name])
        assert drawn.shape == (40, *shape)
        assert np.isfinite(drawn).all() and np.ptp(drawn) > 0 and (drawn >= 0).all()


def test_evidence_and_priors_of_another_kind_are_refused(model):
    with pytest.raises(EvidenceError, match="takes CovariateCounts, found Counts"):
        model.check(counts([1], [5]), model.priors)
    with pytest.raises(PriorError, match="no prior for beta"):
        model.check(EVIDENCE["printed"], Priors.of("mine", mu="Normal(0, 1)", tau="HalfNormal(1)"))
