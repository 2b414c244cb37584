"""A small review, and its report as an undisturbed run writes it."""

import pytest

from kyphobayes.reviews import new_review
from tests.faults import victims
from tests.faults.killing import run


@pytest.fixture(scope="session")
def review(tmp_path_factory):
    """A project with one analysis, of normal studies: the exact engine takes no time for it."""
    folder = tmp_path_factory.mktemp("small") / "review"
    new_review(folder, "contrasts")
    return folder


@pytest.fixture(scope="session")
def undisturbed(review):
    """Folder of the report of this project."""
    plain = review.parent / "undisturbed"
    ended = run(victims.report, (plain, review), plain)
    assert ended.code == 0, ended.said
    return plain
