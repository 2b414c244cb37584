import csv
import html
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from kyphobayes.errors import InputError
from kyphobayes.files import write
from kyphobayes.report import write_report
from kyphobayes.report.csv_tables import guarded, to_csv

from .conftest import HOSTILE


class Outline(HTMLParser):
    """Headings, ids, addresses and the text of a page; text of svg and style left out."""

    def __init__(self, page):
        super().__init__()
        self.headings, self.ids, self.links, self.tags, self.words = [], [], [], [], []
        self.images, self.hidden = [], 0
        self.feed(page)
        self.text = " ".join("".join(self.words).replace("\u00a0", " ").split())

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a":
            self.links.append(given["href"])
        if tag == "svg":
            self.images.append(given)
        self.hidden += tag in ("svg", "style")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("svg", "style")

    def handle_data(self, data):
        if not self.hidden:
            self.words.append(data)


@pytest.fixture(scope="module")
def folder(leakage, fracture, made_up, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    assert write_report([leakage, fracture, made_up], folder) == folder / "report.html"
    return folder


@pytest.fixture(scope="module")
def page(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def outline(page):
    return Outline(page)


def tidy(text):
    return " ".join(str(text).replace("\u00a0", " ").split())


def test_it_shows_all_evidence_and_why_the_rest_is_out(outline, leakage, fracture):
    for result in (leakage, fracture):
        for label in result.evidence.labels:
            assert tidy(label) in outline.text
        for _, row in result.evidence.rows.iterrows():
            assert tidy(row["citation"]) in outline.text
            assert tidy(row["locator"]) in outline.text
        for reason in result.evidence.excluded["reason"]:
            assert tidy(reason) in outline.text


def test_it_gives_the_reason_for_every_prior(outline, leakage, fracture):
    for result in (leakage, fracture):
        for priors in result.compared.values():
            for _, prior in priors.entries:
                assert prior.why
                assert tidy(prior.why) in outline.text
                assert str(prior) in outline.text


def test_it_shows_what_is_printed_and_what_was_left_out(outline, leakage, fracture):
    for result in (leakage, fracture):
        source = result.evidence.latent_source
        for printed, _ in source.trail:
            assert tidy(printed.words) in outline.text
        for printed, _ in source.left_out:
            assert tidy(printed.why) in outline.text
    assert "Two printed figures were left out" in outline.text


def test_hostile_names_are_shown_and_not_run(page, outline, folder):
    assert "<script" not in page
    assert html.escape(HOSTILE, quote=False).replace("'", "&#39;") in page
    assert tidy(HOSTILE) in outline.text
    assert "script" not in outline.tags
    names = [path.name for path in (folder / "tables").iterdir()]
    assert "made-up-b-evidence.csv" in names


def test_it_is_self_contained(page, outline):
    assert not {"link", "script", "img", "iframe", "object"} & (set(outline.tags) - {"link"})
    assert outline.tags.count("link") == 1  # the empty icon, so that no browser asks for one
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page.split("<body>")[0].replace("url(#", ""))
    assert not re.search(r"\ssrc=", page)
    assert not re.search(r'href="(?!#|data:,|https?://|figures/|tables/)', page)


def test_its_structure_is_in_order(page, outline):
    assert '<html lang="en">' in page
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(outline.headings, outline.headings[1:], strict=False))
    for link in outline.links:
        if link.startswith("#"):
            assert link[1:] in outline.ids
    assert outline.images
    assert all(image["role"] == "img" and image["aria-label"] for image in outline.images)
    assert outline.tags.count("caption") == outline.tags.count("table")


def test_files_lie_beside_it(folder, outline):
    for link in outline.links:
        if link.startswith(("figures/", "tables/")):
            assert (folder / link).stat().st_size > 50, link
    assert len(list((folder / "figures").glob("*.png"))) == len(list((folder / "figures").glob("*.svg")))
    assert not list(folder.rglob(".*"))
    summary = pd.read_csv(folder / "tables" / "summary.csv")
    assert summary["typical_rate"].iloc[0] == pytest.approx(0.05875, abs=1e-4)


def test_it_is_repeatable(folder, page, leakage, fracture, made_up, tmp_path):
    assert write_report([leakage, fracture, made_up], tmp_path).read_text(encoding="utf-8") == page


def test_a_failed_check_is_announced_at_the_top(fracture, tmp_path):
    check = replace(fracture.checks[0], passed=False, text="2 of 9 comparisons disagree")
    failed = replace(fracture, checks=(check, *fracture.checks[1:]))
    page = write_report([failed], tmp_path).read_text(encoding="utf-8")
    assert 0 < page.index('role="alert"') < page.index('id="summary"')
    assert "FAILED: 2 of 9 comparisons disagree" in page
    assert ">FAIL<" in page


def test_no_result_no_report(tmp_path):
    with pytest.raises(InputError, match="at least one"):
        write_report([], tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        write(tmp_path / "file" / "x.html", "text")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_spreadsheet_runs_no_cell(cell):
    assert guarded(cell) == f"'{cell}"
    table = to_csv(pd.DataFrame({"name": [cell], "=head": ["a-b"], "value": [-1.5]}))
    rows = list(csv.reader(io.StringIO(table)))
    assert rows[0] == ["name", "'=head", "value"]
    assert rows[1][0].startswith("'")
    assert rows[1][1:] == ["a-b", "-1.5"]
