"""Priors read from text: what is accepted, what is refused, and that nothing is ever evaluated."""

import math
import os
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphobayes.errors import PriorError
from kyphobayes.families import FAMILIES, NUMBER_FAMILIES, STUDY_FAMILIES
from kyphobayes.priors import Prior, Priors


@pytest.mark.parametrize(
    ("text", "family", "parameters"),
    [
        ("HalfNormal(sigma=0.5)", "HalfNormal", {"sigma": 0.5}),
        ("HalfNormal(0.5)", "HalfNormal", {"sigma": 0.5}),
        ("HalfNormal()", "HalfNormal", {"sigma": 1.0}),
        ("HalfNormal", "HalfNormal", {"sigma": 1.0}),
        ("Normal(-2.5, sigma=1_000)", "Normal", {"mu": -2.5, "sigma": 1000.0}),
        ("  Normal(sigma=+2, mu=--3e-1) ", "Normal", {"mu": 0.3, "sigma": 2.0}),
        ("StudentT(nu=4, mu=0, sigma=2.5)", "StudentT", {"nu": 4.0, "mu": 0.0, "sigma": 2.5}),
        ("Uniform(lower=-1, upper=1)", "Uniform", {"lower": -1.0, "upper": 1.0}),
        ("Flat()", "Flat", {}),
        ("Jeffreys", "Jeffreys", {}),
        ("PC(U=1, alpha=0.05)", "PC", {"U": 1.0, "alpha": 0.05}),
        ("Lomax(6,beta=2)", "Lomax", {"alpha": 6.0, "beta": 2.0}),
        ("Normal(mu=1,sigma=.5)", "Normal", {"mu": 1.0, "sigma": 0.5}),
        (
            "Truncated(Normal(0, 1), 0, upper=2)",
            "Truncated",
            {"dist": Prior.parse("Normal()"), "lower": 0.0, "upper": 2.0},
        ),
        (
            "Truncated(upper=2, dist=HalfNormal)",
            "Truncated",
            {"dist": Prior.parse("HalfNormal()"), "lower": -math.inf, "upper": 2.0},
        ),
        ("Tau2(LogNormal(-2, 1.5))", "Tau2", {"dist": Prior.parse("LogNormal(-2, 1.5)")}),
        (
            "Mixture(0.5*Normal(0, 1) + .25*Cauchy + 0.25*Normal(sigma=3))",
            "Mixture",
            {
                "weights": (0.5, 0.25, 0.25),
                "components": tuple(map(Prior.parse, ("Normal", "Cauchy", "Normal(sigma=3)"))),
            },
        ),
    ],
)
def test_right_texts(text, family, parameters):
    prior = Prior.parse(text)
    assert (prior.family, dict(prior.parameters)) == (family, parameters)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("HalfNorml(sigma=1)", "did you mean HalfNormal?"),
        ("halfnormal(sigma=1)", "did you mean HalfNormal?"),
        ("Studentt(nu=3)", "did you mean StudentT?"),
        ("Qqqqq(1)", "expected one of Normal"),
        ("HalfNormal(sgima=1)", "did you mean sigma?"),
        ("HalfCauchy(scale=1)", "HalfCauchy has no parameter scale"),
        ("Flat(sigma=1)", "it takes no parameters"),
        ("Flat(1)", "too many parameters; expected none"),
        ("Normal(0, 1, 2)", "too many parameters; expected mu, sigma"),
        ("Normal(0, mu=1)", "mu is given twice"),
        ("StudentT()", "also needs nu"),
        ("Gamma()", "also needs alpha and beta"),
        ("HalfNormal(sigma=0)", "sigma must be greater than 0, found 0"),
        ("HalfNormal(sigma=-1)", "sigma must be greater than 0, found -1"),
        ("Uniform(1, 1)", "lower must lie below upper"),
        ("Uniform(2, 1)", "lower must lie below upper"),
        ("PC(U=1, alpha=1)", "alpha must lie between 0 and 1, found 1"),
        ("PC(U=0, alpha=0.5)", "U must be greater than 0, found 0"),
        ("PC(u=1, alpha=0.5)", "did you mean U?"),
        ("Jeffrey()", "did you mean Jeffreys?"),
        ("UniformShrinkge()", "did you mean UniformShrinkage?"),
        ("DuMouchel(s=1)", "it takes no parameters"),
        ("Truncate(Normal(0, 1), lower=0)", "did you mean Truncated?"),
        ("Truncated(Norml(0, 1), lower=0)", "did you mean Normal?"),
        ("Truncated(Normal(mean=0), lower=0)", "Normal has no parameter mean"),
        ("Truncated(Normal(0, 1), low=0)", "did you mean lower?"),
        ("Truncated(Normal(0, 1))", "also needs lower or upper"),
        ("Truncated(lower=0)", "also needs dist"),
        ("Truncated(1, lower=0)", "expected a prior inside"),
        ("Truncated(Normal(0, 1), lower=2, upper=1)", "lower must lie below upper"),
        ("Truncated(HalfNormal(1), upper=-1)", "has no mass between these bounds"),
        ("Truncated(Normal(0, 1), lower=50)", "has no mass between these bounds"),
        ("Truncated(Flat(), lower=0, upper=1)", "a flat prior between bounds is Uniform"),
        ("Tau2(Normal(0, 1))", "a square has none"),
        ("Tau2(Flat())", "a square has none"),
        ("Tau2(Jeffreys())", "a prior of tau itself"),
        ("Tau2(HalfNormal(sigma=0))", "sigma must be greater than 0"),
        ("Tau2(HalfNormal(scale=1))", "HalfNormal has no parameter scale"),
        ("Mixture(0.8*Norml(0, 1) + 0.2*Normal(0, 5))", "did you mean Normal?"),
        ("Mixture(0.8*Normal(0, 1) + 0.1*Normal(0, 5))", "add to 1, found 0.9"),
        ("Mixture(1.5*Normal(0, 1) + -0.5*Normal(0, 5))", "greater than 0"),
        ("Mixture(0.5*Flat() + 0.5*Normal(0, 5))", "Flat() is improper and cannot be mixed"),
        ("Mixture(Normal(0, 1))", "a form such as Mixture("),
        ("Mixture(0.5*Normal(0, 1) - 0.5*Normal(0, 1))", "a form such as Mixture("),
        ("Mixture(0.5*2)", "a form such as Mixture("),
        ("Mixture()", "a form such as Mixture("),
        ("Mixture(f(1)*Normal(0, 1))", "finite numbers"),
        ("Normal(0, sigma=1e999)", "finite numbers"),
        ("Normal(mu=True)", "finite numbers"),
        ("Normal(mu='1')", "finite numbers"),
        ("Normal(mu=1j)", "finite numbers"),
        ("Normal(mu=nan)", "finite numbers"),
        ("Normal(mu=1+1)", "finite numbers"),
        ("Normal(mu=2**9**9**9)", "finite numbers"),
        ("Normal(mu=" + "9" * 400 + ")", "finite numbers"),
        ("Normal(mu=f(1))", "finite numbers"),
        ("Normal(mu=[x for x in (1, 2)])", "finite numbers"),
        ("Normal(mu=(lambda: 1)())", "finite numbers"),
        ("", "a form such as HalfNormal(sigma=1)"),
        ("Normal(", "a form such as HalfNormal(sigma=1)"),
        ("Normal(0, 1", "a form such as HalfNormal(sigma=1)"),
        ("Normal(0; 1)", "a form such as HalfNormal(sigma=1)"),
        ("Normal(0, 1)\0", "a form such as HalfNormal(sigma=1)"),
        ("1", "a form such as HalfNormal(sigma=1)"),
        ("x = Normal(0, 1)", "a form such as HalfNormal(sigma=1)"),
        ("pm.Normal(0, 1)", "a form such as HalfNormal(sigma=1)"),
        ("Normal(0, 1) + Normal(0, 1)", "a form such as HalfNormal(sigma=1)"),
        ("Normal(0, 1)(2)", "a form such as HalfNormal(sigma=1)"),
        ("Normal(*[0, 1])", "a form such as HalfNormal(sigma=1)"),
        ("Normal(**{'mu': 0})", "a form such as HalfNormal(sigma=1)"),
        ("lambda: 1", "a form such as HalfNormal(sigma=1)"),
        ("[Normal(0, 1) for _ in range(3)]", "a form such as HalfNormal(sigma=1)"),
        ("Normal(" + "(" * 220 + "1" + ")" * 220 + ")", "a form such as HalfNormal(sigma=1)"),
        ("Normal(mu=" + " " * 100_000 + "1)", "too long"),
    ],
)
def test_wrong_texts_say_what_is_right(text, hint):
    with pytest.raises(PriorError) as error:
        Prior.parse(text)
    assert hint in str(error.value)


