"""The figures of the pages: `python docs/figures.py` draws them into docs/images.

Every number in them is exact, so that they are the same every time; the tests draw them again.
"""

import json
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator
from scipy.special import logit

from kyphobayes import exact
from kyphobayes.calibration.study import shipped
from kyphobayes.coverage import shipped_coverage
from kyphobayes.effects import effect_size
from kyphobayes.evidence import evidence_for, find_analysis
from kyphobayes.files import write
from kyphobayes.frequentist import pool
from kyphobayes.pooling import fit
from kyphobayes.project import default_project
from kyphobayes.reconstruct import summary_likelihood
from kyphobayes.report import figures as pictures
from kyphobayes.report.canvas import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    SMALL,
    VERMILION,
    blank,
    style,
    to_svg,
)
from kyphobayes.report.figures.calibration import calibration as calibration_figure
from kyphobayes.report.figures.coverage import coverage as coverage_figure

IMAGES = Path(__file__).parent / "images"
ROOT = Path(__file__).parents[1]
TRIALS = ROOT / "tests" / "reference" / "metafor.json"  # of BCG vaccine against tuberculosis
EVENTS, N = [0, 5, 4, 0], [32, 35, 19, 22]
STUDIES = ["Fourney 2003", "Ribeirão Preto", "La Maida 2012", "Kose 2006"]
MU, TAU = "Normal(mu=-2.5, sigma=1.5)", "HalfNormal(sigma=1)"
TIGHT, WIDE = "HalfNormal(sigma=0.2)", "HalfCauchy(beta=2)"
PERCENT = (0.1, 0.3, 1, 3, 10, 30, 60)
INSIDE = (0.5, 0.8, 0.95)  # probability inside a contour


def surface() -> Figure:
    """The likelihood of (mu, tau), and what two priors for tau make of it."""
    with style():
        figure = blank(8.6, 3.9)
        left, right = figure.subplots(1, 2, sharey=True)
        mu, tau = np.linspace(-7, 0.5, 121), np.linspace(0.01, 3.5, 97)
        shape = exact.binomial(EVENTS, N)
        log_likelihood = shape.log_likelihood(mu, tau)
        below_top = log_likelihood - log_likelihood.max()
        steps = [-8, -6, -4, -3, -2, -1, -0.5, 0]
        left.contourf(mu, tau, below_top.T, levels=steps, cmap="Blues", vmin=-8, vmax=10)
        drawn = left.contour(mu, tau, below_top.T, levels=steps[1:-1], colors=INK, linewidths=0.6)
        left.clabel(drawn, fmt="%g", fontsize=SMALL - 1)
        left.set_title("log likelihood, below its highest", loc="left")
        for prior, colour in ((TIGHT, ORANGE), (WIDE, BLUE)):
            density = _density(shape.posterior(MU, prior), mu, tau)
            levels = _levels(density, INSIDE)
            right.contour(mu, tau, density.T, levels=levels, colors=colour, linewidths=[0.8, 1.2, 1.8])
            right.plot([], [], color=colour, label=f"tau ~ {prior}")
        right.set_title("posterior: 50, 80 and 95 % inside", loc="left")
        for axes in (left, right):
            _percent(axes, "typical rate, mu (%)")
            axes.set_xlim(mu[0], mu[-1])
        left.set_ylabel("spread between centres, tau")
        figure.legend(*right.get_legend_handles_labels(), loc="lower right", ncols=2)
        figure.tight_layout(rect=(0, 0.07, 1, 1))
    return figure


