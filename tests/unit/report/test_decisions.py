"""The table of claims: one row for every pooled rate and every decision of an answer."""

import numpy as np
import pandas as pd
import pytest

from kyphobayes.decisions import decision, decisions
from kyphobayes.evidence.questions import Question
from kyphobayes.questions import Answered
from kyphobayes.report.decisions import decision_table, of_result


@pytest.fixture
def answered():
    question = Question("pain", "kind", "Pain", "How much?", "", "", (), {}, ())
    who = pd.DataFrame({"unit": ["1"], "status": ["in"], "reason": [""]})
    rows = [decision("pain <falls>", mean=1.0, patient=0.8, next_cases=[0.8], source="here")]
    return Answered(question, "So.", {}, who, decisions=decisions(rows))


def test_a_pooled_rate_has_its_decision(leakage):
    row = of_result(leakage).iloc[0]
    assert row["claim"] == leakage.analysis.decision.words
    assert (row["p_mean"], row["p_centre"]) == (leakage.main.p_typical, leakage.main.p_new)
    assert np.isnan(row["p_patient"]) and 0 <= row["low"] <= row["expected"] <= row["high"] <= 20


def test_every_claim_is_in_the_table(leakage, answered):
    table = decision_table([leakage], ["leaks"], [answered], ["pain"])
    assert table is not None and len(table.frame) == 2
    cells = table.cells[1]
    assert "pain &lt;falls&gt;" in cells[0] and 'href="#pain"' in cells[0]  # words from data are escaped
    assert cells[1] == "over 99.9\u00a0%" and cells[2] == "–" and cells[3] == "80\u00a0%"
    assert cells[4].startswith("16 (12 to 19)")


def test_without_a_claim_there_is_no_table():
    assert decision_table([], [], [], []) is None