def test_many_signs_are_one():
    assert Prior.parse("Normal(mu=" + "-" * 80 + "1)") == Prior.parse("Normal(mu=1)")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('x')",
        "Normal(mu=__import__('os').mkdir('{place}'))",
        "Normal(mu=open('{place}', 'w'))",
        "(lambda: __import__('os').mkdir('{place}'))()",
        "[__import__('os').mkdir('{place}') for _ in (1,)]",
        "Normal(**__import__('os').mkdir('{place}'))",
        "exec(\"__import__('os').mkdir('{place}')\")",
    ],
)
def test_nothing_is_evaluated(text, tmp_path):
    place = tmp_path / "made"
    with pytest.raises(PriorError):
        Prior.parse(text.replace("{place}", str(place)))
    assert not place.exists()
    assert os.listdir(tmp_path) == []


NUMBERS = tuple(sorted(NUMBER_FAMILIES))
PROPER = tuple(name for name in NUMBERS if NUMBER_FAMILIES[name].quantile is not None)
HALF = ("HalfNormal", "Exponential", "LogNormal", "Lomax", "HalfFlat")


@st.composite
def plain_priors(draw, names=NUMBERS):
    name = draw(st.sampled_from(names))
    family = FAMILIES[name]
    number = st.floats(-1e300, 1e300)
    positive = st.floats(1e-300, 1e300)
    unit = st.floats(0, 1, exclude_min=True, exclude_max=True)
    values = {
        key: draw(positive if key in family.positive else unit if key in family.unit else number)
        for key in family.defaults
    }
    if name == "Uniform" and not values["lower"] < values["upper"]:
        values = {"lower": min(values.values()) - 1e290, "upper": max(values.values()) + 1e290}
    return Prior(name, tuple(values.items()))


