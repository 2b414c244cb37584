"""Realistic messy files from end to end: what is read, and what is told about it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kyphobayes.effects import effect_size
from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import Contrasts, Counts, Rates
from kyphobayes.own_data import read_own_data

TABLES = Path(__file__).parent / "tables"


def test_a_plain_table():
    own = read_own_data(TABLES / "plain.csv")
    view = own.evidence
    assert isinstance(view, Counts)
    assert own.sentence == "read as counts: events = leaks, n = levels, study = study"
    assert view.labels == ("Fourney 2003", "Lieberman 2003", "Pflugmacher 2006")
    assert (own.event, view.unit, own.notes) == ("leaks", "levels", ())
    np.testing.assert_array_equal([view.events, view.n], [[0, 12, 5], [32, 264, 35]])
    assert list(view.rows["locator"]) == [f"plain.csv, row {row}" for row in (2, 3, 4)]
    assert view.excluded.empty


def test_a_german_excel_file(tmp_path):
    written = tmp_path / "german_excel.csv"  # as that program writes it
    text = (TABLES / "german_excel.csv").read_text(encoding="utf-8")
    written.write_bytes(text.replace("\n", "\r\n").encode("cp1252"))
    own = read_own_data(written)
    view = own.evidence
    assert view.labels == ("Müller 2004", "Schäfer 2005", "Müller 2010")
    np.testing.assert_array_equal([view.events, view.n], [[0, 5, 7], [32, 1234, 40]])
    assert own.sentence.endswith("events = Ereignisse, n = Gesamt, study = Autor + Jahr")
    told = " | ".join(own.notes)
    assert "Windows-1252" in told and "between semicolons" in told
    assert "separators of thousands read in column D (Gesamt) (row 3: '1.234' is 1234)" in told
    assert list(view.excluded["reason"]) == ["a sum over studies, not a study (row 5)"]


def test_decimal_commas_and_a_true_minus():
    own = read_own_data(TABLES / "decimal_commas_bom.csv")
    np.testing.assert_allclose(own.evidence.y, [-0.51, 0.12, -0.3])
    np.testing.assert_allclose(own.evidence.se, [0.2, 0.33, 0.25])
    assert "decimal commas read in column B (Effekt)" in own.notes


def test_metafor_names_in_utf16():
    own = read_own_data(TABLES / "utf16.tsv")
    assert isinstance(own.evidence, Contrasts)
    np.testing.assert_allclose(own.evidence.se**2, [0.04, 0.109, 0.061])
    assert own.sentence == "read as estimates: y = yi, v = vi, study = study"


def test_fractions_below_a_title_and_above_a_footnote():
    own = read_own_data(TABLES / "fractions.csv")
    view = own.evidence
    np.testing.assert_array_equal([view.events, view.n], [[0, 5, 7], [32, 35, 40]])
    assert "column B (Cement leakage (n/N)) read as events / n" in own.notes
    assert list(view.rows["locator"]) == [f"fractions.csv, row {row}" for row in (4, 5, 6)]
    assert list(view.excluded["reason"]) == ["a note below the table (row 7)"]
    assert own.event == "cement leakage"


def test_hazard_ratios_with_their_intervals():
    own = read_own_data(TABLES / "hazard_ratios.csv")
    np.testing.assert_allclose(np.exp(own.evidence.y), [0.8, 0.65, 0.9])
    low, high = np.array([0.6, 0.45, 0.7]), np.array([1.07, 0.94, 1.16])
    np.testing.assert_allclose(own.evidence.se, np.log(high / low) / 3.919928, rtol=1e-6)
    assert own.evidence.measure == "HR" and own.evidence.scale.name == "hazard ratio"
    assert any("their logarithms are analysed" in note for note in own.notes)


def test_metafor_counts_of_two_arms_as_r_writes_them():
    own = read_own_data(TABLES / "metafor_bcg.csv")
    a, b = np.array([4, 6, 3]), np.array([119, 300, 228])
    c, d = np.array([11, 29, 11]), np.array([128, 274, 209])
    np.testing.assert_allclose(own.evidence.y[:3], np.log(a * d / (b * c)))
    np.testing.assert_allclose(own.evidence.se[:3] ** 2, 1 / a + 1 / b + 1 / c + 1 / d)
    assert own.evidence.labels[2] == "Rosenthal et al 1960" and own.evidence.k == 13
    assert own.sizes is not None and own.sizes[0] == 262
    ratio = read_own_data(TABLES / "metafor_bcg.csv", measure="RR")
    assert ratio.evidence.measure == "RR"
    grouped = read_own_data(TABLES / "metafor_bcg.csv", {"by": "alloc"})
    assert (grouped.by, set(grouped.groups)) == ("alloc", {"random", "alternate", "systematic"})


def test_a_revman_export_whose_columns_of_means_are_empty():
    own = read_own_data(TABLES / "revman.csv")
    assert own.kind == "counts of two arms" and own.evidence.labels == (
        "Adams 2001",
        "Baker 2004",
        "Clark 2009",
    )
    expected = effect_size("OR", {"events_1": [0], "n_1": [88], "events_2": [3], "n_2": [91]})
    assert own.evidence.y[2] == pytest.approx(expected.y[0])
    assert any("0.5 added to all four cells of row 4" in note for note in own.notes)
    assert list(own.evidence.excluded["label"]) == ["Total (95% CI)"]


def test_before_and_after_needs_the_correlation():
    path = TABLES / "before_after.csv"
    with pytest.raises(EvidenceError, match=r"row 4: expected the correlation between before and after"):
        read_own_data(path)
    data = {"mean_pre": [7.4, 8.0, 7.7], "sd_pre": [1.2, 1.0, 1.4], "mean_post": [3.1, 2.9, 3.6],
            "sd_post": [1.8, 1.5, 2.0], "n": [20, 35, 18], "r": [0.3, 0.5, 0.4]}  # fmt: skip
    for measure in ("MC", "SMCC"):
        expected = effect_size(measure, data)
        own = read_own_data(path, correlation=0.4, measure=measure)
        np.testing.assert_allclose(own.evidence.y, expected.y)
        np.testing.assert_allclose(own.evidence.se**2, expected.v)
    assert "a correlation of 0.4 between before and after is assumed for 1 of 3 studies" in own.notes


def test_rates_with_their_unit():
    own = read_own_data(TABLES / "rates.csv")
    assert isinstance(own.evidence, Rates)
    assert (own.evidence.unit, own.evidence.per) == ("patient-months", 100)
    np.testing.assert_allclose(own.evidence.exposure, [120.5, 1200, 803])
    assert any("footnote marks left off in column B (Events), row 5" in note for note in own.notes)
    assert (
        read_own_data(TABLES / "rates.csv", time="women-years", per=10).evidence.scale.unit
        == "per 10 women-years"
    )


def test_percentages_that_several_counts_have_are_averaged_over():
    own = read_own_data(TABLES / "percentages.csv")
    np.testing.assert_array_equal(own.evidence.events, [4, np.nan, 0])
    np.testing.assert_array_equal(own.evidence.tables[:, 1], [19, 20, 21])
    assert any("row 3 (19, 20 or 21)" in note for note in own.notes)


def test_a_data_frame_and_a_mapping_and_their_index():
    columns = {"events": [0, 5], "n": [32, 35]}
    frame = pd.DataFrame(columns, index=["Fourney", "Ye"])
    for source, labels in ((columns, ("study 1", "study 2")), (frame, ("Fourney", "Ye"))):
        own = read_own_data(source)
        assert own.evidence.labels == labels
        np.testing.assert_array_equal(own.evidence.events, [0, 5])
    missing = pd.DataFrame({"study": ["A", "B", "C"], "xi": [1.0, np.nan, 2.0], "ni": [10, 20, 30]})
    with pytest.raises(EvidenceError, match=r"the DataFrame, row 1 \(B\): no events; .*drop_missing=True"):
        read_own_data(missing)
    own = read_own_data(missing, drop_missing=True)
    assert own.evidence.labels == ("A", "C")
    assert own.evidence.excluded.iloc[0][["label", "reason"]].tolist() == ["B", "no events (row 1)"]


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        (["a,1,20", "a,2,30"], {}, "row 2 and row 3: expected every study once, found 'a' twice"),
        (["a,21,20"], {}, r"row 2, column B \(events\): expected at most n = 20 events, found '21'"),
        (["a,-1,20"], {}, r"column B \(events\): expected a whole number of 0 or more, found '-1'"),
        (["a,1.5,20"], {}, "expected a whole number of 0 or more, found '1.5'"),
        (["a,inf,20"], {}, "expected a number, found 'inf'; an infinite value says nothing"),
        (["a,1,0"], {}, r"column C \(n\): expected 1 or more, found '0'"),
        (["a,<5,20"], {}, "found '<5'; a bound is no number"),
        (["a,12 %,20"], {}, "a percentage: name this column with --percent"),
        (["a,5 (3),20"], {}, "expected one number, found '5 \\(3\\)'; say in the head"),
        (["a,5/21,20"], {}, r"expected what column C \(n\) says \(20\), found '5/21'; the two contradict"),
        (["a,5/20 (40%),20"], {}, "expected 25 % for 5 of 20, found"),
        (["a,,20"], {}, r"row 2 \(a\): no events; expected numbers in every row"),
        (["a,1,20", ",1,20"], {}, r"column A \(study\): expected the study's name, found an empty cell"),
        (["a,1,20"], {"events": "leaks"}, "--events: no column 'leaks'"),
        (["a,1,20"], {"events": "n", "n": "n"}, "is given for --events and --n; expected one each"),
        (["a,1,20"], {"events": "events", "y": "n"}, "--events and --y are never read together"),
        (["a,1,20"], {"by": "study"}, "expected two groups or more, found 'a' alone"),
        (["Total,1,20"], {}, "expected one row per study, found none beside 1 left out"),
    ],
)  # fmt: skip
def test_what_is_refused_names_the_cell(tmp_path, rows, columns, message):
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["study,events,n", *rows]))
    with pytest.raises(EvidenceError, match=message):
        read_own_data(path, columns)
