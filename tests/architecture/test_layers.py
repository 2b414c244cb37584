"""The order of the layers, read from the imports, and what no file may do."""

import ast
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "kyphobayes"

# Numbers lie below labels, labels below words. A module imports only from layers with a lower number;
# two units of one layer know nothing of each other. A new module is given its number here.
LAYERS = {
    "errors": 0,
    "names": 0,
    "versions": 0,
    "html": 0,
    "families": 0,
    "toml_files": 1,
    "files": 1,
    "cluster": 1,
    "csv_files": 1,
    "natural_scale": 1,
    "project": 1,
    "priors": 1,
    "effects": 1,
    "jobs": 2,
    "catalogue": 2,
    "borrowing": 2,  # predictive priors and what they are worth
    "elicit": 2,
    "exact": 2,  # numbers from arrays; knows priors as values
    "frequentist": 2,  # the witness: nothing from exact, and exact nothing from it
    "kept_tables": 3,
    "reconstruct": 3,
    "evidence": 4,
    "own_data": 5,  # reads tables of users, gives views; knows no model
    "audit": 5,  # recomputes what papers print, from tables and reconstructed counts
    "model": 5,
    "latent_counts": 5,
    "fits": 6,
    "leaks": 6,  # leaks of vertebrae: arrays only
    "pain": 6,  # scores of patients: arrays only
    "pre_post": 6,
    "reanalysis": 6,  # printed lines analysed again
    "checks": 7,  # below engines: the gate of NUTS is a check, and checks only read fits
    "findings": 7,
    "decisions": 7,
    "sensitivity": 8,
    "witness": 7,
    "crosscheck": 8,
    "change": 8,  # means before and after across studies: numbers from posteriors
    "comparison": 8,  # two treatments in the same studies: numbers from posteriors and witnesses
    "joint": 8,  # two outcomes of the same studies: numbers from exact margins and weights
    "moderators": 8,  # studies at two levels of a covariate: posteriors, numbers and witnesses
    "engines": 8,
    "subgroups": 8,  # groups of studies with a common tau: posteriors
    "run": 9,
    "coverage": 9,  # how often intervals cover, in simulated studies
    "updating": 8,  # the next series: foreseen, and what is known after it
    "time_at_risk": 8,  # events in a time at risk: numbers from posteriors and witnesses
    "vertebrae": 8,  # angles of vertebrae and their patients' pain: numbers, tables and checks
    "outlying": 8,  # shapes of the differences between studies, and what each study does
    "calibration": 9,  # simulated data, fitted, and where the truth lies in its posterior
    "questions": 9,
    "explorer": 9,  # a page with the surface in it, where the priors move
    "pooling": 10,  # a table of a user's to a checked answer
    "recovery": 10,  # latent counts simulated, printed, reconstructed and held against the truth
    "reviews": 10,  # a folder for a review of one's own
    "report": 10,
    "console": 11,
    "commands": 12,
    "cli": 13,
    "": 14,  # the package itself: public names, each imported when it is used
}
# A model file is also a script: `run_model` calls the command line, when it is called and not before.
# A result shows itself in a notebook in the report's words, when it is shown.
UPWARD = {("kyphobayes.model", "kyphobayes.cli"), ("kyphobayes.run", "kyphobayes.report.sentences")}
HEAVY = {"pymc", "arviz", "matplotlib", "pytensor", "nutpie"}
LIGHT_UNITS = ("effects", "frequentist", "exact")
LONGEST = 400  # lines
SOURCES = sorted(PACKAGE.rglob("*.py"))
CODE = sorted(p for folder in ("kyphobayes", "models", "scripts") for p in (ROOT / folder).rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in SOURCES}


def unit(module: str) -> str:
    """Top-level part of the package that a module belongs to; empty for the package itself."""
    return module.removeprefix("kyphobayes").removeprefix(".").partition(".")[0]


class Imports(ast.NodeVisitor):
    """What a module imports, and whether only for its annotations or only when a function runs."""

    def __init__(self, source: str, module: str = ""):
        self.module, self.found, self._typing, self._lazy = module, [], False, False
        self.visit(ast.parse(source))

    def visit_If(self, node):
        if ast.unparse(node.test).endswith("TYPE_CHECKING"):
            self._typing, before = True, self._typing
            for statement in node.body:
                self.visit(statement)
            self._typing = before
            for statement in node.orelse:
                self.visit(statement)
        else:
            self.generic_visit(node)

    def visit_FunctionDef(self, node):
        self._lazy, before = True, self._lazy
        self.generic_visit(node)
        self._lazy = before

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Import(self, node):
        for alias in node.names:
            self.found.append((alias.name, self._typing, self._lazy))

    def visit_ImportFrom(self, node):
        assert node.level == 0, f"{self.module}: relative import; write the full name"
        for alias in node.names:
            name = f"{node.module}.{alias.name}"  # a module of a package, or a name in a module
            self.found.append((name if name in MODULES else str(node.module), self._typing, self._lazy))


def imports(module: str) -> list[tuple[str, bool, bool]]:
    return Imports(MODULES[module].read_text(encoding="utf-8"), module).found


