"""Tables of docs/comparison.md from the numbers that `python -m benchmarks.peers` has measured."""

from pathlib import Path

import pandas as pd
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

_ = "\u00a0"  # a blank at which no line ends
MEASURED = Path(__file__).resolve().parents[2] / "benchmarks" / "peers"


class PeerTable(SphinxDirective):
    """``{peers} numbers NAME``, ``{peers} times`` or ``{peers} reference``."""

    required_arguments = 1
    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Make one table."""
        name = self.arguments[0]
        path = MEASURED / f"{name}.csv"
        self.env.note_dependency(str(path))
        return self.parse_text_to_nodes(TABLES[name](pd.read_csv(path), *self.arguments[1:]))


def numbers(measured: pd.DataFrame, studies: str) -> str:
    """What each package says of the same studies."""
    rows = []
    for package, said in measured[measured["studies"] == studies].groupby("package", sort=False):
        by_quantity = said.set_index("quantity")
        cells = [interval(by_quantity.loc[quantity]) for quantity in ("mu", "tau", "theta_new")]
        rows.append([package, *cells])
    return table(["package", "mu", "tau", "next study"], rows)


def interval(row: pd.Series) -> str:
    """Write a mean with its interval, or what there is of it."""
    ends = "" if pd.isna(row["low"]) else f"({minus(row['low'])}{_}to{_}{minus(row['high'])})"
    return ends.strip("()") if pd.isna(row["mean"]) else f"{minus(row['mean'])} {ends}".strip()


def minus(value: float) -> str:
    """Write a number with three decimals and a proper minus."""
    return f"{value:.3f}".replace("-", "−")


def times(measured: pd.DataFrame) -> str:
    """How many times as long as our own way each takes."""
    sets = list(dict.fromkeys(measured["studies"]))
    rows = []
    for (work, package), said in measured.groupby(["work", "package"], sort=False):
        by_set = said.set_index("studies")
        cells = [
            f"{times_as_long(by_set.loc[name, 'ratio'])} ({duration(by_set.loc[name, 'seconds'])})"
            for name in sets
        ]
        rows.append([work, package, *cells])
    return table(["work", "package", *sets], rows)


def times_as_long(ratio: float) -> str:
    """Write a ratio as people say it."""
    return f"{ratio:,.0f}{_}×" if ratio >= 10 else f"{ratio:.2g}{_}×"


def duration(seconds: float) -> str:
    """Write seconds, or thousandths of them."""
    return f"{seconds:.2g}{_}s" if seconds >= 0.1 else f"{1000 * seconds:.2g}{_}ms"


def reference(measured: pd.DataFrame) -> str:
    """Largest differences from numbers that are kept."""
    rows = [
        [row.package, row.quantity, f"{row.cases:.0f}", f"{row.largest:.1e} {row.unit}"]
        for row in measured.itertuples()
    ]
    return table(["package", "quantity", "cases", "largest difference"], rows)


def table(head: list[str], rows: list[list[str]]) -> str:
    """Write a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


TABLES = {"numbers": numbers, "times": times, "reference": reference}


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the directive known."""
    app.add_directive("peers", PeerTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
