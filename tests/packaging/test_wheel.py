"""The wheel holds tables, models and scripts, and works from an empty folder without the checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[2]
IN_WHEEL = ("calibration", "data", "models", "scripts")  # as kyphobayes/_project/...
IN_TREE = (*IN_WHEEL, "kyphobayes")
NAME = "new_fracture_bouza_only"

CHECK = """
import sys
from pathlib import Path
import kyphobayes
from kyphobayes.project import default_project
unzipped = Path(sys.argv[1])
assert Path(kyphobayes.__file__) == unzipped / "kyphobayes" / "__init__.py", kyphobayes.__file__
assert default_project().root == unzipped / "kyphobayes" / "_project", default_project().root
"""
RUN = "from kyphobayes.cli import main; main()"


def ours():
    """The files that belong to the project: what git knows, or all but what is made by running it."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        listed = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, capture_output=True, check=True, text=True).stdout.split("\0")
        return sorted(name for name in names if name and (ROOT / name).is_file())
    single = [path for path in ROOT.iterdir() if path.is_file()]
    below = [path for folder in IN_TREE for path in (ROOT / folder).rglob("*") if path.is_file()]
    kept = [path.relative_to(ROOT) for path in single + below if "__pycache__" not in path.parts]
    return sorted(path.as_posix() for path in kept)


@pytest.fixture(scope="module")
def unzipped(tmp_path_factory):
    """The content of a wheel that was built from a copy of the tree."""
    tree, dist, content = (tmp_path_factory.mktemp(name) for name in ("tree", "dist", "content"))
    for name in ours():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tree / name)
    command = [
        sys.executable,
        "-P",
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(dist),
        str(tree),
    ]
    built = subprocess.run(command, cwd=dist, capture_output=True, text=True, timeout=120, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = dist.iterdir()
    assert wheel.name.startswith("kyphobayes-") and wheel.name.endswith("-py3-none-any.whl")
    with ZipFile(wheel) as archive:
        archive.extractall(content)
    return content


def run(unzipped, folder, code, *arguments):
    """Run code with the wheel's content before all else that could be imported."""
    return subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(unzipped), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_everything_travels_in_the_wheel_and_nothing_else(unzipped):
    found = {path.relative_to(unzipped).as_posix() for path in unzipped.rglob("*") if path.is_file()}
    info = {name for name in found if name.split("/")[0].endswith(".dist-info")}
    tree = [name for name in ours() if name.split("/")[0] in IN_TREE]
    moved = {name if name.startswith("kyphobayes/") else f"kyphobayes/_project/{name}" for name in tree}
    assert found - info == moved
    for name in (
        "kyphobayes/py.typed",
        "kyphobayes/report/templates/page.html",
        "kyphobayes/report/checklists.toml",
        "kyphobayes/report/style.css",
        "kyphobayes/_project/data/analyses.toml",
        "kyphobayes/_project/data/datapackage.json",
        "kyphobayes/_project/models/binomial_normal.py",
        "kyphobayes/_project/scripts/own_counts.py",
    ):
        assert name in found
    assert {"METADATA", "LICENSE", "entry_points.txt"} <= {name.rsplit("/", 1)[1] for name in info}


def test_metadata_asks_for_what_is_needed(unzipped):
    (metadata,) = unzipped.glob("*.dist-info/METADATA")
    lines = metadata.read_text("utf-8").splitlines()
    assert "Name: kyphobayes" in lines and "Requires-Python: >=3.12" in lines
    assert any(line.startswith("Requires-Dist: pymc>=6.4") for line in lines)
    (entry,) = unzipped.glob("*.dist-info/entry_points.txt")
    assert "kyphobayes = kyphobayes.cli:main" in entry.read_text("utf-8")


def test_the_package_in_the_wheel_finds_its_own_project(unzipped, tmp_path):
    ran = run(unzipped, tmp_path, CHECK, str(unzipped))
    assert ran.returncode == 0, ran.stderr


def test_list_and_an_exact_fit_work_in_an_empty_folder(unzipped, tmp_path):
    listed = run(unzipped, tmp_path, RUN, "list")
    assert listed.returncode == 0, listed.stderr
    assert NAME in listed.stdout and "binomial_normal" in listed.stdout and list(tmp_path.iterdir()) == []

    fitted = run(unzipped, tmp_path, RUN, "fit", NAME, "--engine", "exact")
    assert fitted.returncode == 0, fitted.stderr
    assert "agreement: passed" in fitted.stdout
    (file,) = (tmp_path / "results" / "fits").iterdir()
    assert file.name.startswith(f"{NAME}-exact-")
