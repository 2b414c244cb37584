"""What the studies say once their regression is taken out, and the estimators of tau2 from it.

Let K be an orthonormal basis of the contrasts that a design X leaves free, K'X = 0. With S the
diagonal matrix of v + tau2, the matrix P = W - WX (X'WX)^-1 X'W of weights W = S^-1 equals
K (K'SK)^-1 K' (Harville 1977, J. Am. Stat. Assoc. 72, 320-338). As K'K = I, the eigenvectors of
K'VK diagonalise it for every tau2 at once: k - p independent contrasts z with variances d + tau2. So
y'Py = sum(z^2 / (d + tau2)) and tr(P) = sum(1 / (d + tau2)), sums of positive terms that need no
design any more. An intercept alone gives the estimators of `kyphobayes.frequentist.tau2`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.linalg.lapack import dgejsv
from scipy.optimize import brentq

Array = NDArray[np.float64]
Estimate = tuple[float, float]

GRID: Final = 1000  # steps; neighbours differ by 2 % if effects spread over 10,000 standard errors


@dataclass(frozen=True, eq=False)
class Contrasts:
    """The k - p independent contrasts of one set of studies, in standard units.

    Attributes
    ----------
    z, d : ndarray, shape (k - p,)
        The contrasts and their sampling variances; Var(z) = d + tau2.
    y, v : ndarray, shape (k,)
        Effects and sampling variances; no variance is below 1, so no d is.
    """

    z: Array
    d: Array
    y: Array
    v: Array

    @classmethod
    def of(cls, y: Array, v: Array, design: Array) -> Self:
        """From effects, variances and a design of full rank, shape (k, p) with p < k.

        The d are squared singular values of sqrt(V) K. A Jacobi method finds each of them to
        machine precision, however far apart the variances lie (Drmac and Veselic 2008, SIAM J.
        Matrix Anal. Appl. 29, 1322-1362); the usual methods lose the small ones.
        """
        basis = np.linalg.qr(design, mode="complete")[0][:, design.shape[1] :]
        values, _, vectors, scaling, _, failed = dgejsv(
            np.sqrt(v)[:, None] * basis, joba=2, jobu=3, jobv=0, jobr=0, jobp=1
        )
        if failed:
            raise ArithmeticError("a singular value was not found: please report this as a defect")
        singular = values * (scaling[0] / scaling[1])
        return cls(vectors.T @ (basis.T @ y), np.maximum(singular**2, 1.0), y, v)

    @property
    def k(self) -> int:
        """How many studies there are."""
        return self.v.size

    @property
    def df(self) -> int:
        """Contrasts: k - p."""
        return self.z.size

    def q(self, tau2: float = 0.0) -> float:
        """The generalised Q: y'Py."""
        return float((self.z**2 / (self.d + tau2)).sum())

    def trace(self, power: int = 1) -> float:
        """tr(P) or tr(PP) at tau2 = 0."""
        return float((1 / self.d**power).sum())

    def where_q_is(self, target: float) -> float:
        """The tau2 at which Q(tau2), which falls, equals the target; 0 if Q(0) is below it.

        As no d is below 1, Q(tau2) is at most sum(z^2) / (1 + tau2): that bounds the root. The
        search goes a little further out, for rounding.
        """
        if self.q() <= target:
            return 0.0
        high = (1 + 1e-9) * float((self.z**2).sum()) / target
        return _root(lambda tau2: self.q(tau2) - target, 0.0, high)


def _root(equation: Callable[[float], float], low: float, high: float) -> float:
    """Where the equation changes sign between `low` and `high`, to machine precision."""
    return float(brentq(equation, low, high, xtol=1e-300, rtol=4 * np.finfo(float).eps, maxiter=2000))


def common_effect(these: Contrasts) -> Estimate:
    """CE: tau2 is 0 by assumption and has no standard error (NaN)."""
    return 0.0, np.nan


def dersimonian_laird(these: Contrasts) -> Estimate:
    """DL: Q with weights 1 / v equals its mean, k - p + tau2 tr(P); DerSimonian and Laird (1986)."""
    tau2 = max(0.0, (these.q() - these.df) / these.trace())
    return tau2, _spread((these.d + tau2) / these.d) / these.trace()


def hedges(these: Contrasts) -> Estimate:
    """HE: the residual sum of squares without weights equals its mean; Hedges (1983)."""
    tau2 = max(0.0, float((these.z**2 - these.d).mean()))
    return tau2, _spread(these.d + tau2) / these.df


def hunter_schmidt(these: Contrasts) -> Estimate:
    """HS: Hunter and Schmidt (1990): (Q - k) / sum(1 / v)."""
    return _hunter_schmidt(these, 1.0)


