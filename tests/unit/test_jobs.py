"""Jobs on every kind of executor: same results in the same order, words heard, errors and deaths told."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kyphobayes.errors import InputError
from kyphobayes.evidence import find_analysis
from kyphobayes.jobs import Job, available, processes, run_all
from kyphobayes.run import run_analysis

# Worker processes import the script that started them.
SCRIPT = """
import os, sys, time
from kyphobayes.errors import InputError
from kyphobayes.jobs import Job, processes, run_all

def doubled(x, say):
    say(f"doubling {x}")
    return 2 * x

def dies(say):
    os._exit(3)

def refuses(say):
    raise InputError("expected something else")

def sleeps(say):
    say("asleep")
    time.sleep(60)

def main(name):
    heard = []
    tell = heard.append if name == "doubled" else lambda text: print(text, flush=True)
    with processes(2, tell) as pool:
        if name == "doubled":
            found = run_all([Job(str(x), doubled, {"x": x}) for x in range(4)], pool, tell)
        else:
            found = run_all([Job(name, globals()[name]), Job("0", doubled, {"x": 0})], pool, tell)
    print(found, sorted(heard))

if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Exception as problem:
        print(type(problem).__name__, problem)
"""


def said(text, say):
    say(f"about {text}")
    return text.upper()


def refuses(say):
    raise InputError("expected something else")


@pytest.fixture
def jobs():
    return [Job(word, said, {"text": word}) for word in ("one", "two", "three")]


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "work.py"
    path.write_text(SCRIPT, encoding="utf-8")
    return path


def test_without_an_executor_jobs_run_here_in_order(jobs):
    heard = []
    assert run_all(jobs, say=heard.append) == ["ONE", "TWO", "THREE"]
    assert heard == ["[1/3] about one", "[2/3] about two", "[3/3] about three"]


def test_a_pool_gives_the_same_in_the_same_order(jobs):
    with ThreadPoolExecutor(2) as pool:
        assert run_all(jobs, pool) == run_all(jobs)


def test_what_a_job_raises_is_raised(jobs):
    with ThreadPoolExecutor(1) as pool, pytest.raises(InputError, match="expected something else"):
        run_all([Job("bad", refuses), *jobs], pool)


def test_one_worker_needs_no_pool():
    with processes(1) as pool:
        assert pool is None
    assert available() >= 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("doubled", "[0, 2, 4, 6] ['[1/4] doubling 0', '[2/4] doubling 1', '[3/4] doubling 2',"),
        ("refuses", "InputError expected something else"),
        ("dies", "WorkerDied a worker process ended before its work was done"),
    ],
)
def test_worker_processes(script, name, expected):
    done = subprocess.run([sys.executable, script, name], capture_output=True, text=True, timeout=120)
    assert expected in done.stdout and done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupt_ends_the_workers_at_once(script):
    run = subprocess.Popen(
        [sys.executable, script, "sleeps"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    while "asleep" not in run.stdout.readline():
        pass
    begun = time.monotonic()
    os.kill(run.pid, signal.SIGINT)
    run.communicate(timeout=30)
    assert run.returncode != 0 and time.monotonic() - begun < 20  # not the minute that the job would sleep


def test_an_analysis_travels_to_a_worker_and_back(project):
    given = {"project": project, "engines": ("exact",), "compare": False}
    jobs = [
        Job(name, run_analysis, {"analysis": find_analysis(project, name), **given})
        for name in ("new_fracture", "new_fracture_bouza_only")
    ]
    with processes(2) as pool:
        there = run_all(jobs, pool)
    for one, other in zip(run_all(jobs), there, strict=True):
        assert one.analysis == other.analysis and one.model.digest == other.model.digest
        assert one.main.estimates.equals(other.main.estimates)
