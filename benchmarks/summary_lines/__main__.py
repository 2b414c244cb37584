"""Write docs/summary-lines.md, its figure and its numbers: python -m benchmarks.summary_lines [reviews per
cell].

Takes some minutes; the same numbers every time.
"""

import sys
from pathlib import Path

import pandas as pd

from benchmarks.summary_lines.compare import compared, spreads_for, subsets, tau_prior
from benchmarks.summary_lines.coverage import cells, coverage
from benchmarks.summary_lines.page import figure, page
from benchmarks.summary_lines.published import published
from kyphobayes.files import write
from kyphobayes.report.canvas import to_png
from kyphobayes.report.csv_tables import to_csv

DOCS = Path(__file__).resolve().parents[2] / "docs"
SUBSETS = 4  # of each table
REVIEWS = 300


def main(folder: Path, reviews: int, each: int = SUBSETS) -> None:
    """Run both studies and write what they say."""
    tables = published()
    by_name = {table.name: table for table in tables}
    rows = []
    for table in subsets(tables, each):
        rows += compared(table, tau_prior(by_name[table.name]), spreads_for(table, tables))
    found = pd.DataFrame(rows)
    covered = cells(coverage(tables, reviews))
    write(folder / "summary-lines.csv", to_csv(found))
    write(folder / "summary-lines-coverage.csv", to_csv(covered))
    write(folder / "images" / "summary-lines.png", to_png(figure(found, covered)))
    write(folder / "summary-lines.md", page(tables, found, covered, reviews))


if __name__ == "__main__":
    main(DOCS, int(sys.argv[1]) if len(sys.argv) > 1 else REVIEWS)
