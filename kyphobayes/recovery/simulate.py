"""Reviews whose truth is known: printed, reconstructed, fitted, and held against that truth."""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from kyphobayes.engines.exact import solve
from kyphobayes.errors import EvidenceError, ImproperPosterior, InputError
from kyphobayes.evidence import Counts, counts
from kyphobayes.exact import Posterior
from kyphobayes.jobs import Say
from kyphobayes.model import Model
from kyphobayes.names import AGGREGATE, EVENTS, MU, TABLE, TAU, THETA_NEW
from kyphobayes.priors import Priors
from kyphobayes.reconstruct import Constraints, Contradiction, CountTables, reconstruct
from kyphobayes.recovery.design import Design
from kyphobayes.recovery.printing import printed_of

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

LISTED: Final = "listed"  # the true table is among those reconstructed
LOST: Final = "lost"  # it is not: the reconstruction is wrong
TOO_MANY: Final = "too many"  # no list was made, as for a real paper that prints as little
REFUSED: Final = "refused"  # the engine found the priors and the data too far apart


def recover_worlds(
    design: Design,
    priors: Priors,
    model: Model,
    seed: int,
    first: int,
    count: int,
    *,
    say: Say = lambda _: None,
) -> pd.DataFrame:
    """Draw worlds, print them, reconstruct their counts, fit, and find where each truth lies.

    Parameters
    ----------
    design : Design
    priors : Priors
        Of mu and tau: truths are drawn from them, and fits use them.
    model : Model
        Of counts, with a surface.
    seed, first, count : int
        Worlds `first` to `first` + `count` - 1 of this seed. A world depends on its own number only, so that
        it makes no difference how they are divided.
    say : callable

    Returns
    -------
    DataFrame
        One row per world: world; outcome, ``listed`` where the true table is among those that agree with the
        print (``lost``, ``too many`` to list, ``refused`` by the engine); tables, how many agree; and the
        position of each truth in its posterior, from 0 to 1: mu, tau, theta_new, ``table`` (in the order from
        the most to the least probable), and ``events[study]`` of each study whose count is not printed, both
        randomised between the steps of their distribution. Empty where the print leaves one value.
    """
    rows = []
    for number in range(first, first + count):
        rows.append({"world": number, **_world(design, priors, model, np.random.default_rng([seed, number]))})
        say(f"{design.constraints.title}: world {number}")
    return pd.DataFrame(rows, columns=["world", "outcome", "tables", *quantities(design)])


def quantities(design: Design) -> list[str]:
    """What is held against the truth."""
    latent = [
        f"{EVENTS}[{study}]" for study, hidden in zip(design.studies, design.latent, strict=True) if hidden
    ]
    return [*AGGREGATE, TABLE, *latent]


def _world(design: Design, priors: Priors, model: Model, rng: np.random.Generator) -> dict[str, Any]:
    """Outcome, number of tables and positions of one world."""
    mu, tau = (float(priors[name].draw(1, rng)[0]) for name in (MU, TAU))
    theta_new, *theta = rng.normal(mu, tau, 1 + design.k)
    events = rng.binomial(design.sizes, special.expit(theta)).astype(np.int64)
    steps = rng.uniform(size=1 + design.k)
    paper, n, known = _print(design, events)
    try:
        found = reconstruct(paper, n, known)
    except Contradiction:
        return {"outcome": LOST, "tables": 0}
    except EvidenceError:
        return {"outcome": TOO_MANY}
    evidence = _evidence(design, events, found)
    try:
        posterior = solve(model, evidence, priors)
    except (ImproperPosterior, InputError):
        return {"outcome": REFUSED, "tables": len(found)}
    listed = (evidence.tables == events).all(axis=1).any()
    return {
        "outcome": LISTED if listed else LOST,
        "tables": len(found),
        MU: float(posterior.cdf(MU, mu)),
        TAU: float(posterior.cdf(TAU, tau)),
        THETA_NEW: float(posterior.cdf(THETA_NEW, theta_new)),
        **_latent(design, events, evidence.tables, posterior, steps),
    }


def _print(design: Design, events: Whole) -> tuple[Constraints, dict[str, float], dict[str, float]]:
    """What the paper prints of the counts: figures, sizes, and the counts it has study by study."""
    places = design.summarised
    paper = printed_of(design.constraints, design.sizes[places], events[places])
    n = {design.studies[i]: float(design.n[i]) for i in places}
    known = {design.studies[i]: float(events[i]) for i in places if not design.latent[i]}
    return paper, n, known


def _evidence(design: Design, events: Whole, found: CountTables) -> Counts:
    """What a reader of the paper, and of the other studies' papers, knows of the counts."""
    tables = np.tile(events, (len(found), 1))
    tables[:, design.summarised] = found.events
    printed = np.where(design.latent, np.nan, events.astype(float))
    return counts(printed, design.n, design.studies, tables=tables, weights=found.weights)


def _latent(
    design: Design, events: Whole, tables: Array, posterior: Posterior, steps: Array
) -> dict[str, float]:
    """Positions of the table as a whole, and of each count that is not printed, where there are several."""
    probability = posterior.table_probabilities()
    found = {}
    if len(tables) > 1:
        order = np.argsort(-probability, kind="stable")
        place = np.flatnonzero((tables[order] == events).all(axis=1))
        before, own = 1.0, 0.0  # where the truth is lost, every table comes before it
        if len(place):
            before, own = float(probability[order[: place[0]]].sum()), float(probability[order[place[0]]])
        found[TABLE] = min(1.0, before + steps[0] * own)
    for i, study in enumerate(design.studies):
        if design.latent[i] and len(np.unique(tables[:, i])) > 1:
            below, own = (
                float(probability[compare(tables[:, i], events[i])].sum()) for compare in (np.less, np.equal)
            )
            found[f"{EVENTS}[{study}]"] = min(1.0, below + steps[1 + i] * own)
    return found
