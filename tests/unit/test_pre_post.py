"""Pain before and after: the same series on every scale, and what the paper's table says."""

import numpy as np
import pytest

from kyphobayes.errors import InputError
from kyphobayes.pre_post import Paired, read_patients, read_printed, scales, share_at
from kyphobayes.report.canvas import to_png
from kyphobayes.report.pre_post import pre_post

PRE, POST = [9.0, 8.0, 10.0, 7.0, 9.0], [1.0, 2.0, 0.0, 2.0, 3.0]


@pytest.fixture
def series():
    return Paired.from_patients(PRE, POST)


def test_a_series_is_summarised_by_the_textbook(series):
    assert (series.n, series.mean_pre, series.mean_post) == (5, np.mean(PRE), np.mean(POST))
    assert series.sd_post == pytest.approx(np.std(POST, ddof=1))
    assert series.r == pytest.approx(np.corrcoef(PRE, POST)[0, 1])


def test_the_mean_change_is_that_of_the_differences(series):
    row = scales(series).set_index("scale").loc["MC"]
    change = np.subtract(PRE, POST)
    assert row["effect"] == pytest.approx(change.mean())
    assert row["v"] == pytest.approx(change.var(ddof=1) / 5)


def test_shares_are_of_the_variance(series):
    table = scales(series, [-0.2, 0.5])
    standardised = table[table["scale"].isin(["SMCC", "SMCR"])]
    np.testing.assert_allclose(
        standardised["share"] * standardised["v"], standardised["effect"] ** 2 / (2 * 5), rtol=1e-12
    )
    assert table.loc[table["scale"].isin(["MC", "SMCRH"]), "share"].isna().all()
    smcr = table[(table["scale"] == "SMCR") & (table["r"] == 0.5)].iloc[0]
    assert smcr["share"] == pytest.approx(share_at(smcr["effect"], 0.5))


def test_only_some_scales_depend_on_r(series):
    effects = scales(series, [-0.2, 0.7]).pivot(index="scale", columns="r", values="effect")
    moved = effects[-0.2] != effects[0.7]
    assert list(moved[moved].index) == ["SMCC"]


def test_the_patients_of_the_project(project):
    """r = -0.2034, SMCR 6.0212, SMCC 3.4565, g 5.4537 (se 0.655), raw change se 0.416: published case."""
    series = read_patients(project)
    assert (series.n, round(series.mean_pre, 2), round(series.mean_post, 2)) == (22, 8.73, 1.73)
    assert series.r == pytest.approx(-0.2034, abs=5e-5)
    table = scales(series).set_index("scale")
    for name, effect in {"SMCR": 6.0212, "SMCC": 3.4565, "SMD": 5.4537}.items():
        assert table.loc[name, "effect"] == pytest.approx(effect, abs=5e-5)
    assert np.sqrt(table.loc["MC", "v"]) == pytest.approx(0.416, abs=5e-4)
    assert np.sqrt(table.loc["SMD", "v"]) == pytest.approx(0.655, abs=5e-4)
    assert read_printed(project) == [3.85, 4.27]


def test_the_section_says_its_numbers(project):
    shown = pre_post(read_patients(project), read_printed(project))
    text = " ".join(shown.sentences)
    for words in (
        "7.00 points",
        "6.18 to 7.82",
        "3.5 (SMCC) or 6.0 (SMCR)",
        "−0.20",
        "5.3 to 6.7",
        "3.85 and 4.27",
    ):
        assert words in text
    assert len(shown.table.cells) == 5 + 2 * 4  # Hedges' g knows no r
    assert to_png(shown.figure).startswith(b"\x89PNG")
    assert "Bouza" not in " ".join(pre_post(read_patients(project)).sentences)


@pytest.mark.parametrize(
    ("pre", "post", "message"),
    [
        ([1, 2], [1, 2], "three patients or more"),
        ([1, 2, 3], [1, 2], "three patients or more"),
        ([1, 2, np.nan], [1, 2, 3], "patient 2: expected a value before and after"),
        ([1, 1, 1], [1, 2, 3], "all patients have the same value"),
    ],
)
def test_refusals(pre, post, message):
    with pytest.raises(InputError, match=message):
        Paired.from_patients(pre, post)
