"""The prior explorer in a real browser: its numbers are the exact engine's, wherever the priors are moved."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from kyphobayes import exact
from kyphobayes.evidence import evidence_for, find_analysis, read_priors
from kyphobayes.evidence.plan import Decision
from kyphobayes.explorer import Words, explore_analysis, write_explorer
from kyphobayes.model import load_model
from kyphobayes.names import MU, TAU
from kyphobayes.natural_scale import natural_scale
from kyphobayes.priors import Priors
from kyphobayes.project import default_project
from kyphobayes.sensitivity import tipping_points

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed"),
]
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
CLOSE = 1e-4
PLANNED = ("cement_leakage", "leakage_bkp_bouza_only", "new_fracture", "new_fracture_bouza_only")
HOSTILE = "<script>document.title = 'run'</script>"


class Case:
    """One page, and what the exact engine needs to check it."""

    def __init__(self, surface, scale, limit, unit, path, side="below"):
        self.surface, self.scale, self.limit, self.unit, self.path = surface, scale, limit, unit, path
        self.side = side


def _planned(name, folder):
    project = default_project()
    analysis = find_analysis(project, name)
    evidence = evidence_for(analysis, project)
    surface = load_model(analysis.model, project).surface(evidence)
    sets = {label: read_priors(project, label, analysis, evidence.measure) for label in analysis.compare}
    path = explore_analysis(folder / f"{name}.html", analysis, surface, sets, evidence.scale)
    return Case(surface, evidence.scale, analysis.decision.below, 1.0, path)


def _normal(folder):
    surface = exact.normal(
        [12.0, 20.0, 8.0, 31.0, -3.0, 14.0],
        [4.0, 3.0, 5.0, 6.0, 7.0, 2.5],
        labels=[
            "A",
            "B & C",
            HOSTILE,
            "D",
            "=cmd()",
            "</script><p id='out'>a label that is very long indeed",
        ],
    )
    priors = {"main": Priors.of("main", mu="Normal(mu=0, sigma=30)", tau="HalfNormal(sigma=10)")}
    scale = natural_scale("MD", unit="points")
    claim = Decision(10.0, "pain falls by more than 10 points", "", 0.9, "above")
    path = write_explorer(folder / "normal.html", surface, priors, scale, Words("</script>Pain"), claim)
    return Case(surface, scale, 10.0, 5.0, path, "above")


def _poisson(folder):
    surface = exact.poisson([0, 5, 3, 7, 2], [30.0, 55.0, 80.0, 41.0, 22.0])
    priors = {"main": Priors.of("main", mu="Normal(mu=-2.5, sigma=1.5)", tau="HalfNormal(sigma=1)")}
    scale = natural_scale("IRLN", unit="patient-years", per=100)
    claim = Decision(12.0, "there are fewer than 12 fractures in 100 patient-years", "")
    path = write_explorer(folder / "poisson.html", surface, priors, scale, Words("Rates"), claim)
    return Case(surface, scale, 12.0, 1.0, path)


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("explorer"), {}

    def case(name):
        if name not in made:
            other = {"normal": _normal, "poisson": _poisson}.get(name)
            made[name] = other(folder) if other else _planned(name, folder)
        return made[name]

    return case


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=BROWSER, args=ARGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser):
    """Open a page offline and without errors."""
    opened, troubles = [], []

    def start(path, width=1200, address=""):
        context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "request", lambda request: troubles.extend([request.url] * (not request.url.startswith("file:")))
        )
        page.goto(path.as_uri() + address)
        _settled(page)
        return page

    yield start
    for context in opened:
        context.close()
    assert troubles == []


def _settled(page):
    page.locator("html[data-state*=studies], html[data-state^=trouble]").first.wait_for(state="attached")
    assert "trouble" not in page.locator("html").get_attribute("data-state"), page.locator(
        "#trouble"
    ).inner_text()
    page.locator("html[data-state*=studies]").wait_for(state="attached")


def _type(page, mu, tau):
    page.fill("#mu-text", mu)
    page.fill("#tau-text", tau)


def _read(page):
    """Every number of the page by its id, as it is kept for machines."""
    found = page.evaluate("[...document.querySelectorAll('data[id]')].map((d) => [d.id, d.value])")
    return {name: float(value) if value not in ("", "NaN") else np.nan for name, value in found}


def _at_once(page):
    """The numbers, but for the tipping point, which waits for a quiet moment, and the page's own error."""
    return {name: v for name, v in _read(page).items() if not name.startswith(("tipping", "error"))}


