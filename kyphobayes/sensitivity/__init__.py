"""How far an answer depends on its priors: every question about one surface.

>>> from kyphobayes import exact
>>> from kyphobayes.sensitivity import tipping_points
>>> surface = exact.binomial(events=[0, 5, 4], n=[32, 35, 19])
>>> found = tipping_points(surface, "Normal(mu=-2.5, sigma=1.5)", "HalfNormal(sigma=1)", below=-2.2)
>>> bool(found.loc["location of mu", "flips"])
True
"""

from kyphobayes.sensitivity.atlas import atlas
from kyphobayes.sensitivity.averaging import average
from kyphobayes.sensitivity.credibility import credibility_of_estimate, reverse_bayes
from kyphobayes.sensitivity.distance import hellinger
from kyphobayes.sensitivity.moves import scaled, shifted
from kyphobayes.sensitivity.pairs import crossed, named_priors, prior_pairs, published_pairs
from kyphobayes.sensitivity.power import power_scaling, psense_of_fit
from kyphobayes.sensitivity.prior_predictive import prior_predictive
from kyphobayes.sensitivity.results import Sensitivity, sensitivity
from kyphobayes.sensitivity.tipping import tipping_points

__all__ = [
    "Sensitivity",
    "atlas",
    "average",
    "credibility_of_estimate",
    "crossed",
    "hellinger",
    "named_priors",
    "power_scaling",
    "prior_pairs",
    "prior_predictive",
    "psense_of_fit",
    "published_pairs",
    "reverse_bayes",
    "scaled",
    "sensitivity",
    "shifted",
    "tipping_points",
]
