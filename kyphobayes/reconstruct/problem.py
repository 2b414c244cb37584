"""Printed figures as constraints on counts: what each study may have, what sums allow, what hangs together.

Everything here holds for every table that agrees with the figures, so that what it removes is never
missed: a study's own figures leave it a list of counts, its domain; a total or a crude rate bounds a sum
of counts, and so the domains again; and studies that no open figure connects can be searched apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kyphobayes.reconstruct.printed import POOLED, Printed
from kyphobayes.reconstruct.values import Printer, agrees

Counts = NDArray[np.int64]

_ROUNDS = 20  # of tightening domains; more would only be slower


@dataclass(frozen=True)
class Sum:
    """A total or a crude rate: the counts of `columns` add up to a number from low to high."""

    columns: tuple[int, ...]
    low: float
    high: float


class Problem:
    """Figures about studies, ready for a search.

    Parameters
    ----------
    printer : Printer
    figures : sequence of Printed
        Known counts among them.

    Attributes
    ----------
    domains : list of ndarray
        Counts that each study may have by itself, in rising order.
    sums : tuple of Sum
    tests : tuple of Printed
        Figures that only a table can be held against; the domains know the others.
    """

    def __init__(self, printer: Printer, figures: Sequence[Printed]):
        self.printer, self.figures = printer, tuple(figures)
        self.domains = [np.arange(size + 1) for size in printer.n]
        self.tests = tuple(figure for figure in self.figures if len(figure.studies) > 1)
        self.sums = tuple(self._sum(f) for f in self.tests if f.quantity in ("events", "rate"))
        for figure in self.figures:
            self._restrict(figure)
        self._tighten()

    @property
    def impossible(self) -> bool:
        """Whether some study has no count left, or figures about known counts alone disagree with them."""
        if any(len(domain) == 0 for domain in self.domains):
            return True
        first = np.array([[domain[0] for domain in self.domains]])
        return any(not self.keep(f, first)[0] for f in self.tests if not self.open(f))

    def columns(self, figure: Printed) -> tuple[int, ...]:
        """Places of the studies that a figure is about."""
        return self.printer.columns(figure.studies)

    def open(self, figure: Printed) -> list[int]:
        """Places of those whose count is not fixed."""
        return [c for c in self.columns(figure) if len(self.domains[c]) > 1]

    def named(self) -> list[int]:
        """Places of all studies that any figure is about."""
        return sorted({c for figure in self.figures for c in self.columns(figure)})

    def keep(self, figure: Printed, tables: Counts) -> NDArray[np.bool_]:
        """Which full tables agree with a figure."""
        part = tables[:, list(self.columns(figure))]
        return agrees(figure, self.printer.values([figure], part)[0])

    def components(self, columns: Sequence[int]) -> list[list[int]]:
        """Open ones of these columns, those together that figures connect."""
        label = {c: c for c in columns if len(self.domains[c]) > 1}
        for figure in self.tests:
            for a, b in pairwise(self.open(figure)):
                old, new = label[b], label[a]
                label = {c: new if value == old else value for c, value in label.items()}
        groups: dict[int, list[int]] = {}
        for c, value in label.items():
            groups.setdefault(value, []).append(c)
        return list(groups.values())

    def most_q(self, figure: Printed) -> float:
        """The largest Cochran's Q with which a figure agrees.

        Q never falls when a study is added, so part of a table may already have too much of it.
        """
        low, high = figure.inner
        df = len(figure.studies) - 1  # at most: a study without a variance lowers it
        by_q = self.printer.constraints.i2_from == "Q" or self.printer.pooling(figure) in ("CE", "DL")
        most = np.inf
        if figure.quantity == "I2" and by_q and high < 100:
            most = df / (1 - max(high, 0.0) / 100)
        elif figure.quantity == "Q":
            most = high
        elif figure.quantity == "p_heterogeneity" and 0 < low <= 1:
            most = float(special.chdtri(df, low))
        return np.inf if self.printer.scale.together else most * (1 + 1e-9) + 1e-9

    def _sum(self, figure: Printed) -> Sum:
        columns = self.columns(figure)
        size = float(self.printer.n[list(columns)].sum()) if figure.quantity == "rate" else 1.0
        low, high = (size * end for end in figure.inner)
        return Sum(columns, low, high)

    def _restrict(self, figure: Printed) -> None:
        """What a figure says about each study by itself."""
        columns = self.columns(figure)
        low, high = figure.inner
        for c in columns:
            domain = self.domains[c]
            if len(columns) == 1:
                value = self.printer.values([figure], domain[:, None])[0]
                keep = agrees(figure, value)
            elif figure.quantity == "lowest_rate":
                keep = domain / self.printer.n[c] >= low
            elif figure.quantity == "highest_rate":
                keep = domain / self.printer.n[c] <= high
            else:
                continue
            self.domains[c] = domain[keep]

    def _tighten(self) -> None:
        """What sums leave to each study, given the least and the most of the others."""
        for _ in range(_ROUNDS):
            before = sum(len(domain) for domain in self.domains)
            for s in self.sums:
                if any(len(self.domains[c]) == 0 for c in s.columns):
                    return
                least = sum(int(self.domains[c][0]) for c in s.columns)
                most = sum(int(self.domains[c][-1]) for c in s.columns)
                for c in s.columns:
                    domain = self.domains[c]
                    keep = (domain >= s.low - (most - domain[-1])) & (domain <= s.high - (least - domain[0]))
                    self.domains[c] = domain[keep]
            if sum(len(domain) for domain in self.domains) == before:
                return


def is_pooled(figure: Printed) -> bool:
    """Whether a figure needs the paper's method."""
    return figure.quantity in POOLED
