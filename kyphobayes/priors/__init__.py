"""Priors as immutable values, read from text; many at once for a sweep."""

from kyphobayes.priors.prior import Prior
from kyphobayes.priors.sets import Priors
from kyphobayes.priors.sweep import log_densities

__all__ = ["Prior", "Priors", "log_densities"]