def _compare(page, case, mu, tau):
    _settled(page)
    shown, post = _read(page), case.surface.posterior(mu, tau, rtol=1e-6)
    natural, width = case.scale.natural, case.unit
    expected = {}
    for name, density in (("typical", post.mu), ("next", post.theta_new)):
        for end, q in (("median", 0.5), ("low", 0.025), ("high", 0.975)):
            expected[f"{name}-{end}"] = float(natural(density.quantile(q)))
        below = float(density.cdf(case.scale.model(case.limit)))
        expected[f"{name}-probability"] = 1 - below if case.side == "above" else below
    for end, q in (("median", 0.5), ("low", 0.025), ("high", 0.975)):
        expected[f"tau-{end}"] = float(post.tau.quantile(q))
    for i, row in enumerate(post.shrinkage().itertuples()):
        for end in ("median", "low", "high"):
            expected[f"study-{i}-{end}"] = float(natural(getattr(row, end)))
    expected["log-marginal"] = post.log_marginal_likelihood
    if case.scale.measure == "PLO":
        for name, density in (("typical", post.mu), ("next", post.theta_new)):
            expected[f"{name}-mean"] = density.expectation(natural)
    if "log-marginal" not in shown:  # an improper prior has none to compare
        del expected["log-marginal"]
    for name, value in expected.items():
        # Shares and probabilities to 1e-4; what has a unit to 1e-4 of the value, or of the unit.
        size = 1.0 if case.scale.measure == "PLO" and "tau" not in name else max(abs(value), width, 1.0)
        assert name in shown, (name, mu, tau)
        assert abs(shown[name] - value) <= CLOSE * size, (name, shown[name], value, mu, tau)


# Narrow, wide, skew, singular at zero, bounded, improper, in conflict with the data; in units of the case.
PRIORS = [
    ("Normal(mu={a}, sigma={n})", "HalfNormal(sigma={t})"),
    ("Normal(mu={c}, sigma={n})", "HalfCauchy(beta={w})"),
    ("Normal(mu={a}, sigma={w2})", "HalfFlat()"),
    ("Cauchy(alpha={a}, beta={one})", "HalfCauchy(beta={t})"),
    ("StudentT(nu=4, mu={b}, sigma={h})", "InverseGamma(alpha=1, beta={h})"),
    ("Laplace(mu={b}, b={h})", "LogNormal(mu=-0.845, sigma=0.84)"),
    ("Logistic(mu={a}, s={one})", "Exponential(lam=2)"),
    ("Uniform(lower={a}, upper={c})", "Uniform(lower=0, upper={one})"),
    ("Flat()", "HalfStudentT(nu=3, sigma={w})"),
    ("Mixture(0.7*Normal(mu={a}, sigma={h}) + 0.3*Normal(mu={c}, sigma={one}))", "Gamma(alpha=2, beta=3)"),
    ("Truncated(Normal(mu={a}, sigma={one}), upper={c})", "Tau2(Exponential(lam=1))"),
    ("Normal(mu={a}, sigma={one})", "Jeffreys()"),
    ("Normal(mu={b}, sigma={h})", "Weibull(alpha=0.8, beta={h})"),
    ("Normal(mu={b}, sigma={one})", "Truncated(Cauchy(alpha=0, beta={h}), lower=0, upper={w})"),
]


