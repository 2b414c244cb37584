"""What decides that a fit is used again, and what becomes of one that is damaged, missing or another's."""

import os
import shutil
import sys
from contextlib import contextmanager

import pytest
import xarray as xr

import kyphobayes.engines.declared
import kyphobayes.engines.kept
import kyphobayes.fits
import kyphobayes.run
from kyphobayes.console import as_text
from kyphobayes.engines.kept import kept
from kyphobayes.errors import InputError
from kyphobayes.evidence import find_analysis, read_plan
from kyphobayes.evidence.questions import read_questions
from kyphobayes.fits import load, save
from kyphobayes.jobs import Job, processes, run_all
from kyphobayes.model import load_model
from kyphobayes.project import Project
from kyphobayes.questions import answer
from kyphobayes.run import run_analysis
from tests.faults.killing import finished, places
from tests.faults.victims import ROOT, by_quadrature

NAME = "example_contrasts"

# --- the same to the bit -----------------------------------------------------------------------------------


def test_one_worker_or_two_the_files_are_the_same(review, tmp_path):
    """Two seeds of an analysis, here one after the other, and each in a process of its own."""
    analysis = find_analysis(Project(review), NAME)

    def jobs(out):
        given = {"analysis": analysis, "project": Project(review), "out": out, "compare": False}
        return [Job(str(seed), by_quadrature, {**given, "seed": seed}) for seed in (0, 1)]

    here = run_all(jobs(tmp_path / "one"))
    with processes(2) as pool:
        there = run_all(jobs(tmp_path / "two"), pool)
    assert finished(tmp_path / "one") == finished(tmp_path / "two")
    assert as_text([result.to_dict() for result in here]) == as_text([result.to_dict() for result in there])
    digests = {result.fit.attrs["digest"] for result in here}
    assert len(digests) == len(set(finished(tmp_path / "one").values())) == 2


# --- what decides ------------------------------------------------------------------------------------------

# Analyses and questions whose first fit comes at once, whatever is asked of it afterwards.
RATES = {"cement_leakage", "leakage_bkp_bouza_only", "new_fracture", "new_fracture_bouza_only"}
QUESTIONS = {
    "patient_pain", "leakage_site", "leakage_and_fracture", "pain_change", "disability_change",
    "vertebra_kyphosis",
}  # fmt: skip
ALL = RATES | QUESTIONS


class Asked(Exception):
    """In place of a fit: its digest."""


@pytest.fixture(scope="module")
def edited(tmp_path_factory):
    """A copy of the tables and models that is put right again after each edit."""
    root = tmp_path_factory.mktemp("edited")
    for folder in ("data", "models"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return Project(root)


def first_digests(project, seed=0):
    """Digest of the first fit of every entry of the plan."""

    def asked(file, digest, *_):
        raise Asked(digest)

    found = {}
    entries = {name: (run_analysis, {"compare": False}) for name in RATES}
    entries |= {name: (answer, {}) for name in QUESTIONS}
    plan = read_plan(project) | read_questions(project)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kyphobayes.engines.kept, "kept", asked)
        patch.setattr(kyphobayes.engines.declared, "kept", asked)
        patch.setattr(kyphobayes.run, "_answers", lambda *_: ({}, {}))  # which would take the time
        for name, (run, options) in entries.items():
            with pytest.raises(Asked) as digest:
                run(plan[name], project, seed=seed, **options)
            found[name] = str(digest.value)
    return found


@pytest.fixture(scope="module")
def before(edited):
    return first_digests(edited)


EDITS = {
    "a count of one study": (
        "data/outcomes/new_fracture.csv",
        "ribeirao_preto,BKP,last,patients,2,22",
        "ribeirao_preto,BKP,last,patients,3,22",
        {"new_fracture", "leakage_and_fracture"},
    ),
    "a score of one patient": (
        "data/patients/ribeirao_preto_patients.csv",
        "metastasis,L1,1,1,9,3,0,",
        "metastasis,L1,1,1,9,4,0,",
        {"patient_pain", "pain_change", "vertebra_kyphosis"},  # all three use what patients said
    ),
    "what a paper prints of counts": (
        "data/constraints/new_fracture.toml",
        'value = "21"',
        'value = "22"',
        {"new_fracture", "new_fracture_bouza_only", "leakage_and_fracture"},
    ),
    "the seventh digit of a prior": (
        "data/priors/weakly_informative.toml",
        '[PLO.tau]\nprior = "HalfNormal(sigma=1)"',
        '[PLO.tau]\nprior = "HalfNormal(sigma=1.000001)"',
        RATES,
    ),
    "a model file": ("models/binomial_normal.py", "PRIORS = ", "PRIORS  = ", RATES),
}
# A prior that is only compared, a reason, a title: what none of these fits depends on.
IDLE = [
    ("data/priors/vague.toml", "HalfCauchy(beta=2.5)", "HalfCauchy(beta=2)"),
    ("data/priors/weakly_informative.toml", "neither impossible nor the rule", "hardly the rule"),
    ("data/analyses.toml", 'title = "Cement leakage"', 'title = "Leaks"'),
]