@st.composite
def priors(draw):
    kind = draw(st.sampled_from(("plain", "studies", "square", "truncated", "mixture")))
    if kind == "studies":
        return Prior(draw(st.sampled_from(sorted(STUDY_FAMILIES))), ())
    if kind == "square":
        return Prior("Tau2", (("dist", draw(plain_priors(HALF))),))
    if kind == "truncated":
        lower, width = draw(st.floats(-1, 1)), draw(st.floats(1e-3, 1e3) | st.just(math.inf))
        dist = Prior.parse(draw(st.sampled_from(("Normal(sigma=3)", "Cauchy()", "HalfCauchy(beta=100)"))))
        return Prior("Truncated", (("dist", dist), ("lower", lower), ("upper", 1.0 + width)))
    if kind == "mixture":
        components = tuple(draw(st.lists(plain_priors(PROPER), min_size=1, max_size=4)))
        raw = draw(st.lists(st.floats(0.01, 1), min_size=len(components), max_size=len(components)))
        weights = tuple(weight / sum(raw) for weight in raw)
        return Prior("Mixture", (("weights", weights), ("components", components)))
    return draw(plain_priors())


@given(priors())
def test_the_text_of_a_prior_reads_back_as_the_same_prior(prior):
    assert Prior.parse(str(prior)) == prior


@given(st.text(max_size=60))
def test_any_text_is_a_prior_or_a_prior_error(text):
    try:
        prior = Prior.parse(text)
    except PriorError:
        return
    assert prior.family in FAMILIES


def test_a_prior_is_a_value():
    prior = Prior.parse("HalfNormal(0.5)")
    assert prior == Prior.parse("HalfNormal(sigma=.5)")
    assert hash(prior) == hash(Prior.parse("HalfNormal(sigma=.5)"))
    assert pickle.loads(pickle.dumps(prior)) == prior
    assert Prior.parse(prior) is prior
    with pytest.raises(AttributeError):
        prior.family = "Normal"


