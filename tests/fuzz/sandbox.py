"""The folder in which inputs are read: deep enough that a path with dots in it stays in sight."""

import shutil
from pathlib import Path

from tests.fuzz.cases import ROOT


def make_sandbox(folder: Path) -> Path:
    """Make ``in``, ``out`` and a copy of the project's data below a folder; gives where they are."""
    sandbox = folder.resolve() / "a" / "b" / "sandbox"
    for name in ("in", "out"):
        (sandbox / name).mkdir(parents=True)
    shutil.copytree(ROOT / "data", sandbox / "project" / "data")
    return sandbox
