"""What a model of vertebrae's angles says in degrees, and in points of pain: numbers from draws."""

from kyphobayes.vertebrae.likelihood import pair_log_density, patient_log_likelihood
from kyphobayes.vertebrae.population import Population, Simulated, population
from kyphobayes.vertebrae.relief import correlations, gain_at_equal_pain, relief
from kyphobayes.vertebrae.witness import clustered_mean, fisher_interval

__all__ = [
    "Population",
    "Simulated",
    "clustered_mean",
    "correlations",
    "fisher_interval",
    "gain_at_equal_pain",
    "pair_log_density",
    "patient_log_likelihood",
    "population",
    "relief",
]
