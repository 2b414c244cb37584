r"""From a printed line of a meta-analysis to the likelihood of (mu, tau).

A line (k, estimate, interval, I-squared, method) is a latent table of studies:

.. math:: L(\mu, \tau) = \int \prod_i N(y_i; \mu, v_i + \tau^2)\;
          1[(y, v)\ \text{prints like this}]\; dy\, \pi(v)\, dv .

`kyphobayes.reconstruct.consistent` solves for the tables; here they are drawn by a quasi-random sequence that
is always the same. With :math:`v_i = c\,r_i`, the prior of c is flat on its logarithm, and the relative
variances are :math:`r_i = e^{\sigma z_i} / n_i` with standard normal z: known sizes leave a factor open.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.stats import qmc

from kyphobayes.errors import InputError
from kyphobayes.exact.normal_tables import NormalTables
from kyphobayes.reconstruct.consistent import COMMON, METHODS, TESTS, Point, Tables, tables
from kyphobayes.reconstruct.printed_line import Number, PrintedLine, read_line

Array = NDArray[np.float64]
Spread = float | tuple[float, float]

# Median of sigma, and the standard deviation of its logarithm, learned from published tables;
# docs/summary-lines.md has what each is without the data set that is predicted.
SPREAD_WITHOUT_N = (0.95, 0.43)
SPREAD_WITH_N = (0.70, 0.64)
SPREAD_STANDARDISED = (0.35, 0.43)  # with sizes, of standardised mean differences
STANDARDISED = ("SMD", "SMDH", "SMCC", "SMCR", "SMCRH")
STABILISED = ("PAS", "PFT", "AS", "IRS")  # whose variance is a function of the sizes
_MOST_SPREAD = 2.0
POINTS = 512  # tables of one quasi-random sequence, a power of 2
REPLICATES = 4  # such sequences: their differences tell the error
MOST_STUDIES = 200
_SLIVER = 0.125  # share of the tables with an I-squared that is not 0 but prints as 0
_OPEN_I2 = (0.001, 0.999)  # taken where I-squared is not printed
_NAMES = {"DL": "DerSimonian–Laird", "PM": "Paule–Mandel", "CE": "common effect", "FE": "common effect"}


@dataclass(frozen=True, eq=False)
class SummaryLikelihood:
    """Likelihood of (mu, tau) from a printed line.

    Attributes
    ----------
    surface : NormalTables
        On the scale of the analysis (logarithms of ratios): it gives posteriors, sweeps and the rest.
    replicates : tuple of NormalTables
        The same from each quasi-random sequence alone; their differences tell the error.
    line : PrintedLine
    method, test : str
    implied : dict of str to (float, float, float)
        Lower, middle and upper value (2.5, 50 and 97.5 %) over the tables, before any prior for mu and tau,
        of the standard error `se`, of Cochran's `Q`, and of the typical `v`, the geometric mean of the
        variances.
    assumptions : tuple of str
        What was assumed, in sentences.
    warnings : tuple of str
        Where the answer may be too sure.
    """

    surface: NormalTables
    replicates: tuple[NormalTables, ...]
    line: PrintedLine
    method: str
    test: str
    implied: dict[str, tuple[float, float, float]]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def k(self) -> int:
        """Number of studies."""
        return self.line.k


def summary_likelihood(
    k: int,
    estimate: Number,
    ci: Sequence[Number],
    i2: Number | None = None,
    *,
    method: str = "DL",
    test: str = "z",
    measure: str | None = None,
    n: Sequence[float] | Sequence[tuple[float, float]] | None = None,
    level: float = 0.95,
    spread: Spread | None = None,
    points: int = POINTS,
    labels: Sequence[str] | None = None,
) -> SummaryLikelihood:
    """Build the likelihood of (mu, tau) from a printed line.

    Parameters
    ----------
    k : int
        Number of studies, 2 to 200.
    estimate, ci, i2 : str or number
        As printed; text keeps its digits. I-squared is in percent, and None where it is not printed.
    method : {"DL", "CE", "FE", "REML", "ML", "PM"}
        How the line was pooled. I-squared is tau² / (tau² + typical v), as Cochran's Q gives it for DL and
        CE.
    test : {"z", "t", "hksj"}
        How the interval was made; "hksj" is Hartung and Knapp's, without a floor.
    measure : str, optional
        Code of the effect measure: ratios are logged, PLO is taken to log odds.
    n : sequence of float or of pairs, optional
        Sizes of the studies, or of their two groups, in any order.
    level : float
        Of the printed interval.
    spread : float or (float, float), optional
        How much the logarithms of the variances within studies vary, beyond what `n` says: a standard
        deviation, or the median and log-sd of a log-normal prior for it, cut off at 2. 0 means equal
        variances (or as 1 / n).
    points : int
        Tables of each of the four quasi-random sequences; a power of 2.
    labels : sequence of str, optional
        Names of the studies, in the order of `n`.

    Returns
    -------
    SummaryLikelihood

    Raises
    ------
    InputError
        If the line cannot be read or no table of studies prints like this.

    Examples
    --------
    >>> line = summary_likelihood(4, "3.85", ("2.99", "4.71"), "79", measure="SMD", n=[63, 18, 26, 65])
    >>> post = line.surface.posterior(mu="Flat()", tau="HalfNormal(sigma=1)")
    >>> round(float(post.mu.mean), 1)
    3.8
    """
    _one_of("method", method, METHODS)
    _one_of("test", test, TESTS)
    line = read_line(k, estimate, ci, i2, measure=measure, level=level, test=test)
    if line.k > MOST_STUDIES:
        raise InputError(f"k: expected at most {MOST_STUDIES} studies, found {line.k}")
    sizes = None if n is None else _sizes(n, line, measure)
    taken = usual_spread(measure, sizes is not None) if spread is None else _spread(spread)
    if points < 2 or points & (points - 1) or points > 2**14:
        raise InputError(f"points: expected a power of 2 up to {2**14}, found {points}")
    exactly = taken[0] == 0 and (sizes is None or bool(np.ptp(sizes) == 0))
    made = [
        tables(_points(line, method, sizes, taken, points, seed), method, test) for seed in range(REPLICATES)
    ]
    if any(len(part.y) == 0 for part in made):
        raise InputError(
            f"{method}: no table of {line.k} studies found that prints like this; check the digits"
        )
    whole = Tables(
        *(np.concatenate([getattr(part, name) for part in made]) for name in ("y", "v", "log_weight"))
    )
    names = [f"study {i}" for i in range(1, line.k + 1)] if labels is None else labels
    return SummaryLikelihood(
        surface=NormalTables(whole.y, whole.v, whole.log_weight, names),
        replicates=tuple(NormalTables(part.y, part.v, part.log_weight, names) for part in made),
        line=line,
        method=method,
        test=test,
        implied=_implied(whole, line),
        assumptions=_assumptions(line, method, test, sizes, taken, spread is None),
        warnings=_warnings(line, sizes, taken, exactly),
    )


def _points(
    line: PrintedLine, method: str, sizes: Array | None, spread: tuple[float, float], count: int, seed: int
) -> Point:
    """Draw what the line leaves open, with the volume that each draw stands for in the weights of `t`."""
    k = line.k
    u = qmc.Sobol(2 * k + 4, scramble=True, rng=seed).random(count)
    u = np.clip(u, 1e-12, 1 - 1e-12)
    normal = special.ndtri(u[:, 5:])
    sigma = _sigma(spread, u[:, 4])
    r = np.exp(sigma[:, None] * normal[:, :k]) / (1.0 if sizes is None else sizes)
    estimate, se, log_volume = _estimate_and_se(line, u[:, 0], u[:, 1])
    u1 = 1 / r
    s1 = u1.sum(axis=1)
    typical = (k - 1) / (s1 - (u1**2).sum(axis=1) / s1)
    if method in COMMON:
        t, volume = _cochran_q(line, u[:, 2])
    else:
        t, volume = _relative_tau2(line, u[:, 2], u[:, 3], typical)
    direction = normal[:, k:] if k > 2 else np.where(normal[:, k:] < 0, -1.0, 1.0)
    return Point(estimate, se, t, u[:, 3], r, direction, log_volume + volume)


def _sigma(spread: tuple[float, float], u: Array) -> Array:
    """Quantiles of sigma's log-normal prior, which ends at the largest spread that tables have."""
    median, log_sd = spread
    if median == 0 or log_sd == 0:
        return np.full(u.shape, median)
    return median * np.exp(log_sd * special.ndtri(u * special.ndtr(np.log(_MOST_SPREAD / median) / log_sd)))