def upward(edges: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Imports that do not go down."""
    return [
        (source, target)
        for source, target in edges
        if unit(source) != unit(target) and LAYERS[unit(source)] <= LAYERS[unit(target)]
    ]


def edges(*, typing: bool) -> list[tuple[str, str]]:
    return [
        (module, target)
        for module in MODULES
        for target, only_typing, _ in imports(module)
        if target.startswith("kyphobayes.") and (typing or not only_typing)
    ]


# --- the order -------------------------------------------------------------------------------------------


def test_every_module_has_a_layer():
    assert {unit(module) for module in MODULES} - {""} <= set(LAYERS), "give the new module a layer"


def test_imports_go_down_the_layers():
    assert set(upward(edges(typing=True))) == UPWARD


def test_what_goes_up_is_imported_only_when_a_function_runs():
    for source, target in UPWARD:
        assert {lazy for found, _, lazy in imports(source) if found == target} == {True}


def test_the_package_itself_imports_nothing_of_it():
    now = {name for name, only_typing, _ in imports("kyphobayes") if not only_typing}
    assert now == {"importlib", "typing"}  # its names are imported when they are used


def test_modules_do_not_import_each_other_in_a_circle():
    graph: dict[str, set[str]] = {module: set() for module in MODULES}
    for source, target in edges(typing=False):
        # An __init__ that gathers its own modules is not a circle; a module that imports its __init__ is.
        if (source, target) not in UPWARD and source != target:
            graph[source].add(target)
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"circle: {' <- '.join(error.args[1])}")
    assert len(order) >= len(MODULES)


def test_an_import_that_goes_up_or_sideways_is_caught():
    assert upward([("kyphobayes.exact.surface", "kyphobayes.evidence")])
    assert upward([("kyphobayes.frequentist.pool", "kyphobayes.exact")])
    assert upward([("kyphobayes.exact.surface", "kyphobayes.frequentist.pool")])
    assert upward([("kyphobayes.checks.agreement", "kyphobayes.engines.nuts")])
    assert not upward([("kyphobayes.engines.nuts", "kyphobayes.checks.convergence")])
    source = (
        "if TYPE_CHECKING:\n    import pymc\ndef f():\n    from kyphobayes.cli import main\nimport numpy\n"
    )
    assert Imports(source).found == [
        ("pymc", True, False),
        ("kyphobayes.cli", False, True),
        ("numpy", False, False),
    ]


# --- numbers without PyMC --------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [m for m in MODULES if unit(m) in LIGHT_UNITS])
def test_numeric_module_names_no_heavy_library(module):
    assert {name.partition(".")[0] for name, _, _ in imports(module)} & HEAVY == set()


def loaded_after(statement: str) -> set[str]:
    """Modules that a fresh interpreter has loaded after a statement."""
    code = f"import sys\n{statement}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_exact_starts_without_heavy_libraries_and_without_its_witness():
    loaded = loaded_after(
        "from kyphobayes import exact\n"
        "exact.binomial([0, 5], [32, 35]).posterior(mu='Normal(mu=-2)', tau='HalfNormal(sigma=1)')"
    )
    assert "kyphobayes.exact" in loaded and "numpy" in loaded
    assert loaded & HEAVY == set()
    assert [m for m in loaded if m.startswith("kyphobayes.frequentist")] == []


def test_the_witness_starts_without_heavy_libraries_and_without_exact():
    loaded = loaded_after(
        "from kyphobayes import frequentist\nfrequentist.pool([0.1, 0.4, 0.2], [0.1, 0.2, 0.1])"
    )
    assert "kyphobayes.frequentist" in loaded
    assert loaded & HEAVY == set()
    assert [m for m in loaded if m.startswith("kyphobayes.exact")] == []


# --- every file ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", CODE, ids=relative)
def test_file_is_short_and_does_one_thing(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST
    assert path.stem not in {"utils", "util", "helpers", "misc", "common"}


EVALUATING = {"eval", "exec", "compile", "__import__"}
LOADING = {"pickle", "cloudpickle", "dill", "shelve", "marshal", "joblib", "yaml"}


def executes(source: str) -> list[str]:
    """What in a source turns text or bytes into running code."""
    found = [name for name, _, _ in Imports(source).found if name.partition(".")[0] in LOADING]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in EVALUATING or called.endswith((".eval", ".query")):
                found.append(called)
            found += [f"{called}(allow_pickle)" for keyword in node.keywords if keyword.arg == "allow_pickle"]
    return found


@pytest.mark.parametrize("path", CODE, ids=relative)
def test_file_never_runs_what_it_reads(path):
    assert executes(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "eval('1')",
        "import pickle",
        "from pickle import loads",
        "frame.eval('a')",
        "np.load(f, allow_pickle=True)",
    ],
)
def test_code_that_runs_what_it_reads_is_caught(source):
    assert executes(source)


@pytest.mark.parametrize("path", CODE, ids=relative)
def test_file_stands_alone(path):
    """Nothing refers to the place where the project was made."""
    assert re.findall(r"\.\./shared|shared/|/work/|/root/|/home/", path.read_text(encoding="utf-8")) == []