def _filled(case):
    """These priors, placed by the studies."""
    centre = float(np.median(case.surface.studies.centres))
    u = case.unit
    places = {"a": centre, "b": centre - u, "c": centre + 2.5 * u, "one": u, "h": 0.4 * u, "n": 0.05 * u}
    places |= {"t": 0.01 * u, "w": 5 * u, "w2": 10 * u}
    rounded = {name: f"{value:.4g}" for name, value in places.items()}
    return [(mu.format(**rounded), tau.format(**rounded)) for mu, tau in PRIORS]


@pytest.mark.parametrize(
    ("name", "first"), [(name, i) for i, name in enumerate([*PLANNED, "normal", "poisson"])]
)
def test_typed_priors_give_the_numbers_of_the_exact_engine(open_page, cases, name, first):
    case = cases(name)
    page = open_page(case.path)
    for mu, tau in _filled(case)[first % 4 :: 4]:  # every pair on at least one page
        _type(page, mu, tau)
        assert page.locator("#mu-problem").is_hidden() and page.locator("#tau-problem").is_hidden()
        _compare(page, case, mu, tau)


def test_sliders_moved_by_the_keyboard_give_the_numbers_of_the_exact_engine(open_page, cases):
    case = cases("new_fracture")
    page = open_page(case.path)
    for slider, keys in (
        ("#mu-location", ["Home"]), ("#mu-location", ["End"]), ("#mu-location", ["ArrowLeft"] * 5),
        ("#mu-scale", ["Home"]), ("#tau-scale", ["Home"]), ("#mu-scale", ["End"]), ("#tau-scale", ["End"]),
        ("#tau-scale", ["PageDown"] * 3),
    ):  # fmt: skip
        page.focus(slider)
        before = page.input_value("#mu-text") + page.input_value("#tau-text")
        for key in keys:
            page.keyboard.press(key)
        mu, tau = page.input_value("#mu-text"), page.input_value("#tau-text")
        assert mu + tau != before
        _compare(page, case, mu, tau)


def test_families_and_shapes_are_chosen_by_the_controls(open_page, cases):
    case = cases("new_fracture")
    page = open_page(case.path)
    for family in page.locator("#tau-family option").all_inner_texts():
        page.select_option("#tau-family", family)
        assert page.input_value("#tau-text").startswith(family)
    page.select_option("#mu-family", "StudentT")
    page.select_option("#tau-family", "LogNormal")
    page.focus("#tau-shape")
    page.keyboard.press("PageUp")
    _compare(page, case, page.input_value("#mu-text"), page.input_value("#tau-text"))


def test_named_sets_and_the_limit(open_page, cases):
    case = cases("cement_leakage")
    page = open_page(case.path)
    analysis = find_analysis(default_project(), "cement_leakage")
    for label in analysis.compare:
        page.get_by_role("button", name=re.compile(f"^{label.replace('_', ' ')}")).click()
        priors = read_priors(default_project(), label, analysis, "PLO")
        assert page.locator("button[aria-pressed=true]").count() == 1
        _compare(page, case, priors[MU], priors[TAU])
    page.fill("#limit", "5")
    moved = Case(case.surface, case.scale, 0.05, 1.0, case.path)
    _compare(page, moved, priors[MU], priors[TAU])


def test_the_number_of_events_among_the_next(open_page, cases):
    from kyphobayes.findings import predict_counts

    case = cases("new_fracture")
    page = open_page(case.path)
    shown = _read(page)
    post = case.surface.posterior(page.input_value("#mu-text"), page.input_value("#tau-text"))
    for n in (20, 50):
        expected = predict_counts(post.theta_new, n)
        assert shown[f"next-{n}-mean"] == pytest.approx(expected.mean, abs=1e-3)
        assert (shown[f"next-{n}-low"], shown[f"next-{n}-high"]) == expected.interval()


