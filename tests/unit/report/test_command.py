"""`kyphobayes report --format …`: what is written, and what is said where it cannot be."""

import shutil
from contextlib import contextmanager

import pytest

from kyphobayes import jobs


@pytest.fixture
def finished(fracture, monkeypatch):
    """The work of the command, done before."""

    @contextmanager
    def nobody(hands, say):
        yield None

    monkeypatch.setattr(jobs, "processes", nobody)
    monkeypatch.setattr(jobs, "run_all", lambda given, executor, say: [fracture])


@pytest.fixture
def small(copied):
    """A project of one analysis, without papers, patients or printed lines."""
    plan = copied.data / "analyses.toml"
    text = plan.read_text(encoding="utf-8")
    start, end = text.index("[new_fracture_bouza_only]"), text.index("[patient_pain]")
    plan.write_text(text[start:end], encoding="utf-8")
    (copied.data / "lines.toml").write_text("", encoding="utf-8")
    shutil.rmtree(copied.data / "audit")
    return copied


@pytest.fixture
def call(capsys):
    from kyphobayes.cli import main

    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return left.value.code or 0, printed.out, printed.err

    return run


def test_an_unknown_format_is_refused_before_any_work(call, tmp_path):
    code, _, err = call("report", "--out", tmp_path / "out", "--format", "html,docx")
    assert code == 2 and "expected html, md, pdf, found docx" in " ".join(err.split())
    assert not (tmp_path / "out").exists()


def test_formats_are_given_with_commas_and_by_repeating(call, finished, small, tmp_path):
    given = ("--format", "HTML, md", "--format", "md")
    code, out, _ = call("report", "--project", small.root, "--out", tmp_path, *given)
    assert code == 0 and "report.html" in out
    assert (tmp_path / "report.html").is_file() and (tmp_path / "report.md").is_file()


def test_without_a_browser_the_page_is_kept(call, finished, small, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    code, _, err = call("report", "--project", small.root, "--out", tmp_path, "--format", "pdf")
    assert code == 2 and "no browser found" in " ".join(err.split())
    assert (tmp_path / "report.html").is_file() and not (tmp_path / "report.pdf").exists()
