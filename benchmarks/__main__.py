"""`make bench`: the exact core and its peers on the same work, in the same run.

Ratios are the point; seconds depend on the machine. Each figure is the best of several runs after a
warm-up, in one process.
"""

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import exact_engine, frequentist
from benchmarks.timing import best_of
from kyphobayes import exact
from kyphobayes.engines import fit_nuts
from kyphobayes.engines.exact import solve
from kyphobayes.evidence import evidence_for, find_analysis, read_priors
from kyphobayes.fits import summary
from kyphobayes.model import load_model
from kyphobayes.project import default_project

TARGET = 0.3  # seconds for a surface and one posterior of the leakage analysis, warm


def main() -> None:
    """Measure and print one table."""
    project = default_project()
    analysis = find_analysis(project, "cement_leakage")
    evidence = evidence_for(analysis, project)
    model = load_model(analysis.model, project)
    priors = read_priors(project, analysis.priors, analysis, evidence.measure)
    surface = exact.mixture(evidence.tables, evidence.n)
    posterior = solve(model, evidence, priors)
    names = dict(mu=priors["mu"], tau=priors["tau"])

    one = best_of(lambda: solve(model, evidence, priors))
    another = best_of(lambda: surface.posterior(**names))
    whole = best_of(lambda: solve(model, evidence, priors).shrinkage())
    draws = best_of(lambda: posterior.draw(4000, np.random.default_rng(0)), runs=3)
    nuts = fit_nuts(model, evidence, priors)  # warms PyTensor's and numba's caches
    sampling = best_of(lambda: fit_nuts(model, evidence, priors), runs=1)
    effective = float(summary(nuts).loc["mu", "ess_bulk"])
    verdict = "met" if one < TARGET else "missed"
    per_draw = sampling / effective / (draws / 4000)
    rows = [
        ("leakage: surface and one posterior", one, f"target {TARGET:g} s: {verdict}"),
        ("leakage: one more prior on that surface", another, f"{one / another:.0f} times faster than anew"),
        (
            "leakage: surface, posterior, 9 studies' effects",
            whole,
            f"NUTS takes {sampling / whole:.0f} times",
        ),
        ("leakage: NUTS with gate and predictions", sampling, f"{effective:.0f} effective draws of mu"),
        ("4000 independent exact draws", draws, f"NUTS takes {per_draw:.0f} times per effective draw of mu"),
        *exact_engine.rows(surface),
        *frequentist.rows(evidence),
    ]
    table = Table(title="kyphobayes bench", title_justify="left")
    for column, justify in (("work", "left"), ("seconds", "right"), ("beside", "left")):
        table.add_column(column, justify=justify)  # pyright: ignore[reportArgumentType]
    for name, seconds, beside in rows:
        table.add_row(name, f"{seconds:.4f}", beside)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
