"""Some of the kills of `tests.faults.kills`, at moments that do not depend on how quick the machine is."""

import os
import sys
import time

import numpy as np
import pytest

from kyphobayes.files import write
from kyphobayes.jobs import Job, processes, run_all
from tests.faults import victims
from tests.faults.killing import LEADER, Moment, different, finished, places, run, unfinished

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")


def sleeping(out, workers):
    """Keep some worker processes busy for longer than anyone waits."""
    with processes(workers) as pool:
        run_all([Job(str(number), sleep_long, {"out": out}) for number in range(workers)], pool)


def sleep_long(out, say):
    write(out / f"{os.getpid()}.txt", "asleep")
    time.sleep(600)


def test_workers_end_with_a_process_that_is_killed(tmp_path):
    """It cannot tell them: without a watch they would wait for work for ever."""
    out = tmp_path / "out"
    ended = run(sleeping, (out, 2), out, Moment(files=1), LEADER)  # `run` waits until all have ended
    assert ended.killed and ended.code == -9 and "Traceback" not in ended.said


def test_a_save_that_is_killed_leaves_whole_files(tmp_path):
    rng = np.random.default_rng(8)
    both = []
    for version in (0, 1):
        victims.one_version(tmp_path / str(version), version)
        both.append(finished(tmp_path / str(version)))
    assert len(both[0]) == 3 and all(both[0][name] != both[1][name] for name in both[0])
    out, left = tmp_path / "out", 0
    for files in rng.integers(1, 12, size=5).tolist():
        ended = run(victims.saves, (out,), out, Moment(files=files))
        assert ended.killed and ended.code == -9, ended
        assert different(out, *both) == []
        left += ended.left
    assert left > 0  # or else no kill hit a file in the making
    assert run(victims.saves, (out, 1), out).code == 0
    assert finished(out) == both[1] and unfinished(out) == []


def test_a_report_that_is_killed_is_finished_by_the_next_run(review, undisturbed, tmp_path):
    out, wanted = tmp_path / "out", finished(undisturbed)
    assert {"report.html", "explorer/example_contrasts.html"} < set(wanted) and len(wanted) > 30
    before: dict[str, tuple[int, int]] = {}
    for files in (1, 4, 20):  # the fit, a figure, a later figure or a table
        ended = run(victims.report, (out, review), out, Moment(files=files), LEADER)
        assert ended.killed and ended.code == -9, ended
        assert different(out, wanted) == []
        now = places(out)
        assert {name: now.get(name) for name in before} == before  # what was finished is not made again
        before = now
    assert before
    ended = run(victims.report, (out, review), out)
    assert ended.code == 0 and "exact fit found" in ended.said and "fitting" not in ended.said
    assert finished(out) == wanted and places(out) == before and unfinished(out) == []
