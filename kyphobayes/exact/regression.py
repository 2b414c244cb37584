r"""Meta-regression of normal studies: coefficients in closed form given tau, tau by quadrature.

.. math:: y_i \sim N(x_i^T \beta, se_i^2 + \tau^2), \qquad \beta_j \sim N(m_j, s_j^2) \text{ or flat}

Given tau, beta is normal with precision :math:`A = X^T W X + S^{-2}` and mean
:math:`A^{-1} (X^T W y + S^{-2} m)` (Lindley and Smith 1972, J. R. Stat. Soc. B 34:1); so is every prediction.
Their posteriors are mixtures of normals over tau. With an intercept alone this is the conjugate posterior
of `exact.normal`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from kyphobayes import html
from kyphobayes.errors import ImproperPosterior, InputError
from kyphobayes.exact.conjugate import (
    CONJUGATE,
    HalfLineDensity,
    diverges,
    half_line_edges,
    half_line_errors,
    scale_of_map,
)
from kyphobayes.exact.density import Density
from kyphobayes.exact.design import columns_of, priors_of
from kyphobayes.exact.likelihoods import NormalStudies
from kyphobayes.exact.mixtures import NormalMixture
from kyphobayes.exact.panels import Array, Panels
from kyphobayes.exact.posterior import summarised
from kyphobayes.names import PROB, TAU
from kyphobayes.priors import Prior, Priors

if TYPE_CHECKING:
    import pandas as pd

_ROUNDS = 40
_MOST = 500  # panels; what more would not resolve is rounding, and `error` says so
_NOTHING = 1e-16  # probability of a node below which it is left out of mixtures
_DEPENDENT = 1e-11  # smallest eigenvalue of a correlation matrix that counts as 0
_LOG_2PI = float(np.log(2 * np.pi))


class RegressionPosterior:
    """Posterior of the coefficients and tau.

    Attributes
    ----------
    names : list of str
        Of the coefficients.
    priors : Priors
        Of the coefficients, by name, and of tau.
    log_marginal_likelihood : float
        Improper priors have the constant 1; with the same ones, differences are log Bayes factors.
    error : float
        Estimated relative error of posterior probabilities.
    tau : Density
        Standard deviation between studies that the covariates leave.
    coefficients : dict of str to Density
    """

    def __init__(self, studies: NormalStudies, x: Array, priors: Priors, *, rtol: float):
        if not 1e-13 <= rtol <= 0.1:
            raise InputError(f"rtol: expected a number from 1e-13 to 0.1, found {rtol:g}")
        self.names = [name for name in priors if name != TAU]
        self.priors, self._studies, self._x = priors, studies, x
        normal = [priors[name].family == "Normal" for name in self.names]
        given = [dict(priors[name].parameters) for name in self.names]
        self._centre = np.array([p.get("mu", 0.0) for p in given])
        self._precision = np.array([
            p["sigma"] ** -2.0 if one else 0.0 for p, one in zip(given, normal, strict=True)
        ])  # fmt: skip
        self._integrate(rtol)
        self.coefficients = {
            name: self._mixture(row) for name, row in zip(self.names, np.eye(len(self.names)), strict=True)
        }

    def __repr__(self) -> str:
        return f"RegressionPosterior({self._studies.size} studies, {', '.join(self.names)})"

    def _repr_html_(self) -> str:
        return html.block(html.line(repr(self)), html.frame(self.summary()))

    def _given(self, tau: Array) -> tuple[Array, Array, Array]:
        """Log likelihood with beta integrated out (t,), mean (t, p) and covariance (t, p, p) of beta."""
        y, x, se = self._studies.y, self._x, self._studies.se
        w = 1 / (se**2 + tau[:, None] ** 2)  # (t, k)
        a = np.einsum("tk,kp,kq->tpq", w, x, x) + np.diag(self._precision)
        scale = np.sqrt(np.einsum("tpp->tp", a))
        if not (scale > 0).all():
            raise self._dependent()
        values, vectors = np.linalg.eigh(a / (scale[:, :, None] * scale[:, None, :]))
        if (values[:, 0] < _DEPENDENT).any():
            raise self._dependent()
        root = vectors / np.sqrt(values)[:, None, :] / scale[:, :, None]
        covariance = root @ np.swapaxes(root, 1, 2)
        # From the prior's centre, so that little is lost where it is far from 0.
        from_centre = y - x @ self._centre
        moved = np.einsum("tpq,tq->tp", covariance, np.einsum("tk,kp->tp", w * from_centre, x))
        residual = from_centre - moved @ x.T
        misfit = (w * residual**2).sum(axis=1) + moved**2 @ self._precision
        log_determinant = np.log(values).sum(axis=1) + 2 * np.log(scale).sum(axis=1)
        proper = self._precision > 0
        constant = np.log(self._precision[proper]).sum() + (~proper).sum() * _LOG_2PI
        log_likelihood = (constant + (np.log(w) - _LOG_2PI).sum(axis=1) - log_determinant - misfit) / 2
        return log_likelihood, self._centre + moved, covariance

    def _dependent(self) -> InputError:
        return InputError(
            "X: expected columns that are not combinations of each other (the intercept is one, too); "
            "leave one out or give its coefficient a normal prior"
        )

    def _integrate(self, rtol: float) -> None:
        """Integrate over the half line of tau, mapped to x = tau / (tau + c), as `exact.conjugate` does."""
        prior, se = self.priors[TAU], self._studies.se
        c = scale_of_map(prior, 4 * float(np.median(se)) + float(np.ptp(self._studies.y)) / 2)
        edges = half_line_edges(prior, float(se.min()), c)
        for _ in range(_ROUNDS):
            panels = Panels(edges)
            x = panels.nodes
            tau = c * x / (1 - x)
            log_likelihood, mean, covariance = self._given(tau)
            log_density = log_likelihood + prior.log_density(tau) + np.log(c) - 2 * np.log1p(-x)
            top = log_density.max()
            density = np.exp(log_density - top)
            if diverges(panels, density):
                raise ImproperPosterior(
                    f"with {len(se)} studies, {len(self.names)} coefficients and these priors the posterior "
                    f"of tau is not proper; give tau a proper prior (a flat one needs 2 studies more than "
                    f"flat coefficients)"
                )
            total = panels.weights @ density
            errors = half_line_errors(panels, density)
            rough = errors > rtol / 4 / len(panels)
            if not rough.any() or len(panels) > _MOST:
                break
            edges = panels.split(rough).edges
        self.log_marginal_likelihood = float(top + np.log(total))
        self.error = float(errors.sum())
        self.tau: HalfLineDensity = HalfLineDensity(panels, density, c)
        self._mean, self._covariance = mean, covariance
        self._kept = self.tau.shares > _NOTHING

    def _mixture(self, x: Array, new_study: bool = False) -> NormalMixture:
        """Posterior of x' beta, or of the effect of a new study with covariates x."""
        mean = self._mean @ x
        variance = np.einsum("p,tpq,q->t", x, self._covariance, x)
        if new_study:
            variance = variance + self.tau.points**2
        centre = self.tau.total(mean)
        spread = np.inf
        if np.isfinite(centre):
            spread = float(np.sqrt(self.tau.total(variance + (mean - centre) ** 2)))
        share, kept = self.tau.shares, self._kept
        return NormalMixture(share[kept], mean[kept], np.sqrt(variance[kept]), centre, spread)

    def density(self, x: ArrayLike, *, new_study: bool = False) -> Density:
        """Posterior density of x' beta, or of the effect in a new study with these covariates.

        Parameters
        ----------
        x : array_like, shape (p,)
            One value per coefficient, in the order of `names` (1 for the intercept).
        new_study : bool
            Whether to add the spread between studies.
        """
        row = np.atleast_1d(np.asarray(x, dtype=float))
        if row.shape != (len(self.names),) or not np.isfinite(row).all() or not row.any():
            raise InputError(
                f"x: expected {len(self.names)} finite numbers, not all 0, for {', '.join(self.names)}"
            )
        return self._mixture(row, new_study)

    def summary(self, prob: float = PROB, kind: str = "eti") -> pd.DataFrame:
        """Posterior mean, sd, median and interval of each coefficient and of tau."""
        return summarised(self.coefficients | {TAU: self.tau}, prob, kind)

    def predict(self, x: ArrayLike, *, new_study: bool = False, prob: float = PROB) -> pd.DataFrame:
        """Posterior mean, sd, median and interval of x' beta at each row of `x`, shape (m, p).

        With `new_study`, of the effect in a new study with these covariates.
        """
        rows = np.atleast_2d(np.asarray(x, dtype=float))
        return summarised(
            {str(i): self.density(row, new_study=new_study) for i, row in enumerate(rows)}, prob, "eti"
        )


