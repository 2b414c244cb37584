"""Estimates: ratios told from logarithms, intervals turned into standard errors, contradictions refused."""

import numpy as np
import pytest

from kyphobayes.errors import EvidenceError
from kyphobayes.own_data import read_own_data

LOW, HIGH = np.array([0.6, 0.45, 0.7]), np.array([1.07, 0.94, 1.16])
Y = np.sqrt(LOW * HIGH)
SE = np.log(HIGH / LOW) / 3.919928


def read(**options):
    table = {"study": list("abc")}
    columns = {
        name: options.pop(name) for name in list(options) if name not in ("measure", "scale", "ci_level")
    }
    return read_own_data(table | columns, **options)


def test_ratios_are_told_from_logarithms_by_their_intervals():
    natural = read(OR=Y, lower=LOW, upper=HIGH)
    logs = read(OR=np.log(Y), lower=np.log(LOW), upper=np.log(HIGH))
    # Positive logarithms: only where the intervals are even says what they are.
    positive = read(OR=np.log(Y) + 0.9, lower=np.log(LOW) + 0.9, upper=np.log(HIGH) + 0.9)
    for own, shift in ((natural, 0), (logs, 0), (positive, 0.9)):
        np.testing.assert_allclose(own.evidence.y, np.log(Y) + shift)
        np.testing.assert_allclose(own.evidence.se, SE, rtol=1e-6)
        assert own.evidence.measure == "OR"
    assert any("read as log odds ratios" in note for note in logs.notes)
    assert "standard errors from the 95 % intervals" in natural.notes


@pytest.mark.parametrize(
    ("head", "scale", "log"), [("log OR", "", True), ("yi", "", True), ("OR", "log", True)]
)
def test_ratios_with_standard_errors(head, scale, log):
    own = read(**{head: np.array([0.2, 0.3, 0.1]), "se": SE}, measure="OR", scale=scale)
    assert log and own.evidence.y.tolist() == [0.2, 0.3, 0.1]


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({"OR": Y, "SE": SE}, {}, "'OR' holds odds ratios, whose standard errors say little"),
        ({"effect": Y, "SE": SE}, {"measure": "HR"}, "cannot be told whether these are hazard"),
        ({"effect": Y, "lower": LOW, "upper": HIGH}, {}, "looks like ratios, .* such as --measure OR"),
        ({"effect": Y, "lower": HIGH, "upper": LOW}, {}, "row 0: expected a lower limit, an estimate"),
        ({"smd": -Y, "se": SE}, {"measure": "OR"}, "is named after SMD, but the measure is said to be OR"),
        ({"effect": Y, "se": SE}, {"measure": "PLO"}, "measure 'PLO' is not one of estimates"),
        ({"OR": Y - 0.7, "lower": LOW, "upper": HIGH}, {"scale": "natural"}, "expected a lower limit"),
        ({"effect": Y, "se": SE}, {"scale": "odd"}, "scale: expected log or natural, found 'odd'"),
        ({"effect": Y, "lower": LOW, "upper": HIGH}, {"ci_level": 95}, "ci level: expected a share from"),
        ({"effect": Y, "se": SE * [1, -1, 1]}, {}, "column se: expected a number greater than 0, found '-"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_asked(columns, options, message):
    with pytest.raises(EvidenceError, match=message):
        read(**columns, **options)


def test_intervals_of_another_level_and_uneven_ones():
    own = read(MD=[1.0, 2.0, 3.0], lower=[0.0, 1.0, 2.5], upper=[2.0, 3.0, 9.0], ci_level=0.9)
    np.testing.assert_allclose(own.evidence.se, np.array([1, 1, 3.25]) / 1.6448536, rtol=1e-6)
    assert "standard errors from the 90 % intervals" in own.notes
    assert any("the interval of study 3 does not lie evenly" in note for note in own.notes)


def test_estimates_with_standard_errors_in_brackets():
    own = read(**{"MD (SE)": ["0.5 (0.2)", "0.1 (0.3)", "-0.2 (0.25)"]})
    assert own.evidence.measure == "MD" and own.evidence.se.tolist() == [0.2, 0.3, 0.25]
    with pytest.raises(
        EvidenceError, match=r"expected an estimate, found '0.5 \(0.2\)'; write 0.5 \(SE 0.2\)"
    ):
        read(MD=["0.5 (0.2)", "0.1 (0.3)", "-0.2 (0.25)"])
    assert read(MD=["0.5 (SE 0.2)", "0.1 (SE 0.3)", "0 (SE 1)"]).evidence.se.tolist() == [0.2, 0.3, 1]


def test_means_with_standard_deviations_in_brackets():
    own = read(mean=["3.4 (1.2)", "2.9 (1.0)", "4.1 (1.4)"], n=[20, 30, 40])
    np.testing.assert_allclose(own.evidence.se, np.array([1.2, 1.0, 1.4]) / np.sqrt([20, 30, 40]))
    with pytest.raises(EvidenceError, match="turn standard errors into standard deviations"):
        read(mean=["3.4 (SE 1.2)", "2.9 (SE 1.0)", "4.1 (SE 1)"], n=[20, 30, 40])


def test_one_decimal_mark_for_a_column_and_doubtful_thousands():
    with pytest.raises(
        EvidenceError, match=r"expected one decimal mark, found a point in row 0 \('0.5'\) and a comma"
    ):
        read(y=["0.5", "0,6", "1"], se=SE)
    with pytest.raises(
        EvidenceError, match=r"it is 1234 or 1\.234: say which with --decimal point or --decimal comma"
    ):
        read(y=["1,234", "1,345", "1,456"], se=["1", "1", "1"])
    table = {"y": ["1,234", "1,345", "1,456"], "se": ["1", "1", "1"]}
    assert read_own_data(table, decimal="comma").evidence.y[0] == 1.234
    assert read_own_data(table, decimal="point").evidence.y[0] == 1234
    # Another column that shows the mark settles it.
    assert read_own_data(table | {"se": ["0,5", "0,6", "0,7"]}).evidence.y[0] == 1.234
