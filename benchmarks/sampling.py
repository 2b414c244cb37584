"""NUTS, ours beside that of others on the same model, and beside draws that owe each other nothing.

Figures are processor seconds for a thousand effective draws of mu or tau, whichever has fewer. Ours came
through the gate of convergence; the others are taken as they come, divergences and all. Compilation counts,
but for brms's, which is made once and takes long.
"""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import r_worker
from benchmarks.exact_engine import EVENTS, N
from benchmarks.leakage import Leakage, leakage
from benchmarks.rows import Measure, Pair, Row, installed
from benchmarks.timing import processor
from kyphobayes import exact
from kyphobayes.evidence import counts
from kyphobayes.priors import Priors

PER = 1_000
DRAWS = 4_000
MU, SD, SCALE = -2.5, 1.5, 1.0  # priors of the seven series
SERIES = Priors.of("series", mu=f"Normal(mu={MU}, sigma={SD})", tau=f"HalfNormal(sigma={SCALE})")
SEEDS = (1, 2)
REPEATS = (3, 5)
UNIT = "1,000 effective draws"
Fitted = tuple[float, float]  # seconds, and effective draws


def rows() -> list[Row]:
    """Draws of the leakage analysis, and of seven series whose counts are all printed."""
    leak, series = f"{UNIT}: leakage", f"{UNIT}: binomial, k = 7"
    return [
        Row(f"{leak}, exact", "our NUTS", _exact, repeats=REPEATS, slow=True),
        Row(f"{leak}, our NUTS", "pm.sample() as it comes", _as_it_comes, repeats=REPEATS, slow=True),
        Row(f"{leak}, our NUTS", "PyMC's own sampler", _own_sampler, repeats=REPEATS, slow=True),
        Row(f"{series}, exact", "Bambi as it comes", _exact_bambi, repeats=REPEATS, slow=True),
        Row(f"{series}, our NUTS", "Bambi as it comes", _bambi, repeats=REPEATS, slow=True),
        Row(f"{series}, our NUTS", "brms as it comes, compiled", _brms, repeats=REPEATS, slow=True),
    ]


def effective(work: Callable[[int], Any], names: tuple[str, str]) -> Measure:
    """Make ready to time `work`, which takes a seed and returns a fit; the first fit is not counted.

    Every measurement has the same seeds, so that the luck of draws adds no noise.
    """
    import arviz as az

    def fitted(seed: int) -> Fitted:
        start = processor()
        fit = work(seed)
        taken = processor() - start
        posterior = fit["posterior"].dataset[list(names)]
        worth = min(float(value) for value in az.ess(posterior, method="bulk").data_vars.values())
        return taken, worth

    work(0)
    return lambda: per_draw(fitted)


def per_draw(fitted: Callable[[int], Fitted]) -> float:
    """Seconds for a thousand effective draws, from the fits of all seeds together."""
    taken, worth = zip(*(fitted(seed) for seed in SEEDS), strict=True)
    return sum(taken) / sum(worth) * PER


def _independent(surface: Callable[[], exact.Surface], priors: Priors) -> Measure:
    """Surface, posterior and draws: every draw counts."""

    def work() -> None:
        post = surface().posterior(mu=priors["mu"], tau=priors["tau"])
        post.draw(DRAWS, np.random.default_rng(0))

    work()

    def measure() -> float:
        start = processor()
        work()
        return (processor() - start) / DRAWS * PER

    return measure


def _gated(work: Leakage) -> Measure:
    """Our NUTS until its draws have passed."""
    from kyphobayes.engines.nuts import sample, through_the_gate

    def fit(seed: int) -> Any:
        keep = ("mu", "tau", "theta")
        tree, _ = through_the_gate(
            work.model, lambda rung: sample(work.model, work.evidence, work.priors, rung, seed, keep), ""
        )
        return tree

    return effective(fit, ("mu", "tau"))


def _sampled(work: Leakage, **settings: Any) -> Measure:
    """`pm.sample` on the model as our NUTS draws from it first."""
    import pymc as pm

    def fit(seed: int) -> Any:
        with silently(), work.model.build(work.evidence, work.priors, centred=False):
            return pm.sample(random_seed=seed, progressbar=False, quiet=True, **settings)

    return effective(fit, ("mu", "tau"))


@contextmanager
def silently() -> Iterator[None]:
    """Keep what samplers say of themselves off the screen: what their draws are worth is measured."""
    logging.disable()
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")  # of the samplers, as said above: their draws are judged instead
            yield
    finally:
        logging.disable(logging.NOTSET)


def _series() -> Leakage:
    return Leakage(leakage().model, counts(EVENTS, N), SERIES)


def _exact() -> Pair:
    work = leakage()
    return Pair(_independent(work.surface, work.priors), _gated(work))


def _as_it_comes() -> Pair:
    return Pair(_gated(leakage()), _sampled(leakage()), installed("pymc"))


def _own_sampler() -> Pair:
    return Pair(_gated(leakage()), _sampled(leakage(), nuts_sampler="pymc"), installed("pymc"))


def _in_bambi() -> tuple[Measure, str]:
    """Bambi on the same studies under the same priors, by `Model.fit` without a setting."""
    found = installed("bambi")
    import bambi  # pyright: ignore[reportMissingImports]  # a peer, which need not be installed

    table = pd.DataFrame({"events": EVENTS, "n": N, "study": [str(i) for i in range(len(N))]})
    spread = bambi.Prior("Normal", mu=0, sigma=bambi.Prior("HalfNormal", sigma=SCALE))
    priors = {"Intercept": bambi.Prior("Normal", mu=MU, sigma=SD), "1|study": spread}

    def fit(seed: int) -> Any:
        with silently():
            model = bambi.Model(
                "p(events, n) ~ 1 + (1|study)", table, family="binomial", priors=priors,
                center_predictors=False,
            )  # fmt: skip
            return model.fit(random_seed=seed, progressbar=False)

    return effective(fit, ("Intercept", "1|study_sigma")), found


def _bambi() -> Pair:
    theirs, found = _in_bambi()
    return Pair(_gated(_series()), theirs, found)


def _exact_bambi() -> Pair:
    theirs, found = _in_bambi()
    return Pair(_independent(lambda: exact.binomial(EVENTS, N), SERIES), theirs, found)


def _brms() -> Pair:
    found = r_worker.version("brms")
    given = {"events": EVENTS, "n": N, "mu": [MU, SD], "tau": SCALE}
    r_worker.drawn(given, 0)  # compiles the model
    return Pair(_gated(_series()), lambda: per_draw(lambda seed: r_worker.drawn(given, seed)), found)