def test_a_prior_made_of_priors_is_a_value_too():
    text = "Mixture(0.8*Truncated(Normal(mu=0, sigma=1), lower=0) + 0.2*Tau2(HalfNormal(sigma=1)))"
    prior = Prior.parse(text)
    assert str(prior) == text
    assert hash(prior) == hash(Prior.parse(text))
    assert pickle.loads(pickle.dumps(prior)) == prior


@pytest.mark.parametrize("q", [-0.1, 1.1, [0.5, float("nan")]])
def test_quantiles_are_of_probabilities(q):
    with pytest.raises(PriorError, match="probabilities from 0 to 1"):
        Prior.parse("Normal()").quantile(q)


# --- priors that the studies define ----------------------------------------------------------------------


WAITING = [*(f"{name}()" for name in STUDY_FAMILIES), "Truncated(DuMouchel(), upper=2)"]


@pytest.mark.parametrize("text", WAITING)
def test_a_prior_that_the_studies_define_waits_for_them(text):
    prior = Prior.parse(text)
    assert prior.unbound
    ready = prior.for_studies([0.1, 0.4])
    assert not ready.unbound
    assert str(ready) == str(prior) == text
    assert ready.proper == prior.proper
    assert ready.support == prior.support
    assert np.isfinite(ready.log_density(0.3))
    probabilities = (prior.quantile, prior.cdf) if prior.proper else ()
    for function in (prior.log_density, prior.to_pymc, *probabilities):
        with pytest.raises(PriorError, match=r"standard errors of the studies; bind it with for_studies"):
            function(0.3)


def test_other_priors_have_no_need_of_the_studies():
    prior = Prior.parse("Tau2(HalfNormal(1))")
    assert prior.for_studies([0.1]) == prior
    chosen = Priors.of("own", mu="Flat()", tau="Jeffreys()").for_studies([0.1, 0.2])
    assert chosen["tau"] == Prior.parse("Jeffreys()").for_studies([0.1, 0.2])
    assert chosen.label == "own"


@pytest.mark.parametrize(
    ("se", "hint"),
    [
        ([0.1, 0.0], r"se\[1\]: expected a number greater than 0, found 0"),
        ([0.1, -1.0], r"se\[1\]"),
        ([float("nan")], r"se\[0\]"),
        ([], r"one standard error per study, found shape \(0,\)"),
        ([[0.1]], r"found shape \(1, 1\)"),
        (["a"], "expected standard errors"),
    ],
)
def test_standard_errors_are_positive_numbers(se, hint):
    with pytest.raises(PriorError, match=hint):
        Prior.parse("Jeffreys()").for_studies(se)


def test_the_typical_variance_needs_two_studies():
    with pytest.raises(PriorError, match=r"at least 2 studies; use UniformShrinkage\(\)"):
        Prior.parse("UniformI2()").for_studies([0.1])


# Three studies, tau = 2, by hand: v = 5, 8, 20 and tau/v = 0.4, 0.25, 0.1; s0^2 = 3 / (1 + 1/4 + 1/16).
S0 = math.sqrt(3 / 1.3125)
BY_HAND = {
    "Jeffreys()": math.sqrt(0.16 + 0.0625 + 0.01),
    "OverallJeffreys()": math.sqrt((0.2 + 0.125 + 0.05) * (0.16 + 0.0625 + 0.01)),
    "BergerDeely()": (0.4 * 0.25 * 0.1) ** (1 / 3),
    "DuMouchel()": S0 / (S0 + 2) ** 2,
    "UniformShrinkage()": 4 * S0**2 / (S0**2 + 4) ** 2,
    # 2 * 1.3125 / (1.3125^2 - (1 + 1/16 + 1/256)) = 2.625 / 0.65625 = 4
    "UniformI2()": 4 * 4 / (4 + 4) ** 2,
}


@pytest.mark.parametrize("text", BY_HAND)
def test_densities_by_hand(text):
    prior = Prior.parse(text).for_studies([1.0, 2.0, 4.0])
    assert math.exp(prior.log_density(2.0)) == pytest.approx(BY_HAND[text], rel=1e-13)


