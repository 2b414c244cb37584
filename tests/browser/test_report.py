"""The report in a real browser: offline, without errors, at desk and phone, with names that would run."""

import shutil
import subprocess
from dataclasses import replace

import pytest

from kyphobayes.evidence import counts, find_analysis
from kyphobayes.model import load_model
from kyphobayes.priors import Priors
from kyphobayes.project import default_project
from kyphobayes.report.pdf import find_browser

BROWSER = find_browser()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed"),
]
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
HOSTILE = [
    "<script>document.title = 'run'</script>",
    "<img src=x onerror=\"document.title = 'run'\">",
    "=cmd()|'/c calc'!A1",
    "a|b](javascript:document.title='run') \"></svg><script>document.title='run'</script>",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from kyphobayes.report import write_report
    from kyphobayes.run import run_analysis

    project = default_project()
    result = run_analysis(find_analysis(project, "cement_leakage"), project, engines=("exact",))
    folder = tmp_path_factory.mktemp("report")
    write_report([result], folder, project=project)
    return folder


@pytest.fixture(scope="module")
def address(folder):
    return (folder / "report.html").as_uri()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A report on studies whose names would run, if they could."""
    from kyphobayes.report import write_report
    from kyphobayes.run import run_evidence

    project = default_project()
    asked = find_analysis(project, "cement_leakage")
    asked = replace(asked, name="x", title=HOSTILE[0], question=HOSTILE[1], note=HOSTILE[3], event=HOSTILE[1])
    priors = Priors.of(HOSTILE[0], mu="Normal(mu=-2, sigma=1.5)", tau="HalfNormal(sigma=1)")
    evidence = counts([2, 0, 4, 1], [30, 25, 40, 10], HOSTILE)
    result = run_evidence(
        asked, evidence, load_model("binomial_normal", project), [priors], engines=("exact",)
    )
    return write_report([result], tmp_path_factory.mktemp("hostile")).as_uri()


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=BROWSER, args=ARGS)
        yield chromium
        chromium.close()


@pytest.mark.parametrize("width", [390, 1200])
def test_the_page_stands_on_its_own_and_fits(browser, address, width):
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
    page = context.new_page()
    troubles, asked = [], []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.wait_for_load_state()
    assert troubles == []
    assert [url for url in asked if not url.startswith("data:")] == [address]

    for details in (False, True):
        if details:
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, "the page scrolls sideways"
        cut = page.evaluate(
            """() => [...document.querySelectorAll('.scroll, pre')]
                .filter(box => box.getBoundingClientRect().right > innerWidth + 1).length"""
        )
        assert cut == 0

    sizes = page.evaluate(
        "[...document.querySelectorAll('figure svg')].map(s => [s.getBoundingClientRect(), s.getBBox()])"
        ".map(([box, ink]) => [box.width, box.height, ink.width, ink.height])"
    )
    assert len(sizes) >= 5
    assert all(min(size) > 50 for size in sizes)
    context.close()


def test_the_first_table_needs_no_scrolling_at_a_desk(browser, address):
    context = browser.new_context(viewport={"width": 1200, "height": 900}, offline=True)
    page = context.new_page()
    page.goto(address)
    room, need = page.evaluate(
        "(box => [box.clientWidth, box.scrollWidth])(document.querySelector('#table-summary .scroll'))"
    )
    assert need <= room
    context.close()


def test_the_page_needs_no_script(browser, address):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(address)
    assert "balloon kyphoplasty" in page.locator("h1").inner_text()
    headings = " ".join(page.locator("section > h2").all_inner_texts())
    for part in ("Summary", "Cement leakage", "Efficacy", "recomputed", "Methods", "checklists", "sources"):
        assert part in headings
    assert not page.locator("button.copy").first.is_visible()
    context.close()


def test_methods_are_copied_by_a_button_and_selected_where_the_clipboard_is_closed(browser, address):
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.add_init_script("navigator.clipboard.writeText = text => { window.copied = text; };")
    page.goto(address)
    button = page.locator(".copied button.copy").first
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("window.copied")
    assert "were modelled hierarchically" in page.evaluate("window.copied")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('closed')); }")
    button.click()
    page.wait_for_function("getSelection().toString().includes('were modelled hierarchically')")
    context.close()


def test_names_are_shown_and_not_run(browser, hostile):
    context = browser.new_context(offline=True)
    page = context.new_page()
    troubles = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("dialog", lambda dialog: troubles.append(dialog.message))
    page.goto(hostile)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.title() != "run" and troubles == []
    text = page.locator("body").inner_text()
    for name in HOSTILE:
        assert " ".join(name.split()) in " ".join(text.split())
    assert page.locator("main script, main img").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    # Had a script slipped in all the same, the page's own policy would not let it run.
    page.evaluate("""() => {
        const slipped = document.createElement('script');
        slipped.textContent = "document.title = 'run'";
        document.body.append(slipped);
    }""")
    assert page.title() != "run"
    context.close()


def test_figures_in_files_do_not_run_either(browser, hostile):
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto(hostile.replace("report.html", "figures/x-forest.svg"))
    assert page.evaluate("document.querySelectorAll('script').length") == 0
    assert page.title() != "run"
    context.close()


def test_links_between_parts_lead_somewhere_also_in_what_is_folded(browser, address):
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto(address)
    lost = page.evaluate(
        """() => [...document.querySelectorAll('a[href^="#"]')]
            .filter(link => !document.getElementById(link.getAttribute('href').slice(1)))
            .map(link => link.outerHTML)"""
    )
    assert lost == []
    page.locator("a", has_text="Table S").first.click()
    assert page.url.rpartition("#")[2].startswith("table-")
    context.close()


def test_it_is_printed_with_all_that_is_folded_and_with_page_numbers(folder, tmp_path):
    from kyphobayes.report import write_pdf

    printed = write_pdf(folder / "report.html", tmp_path / "report.pdf")
    assert printed.read_bytes().startswith(b"%PDF")
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("nothing reads the text of a PDF here")
    text = subprocess.run([reader, str(printed), "-"], capture_output=True, text=True, check=True).stdout
    assert "Each judgement, with its reason" in text and "library(metafor)" in text
    pages = text.count("\f")
    assert f"2 / {pages}" in text and f"{pages} / {pages}" in text
