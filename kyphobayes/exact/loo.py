r"""Leaving one study out: the posterior without it, and what that posterior says of what it found.

The predictive density of what study i found, given the others, is a ratio of marginal likelihoods,

.. math:: p(y_i \mid y_{-i}) = \frac{p(y)}{p(y_{-i})}
          = \int\!\!\int L_i(\mu, \tau)\, p(\mu, \tau \mid y_{-i})\, d\mu\, d\tau ,

and both are integrated, each on panels of its own. Nothing is approximated by importance sampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from kyphobayes.errors import ImproperPosterior, InputError
from kyphobayes.names import STUDY

if TYPE_CHECKING:
    import pandas as pd

    from kyphobayes.exact.surface import Surface
    from kyphobayes.priors import Priors

TOTAL = "total"


class Solved(Protocol):
    """What studies can be left out of: a posterior, an average of several, or that of a common effect."""

    log_marginal_likelihood: float
    surface: Surface

    @property
    def priors(self) -> Priors:
        """Of its parameters."""
        ...

    def without(self, *labels: str) -> Solved:
        """The same without some studies, named by their labels."""
        ...


def kept(labels: Sequence[str], left_out: Sequence[str]) -> list[int]:
    """Numbers of the studies that stay.

    Raises
    ------
    InputError
        If a label is unknown, or no study is left.
    """
    for label in left_out:
        if label not in labels:
            raise InputError(
                f"without: expected a study's label, found {label!r}; one of {', '.join(labels)}"
            )
    keep = [study for study, label in enumerate(labels) if label not in left_out]
    if not keep:
        raise InputError("without: expected at least one study to stay, found none")
    return keep


def known(surface: Surface) -> NDArray[np.bool_]:
    """Whether the count of each study is the same in every table, shape (k,)."""
    return (surface.tables == surface.tables[0]).all(axis=0)


def observations(surface: Surface) -> list[tuple[str, ...]]:
    """Labels of what is left out at a time: each known study, then all latent ones together.

    The likelihood of latent counts is a mean over tables, not a product over studies; one of them alone
    is no observation. That is how a fit's `log_likelihood` group counts them, too.
    """
    printed = known(surface)
    alone = [(label,) for label, one in zip(surface.labels, printed, strict=True) if one]
    latent = tuple(label for label, one in zip(surface.labels, printed, strict=True) if not one)
    return [*alone, latent] if latent else alone


def loo(post: Solved) -> pd.DataFrame:
    """Exact leave-one-study-out predictive densities.

    Returns
    -------
    DataFrame
        One row per observation (studies with latent counts are one, named by all their labels), with
        `elpd`, the log predictive density of what it found, and a last row `total` with their sum and its
        standard error `se`, the root of n times their variance (Vehtari, Gelman and Gabry 2017, Stat.
        Comput. 27:1413, eq. 23, with divisor n as in ArviZ). `se` is NaN for a single observation's
        density, which has none.

    Raises
    ------
    ImproperPosterior
        If the others leave the posterior improper under these priors.
    """
    import pandas as pd

    groups = observations(post.surface)
    elpd = np.array([_log_predictive(post, labels) for labels in groups])
    names = [" + ".join(labels) for labels in groups]
    se = float(np.sqrt(len(elpd) * np.var(elpd))) if len(elpd) > 1 else np.nan
    table = {"elpd": [*elpd, elpd.sum()], "se": [*np.full(len(elpd), np.nan), se]}
    return pd.DataFrame(table, index=pd.Index([*names, TOTAL], name=STUDY))


def _log_predictive(post: Solved, labels: tuple[str, ...]) -> float:
    if len(labels) == post.surface.k:  # given nothing but the priors
        if all(prior.proper for prior in post.priors.values()):
            return post.log_marginal_likelihood
        raise ImproperPosterior(
            "without its only observation the posterior is the prior, which is not proper"
        )
    try:
        others = post.without(*labels)
    except ImproperPosterior as error:
        raise ImproperPosterior(f"without {' + '.join(labels)}: {error}") from None
    return post.log_marginal_likelihood - others.log_marginal_likelihood
