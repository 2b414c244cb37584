"""Printed summary lines analysed again: what they say of mu, tau and the next study."""

from kyphobayes.reanalysis.answer import Reanalysis, reanalyse
from kyphobayes.reanalysis.lines import Line, Told, read_again, read_lines, retell

__all__ = ["Line", "Reanalysis", "Told", "read_again", "read_lines", "reanalyse", "retell"]
