"""Whether the integrated posterior of leaks is right, and whether it could have produced these leaks."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from kyphobayes.checks.check import Check
from kyphobayes.checks.features import Feature
from kyphobayes.checks.left_out import left_out
from kyphobayes.checks.sampled import ENDS, sampled
from kyphobayes.exact import Posterior
from kyphobayes.leaks import Clusters, Points, Quantities, at_draws, quantities

_ERROR = 0.02  # of a mean by integration, in posterior standard deviations
_SAME = 0.01  # difference from the exact engine, in posterior standard deviations


def of_fit(fit: xr.DataTree, clusters: Clusters, seed: int = 0) -> Points:
    """Draws of NUTS, chain after chain, as points of equal weight."""
    stacked = fit["posterior"].dataset.stack(sample=("chain", "draw")).transpose("sample", ...)
    mu, tau_region, tau_patient, logit, share = (
        stacked[name].values for name in ("mu", "tau_region", "tau_patient", "logit", "share")
    )
    step = np.random.default_rng([seed, 9]).normal(size=len(mu))
    return at_draws(mu, tau_region, tau_patient, logit, step, share, clusters)


def agreement(
    found: Points,
    known: Quantities,
    fit: xr.DataTree,
    clusters: Clusters,
    names: tuple[Sequence[str], Sequence[str]],
) -> Check:
    """Hold NUTS to the integration: means and interval limits in Monte Carlo standard errors.

    Parameters
    ----------
    found : Points
        By integration.
    known : Quantities
        At these points.
    fit : DataTree
        By NUTS, of the declared graph.
    clusters : Clusters
    names : (sequence of str, sequence of str)
        Of regions and sites.
    """
    drawn = of_fit(fit, clusters)
    again = quantities(drawn, clusters, known.at_least_one.shape[1])
    chains = (fit["posterior"].sizes["chain"], fit["posterior"].sizes["draw"])
    exact, draws = {}, {}
    for name, integrated, values in zip(
        _named(names, known.at_least_one.shape[1]), _values(found, known), _values(drawn, again), strict=True
    ):
        low, high = found.quantile(integrated, ENDS)
        exact[name], draws[name] = (found.mean(integrated), float(low), float(high)), values.reshape(chains)
    return sampled(exact, draws, "integration against NUTS")


def _named(names: tuple[Sequence[str], Sequence[str]], most: int) -> list[str]:
    regions, sites = names
    return [
        "mu", "tau_region", "tau_patient", *(f"log odds, {r}" for r in regions), "rate",
        "rate in a typical patient", f"a leak in {most} levels", "intracluster correlation",
        *(f"rate, {site}" for site in sites),
    ]  # fmt: skip


def _values(found: Points, known: Quantities) -> list[NDArray[np.float64]]:
    return [
        found.mu, found.tau_region, found.tau_patient, *found.logit.T, known.rate,
        known.typical, known.at_least_one[:, -1], known.icc,
        *known.sites.T,
    ]  # fmt: skip


def integration(found: Points, known: Quantities, alike: Points, witness: Posterior) -> Check:
    """Hold the integration to its own error, and without regions to the exact engine.

    Parameters
    ----------
    found : Points
    known : Quantities
        At these points.
    alike : Points
        All regions being the same: then patients are studies of a binomial-normal model.
    witness : Posterior
        Of that model by the exact engine, tau being the standard deviation between patients.
    """
    rows = {}
    for name, values in (
        ("mu", found.mu), ("tau_region", found.tau_region), ("tau_patient", found.tau_patient),
        ("rate", known.rate), ("intracluster correlation", known.icc),
    ):  # fmt: skip
        sd = found.sd(values)
        rows[f"{name}, own error"] = (found.mean(values), found.error(values) / sd if sd else 0.0, _ERROR)
    new = alike.mu + alike.tau_patient * alike.step
    for name, density, values in (
        ("mu", witness.mu, alike.mu),
        ("tau_patient", witness.marginal("tau"), alike.tau_patient),
        ("log odds of a new patient", witness.theta_new, new),
    ):
        difference = (alike.mean(values) - density.mean) / density.sd
        rows[f"{name}, regions alike"] = (alike.mean(values), difference, _SAME)
        for end in ENDS:
            (limit,) = alike.quantile(values, (end,))
            difference = (limit - float(density.quantile(end))) / density.sd
            rows[f"{name} {100 * end:g} %, regions alike"] = (limit, difference, 5 * _SAME)
    columns = ["value", "difference", "bound"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("quantity")
    size = table["difference"].abs()
    text = (
        f"error of integrated means at most {size.iloc[:5].max():.3f} posterior standard deviations; without "
        f"regions at most {size.iloc[5:].max():.3f} from the exact engine"
    )
    return Check("integration", bool((size <= table["bound"]).all()), text, table)


def features(
    clusters: Clusters,
    seen: NDArray[np.intp],
    names: Sequence[str],
    leaks: NDArray[np.float64],
    sites: NDArray[np.float64],
) -> list[Feature]:
    """Features of simulated series beside those of the one at hand; placing a leak changes none.

    Parameters
    ----------
    clusters : Clusters
    seen : ndarray of int, shape (c,)
        Leaks at hand by site.
    names : sequence of str
        Of the sites.
    leaks : ndarray, shape (s, p)
        Simulated leaks of each patient.
    sites : ndarray, shape (s, c)
        Simulated leaks by site.
    """
    own, single = clusters.events, clusters.levels.sum(axis=1) == 1
    counted = zip(names, seen, sites.T, strict=True)
    return [
        Feature("leaks", own.sum(), leaks.sum(axis=1)),
        Feature("patients with a leak", float((own > 0).sum()), (leaks > 0).sum(axis=1)),
        Feature("patients with two leaks or more", float((own > 1).sum()), (leaks > 1).sum(axis=1)),
        Feature("leaks in patients with one level", own[single].sum(), leaks[:, single].sum(axis=1)),
        *(Feature(f"leaks, {name}", float(count), many) for name, count, many in counted),
    ]


def patients_left_out(found: Points, fit: xr.DataTree, clusters: Clusters, labels: Sequence[str]) -> Check:
    """Leave out one patient at a time: exactly, and by importance sampling from the draws of NUTS.

    Parameters
    ----------
    found : Points
        By integration.
    fit : DataTree
        By NUTS.
    clusters : Clusters
    labels : sequence of str
        Of the patients.
    """
    by_draws = left_out(np.log(of_fit(fit, clusters).likelihood), labels)
    table = by_draws.table.rename(columns={"elpd": "elpd_sampled"})
    table.insert(0, "elpd", found.left_out)
    table.insert(0, "leaks", clusters.events.astype(int))
    table.insert(0, "levels", clusters.levels.sum(axis=1).astype(int))
    apart = float((table["elpd"] - table["elpd_sampled"]).abs().max())
    exactly = f"exactly {table['elpd'].sum():.1f}, no patient differing by more than {apart:.2f}"
    return Check(by_draws.name, by_draws.passed, f"{by_draws.text}; {exactly}", table)
