"""Full disks, folders that cannot be written, two runs in one folder: one sentence, or correct work."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from kyphobayes import files
from kyphobayes.errors import InputError
from kyphobayes.files import UNFINISHED, make_folder, write
from tests.faults import victims
from tests.faults.killing import CONTEXT, finished, run, unfinished

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mounts, limits and /proc are those of Linux")


def refused(said, path, why):
    """Whether the last words are the one sentence that is due."""
    return said.strip().splitlines()[-1].startswith(f"error: cannot write {path}") and (
        said.rstrip().endswith(f": {why}; choose another --out") and "Traceback" not in said
    )


def test_a_report_on_a_disk_that_fills_up(review, undisturbed, tmp_path):
    """No room for the fit; room for it and not for the figures; read-only; room for all: the fit is found."""
    out = tmp_path / "disk"
    ended = run(victims.on_a_small_disk, (out, review, undisturbed), out)
    if "no mounts of one's own" in ended.said:
        pytest.skip("this system lets nobody mount a small disk")
    steps = re.split(
        r"\n(\d+m|300k)([a-z,]*): code (\d+), (\d+) files, (\d+) the same, fits (.*)\n", ended.said
    )
    said, codes, there, same, fits = (steps[start::7] for start in (0, 3, 4, 5, 6))
    total = len(finished(undisturbed))
    assert codes == ["2", "2", "2", "0"], ended.said
    assert there == same and there[0] == "0" and 1 < int(there[1]) < total and there[3] == str(total)
    assert refused(said[0], out / "fits", "No space left on device")
    assert refused(said[1], out, "No space left on device")
    assert refused(said[2], out, "Read-only file system")
    assert fits[0] == "[]" and fits[1] == fits[2] == fits[3] != "[]"
    assert "exact fit found" in said[3] and "fitting" not in said[3]


def test_a_write_beyond_the_limit_leaves_what_was_there(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "page.html"
    write(path, "before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(InputError, match=r"cannot write .*page\.html: File too large; choose another"):
            write(path, "x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_text("utf-8") == "before" and [each.name for each in tmp_path.iterdir()] == [path.name]


def test_what_the_disk_says_at_the_very_end_is_heard(tmp_path, monkeypatch):
    """On a network that a disk is full may be told only when its content must arrive."""
    path = tmp_path / "page.html"

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kyphobayes.files.os.fsync", full)
    with pytest.raises(InputError, match=r"page\.html: No space left on device"):
        write(path, "whole")
    assert list(tmp_path.iterdir()) == []


def test_content_is_on_the_disk_before_the_name(tmp_path, monkeypatch):
    path, done = tmp_path / "page.html", []
    sync, replace = os.fsync, os.replace

    def synchronised(handle):
        done.append(("content", os.fstat(handle).st_size, path.exists()))
        sync(handle)

    def replaced(old, new):
        done.append(("name", Path(new).name, path.exists()))
        replace(old, new)

    monkeypatch.setattr("kyphobayes.files.os.fsync", synchronised)
    monkeypatch.setattr("kyphobayes.files.os.replace", replaced)
    write(path, "12345")
    assert done == [("content", 5, False), ("name", path.name, False)]


def test_a_folder_of_somebody_else():
    with TemporaryDirectory() as folder:  # not below a folder that only its owner may enter
        out = Path(folder, "out")
        out.mkdir()
        Path(folder).chmod(0o755)
        out.chmod(0o555)
        ended = run(victims.unprivileged, (out,), out)
        told = [
            f"cannot write {place}: Permission denied; choose another --out"
            for place in (out, out / "page.html", out / "new")
        ]
        assert ended.said.splitlines() == told and list(out.iterdir()) == []


# --- what killed runs leave --------------------------------------------------------------------------------

HOLDS = """
import os, sys, time
from pathlib import Path
from kyphobayes import files

def stopped(handle):
    print("writing", flush=True)
    sys.stdin.readline()

files.os.fsync = stopped
files.write(Path(sys.argv[1]) / "page.html", "whole")
"""


@pytest.fixture
def writing(tmp_path):
    """A process in the midst of writing a file; it goes on when it is told to."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "writing\n"
    yield process
    process.kill()
    process.communicate()


def test_what_is_being_written_is_left_alone_and_what_was_is_swept(writing, tmp_path):
    (there,) = unfinished(tmp_path)
    (tmp_path / f".old{UNFINISHED}").write_text("of a run that was killed", "utf-8")
    (tmp_path / ".mine").write_text("of the user", "utf-8")
    files._sweep.cache_clear()  # as in a new process
    make_folder(tmp_path)
    write(tmp_path / "other.csv", "a\n")
    assert there.exists() and (tmp_path / f".old{UNFINISHED}").exists()  # somebody writes: nothing is swept
    writing.send_signal(signal.SIGKILL)
    writing.wait()
    files._sweep.cache_clear()
    write(tmp_path / "other.csv", "b\n")
    assert sorted(each.name for each in tmp_path.iterdir()) == [".mine", "other.csv"]


def test_a_slow_writer_ends_well_beside_others(writing, tmp_path):
    for number in range(3):
        files._sweep.cache_clear()
        make_folder(tmp_path)
        write(tmp_path / "other.csv", f"{number}\n")
    writing.communicate("go on\n", timeout=30)
    assert writing.returncode == 0 and (tmp_path / "page.html").read_text("utf-8") == "whole"
    assert unfinished(tmp_path) == []


def test_without_locks_nothing_is_swept_and_all_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "fcntl", None)
    (tmp_path / f".old{UNFINISHED}").write_text("", "utf-8")
    make_folder(tmp_path)
    write(tmp_path / "page.html", "whole")
    assert sorted(each.name for each in tmp_path.iterdir()) == [f".old{UNFINISHED}", "page.html"]


# --- two at once -------------------------------------------------------------------------------------------


def test_two_reports_at_once_in_one_folder(review, undisturbed, tmp_path):
    """Both work, no file is torn, and the folder is that of one run."""
    out, ready = tmp_path / "out", CONTEXT.Pipe(duplex=False)
    both = [
        CONTEXT.Process(
            target=victims.begin, args=(victims.report, (out, review), tmp_path / f"said{n}", ready[1])
        )
        for n in range(2)
    ]
    for process in both:
        process.start()
    for process in both:
        process.join(600)
    said = [(tmp_path / f"said{n}").read_text("utf-8") for n in range(2)]
    assert [process.exitcode for process in both] == [0, 0], said
    assert finished(out) == finished(undisturbed) and unfinished(out) == []
