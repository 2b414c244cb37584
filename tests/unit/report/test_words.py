import pytest

from kyphobayes.report.words import (
    about,
    counted,
    decimal,
    listed,
    percent,
    percents,
    probabilities,
    probability,
    significant,
    singular,
    span,
    spelled,
    threshold,
    whole,
)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"), (1e-12, "under 0.1 %"), (0.0004, "under 0.1 %"), (0.0005, "0.1 %"), (0.0588, "5.9 %"),
        (0.1344, "13.4 %"), (0.1999, "20.0 %"), (0.5463, "55 %"), (0.991, "99.1 %"), (0.99999, "over 99.9 %"),
        (1.0, "100 %"), (float("nan"), "–"),
    ],
)  # fmt: skip
def test_a_percentage_is_rounded_to_what_it_is_worth(share, text):
    assert plain(percent(share)) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.8978, "90 %"),
        (0.0004, "under 0.1 %"),
        (0.0041, "0.4 %"),
        (0.0444, "4 %"),
        (0.996, "99.6 %"),
        (1.0, "100 %"),
    ],
)
def test_a_probability_has_decimals_near_the_ends_only(share, text):
    assert plain(probability(share)) == text


def test_intervals_have_one_sign_and_collapse_where_the_ends_read_alike():
    assert plain(percents(0.0199, 0.1344)) == "2.0 to 13.4 %"
    assert plain(percents(0.5, 0.5)) == "50 %"
    assert percents(float("nan"), 0.3) == "–"
    assert plain(probabilities(0.36, 0.91)) == "36 to 91 %"
    assert plain(probabilities(0.9, 0.901)) == "90 %"
    assert plain(threshold(0.1)) == "10 %"
    assert plain(threshold(0.125)) == "12.5 %"


def test_percent_signs_never_stand_alone_on_a_line():
    assert " %" not in percent(0.5) + probability(0.5) + percents(0.1, 0.2) + threshold(0.1)


def test_nouns_agree_with_numbers():
    assert counted("1", "leaks") == "1 leak"
    assert counted("2", "leaks") == "2 leaks"
    assert singular("patients with a new fracture") == "patient with a new fracture"
    assert singular("injuries") == "injury"
    assert singular("loss of height") == "loss of height"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_numbers():
    assert whole(12345) == "12\u2009345"
    assert decimal(-1.234) == "−1.23"
    assert decimal(float("nan")) == "–"
    assert span((9.0, 12.0)) == "9–12"
    assert span((0.0, 0.0)) == "0"
    assert about(0.3) == "0.3"
    assert about(0.01) == "fewer than 0.1"
    assert about(2.2) == "2"
    assert [significant(x) for x in (1237.4, 1.0021, 5e-10, 0.0)] == ["1237", "1.002", "5e−10", "0"]
    assert spelled(4) == "Four"
    assert spelled(20) == "20"
