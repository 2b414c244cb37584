"""Jobs on a real Dask scheduler with worker processes: the same digits, whoever dies."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pandas as pd
import pytest

from kyphobayes.calibration.study import calibrate, cells
from kyphobayes.cli import main
from kyphobayes.errors import InputError
from kyphobayes.jobs import Job, WorkerDied, run_all, workers
from kyphobayes.kept_tables import digest_of, kept_tables
from kyphobayes.model import load_model

pytest.importorskip("distributed", reason="the extra dask is not installed")


@contextmanager
def started(*arguments):
    """A process of Dask's command line, ended at the end."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "the cluster did not start"
        time.sleep(0.1)


def worker(address, folder, threads=1, nanny="--no-nanny"):
    name = ("distributed.cli.dask_worker", address, nanny, "--no-dashboard")
    return started(*name, "--nthreads", str(threads), "--local-directory", str(folder))


def count_of(address, count):
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        until(lambda: len(client.nthreads()) == count)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="module")
def scheduler(folder):
    file = folder / "scheduler.json"
    name = ("distributed.cli.dask_scheduler", "--no-dashboard", "--host", "127.0.0.1", "--port", "0")
    with started(*name, "--scheduler-file", str(file)):
        until(file.is_file)
        yield json.loads(file.read_text())["address"]


@pytest.fixture(scope="module")
def two(scheduler, folder):
    """Address of the scheduler with two workers, each a process of its own, and the processes."""
    with worker(scheduler, folder) as one, worker(scheduler, folder) as other:
        count_of(scheduler, 2)
        yield scheduler, (one, other)


@pytest.fixture(scope="module")
def study(project):
    model = load_model("normal_normal", project)
    return cells(model, project, engines=("exact",), ks=(3,), sets=("default",), n=400, n_nuts=400)


def says(text, say):
    say(f"about {text}")
    return pd.DataFrame({"text": [text], "where": [os.getpid()]})


def kills(say):
    os._exit(1)


def test_a_scheduler_without_workers_or_with_wrong_ones_is_refused(scheduler, folder):
    with pytest.raises(InputError, match="no worker; start one with: dask worker"), workers(dask=scheduler):
        pass
    with worker(scheduler, folder, threads=2):
        count_of(scheduler, 1)
        with pytest.raises(InputError, match="of one thread, found 2 in tcp"), workers(dask=scheduler):
            pass
    count_of(scheduler, 0)


@pytest.mark.parametrize(("address", "reason"), [("tcp://127.0.0.1:1", "refused"), ("nonsense", "port")])
def test_an_address_where_nobody_answers_is_refused(address, reason):
    with pytest.raises(InputError, match=f"running scheduler.*{reason}"), workers(dask=address):
        pass


def test_words_and_results_come_back(two, tmp_path):
    heard = []
    jobs = [Job(text, says, {"text": text}) for text in ("one", "two", "three")]
    with workers(dask=two[0], say=heard.append, shared=[tmp_path]) as executor:
        found = pd.concat(run_all(jobs, executor))
        until(lambda: len(heard) == 3, 10)
    assert found["text"].tolist() == ["one", "two", "three"] and os.getpid() not in set(found["where"])
    assert sorted(heard) == ["[1/3] about one", "[2/3] about two", "[3/3] about three"]


def test_another_version_is_refused(two, monkeypatch):
    monkeypatch.setattr("kyphobayes.versions._installed", lambda name: "0.1")  # here, and not in the workers
    with (
        pytest.raises(InputError, match=r"numpy 0\.1,.* in tcp.*found .*numpy [1-9]"),
        workers(dask=two[0]),
    ):
        pass


def test_commands_give_the_same_on_a_cluster_and_on_any_number_of_workers(two, tmp_path, capsys):
    calibrated, asked = {}, {}
    options = {name: ("--workers", name) for name in "124"} | {"dask": ("--dask", two[0])}
    what = ("normal_normal", "--engine", "exact", "--n", "100", "--k", "3")
    for name, hired in options.items():
        main_exits("calibrate", *what, "--out", tmp_path / name, *hired)
        calibrated[name] = next((tmp_path / name).glob("*.csv")).read_bytes()
    assert len(calibrated["1"]) > 500 and len(set(calibrated.values())) == 1
    for name in ("1", "2", "dask"):
        capsys.readouterr()
        main_exits("sensitivity", "new_fracture", "--json", *options[name])
        asked[name] = capsys.readouterr().out
    assert json.loads(asked["1"])["holds"]["of"] > 10 and len(set(asked.values())) == 1


def test_a_worker_that_is_killed_loses_nothing_and_changes_no_digit(two, study, tmp_path):
    address, (one, _) = two
    alone = calibrate(study)
    counts = []

    def finished(count, jobs):
        counts.append((count, jobs))
        if count == 2:
            one.kill()

    with workers(dask=address) as executor:
        there = calibrate(study, folder=tmp_path, executor=executor, finished=finished)
    pd.testing.assert_frame_equal(there[0], alone[0], check_exact=True)
    assert counts[0] == (0, 8) and counts[-1] == (8, 8) and one.poll() is not None
    found = calibrate(study, folder=tmp_path, finished=lambda *count: counts.append(count))
    assert counts[-1] == (8, 8)
    pd.testing.assert_frame_equal(found[0], alone[0], check_exact=True)


def test_a_job_that_kills_every_worker_is_told(two, folder):
    with worker(two[0], folder, nanny="--nanny"):  # which starts it again, until the scheduler gives up
        count_of(two[0], 2)  # the one that was not killed above, and this
        with workers(dask=two[0]) as executor, pytest.raises(WorkerDied, match="what is finished is kept"):
            run_all([Job("kills", kills)], executor)


def main_exits(*arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert ended.value.code == 0


def test_kept_tables_on_a_pool_are_those_of_one_process(tmp_path):
    jobs = [Job(text, says, {"text": text}) for text in ("one", "two")]
    digests = [digest_of({"text": job.name}) for job in jobs]
    with workers(2) as pool:
        there = kept_tables(jobs, digests, tmp_path, pool)
    again = kept_tables(jobs, digests, tmp_path)
    for one, other in zip(there, again, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
