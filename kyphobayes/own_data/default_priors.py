r"""Priors for data that nobody has thought about yet: three sets that differ, each prior with its why.

They are those of the measure in the package's own prior sets, but for what depends on the table. A typical
share may be any: an own table counts successes as well as complications. The sceptic expects the typical
effect at the decision's limit, so that the claim is as likely false as true before the data are seen. Where
the unit of an effect is the user's, priors are scaled by the unit-information standard deviation: the
standard error that a study of one patient would have,

.. math:: \sigma_u = \sqrt{\sum_i n_i / \sum_i se_i^{-2}}

(Röver et al. 2021, Research Synthesis Methods 12:448, equation 6). It is 4 for log odds ratios of equal arms
with events in half of the patients, so that an eighth of it is the 0.5 of the half-normal prior usual there.
"""

import numpy as np
from numpy.typing import NDArray

from kyphobayes.evidence import Analysis, Contrasts, Rates, View, read_priors
from kyphobayes.names import IRLN, MU, PLO, RATIOS, TAU
from kyphobayes.priors import Prior, Priors
from kyphobayes.project import default_project

Array = NDArray[np.float64]
WEAK, VAGUE, SCEPTICAL = "weakly_informative", "vague", "sceptical"
SETS = (WEAK, VAGUE, SCEPTICAL)
_STANDARDISED = ("SMD", "SMDH")
_CHANGES = ("SMCC", "SMCR", "SMCRH")
_EIGHTH = 8.0
_RATE_A_YEAR = -2.0  # on the log scale, as in the package's own prior
_A_YEAR = {"year": 1.0, "month": 12.0, "week": 52.0, "day": 365.0}
_ALIKE = "Centred on the decision's limit: before the data, the claim is as likely false as true."
_OURS = "Source: chosen by the authors."
_FLAT = "Practically flat. "
_SHARE = "Flat on the share itself, from 0 to 100 %. Source: the logistic is the log odds of a uniform."
_UNKNOWN_TIME = "Wide, since the length of the unit of time is not known. "
_KNOWN_TIME = "The package's prior for events a year, in this unit of time: median 0.14 a year. "
_CHANGED = "Changes within a group are often several standard deviations. "
_Text = tuple[str, str]  # a prior and its why


def default_priors(
    analysis: Analysis, evidence: View, sizes: Array | None = None
) -> tuple[tuple[Priors, ...], str]:
    """Weakly informative, vague and sceptical priors for mu and tau.

    Parameters
    ----------
    analysis : Analysis
        Its decision says where a sceptic expects the typical effect.
    evidence : View
        Counts, Rates or Contrasts.
    sizes : ndarray, shape (k,), optional
        Patients of each study, for the scale of estimates in a unit of the user's.

    Returns
    -------
    tuple of Priors
        The weakly informative set, under which results are reported, first.
    str
        Where the scale of the priors comes from.
    """
    limit = float(evidence.scale.model(analysis.decision.below))
    if isinstance(evidence, Contrasts) and not _known(evidence.measure):
        scaled, words = _by_unit(evidence, limit, sizes)
        return tuple(_set(label, texts) for label, texts in scaled.items()), words
    found = {label: dict(read_priors(default_project(), label, analysis, evidence.measure)) for label in SETS}
    for label, texts in _of_this_table(evidence, limit).items():
        found[label] |= dict(_set(label, texts))
    return tuple(
        Priors.of(label, **{name: priors[name] for name in (MU, TAU)}) for label, priors in found.items()
    ), "priors are the package's own for this measure"


def _known(measure: str) -> bool:
    """Whether effects of a measure have the same unit in every table."""
    return measure in RATIOS or measure in _STANDARDISED or measure in _CHANGES


def _set(label: str, texts: dict[str, _Text]) -> Priors:
    return Priors.of(label, **{name: Prior.parse(text, why=why) for name, (text, why) in texts.items()})


