"""Every input that once broke something."""

import pytest

from tests.fuzz.answers import warm
from tests.fuzz.cases import CORPUS, Case
from tests.fuzz.judge import judge
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", sorted(path.stem for path in CORPUS.glob("*.json")))
def test_it_does_not_break_again(name, sandbox):
    warm()
    case = Case.read(CORPUS / f"{name}.json")
    target = TARGETS[case.target]
    judge(case, target.run, sandbox, target.seconds)