def _estimate_and_se(line: PrintedLine, u: Array, w: Array) -> tuple[Array, Array, Array]:
    """Values of both that print like the line, uniformly, and the log of the volume of each."""
    low, high = line.estimate
    (low_0, low_1), (high_0, high_1) = line.low, line.high
    if line.centred:
        # Where one end has far fewer digits than the other, it may print like what lies beyond the other.
        first, last = max(low, (low_0 + high_0) / 2, low_0), min(high, (low_1 + high_1) / 2, high_1)
        middle = first + (last - first) * u
        least = np.maximum(middle - low_1, high_0 - middle)
        most = np.maximum(np.minimum(middle - low_0, high_1 - middle), least)
    else:
        middle = low + (high - low) * u
        least = np.full(u.shape, (high_0 - low_1) / 2)
        most = np.full(u.shape, (high_1 - low_0) / 2)
    least = np.maximum(least, 0.05 * most)  # an interval printed with one digit may have next to no width
    half = least + (most - least) * w
    with np.errstate(divide="ignore"):  # no width has an infinite log, for which 0 stands below
        volume = np.log(most - least)
    # Where the ends leave one point only, its volume is the same for all.
    return middle, half / line.quantile, np.where(np.isfinite(volume), volume, 0.0)


def _cochran_q(line: PrintedLine, u: Array) -> tuple[Array, Array]:
    """Cochran's Q of a common-effect line, uniform in its root."""
    low, high = _OPEN_I2 if line.i2 is None else line.i2
    if line.i2 is None:
        low = 0.0
    top = np.sqrt((line.k - 1) / (1 - high))
    bottom = np.sqrt((line.k - 1) / (1 - low)) if low > 0 else max(0.0, np.sqrt(line.k - 1) - 5)
    root = bottom + (top - bottom) * u
    return root**2, np.log(2 * root)


