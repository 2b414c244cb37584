"""Counts that a paper does not print, found from what it does print."""

from kyphobayes.reconstruct.conflicts import Conflict, Contradiction
from kyphobayes.reconstruct.constraints import Constraints
from kyphobayes.reconstruct.narrowing import Narrowing, narrowing, other_methods
from kyphobayes.reconstruct.printed import Printed
from kyphobayes.reconstruct.rates import rates
from kyphobayes.reconstruct.solve import SMALL, TINY, Effort
from kyphobayes.reconstruct.summary import SummaryLikelihood, summary_likelihood
from kyphobayes.reconstruct.tables import CountTables, Sample, find_tables, reconstruct

__all__ = [
    "SMALL",
    "TINY",
    "Conflict",
    "Constraints",
    "Contradiction",
    "CountTables",
    "Effort",
    "Narrowing",
    "Printed",
    "Sample",
    "SummaryLikelihood",
    "find_tables",
    "narrowing",
    "other_methods",
    "rates",
    "reconstruct",
    "summary_likelihood",
]
