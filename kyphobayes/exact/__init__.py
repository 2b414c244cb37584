"""Exact posteriors by quadrature: a likelihood surface once, then any prior at once.

>>> from kyphobayes import exact
>>> surface = exact.binomial(events=[0, 5, 4], n=[32, 35, 19])
>>> post = surface.posterior(mu="Normal(mu=-2.5, sigma=1.5)", tau="HalfNormal(sigma=1)")
>>> rates = post.summary().loc["mu", ["low", "median", "high"]]  # log odds of the typical rate
"""

from kyphobayes.exact.constructors import binomial, mixture, normal, poisson, poisson_mixture, two_arms
from kyphobayes.exact.covariates import CoefficientPosterior, meta_regression
from kyphobayes.exact.density import Density
from kyphobayes.exact.outliers import OutlyingPosterior, outlying_effects
from kyphobayes.exact.posterior import Posterior
from kyphobayes.exact.regression import RegressionPosterior, normal_regression
from kyphobayes.exact.student import StudentPosterior, student_effects
from kyphobayes.exact.surface import Surface

__all__ = [
    "CoefficientPosterior",
    "Density",
    "OutlyingPosterior",
    "Posterior",
    "RegressionPosterior",
    "StudentPosterior",
    "Surface",
    "binomial",
    "meta_regression",
    "mixture",
    "normal",
    "normal_regression",
    "outlying_effects",
    "poisson",
    "poisson_mixture",
    "student_effects",
    "two_arms",
]
