"""Counts that a paper does not print, found from what it does print."""

from kyphobayes.reconstruct.constraints import Constraints, Printed
from kyphobayes.reconstruct.tables import CountTables, reconstruct

__all__ = ["Constraints", "CountTables", "Printed", "reconstruct"]
