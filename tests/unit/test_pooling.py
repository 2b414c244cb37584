"""From a table of anybody's to a checked answer, against R's bayesmeta and metafor and the exact engine."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kyphobayes import exact
from kyphobayes.errors import EvidenceError, InputError, PriorError
from kyphobayes.pooling import Pooled, fit
from kyphobayes.priors import Priors
from kyphobayes.report.sentences import answer
from kyphobayes.run import Result

REFERENCE = Path(__file__).parents[1] / "reference"
TABLES = Path(__file__).parent / "own_data" / "tables"
COUNTS = pd.DataFrame({
    "author": ["Fourney", "Lieberman", "Pflugmacher", "Ye", "Kose"], "leaks": [0, 12, 5, 7, 2],
    "levels": [32, 264, 35, 40, 18], "design": ["pro", "retro", "pro", "retro", "retro"],
})  # fmt: skip

EFFECTS = {"study": ["A", "B", "C"], "yi": [0.2, 0.5, -0.1], "sei": [0.2, 0.25, 0.3], "ni": [100, 80, 60]}


def reference(name, key):
    return json.loads((REFERENCE / name).read_text())[key]


@pytest.fixture(scope="module")
def bcg():
    return fit(TABLES / "metafor_bcg.csv", measure="RR")


@pytest.fixture(scope="module")
def grouped():
    return fit(COUNTS, events="leaks", n="levels", by="design", below="10%")


def test_the_bcg_trials_have_metafors_estimate_beside_the_posterior(bcg):
    assert isinstance(bcg, Pooled) and isinstance(bcg, Result)
    metafor = reference("metafor.json", "dat.bcg:RR")
    np.testing.assert_allclose(bcg.evidence.y, metafor["yi"])
    np.testing.assert_allclose(bcg.evidence.se**2, metafor["vi"])
    expected = metafor["fits"]["DL/z"]
    shown = bcg.witness.iloc[0]
    np.testing.assert_allclose(
        np.log(shown[["estimate", "ci_low", "ci_high"]].astype(float)),
        [expected[name] for name in ("mu", "ci_low", "ci_high")], atol=1e-6,
    )  # fmt: skip
    posterior = exact.normal(metafor["yi"], np.sqrt(metafor["vi"])).posterior(
        mu=bcg.priors["mu"], tau=bcg.priors["tau"]
    )
    np.testing.assert_allclose(
        bcg.main.estimates.loc["typical", ["median", "low", "high"]],
        np.exp(posterior.quantile("mu", [0.5, 0.025, 0.975])), rtol=1e-6,
    )  # fmt: skip
    assert bcg.main.p_typical == pytest.approx(float(posterior.cdf("mu", 0.0)), abs=1e-9)
    assert bcg.passed and bcg.fit.attrs["measure"] == "RR"


def test_what_was_read_and_assumed_is_told(bcg):
    assert bcg.notes[0].startswith("read as counts of two arms: events1 = tpos, rest1 = tneg")
    told = " | ".join(bcg.notes)
    assert "the claim is that the risk ratio is below 1, since no limit was given" in told
    assert "priors are the package's own for this measure" in told
    assert answer(bcg).startswith("In a typical study the risk ratio is 0.")


def test_three_prior_sets_are_compared_and_the_sensitivity_is_there(bcg):
    assert list(bcg.answers) == ["weakly_informative", "vague", "sceptical"]
    assert bcg.sensitivity is not None
    json.dumps(bcg.to_dict(), allow_nan=True)


def test_the_users_priors_give_what_bayesmeta_gives():
    expected = reference("bayesmeta.json", "bayesmeta.crins2014:OR|halfnormal_0.5|flat")
    found = fit(
        {"yi": expected["yi"], "sei": expected["sigma"]}, measure="OR",
        priors={"mu": "Flat()", "tau": "HalfNormal(sigma=0.5)"},
    )  # fmt: skip
    assert next(iter(found.answers)) == "own" and len(found.answers) == 4
    for name, row in (("mu", "typical"), ("theta_new", "new centre")):
        ends = np.log(found.main.estimates.loc[row, ["low", "high"]].astype(float))
        atol = 5e-3 * expected[name]["sd"]  # what bayesmeta's grid leaves
        np.testing.assert_allclose(ends, [expected[name]["low"], expected[name]["high"]], atol=atol)
    np.testing.assert_allclose(
        found.main.tau[["low", "high"]], [expected["tau"]["low"], expected["tau"]["high"]], atol=2e-4
    )
    assert found.main.p_typical == pytest.approx(expected["p_mu_below_0"], abs=1e-5)
    assert not any("package's own" in note for note in found.notes)


def test_groups_are_answered_apart_and_compared(grouped):
    assert grouped.analysis.decision.below == 0.1
    assert list(grouped.evidence.labels) == list(COUNTS["author"])
    groups = grouped.subgroups.groups(0.1)
    assert list(groups.index) == ["pro", "retro"] and list(groups["k"]) == [2, 3]
    plain = grouped.to_dict()["subgroups"]
    assert plain["differences"]["pro against retro"]["p_larger"] == pytest.approx(
        float(grouped.subgroups.differences()["p_larger"].iloc[0])
    )
    # Alone and with a common tau the groups keep their order.
    alone = exact.binomial([0, 5], [32, 35]).posterior(mu=grouped.priors["mu"], tau=grouped.priors["tau"])
    assert abs(float(alone.cdf("mu", np.log(0.1 / 0.9))) - groups.loc["pro", "p_claim"]) < 0.1


def test_fits_are_kept_and_found_again(tmp_path):
    first, again = (fit(EFFECTS, out=tmp_path) for _ in range(2))
    assert (first.reused, again.reused) == ((), ("exact",))
    assert len(list((tmp_path / "fits").glob("table-exact-*.nc"))) == 1


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"engine": "stan"}, InputError, "engine: expected exact, nuts or both, found 'stan'"),
        ({"priors": "flat"}, PriorError, "no prior set 'flat'"),
        (
            {"priors": {"beta": "Normal(mu=0, sigma=1)"}},
            PriorError,
            "priors: expected mu, tau or both, found beta",
        ),
        ({"priors": {"tau": "Normal(mu=0, sigma=1)"}}, PriorError, "allows negative values"),
        ({"below": 2}, InputError, "--below: expected a share between 0 and 1"),
        ({"per": -1, "time": "levels"}, EvidenceError, "per: expected a time greater than 0"),
        ({"colour": "red"}, EvidenceError, "no role 'colour'"),
    ],
)
def test_what_cannot_be_is_refused(options, error, message):
    columns = {"events": "leaks"} | ({} if "time" in options else {"n": "levels"})
    with pytest.raises(error, match=message):
        fit(COUNTS, **columns, **options)


def test_too_many_studies_are_refused_before_they_fill_the_memory():
    k = 501
    with pytest.raises(EvidenceError, match="expected at most 500 studies, found 501"):
        fit({"events": [1] * k, "n": [9] * k})


def test_priors_may_be_a_set_with_a_name():
    given = Priors.of("mine", mu="Normal(mu=0, sigma=1)", tau="HalfNormal(sigma=0.3)")
    assert list(fit(EFFECTS, priors=given).answers) == ["mine", "weakly_informative", "vague", "sceptical"]
    assert list(fit(EFFECTS, priors="sceptical").answers) == ["sceptical", "weakly_informative", "vague"]


def test_a_claim_of_the_other_side_and_one_study():
    below, above = (fit(EFFECTS, **{side: 0.2}).main for side in ("below", "above"))
    assert below.p_typical + above.p_typical == pytest.approx(1)
    one = fit({"study": ["A"], "yi": [0.3], "sei": [0.2]}, measure="SMD")
    assert np.isfinite(one.main.estimates.loc["typical", ["median", "low", "high"]].astype(float)).all()
