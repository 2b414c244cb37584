"""The pages are built without a warning, ask nothing of a network, and leave nothing out."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PUBLIC = ["exact", "effects", "frequentist", "reconstruct", "priors", "evidence", "engines", "fits", "checks"]
PUBLIC += [
    "sensitivity",
    "borrowing",
    "updating",
    "audit",
    "errors",
    "pooling",
    "own_data",
    "reviews",
    "explorer",
]
needs_sphinx = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("sphinx", "myst_parser", "furo")),
    reason="Sphinx is not installed",
)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    ran = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html",
         "-d", str(folder / "doctrees"), str(DOCS), str(folder / "html")],
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return folder / "html"


@needs_sphinx
def test_no_page_asks_the_network(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 20
    for path in [*pages, *site.rglob("*.css")]:
        text = path.read_text("utf-8")
        tags = re.findall(r"<(?:script|link|img|iframe|source)\b[^>]*>", text)
        asked = [tag for tag in tags if re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", tag)]
        assert not asked, (path.name, asked)
        assert not re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", text), path.name


@needs_sphinx
def test_formulas_are_mathml(site):
    text = (site / "explanation" / "surface.html").read_text("utf-8")
    assert text.count("<math ") > 10 and "\\mathrm" not in text
    assert not re.search(r"<script[^>]*mathjax", text, re.IGNORECASE)


@needs_sphinx
def test_pages_that_are_made_say_what_they_are_made_from(site):
    commands = (site / "reference" / "commands.html").read_text("utf-8")
    assert all(
        f"kyphobayes {name}" in commands for name in ("fit", "sensitivity", "reanalyse", "lint", "report")
    )
    for script in (ROOT / "scripts").glob("*.py"):
        printed = (DOCS / "how-to" / "output" / f"{script.stem}.txt").read_text("utf-8").split()
        page = next(
            path
            for path in site.joinpath("how-to").glob("*.html")
            if f"scripts/{script.name}" in path.read_text("utf-8")
        )
        assert printed[-1] in page.read_text("utf-8")


def test_every_script_has_a_page():
    shown = {
        name
        for path in DOCS.rglob("*.md")
        for name in re.findall(r"\{script\} (\w+)", path.read_text("utf-8"))
    }
    assert shown == {path.stem for path in (ROOT / "scripts").glob("*.py")}
    assert shown == {path.stem for path in (DOCS / "how-to" / "output").glob("*.txt")}


def test_every_public_package_is_in_the_reference():
    documented = "\n".join(path.read_text("utf-8") for path in DOCS.joinpath("reference").glob("*.md"))
    for name in PUBLIC:
        assert f"automodule:: kyphobayes.{name}\n" in documented
