"""Meta-regression: effects that depend on covariates, with a variance between studies."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special
from scipy.linalg import solve_triangular

from kyphobayes import html
from kyphobayes.errors import InputError
from kyphobayes.frequentist import inference
from kyphobayes.frequentist.contrasts import ESTIMATORS, Contrasts
from kyphobayes.frequentist.design import Design, covariates
from kyphobayes.frequentist.heterogeneity import Tau2Interval
from kyphobayes.frequentist.interval import Interval
from kyphobayes.frequentist.pool import TESTS, pool
from kyphobayes.frequentist.tau2 import METHODS
from kyphobayes.frequentist.validate import numbers, one_meta_analysis, one_of, refuse_level, refuse_unusable

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Prediction:
    """Mean effects at given covariates, one per row.

    Attributes
    ----------
    mu, se : ndarray, shape (rows,)
        Mean effect and its standard error.
    ci_low, ci_high : ndarray, shape (rows,)
        Confidence interval of mu.
    pi_low, pi_high : ndarray, shape (rows,)
        Prediction interval for the effect in a new study; NaN for CE.
    """

    mu: Array
    se: Array
    ci_low: Array
    ci_high: Array
    pi_low: Array
    pi_high: Array


@dataclass(frozen=True, eq=False)
class Regression:
    """A meta-regression of k studies on p coefficients.

    Effects are in units of y, variances in units of v.

    Attributes
    ----------
    beta, se, ci_low, ci_high, statistic, p_value : ndarray, shape (p,)
        Coefficients, the intercept first, with standard error, confidence interval, beta / se, and
        the two-sided p-value of beta = 0.
    df : float
        Degrees of freedom of the tests: inf for z, else k - p.
    tau2, se_tau2 : float
        Variance between studies that the covariates leave; its standard error is NaN for CE.
    qm, qm_df, qm_p : float
        Test that every coefficient but the intercept is 0: chi-squared with qm_df degrees of freedom
        for z, else F with qm_df and df.
    qe, qe_df, qe_p : float
        Cochran's Q of the residuals, its degrees of freedom k - p and p-value.
    r2 : float
        Share of tau2 that the covariates explain, in percent; NaN without an intercept.
    i2, h2 : float
        I2 in percent, H2 as a ratio, of what the covariates leave.
    k, p : int
        Number of studies and of coefficients.
    method, test, level
        As given to `regress`.
    names : tuple of str, length p
        Of the coefficients.
    covariance : ndarray, shape (p, p)
        Of the coefficients.
    design, centred, root, contrasts, scale
        What `predict` and `tau2_interval` work from: the standardised design, its coefficients, a
        square root of their covariance, the contrasts that are left for tau2 and the unit of those.
    """

    beta: Array
    se: Array
    ci_low: Array
    ci_high: Array
    statistic: Array
    df: float
    p_value: Array
    tau2: float
    se_tau2: float
    qm: float
    qm_df: int
    qm_p: float
    qe: float
    qe_df: int
    qe_p: float
    r2: float
    i2: float
    h2: float
    k: int
    p: int
    method: str
    test: str
    level: float
    names: tuple[str, ...]
    covariance: Array
    design: Design = field(repr=False)
    centred: Array = field(repr=False)
    root: Array = field(repr=False)
    contrasts: Contrasts = field(repr=False)
    scale: float = field(repr=False)

    def _repr_html_(self) -> str:
        columns = ("beta", "se", "ci_low", "ci_high", "statistic", "p_value")
        values = np.stack([getattr(self, name) for name in columns], axis=-1).tolist()
        rows = [[name, *row] for name, row in zip(self.names, values, strict=True)]
        told = f"{self.method}, {self.test}, {self.k} studies; tau2 {self.tau2:.4g}, R2 {self.r2:.3g} %"
        return html.table(["", *columns], rows, caption=told)

    def predict(self, X_new: ArrayLike) -> Prediction:
        """Mean effects, and effects in new studies, at these covariates.

        Parameters
        ----------
        X_new : array_like, shape (rows, covariates)
            Without a column for the intercept. With one covariate also shape (rows,), with several
            also shape (covariates,) for a single row.

        Returns
        -------
        Prediction

        Raises
        ------
        InputError
            If a number is not finite or there are not as many columns as covariates.

        Notes
        -----
        The prediction interval is mu -/+ c sqrt(tau2 + se^2) with the quantile c of the confidence
        interval, as in `pool`.
        """
        x, m = numbers("X_new", X_new), self.design.size.size
        if x.ndim < 2:
            x = x.reshape(-1, 1) if m == 1 else x.reshape(1, -1)
        if x.ndim != 2 or x.shape[1] != m:
            raise InputError(f"X_new must have {m} columns, one per covariate, found shape {np.shape(X_new)}")
        if not np.isfinite(x).all():
            raise InputError(f"X_new must hold finite numbers, found {x[~np.isfinite(x)][0]}")
        rows = self.design.rows(x)
        mu, se = rows @ self.centred, np.linalg.norm(rows @ self.root, axis=1)
        c = float(inference.two_sided_quantile(self.df, self.level))
        reach = np.full(mu.shape, np.nan) if self.method == "CE" else c * np.hypot(np.sqrt(self.tau2), se)
        return Prediction(mu, se, mu - c * se, mu + c * se, mu - reach, mu + reach)

    def tau2_interval(self, level: float | None = None) -> Tau2Interval:
        """A confidence interval for the tau2 that the covariates leave, by Q-profile.

        Parameters
        ----------
        level : float, optional
            Of the interval; that of the regression if not given.

        Returns
        -------
        Tau2Interval
            `low, high`, with `.i2` and `.h2`; (0, 0) if even tau2 = 0 is too large for these effects.

        Notes
        -----
        All tau2 at which Q(tau2) lies between quantiles of chi-squared with k - p degrees of freedom
        (Viechtbauer 2007, Stat. Med. 26, 37-52). It does not depend on how tau2 was estimated.
        """
        level = self.level if level is None else level
        refuse_level(level)
        these = self.contrasts
        largest, smallest = special.chdtri(these.df, [(1 - level) / 2, (1 + level) / 2])
        ends = np.array([these.where_q_is(largest), these.where_q_is(smallest)])
        excess = ends * these.trace() / these.df
        return Tau2Interval(
            *(self.scale**2 * ends).tolist(),
            i2=Interval(*(100 * excess / (1 + excess)).tolist()),
            h2=Interval(*(1 + excess).tolist()),
        )


def regress(
    y: ArrayLike,
    v: ArrayLike,
    X: ArrayLike,
    *,
    method: str = "REML",
    test: str = "hksj",
    level: float = 0.95,
    intercept: bool = True,
    names: Sequence[str] | None = None,
) -> Regression:
    """Regress the effects of k studies on covariates.

    Parameters
    ----------
    y : array_like, shape (k,)
        Effects.
    v : array_like, shape (k,)
        Sampling variances, in squared units of y.
    X : array_like, shape (k, covariates) or (k,)
        Covariates, without a column for the intercept; a factor enters as dummies.
    method : {"CE", "DL", "HE", "HS", "HSk", "SJ", "ML", "REML", "EB", "PM", "PMM"}
        tau2 = 0, or its estimator; `kyphobayes.frequentist.contrasts` has them.
    test : {"z", "t", "hksj", "mhksj"}
        Normal; t with k - p df; Knapp and Hartung: t with k - p df and a covariance multiplied by
        sum(w r^2) / (k - p); the same with a factor of at least 1.
    level : float
        Of the confidence intervals.
    intercept : bool
        Whether to put a column of ones first. Without it, qm tests all coefficients.
    names : sequence of str, optional
        Of the columns of X; x0, x1, ... if not given.

    Returns
    -------
    Regression

    Raises
    ------
    InputError
        If a number is not finite, a variance is not positive, shapes do not fit, an argument is
        unknown, there are not more studies than coefficients, or a column is constant or a linear
        combination of others.

    Notes
    -----
    r2 = 100 (1 - tau2 / tau2 without covariates), by the same method, and not below 0 (Raudenbush
    1994); 0 where no tau2 is to be explained. For CE: 1 - (QE / (k - p)) / (Q / (k - 1)). i2 and h2
    are those of `pool` with s2 = (k - p) / tr(P).

    ML and REML are maximised globally. Work and memory grow as k^3 and k^2: seconds for k = 1000.

    If the residuals are all 0, the standard errors of hksj are, too; a statistic is then 0 for a
    coefficient of 0, else infinite.

    References
    ----------
    Knapp, G. and Hartung, J. (2003). Stat. Med. 22, 2693-2710. Viechtbauer, W., Lopez-Lopez, J. A.,
    Sanchez-Meca, J. and Marin-Martinez, F. (2015). Psychol. Methods 20, 360-374. Raudenbush, S. W.
    (1994), in The Handbook of Research Synthesis. Viechtbauer, W. (2010). J. Stat. Softw. 36(3).
    """
    one_of("method", method, METHODS)
    one_of("test", test, TESTS)
    refuse_level(level)
    y, v = one_meta_analysis(y, v, least=1, purpose="a regression")
    x = covariates(X, y.size)
    k, p = y.size, x.shape[1] + intercept
    first = int(v.argmin())
    design = Design.of(x, names, first=first, intercept=intercept)
    if not intercept:  # then distances from 0 count, too
        refuse_unusable(np.append(y, 0.0), np.append(v, v[first]), "z")

    # As in `pool`: effects measured from the most precise study, which comes first, in units of its
    # standard error. Without an intercept 0 is 0.
    order = np.argsort(v, kind="stable")
    origin, scale = (y[first] if intercept else 0.0), float(np.sqrt(v[first]))
    effects, variances, rows = (y[order] - origin) / scale, v[order] / v[first], design.rows(x[order])
    contrasts = Contrasts.of(effects, variances, rows)
    tau2, se_tau2 = ESTIMATORS[method](contrasts)

    root_w = 1 / np.sqrt(variances + tau2)
    q, r = np.linalg.qr(root_w[:, None] * rows)
    projected = q.T @ (root_w * effects)  # r beta: its entries are independent, with variance 1
    df = contrasts.df
    factor = float(inference.factor(test, contrasts.q(tau2) / df))
    centred = scale * solve_triangular(r, projected)
    root = scale * np.sqrt(factor) * solve_triangular(r, np.eye(p))
    beta, root_beta = design.in_users_units(centred[:, None])[:, 0], design.in_users_units(root)
    if intercept:
        beta[0] += origin
        centred[0] += origin
    se = np.linalg.norm(root_beta, axis=1)

    t_df = np.inf if test == "z" else float(df)
    statistic, c = inference.ratio(beta, se), float(inference.two_sided_quantile(t_df, level))
    qm, qm_df = float((projected[int(intercept) :] ** 2).sum()), p - int(intercept)
    if test != "z":
        qm = float(inference.ratio(qm / qm_df, factor))
    qe = contrasts.q()
    excess = tau2 * contrasts.trace() / df
    i2, h2 = map(float, inference.i2_h2(qe / df, excess, common_effect=method == "CE"))
    return Regression(
        beta=beta,
        se=se,
        ci_low=beta - c * se,
        ci_high=beta + c * se,
        statistic=statistic,
        df=t_df,
        p_value=inference.two_sided_p(t_df, statistic),
        tau2=scale**2 * tau2,
        se_tau2=scale**2 * se_tau2,
        qm=qm,
        qm_df=qm_df,
        qm_p=float(special.chdtrc(qm_df, qm) if test == "z" else special.fdtrc(qm_df, df, qm)),
        qe=qe,
        qe_df=df,
        qe_p=float(special.chdtrc(df, qe)),
        r2=_explained(y, v, method, scale**2 * tau2, qe / df) if intercept else np.nan,
        i2=i2,
        h2=h2,
        k=k,
        p=p,
        method=method,
        test=test,
        level=level,
        names=design.names,
        covariance=root_beta @ root_beta.T,
        design=design,
        centred=centred,
        root=root,
        contrasts=contrasts,
        scale=float(scale),
    )


def _explained(y: Array, v: Array, method: str, tau2: float, h2: float) -> float:
    """R2 in percent, against a model without covariates."""
    without = pool(y, v, method=method, test="z")
    left, total = (h2, without.h2) if method == "CE" else (tau2, without.tau2)
    return 100 * max(0.0, 1 - left / total) if total > 0 else 0.0