def latent_counts() -> Figure:
    """How many leaks a study may have had: as many tables allow, and as the model weighs them."""
    project = default_project()
    evidence = evidence_for(find_analysis(project, "leakage_bkp_bouza_only"), project)
    events, sizes = evidence.tables, evidence.n
    weights = exact.mixture(events, sizes).posterior(MU, TAU).table_probabilities()
    open_ = [i for i in range(len(sizes)) if len(np.unique(events[:, i])) > 1]
    with style():
        figure = blank(8.6, 2.9)
        for axes, i in zip(figure.subplots(1, len(open_), sharey=True, squeeze=False)[0], open_, strict=True):
            counts = np.arange(events[:, i].min(), events[:, i].max() + 1)
            tables = [np.mean(events[:, i] == count) for count in counts]
            model = [weights[events[:, i] == count].sum() for count in counts]
            axes.bar(counts - 0.2, tables, 0.4, color=PALE, edgecolor=GREY, label="share of the tables")
            axes.bar(counts + 0.2, model, 0.4, color=BLUE, label="posterior probability")
            axes.set_title(f"{evidence.labels[i]}\n{sizes[i]:g} levels", loc="left", fontsize=SMALL)
            axes.set_xticks(counts[:: 1 + len(counts) // 6])
            axes.set_xlabel("leaks")
        figure.axes[0].set_ylabel("probability")
        figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="lower center", ncols=2)
        figure.tight_layout(rect=(0, 0.1, 1, 1))
    return figure


def summary_lines() -> Figure:
    """What a printed line says of mu and tau, beside what its studies say."""
    trials = json.loads(TRIALS.read_text("utf-8"))["dat.bcg:OR"]["raw"]
    n = list(zip(trials["n_1"], trials["n_2"], strict=True))
    sizes = effect_size("OR", trials)
    line = pool(sizes.y, sizes.v, method="DL")
    printed = [f"{np.exp(value):.2f}" for value in (line.mu, line.ci_low, line.ci_high)]
    told = summary_likelihood(len(n), printed[0], printed[1:], f"{line.i2:.0f}", measure="OR", n=n)
    both = {
        f"from the {len(n)} trials": exact.normal(sizes.y, np.sqrt(sizes.v)),
        f"from the line: OR {printed[0]} ({printed[1]} to {printed[2]}), I² {line.i2:.0f} %": told.surface,
    }
    with style():
        figure = blank(8.6, 3.3)
        panels = figure.subplots(1, 3)
        for (label, likelihood), colour, dashes in zip(
            both.items(), (INK, VERMILION), ("-", "--"), strict=True
        ):
            post = likelihood.posterior("Flat()", "HalfNormal(sigma=0.5)")
            for axes, name, (low, high) in zip(
                panels, ("mu", "tau", "theta_new"), ((-1.7, 0.2), (0, 1.5), (-2.8, 1.2)), strict=True
            ):
                x = np.linspace(low, high, 200)
                axes.plot(x, post.pdf(name, x), color=colour, linestyle=dashes, label=label)
        for axes, title in zip(panels, ("mean log odds ratio, mu", "tau", "the next trial"), strict=True):
            axes.set_ylim(bottom=0)
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
            axes.set_xlabel(title)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="upper center", ncols=2)
        figure.tight_layout(rect=(0, 0, 1, 0.9))
    return figure


