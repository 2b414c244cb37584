"""Pictures of fits: each a public function that takes a fit and returns the figure.

They use matplotlib's objects and no global state: nothing is shown, nothing needs closing. Where ArviZ has
the plot, a `PlotCollection` may come in and goes out; see `natural_draws` for all its other plots.

>>> from kyphobayes.report import figures
>>> figures.forest(fit).savefig("forest.svg")  # doctest: +SKIP

Every picture takes `scale`, the natural scale on which effects are shown: by default that of the fit's
measure, which knows no unit. ``natural_scale("IRLN", unit="patient-years", per=100)`` shows rates per 100
patient-years.
"""

from kyphobayes.report.figures.densities import latent_counts, next_cases, prior_posterior
from kyphobayes.report.figures.drapery import confidence_density, drapery
from kyphobayes.report.figures.draws import (
    interval_rows,
    natural_draws,
    prior_posterior_draws,
    ranks,
    ridge,
)
from kyphobayes.report.figures.forest import forest
from kyphobayes.report.figures.funnel import funnel
from kyphobayes.report.figures.heterogeneity import given_tau, tau_profile
from kyphobayes.report.figures.joint import joint
from kyphobayes.report.figures.patients import trajectories
from kyphobayes.report.figures.points import baujat, labbe
from kyphobayes.report.figures.prior_choice import prior_comparison, sensitivity
from kyphobayes.report.figures.refits import cumulative, leave_one_out
from kyphobayes.report.figures.samplers import engines, rank_histograms

__all__ = [
    "baujat",
    "confidence_density",
    "cumulative",
    "drapery",
    "engines",
    "forest",
    "funnel",
    "given_tau",
    "interval_rows",
    "joint",
    "labbe",
    "latent_counts",
    "leave_one_out",
    "natural_draws",
    "next_cases",
    "prior_comparison",
    "prior_posterior",
    "prior_posterior_draws",
    "rank_histograms",
    "ranks",
    "ridge",
    "sensitivity",
    "tau_profile",
    "trajectories",
]
