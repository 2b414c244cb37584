"""One printed line: posterior of mu and tau, the effect in a new study, and what they mean for a decision."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from kyphobayes.errors import InputError
from kyphobayes.exact import Posterior
from kyphobayes.names import MU, PROB, TAU, THETA_NEW
from kyphobayes.priors import Prior, Priors
from kyphobayes.reconstruct import SummaryLikelihood, summary_likelihood
from kyphobayes.reconstruct.printed_line import Number

BETTER = ("lower", "higher")


@dataclass(frozen=True, eq=False)
class Reanalysis:
    """What a printed line says.

    Attributes
    ----------
    estimate, ci, i2 : str
        As printed; an empty i2 is not printed.
    measure : str
        Code of the effect measure, or empty.
    likelihood : SummaryLikelihood
    posterior : Posterior
        On the scale of the analysis.
    effects : DataFrame
        Rows mu and theta_new with mean, median, low and high on the printed scale (of a ratio or a share the
        mean is that of its logarithm or log odds, taken back).
    tau : Series
        mean, median, low and high, on the scale of the analysis.
    better : {"lower", "higher"}
    p_benefit, p_benefit_new : float
        Probability that mu, and the effect in a new study, is on the better side of no effect; NaN where the
        measure knows no value for it.
    mcid : float
        The least effect that matters, on the printed scale; NaN if none was given.
    p_mcid, p_mcid_new : float
        Probability of an effect beyond it.
    error : float
        Standard error of the quasi-random integration, in the ends of the intervals of mu and theta_new, as a
        share of their posterior standard deviations: the larger one.
    assumptions : tuple of str
    """

    estimate: str
    ci: tuple[str, str]
    i2: str
    measure: str
    likelihood: SummaryLikelihood
    posterior: Posterior
    effects: pd.DataFrame
    tau: pd.Series
    better: str
    p_benefit: float
    p_benefit_new: float
    mcid: float
    p_mcid: float
    p_mcid_new: float
    error: float
    assumptions: tuple[str, ...]

    @property
    def priors(self) -> Priors:
        """Priors of mu and tau."""
        return self.posterior.priors

    @property
    def warnings(self) -> tuple[str, ...]:
        """Where the answer may be too sure."""
        return self.likelihood.warnings

    def to_printed(self, value: float) -> float:
        """From the scale of the analysis to the printed one."""
        return float(_back(self.likelihood.line.scale)(value))

    def to_dict(self) -> dict[str, Any]:
        """All numbers and sentences, for JSON."""
        line = self.likelihood
        return {
            "printed": {"k": line.k, "estimate": self.estimate, "ci": list(self.ci), "i2": self.i2 or None,
                        "measure": self.measure or None, "method": line.method, "test": line.test},
            "scale": line.line.scale,
            "priors": {name: str(prior) for name, prior in self.priors.items()},
            **{name: {str(side): float(values[name]) for side, values in self.effects.items()}
               for name in (MU, THETA_NEW)},
            TAU: {str(key): float(value) for key, value in self.tau.items()},
            "better": self.better,
            "p_benefit": self.p_benefit,
            "p_benefit_new": self.p_benefit_new,
            "mcid": self.mcid,
            "p_mcid": self.p_mcid,
            "p_mcid_new": self.p_mcid_new,
            "implied": {name: list(values) for name, values in line.implied.items()},
            "error": self.error,
            "assumptions": list(self.assumptions),
            "warnings": list(self.warnings),
        }  # fmt: skip


def reanalyse(
    k: int,
    estimate: Number,
    ci: Sequence[Number],
    i2: Number | None = None,
    *,
    measure: str | None = None,
    mu: str | Prior = "Flat()",
    tau: str | Prior | None = None,
    better: str = "lower",
    mcid: float | None = None,
    **options: Any,
) -> Reanalysis:
    """Analyse a printed line again.

    Parameters
    ----------
    k, estimate, ci, i2, measure, **options
        Of `kyphobayes.reconstruct.summary_likelihood`.
    mu, tau : str or Prior
        On the scale of the analysis. The default for tau is half-normal, with the scale that the printed
        interval allows the studies to be apart.
    better : {"lower", "higher"}
        Which effects are good.
    mcid : float, optional
        The least effect that matters: of a difference its size, of a ratio or a share its value.

    Raises
    ------
    InputError, PriorError, ImproperPosterior
    """
    if better not in BETTER:
        raise InputError(f"better: expected lower or higher, found {better!r}")
    likelihood = summary_likelihood(k, estimate, ci, i2, measure=measure, **options)
    scale = likelihood.line.scale
    least = math.nan if mcid is None else _least(mcid, scale, better)
    said = list(likelihood.assumptions)
    if tau is None:
        apart = 2 * math.sqrt(likelihood.k) * likelihood.line.se
        tau = f"HalfNormal(sigma={apart:.2g})"
        said.append(
            f"tau was given the prior {tau}: its scale is twice the standard deviation between studies that "
            f"would "
            "explain the printed interval alone."
        )
    posterior = likelihood.surface.posterior(mu, tau)
    summary = posterior.summary()
    back = _back(scale)
    columns = ["mean", "median", "low", "high"]
    effects = summary.loc[[MU, THETA_NEW], columns].map(back)
    none = math.nan if scale == "logit" else 0.0
    chances = [_beyond(posterior, name, at, better) for at in (none, least) for name in (MU, THETA_NEW)]
    return Reanalysis(
        str(estimate), (str(ci[0]), str(ci[1])), "" if i2 is None else str(i2), measure or "",
        likelihood, posterior, effects, summary[columns].T[TAU], better,
        chances[0], chances[1], math.nan if mcid is None else float(mcid), chances[2], chances[3],
        _error(likelihood, posterior), tuple(said),
    )  # fmt: skip


def _least(mcid: float, scale: str, better: str) -> float:
    """The least effect that matters, on the scale of the analysis and on the better side."""
    if scale == "identity":
        if not (math.isfinite(mcid) and mcid != 0):
            raise InputError(f"mcid: expected a difference other than 0, found {mcid:g}")
        return abs(mcid) if better == "higher" else -abs(mcid)
    if scale == "log":
        if not (math.isfinite(mcid) and mcid > 0 and (mcid < 1) == (better == "lower") and mcid != 1):
            side = "between 0 and 1" if better == "lower" else "above 1"
            raise InputError(f"mcid: expected a ratio {side}, as {better} is better, found {mcid:g}")
        return math.log(mcid)
    if not 0 < mcid < 1:
        raise InputError(f"mcid: expected a share between 0 and 1, found {mcid:g}")
    return float(special.logit(mcid))


def _back(scale: str) -> Callable[[float], float]:
    return {"identity": float, "log": math.exp, "logit": special.expit}[scale]


def _beyond(posterior: Posterior, name: str, at: float, better: str) -> float:
    if not math.isfinite(at):
        return math.nan
    below = float(posterior.cdf(name, at))
    return below if better == "lower" else 1 - below


def _error(likelihood: SummaryLikelihood, whole: Posterior) -> float:
    """From the posteriors that each quasi-random sequence alone would give."""
    tail = (1 - PROB) / 2
    each = [part.posterior(whole.priors[MU], whole.priors[TAU], rtol=1e-5) for part in likelihood.replicates]
    errors = []
    for name in (MU, THETA_NEW):
        ends = np.array([posterior.quantile(name, [tail, 1 - tail]) for posterior in each])
        sd = whole.marginal(name).sd
        errors.append(float((ends.std(axis=0, ddof=1) / np.sqrt(len(each))).max() / sd))
    return max(errors)
