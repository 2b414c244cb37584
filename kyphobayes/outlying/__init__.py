"""Outlying studies: how much the answer depends on them, and on the shape of the differences between studies.

Exact posteriors under four shapes (normal, Student-t, some outlying, none), compared by exact
leave-one-study-out, and what each study does to tau and to the next study's effect.
"""

from kyphobayes.outlying.influence import divergence, influence, oddness, table_probabilities
from kyphobayes.outlying.shapes import (
    COMMON,
    NORMAL,
    OUTLYING,
    SHAPES,
    STACKED,
    STUDENT,
    Shapes,
    density,
    se_of,
    shapes,
)
from kyphobayes.outlying.stacking import Stacked, bootstrapped_weights, pairwise, stacking

__all__ = [
    "COMMON",
    "NORMAL",
    "OUTLYING",
    "SHAPES",
    "STACKED",
    "STUDENT",
    "Shapes",
    "Stacked",
    "bootstrapped_weights",
    "density",
    "divergence",
    "influence",
    "oddness",
    "pairwise",
    "se_of",
    "shapes",
    "stacking",
    "table_probabilities",
]
