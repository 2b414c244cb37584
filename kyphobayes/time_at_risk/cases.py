"""The answer in other cases: other priors, other times at risk, and what is not printed of patients."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from kyphobayes.evidence import FollowUp, Rates
from kyphobayes.exact import Posterior
from kyphobayes.priors import Priors
from kyphobayes.time_at_risk.centres import MONTHS, PER, Untreated, alive_row, one_line, rate_row
from kyphobayes.time_at_risk.patients import deaths_and_fractures, weibull

_UNEXPLAINED = "P*"  # printed instead of a late score, and not explained: these patients may be lost


def of_centres(
    evidence: Rates,
    posteriors: Mapping[str, Posterior],
    solve: Callable[[Rates], Posterior],
    untreated: Untreated,
    *,
    horizons: tuple[int, ...],
    long: int,
    exposures: Sequence[float],
    first: int,
) -> pd.DataFrame:
    """Rates under other priors, with other times at risk, and from the series with latent counts alone.

    Parameters
    ----------
    evidence : Rates
        With the follow-up of every series.
    posteriors : mapping of str to Posterior
        By prior set, the main one first.
    solve : callable
        The posterior of other evidence under the main set.
    untreated : Untreated
    horizons : tuple of int
        Months.
    long : int
        Follow-up in months from which on a series may have lost patients.
    exposures : sequence of float
        Shares of the long series' exposure.
    first : int
        Months within which all fractures happen, in the case that they happen early.

    Returns
    -------
    DataFrame
        A row for each case, with the columns of `one_line`.
    """
    rows = {f"{label.replace('_', ' ')} priors": p for label, p in posteriors.items()}
    assert evidence.follow_up is not None
    for share in exposures:
        time = np.where(evidence.follow_up >= long, share, 1.0) * evidence.exposure
        name = f"{100 * share:g} % of the exposure where follow-up is {long} months or more"
        rows[name] = solve(replace(evidence, exposure=time))
    if 0 < len(evidence.reported) < evidence.k:
        printed = [evidence.labels[place] for place in evidence.reported]
        rows[f"without {' and '.join(printed)}"] = next(iter(posteriors.values())).without(*printed)
    found = {name: one_line(p, horizons, untreated) for name, p in rows.items()}
    early = solve(replace(evidence, exposure=evidence.exposure * np.minimum(1.0, first / evidence.follow_up)))
    name = f"all fractures happen in the first {first} months"
    found[name] = one_line(early, horizons, untreated, first)
    return pd.DataFrame.from_dict(found, orient="index").rename_axis("case")


def of_patients(followed: FollowUp, sets: Sequence[Priors], alive: tuple[int, ...]) -> pd.DataFrame:
    """Rates and survival by priors, by what a month means, by who may have died, and if the hazard changes.

    Parameters
    ----------
    followed : FollowUp
        With the table of patients as its rows.
    sets : sequence of Priors
        The main one first.
    alive : tuple of int
        Months until which survival is asked for.

    Returns
    -------
    DataFrame
        Index case and quantity; columns median, low, high.
    """
    main = sets[0]
    lost = (followed.rows["vas_late_missing"] == _UNEXPLAINED).to_numpy(dtype=bool) & ~followed.died
    died = replace(followed, died=followed.died | lost)
    cases = [(f"{priors.label.replace('_', ' ')} priors", followed, priors) for priors in sets]
    cases += [
        ("months are completed, not rounded", followed.read_as("completed"), main),
        (f"the {lost.sum()} patients with P* had died when last seen", died, main),
    ]
    rows: dict[tuple[str, str], dict[str, float]] = {}
    for case, view, priors in cases:
        found = deaths_and_fractures(view, priors["log_death_rate"], priors["log_fracture_rate"])
        rows[case, f"new fractures per {PER} patient-years"] = rate_row(found["log_fracture_rate"])
        rows[case, f"deaths per {PER} patient-years"] = rate_row(found["log_death_rate"])
        for months in alive:
            rows[case, f"alive after {months} months"] = alive_row(found["log_death_rate"], months)
    case, bent = "the hazard of death may fall or rise", weibull(followed, main["log_death_rate"])
    for months in alive:
        rows[case, f"alive after {months} months"] = bent.survival(months / MONTHS)
    rows[case, "shape of the hazard, 1 if constant"] = bent.shapes()
    index = pd.MultiIndex.from_tuples(rows, names=["case", "quantity"])
    return pd.DataFrame(list(rows.values()), index=index)[["median", "low", "high"]]