@contextmanager
def changed(project, edits):
    """Make edits of the project's files, and take them back."""
    before = {}
    for file, old, new in edits:
        path = project.root / file
        before[path] = path.read_text("utf-8")
        assert old in before[path]
        path.write_text(before[path].replace(old, new, 1), "utf-8")
    try:
        yield
    finally:
        for path, text in before.items():
            path.write_text(text, "utf-8")


@pytest.mark.parametrize(("file", "old", "new", "depend"), EDITS.values(), ids=EDITS)
def test_an_edit_refits_what_depends_on_it_and_nothing_else(file, old, new, depend, edited, before):
    with changed(edited, [(file, old, new)]):
        now = first_digests(edited)
    assert {name for name in ALL if now[name] != before[name]} == depend


def test_what_decides_nothing_refits_nothing(edited, before):
    with changed(edited, IDLE):
        assert first_digests(edited) == before


def test_every_fit_depends_on_the_seed(edited, before):
    now = first_digests(edited, seed=1)
    assert [name for name in ALL if now[name] == before[name]] == []


def test_a_model_file_is_read_as_it_is_now(edited, monkeypatch):
    """Of the same size and time as before, Python would take it for the file whose bytecode it has."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = edited.models / "binomial_normal.py"
    state = path.stat()
    one = load_model("binomial_normal", edited)
    edit = ("models/binomial_normal.py", 'tau="HalfNormal(sigma=1)"', 'tau="HalfNormal(sigma=2)"')
    with changed(edited, [edit]):
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        two = load_model("binomial_normal", edited)
    assert (str(one.priors["tau"]), str(two.priors["tau"])) == ("HalfNormal(sigma=1)", "HalfNormal(sigma=2)")
    assert one.digest != two.digest and load_model("binomial_normal", edited) is one


# --- damaged, missing, another's ---------------------------------------------------------------------------


@pytest.fixture
def fit(contrasts_exact, tmp_path):
    """A kept fit: its file, and a function that finds it or makes it again and says which."""
    digest = contrasts_exact.attrs["digest"]

    def again():
        tree, found = kept("fit", digest, lambda: contrasts_exact, tmp_path)
        xr.testing.assert_identical(tree["posterior"].to_dataset(), contrasts_exact["posterior"].to_dataset())
        return found

    assert not again()
    (path,) = (tmp_path / "fits").iterdir()
    return path, again


def flipped(whole):
    """Content with one bit of a draw changed: HDF5 would give another number, and no word."""
    at = len(whole) // 2
    return whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]


def marked(path, tree=None, digest=""):
    """A tree, by default with nothing in it, with the marks of a fit and perhaps another digest."""
    marks = dict(load(path).attrs)
    made = xr.DataTree() if tree is None else tree
    made.attrs.update(marks | ({"digest": digest} if digest else {}))
    return made


DAMAGE = {
    "missing": lambda path, whole: path.unlink(),
    "empty": lambda path, whole: path.write_bytes(b""),
    "cut in half": lambda path, whole: path.write_bytes(whole[: len(whole) // 2]),
    "without its last byte": lambda path, whole: path.write_bytes(whole[:-1]),
    "with a bit changed": lambda path, whole: path.write_bytes(flipped(whole)),
    "text": lambda path, whole: path.write_text("not a fit", "utf-8"),
    "its digest without its groups, not by us": lambda path, whole: marked(path).to_netcdf(
        path, engine="h5netcdf"
    ),
    "its digest without its groups": lambda path, whole: save(marked(path), path),
    "its groups with another digest": lambda path, whole: save(marked(path, load(path), "0" * 64), path),
}


@pytest.mark.parametrize("harm", DAMAGE.values(), ids=DAMAGE)
def test_a_fit_that_is_not_what_was_written_is_made_again(harm, fit):
    path, again = fit
    whole = path.read_bytes()
    assert again()
    harm(path, whole)
    assert not again()
    assert path.read_bytes() == whole and again() and list(path.parent.iterdir()) == [path]


def test_a_folder_in_place_of_a_fit_is_said_in_one_sentence(fit):
    path, again = fit
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match=rf"cannot write {path}: Is a directory; choose another --out"):
        again()
    assert list(path.iterdir()) == [] and list(path.parent.iterdir()) == [path]


def test_a_fit_of_another_version_stays_beside_the_new_one(review, tmp_path, monkeypatch):
    analysis, project = find_analysis(Project(review), NAME), Project(review)

    def run():
        return run_analysis(analysis, project, engines=("exact",), out=tmp_path, compare=False)

    with monkeypatch.context() as patch:
        now = kyphobayes.fits.versions()
        patch.setattr(kyphobayes.fits, "versions", lambda: {**now, "kyphobayes": "0.0.1"})
        old = run()
    older = places(tmp_path)
    new = run()
    assert old.reused == new.reused == () and old.fit.attrs["digest"] != new.fit.attrs["digest"]
    assert len(places(tmp_path)) == 2 and places(tmp_path).items() > older.items()
    assert run().reused == ("exact",)
