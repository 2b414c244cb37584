"""``import kyphobayes as kb``: few names, each where it is used first, with types that editors see."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import kyphobayes as kb

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"pymc", "arviz", "pytensor", "matplotlib", "pandas", "xarray", "numpy", "scipy", "nutpie", "bokeh"}

SCRIPT = '''\
"""What a user writes: no error, and types that an editor can complete."""

import kyphobayes as kb

surface = kb.exact.binomial([0, 5, 4], [32, 35, 19])
posterior = surface.posterior(mu="Normal(mu=-2.5, sigma=1.5)", tau=kb.Prior.parse("HalfNormal(sigma=1)"))
reveal_type(surface)
reveal_type(posterior.theta_new)
reveal_type(posterior.summary())
reveal_type(posterior.quantile("mu", 0.5))
evidence = kb.contrasts([0.1, 0.4], [0.2, 0.2], measure="SMD")
reveal_type(evidence)
model = kb.load_model("normal_normal")
priors = kb.Priors.of(mu="Normal(mu=0, sigma=1)", tau="HalfNormal(sigma=1)")
reveal_type(kb.fit_exact(model, evidence, priors))
project = kb.find_project()
reveal_type(kb.read_plan(project))
reveal_type(kb.run_analysis)
reveal_type(kb.fit({"study": ["a", "b"], "events": [1, 2], "n": [9, 9]}))
reveal_type(kb.frequentist.pool([0.1, 0.4, 0.2], [0.1, 0.2, 0.1]).mu)
reveal_type(kb.effects.effect_size("PLO", {"events": [1, 2], "n": [9, 9]}).y)
kb.no_such_name
'''


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_names_are_few_and_sorted_and_each_is_there():
    assert sorted(kb.__all__) == sorted(kb._PLACES) and len(kb.__all__) <= 30
    for name in kb.__all__:
        assert getattr(kb, name).__doc__, name
    assert set(dir(kb)) == {*kb.__all__, "__version__"}


def test_a_name_is_what_its_own_module_calls_so():
    for name, place in kb._PLACES.items():
        home = import_module(f"kyphobayes.{place}" if place else "kyphobayes")
        assert getattr(kb, name) is getattr(home, name), name


def test_no_public_name_is_hidden_by_a_module_of_the_same_name():
    """Importing ``kyphobayes.fit`` would replace the function ``kb.fit``, whoever did it."""
    modules = {path.stem for path in (ROOT / "kyphobayes").iterdir() if path.suffix == ".py" or path.is_dir()}
    clash = {name for name, place in kb._PLACES.items() if place} & modules
    assert clash == set()


def test_an_unknown_name_is_told_with_those_there_are():
    with pytest.raises(AttributeError, match=r"has no attribute 'fitt'; it has Prior, Priors"):
        _ = kb.fitt


def test_importing_it_imports_nothing():
    loaded = run("import sys\nimport kyphobayes as kb\ndir(kb)\nprint('\\n'.join(sys.modules))")
    assert loaded & HEAVY == set()
    assert {name for name in loaded if name.startswith("kyphobayes.")} == set()


@pytest.mark.parametrize("name", ["exact", "effects", "frequentist", "Prior", "Project"])
def test_light_names_stay_light(name):
    loaded = run(f"import sys\nimport kyphobayes as kb\nkb.{name}\nprint('\\n'.join(sys.modules))")
    assert loaded & {"pymc", "arviz", "pytensor", "matplotlib"} == set()


def test_star_import_gives_the_public_names():
    assert {"exact", "Prior"} <= run("from kyphobayes import *\nprint('\\n'.join(dir()))")


def test_every_public_package_says_what_is_public():
    for name in ("exact", "effects", "frequentist", "reconstruct", "evidence", "priors", "checks", "engines"):
        package = import_module(f"kyphobayes.{name}")
        assert package.__all__ and all(hasattr(package, public) for public in package.__all__), name
    assert (ROOT / "kyphobayes" / "py.typed").is_file()


def test_an_editor_sees_the_types(tmp_path):
    pytest.importorskip("pyright")
    script = tmp_path / "user.py"
    script.write_text(SCRIPT, encoding="utf-8")
    config = {"include": [str(script)], "extraPaths": [str(ROOT)], "pythonVersion": "3.12"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(config), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", tmp_path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = json.loads(done.stdout)["generalDiagnostics"]
    errors = [entry for entry in told if entry["severity"] == "error"]
    assert [entry["message"].split("\n")[0] for entry in errors] == [
        '"no_such_name" is not a known attribute of module "kyphobayes"'
    ]
    types = [
        entry["message"].split(" is ", 1)[1].strip('"') for entry in told if "Type of" in entry["message"]
    ]
    array = "ndarray[tuple[Any, ...], dtype[float64]]"
    plain = [text for text in types if not text.startswith("(")]
    assert plain == [
        "Surface",
        "Density",
        "DataFrame",
        array,
        "Contrasts",
        "DataTree",
        "dict[str, Analysis]",
        "Pooled",
        "float",
        array,
    ]
    (function,) = (text for text in types if text.startswith("("))
    assert function.startswith("(analysis: Analysis") and function.endswith("-> Result")
