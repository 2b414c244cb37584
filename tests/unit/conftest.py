"""What the unit tests of the command line share."""

import os

import pytest

from kyphobayes.cli import main


@pytest.fixture
def call(capsys, monkeypatch):
    """Run the command line; gives exit code, standard output and standard error."""
    # What `main` sets in the environment is kept from the other tests.
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", os.environ.get("OPENBLAS_NUM_THREADS", "1"))

    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return left.value.code or 0, printed.out, printed.err

    return run
