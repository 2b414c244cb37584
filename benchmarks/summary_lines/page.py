"""The page docs/summary-lines.md and its figure, from the numbers of this run."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.summary_lines.compare import KINDS, WORDS, classed, learned
from benchmarks.summary_lines.coverage import RATIOS, SCALE, TYPICAL
from benchmarks.summary_lines.published import Published
from kyphobayes.report.canvas import BLUE, GREY, INK, ORANGE, SMALL, VERMILION, WIDTH, blank, style

COLOURS = {"equal": ORANGE, "spread": BLUE, "sizes": VERMILION, "full": GREY}
BINS = {"max v / min v < 3": (0, 3), "3 to 10": (3, 10), "10 to 30": (10, 30), "over 30": (30, np.inf)}
_NAMES = WORDS | {"full": "full table"}


def figure(found: pd.DataFrame, cells: pd.DataFrame) -> Figure:
    """Width ratios by how unequal the variances are; coverage by tau."""
    with style():
        picture = blank(WIDTH, 3.9)
        left, *right = picture.subplots(1, 3, gridspec_kw={"width_ratios": (1.5, 1, 1)})
        _widths(left, found)
        for axes, name in zip(right, ("mu", "theta_new"), strict=True):
            _coverage(axes, cells, name)
        handles, labels = right[0].get_legend_handles_labels()
        picture.legend(handles, labels, loc="lower center", ncols=4, borderaxespad=0.3)
        picture.subplots_adjust(left=0.075, right=0.985, top=0.9, bottom=0.24, wspace=0.3)
        return picture


def _widths(axes: Axes, found: pd.DataFrame) -> None:
    for place, (low, high) in enumerate(BINS.values()):
        for shift, kind in zip((-0.25, 0.0, 0.25), KINDS, strict=True):
            rows = found[(found["kind"] == kind) & (found["ratio_v"] >= low) & (found["ratio_v"] < high)]
            quantiles = rows["mu_width"].quantile([0.05, 0.25, 0.5, 0.75, 0.95]).to_numpy(dtype=float)
            x = place + shift
            axes.plot([x, x], quantiles[[0, -1]], color=COLOURS[kind], lw=1.2)
            axes.plot([x, x], quantiles[[1, 3]], color=COLOURS[kind], lw=6, solid_capstyle="butt")
            axes.plot(x, quantiles[2], "o", ms=4, mfc="white", mec=INK, mew=1)
    axes.axhline(1, color=INK, lw=0.9, ls=(0, (4, 3)))
    axes.set_xticks(range(len(BINS)), ["< 3", "3 to 10", "10 to 30", "> 30"])
    axes.set_xlabel("largest over smallest variance")
    axes.set_title("width of the interval of mu,\nline over full table", fontsize=SMALL, loc="left")


def _coverage(axes: Axes, cells: pd.DataFrame, name: str) -> None:
    at = cells[np.isfinite(cells["ratio"])].groupby(["ratio", "kind"])[name].mean().unstack()
    for kind in (*KINDS, "full"):
        dashes = (0, (3, 2)) if kind == "full" else "-"
        axes.plot(
            at.index, 100 * at[kind], color=COLOURS[kind], ls=dashes, marker="o", ms=3.5, label=_NAMES[kind]
        )
    axes.axhline(95, color=INK, lw=0.9, ls=(0, (4, 3)))
    axes.axhspan(93, 97, color=GREY, alpha=0.12, lw=0)
    axes.set_ylim(88, 101)
    axes.set_xticks(RATIOS, [f"{ratio:g}" for ratio in RATIOS])
    axes.set_xlabel("tau / typical se")
    title = "mu" if name == "mu" else "next study"
    axes.set_title(f"95 % intervals of {title}\nthat hold the truth, %", fontsize=SMALL, loc="left")


def page(tables: list[Published], found: pd.DataFrame, cells: pd.DataFrame, each: int) -> str:
    """The page as Markdown."""
    lines = found[found["kind"] == "equal"]
    usual = {key: f"{m:.2f} (log-SD {s:.2f})" for key, (m, s) in {
        "unknown": learned(tables, False), "other": learned(tables, True, "other"),
        "standardised": learned(tables, True, "standardised")}.items()}  # fmt: skip
    few = {classed(t.measure): set() for t in tables if t.n is not None}
    for table in tables:
        if table.n is not None:
            few[classed(table.measure)].add(table.source)
    return "\n".join(
        [
            "# Summary lines: how much of a study table is left in the line that a paper prints?",
            "",
            "`kyphobayes reanalyse` and `kyphobayes.reconstruct.summary_likelihood` make a likelihood for mu "
            "and tau from "
            "k, an estimate, its interval and I². This page says how close the answer comes to that from the "
            "full "
            "table. `python -m benchmarks.summary_lines` writes the page, its figure and the two tables of "
            "numbers "
            "beside it (`summary-lines.csv`, `summary-lines-coverage.csv`).",
            "",
            "![Widths and coverage](images/summary-lines.png)",
            "",
            "## What is compared",
            "",
            f"{len(tables)} published study tables (data set and measure) from "
            f"{len({t.source for t in tables})} data "
            f"sets, and random subsets of 2 to 8 of their studies: {len(lines)} tables, "
            f"{len(lines[~lines['whole']])} of "
            "them subsets. Of each, the DerSimonian–Laird line is printed with two decimals (or as many as "
            "give half "
            "the interval two digits) and I² in whole percent. Three readings of it:",
            "",
            "* **equal variances**: all v within studies equal (`spread=0`); the floor to beat;",
            "* **variances unknown**: their logarithms vary by a spread with a log-normal prior, learned "
            "from the "
            "*other* data sets (the default without `n`);",
            "* **sizes known**: v goes as 1 / n, times a factor whose spread is learned from the other data "
            "sets (the "
            "default with `n`).",
            "",
            "mu has a flat prior, tau a half-normal one with the scale of two typical standard errors. "
            "Differences are "
            "line minus full table, in posterior standard deviations of the full table; widths are ratios of "
            "95 % "
            "intervals. Cells are medians, with the quartiles and the 5 and 95 % points below.",
            "",
            *_accuracy(found, "All tables"),
            *_accuracy(found[found["sizes_known"]], "Tables whose sizes are known"),
            *_accuracy(found[~found["whole"]], "Subsets only"),
            *_accuracy(found[found["ratio_v"] < 10], "max v / min v < 10"),
            *_accuracy(found[found["ratio_v"] >= 10], "max v / min v of 10 and more"),
            "## Where it is good, and where it is not",
            "",
            *_verdict(found),
            "",
            "## Coverage",
            "",
            f"Simulated reviews: k of {', '.join(str(k) for k in sorted(cells['k'].unique()))} studies take "
            f"sizes and "
            f"variances from a published table, scaled to a typical standard error of {TYPICAL:g}; tau is a "
            f"multiple "
            f"of that. mu has a flat prior and tau a half-normal one with the scale of {SCALE:g} typical "
            f"standard errors. "
            f"{each} reviews for each k and tau: the Monte Carlo error of a cell is about "
            f"{100 * np.sqrt(0.05 * 0.95 / each):.1f} percentage points, that of a mean over k "
            f"{100 * np.sqrt(0.05 * 0.95 / each / cells['k'].nunique()):.1f}. The last row draws tau from "
            f"its prior: "
            "there the full table must cover 95 %.",
            "",
            *_covered(cells, "mu", "mu"),
            *_covered(cells, "theta_new", "next study"),
            *_coverage_verdict(cells),
            "",
            "## The spread of variances within studies",
            "",
            "Standard deviation of log v in published tables, median over data sets, and the standard "
            "deviation of its "
            "logarithm; the prior is cut off at 2. Each comparison above used what the other data sets give.",
            "",
            "| | median | data sets |",
            "|---|---|---|",
            f"| sizes unknown | {usual['unknown']} | {len({t.source for t in tables})} |",
            f"| log(v n), standardised mean differences | {usual['standardised']} | "
            f"{len(few['standardised'])} |",
            f"| log(v n), other measures | {usual['other']} | {len(few['other'])} |",
            "| log(v n), PAS and PFT | 0, by their formula | |",
            "",
            "Where few data sets stand behind a row, as for standardised differences, give `spread` yourself "
            "if you "
            "know better. Sizes do not tell which study has which effect: a line never says where the large "
            "study "
            "lies, so the difference of the means stays, however much is known of the sizes.",
            "",
        ]
    )  # fmt: skip


def _quantiles(values: pd.Series) -> str:
    q = values.quantile([0.05, 0.25, 0.5, 0.75, 0.95]).to_numpy(dtype=float)
    a, b, c, d, e = (f"{0.0 if abs(x) < 0.005 else x:.2f}".replace("-", "−") for x in q)
    return f"{c} ({b} to {d}; {a} to {e})"


def _accuracy(found: pd.DataFrame, title: str) -> list[str]:
    rows = [f"### {title}", "", "| reading | tables | mean of mu | mean of next | width of mu | "
            "width of next | "
            "lower end of mu | upper end of mu |", "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for kind in KINDS:
        part = found[found["kind"] == kind]
        columns = ("mu_mean", "theta_new_mean", "mu_width", "theta_new_width", "mu_low", "mu_high")
        rows.append(
            f"| {WORDS[kind]} | {len(part)} | " + " | ".join(_quantiles(part[c]) for c in columns) + " |"
        )
    return [*rows, ""]


def _verdict(found: pd.DataFrame) -> list[str]:
    rows = ["| largest over smallest v | reading | tables | half of the means of mu within | width of mu: "
            "root mean square of log ratio |", "|---|---|---|---|---|"]  # fmt: skip
    for name, (low, high) in BINS.items():
        for kind in KINDS:
            part = found[(found["kind"] == kind) & (found["ratio_v"] >= low) & (found["ratio_v"] < high)]
            off = float(np.sqrt((np.log(part["mu_width"]) ** 2).mean()))
            within = part["mu_mean"].abs().median()
            rows.append(
                f"| {name.removeprefix('max v / min v ')} | {WORDS[kind]} | {len(part)} | {within:.3f} | "
                f"{off:.3f} |"
            )
    worst = found[found["kind"] == "sizes"].copy()
    worst["off"] = worst["mu_mean"].abs()
    top = worst.sort_values("off", ascending=False).head(5)
    said = [
        f"{row.source}{f':{row.measure}' if row.measure else ''} with k = {row.k} ({row.mu_mean:+.1f} "
        f"posterior SD, "
        f"largest over smallest v {row.ratio_v:.0f})"
        for row in top.itertuples()
    ]
    told = "; ".join(said).replace("-", "−")
    return [*rows, "", f"The largest differences of the mean of mu, sizes known: {told}."]


def _covered(cells: pd.DataFrame, name: str, title: str) -> list[str]:
    kinds = (*KINDS, "full")
    heads = " | ".join(_NAMES[kind] for kind in kinds)
    rows = [f"### {title}", "", f"| tau / se | {heads} | sizes known, by k |",
            "|---|" + "---|" * (len(kinds) + 1)]  # fmt: skip
    for ratio in (*RATIOS, np.nan):
        at = cells[cells["ratio"].isna()] if np.isnan(ratio) else cells[cells["ratio"] == ratio]
        mean = at.groupby("kind")[name].mean()
        each = at[at["kind"] == "sizes"].sort_values("k")
        by_k = ", ".join(f"{row.k}: {100 * getattr(row, name):.1f}" for row in each.itertuples())
        label = "from the prior" if np.isnan(ratio) else f"{ratio:g}"
        rows.append(
            f"| {label} | " + " | ".join(f"{100 * mean[kind]:.1f}" for kind in kinds) + f" | {by_k} |"
        )
    at = cells[cells["ratio"].notna()].groupby("kind")[name].mean()
    rows.append("| mean of 0 to 3 | " + " | ".join(f"{100 * at[kind]:.1f}" for kind in kinds) + " | |")
    return [*rows, ""]


def _coverage_verdict(cells: pd.DataFrame) -> list[str]:
    """What the cells say of 93 to 97 %."""
    texts = []
    for name, title in (("mu", "mu"), ("theta_new", "the next study")):
        ours = cells[cells["kind"] == "sizes"].set_index(["k", "ratio"])[name]
        full = cells[cells["kind"] == "full"].set_index(["k", "ratio"])[name]
        drawn = ours[ours.index.get_level_values("ratio").isna()]
        fixed = ours[ours.index.get_level_values("ratio").notna()]
        apart = ours - full
        apart = f"{100 * apart.min():+.1f} to {100 * apart.max():+.1f}".replace("-", "\u2212")
        texts.append(
            f"Of {title}, sizes known: {100 * drawn.mean():.1f} % where tau comes from its prior; of the "
            f"{len(fixed)} cells "
            f"with a fixed tau {int(((fixed >= 0.93) & (fixed <= 0.97)).sum())} lie in 93 to 97 %, "
            f"{int((fixed > 0.97).sum())} above and {int((fixed < 0.93).sum())} below (the lowest "
            f"{100 * fixed.min():.1f} "
            f"%). Line and full table differ by {apart} percentage points."
        )
    texts.append(
        "Cells at a small tau are conservative: few studies cannot rule out larger values of tau, and the "
        "posterior "
        "keeps them; the full table does the same."
    )
    return ["\n\n".join(texts)]