def _relative_tau2(line: PrintedLine, u: Array, part: Array, typical: Array) -> tuple[Array, Array]:
    """tau² over c, from I-squared = t / (t + typical r), and the log of the volume of each."""
    low, high = _OPEN_I2 if line.i2 is None else line.i2
    if low > 0 and line.i2 is not None:
        first, last = special.logit([low, high])
        t = np.exp(first + (last - first) * u) * typical
        return t, np.log(t)
    none = u >= _SLIVER if line.i2 is not None else u >= 0.5
    inside = u / (_SLIVER if line.i2 is not None else 0.5)
    if line.i2 is not None:  # prints as 0
        top = high / (1 - high) * typical
        t = np.where(none, 0.0, inside * top)
        return t, np.where(none, -np.log(1 - _SLIVER), np.log(top / _SLIVER))
    first, last = special.logit([low, high])
    positive = np.exp(first + (last - first) * np.minimum(inside, 1.0)) * typical
    t = np.where(none, 0.0, positive)
    return t, np.where(none, np.log(2.0), np.log(positive * (last - first) * 2))


def _sizes(
    n: Sequence[float] | Sequence[tuple[float, float]], line: PrintedLine, measure: str | None
) -> Array:
    """Effective sizes: 1 / r up to a constant."""
    try:
        given = np.asarray(n, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"n: expected a size, or a pair of sizes, for each study, found {n!r}") from None
    if given.shape not in {(line.k,), (line.k, 2)}:
        raise InputError(f"n: expected {line.k} sizes (or pairs), one for each study, found {len(given)}")
    if not (np.isfinite(given) & (given > 0)).all():
        raise InputError(f"n: expected sizes above 0, found {n!r}")
    if given.ndim == 1:
        return given
    relative = (1 / given).sum(axis=1)
    if measure == "SMD":  # Hedges and Olkin (1985), p. 86, at the pooled effect
        relative = relative + (sum(line.estimate) / 2) ** 2 / (2 * given.sum(axis=1))
    return 1 / relative


