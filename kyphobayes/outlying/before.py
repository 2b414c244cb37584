"""Rates of a typical and of the next centre before the data, under each shape of their differences."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from kyphobayes.exact.kernels import NORMAL as NORMAL_KERNEL
from kyphobayes.exact.kernels import ContaminatedKernel, Kernel, StudentKernel
from kyphobayes.names import MU, TAU
from kyphobayes.outlying.shapes import COMMON, NORMAL, OUTLYING, STUDENT
from kyphobayes.priors import Priors

Array = NDArray[np.float64]

DRAWS = 60_000


def before(
    priors: Priors, nu: Sequence[float], grid: Sequence[tuple[float, float]], seed: int
) -> dict[str, tuple[Array, Array]]:
    """Draw rates from the priors.

    Parameters
    ----------
    priors : Priors
        Proper ones for the log odds mu and for tau.
    nu, grid
        Equally probable degrees of freedom, and shares and ratios of outlying centres.
    seed : int

    Returns
    -------
    dict of str to (ndarray, ndarray)
        By shape, draws of the typical and of the next centre's rate.
    """
    kernels: dict[str, list[Kernel]] = {
        NORMAL: [NORMAL_KERNEL],
        STUDENT: [StudentKernel(value) for value in nu],
        OUTLYING: [ContaminatedKernel(share, ratio) for share, ratio in grid],
    }
    rng = np.random.default_rng([seed, 7])
    mu, tau = priors[MU].draw(DRAWS, rng), priors[TAU].draw(DRAWS, rng)
    found = {}
    for name, each in kernels.items():
        size = -(-DRAWS // len(each))
        steps = np.concatenate([kernel.steps(size, rng) for kernel in each])[:DRAWS]
        found[name] = special.expit(mu), special.expit(mu + tau * steps)
    return found | {COMMON: (special.expit(mu), special.expit(mu))}
