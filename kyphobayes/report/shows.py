"""How columns of a table show numbers and intervals; a dash stands where there is none."""

from typing import Any

from kyphobayes.report.tables import Show
from kyphobayes.report.words import decimal, decimals, percents, probability


def number(key: str, digits: int = 2) -> Show:
    """Show a number with so many decimals."""
    return lambda row: decimal(row[key], digits)


def between(low: str, high: str, digits: int = 2) -> Show:
    """Show the two ends of an interval with so many decimals."""
    return lambda row: decimals(row[low], row[high], digits)


def shares(low: str, high: str) -> Show:
    """Show the two ends of an interval of shares in percent."""
    return lambda row: percents(row[low], row[high])


def chance(key: str) -> Show:
    """Show a probability."""

    def show(row: Any) -> str:
        return probability(float(row[key]))

    return show
