"""The families of priors: PyMC's names and parameters, and their densities in plain numpy.

Densities, distribution functions and quantiles are written here, not taken from PyMC or scipy.stats,
because the exact engine must start without either. One contract test holds every family to both.
"""

from kyphobayes.families.family import Array, Family, Law
from kyphobayes.families.positive import POSITIVE_FAMILIES
from kyphobayes.families.real import REAL_FAMILIES
from kyphobayes.families.studies import STUDY_FAMILIES
from kyphobayes.families.wrappers import WRAPPERS

NUMBER_FAMILIES = {**REAL_FAMILIES, **POSITIVE_FAMILIES}  # all their parameters are numbers
FAMILIES = {**NUMBER_FAMILIES, **STUDY_FAMILIES, **WRAPPERS}

__all__ = ["FAMILIES", "NUMBER_FAMILIES", "STUDY_FAMILIES", "WRAPPERS", "Array", "Family", "Law"]
