"""The section on efficacy: tidy figures, one sentence for each line, and nothing that is not sourced."""

import pytest

from kyphobayes.reanalysis import reanalyse
from kyphobayes.report.efficacy import efficacy
from kyphobayes.report.reanalysis import Panel, intervals, single

from .conftest import HOSTILE
from .test_figures import assert_tidy, smallest_type, texts_in


@pytest.fixture(scope="module")
def shown(project):
    return efficacy(project)


def test_figure_is_tidy_and_shows_printed_digits(shown):
    assert_tidy(shown.figure)
    assert smallest_type(shown.figure) >= 8
    texts = [text for text, _ in texts_in(shown.figure)]
    assert "3.85 (2.99 to 4.71)" in texts and "−28.78 (−46.0 to −11.5)" in texts
    assert "0.28 (0.003 to 0.56)" in texts


def test_every_line_has_a_sentence_and_every_outcome_a_heading(shown):
    assert [len(sentences) for _, sentences in shown.outcomes] == [2, 3, 2, 1, 4]
    pain = dict(shown.outcomes)["Pain (VAS 0–10)"][0]
    assert "standard deviations" in pain and "the 2 points that matter to patients" in pain
    assert "MCID" not in pain
    disability = dict(shown.outcomes)["Disability (ODI 0–100)"]
    assert all("matter to patients" not in sentence for sentence in disability)  # no source states one
    assert "rests on the prior" in disability[1] and "rests on the prior" not in disability[0]
    assert any("cannot be read in points" in sentence for sentence in shown.opening)


def test_tables_hold_what_is_printed_and_what_was_assumed(shown):
    assert len(shown.table.frame) == 12 and len(shown.table.cells[0]) == len(shown.table.columns)
    assert shown.table.frame["p_mcid"].notna().sum() == 2
    assumed = shown.assumed.frame.set_index("title")
    cobb = assumed.loc["Kyphotic angle, before to after the operation"]
    assert cobb["studies"] == "not known" and "180 levels fit no combination" in cobb["sizes"]
    assert "not in the middle" in assumed.loc["Pain, before to the end of follow-up", "assumed"]
    assert "label RR" in assumed.loc["Height restored, of what was lost", "assumed"]
    assert "With half the scale" in cobb["prior"]


def test_a_project_without_lines_has_no_section(tmp_path):
    from kyphobayes.project import Project

    for folder in ("data", "models"):
        (tmp_path / folder).mkdir()
    assert efficacy(Project(tmp_path)) is None


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ((4, "3.85", ("2.99", "4.71"), "79"), {"measure": "SMD", "better": "higher", "mcid": 1.8}),
        ((5, "0.70", ("0.52", "0.94"), "30"), {"measure": "OR", "mcid": 0.8}),
        ((5, "20 %", ("10 %", "36 %"), None), {"measure": "PLO"}),
        ((3, "-2878", ("-4600", "-1150"), "99"), {}),
    ],
)
def test_a_single_line_is_drawn_tidily(arguments, options):
    figure = single(reanalyse(*arguments, **options), HOSTILE)
    assert_tidy(figure)
    assert smallest_type(figure) >= 8


def test_ratios_have_a_logarithmic_axis():
    answer = reanalyse(5, "0.70", ("0.52", "0.94"), "30", measure="OR")
    figure = intervals([Panel("Ratio", "odds ratio", (("one", answer),), 1.0, logarithmic=True)])
    assert figure.axes[0].get_xscale() == "log"
    assert_tidy(figure)
