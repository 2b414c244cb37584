"""What a paper would print of other counts: the same figures to the same digits, one print for each table."""

from collections import defaultdict
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from kyphobayes.errors import InputError
from kyphobayes.evidence import evidence_for, find_analysis
from kyphobayes.reconstruct import reconstruct
from kyphobayes.reconstruct.printed import read_printed
from kyphobayes.reconstruct.values import agrees
from kyphobayes.recovery import printed_anew, printed_of


def figure(quantity, value, **more):
    row = {"quantity": quantity, "value": value, "words": "w", "locator": "l", **more}
    return read_printed("test", row, ("a", "b"))


PERCENT = figure("pooled", "11.2", unit="percent")


@pytest.mark.parametrize("name", ["leakage_bkp_bouza_only", "new_fracture_bouza_only"])
def test_every_table_that_agrees_prints_what_the_paper_prints(name, project):
    found = evidence_for(find_analysis(project, name), project).latent_source
    for events in found.events:
        assert printed_of(found.constraints, found.n.astype(int), events).printed == found.constraints.printed


@pytest.mark.parametrize(
    ("before", "value", "printed"),
    [
        (PERCENT, 0.11249, "11.2"),
        (PERCENT, 0.11251, "11.3"),
        (PERCENT, 0.0, "0.0"),
        (PERCENT, 1.0, "100.0"),
        (figure("pooled", "6", unit="percent"), 0.0549, "5"),
        (figure("pooled", "0.06", unit="proportion"), 0.0549, "0.05"),
        (figure("pooled", "11.2", unit="percent", rounding="half up"), 0.1125, "11.3"),
        (figure("pooled", "11.2", unit="percent", rounding="truncated"), 0.11299999, "11.2"),
        (figure("pooled", "11.2", unit="percent", rounding="truncated"), 0.3 - 0.187, "11.3"),
        (figure("I2", "84", unit="percent"), 0.49, "0"),
        (figure("ci_low", "-0.02", unit="proportion"), -0.0149, "-0.01"),
        (figure("ci_low", "2", unit="percent", level=90), 0.0151, "2"),
        (figure("tau2", "0.0005"), 0.00123, "0.0012"),
        (figure("events", "none"), 3.0, "3"),
    ],
)
def test_a_figure_is_printed_to_its_own_digits(before, value, printed):
    after = printed_anew(before, value)
    assert after.value == printed and agrees(after, np.array([value])).all()
    assert replace(after, low=0, high=0, value="") == replace(before, low=0, high=0, value="")
    assert after.high - after.low == pytest.approx(before.high - before.low)


def test_a_figure_is_refused_that_a_table_does_not_determine():
    for loose in (
        figure("pooled", "10", unit="percent", relation="at least"),
        figure("pooled", "10", unit="percent", relation="below"),
        figure("pooled", "10", unit="percent", rounding="approximate", within=2.0),
    ):
        with pytest.raises(InputError, match="expected a rounded number"):
            printed_anew(loose, 0.1)
    with pytest.raises(InputError, match="leaves it without a value"):
        printed_anew(PERCENT, np.nan)


@pytest.mark.parametrize(
    "quantities",
    [("events",), ("events", "pooled"), ("events", "pooled", "I2"), ("ci_high", "I2")],
    ids="+".join,
)
def test_tables_are_shared_out_between_the_prints(paper, quantities):
    """Reconstructing a print gives the tables that print so, all of them and no other, with one weight."""
    constraints = paper([4, 6, 7], *quantities)
    n = np.array(constraints.n)
    alike = defaultdict(set)
    for table in product(*(range(size + 1) for size in n)):
        alike[printed_of(constraints, n, np.array(table)).printed].add(table)
    assert sum(map(len, alike.values())) == 5 * 7 * 8 and len(alike) > 10
    for printed, tables in alike.items():
        found = reconstruct(replace(constraints, printed=printed))
        assert {tuple(row) for row in found.events.tolist()} == tables
        assert np.ptp(found.weights) == 0
