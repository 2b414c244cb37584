"""Random-effects models of counts with their exact likelihood: binomial, Poisson, two arms.

Study effects are normal with mean mu and variance tau2; what is maximised is the likelihood of the
counts, with study effects integrated out. Nothing is added to a zero cell.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kyphobayes import html
from kyphobayes.errors import InputError
from kyphobayes.frequentist.conditional import Binomial, Pair, Poisson
from kyphobayes.frequentist.hypergeometric import Hypergeometric
from kyphobayes.frequentist.inference import two_sided_p, two_sided_quantile
from kyphobayes.frequentist.links import LINKS
from kyphobayes.frequentist.maximum import highest
from kyphobayes.frequentist.mixed import Mixture, Profile
from kyphobayes.frequentist.validate import numbers, refuse, refuse_level

Array = NDArray[np.float64]

MODELS = ("CM.EL", "UM.FS")


@dataclass(frozen=True, eq=False)
class MixedModel:
    """A random-effects model of counts at its maximum likelihood.

    Attributes
    ----------
    mu, se : float
        Mean of the study effects on the scale of the link, and its standard error.
    ci_low, ci_high : float
        Wald interval of mu.
    statistic, df, p_value : float
        mu / se, its degrees of freedom (inf for a normal), the two-sided p-value of mu = 0.
    tau2, se_tau2 : float
        Variance between studies; its standard error is NaN where tau2 is 0.
    pi_low, pi_high : float
        Interval of the effect in a new study, mu -/+ c sqrt(tau2 + se^2).
    log_likelihood : float
        At its maximum, binomial coefficients and factorials included.
    log_likelihood_common : float
        The same with tau2 = 0.
    q, q_df, q_p : float
        Likelihood-ratio statistic of one common effect against an effect of its own for every study.
        NaN where counts are latent.
    k : int
        Number of studies that say something about mu.
    model, test : str
        Which likelihood, and how mu was tested.
    """

    mu: float
    se: float
    ci_low: float
    ci_high: float
    statistic: float
    df: float
    p_value: float
    tau2: float
    se_tau2: float
    pi_low: float
    pi_high: float
    log_likelihood: float
    log_likelihood_common: float
    q: float
    q_df: float
    q_p: float
    k: int
    model: str
    test: str

    def _repr_html_(self) -> str:
        columns = ("mu", "se", "ci_low", "ci_high", "pi_low", "pi_high", "tau2", "log_likelihood")
        row = ["", *(getattr(self, name) for name in columns)]
        return html.table(["", *columns], [row], caption=f"{self.model}, {self.test}, {self.k} studies")


def glmm_proportion(
    events: ArrayLike,
    n: ArrayLike,
    *,
    link: str = "logit",
    level: float = 0.95,
    test: str = "z",
    weights: ArrayLike | None = None,
) -> MixedModel:
    """Proportions: the binomial-normal model.

    Parameters
    ----------
    events : array_like, shape (k,) or (t, k)
        Events of each study; or t tables of them, where counts are latent and each table is one that
        they may form. The likelihood is then the weighted mean over tables.
    n : array_like, shape (k,)
        Number of trials.
    link : {"logit", "probit", "cloglog"}
        Where study effects are normal.
    level : float
        Of the intervals.
    test : {"z", "t"}
        Normal, or t with k - 1 df.
    weights : array_like, shape (t,), optional
        Of the tables, normalised to one; equal if not given.

    Returns
    -------
    MixedModel

    Raises
    ------
    InputError
        If counts are impossible, if no study or every patient has an event, or if the likelihood has
        no maximum.

    References
    ----------
    Hamza, T. H., van Houwelingen, H. C. and Stijnen, T. (2008). J. Clin. Epidemiol. 61, 41-51.
    Stijnen, T., Hamza, T. H. and Ozdemir, P. (2010). Stat. Med. 29, 3046-3067, section 3.
    """
    likelihood, tables, n = proportions(events, n, link, weights)
    if (tables == 0).all() or (tables == n).all():
        which = "no study has an event" if (tables == 0).all() else "every trial is an event"
        raise InputError(f"{which}: the likelihood has no maximum; use an exact posterior with a prior")
    scale = _range(*_log_odds(tables, n))
    return _fit(likelihood, scale, tables.shape[1], f"binomial-normal, {link}", level, test)


def proportions(
    events: ArrayLike, n: ArrayLike, link: str, weights: ArrayLike | None
) -> tuple[Mixture, Array, Array]:
    """The likelihood that `glmm_proportion` maximises, its tables, shape (t, k), and n, shape (k,)."""
    if link not in LINKS:
        raise InputError(f"link must be one of {', '.join(LINKS)}, not {link!r}")
    tables, n = _tables(events, n, "n")
    _refuse((tables < 0) | (tables > n) | (n < 1), tables, "0 <= events <= n")
    pieces, index = _distinct(tables, n)
    studies = Binomial(pieces[0], pieces[1], LINKS[link])
    return Mixture(studies, index, _log_weights(weights, len(tables))), tables, n


def glmm_rate(
    events: ArrayLike,
    time: ArrayLike,
    *,
    level: float = 0.95,
    test: str = "z",
    weights: ArrayLike | None = None,
) -> MixedModel:
    """Incidence rates: the Poisson-normal model, on the log scale.

    Parameters
    ----------
    events : array_like, shape (k,) or (t, k)
        As in `glmm_proportion`.
    time : array_like, shape (k,)
        Time at risk; mu is the log of a rate per unit of it.
    level, test, weights
        As in `glmm_proportion`.

    Returns
    -------
    MixedModel

    Raises
    ------
    InputError
        If a count or a time is impossible, if no study has an event, or if the likelihood has no maximum.

    References
    ----------
    Stijnen, T., Hamza, T. H. and Ozdemir, P. (2010). Stat. Med. 29, 3046-3067, section 3.3.
    """
    likelihood, tables, time = rates(events, time, weights)
    if (tables == 0).all():
        raise InputError("no study has an event: the likelihood has no maximum; use an exact posterior")
    y, v = np.log((tables + 0.5) / time), 1 / (tables + 0.5)
    return _fit(likelihood, _range(y, v), tables.shape[1], "Poisson-normal, log", level, test)


def rates(events: ArrayLike, time: ArrayLike, weights: ArrayLike | None) -> tuple[Mixture, Array, Array]:
    """The likelihood that `glmm_rate` maximises, its tables, shape (t, k), and the times, shape (k,)."""
    tables, time = _tables(events, time, "time")
    _refuse((tables < 0) | (time <= 0), tables, "events >= 0 and time > 0")
    pieces, index = _distinct(tables, time)
    return Mixture(Poisson(pieces[0], pieces[1]), index, _log_weights(weights, len(tables))), tables, time


def glmm_or(
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    *,
    model: str = "CM.EL",
    level: float = 0.95,
    test: str = "z",
) -> MixedModel:
    """Log odds ratios of two arms.

    Parameters
    ----------
    events_1, n_1, events_2, n_2 : array_like, shape (k,)
        Events and patients in either arm.
    model : {"CM.EL", "UM.FS"}
        Conditional on the events of both arms, with the exact (noncentral hypergeometric) likelihood;
        or unconditional, with a fixed baseline for every study, halfway between its arms.
    level, test
        As in `glmm_proportion`.

    Returns
    -------
    MixedModel
        Studies in which no patient or every patient has an event say nothing about an odds ratio; they
        are left out, and `k` counts the others.

    Raises
    ------
    InputError
        If counts are impossible, no study is left, or the likelihood has no maximum.

    References
    ----------
    Stijnen, T., Hamza, T. H. and Ozdemir, P. (2010). Stat. Med. 29, 3046-3067, section 4. Jackson, D.,
    Law, M., Stijnen, T., Viechtbauer, W. and White, I. R. (2018). Stat. Med. 37, 1059-1085, models 4
    and 7.
    """
    if model not in MODELS:
        raise InputError(f"model must be one of {', '.join(MODELS)}, not {model!r}")
    x1, n1 = _arm(events_1, n_1, "1")
    x2, n2 = _arm(events_2, n_2, "2")
    if x1.shape != x2.shape:
        raise InputError(f"both arms need the same studies, found {x1.size} in arm 1 and {x2.size} in arm 2")
    told = (x1 + x2 > 0) & (x1 + x2 < n1 + n2)
    if not told.any():
        raise InputError("in every study no patient or every patient has an event: that tells no odds ratio")
    x1, n1, x2, n2 = x1[told], n1[told], x2[told], n2[told]
    if (least := (x1 == np.maximum(0, x1 + x2 - n2)).all()) or (x1 == np.minimum(n1, x1 + x2)).all():
        raise InputError(
            f"the events of arm 1 are the {'fewest' if least else 'most'} possible in every study: the "
            "likelihood has no maximum; use an exact posterior with a prior"
        )
    (y1, v1), (y2, v2) = _log_odds(x1, n1), _log_odds(x2, n2)
    if model == "CM.EL":
        likelihood: Mixture | Profile = Mixture(Hypergeometric(x1, n1, x2, n2))
    else:
        logit = LINKS["logit"]
        likelihood = Profile(Pair(Binomial(x1, n1, logit), Binomial(x2, n2, logit), (y1 + y2) / 2))
    return _fit(likelihood, _range(y1 - y2, v1 + v2), x1.size, model, level, test)


def _fit(
    likelihood: Mixture | Profile,
    scale: tuple[Sequence[float], float, float],
    k: int,
    model: str,
    level: float,
    test: str,
) -> MixedModel:
    """Maximise, and read standard errors off the curvature in mu and tau (observed information)."""
    if test not in ("z", "t"):
        raise InputError(f"test must be z or t, not {test!r}")
    refuse_level(level)
    if test == "t" and k < 2:
        raise InputError("there is 1 study; test 't' needs at least 2: choose test='z'")
    best, common = highest(likelihood, *scale, likelihood.beyond)
    information = -best.hessian
    if best.tau > 0:
        covariance = np.linalg.inv(information)
        se, se_tau2 = np.sqrt(covariance[0, 0]), 2 * best.tau * np.sqrt(covariance[1, 1])
    else:
        se, se_tau2 = information[0, 0] ** -0.5, np.nan
    df = np.inf if test == "z" else k - 1.0
    c = float(two_sided_quantile(df, level))
    reach = c * np.hypot(best.tau, se)
    q = 2 * (likelihood.saturated - common.value)
    return MixedModel(
        mu=best.mu,
        se=float(se),
        ci_low=float(best.mu - c * se),
        ci_high=float(best.mu + c * se),
        statistic=float(best.mu / se),
        df=df,
        p_value=float(two_sided_p(df, best.mu / se)),
        tau2=best.tau**2,
        se_tau2=float(se_tau2),
        pi_low=float(best.mu - reach),
        pi_high=float(best.mu + reach),
        log_likelihood=best.value,
        log_likelihood_common=common.value,
        q=q,
        q_df=k - 1.0,
        q_p=float(special.chdtrc(k - 1, max(q, 0.0))) if k > 1 else 1.0,
        k=k,
        model=model,
        test=test,
    )


def _tables(events: ArrayLike, size: ArrayLike, name: str) -> tuple[Array, Array]:
    """Tables of events, shape (t, k), and the size of every study, shape (k,)."""
    whole = name != "time"  # which is measured, not counted
    tables, sizes = np.atleast_2d(_finite("events", events)), np.atleast_1d(_finite(name, size, whole))
    if tables.ndim != 2 or sizes.ndim != 1 or tables.shape[1] != sizes.size or tables.size == 0:
        raise InputError(
            f"events and {name} must hold one number per study, found shapes {tables.shape} and {sizes.shape}"
        )
    return tables, sizes


def _arm(events: ArrayLike, n: ArrayLike, arm: str) -> tuple[Array, Array]:
    x, size = _tables(events, n, f"n_{arm}")
    _refuse((x < 0) | (x > size) | (size < 1), x, f"0 <= events_{arm} <= n_{arm}")
    return x[0], size


def _finite(name: str, values: ArrayLike, whole: bool = True) -> Array:
    found = numbers(name, values)
    refuse(~np.isfinite(found), name, found, "a finite number", "leave the study out")
    if whole:
        refuse(found != np.rint(found), name, found, "a whole number", "mend the count")
    return found


def _refuse(wrong: NDArray[np.bool_], tables: Array, expected: str) -> None:
    if wrong.any():
        table, study = np.argwhere(wrong)[0]
        where = f"study {study}" if len(tables) == 1 else f"table {table}, study {study}"
        raise InputError(f"{where}: expected {expected}, found events = {tables[table, study]:g}")


def _distinct(tables: Array, size: Array) -> tuple[Array, NDArray[np.intp]]:
    """The different (events, size) pairs, shape (2, pieces), and which one stands where in the tables."""
    pairs = np.stack([tables, np.broadcast_to(size, tables.shape)]).reshape(2, -1)
    pieces, index = np.unique(pairs, axis=1, return_inverse=True)
    return pieces, index.reshape(tables.shape)


def _log_weights(weights: ArrayLike | None, count: int) -> Array:
    given = np.ones(count) if weights is None else numbers("weights", weights)
    if given.shape != (count,) or not (np.isfinite(given) & (given > 0)).all():
        raise InputError(f"weights: expected {count} positive numbers, one for each table")
    return np.log(given / given.sum())


def _log_odds(events: Array, n: Array) -> tuple[Array, Array]:
    """Log odds and their variances, with 1/2 added: only to find where to search."""
    yes, no = events + 0.5, n - events + 0.5
    return np.log(yes / no), 1 / yes + 1 / no


def _range(y: Array, v: Array) -> tuple[Sequence[float], float, float]:
    """Where to begin the search for mu; the smallest standard error; how far the effects spread.

    One table of counts has one maximum in mu for every tau (Prekopa 1973), a mixture of tables that are far
    from each other may have several.
    """
    tables = np.average(y, weights=1 / v, axis=-1)
    error = np.sqrt((1 / np.sum(1 / v, axis=-1)).max())
    several = np.ptp(tables) > 2 * error
    starts = (tables.min(), tables.mean(), tables.max()) if several else (tables.mean(),)
    return [float(mu) for mu in starts], float(np.sqrt(v.min())), float(np.ptp(y) + np.sqrt(v.max()))
