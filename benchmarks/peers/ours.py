"""What this package says of the same studies, and how long it takes."""

import time
from collections.abc import Callable
from typing import TypedDict

import pandas as pd

from benchmarks.peers.sets import Normals, Shares
from kyphobayes import exact
from kyphobayes.engines import fit_nuts
from kyphobayes.evidence import contrasts, counts
from kyphobayes.fits import summary
from kyphobayes.frequentist import glmm_proportion, pool
from kyphobayes.model import load_model
from kyphobayes.priors import Priors
from kyphobayes.project import default_project

RUNS = 20  # of what takes less than a second


class Texts(TypedDict):
    """Priors of both parameters, as text."""

    mu: str
    tau: str


def texts(given: Normals | Shares) -> Texts:
    """Write the priors as text."""
    mean, sd = given.mu
    return {"mu": f"Normal(mu={mean}, sigma={sd})", "tau": f"HalfNormal(sigma={given.tau})"}


def exactly(given: Normals | Shares) -> exact.Surface:
    """Make the surface."""
    return (
        exact.normal(given.y, given.se)
        if isinstance(given, Normals)
        else exact.binomial(given.events, given.n)
    )


def bayesian(given: Normals | Shares) -> tuple[pd.DataFrame, float, float]:
    """Summarise by quadrature; processor seconds for all of it, and for one more prior on its surface."""
    priors, ready = texts(given), exactly(given)
    found = ready.posterior(**priors).summary()
    whole = seconds(lambda: exactly(given).posterior(**priors).summary())
    return found, whole, seconds(lambda: ready.posterior(**priors).summary())


def by_nuts(given: Normals | Shares) -> tuple[float, float, float]:
    """Processor seconds of NUTS with its gate, at first and once compiled; effective draws of mu."""
    if isinstance(given, Normals):
        name, view = "normal_normal", contrasts(given.y, given.se)
    else:
        name, view = "binomial_normal", counts(given.events, given.n)
    model = load_model(name, default_project())
    told = texts(given)
    priors = Priors.of(mu=told["mu"], tau=told["tau"])
    first = seconds(lambda: fit_nuts(model, view, priors), 1)
    again = seconds(lambda: fit_nuts(model, view, priors, seed=1), 1)
    return first, again, float(summary(fit_nuts(model, view, priors, seed=2))["ess_bulk"]["mu"])


def frequentist(given: Normals | Shares) -> dict[str, float]:
    """The answer that metafor gives too."""
    if isinstance(given, Normals):
        found = pool(given.y, [se**2 for se in given.se], method="REML", test="hksj")
    else:
        found = glmm_proportion(given.events, given.n)
    return dict(
        mu=found.mu, se=found.se, low=found.ci_low, high=found.ci_high, tau=found.tau2**0.5,
        next_low=found.pi_low, next_high=found.pi_high,
    )  # fmt: skip


def seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """Least processor seconds of `work` over `runs`: a machine's other work does not count."""
    taken = []
    for _ in range(runs):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)
