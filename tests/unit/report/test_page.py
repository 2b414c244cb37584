import csv
import html
import io
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from kyphobayes.errors import InputError
from kyphobayes.files import write
from kyphobayes.project import default_project
from kyphobayes.report import write_report
from kyphobayes.report.csv_tables import guarded, to_csv

from .conftest import HOSTILE


class Outline(HTMLParser):
    """Headings, ids, addresses and the text of a page; text of svg, style and script left out."""

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
        self.hidden += tag in ("svg", "style", "script")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("svg", "style", "script")

    def handle_data(self, data):
        if not self.hidden:
            self.words.append(data)


@pytest.fixture(scope="module")
def results(leakage, fracture, made_up):
    return [leakage, fracture, made_up]


@pytest.fixture(scope="module")
def folder(results, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    explorer = folder / "explorer"
    explorer.mkdir()
    (explorer / "cement_leakage.html").write_text("<p>priors</p>")
    page = write_report(results, folder, project=default_project(), formats=("html", "md"))
    assert page == folder / "report.html"
    return folder


@pytest.fixture(scope="module")
def page(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def markdown(folder):
    return (folder / "report.md").read_text(encoding="utf-8")


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


def test_the_summary_comes_first_and_leads_to_every_section(page, outline):
    assert outline.text.index("Table S1. All analyses and questions") < outline.text.index("Table S2.")
    rows = page[page.index('id="table-summary"') : page.index('id="table-decisions"')]
    for anchor in ("cement-leakage", "new-fracture-bouza-only", "made-up-b"):
        assert f'<a href="#{anchor}">' in rows


def test_tables_figures_and_sections_are_numbered_in_order_and_referred_to(outline, page):
    for kind in ("Table", "Figure"):
        captions = re.findall(rf'<span class="number">{kind} S(\d+)\.</span>', page)
        assert [int(number) for number in captions] == list(range(1, len(captions) + 1))
    sections = re.findall(r'<h2 id="[^"]*"[^>]*><span class="number">(\d+)</span>', page)
    assert [int(number) for number in sections] == list(range(1, len(sections) + 1))
    caption = r'id="((?:table|figure)-[^"]+)">.*?<span class="number">((?:Table|Figure) S\d+)\.</span>'
    numbers = dict(re.findall(caption, page, flags=re.S))
    referred = re.findall(r'<a href="#((?:table|figure)-[^"]+)">((?:Table|Figure) S\d+)</a>', page)
    assert len(referred) > 20
    assert all(numbers[anchor] == label for anchor, label in referred)


def test_hostile_names_are_shown_and_not_run(page, outline, folder, markdown):
    assert page.count("<script") == outline.tags.count("script") == 1  # our own
    assert html.escape(HOSTILE, quote=False).replace("'", "&#39;") in page
    assert tidy(HOSTILE) in outline.text
    outside = re.sub(r"^(`{3,})r$.*?^\1$", "", markdown, flags=re.M | re.S)  # code is shown as it is
    assert "the same analysis in R" in markdown and "the same analysis in R" not in outside
    assert "<script" not in outside
    for file in folder.rglob("*.svg"):
        assert "<script" not in file.read_text(encoding="utf-8")
    cells = pd.read_csv(folder / "tables" / "made-up-b-evidence.csv")
    assert cells["label"].tolist() == [HOSTILE, "'=1+1", "A $x_1$ study"]


def test_nothing_runs_but_the_script_that_the_page_names(page):
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page).group(1)
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/=]+'$", policy)
    assert not re.search(r"\son\w+=", page.split("<body>")[0])


def test_it_is_self_contained(page, outline):
    assert not {"img", "iframe", "object", "embed", "form"} & set(outline.tags)
    assert outline.tags.count("link") == 1  # the empty icon, so that no browser asks for one
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page.split("<body>")[0].replace("url(#", ""))
    assert not re.search(r"\ssrc=", page)
    assert not re.search(r'href="(?!#|data:,|https?://|figures/|tables/|r/|fits/|explorer/)', page)


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


def test_files_lie_beside_it_and_are_listed(folder, outline):
    listed = set(" ".join(pd.read_csv(folder / "tables" / "files.csv")["files"]).split())
    beside = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.*")
        if path.parent != folder and path.parent.name != "explorer"
    }
    assert listed == beside - {"tables/files.csv"}
    for link in outline.links:
        if link.startswith(("figures/", "tables/", "r/", "fits/", "explorer/")):
            assert (folder / link).stat().st_size > 10, link
    assert len(list((folder / "figures").glob("*.png"))) == len(list((folder / "figures").glob("*.svg")))
    assert not list(folder.rglob(".*"))
    summary = pd.read_csv(folder / "tables" / "summary.csv")
    assert summary["median"].iloc[0] == pytest.approx(0.05875, abs=1e-4)


def test_a_page_for_moving_priors_is_linked_where_there_is_one(outline):
    assert [link for link in outline.links if link.startswith("explorer/")] == [
        "explorer/cement_leakage.html"
    ]


def test_it_is_repeatable(folder, page, markdown, results, tmp_path):
    shutil.copytree(folder / "explorer", tmp_path / "explorer")
    again = write_report(results, tmp_path, project=default_project(), formats=("html", "md"))
    assert again.read_text(encoding="utf-8") == page
    assert (tmp_path / "report.md").read_text(encoding="utf-8") == markdown


def test_markdown_says_what_the_page_says(markdown, page):
    for label in re.findall(r'<span class="number">((?:Table|Figure) S\d+)\.</span>', page):
        assert f"**{label}." in markdown
    for path in re.findall(r"!\[[^\n]*\]\(([^)]+)\)", markdown):
        assert path.startswith("figures/")
    for line in markdown.splitlines():
        if line.startswith("| "):
            assert len(re.findall(r"(?<!\\)\|", line)) >= 3


def test_without_a_project_it_is_about_the_results_alone(made_up, tmp_path):
    bare = replace(made_up, analysis=replace(made_up.analysis, title="Leaks in my centres"), sensitivity=None)
    text = Outline(write_report([bare], tmp_path).read_text(encoding="utf-8")).text
    assert text.startswith("Leaks in my centres: a Bayesian synthesis")
    assert "recomputed" not in text and "printed lines" not in text  # sections of a project
    assert "The evidence was handed over without sources." in text
    assert (tmp_path / "fits").is_dir()  # kept nowhere else


def test_a_failed_check_is_announced_at_the_top(fracture, tmp_path):
    check = replace(fracture.checks[0], passed=False, text="2 of 9 comparisons disagree")
    failed = replace(fracture, checks=(check, *fracture.checks[1:]))
    page = write_report([failed], tmp_path).read_text(encoding="utf-8")
    assert 0 < page.index('role="alert"') < page.index('id="summary"')
    assert "FAILED: 2 of 9 comparisons disagree" in page
    assert ">FAIL<" in page


def test_an_analysis_may_have_the_name_of_a_section(fracture, tmp_path):
    named = replace(fracture, analysis=replace(fracture.analysis, name="summary"))
    page = write_report([named], tmp_path).read_text(encoding="utf-8")
    assert 'id="summary-2"' in page and page.count('id="summary"') == 1


def test_no_result_no_report(tmp_path):
    with pytest.raises(InputError, match="at least one"):
        write_report([], tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("formats", [(), ("docx",)])
def test_formats_are_known(fracture, tmp_path, formats):
    with pytest.raises(InputError, match="expected formats of html, md, pdf"):
        write_report([fracture], tmp_path, formats=formats)
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
