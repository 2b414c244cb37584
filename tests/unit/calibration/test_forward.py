"""Worlds: reproducible one by one, and refused where nobody could observe them."""

import numpy as np
import pymc as pm
import pytest
from scipy import stats

from kyphobayes.calibration.designs import designs
from kyphobayes.calibration.forward import Forward
from kyphobayes.calibration.prior_sets import prior_sets
from kyphobayes.calibration.worlds import EXACT, FITTED, UNSEEN, fit_worlds
from kyphobayes.errors import InputError
from kyphobayes.evidence.views import View
from kyphobayes.model import Model, load_model, model_names
from kyphobayes.priors import Priors
from kyphobayes.project import default_project

NAMES = model_names(default_project())


def forward(project, name, k=3, label="default"):
    model = load_model(name, project)
    (evidence,) = designs(model, project, (k,)).values()
    priors = prior_sets(model, evidence, project)[label]
    return Forward(model.build(evidence, priors, centred=True)), evidence


@pytest.mark.parametrize("name", NAMES)
def test_every_model_draws_worlds_of_its_design(project, name):
    drawn, _ = forward(project, name)
    one, again, other = (drawn.world(5, number) for number in (1, 1, 2))
    assert set(one) == {*drawn.parameters, *drawn.data}
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert any(not np.array_equal(one[name], other[name]) for name in one)
    assert np.isfinite(drawn.log_likelihood(one))
    after = drawn.world(5, 1)  # compiling a second function leaves the first as it was
    assert all(np.array_equal(one[name], after[name]) for name in one)


@pytest.mark.parametrize("name", NAMES)
def test_every_model_has_its_own_priors_and_vague_ones(project, name):
    model = load_model(name, project)
    for evidence in designs(model, project, (3, 7)).values():
        sets = prior_sets(model, evidence, project)
        assert {"default", "vague"} <= set(sets)
        assert sets["default"].texts() == model.priors.texts() != sets["vague"].texts()
        for priors in sets.values():
            model.check(evidence, priors)


def test_the_log_likelihood_is_that_of_the_world(project):
    drawn, evidence = forward(project, "binomial_normal", k=7)
    world = drawn.world(0, 3)
    rate = 1 / (1 + np.exp(-world["theta"]))
    expected = stats.binom.logpmf(world["events"], evidence.n.astype(int), rate).sum()
    assert drawn.log_likelihood(world) == pytest.approx(expected, rel=1e-10)


def test_worlds_follow_the_priors(project):
    drawn, _ = forward(project, "normal_normal")
    mu = [drawn.world(0, number)["mu"] for number in range(300)]
    assert stats.kstest(mu, stats.norm(0, 10).cdf).pvalue > 0.01


def test_counts_that_nobody_could_observe_are_no_world(project):
    model = load_model("poisson_normal", project)
    (evidence,) = designs(model, project, (3,)).values()
    for level, outcome in (
        (1, FITTED),
        (38, UNSEEN),
        (60, UNSEEN),
    ):  # beyond 2^53 and beyond Poisson
        priors = Priors.of("far", mu=f"Normal(mu={level}, sigma=0.5)", tau="HalfNormal(sigma=0.2)")
        table = fit_worlds(model, evidence, priors, EXACT, 0, 0, 2, say=lambda _: None)
        assert table["outcome"].tolist() == [outcome] * 2
        assert ("mu" in table) == (outcome == FITTED)


def test_a_model_of_an_unknown_view_is_told(project):
    class Other(View):
        """A view that nobody knows."""

    known = load_model("normal_normal", project)
    model = Model("new", "", known.path, "", known.priors, Other, lambda: pm.Model(), None)
    with pytest.raises(InputError, match=r"takes Other, of which no design is known; expected one of Counts"):
        designs(model, project, (3,))
