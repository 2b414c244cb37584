"""The sandbox of the fuzzing tests."""

import pytest

from tests.fuzz.sandbox import make_sandbox


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory):
    return make_sandbox(tmp_path_factory.mktemp("fuzz"))
