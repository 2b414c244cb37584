"""From past studies to the next series and back: what was foreseen, what is known after it."""

from kyphobayes.updating.effect import ForeseenEffect, foreseen_effect
from kyphobayes.updating.foreseen import Foreseen, foreseen, outcome_probabilities
from kyphobayes.updating.order import cumulative
from kyphobayes.updating.preposterior import NextStudy, next_study
from kyphobayes.updating.relaxed import Relaxed, commensurate, exchangeable_or_not, mixed, own_effect
from kyphobayes.updating.series import Series, series_of
from kyphobayes.updating.update import Update, effective_sizes, update

__all__ = [
    "Foreseen",
    "ForeseenEffect",
    "NextStudy",
    "Relaxed",
    "Series",
    "Update",
    "commensurate",
    "cumulative",
    "effective_sizes",
    "exchangeable_or_not",
    "foreseen",
    "foreseen_effect",
    "mixed",
    "next_study",
    "outcome_probabilities",
    "own_effect",
    "series_of",
    "update",
]
