"""Loading a model file: its contract, and one clear sentence where it is broken."""

import pytest

from kyphobayes.errors import EvidenceError, PriorError
from kyphobayes.evidence import Contrasts, Counts, contrasts, counts
from kyphobayes.model import load_model, model_names, run_model
from kyphobayes.priors import Priors
from kyphobayes.project import Project

GOOD = '''"""y ~ Normal(mu, 1).

More words.
"""
from kyphobayes.evidence import Contrasts
from kyphobayes.priors import Priors

PRIORS = Priors.of("default", mu="Normal(mu=0, sigma=1)")


def build(evidence: Contrasts, priors: Priors = PRIORS, *, centred: bool = False):
    return None
'''


@pytest.fixture
def folder(tmp_path):
    for name in ("data", "models"):
        (tmp_path / name).mkdir()
    return Project(tmp_path)


def write(project, text, name="mine"):
    path = project.models / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_a_model_file_says(folder):
    path = write(folder, GOOD)
    model = load_model("mine", folder)
    assert (model.name, model.formula, model.path) == ("mine", "y ~ Normal(mu, 1).", path)
    assert model.view is Contrasts and model.declared_surface is None
    assert model.priors.texts() == {"mu": "Normal(mu=0, sigma=1)"}
    assert len(model.digest) == 64


def test_the_folder_is_the_registry(folder):
    own = set(model_names())
    assert set(model_names(folder)) == own
    for name in ("b_model", "a_model"):
        write(folder, GOOD, name)
    (folder.models / "notes.txt").write_text("no model", encoding="utf-8")
    assert set(model_names(folder)) - own == {"a_model", "b_model"}


def test_models_of_this_project(project, binomial_normal, normal_normal):
    assert {"binomial_normal", "normal_normal"} <= set(model_names(project))
    assert binomial_normal.view is Counts and normal_normal.view is Contrasts
    assert binomial_normal.digest != normal_normal.digest


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("binomial_norml", "did you mean binomial_normal"),
        ("zzz", "there are"),
        ("../models/binomial_normal", "no model"),
    ],
)
def test_unknown_model(name, words, project):
    with pytest.raises(EvidenceError, match=words) as error:
        load_model(name, project)
    assert "models/" in str(error.value)


BROKEN = {
    "no PRIORS": (
        GOOD.replace("PRIORS = Priors.of", "OTHER = Priors.of").replace(" = PRIORS,", ","),
        "PRIORS",
    ),
    "PRIORS of another kind": (
        GOOD.replace('Priors.of("default", mu="Normal(mu=0, sigma=1)")', "{}"),
        "PRIORS",
    ),
    "no build": (GOOD.replace("def build", "def make"), "build"),
    "no annotation": (GOOD.replace("evidence: Contrasts", "evidence"), "annotated with a view"),
    "an annotation that is no view": (
        GOOD.replace("evidence: Contrasts", "evidence: dict"),
        "annotated with a view",
    ),
    "no docstring": (GOOD[GOOD.index("from ") :], "docstring"),
    "not Python": (GOOD + "\ndef (:\n", "models/mine.py"),
    "an import that fails": ("import nothing_of_this_name\n" + GOOD, "models/mine.py"),
    "code that fails": (GOOD + "\n1 / 0\n", "models/mine.py"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_model_file_is_one_clear_sentence(case, folder):
    text, words = BROKEN[case]
    write(folder, text)
    with pytest.raises(EvidenceError) as error:
        load_model("mine", folder)
    assert "models/mine.py" in str(error.value) and words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_model_file_does_not_take_the_place_of_another_module(folder):
    import statistics

    write(folder, GOOD, "statistics")
    model = load_model("statistics", folder)
    assert model.name == "statistics"
    import statistics as again

    assert again is statistics and hasattr(again, "median")


def test_check_of_view_and_priors(binomial_normal):
    evidence = counts([1], [9])
    binomial_normal.check(evidence, binomial_normal.priors)
    with pytest.raises(EvidenceError, match="model binomial_normal takes Counts, found Contrasts"):
        binomial_normal.check(contrasts([1], [2]), binomial_normal.priors)
    with pytest.raises(PriorError, match="no prior for tau in some"):
        binomial_normal.check(evidence, Priors.of("some", mu="Normal(mu=0, sigma=1)"))


def test_a_model_file_runs_as_the_command_line_would(monkeypatch, tmp_path):
    import kyphobayes.cli

    called = []
    monkeypatch.setattr(kyphobayes.cli, "main", called.append)
    monkeypatch.setattr("sys.argv", ["models/binomial_normal.py", "cement_leakage", "--seed", "3"])
    run_model(str(tmp_path / "binomial_normal.py"))
    (arguments,) = called
    assert arguments[:3] == ["fit", "--project", str(tmp_path.parent)]  # the one the file lies in
    assert arguments[3:6] == ["cement_leakage", "--seed", "3"]
    assert arguments[arguments.index("--model") + 1] == "binomial_normal"
