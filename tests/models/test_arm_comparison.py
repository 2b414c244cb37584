"""models/arm_comparison.py: what `build` declares, integrated over effects and baselines, is its surface."""

import numpy as np
import pytensor
import pytest
from pymc.model.transform.conditioning import remove_value_transforms
from pytensor.graph.replace import vectorize_graph
from scipy import special, stats

from kyphobayes.errors import EvidenceError, PriorError
from kyphobayes.evidence import two_arms
from kyphobayes.model import load_model
from kyphobayes.priors import Priors

_PYTHON = pytensor.compile.mode.Mode(linker="py", optimizer="fast_compile")
EVIDENCE = {
    "three": two_arms([0, 0, 4], [32, 22, 19], [6, 0, 5], [65, 26, 18], ["a", "b", "c"]),
    "all events": two_arms([12, 3], [12, 50], [9, 1], [9, 40]),
}
MORE = "HalfNormal(sigma=0.7)"  # spread between exchangeable baselines


@pytest.fixture(scope="module")
def model():
    return load_model("arm_comparison")


def density(declared):
    """log p(counts, theta, baseline | the rest) of the declared graph, at many (theta, baseline)."""
    declared = remove_value_transforms(declared)
    values = {value.name: value for value in declared.value_vars}
    terms = declared.logp(
        vars=[declared["theta"], declared["baseline"], *declared.observed_RVs], sum=False, jacobian=False
    )
    theta, baseline = pytensor.tensor.matrix("theta"), pytensor.tensor.matrix("baseline")
    many = vectorize_graph(
        sum(term.sum() for term in terms), {values["theta"]: theta, values["baseline"]: baseline}
    )
    rest = [values[name] for name in ("mu", "tau", "mu_baseline", "tau_baseline") if name in values]
    return pytensor.function([*rest, theta, baseline], many, mode=_PYTHON, on_unused_input="ignore")


def by_hand(evidence, theta, baseline, mu, tau, middle, spread):
    """The same written out in SciPy: shape (m,) from theta and baseline of shape (m, k)."""
    one, two = special.expit(baseline + theta / 2), special.expit(baseline - theta / 2)
    return (
        stats.binom.logpmf(evidence.events_1, evidence.n_1, one)
        + stats.binom.logpmf(evidence.events_2, evidence.n_2, two)
        + stats.norm.logpdf(theta, mu, tau)
        + stats.norm.logpdf(baseline, middle, spread)
    ).sum(axis=1)


@pytest.mark.parametrize("label", EVIDENCE)
@pytest.mark.parametrize("exchangeable", [False, True])
def test_the_declaration_is_the_formula(model, label, exchangeable):
    evidence, rng = EVIDENCE[label], np.random.default_rng(1)
    priors = Priors.of(**model.priors.texts(), **({"tau_baseline": MORE} if exchangeable else {}))
    theta, baseline = rng.normal(size=(20, evidence.k)), rng.normal(-1, 1, size=(20, evidence.k))
    middle, spread = (-0.7, 0.9) if exchangeable else (-2.0, 1.2)
    given = (0.3, 0.8, *((middle, spread) if exchangeable else ()))
    found = density(model.build(evidence, priors, centred=True))(*given, theta, baseline)
    expected = by_hand(evidence, theta, baseline, 0.3, 0.8, middle, spread)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("label", EVIDENCE)
def test_the_surface_is_the_integral_of_the_formula(model, label):
    evidence, surface = EVIDENCE[label], model.surface(EVIDENCE[label])
    x = np.linspace(-14, 14, 601)
    theta, baseline = (grid.ravel()[:, None] for grid in np.meshgrid(x, x))
    for mu, tau in ((-0.5, 0.3), (0.8, 1.6)):
        total = 0.0
        for i in range(evidence.k):
            one = two_arms(*(values[i] for values in evidence.counts))
            logs = by_hand(one, theta, baseline, mu, tau, -2.0, 1.2)
            total += special.logsumexp(logs) + 2 * np.log(x[1] - x[0])
        assert surface.log_likelihood(mu, tau).item() == pytest.approx(total, abs=1e-7)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("exchangeable", [False, True])
def test_variables_are_named_by_the_rules(model, centred, exchangeable):
    evidence = EVIDENCE["three"]
    priors = Priors.of(**model.priors.texts(), **({"tau_baseline": MORE} if exchangeable else {}))
    declared = model.build(evidence, priors, centred=centred)
    dims = declared.named_vars_to_dims
    assert [dims[v.name] for v in declared.observed_RVs] == [("study",), ("study",)]
    assert dims["theta"] == dims["baseline"] == ("study",)
    expected = {"mu", "tau", "theta", "theta_new", "baseline"}
    expected |= {"mu_baseline", "tau_baseline", "baseline_new"} if exchangeable else set()
    assert expected <= set(declared.named_vars)
    free = {v.name for v in declared.free_RVs}
    assert ("theta" in free) == centred
    if centred:
        assert free == expected  # what a fit keeps is all that the centred form needs


def test_exchangeable_baselines_have_no_surface(model):
    with pytest.raises(EvidenceError, match="exchangeable baselines"):
        model.surface(EVIDENCE["three"], Priors.of(**model.priors.texts(), tau_baseline=MORE))


def test_the_surface_uses_the_priors_it_is_given(model):
    evidence = EVIDENCE["three"]
    low = model.surface(evidence, model.priors.replace(baseline="Normal(mu=-6, sigma=0.5)"))
    assert low.log_likelihood(0.0, 1.0).item() < model.surface(evidence).log_likelihood(0.0, 1.0).item()


def test_a_set_without_the_baseline_is_refused(model):
    with pytest.raises(PriorError, match="no prior for baseline"):
        model.check(EVIDENCE["three"], Priors.of("mine", mu="Normal(0, 1)", tau="HalfNormal(1)"))
