"""Leaks by vertebra, region and patient: the exact posterior on points, and what people read in it."""

from kyphobayes.leaks.clusters import Clusters
from kyphobayes.leaks.points import Points, at_draws, solve
from kyphobayes.leaks.quantities import Quantities, quantities, replicate
from kyphobayes.leaks.witnesses import Share, clustered_share, exact_share, none_seen

__all__ = [
    "Clusters",
    "Points",
    "Quantities",
    "Share",
    "at_draws",
    "clustered_share",
    "exact_share",
    "none_seen",
    "quantities",
    "replicate",
    "solve",
]
