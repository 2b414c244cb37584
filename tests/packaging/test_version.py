"""One version in four places, and a changelog and a citation that tools can read."""

import datetime
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import kyphobayes

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
RELEASE = re.compile(r"## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})")
KINDS = {"Added", "Changed", "Changed answers", "Deprecated", "Removed", "Fixed", "Security"}


def releases(changelog):
    """Version and date of each release, the latest first."""
    return [(number, datetime.date.fromisoformat(day)) for number, day in RELEASE.findall(changelog)]


def complaints(changelog):
    """What is wrong with a changelog's form."""
    heads = [line for line in changelog.splitlines() if line.startswith("#")]
    found = (
        []
        if heads[:2] == ["# Changelog", "## [Unreleased]"]
        else ["expected # Changelog and ## [Unreleased] first"]
    )
    found += [
        f"not a release: {line}"
        for line in heads[2:]
        if line.startswith("## ") and not RELEASE.fullmatch(line)
    ]
    found += [
        f"not a kind of change: {h}"
        for h in heads
        if h.startswith("###") and h.removeprefix("### ") not in KINDS
    ]
    made = releases(changelog)
    as_numbers = [tuple(map(int, number.split("."))) for number, _ in made]
    if as_numbers != sorted(set(as_numbers), reverse=True) or made != sorted(
        made, key=lambda r: r[1], reverse=True
    ):
        found.append("expected the latest release first, each once")
    return found


CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
CITATION = (ROOT / "CITATION.cff").read_text("utf-8")
CITED = dict(re.findall(r'^([a-z-]+):[ ]*"?(.*?)"?$', CITATION, re.MULTILINE))


def test_one_version_everywhere():
    (latest, day), *_ = releases(CHANGELOG)
    stated = {kyphobayes.__version__, PROJECT["version"], CITED["version"], latest, version("kyphobayes")}
    assert len(stated) == 1, stated
    assert CITED["date-released"] == day.isoformat()


def test_the_changelog_keeps_its_form():
    assert complaints(CHANGELOG) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("## [Unreleased]", "## Unreleased", "Unreleased"),
        ("### Added", "### Addd", "not a kind of change: ### Addd"),
        ("## [0.1.0] - 2026-11-20", "## 0.1.0", "not a release: ## 0.1.0"),
        ("## [0.1.0]", "## [0.1.0] - 2026-11-20\n\n## [0.1.0]", "each once"),
        ("## [0.1.0]", "## [0.0.9] - 2026-11-21\n\n## [0.1.0]", "the latest release first"),
    ],
)
def test_a_changelog_that_loses_its_form_is_caught(old, new, said):
    assert any(said in complaint for complaint in complaints(CHANGELOG.replace(old, new, 1)))


def test_the_citation_has_what_cff_requires_and_what_the_project_says():
    assert CITED["cff-version"] == "1.2.0" and CITED["type"] == "software"
    assert {"message", "title", "authors", "abstract", "keywords"} <= set(CITED)
    assert '  - name: "kyphobayes contributors"' in CITATION.splitlines()
    assert CITED["license"] == PROJECT["license"]
    assert CITED["title"].startswith(PROJECT["name"])


def test_the_security_page_promises_what_there_is():
    page = (ROOT / "SECURITY.md").read_text("utf-8")
    assert "audit-lock" in page and "exit code 2" in page
    for path in re.findall(r"\]\(([\w./-]+)\)", page):
        assert (ROOT / path).exists(), path
    assert not re.search(r"[\w.]+@[\w.]+", page)  # nobody answers an address that was made up