def test_the_conventional_prior_of_equal_errors_has_a_formula():
    """Where all v are equal its density is sigma tau / v^1.5, and P(tau < t) = 1 - sigma / sqrt(v)."""
    prior = Prior.parse("Conventional()").for_studies([0.3] * 4)
    t = np.array([1e-3, 0.2, 5.0])
    v = 0.09 + t**2
    np.testing.assert_allclose(np.exp(prior.log_density(t)), 0.3 * t / v**1.5, rtol=1e-12)
    np.testing.assert_allclose(prior.survival(t), 0.3 / np.sqrt(v), rtol=1e-12)
    np.testing.assert_allclose(prior.cdf(t), -np.expm1(np.log(0.3) - np.log(v) / 2), rtol=1e-9)


@given(
    st.sampled_from(sorted(STUDY_FAMILIES)),
    st.lists(st.floats(0.01, 100), min_size=2, max_size=6),
    st.sampled_from((1e-8, 1.0, 1e8)),
)
def test_a_change_of_unit_or_order_changes_nothing(name, se, unit):
    """Of a density by d tau; OverallJeffreys is one of (mu, tau) and has the square of the unit."""
    prior = Prior(name, ())
    t = np.array([0.02, 1.0, 30.0])
    power = 2 if name == "OverallJeffreys" else 1
    here = prior.for_studies(se).log_density(t)
    there = prior.for_studies(np.array(se[::-1]) * unit).log_density(t * unit)
    np.testing.assert_allclose(there + power * np.log(unit), here, rtol=1e-9, atol=1e-9)


def test_one_huge_study_among_many_leaves_the_typical_variance_its_digits():
    """The variance tends to that of the others' mean precision: (k - 1) / (2 sum of the others)."""
    prior = Prior.parse("UniformI2()").for_studies([1e-9, 1.0, 1.0])
    assert float(prior.quantile(0.5)) ** 2 == pytest.approx(2 / (2 * 2), rel=1e-8)


def test_a_prior_of_tau_is_none_of_mu():
    with pytest.raises(PriorError, match=r"mu: Jeffreys\(\) is a prior for the standard deviation"):
        Priors.of(mu="Jeffreys()", tau="Jeffreys()")


def test_the_reason_plays_no_part_in_equality():
    assert Prior.parse("HalfNormal(0.5)", why="leakage varies a lot") == Prior.parse("HalfNormal(0.5)")


def test_an_improper_prior_has_no_quantile():
    with pytest.raises(PriorError, match="improper"):
        Prior.parse("Flat()").quantile(0.5)


def test_flat_for_a_standard_deviation_is_flat_above_zero():
    assert Priors.of(tau="Flat()")["tau"] == Prior.parse("HalfFlat()")
    assert Priors.of(mu="Flat()")["mu"] == Prior.parse("Flat()")


@pytest.mark.parametrize("text", ["Normal(0, 1)", "Uniform(-0.1, 1)", "Cauchy()", "StudentT(3)"])
def test_a_standard_deviation_may_not_be_negative(text):
    with pytest.raises(PriorError, match="tau is a standard deviation"):
        Priors.of(mu="Normal(0, 1)", tau=text)


def test_a_set_of_priors():
    chosen = Priors.of("vague", mu="Normal(0, 10)", tau="HalfNormal(2)")
    assert list(chosen) == ["mu", "tau"]
    assert len(chosen) == 2
    assert chosen.texts() == {"mu": "Normal(mu=0, sigma=10)", "tau": "HalfNormal(sigma=2)"}
    other = chosen.replace(tau="HalfCauchy(0.5)")
    assert other["tau"] == Prior.parse("HalfCauchy(0.5)")
    assert other["mu"] == chosen["mu"]
    assert other.label == "vague, tau ~ HalfCauchy(beta=0.5)"
    assert chosen["tau"] == Prior.parse("HalfNormal(2)")
    with pytest.raises(PriorError, match="did you mean tau"):
        chosen.replace(taw="HalfNormal(2)")
    with pytest.raises(PriorError, match="no prior for beta in vague"):
        _ = chosen["beta"]