def test_the_bayes_factor_and_the_tipping_point(open_page, cases):
    case = cases("new_fracture_bouza_only")
    page = open_page(case.path)
    main = case.surface.posterior(page.input_value("#mu-text"), page.input_value("#tau-text"))
    mu, tau = "Normal(mu=-2, sigma=1)", "HalfNormal(sigma=0.5)"
    _type(page, mu, tau)
    _settled(page)
    page.locator("html[data-state*=tipping]").wait_for(state="attached")
    shown, post = _read(page), case.surface.posterior(mu, tau)
    factor = np.exp(post.log_marginal_likelihood - main.log_marginal_likelihood)
    assert shown["bayes-factor"] == pytest.approx(factor, rel=CLOSE)
    table = tipping_points(case.surface, mu, tau, below=float(case.scale.model(case.limit)))
    assert table["flips"].any()
    began = {"location of mu": -2.0, "scale of mu": 1.0, "scale of tau": 0.5}
    for move, row in table.iterrows():
        found = shown[f"tipping-{str(move).replace(' ', '-')}"]
        if not row["flips"]:
            assert np.isnan(found), move
            continue
        start = began[str(move)]
        expected = start + row["move"] if move == "location of mu" else start * row["move"]
        assert found == pytest.approx(expected, abs=1e-3), move


def test_the_state_is_cited_and_found_again(open_page, cases):
    case = cases("new_fracture")
    page = open_page(case.path)
    mu, tau = "StudentT(nu=4, mu=-2, sigma=0.7)", "HalfCauchy(beta=0.3)"
    _type(page, mu, tau)
    page.fill("#limit", "15")
    _settled(page)
    before, address = _at_once(page), page.evaluate("location.hash")
    assert address in page.locator("#cited").inner_text()
    again = open_page(case.path, address=address)
    assert again.input_value("#mu-text") == mu and again.input_value("#tau-text") == tau
    assert _at_once(again) == pytest.approx(before, rel=1e-12, nan_ok=True)
    page.reload()
    _settled(page)
    assert page.input_value("#mu-text") == mu


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("mu", "Normal(mu=0, sigma=-1)", "sigma must be greater than 0"),
        ("mu", "Norml(mu=0)", "Norml is not a family"),
        ("mu", "Normal(mu=0, sigma=1", "expected"),
        ("mu", "alert(1)", "alert is not a family"),
        ("tau", "Normal(mu=0, sigma=1)", "Normal is not a family for tau"),
        ("tau", "Uniform(lower=-1, upper=1)", "cannot be negative"),
        ("tau", "Gamma(alpha=2)", "also needs beta"),
        ("tau", "HalfNormal(sigma=1e999)", "finite"),
        ("mu", HOSTILE, "expected a form"),
        ("mu", "", "expected a form"),
    ],
)
def test_a_text_that_is_not_understood_keeps_the_last_state(open_page, cases, field, text, told):
    page = open_page(cases("new_fracture").path)
    before = _at_once(page)
    page.fill(f"#{field}-text", text)
    problem = page.locator(f"#{field}-problem").inner_text()
    assert told in problem and "still shows" in problem
    assert page.get_attribute(f"#{field}-text", "aria-invalid") == "true"
    assert _at_once(page) == pytest.approx(before, nan_ok=True)


def test_where_the_page_does_not_reach_it_gives_no_numbers(open_page, cases):
    page = open_page(cases("new_fracture").path)
    page.fill("#mu-text", "Normal(mu=500, sigma=0.1)")
    assert page.locator("#trouble").is_visible()
    assert "No numbers are shown" in page.locator("#trouble").inner_text()
    page.locator("html[data-state*=studies]").wait_for(state="attached")
    assert _read(page) == {}
    page.fill("#mu-text", "Normal(mu=-2.5, sigma=1.5)")
    _settled(page)
    assert page.locator("#trouble").is_hidden() and "typical-median" in _read(page)


def test_labels_are_shown_and_not_run(open_page, cases):
    page = open_page(cases("normal").path)
    assert page.title() == "</script>Pain: move the priors"
    assert page.locator("#out").count() == 0
    page.locator("summary", has_text="as a table").click()
    heads = page.locator("#studies th[scope=row]").all_inner_texts()
    assert HOSTILE in heads and "=cmd()" in heads
    assert HOSTILE[:14] in page.locator("#studies-picture").inner_html().replace("&lt;", "<").replace(
        "&gt;", ">"
    )


