r"""What each study does to tau and to the next study's effect, and how odd it is given the others.

A study whose count is printed is simply left out. Of a study whose count is latent, its column of the
count tables is left out: the tables of the others keep their weights, so that what the printed totals say
of the others stays known, whatever the study's own count was.
"""

import numpy as np
import pandas as pd
from scipy import special

from kyphobayes.exact import Density
from kyphobayes.exact.averaged import Averaged
from kyphobayes.exact.loo import known
from kyphobayes.exact.panels import Array, Panels
from kyphobayes.exact.predictive_checks import mean_over
from kyphobayes.names import MU, PROB, STUDY, TAU, THETA_NEW
from kyphobayes.outlying.shapes import Shapes

_ENDS = np.array([0.5, (1 - PROB) / 2, (1 + PROB) / 2])


def influence(found: Shapes, name: str) -> pd.DataFrame:
    """Posterior with all studies and without each, under one shape.

    Returns
    -------
    DataFrame
        First row `none`, then a row per study left out. For mu, tau and theta_new the median and the ends
        of the 95 % interval; `mu_shift` and `tau_shift`, how far the posterior mean moves when the study
        is added, in standard deviations of the posterior without it (the square of the former is Cook's
        distance of one coefficient); `kl`, the divergence in nats of the posterior of tau with the study
        from that without; `width`, the width of the next study's interval without the study over that
        with all.
    """
    whole = found.by_name[name]
    assert isinstance(whole, Averaged)
    rows = {"none": _row(whole, whole)}
    for label in found.surface.labels:
        if found.surface.k > 1:
            fewer = found.without(name, label)
            assert isinstance(fewer, Averaged)
            rows[label] = _row(fewer, whole)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("without")


def _row(fewer: Averaged, whole: Averaged) -> dict[str, float]:
    row: dict[str, float] = {}
    for quantity in (MU, TAU, THETA_NEW):
        values = fewer.quantile(quantity, _ENDS)
        row |= dict(zip((quantity, f"{quantity}_low", f"{quantity}_high"), map(float, values), strict=True))
    for quantity in (MU, TAU):
        with_it, without = whole.density(quantity), fewer.density(quantity)
        row[f"{quantity}_shift"] = (with_it.mean - without.mean) / without.sd
    row["kl"] = divergence(whole.density(TAU), fewer.density(TAU))
    widths = [float(np.diff(each.quantile(THETA_NEW, _ENDS[1:]))[0]) for each in (fewer, whole)]
    return row | {"width": widths[0] / widths[1]}


def table_probabilities(whole: Averaged) -> Array:
    """Posterior probability of each count table, shape (t,)."""
    return whole.probabilities @ np.stack([post.table_probabilities() for post in whole.posteriors])


def divergence(p: Density, q: Density) -> float:
    """Kullback-Leibler divergence of p from q, in nats, over where both were integrated."""
    panels = Panels(np.concatenate([p.panels.edges, q.panels.edges]))
    first, second = p.pdf(panels.nodes), q.pdf(panels.nodes)
    there = (first > 0) & (second > 0)
    return max(0.0, float(panels.weights[there] @ special.rel_entr(first[there], second[there])))


def oddness(found: Shapes, name: str) -> pd.DataFrame:
    """How odd each study is given the others under one shape, and how probably it is an outlying one.

    Returns
    -------
    DataFrame
        One row per study: `p`, the probability given the others of more events than it had, ties counted
        half (Marshall and Spiegelhalter 2007, Bayesian Anal. 2:409), `z`, the standard normal deviate
        above which as much lies, `known`, whether its count is; `outlying`, `prior` and `bayes_factor`,
        the probability that the study is an outlying one, that before the data, and the ratio of the
        odds. Where the count is latent, p is a mean over the counts that it may have been, by their
        posterior probabilities, to which the study has contributed.
    """
    whole, surface = found.by_name[name], found.surface
    assert isinstance(whole, Averaged)
    by_table = table_probabilities(whole)
    certain, rows = known(surface), {}
    for column, label in enumerate(surface.labels):
        fewer = found.without(name, label)
        assert isinstance(fewer, Averaged)
        new, p = fewer.density(THETA_NEW), 0.0
        for piece in np.unique(surface.tables[:, column]):
            share = float(by_table[surface.tables[:, column] == piece].sum())
            place = float(surface.studies.centres[piece]), float(surface.studies.scales[piece])
            tail = mean_over(new, lambda x, piece=piece: surface.studies.exceedance(piece, x), *place)
            p += share * min(max(tail, 0.0), 1.0)
        rows[label] = {"p": p, "z": float(-special.ndtri(p)), "known": bool(certain[column])}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis(STUDY)
    shares = [getattr(each.studies, "share", 0.0) for each in found.outlying.surfaces]
    before = float(found.outlying.weights @ shares)
    table["outlying"], table["prior"] = found.suspects, before
    odds = table["outlying"] / (1 - table["outlying"])
    return table.assign(bayes_factor=odds / (before / (1 - before)))
