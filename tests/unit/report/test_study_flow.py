"""Rows on their way into an analysis: the numbers in figure, sentence and tables are the same."""

import re
from dataclasses import replace

import pandas as pd
import pytest
from matplotlib.text import Text

from kyphobayes.evidence import read_table
from kyphobayes.project import Project, default_project
from kyphobayes.report.study_flow import (
    Base,
    Flow,
    base_figure,
    base_of,
    base_table,
    flow_figure,
    flow_of,
    flow_table,
)


def words_in(figure):
    return " ".join(artist.get_text() for artist in figure.findobj(Text) if artist.get_text())


def numbers_in(words):
    return sorted(int(number) for number in re.findall(r"\d+", words))


@pytest.mark.parametrize("name", ["leakage", "fracture"])
def test_the_numbers_are_those_of_the_evidence(name, request):
    result = request.getfixturevalue(name)
    flow, evidence = flow_of(result), result.evidence
    table = read_table(default_project(), f"outcomes/{result.analysis.outcome}.csv")
    assert flow.rows == len(table)
    assert flow.included == evidence.k
    assert flow.out == len(evidence.excluded)
    assert flow.rows == flow.included + flow.out
    assert flow.latent == len(evidence.latent)


def test_figure_sentence_and_table_say_the_same(leakage):
    flow = flow_of(leakage)
    reasons = [number for _, number in flow.excluded]
    size = int(leakage.evidence.n.sum())
    everything = sorted([flow.rows, flow.out, *reasons, flow.included, size])
    assert numbers_in(words_in(flow_figure(flow))) == sorted([*everything, flow.latent])
    assert numbers_in(flow.sentence) == everything
    row = flow_table([flow], ["Leaks"]).frame.iloc[0]
    assert (row["rows"], row["studies"]) == (flow.rows, flow.included)
    assert [row[reason] for reason, _ in flow.excluded] == reasons
    assert row["rows"] == row["studies"] + sum(reasons)


def test_reasons_are_grouped_and_none_is_lost(leakage):
    flow = flow_of(leakage)
    assert dict(flow.excluded)["another treatment"] == int(
        leakage.evidence.excluded["reason"].str.startswith("treatment is").sum()
    )
    assert [number for _, number in flow.excluded] == sorted((n for _, n in flow.excluded), reverse=True)


def test_other_reasons_stand_as_they_are(leakage):
    odd = leakage.evidence.excluded.assign(reason="written by hand")
    result = replace(leakage, evidence=replace(leakage.evidence, excluded=odd))
    assert flow_of(result).excluded == (("written by hand", len(odd)),)


def test_nothing_left_out_is_said():
    flow = Flow("", 3, 3, ())
    assert flow.sentence == "Of 3 rows, 3 entered, and none was left out."
    assert numbers_in(words_in(flow_figure(flow))) == [3, 3]


@pytest.mark.parametrize("count", [1, 14])
def test_boxes_hold_their_words(count):
    reasons = tuple(
        (f"a reason that takes rather many words to be told in full, number {i}", 7) for i in range(count)
    )
    figure = flow_figure(Flow("in the table of a long outcome name", 99, 9, reasons, "1 234 levels", 5))
    renderer = figure.canvas.get_renderer()
    page = figure.bbox
    for artist in figure.findobj(Text):
        if artist.get_text():
            box = artist.get_window_extent(renderer)
            assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1


def test_the_base_counts_what_the_tables_hold():
    project = default_project()
    base = base_of(project, 7)
    assert (base.sources, base.studies) == (
        len(read_table(project, "sources.csv")),
        len(read_table(project, "studies.csv")),
    )
    assert sum(number for _, number in base.read_as) == base.sources
    assert sum(number for _, number in base.designs) == base.studies
    shown = words_in(base_figure(base))
    frame = base_table(base).frame
    for name, studies, rows in base.outcomes:
        assert f"{name} {studies} stud" in shown and f", {rows} row" in shown
        assert frame.set_index("outcome").loc[name].tolist() == [studies, rows]
    assert f"{base.sources} sources" in shown and f"{base.studies} studies" in shown
    assert str(base.studies) in base.sentence and "7 have a judgement" in base.sentence


def test_a_folder_without_such_tables_has_no_base(tmp_path):
    for folder in ("data", "models"):
        (tmp_path / folder).mkdir()
    assert base_of(Project(tmp_path), 0) is None


def test_a_base_of_one_outcome_is_drawn():
    base = Base(1, 1, (("abstracts", 1),), (), (("pain", 1, 1),), 0)
    assert "pain 1 study, 1 row" in words_in(base_figure(base))
    assert isinstance(base_table(base).frame, pd.DataFrame)
