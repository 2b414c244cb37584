"""PDF by a browser: printed, or said in a sentence why not."""

import shutil

import pytest

from kyphobayes.errors import InputError
from kyphobayes.report import pdf
from kyphobayes.report.pdf import find_browser, write_pdf


def test_without_a_browser_it_is_said_and_the_page_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    page = tmp_path / "report.html"
    page.write_text("<p>page</p>")
    with pytest.raises(InputError, match=r"no browser found.*chromium.*The page .*report.html is written"):
        write_pdf(page, tmp_path / "report.pdf")
    assert page.exists() and not (tmp_path / "report.pdf").exists()


def test_a_browser_that_prints_nothing_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(pdf, "find_browser", lambda: shutil.which("false"))
    page = tmp_path / "report.html"
    page.write_text("<p>page</p>")
    with pytest.raises(InputError, match="did not print it"):
        write_pdf(page, tmp_path / "report.pdf")
    assert not (tmp_path / "report.pdf").exists()


@pytest.mark.browser
@pytest.mark.skipif(find_browser() is None, reason="no Chromium is installed")
def test_a_page_becomes_a_pdf(tmp_path):
    page = tmp_path / "report.html"
    page.write_text("<p>one</p><p style='break-before: page'>two</p>")
    printed = write_pdf(page, tmp_path / "report.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") == 2
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
