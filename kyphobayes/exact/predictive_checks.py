r"""Predictive p-values of what each study found, summed over counts and integrated over its effect.

.. math:: p_i = P(y_i^{rep} > y_i) + \tfrac12 P(y_i^{rep} = y_i), \qquad
          y_i^{rep} \sim p(y \mid \theta_i^{rep})

Three questions differ in where the effect of the replicate comes from:

* "posterior": the study's own effect given all data (Gelman, Meng and Stern 1996, Stat. Sin. 6:733). The
  study was used to find it, so that p lies near a half.
* "mixed": a new effect from the population given all data (Marshall and Spiegelhalter 2003, Stat. Med.
  22:1649): less conservative.
* "loo": a new effect from the population given the other studies (the same, cross-validatory; Marshall
  and Spiegelhalter 2007, Bayesian Anal. 2:409): p is uniform if the study is like the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from kyphobayes.errors import InputError
from kyphobayes.exact.density import Density
from kyphobayes.exact.loo import known
from kyphobayes.exact.panels import Array, Panels, resolve
from kyphobayes.names import STUDY

if TYPE_CHECKING:
    import pandas as pd

    from kyphobayes.exact.posterior import Posterior

Kind = Literal["posterior", "mixed", "loo"]
_STEPS = np.array([-30.0, -8.0, -3.0, 0.0, 3.0, 8.0, 30.0])  # of edges around a study, in its scales
_TOLERANCE = 1e-11


def predictive_p(post: Posterior, kind: Kind) -> pd.Series:
    """Predictive p-value of each study with a known outcome, by label.

    Parameters
    ----------
    post : Posterior
    kind : {"posterior", "mixed", "loo"}

    Returns
    -------
    Series
        Probability of more than was found, ties counted half: near 0 where a study found more than
        expected, near 1 where less. Studies with latent counts have no known outcome and no row.

    Raises
    ------
    InputError
        If `kind` is unknown, no study has a known outcome, or "loo" is asked of a single study.
    """
    import pandas as pd

    if kind not in get_args(Kind):
        raise InputError(f"kind: expected one of {', '.join(get_args(Kind))}, found {kind!r}")
    surface = post.surface
    if kind == "loo" and surface.k == 1:
        raise InputError("kind: 'loo' needs at least 2 studies, found 1; ask for 'mixed'")
    columns = np.flatnonzero(known(surface))
    if not len(columns):
        raise InputError("predictive p-values need a study with a known outcome; all counts are latent")
    values = []
    for column in columns:
        label, piece = surface.labels[column], int(surface.tables[0, column])
        effect = {
            "posterior": lambda label=label: post.studies[label],
            "mixed": lambda: post.theta_new,
            "loo": lambda label=label: post.without(label).theta_new,
        }[kind]()
        place = float(surface.studies.centres[piece]), float(surface.studies.scales[piece])
        found = mean_over(effect, lambda x, piece=piece: surface.studies.exceedance(piece, x), *place)
        values.append(min(max(found, 0.0), 1.0))
    index = pd.Index([surface.labels[column] for column in columns], name=STUDY)
    return pd.Series(values, index=index, name="p")


def mean_over(density: Density, function: Callable[[Array], Array], centre: float, scale: float) -> float:
    """Mean of a function that changes around `centre` on the scale `scale`, which a density may not know."""
    edges = density.panels.edges
    around = centre + scale * _STEPS
    edges = np.append(edges, around[(around > edges[0]) & (around < edges[-1])])
    panels, values = resolve(lambda x: density.pdf(x) * function(x), Panels(edges), _TOLERANCE)
    return float(panels.weights @ values)
