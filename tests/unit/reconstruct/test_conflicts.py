"""Figures that cannot hold together: the smallest set, by brute force and for the paper's own."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kyphobayes.reconstruct import Constraints, Contradiction, reconstruct

from .conftest import asked, brute, printed, value

FOLDER = Path(__file__).resolve().parents[3] / "data" / "constraints"
FRACTURE_N = {"lieberman2003": 63, "kose2006": 18, "pflugmacher2007_mm": 26, "pflugmacher2008_met": 65}


def contradiction(constraints, n, known=None):
    with pytest.raises(Contradiction) as caught:
        reconstruct(constraints, n, known)
    return caught.value


@settings(max_examples=15)
@given(st.data())
def test_no_smaller_set_contradicts_itself(data):
    n, studies = (2, 3, 2), ("a", "b", "c")
    figures = []
    for i in range(data.draw(st.integers(2, 4))):
        mine = sorted(data.draw(st.sets(st.sampled_from(range(3)), min_size=1)))
        quantity = data.draw(st.sampled_from(["events", "rate", "pooled", "I2", "studies_without_events"]))
        table = [data.draw(st.integers(0, n[c])) for c in mine]
        number = value(asked(studies), quantity, table, [n[c] for c in mine])
        figure = printed(quantity, [studies[c] for c in mine], number, 0)
        figures.append(replace(figure, words=f"{figure.words} ({i})"))
    method = asked(studies)
    sets = [s for size in range(1, len(figures) + 1) for s in combinations(figures, size)]
    sure = [s for s in sets if not brute(method, n, s)[1]]  # contradictory whatever the rounding errors
    perhaps = [s for s in sets if not brute(method, n, s)[0]]
    assume(sure and len(sure) == len(perhaps))
    error = contradiction(replace(method, printed=tuple(figures)), dict(zip(studies, n, strict=True)))
    first = error.conflicts[0]
    assert len(first.figures) == min(map(len, sure))
    assert set(first.figures) in [set(s) for s in sure]
    assert first.smallest
    for near in first.nearest:
        others = [f for f in first.figures if f != near.figure]
        for found in (near.below, near.above):
            if found is not None:
                table = [dict(zip(first.studies, found[0], strict=True)).get(s, 0) for s in studies]
                for f in others:
                    places = [studies.index(s) for s in f.studies]
                    got = value(method, f.quantity, [table[c] for c in places], [n[c] for c in places])
                    assert f.low - 1e-7 <= got <= f.high + 1e-7
    for figure_set in combinations(error.conflicts, 2):
        assert not set(figure_set[0].figures) & set(figure_set[1].figures)


def test_the_figures_that_bouza_left_contradictory_are_found():
    """7.9 % of 65 by itself; and 12.4 % of myeloma patients with I² 54 % and 21 fractures."""
    constraints = Constraints.read(FOLDER / "new_fracture.toml")
    back = replace(constraints, printed=(*constraints.printed, *constraints.left_out))
    alone, together = contradiction(back, FRACTURE_N).conflicts
    assert [f.value for f in alone.figures] == ["7.9"]
    assert alone.nearest[0].below == ((5,), pytest.approx(5 / 65))
    assert alone.nearest[0].above == ((6,), pytest.approx(6 / 65))
    assert [f.value for f in together.figures] == ["21", "54", "12.4"]
    assert together.smallest and together.n == (63, 18, 26, 65)
    myeloma = next(near for near in together.nearest if near.figure.value == "12.4")
    assert myeloma.complete and myeloma.below is not None and myeloma.above is not None
    for table, share in (myeloma.below, myeloma.above):
        assert sum(table) == 21
        assert value(constraints, "I2", table, together.n) == pytest.approx(54, abs=0.5)
        assert value(constraints, "pooled", table[:3], together.n[:3]) == pytest.approx(share, rel=1e-9)
    assert myeloma.below[1] < 0.1235 and myeloma.above[1] > 0.1245


def test_the_message_shows_the_arithmetic():
    figures = [printed("events", "ab", 3, 0), printed("events", "a", 4, 0), printed("rate", "b", 0.5, 0)]
    error = contradiction(asked("ab", figures), {"a": 5, "b": 4})
    assert str(error) == (
        "A paper: no table of counts agrees with 'events 3' (somewhere) [1] and 'events 4' (somewhere) [2] "
        "together: with the other, [1] comes no nearer than 4 (a 4/5, b 0/4); with the other, [2] comes no "
        "nearer than 3 (a 3/5, b 0/4); check the digits and the method"
    )


def test_a_known_count_may_be_what_contradicts():
    error = contradiction(asked("ab", [printed("events", "ab", 3, 0)]), {"a": 5, "b": 5}, {"a": 4})
    assert [f.locator for f in error.conflicts[0].figures] == ["known count", "somewhere"]


def test_a_figure_that_no_table_determines():
    """Without a correction a study without events has no variance, and is left out of the pool."""
    figure = printed("pooled", "a", 0.1, 0)
    error = contradiction(asked("a", [figure], zero_cells=0.0), {"a": 1})
    assert "it comes to nothing, as no table determines it" in str(error)
