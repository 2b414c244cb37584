"""One chunk of a calibration: worlds drawn from a model, each fitted by one engine.

What does not depend on the truth may choose which worlds are fitted: one whose data nobody could observe, or
whose draws NUTS refuses, leaves the truths of the others distributed as their posteriors say. It is counted,
not hidden.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from kyphobayes.calibration.forward import LOG_LIKELIHOOD, Forward, World
from kyphobayes.calibration.ranks import RANKED, far_apart, position
from kyphobayes.engines.exact import solve
from kyphobayes.errors import ImproperPosterior, InputError, NotConverged
from kyphobayes.evidence import TwoArms, View
from kyphobayes.evidence.views import Contrasts, Tabulated
from kyphobayes.exact import Posterior
from kyphobayes.jobs import Say
from kyphobayes.model import Model
from kyphobayes.names import EVENTS, EVENTS_1, EVENTS_2, MU, TAU, THETA_NEW, Y
from kyphobayes.priors import Priors

EXACT, NUTS = "exact", "nuts"
FITTED, REFUSED, UNSEEN = "fitted", "refused", "unseen"
Positions = Mapping[str, float]
_Fit = Callable[[World, np.random.Generator], Positions]
_Tools = tuple[Forward, _Fit]

# Of this process, the one used last: compiling takes as long as some hundred fits.
_latest: dict[tuple[str, str, Priors, str], _Tools] = {}


def fit_worlds(
    model: Model, evidence: View, priors: Priors, engine: str, seed: int, first: int, count: int, *, say: Say
) -> pd.DataFrame:
    """Draw worlds, fit their data, and find where each truth lies in its posterior.

    Parameters
    ----------
    model : Model
    evidence : View
        The design.
    priors : Priors
    engine : {"exact", "nuts"}
    seed, first, count : int
        Worlds `first` to `first` + `count` - 1 of this seed. A world depends on its own number only, so
        that it makes no difference how they are divided.

    Returns
    -------
    DataFrame
        One row per world: world, outcome (``fitted``; ``refused`` by the engine; ``unseen``, a count beyond
        2^53) and a column for each quantity, from 0 to 1, empty unless fitted.
    """
    forward, fit = _tools(model, evidence, priors, engine)
    rows: list[dict[str, Any]] = []
    for number in range(first, first + count):
        row: dict[str, Any] = {"world": number, "outcome": UNSEEN}
        if (world := forward.world(seed, number)) is not None:
            try:
                row |= {"outcome": FITTED, **fit(world, np.random.default_rng([seed, number, 1]))}
            except (NotConverged, ImproperPosterior, InputError):
                row["outcome"] = REFUSED
        rows.append(row)
        say(f"{model.name}, {engine}, {priors.label} priors: world {number}")
    return pd.DataFrame(rows)


def _tools(model: Model, evidence: View, priors: Priors, engine: str) -> _Tools:
    """Forward draws of the centred form, and the engine's fits, of which NUTS begins with the other form."""
    key = (model.digest, evidence.digest, priors, engine)
    if key not in _latest:
        forward = Forward(model.build(evidence, priors, centred=True))
        by = _by_quadrature if engine == EXACT else _by_nuts
        tools = forward, by(model, evidence, priors, forward)
        _latest.clear()
        _latest[key] = tools
    return _latest[key]


def _by_nuts(model: Model, evidence: View, priors: Priors, forward: Forward) -> _Fit:
    from kyphobayes.calibration.sampled import Sampler

    sampler = Sampler(model, evidence, priors)
    other = model.build(evidence, priors, centred=False)
    declared = {str(each.name) for each in [*other.free_RVs, *other.deterministics]}
    names = [name for name in forward.parameters if name in declared]

    def fit(world: World, rng: np.random.Generator) -> Positions:
        data = {name: world[name] for name in forward.data}
        draws = sampler.draws(data, int(rng.integers(2**31)), names)
        places = far_apart(draws.sizes["chain"] * draws.sizes["draw"])
        some = {name: draws[name].values.reshape(-1, *world[name].shape)[places] for name in names}
        found = {}
        for name in names:
            truth = world[name]
            at = (0,) * truth.ndim  # of alike entries, such as studies, the first
            label = f"{name}[{', '.join('0' * truth.ndim)}]" if truth.ndim else name
            found[label] = position(some[name][:, *at], float(truth[at]), rng)
        likelihoods = [
            forward.log_likelihood({name: values[i] for name, values in some.items()} | data)
            for i in range(RANKED)
        ]
        likelihood = position(np.array(likelihoods), forward.log_likelihood(world), rng)
        return found | {LOG_LIKELIHOOD: likelihood}

    return fit


def _by_quadrature(model: Model, evidence: View, priors: Priors, _: Forward) -> _Fit:
    def fit(world: World, rng: np.random.Generator) -> Positions:
        posterior = solve(model, _with_data(evidence, world), priors)
        scalar = [name for name in (MU, TAU, THETA_NEW) if world[name].ndim == 0]
        found = {name: float(posterior.cdf(name, float(world[name]))) for name in scalar}
        return found | {LOG_LIKELIHOOD: _of_likelihood(posterior, world, rng)}

    return fit


def _of_likelihood(posterior: Posterior, world: World, rng: np.random.Generator) -> float:
    """Position of the log likelihood of mu and tau, study effects integrated out, by exact draws."""
    drawn = posterior.tau.quantile(rng.random(RANKED))
    mu, tau = np.append(posterior.draw_mu(drawn, rng), world[MU]), np.append(drawn, world[TAU])
    values = np.diagonal(posterior.surface.interpolate(mu, tau))
    return position(values[:-1], float(values[-1]), rng)


def _with_data(evidence: View, world: World) -> View:
    """The design with the data of a world in it."""
    if isinstance(evidence, Tabulated):
        events = world[EVENTS].astype(float)
        return replace(evidence, events=events, tables=events[None], weights=np.ones(1))
    if isinstance(evidence, Contrasts):
        return replace(evidence, y=world[Y])
    if isinstance(evidence, TwoArms):
        one, two = (world[name].astype(float) for name in (EVENTS_1, EVENTS_2))
        return replace(evidence, events_1=one, events_2=two)
    raise InputError(f"{type(evidence).__name__}: the exact engine takes no such evidence")
