"""What the package imports is what it declares, and an environment of links holds what a wheel asks for."""

import ast
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("kyphobayes", "models", "scripts")
# What a declared package is made of, and chooses the version of: a bound of ours could only contradict it.
PART_OF = {"pytensor": "pymc", "arviz_plots": "arviz", "arviz_stats": "arviz", "markupsafe": "jinja2"}
FILLED = ROOT / ".ci" / "environment-of.py"


def imported(source):
    """Top-level names of what a source imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module).partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"kyphobayes"}


def undeclared(names):
    """Imported names that belong to no distribution that pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *extras["dask"], *extras["elicit"]]
    declared = {canonicalize_name(Requirement(line).name) for line in lines}
    providers = packages_distributions()
    found = set()
    for name in names:
        by = {canonicalize_name(each) for each in providers.get(name, [name])}
        if not by & declared and PART_OF.get(name) not in declared:
            found.add(name)
    return found


def test_every_import_is_of_a_declared_dependency():
    files = [path for folder in SHIPPED for path in (ROOT / folder).rglob("*.py")]
    names = set().union(*(imported(path.read_text("utf-8")) for path in files))
    assert {"pymc", "numpy", "pandas"} <= names and undeclared(names) == set()


def test_an_import_that_is_not_declared_is_caught():
    assert undeclared(imported("def f():\n    from statsmodels.api import OLS\nimport os, numpy.linalg")) == {
        "statsmodels"
    }


def filled(folder, asks):
    """An environment of links for a wheel that asks for this, and how the filling went."""
    wheel, site = folder / "little-1-py3-none-any.whl", folder / "site"
    with ZipFile(wheel, "w") as archive:
        lines = ["Name: little", "Version: 1", *(f"Requires-Dist: {line}" for line in asks)]
        archive.writestr("little-1.dist-info/METADATA", "\n".join(lines) + "\n\n")
    site.mkdir()
    command = [sys.executable, str(FILLED), str(wheel), str(site)]
    return site, subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_links_hold_what_is_asked_for_and_nothing_else(tmp_path):
    asks = ["rich>=14", "h5netcdf[h5py]>=1.6", "numba; extra == 'fast'", "scipy; python_version < '3'"]
    site, done = filled(tmp_path, asks)
    assert done.returncode == 0, done.stderr
    code = f"import sys; sys.path = [p for p in sys.path if 'site-packages' not in p] + [{str(site)!r}]\n"
    names = ("rich", "h5netcdf", "h5py", "numpy", "pygments", "scipy", "numba", "pytest", "kyphobayes")
    code += (
        f"import importlib.util as u\nprint([n for n in {names} if u.find_spec(n)])\nimport rich.table, h5py"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == str(["rich", "h5netcdf", "h5py", "numpy", "pygments"])


def test_links_refuse_what_is_not_installed(tmp_path):
    _, done = filled(tmp_path, ["rich", "no-such-package>=1"])
    assert done.returncode == 1 and "no-such-package>=1 is asked for, but not installed" in done.stderr
