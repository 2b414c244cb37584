"""A small version of docs/summary-lines.md: lines of published tables against the tables, and coverage."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.summary_lines.compare import compared, learned, spreads_for, tau_prior
from benchmarks.summary_lines.coverage import _review
from benchmarks.summary_lines.page import figure, page
from benchmarks.summary_lines.published import printed, published
from kyphobayes.reconstruct.summary import SPREAD_STANDARDISED, SPREAD_WITH_N, SPREAD_WITHOUT_N


@pytest.fixture(scope="module")
def tables():
    return published()


@pytest.fixture(scope="module")
def found(tables):
    rows = []
    for table in tables[::3]:
        few = table.take(np.arange(min(6, len(table.y))))
        rows += compared(few, tau_prior(table), spreads_for(table, tables), points=64)
    return pd.DataFrame(rows)


def test_constants_are_what_published_tables_give(tables):
    assert learned(tables, False) == pytest.approx(SPREAD_WITHOUT_N, abs=0.03)
    assert learned(tables, True, "other") == pytest.approx(SPREAD_WITH_N, abs=0.03)
    assert learned(tables, True, "standardised") == pytest.approx(SPREAD_STANDARDISED, abs=0.03)


def test_lines_come_close_to_the_full_tables(found):
    known = found[found["kind"] == "sizes"]
    assert known["mu_mean"].abs().median() < 0.05
    assert 0.95 < known["mu_width"].median() < 1.06
    equal = found[(found["kind"] == "equal") & found["sizes_known"]]
    off = {
        kind: np.sqrt((np.log(part["mu_width"]) ** 2).mean())
        for kind, part in (("sizes", known), ("equal", equal))
    }
    assert off["sizes"] < off["equal"]


def test_intervals_hold_the_truth_as_often_as_those_of_the_table(tables):
    rng = np.random.default_rng(5)
    lending = [table for table in tables if table.n is not None and len(table.y) >= 6]
    inside = {"full": 0, "sizes": 0}
    for number in range(60):
        table = lending[number % len(lending)]
        review = _review(table.take(rng.choice(len(table.y), 4, replace=False)), np.nan, rng)
        for kind in inside:
            inside[kind] += review[kind][0]
    assert abs(inside["full"] - inside["sizes"]) <= 3 and inside["sizes"] >= 52


def test_digits_are_the_usual_ones(tables):
    by_name = {table.name: printed(table) for table in tables}
    assert by_name["bcg:OR"].estimate == "-0.75" and by_name["bcg:OR"].i2 == "93"  # as metafor has it
    assert by_name["hine1989:RD"].estimate == "0.029"


def test_the_page_can_be_made(tables, found):
    cells = pd.DataFrame(
        [
            {"k": k, "ratio": ratio, "kind": kind, "mu": 0.95, "theta_new": 0.95}
            for k in (3, 10)
            for ratio in (0.0, 0.5, 1.0, 2.0, 3.0, np.nan)
            for kind in ("equal", "spread", "sizes", "full")
        ]
    )
    some = pd.concat([found, found.assign(whole=False)])
    text = page(tables, some, cells, 10)
    assert "| sizes known |" in text and "| from the prior | 95.0 | 95.0 | 95.0 | 95.0 |" in text
    assert len(figure(some, cells).axes) == 3