@pytest.mark.parametrize("width", [390, 1200])
def test_the_page_fits(open_page, cases, width):
    page = open_page(cases("cement_leakage").path, width)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sizes = page.evaluate(
        "[...document.querySelectorAll('figure svg')].map(s => s.getBoundingClientRect())"
        ".map(b => [b.width, b.height])"
    )
    assert len(sizes) == 4 and all(min(size) > 100 for size in sizes)
    # Nothing is written outside of its picture.
    outside = page.evaluate(
        """[...document.querySelectorAll('figure svg')].flatMap((svg) => {
            const box = svg.getBoundingClientRect();
            return [...svg.querySelectorAll('text')]
                .map((text) => [text.textContent, text.getBoundingClientRect()])
                .filter(([, ink]) => ink.left < box.left - 1 || ink.right > box.right + 1)
                .map(([text]) => text);
        })"""
    )
    assert outside == []


def test_the_keyboard_reaches_every_control(open_page, cases):
    page = open_page(cases("new_fracture").path)
    reached = set()
    page.keyboard.press("Tab")
    for _ in range(40):
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.dataset.code || ''"))
        page.keyboard.press("Tab")
    assert {
        "mu-family",
        "mu-location",
        "mu-scale",
        "mu-text",
        "tau-family",
        "tau-scale",
        "tau-text",
    } <= reached
    assert {"limit", "probability", "copy-address", "python", "bayesmeta", "brms"} <= reached
    unnamed = page.evaluate(
        "[...document.querySelectorAll('input, select')].filter(e => !e.labels.length).map(e => e.id)"
    )
    assert unnamed == []
    assert page.get_attribute("#summary", "aria-live") == "polite"


@pytest.mark.parametrize("name", ["new_fracture", "normal"])
def test_copied_python_prints_the_numbers_of_the_page(open_page, cases, tmp_path, name):
    page = open_page(cases(name).path)
    shown, scale = _read(page), cases(name).scale
    page.click("button[data-code=python]")
    script = tmp_path / "copied.py"
    script.write_text(page.locator("#code").inner_text(), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    lines = {
        line.split()[0]: re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", line)
        for line in done.stdout.splitlines()
        if line.strip()
    }
    for row in ("typical", "next"):
        expected = [shown[f"{row}-{end}"] * scale.factor for end in ("median", "low", "high")]
        assert [float(v) for v in lines[row]] == pytest.approx(expected, rel=2 * CLOSE)
    assert [float(v) for v in lines["probability"]] == pytest.approx(
        [shown["typical-probability"], shown["next-probability"]], abs=CLOSE
    )


def test_copied_r_has_the_priors_of_the_page(open_page, cases):
    page = open_page(cases("new_fracture").path)

    def copied(kind, mu, tau):
        _type(page, mu, tau)
        page.click(f"button[data-code={kind}]")
        return page.locator("#code").inner_text()

    code = copied("bayesmeta", "Normal(mu=-2, sigma=1)", "HalfCauchy(beta=0.5)")
    assert "mu.prior=c(-2, 1)" in code and "dhalfcauchy(t, scale=0.5)" in code
    code = copied("bayesmeta", "Cauchy(alpha=-2, beta=1)", "DuMouchel()")
    assert "left out below" in code and 'tau.prior="DuMouchel"' in code
    code = copied("brms", "StudentT(nu=4, mu=-2, sigma=1)", "InverseGamma(alpha=2, beta=0.3)")
    assert 'set_prior("student_t(4, -2, 1)", class="Intercept")' in code
    assert 'set_prior("inv_gamma(2, 0.3)", class="sd")' in code
    code = copied("brms", "Normal(mu=-2, sigma=1)", "Jeffreys()")
    assert "Stan has no distribution like Jeffreys()" in code
    assert "Some counts are not printed" in code