def hunter_schmidt_corrected(these: Contrasts) -> Estimate:
    """HSk: HS with Q scaled by k / (k - p), for small k; Brannick et al. (2019)."""
    return _hunter_schmidt(these, these.k / these.df)


def sidik_jonkman(these: Contrasts) -> Estimate:
    """SJ: Sidik and Jonkman (2005), from the crude start sum((y - mean(y))^2) / k.

    The start is that of all effects, not of the regression's residuals, as in metafor.
    """
    crude = float(np.var(these.y))
    if crude == 0.0:
        return 0.0, 0.0
    tau2 = crude * these.q(crude) / these.df
    return tau2, crude / these.df * _spread((these.d + tau2) / (these.d + crude))


def maximum_likelihood(these: Contrasts) -> Estimate:
    """ML: the highest maximum of the profile likelihood; se^2 = 2 / sum(w^2) (Viechtbauer 2005)."""
    tau2 = _highest_maximum(these, these.v)
    return tau2, float(np.sqrt(2 / (1 / (these.v + tau2) ** 2).sum()))


def restricted_maximum_likelihood(these: Contrasts) -> Estimate:
    """REML: the highest maximum of the likelihood of the contrasts; se^2 = 2 / tr(P P)."""
    tau2 = _highest_maximum(these, these.d)
    return tau2, float(np.sqrt(2 / (1 / (these.d + tau2) ** 2).sum()))


def paule_mandel(these: Contrasts) -> Estimate:
    """PM: where Q(tau2) equals its mean k - p; Paule and Mandel (1982), and EB of Morris (1983)."""
    return _generalised_q(these, these.df)


def paule_mandel_median(these: Contrasts) -> Estimate:
    """PMM: where Q(tau2) equals the median of chi-squared with k - p df; Viechtbauer (2021)."""
    return _generalised_q(these, float(special.chdtri(these.df, 0.5)))


def _spread(ratios: Array) -> float:
    """Standard deviation of sum(r z^2 / Var(z)) with these ratios r, z normal with mean 0."""
    return float(np.sqrt(2 * (ratios**2).sum()))


def _hunter_schmidt(these: Contrasts, factor: float) -> Estimate:
    total = float((1 / these.v).sum())
    tau2 = max(0.0, (factor * these.q() - these.k) / total)
    return tau2, factor * _spread((these.d + tau2) / these.d) / total


def _generalised_q(these: Contrasts, target: float) -> Estimate:
    tau2 = these.where_q_is(target)
    return tau2, np.sqrt(2 / these.df) * these.k / float((1 / (these.v + tau2)).sum())


def _highest_maximum(these: Contrasts, s: Array) -> float:
    """The tau2 >= 0 at which sum(log(s + tau2)) + Q(tau2) is least.

    With s = d that is the restricted deviance, with s = v the profile deviance of ML. No maximum
    lies above max(z^2 - d): there every term of REML's score, sum((z^2 - d - tau2) / (d + tau2)^2),
    is negative, and ML's score is lower by tr(W) - tr(P) >= 0. Between 0 and there the sign of the
    score is read off on a grid, geometric in d + tau2, and each change from plus to minus is refined.
    Two maxima within one step count as one: their heights can hardly differ.
    """

    def score(tau2: Array | float) -> Array:
        t = np.asarray(tau2)[..., None]
        return (these.z**2 / (these.d + t) ** 2).sum(axis=-1) - (1 / (s + t)).sum(axis=-1)

    def deviance(tau2: float) -> float:
        return float(np.log(s + tau2).sum()) + these.q(tau2)

    # A little further out: with one contrast REML's maximum is the bound itself, up to rounding.
    bound = (1 + 1e-9) * max(0.0, float((these.z**2 - these.d).max()))
    grid = np.expm1(np.linspace(0.0, 1.0, GRID + 1) * np.log1p(bound))
    slope = score(grid)
    rises = np.flatnonzero((slope[:-1] > 0) & (slope[1:] <= 0))
    maxima = [_root(lambda t: float(score(t)), grid[i], grid[i + 1]) for i in rises]
    if slope[0] <= 0 or not maxima:
        maxima.append(0.0)
    return min(maxima, key=deviance)


ESTIMATORS: Final[Mapping[str, Callable[[Contrasts], Estimate]]] = {
    "CE": common_effect,
    "DL": dersimonian_laird,
    "HE": hedges,
    "HS": hunter_schmidt,
    "HSk": hunter_schmidt_corrected,
    "SJ": sidik_jonkman,
    "ML": maximum_likelihood,
    "REML": restricted_maximum_likelihood,
    "EB": paule_mandel,
    "PM": paule_mandel,
    "PMM": paule_mandel_median,
}
