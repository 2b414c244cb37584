"""The report in a real browser: offline, without errors, at the widths of a desk and of a phone."""

import shutil

import pytest

from kyphobayes.evidence import find_analysis
from kyphobayes.project import default_project

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed"),
]
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    from kyphobayes.report import write_report
    from kyphobayes.run import run_analysis

    project = default_project()
    result = run_analysis(find_analysis(project, "cement_leakage"), project, engines=("exact",))
    return write_report([result], tmp_path_factory.mktemp("report")).as_uri()


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
            """() => [...document.querySelectorAll('.scroll')]
                .filter(box => box.getBoundingClientRect().right > innerWidth + 1).length"""
        )
        assert cut == 0

    sizes = page.evaluate(
        "[...document.querySelectorAll('figure svg')].map(s => [s.getBoundingClientRect(), s.getBBox()])"
        ".map(([box, ink]) => [box.width, box.height, ink.width, ink.height])"
    )
    assert len(sizes) >= 5
    assert all(min(size) > 100 for size in sizes)
    context.close()


def test_the_page_needs_no_script(browser, address):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(address)
    assert page.locator("h1").inner_text().startswith("Balloon kyphoplasty")
    headings = page.locator("section > h2").all_inner_texts()
    assert len(headings) == 4  # the analysis, efficacy, pain before and after, the audit
    assert "recomputed" in headings[-1]
    context.close()
