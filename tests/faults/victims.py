"""What is killed: calls of the command line and of the functions that save, each in a process of its own.

`report` is the command's own, by quadrature alone, so that with the plan of a new review a run takes seconds;
`whole_report` is the command as it is, on the project's whole plan.
"""

import os
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import kyphobayes.run
from kyphobayes.cli import main
from kyphobayes.errors import InputError
from kyphobayes.files import make_folder, write
from kyphobayes.fits import save
from kyphobayes.reviews import new_review

ROOT = Path(__file__).resolve().parents[2]

_analysed = kyphobayes.run.run_analysis


def small_review(folder: Path) -> Path:
    """Make a review with two analyses of normal studies, for which the exact engine takes no time."""
    new_review(folder, "contrasts")
    plan = folder / "data" / "analyses.toml"
    first = plan.read_text("utf-8")
    second = first.replace("[example_contrasts", "[under_vague_priors").replace(
        'priors = "weakly_informative"', 'priors = "vague"'
    )
    plan.write_text(f"{first}\n{second}", "utf-8")
    return folder


# -- the command line ---------------------------------------------------------------------------------------


def by_quadrature(**given: Any) -> Any:
    """`run_analysis` without NUTS; a function of a module, so that workers find it."""
    return _analysed(**given, engines=("exact",))


def report(out: Path, project: Path, workers: int = 1, seed: int = 0) -> None:
    """``kyphobayes report``, by quadrature alone."""
    kyphobayes.run.run_analysis = by_quadrature
    _run("report", "--project", project, "--out", out, "--workers", workers, "--seed", seed)


def whole_report(out: Path, workers: int = 2) -> None:
    """``kyphobayes report`` on the whole plan."""
    _run("report", "--project", ROOT, "--out", out, "--workers", workers)


def calibrate(out: Path, workers: int = 1) -> None:
    """``kyphobayes calibrate`` of one model, by quadrature."""
    cells = [word for k in (3, 5, 7, 9) for word in ("--k", k)]
    few = ("--engine", "exact", "--n", 20, "--priors", "default", *cells)
    _run("calibrate", "normal_normal", *few, "--out", out, "--workers", workers)


def _run(*words: object) -> None:
    main([str(word) for word in words])


# -- saves --------------------------------------------------------------------------------------------------

_NAMES = ("page.html", "numbers.csv", "fits/fit.nc")
_ROWS = 20_000  # so that a save takes long enough to be hit


def contents(version: int) -> dict[str, str | xr.DataTree]:
    """One of two sets of files that differ in every byte that matters."""
    numbers = np.random.default_rng(version).normal(size=_ROWS)
    rows = "\n".join(f"{place},{number!r}" for place, number in enumerate(numbers.tolist()))
    posterior = xr.Dataset({"mu": (("chain", "draw"), numbers.reshape(4, -1))})
    tree = xr.DataTree.from_dict({"/posterior": posterior})
    tree.attrs["digest"] = str(version) * 64
    page = f"<!doctype html><html><body>{rows}</body></html>\n"
    return dict(zip(_NAMES, (page, f"place,number\n{rows}\n", tree), strict=True))


def saves(out: Path, rounds: int | None = None) -> None:
    """Write the two sets over each other, so many times or until the end; the last is version 1."""
    both = [contents(0), contents(1)]
    make_folder(out)
    for _ in count() if rounds is None else range(rounds):
        for files in both:
            _save(files, out)


def one_version(out: Path, version: int) -> None:
    """Write one of the two sets."""
    _save(contents(version), out)


def _save(files: dict[str, str | xr.DataTree], out: Path) -> None:
    for name, content in files.items():
        if isinstance(content, str):
            write(out / name, content)
        else:
            save(content, out / name)


# -- disks --------------------------------------------------------------------------------------------------


def on_a_small_disk(out: Path, project: Path, plain: Path) -> None:
    """A report on a disk that is too small, on one that cannot be written, and when there is room.

    Says what became of each, and whether what lies there is to the bit what lies in another folder.
    """
    if not _own_mounts():
        print("no mounts of one's own")
        return
    for size, more in (("300k", ""), ("2m", ",remount"), ("2m", ",remount,ro"), ("99m", ",remount,rw")):
        _mount(out, f"size={size}{more}")
        try:
            report(out, project)
            code: object = 0
        except SystemExit as left:
            code = left.code
        there = {path: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
        same = sum((plain / path.relative_to(out)).read_bytes() == found for path, found in there.items())
        fits = [path.stat().st_ino for path in (out / "fits").glob("*.nc")]
        print(
            f"\n{size}{more}: code {code or 0}, {len(there)} files, {same} the same, fits {fits}", flush=True
        )


def _own_mounts() -> bool:
    """Leave the mounts of other processes; without being root, as root of a namespace of one's own."""
    import ctypes

    user = os.getuid()
    try:
        os.unshare(os.CLONE_NEWNS if user == 0 else os.CLONE_NEWNS | os.CLONE_NEWUSER)
        if user:
            Path("/proc/self/uid_map").write_text(f"0 {user} 1", "utf-8")
    except OSError:
        return False
    private = 1 << 18 | 1 << 14  # MS_PRIVATE and MS_REC: nothing of this is seen outside
    return ctypes.CDLL(None).mount(None, b"/", None, private, None) == 0


def _mount(folder: Path, options: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)


def unprivileged(out: Path) -> None:
    """Write into a folder as somebody who may not."""
    if os.getuid() == 0:
        os.setuid(65534)
    page = out / "page.html"
    for act in (lambda: make_folder(out), lambda: write(page, "x"), lambda: make_folder(out / "new")):
        try:
            act()
            print("done")
        except InputError as problem:
            print(problem)


# -- the process --------------------------------------------------------------------------------------------


def begin(target: Any, arguments: tuple[Any, ...], said: Path, ready: Any) -> None:
    """Become the leader of a process group, send what is said to a file, tell that it begins, and do it."""
    os.setsid()
    with said.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    # both stay open until the process is killed
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    ready.send(os.getpid())
    target(*arguments)
