"""Ten thousand generated inputs, the same on every machine: each ends in an answer or one clear sentence."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.answers import warm
from tests.fuzz.judge import judge
from tests.fuzz.targets import TARGETS, Target

AT_LEAST = 10_000  # together


HERE = {name: target for name, target in TARGETS.items() if target.examples}


@pytest.mark.parametrize("target", HERE.values(), ids=HERE)
def test_every_input_ends_in_an_answer_or_one_sentence(target: Target, sandbox):
    warm()
    ran = 0

    @settings(
        max_examples=target.examples, derandomize=True, database=None, deadline=None,
        report_multiple_bugs=False, suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )  # fmt: skip
    @given(target.inputs)
    def each(case):
        nonlocal ran
        ran += 1
        judge(case, target.run, sandbox, target.seconds)

    each()
    assert ran >= target.examples


def test_they_are_ten_thousand():
    assert sum(target.examples for target in HERE.values()) >= AT_LEAST
