r"""Meta-regression of any studies, with any priors for up to two covariates beside the intercept.

.. math:: \theta_i \sim N(x_i^T \beta, \tau)

Given tau, a study enters only through its integrated likelihood at :math:`x_i^T \beta`: a function of one
variable, interpolated by a spline. For one linear combination t of the coefficients the others are
integrated out by adaptive Gauss-Hermite quadrature about their mode given (t, tau) (Naylor and Smith 1982,
Appl. Stat. 31:214). What is left is a surface over (t, tau) like that of one more likelihood, so that
posterior and predictions come from the same machinery as everywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from kyphobayes import html
from kyphobayes.errors import InputError
from kyphobayes.exact.conditional_regression import Regression
from kyphobayes.exact.density import Density
from kyphobayes.exact.design import columns_of, priors_of
from kyphobayes.exact.panels import Array
from kyphobayes.exact.posterior import Posterior, summarised
from kyphobayes.exact.splines import StudySplines
from kyphobayes.exact.surface import RTOL, Surface
from kyphobayes.names import MU, PROB, TAU, THETA_NEW
from kyphobayes.priors import Prior, Priors

if TYPE_CHECKING:
    import pandas as pd

_MOST = 3  # coefficients


class CoefficientPosterior:
    """Posterior of the coefficients and tau.

    Attributes
    ----------
    names : list of str
        Of the coefficients.
    priors : Priors
        Of the coefficients, by name, and of tau.
    """

    def __init__(self, surface: Surface, x: Array, priors: Priors, *, rtol: float):
        self.names = [name for name in priors if name != TAU]
        self.priors, self._x, self._rtol = priors, x, rtol
        self._studies, self._k = StudySplines(surface), surface.k
        self._solved: dict[bytes, Posterior] = {}

    def __repr__(self) -> str:
        return f"CoefficientPosterior({self._k} studies, {', '.join(self.names)})"

    def _repr_html_(self) -> str:
        return html.block(html.line(repr(self)), html.frame(self.summary()))

    def posterior(self, x: ArrayLike) -> Posterior:
        """Posterior of x' beta (its `mu`), tau, and the effect of a new study there (`theta_new`).

        Parameters
        ----------
        x : array_like, shape (p,)
            One value per coefficient, in the order of `names` (1 for the intercept).

        Raises
        ------
        InputError
        """
        row = np.atleast_1d(np.asarray(x, dtype=float))
        if row.shape != (len(self.names),) or not np.isfinite(row).all() or not row.any():
            raise InputError(
                f"x: expected {len(self.names)} finite numbers, not all 0, for {', '.join(self.names)}"
            )
        if row.tobytes() not in self._solved:
            studies = Regression(self._studies, self._x, [self.priors[name] for name in self.names], row)
            # The priors of the coefficients are in the likelihood.
            own = Priors.of("custom", mu="Flat()", tau=self.priors[TAU])
            self._solved[row.tobytes()] = Posterior(Surface(studies), own, rtol=self._rtol)
        return self._solved[row.tobytes()]

    def _first(self) -> Posterior:
        return self.posterior(np.eye(len(self.names))[0])

    @property
    def coefficients(self) -> dict[str, Density]:
        """Posterior density of each coefficient."""
        rows = np.eye(len(self.names))
        return {name: self.posterior(row).mu for name, row in zip(self.names, rows, strict=True)}

    @property
    def tau(self) -> Density:
        """Posterior density of the standard deviation between studies that the covariates leave."""
        return self._first().tau

    @property
    def log_marginal_likelihood(self) -> float:
        """With the same improper priors, differences are log Bayes factors."""
        return self._first().log_marginal_likelihood

    @property
    def error(self) -> float:
        """Largest estimated relative error of probabilities of what was asked for so far."""
        self._first()
        # those studies are tables of a regression and know their error
        return max(post.error + post.surface.studies.error for post in self._solved.values())  # pyright: ignore[reportAttributeAccessIssue]

    def density(self, x: ArrayLike, *, new_study: bool = False) -> Density:
        """Posterior density of x' beta, or of the effect in a new study with these covariates."""
        return self.posterior(x).marginal(THETA_NEW if new_study else MU)

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


def meta_regression(
    surface: Surface,
    X: ArrayLike | Mapping[str, ArrayLike],
    *,
    beta: str | Prior | Mapping[str, str | Prior],
    tau: str | Prior,
    intercept: bool = True,
    rtol: float = RTOL,
) -> CoefficientPosterior:
    """Posterior of a meta-regression of counts, or of estimates under priors of any shape.

    Parameters
    ----------
    surface : Surface
        The studies: ``exact.binomial(events, n)``, ``exact.poisson(...)``, ``exact.two_arms(...)``,
        ``exact.mixture(...)``, ``exact.normal(...)``.
    X : array_like, shape (k, covariates) or (k,), or mapping of name to array_like, shape (k,)
        At most two covariates (three without an intercept). Columns without a name are called x0, x1, ...
    beta : str, Prior, or mapping of name to either
        Prior of every coefficient, or of each by name; `intercept` names the intercept.
    tau : str or Prior
    intercept : bool
        Whether to put a column of ones first.
    rtol : float
        Bound on the relative error of posterior probabilities by quadrature over (x' beta, tau).

    Raises
    ------
    InputError
        If there are too many covariates, lengths differ, a value is not finite, a prior is missing or has
        bounds, or effects are not normal about their mean.
    ImproperPosterior
        When a quantity is asked for whose posterior is not proper.

    See Also
    --------
    normal_regression : normal studies under normal or flat priors, in closed form and for any number of
        covariates.
    """
    columns = columns_of(X, surface.k, intercept)
    if len(columns) > _MOST:
        raise InputError(
            f"X: expected at most {_MOST} coefficients, found {len(columns)} ({', '.join(columns)}); with "
            f"estimates and normal priors normal_regression takes more"
        )
    if not surface.studies.kernel.normal:
        raise InputError("surface: expected normal effects; outlying or Student-t effects have no regression")
    read = priors_of(beta, list(columns))
    for name, prior in read.items():
        if np.isfinite(prior.support).any():
            raise InputError(f"beta: expected a prior over the whole line for {name}, found {prior}")
    own = Priors.of("custom", tau=tau).bind(surface.standard_errors)
    x = np.stack(list(columns.values()), axis=1)
    return CoefficientPosterior(surface, x, Priors((*read.items(), *own.entries)), rtol=rtol)
