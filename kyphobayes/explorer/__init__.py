"""The prior explorer: a page in which anyone moves the priors and sees the posterior at once.

`write_explorer` writes the page of a surface; `kyphobayes explore` that of an analysis of the plan.

The page holds the likelihood surface and needs no server. Its pictures are SVG drawn by our own JavaScript
and not by Bokeh: a curve here is one path of a few hundred points, while BokehJS alone is a megabyte per
page, draws on a canvas that neither a screen reader nor a printer can read, and brings controls that are
worse for the keyboard than the browser's own.
"""

from kyphobayes.explorer.page import explore_analysis, explorer_page, write_explorer
from kyphobayes.explorer.shown import Claim, Words

__all__ = ["Claim", "Words", "explore_analysis", "explorer_page", "write_explorer"]
