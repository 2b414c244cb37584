"""Engines: (model, evidence, priors) to a fit, each in its own way, all with one layout."""

from kyphobayes.engines.declared import fit_declared
from kyphobayes.engines.exact import fit_exact
from kyphobayes.engines.nuts import fit_nuts
from kyphobayes.engines.reweighted import under_priors

__all__ = ["fit_declared", "fit_exact", "fit_nuts", "under_priors"]
