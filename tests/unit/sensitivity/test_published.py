"""Published priors for tau beside the project's own priors for mu."""

import numpy as np

from kyphobayes.evidence import contrasts, evidence_for, find_analysis
from kyphobayes.model import load_model
from kyphobayes.report.sensitivity import conclusion
from kyphobayes.run import sensitivity_of
from kyphobayes.sensitivity import named_priors, published_pairs

NAME = "new_fracture_bouza_only"


def test_every_published_prior_of_log_odds_ratios_is_crossed_with_every_prior_for_mu(project):
    analysis = find_analysis(project, NAME)
    evidence = evidence_for(analysis, project)
    pairs = published_pairs(project, analysis, evidence)
    assert len(pairs) == 86 * len(named_priors(project, analysis, evidence)["mu"])
    assert str(pairs["vague × turner2015_marginal"][1]) == "Tau2(LogNormal(mu=-2.56, sigma=1.74))"


def test_on_another_scale_there_are_none(project):
    assert published_pairs(project, find_analysis(project, NAME), contrasts([0.1, 0.2], [0.1, 0.1])) == {}


def test_they_are_counted_by_their_own_posteriors(project):
    analysis = find_analysis(project, NAME)
    found = sensitivity_of(analysis, project)
    assert found.published is not None and found.holds_published is not None
    surface = load_model(analysis.model, project).surface(evidence_for(analysis, project))
    pairs = published_pairs(project, analysis, evidence_for(analysis, project))
    name = "sceptical × turner2015_pain_pharm_placebo"
    chance = float(surface.posterior(*pairs[name]).cdf("mu", found.below))
    np.testing.assert_allclose(float(found.published["probability"].sel(prior=name)), chance, atol=1e-7)
    assert f"holds under {int(found.holds_published.sum())} of {len(pairs)} pairs" in conclusion(found, "x")
    assert "published" in found.datasets() and found.to_dict()["holds_published"]["of"] == len(pairs)
