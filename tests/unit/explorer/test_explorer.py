"""What the page of the explorer carries, and what it refuses; `tests/browser` looks at what it does."""

import base64
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

from kyphobayes import exact
from kyphobayes.commands.explore import explore
from kyphobayes.errors import EvidenceError, InputError
from kyphobayes.exact.kernels import StudentKernel
from kyphobayes.exact.panels import ORDER, Panels
from kyphobayes.explorer import Words, explorer_page
from kyphobayes.explorer.code import code, r_text
from kyphobayes.explorer.likelihood import carried, reach, studies
from kyphobayes.explorer.shown import raw_estimates, sliders
from kyphobayes.natural_scale import natural_scale
from kyphobayes.priors import Priors

PRIORS = {"main": Priors.of("main", mu="Normal(mu=-2, sigma=1)", tau="HalfNormal(sigma=1)")}
SHARES = natural_scale("PLO")
SURFACES = {
    "binomial": lambda: exact.binomial([0, 5, 4], [32, 35, 19]),
    "mixture": lambda: exact.mixture([[0, 5, 4], [1, 4, 4]], [32, 35, 19], [0.3, 0.7]),
    "poisson": lambda: exact.poisson([0, 5, 4], [32.0, 35.5, 19.0]),
    "normal": lambda: exact.normal([0.1, 0.5, -0.3], [0.1, 0.3, 0.2]),
}


def _data(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])


def _interpolated(kept, mu, tau):
    """Log likelihood as the page has it, by what it carries and nothing else."""
    panels = Panels(kept["mu"]), Panels(kept["tau"])
    shape = len(panels[0]), len(panels[1])
    peaks = np.frombuffer(base64.b64decode(kept["peaks"]), "<f8").reshape(shape)
    below = np.frombuffer(base64.b64decode(kept["values"]), "<f4")
    below = below.reshape(len(panels[0].nodes), len(panels[1].nodes)).astype(float)
    values = kept["top"] + below + np.repeat(np.repeat(peaks, ORDER, axis=0), ORDER, axis=1)
    return panels[0].interpolation(mu) @ values @ panels[1].interpolation(tau).T


@pytest.mark.parametrize("kind", SURFACES)
def test_the_page_carries_the_likelihood(kind):
    surface = SURFACES[kind]()
    reach(surface, (-5.0, 2.0), 10.0, 5.0)
    mu, tau = np.linspace(-5, 2, 23), np.geomspace(0.01, 20, 19)
    expected = surface.log_likelihood(mu, tau)
    found = _interpolated(carried(surface), mu, tau)
    matters = expected > expected.max() - 50
    assert matters.sum() > 50
    np.testing.assert_allclose(found[matters], expected[matters], atol=2e-5)


@pytest.mark.parametrize("kind", SURFACES)
def test_the_page_knows_each_study_by_itself(kind):
    surface = SURFACES[kind]()
    found, theta = studies(surface), np.linspace(-4, 3, 15)
    formula = {
        "binomial": lambda p: p["events"] * theta - p["n"] * np.logaddexp(0, theta),
        "poisson": lambda p: p["events"] * theta - p["exposure"] * np.exp(theta),
        "normal": lambda p: -0.5 * ((theta - p["y"]) / p["se"]) ** 2,
    }[found["kind"]]
    values = [formula(piece) + piece["constant"] for piece in found["pieces"]]
    np.testing.assert_allclose(values, surface.studies.log_lik(theta), atol=1e-9)


def test_studies_of_another_kind_are_refused():
    with pytest.raises(InputError, match="found TwoArmStudies"):
        explorer_page(exact.two_arms([1, 2], [9, 9], [2, 3], [9, 9]), PRIORS, SHARES, Words("x"))
    heavy = SURFACES["normal"]()
    heavy.studies = SimpleNamespace(kernel=StudentKernel(4.0))
    with pytest.raises(InputError, match="normal effects"):
        explorer_page(heavy, PRIORS, SHARES, Words("x"))
    with pytest.raises(InputError, match="at least one named prior set"):
        explorer_page(SURFACES["normal"](), {}, SHARES, Words("x"))


def test_the_page_stands_alone_and_no_label_ends_its_data():
    surface = exact.binomial([0, 5], [32, 35], labels=["</script><img src=x>", "<!-- & \u2028"])
    page = explorer_page(surface, PRIORS, SHARES, Words('"><b>title', "<i>?"))
    assert len(page.encode()) < 3_000_000
    assert page.count("<script") == 2 and "<img" not in page and "<b>title" not in page
    assert _data(page)["studies"]["labels"] == surface.labels
    assert re.findall(r"<[^>]*\b(?:src|href)\s*=", page) == []
    addresses = set(re.findall(r"https?://[^\s\"'`]+", page))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, not an address
    assert "default-src 'none'" in page


def test_raw_estimates_are_exact_intervals_over_all_tables():
    shares = raw_estimates(SURFACES["mixture"](), SHARES)
    assert shares[0]["text"] == "0 to 1 of 32" and shares[2]["text"] == "4 of 19"
    assert shares[0]["from"] == 0 and shares[0]["to"] == 1 / 32 and shares[0]["low"] == 0
    assert shares[2]["low"] == pytest.approx(0.0605, abs=1e-4)  # Clopper and Pearson
    assert shares[2]["high"] == pytest.approx(0.4557, abs=1e-4)
    rates = raw_estimates(SURFACES["poisson"](), natural_scale("IRLN", unit="years", per=100))
    assert rates[1]["low"] == pytest.approx(100 * 1.6235 / 35.5, rel=1e-4)  # Garwood
    assert rates[1]["high"] == pytest.approx(100 * 11.6683 / 35.5, rel=1e-4)
    ratios = raw_estimates(SURFACES["normal"](), natural_scale("OR"))
    assert ratios[0]["low"] == pytest.approx(np.exp(0.1 - 0.196), rel=1e-4)


def test_sliders_have_the_unit_of_the_studies():
    assert sliders(SURFACES["binomial"](), SHARES)["tau"]["scale"] == [0.01, 5.0]
    points = sliders(exact.normal([100.0, 500.0, 300.0], [90.0, 80.0, 70.0]), natural_scale("MD"))
    assert points["mu"]["scale"][0] == pytest.approx(10.0) and points["tau"]["scale"][1] == pytest.approx(
        1000.0
    )
    low, high = points["mu"]["location"]
    assert low < 0 and high > 600


def test_code_has_the_data():
    found = code(SURFACES["mixture"](), SHARES)
    namespace = "\n".join(found["python"])
    assert "exact.mixture(tables, n=[32, 35, 19]" in namespace and "[1, 4, 4]" in namespace
    assert "events=c(1, 4, 4)" in "\n".join(found["counts"])  # the likelier table
    assert found["formula"].startswith("events | trials(n)")
    assert r_text('a "b" \\ \n') == '"a \\"b\\" \\\\ \\u000a"'


def test_the_command_writes_the_page(tmp_path, capsys):
    explore("new_fracture", tmp_path)
    path = tmp_path / "explorer" / "new_fracture.html"
    assert str(path) in capsys.readouterr().out
    data = _data(path.read_text(encoding="utf-8"))
    assert data["sets"][0]["label"] == "weakly_informative"
    assert data["decision"]["limit"] == 0.1 and data["next"] == [20, 50]
    with pytest.raises(EvidenceError, match="did you mean 'new_fracture'"):
        explore("new_fractur", tmp_path)
