"""From an estimate and its standard error to tests and intervals; from Q and tau2 to I2 and H2."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Array = NDArray[np.float64]


def ratio(value: ArrayLike, unit: ArrayLike) -> Array:
    """Divide; where the unit is 0 the limit: 0 for a value of 0, else infinite."""
    value, unit = np.asarray(value, dtype=float), np.asarray(unit, dtype=float)
    limit = np.where(value == 0, 0.0, np.copysign(np.inf, value))
    return np.divide(value, unit, out=limit, where=unit > 0)


def two_sided_quantile(df: ArrayLike, level: float) -> Array:
    """Half the width of an interval in standard errors, by t; normal where df is infinite."""
    df = np.asarray(df, dtype=float)
    upper = (1 + level) / 2
    distinct, position = np.unique(df, return_inverse=True)
    t = [special.stdtrit(d, upper) if np.isfinite(d) else special.ndtri(upper) for d in distinct]
    return np.array(t)[position].reshape(df.shape)


def two_sided_p(df: ArrayLike, statistic: ArrayLike) -> Array:
    """Probability of a statistic as far from 0, by t; normal where df is infinite."""
    df, x = np.asarray(df, dtype=float), -np.abs(statistic)
    return 2 * np.where(np.isinf(df), special.ndtr(x), special.stdtr(np.where(np.isinf(df), 1.0, df), x))


def factor(test: str, mean_square: ArrayLike) -> Array:
    """What a squared standard error is multiplied by: sum(w r^2) / df for the HKSJ tests, else 1."""
    mean_square = np.asarray(mean_square, dtype=float)
    if test not in ("hksj", "mhksj"):
        return np.ones_like(mean_square)
    return mean_square if test == "hksj" else np.maximum(1.0, mean_square)


def i2_h2(h2: ArrayLike, excess: ArrayLike, *, common_effect: bool) -> tuple[Array, Array]:
    """I2 in percent and H2: of a common effect from H2 = Q / df, else from tau2 over the typical variance."""
    h2, excess = np.asarray(h2, dtype=float), np.asarray(excess, dtype=float)
    if common_effect:
        return 100 * np.maximum(0.0, 1 - 1 / np.maximum(h2, 1.0)), h2
    return 100 * excess / (1 + excess), 1 + excess