def normal_regression(
    y: ArrayLike,
    se: ArrayLike,
    X: ArrayLike | Mapping[str, ArrayLike],
    *,
    beta: str | Prior | Mapping[str, str | Prior] = "Flat()",
    tau: str | Prior,
    intercept: bool = True,
    rtol: float = 1e-8,
) -> RegressionPosterior:
    """Posterior of a meta-regression of k estimates on covariates.

    Parameters
    ----------
    y, se : array_like, shape (k,)
        Estimates and their standard errors, in the same unit.
    X : array_like, shape (k, covariates) or (k,), or mapping of name to array_like, shape (k,)
        Covariates, without a column for the intercept. Columns without a name are called x0, x1, ...
    beta : str, Prior, or mapping of name to either
        Normal or flat prior of every coefficient, or of each by name; `intercept` names the intercept.
    tau : str or Prior
    intercept : bool
        Whether to put a column of ones first.
    rtol : float
        Bound on the relative error of posterior probabilities.

    Raises
    ------
    InputError
        If lengths differ, a value is not finite, a prior is missing or neither normal nor flat, or columns
        under flat priors are linearly dependent.
    PriorError, ImproperPosterior
    """
    studies = NormalStudies(y, se)
    columns = columns_of(X, studies.size, intercept)
    read = priors_of(beta, list(columns))
    for name, prior in read.items():
        if prior.family not in CONJUGATE:
            raise InputError(f"beta: expected a normal or flat prior for {name}, found {prior}")
    own = Priors.of("custom", tau=tau).bind(studies.se)
    priors = Priors((*read.items(), *own.entries))
    return RegressionPosterior(studies, np.stack(list(columns.values()), axis=1), priors, rtol=rtol)
