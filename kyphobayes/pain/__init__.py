"""What a model of pain scores says in points: arrays in, arrays out."""

from kyphobayes.pain.missing import late_scores, unseen
from kyphobayes.pain.population import Population, population
from kyphobayes.pain.scores import score_probabilities

__all__ = ["Population", "late_scores", "population", "score_probabilities", "unseen"]
