"""How often the intervals of every method cover what they should, in simulated meta-analyses of counts.

>>> from kyphobayes.coverage import Cell, Pair, cover
>>> pair = Pair("weak", "Normal(mu=-2.5, sigma=1.5)", "HalfNormal(sigma=1)")
>>> table = cover(Cell("small", (20, 12, 28), -2.9, 0.5, (pair,)), replications=100, seed=1)
"""

from kyphobayes.coverage.cells import crossed_cells, own_cells
from kyphobayes.coverage.simulated import Cell, Pair
from kyphobayes.coverage.study import cover, coverage_study
from kyphobayes.coverage.summary import shipped_coverage

__all__ = ["Cell", "Pair", "cover", "coverage_study", "crossed_cells", "own_cells", "shipped_coverage"]
