"""The frequentist witness: arrays in, arrays out; independent of PyMC and of `kyphobayes.exact`."""

from kyphobayes.frequentist.pool import TESTS, Pooled, pool, pool_many
from kyphobayes.frequentist.tau2 import METHODS

__all__ = ["METHODS", "TESTS", "Pooled", "pool", "pool_many"]