def usual_spread(measure: str | None, known: bool) -> tuple[float, float]:
    """Median and log-sd of how much log variances vary in published tables, with or without known sizes."""
    if not known:
        return SPREAD_WITHOUT_N
    if measure in STABILISED:
        return 0.0, 0.0
    return SPREAD_STANDARDISED if measure in STANDARDISED else SPREAD_WITH_N


def _spread(spread: Spread) -> tuple[float, float]:
    try:
        median, log_sd = (float(spread), 0.0) if isinstance(spread, int | float) else map(float, spread)
    except (TypeError, ValueError):
        raise InputError(f"spread: expected a number, or a median with a log-sd, found {spread!r}") from None
    if not (0 <= median <= 2 and 0 <= log_sd <= 2):
        raise InputError(f"spread: expected 0 to 2, with a log-sd of 0 to 2, found {spread!r}")
    return median, log_sd


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"{name}: expected one of {', '.join(known)}, found {value!r}")


def _implied(found: Tables, line: PrintedLine) -> dict[str, tuple[float, float, float]]:
    w = 1 / found.v
    mean = (w * found.y).sum(axis=1, keepdims=True) / w.sum(axis=1, keepdims=True)
    q = (w * (found.y - mean) ** 2).sum(axis=1)
    quantiles = [0.025, 0.5, 0.975]
    ends = ((line.high[0] - line.low[1]), (line.high[1] - line.low[0]))
    se = (ends[0] / 2 / line.quantile, line.se, ends[1] / 2 / line.quantile)
    typical = np.exp(np.log(found.v).mean(axis=1))
    (q_low, q_mid, q_high), (v_low, v_mid, v_high) = (np.quantile(x, quantiles) for x in (q, typical))
    return {"se": se, "Q": (float(q_low), float(q_mid), float(q_high)),
            "v": (float(v_low), float(v_mid), float(v_high))}  # fmt: skip


def _assumptions(
    line: PrintedLine, method: str, test: str, sizes: Array | None, spread: tuple[float, float], ours: bool
) -> tuple[str, ...]:
    kind = {"z": "normal", "t": "Student-t", "hksj": "Hartung–Knapp"}[test]
    said = [f"The line was taken to be pooled by {_NAMES.get(method, method)}, with a {kind} interval."]
    if sizes is not None:
        shown = ", ".join(f"{size:.3g}" for size in sizes)
        said.append(f"Variances within studies were taken to go as one over their effective sizes ({shown}).")
    what = "What the sizes leave open" if sizes is not None else "Sizes are not known: the variances"
    if spread[0] == 0:
        said.append("The sizes were taken to say all." if sizes is not None else
                    "Variances within studies were taken to be equal.")  # fmt: skip
    elif sizes is not None:
        said.append(
            f"What the sizes leave open was taken to vary by a log-SD of about {spread[0]:g}"
            + (", as in published tables." if ours else ".")
        )
    else:
        said.append(
            f"{what} within studies were taken to differ by a log-SD of about {spread[0]:g}"
            + (", as in published tables." if ours else ".")
        )
    return (*said, *line.assumptions)


def _warnings(
    line: PrintedLine, sizes: Array | None, spread: tuple[float, float], exactly: bool
) -> tuple[str, ...]:
    said = []
    if exactly:
        said.append("With equal variances the intervals are too narrow where the studies' sizes differ much.")
    elif sizes is None:
        said.append(
            "Without the studies' sizes the answer rests on how much variances usually differ; give n."
        )
    if sizes is not None and sizes.max() > 10 * sizes.min():
        said.append("The largest study is over ten times the smallest: a line says less of such studies.")
    if line.k == 2:
        said.append("Two studies say next to nothing of tau: its prior decides the predictive interval.")
    return tuple(said)
