r"""Study tables that pool to what a line prints, with their weights.

Write the variances as :math:`v_i = c\,r_i` and the variance between studies as :math:`\tau^2 = c\,t`. With
:math:`w_i = 1/(r_i + t)` the line's standard error gives c, its I-squared gives t, and every table of effects
with the printed estimate m is

.. math:: y_i = m + \sqrt{c}\,\rho\,d_i, \qquad d_i = a_i / \sqrt{w_i}, \qquad |a| = 1,\ a \perp \sqrt{w},

a point of a sphere of k - 2 dimensions. Its radius follows from the estimator's own equation
:math:`\rho^2 A(a, t) = B(t)`:

================= ========================================== ===================================
DerSimonian-Laird A: Cochran's Q of d                        B: k - 1 + t (S1 - S2 / S1)
Paule-Mandel      A: 1                                       B: k - 1
REML              A: sum w^2 d^2                             B: sum w - sum w^2 / sum w
ML                A: sum w^2 d^2                             B: sum w
================= ========================================== ===================================

(S1 and S2 are sums of 1/r and 1/r^2: DerSimonian and Laird 1986, Control. Clin. Trials 7:177, eq. 8; the
others as in Viechtbauer 2005, J. Educ. Behav. Stat. 30:261, eqs. 8, 15 and 16, and Paule and Mandel 1982.)
Where the estimate is 0 the equation is an inequality and the radius is free below it. Weights are the volume
that a table stands for: the base measure is dy times dc / c.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
METHODS = ("DL", "CE", "FE", "REML", "ML", "PM")
COMMON = ("CE", "FE")
TESTS = ("z", "t", "hksj")
_LADDER = np.concatenate([[0.0], 10.0 ** np.linspace(-3, 3, 25)])  # variances between studies, over c


@dataclass(frozen=True)
class Point:
    """What a line leaves open, one entry for each table (t): all of it fixed gives one table.

    Attributes
    ----------
    estimate, se : ndarray, shape (t,)
    t : ndarray, shape (t,)
        Variance between studies over c; 0 where it is estimated as none. Of a common-effect line, Cochran's
        Q.
    part : ndarray, shape (t,)
        Where t is 0: how far the radius is from its least to its greatest value.
    r : ndarray, shape (t, k)
        Relative variances.
    direction : ndarray, shape (t, k - 1)
        Normal deviates; only their direction counts.
    log_volume : ndarray, shape (t,)
        Of what each entry stands for, in the estimate, the logarithm of the standard error and t.
    """

    estimate: Array
    se: Array
    t: Array
    part: Array
    r: Array
    direction: Array
    log_volume: Array


@dataclass(frozen=True)
class Tables:
    """Study tables with one and the same printed line.

    Attributes
    ----------
    y, v : ndarray, shape (t, k)
    log_weight : ndarray, shape (t,)
        Up to a constant.
    """

    y: Array
    v: Array
    log_weight: Array


def tables(point: Point, method: str, test: str) -> Tables:
    """Solve for the study tables of one method; see the module's equations."""
    k = point.r.shape[1]
    common = method in COMMON
    t = np.zeros_like(point.t) if common else point.t
    spread = point.r + t[:, None]
    w = 1 / spread
    a = _perpendicular(point.direction, np.sqrt(w))
    d = a * np.sqrt(spread)
    total = w.sum(axis=1)
    u = 1 / point.r
    q = (u * (d - _mean(u, d)) ** 2).sum(axis=1)  # Cochran's Q of d
    s1 = u.sum(axis=1)
    c0 = s1 - (u**2).sum(axis=1) / s1
    if common:
        scale, bound = q, point.t
    elif method == "DL":
        scale, bound = q, k - 1 + t * c0
    elif method == "PM":
        scale, bound = np.ones_like(t), np.full_like(t, k - 1.0)
    else:
        scale = (w**2 * d**2).sum(axis=1)
        bound = total - ((w**2).sum(axis=1) / total if method == "REML" else 0.0)
    radius = np.sqrt(bound / scale)
    none = np.zeros(t.shape, dtype=bool) if common else t == 0
    # The radius is free from almost nothing (where chi falls off) to its bound: uniform, with its volume.
    least = np.maximum(0.0, 1 - 5 / np.sqrt(k - 1))
    free = radius * (least + (1 - least) * point.part)
    log_weight = np.log(np.where(none, radius * (1 - least), 1.0))
    rho = np.where(none, free, radius)
    if not common:
        bend = _bend(method, rho, w, d, c0)
        # a table without a way to bend has weight 0, whose log is infinite
        with np.errstate(divide="ignore"):
            log_weight += np.where(none, 0.0, np.log(np.maximum(bend, 0.0)) - np.log(2 * rho * scale))
    else:
        log_weight -= np.log(2 * rho * scale)
    factor = rho**2 / (k - 1) if test == "hksj" else np.ones_like(t)
    c = point.se**2 * total / factor
    log_weight += 0.5 * ((k - 1) * np.log(c) + np.log(total) + np.log(spread).sum(axis=1))
    log_weight += (k - 2) * np.log(rho) - np.log(point.se) + point.log_volume
    y = point.estimate[:, None] + np.sqrt(c)[:, None] * rho[:, None] * d
    v = c[:, None] * point.r
    good = np.isfinite(log_weight)
    if method in ("ML", "REML"):
        good &= _is_highest(y, v, c, t, method)
    return Tables(y[good], v[good], log_weight[good])


def _bend(method: str, rho: Array, w: Array, d: Array, c0: Array) -> Array:
    """How fast the estimator's equation, left side minus right side, falls as t grows."""
    if method == "DL":
        return c0
    spent = w**2 * d**2 * rho[:, None] ** 2
    if method == "PM":
        return spent.sum(axis=1)
    total, squares = w.sum(axis=1), (w**2).sum(axis=1)
    fall = 2 * ((w * spent).sum(axis=1) - rho**2 * (w**2 * d).sum(axis=1) ** 2 / total)
    if method == "ML":
        return fall - squares
    return fall - (squares - 2 * (w**3).sum(axis=1) / total + squares**2 / total**2)


def _is_highest(y: Array, v: Array, c: Array, t: Array, method: str) -> NDArray[np.bool_]:
    """Whether t is the highest maximum of the (restricted) likelihood: its equation may have several."""

    def profile(t: Array) -> Array:
        w = 1 / (v + (c * t)[:, None])
        out = np.log(w).sum(axis=1) - (w * (y - _mean(w, y)) ** 2).sum(axis=1)
        return out - (np.log(w.sum(axis=1)) if method == "REML" else 0.0)

    others = np.max([profile(np.full(t.shape, other)) for other in _LADDER], axis=0)
    return profile(t) >= others - 1e-6


def _mean(weights: Array, values: Array) -> Array:
    return ((weights * values).sum(axis=1) / weights.sum(axis=1))[:, None]


def _perpendicular(direction: Array, root: Array) -> Array:
    """Turn directions in k - 1 dimensions into unit vectors perpendicular to `root`: a Householder mirror."""
    unit = root / np.linalg.norm(root, axis=1, keepdims=True)
    length = np.linalg.norm(direction, axis=1, keepdims=True)
    inside = np.hstack([np.zeros((len(root), 1)), direction / length])
    axis = unit.copy()
    axis[:, 0] += 1.0  # all entries of `unit` are positive, so that nothing cancels
    share = (axis * inside).sum(axis=1, keepdims=True) / (axis * axis).sum(axis=1, keepdims=True)
    return inside - 2 * share * axis
