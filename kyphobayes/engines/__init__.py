"""Engines: (model, evidence, priors) to a fit, each in its own way, all with one layout."""

from kyphobayes.engines.exact import fit_exact
from kyphobayes.engines.nuts import fit_nuts

__all__ = ["fit_exact", "fit_nuts"]