def next_centre() -> Figure:
    """The typical rate and the rate of the next centre, and what the spread between centres adds."""
    with style():
        figure = blank(8.6, 3.3)
        axes = figure.subplots()
        x = np.linspace(-8, 1.5, 500)
        shape = exact.binomial(EVENTS, N)
        for prior, colour in ((TIGHT, ORANGE), (TAU, BLUE)):
            post = shape.posterior(MU, prior)
            axes.plot(
                x, post.pdf("mu", x), color=colour, linestyle="--", label=f"typical centre, tau ~ {prior}"
            )
            axes.plot(x, post.pdf("theta_new", x), color=colour, label=f"next centre, tau ~ {prior}")
            axes.fill_between(x, post.pdf("theta_new", x), color=colour, alpha=0.12, linewidth=0)
        _percent(axes, "rate (%), on the scale of log odds")
        axes.set_xlim(x[0], x[-1])
        axes.set_ylim(bottom=0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.legend(loc="upper left")
        figure.tight_layout()
    return figure


def shrinkage() -> Figure:
    """Each study's own rate as the prior of tau grows wider: from one rate for all to one rate each."""
    scales = np.geomspace(0.03, 5, 25)
    shape = exact.binomial(EVENTS, N, labels=STUDIES)
    posts = [shape.posterior(MU, f"HalfNormal(sigma={scale:.6g})") for scale in scales]
    own = np.array([post.shrinkage()["median"] for post in posts])
    mean = np.array([float(post.mu.quantile(0.5)) for post in posts])
    with style():
        figure = blank(8.6, 3.6)
        axes = figure.subplots()
        for i, (colour, dashes) in enumerate(
            zip((BLUE, ORANGE, GREEN, VERMILION), ("-", "-", "-", "--"), strict=True)
        ):
            label = f"{STUDIES[i]}: {EVENTS[i]} of {N[i]}"
            axes.plot(scales, own[:, i], color=colour, linestyle=dashes, label=label)
        axes.plot(scales, mean, color=INK, linewidth=2.2, label="typical centre")
        axes.set_xscale("log")
        axes.set_xticks([0.03, 0.1, 0.3, 1, 3], labels=["0.03", "0.1", "0.3", "1", "3"])
        axes.minorticks_off()
        axes.set_xlabel("scale of the half-normal prior of tau")
        axes.yaxis.set_major_locator(FixedLocator([float(logit(p / 100)) for p in PERCENT]))
        axes.yaxis.set_major_formatter(FixedFormatter([f"{p:g}" for p in PERCENT]))
        axes.set_ylabel("rate (%), posterior median")
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        figure.tight_layout()
    return figure


@cache
def leaks_fit() -> xr.DataTree:
    """The fit of the tutorial's table."""
    table = {"study": STUDIES, "leaks": EVENTS, "levels": N}
    return fit(table, below="10%").fit


def picture(name: str) -> Figure:
    """Draw one of the package's own pictures of that fit."""
    return getattr(pictures, name)(leaks_fit())


def calibration() -> Figure:
    """Coverage in the calibration study that comes with the package."""
    return calibration_figure(shipped())


def coverage() -> Figure:
    """Coverage of intervals in the study that comes with the package."""
    return coverage_figure(shipped_coverage())


PICTURES = ("forest", "leave_one_out", "given_tau", "funnel")
FIGURES: dict[str, Callable[[], Figure]] = {
    "surface": surface,
    "latent-counts": latent_counts,
    "printed-line": summary_lines,
    "next-centre": next_centre,
    "shrinkage": shrinkage,
    "calibration": calibration,
    "coverage": coverage,
    **{f"picture-{name.replace('_', '-')}": partial(picture, name) for name in PICTURES},
}


def svg(name: str) -> str:
    """Draw a figure and write it as the text of an SVG file, without blanks at the ends of lines."""
    lines = to_svg(FIGURES[name](), name).splitlines()
    return "\n".join(['<?xml version="1.0" encoding="utf-8"?>', *(line.rstrip() for line in lines), ""])


def main() -> None:
    """Draw all."""
    for name in FIGURES:
        write(IMAGES / f"{name}.svg", svg(name))


def _density(post: exact.Posterior, mu: np.ndarray, tau: np.ndarray) -> np.ndarray:
    """Joint posterior density up to a constant."""
    prior = post.priors["mu"].log_density(mu)[:, None] + post.priors["tau"].log_density(tau)
    log = post.surface.log_likelihood(mu, tau) + prior
    return np.exp(log - log.max())


def _levels(density: np.ndarray, inside: tuple[float, ...]) -> list[float]:
    """Heights of the contours that hold so much of the mass, the lowest first."""
    ordered = np.sort(density.ravel())[::-1]
    held = np.cumsum(ordered) / ordered.sum()
    return sorted(float(ordered[np.searchsorted(held, share)]) for share in inside)


def _percent(axes, label: str) -> None:
    """Label an axis of log odds in percent."""
    axes.xaxis.set_major_locator(FixedLocator([float(logit(p / 100)) for p in PERCENT]))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{p:g}" for p in PERCENT]))
    axes.set_xlabel(label)


if __name__ == "__main__":
    main()
