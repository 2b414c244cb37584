"""Exact posteriors by quadrature: a likelihood surface once, then any prior at once.

>>> from kyphobayes import exact
>>> surface = exact.binomial(events=[0, 5, 4], n=[32, 35, 19])
>>> post = surface.posterior(mu="Normal(mu=-2.5, sigma=1.5)", tau="HalfNormal(sigma=1)")
>>> rates = post.summary().loc["mu", ["low", "median", "high"]]  # log odds of the typical rate
"""

from kyphobayes.exact.density import Density
from kyphobayes.exact.posterior import Posterior
from kyphobayes.exact.surface import Surface, binomial, mixture, normal, poisson

__all__ = ["Density", "Posterior", "Surface", "binomial", "mixture", "normal", "poisson"]