def _of_this_table(evidence: View, limit: float) -> dict[str, dict[str, _Text]]:
    """What replaces the package's own priors."""
    wide = {PLO: 1.0, IRLN: 1.0}.get(evidence.measure, 0.5 if evidence.measure in RATIOS else 0.3)
    sceptic = {SCEPTICAL: {MU: (f"Normal(mu={_short(limit)}, sigma={wide:g})", f"{_ALIKE} {_OURS}")}}
    if evidence.measure == PLO:
        vague = ("Normal(mu=0, sigma=5)", _FLAT + _OURS)
        return {WEAK: {MU: ("Logistic(mu=0, s=1)", _SHARE)}, VAGUE: {MU: vague}, **sceptic}
    if evidence.measure in _CHANGES:
        return {WEAK: {MU: ("Normal(mu=0, sigma=4)", _CHANGED + _OURS)}, **sceptic}
    if not isinstance(evidence, Rates):
        return sceptic
    times = next((times for name, times in _A_YEAR.items() if name in evidence.unit.casefold()), None)
    if times is None:
        return {WEAK: {MU: ("Normal(mu=0, sigma=5)", _UNKNOWN_TIME + _OURS)}, **sceptic}
    centre = _short(_RATE_A_YEAR - np.log(times))
    return {WEAK: {MU: (f"Normal(mu={centre}, sigma=2.5)", _KNOWN_TIME + _OURS)}, **sceptic}


def unit_information(se: Array, sizes: Array) -> float:
    """Unit-information standard deviation: the standard error of a study of one patient.

    Parameters
    ----------
    se, sizes : ndarray, shape (k,)
        Standard errors and numbers of patients.

    References
    ----------
    Röver et al. (2021), Research Synthesis Methods 12:448-474, equation 6.
    """
    return float(np.sqrt(sizes.sum() / (se**-2.0).sum()))


def _by_unit(
    evidence: Contrasts, limit: float, sizes: Array | None
) -> tuple[dict[str, dict[str, _Text]], str]:
    """Priors of effects in the user's unit, and what they are scaled by."""
    if sizes is not None:
        unit = float(_short(unit_information(evidence.se, sizes)))
        words = f"the unit-information standard deviation of these studies, {unit:g}"
        source = "Röver et al. (2021), equation 6, from n and standard errors"
    else:
        spread = np.sqrt(np.mean(evidence.se**2) + (np.var(evidence.y, ddof=1) if evidence.k > 1 else 0.0))
        unit = float(_short(_EIGHTH * spread))
        words = f"the spread of the estimates, {unit / _EIGHTH:.3g}, for want of n (give it, or own priors)"
        source = "chosen by the authors; it looks at the data"
    # A change or a mean may lie far from 0, measured in patients; a difference of two groups seldom does.
    compared = evidence.measure in ("MD", "RD", "IRD")
    wide, near = (unit, unit / _EIGHTH) if compared else (10 * unit, unit)
    eighth, why = _short(unit / _EIGHTH), f"Scaled by {words}. Source: {source}."
    half = f"Half of its mass lies above a quarter of the unit. {why}"
    return {
        WEAK: {
            MU: (f"Normal(mu=0, sigma={_short(wide)})", f"Wide beside what one patient shows. {why}"),
            TAU: (
                f"HalfNormal(sigma={eighth})",
                f"An eighth of the unit, as 0.5 is for log odds ratios. {why}",
            ),
        },
        VAGUE: {
            MU: (f"Normal(mu=0, sigma={_short(10 * wide)})", _FLAT + why),
            TAU: (f"HalfCauchy(beta={_short(unit / 4)})", half),
        },
        SCEPTICAL: {
            MU: (f"Normal(mu={_short(limit)}, sigma={_short(near)})", f"{_ALIKE} {why}"),
            TAU: (f"HalfNormal(sigma={_short(unit / 16)})", f"Studies are much alike. {why}"),
        },
    }, f"priors are scaled by {words}"


def _short(number: float) -> str:
    """A parameter as a person would write it."""
    return f"{float(number):.3g}"
