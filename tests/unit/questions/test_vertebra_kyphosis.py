"""Angles of vertebrae: the view, the numbers behind the answer, and the whole answer from draws by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import integrate, special, stats

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import read_table, read_vertebra_angles
from kyphobayes.evidence.questions import read_questions
from kyphobayes.evidence.vertebrae import PATIENTS, VERTEBRAE, vertebra_angles
from kyphobayes.project import default_project
from kyphobayes.questions import answer
from kyphobayes.report.canvas import to_svg
from kyphobayes.report.chapters import chapter_of
from kyphobayes.vertebrae import (
    Population,
    clustered_mean,
    correlations,
    fisher_interval,
    gain_at_equal_pain,
    pair_log_density,
    patient_log_likelihood,
    relief,
)
from kyphobayes.vertebrae.checked import plain, replicated_patients
from kyphobayes.vertebrae.quantities import NEW, observed, patient_means, smallest_detectable

PROJECT = default_project()
QUESTION = read_questions(PROJECT)["vertebra_kyphosis"]
EVIDENCE = read_vertebra_angles(PROJECT)


def draws(size=1, **changes):
    """A population, all draws alike but for what is changed."""
    values = {
        "level": [11.0, 6.0], "tau_angle": 5.0, "tau_patient_angle": 2.5, "tau_reading": 1.5, "change": -0.5,
        "shift": [-0.7, 0.3], "tau_patient": 1.2, "tau_vertebra": 2.4, "nu": 5.0, "start": 1.9,
        "slope_start": -0.1, "treated": -1.6, "slope_pain": -0.14, "slope_angle": 0.05, "rho": [0.03, 0.05],
    } | changes  # fmt: skip
    return Population(**{name: np.array([value] * size, dtype=float) for name, value in values.items()})


# --- the view ---------------------------------------------------------------------------------------------


def test_every_vertebra_is_in_or_has_a_reason():
    assert EVIDENCE.k == 34 and len(EVIDENCE.patients) == 22 and EVIDENCE.regions == ("thoracic", "lumbar")
    assert EVIDENCE.excluded["vertebra"].tolist() == ["S1"]
    assert "not applicable" in EVIDENCE.excluded["reason"].iloc[0]
    names = np.array(EVIDENCE.labels)
    assert set(names[np.isnan(EVIDENCE.before)]) == {"8 T12", "9 T7", "9 T9", "11 L5", "20 L5"}
    assert names[np.isnan(EVIDENCE.after)].tolist() == ["20 L5"]
    assert len(EVIDENCE.pairs) == 29 and len(EVIDENCE.read_after) == 33
    notes = dict(zip(EVIDENCE.labels, EVIDENCE.notes, strict=True))
    assert notes["9 T7"] == "before is printed as unavailable" and notes["18 L1"] == "angle before and after"
    assert "whose (or whether both have it) is not; taken as the other's" in notes["20 L5"]
    np.testing.assert_allclose(EVIDENCE.averaging.sum(axis=1), 1)
    assert EVIDENCE.mix @ [1, 1] == pytest.approx(1) and EVIDENCE.mix[0] == pytest.approx(10 / 34)
    both = zip(EVIDENCE.read_before[EVIDENCE.partner[EVIDENCE.paired]],
               EVIDENCE.read_after[EVIDENCE.paired], strict=True)  # fmt: skip
    assert all(a == b for a, b in both)


def test_a_shared_pair_can_be_given_to_each():
    both = EVIDENCE.with_pair_for_each()
    at = [EVIDENCE.labels.index(name) for name in ("20 L4", "20 L5")]
    assert both.before[at].tolist() == [4, 4] and both.after[at].tolist() == [3, 3]
    assert both.digest != EVIDENCE.digest and len(both.pairs) == 30


def test_a_patient_can_be_left_out():
    less = EVIDENCE.without("18")
    assert less.k == 32 and len(less.patients) == 21 and len(less.scores) == 21
    assert not any(label.startswith("18 ") for label in less.labels)
    names = [less.patients[i] for i in less.patient]
    assert [f"{n} {label.split()[1]}" for n, label in zip(names, less.labels, strict=True)] == list(
        less.labels
    )
    assert less.excluded["vertebra"].tolist() == ["S1", "T12", "L1"]


@pytest.mark.parametrize(
    ("path", "row", "changes", "message"),
    [
        (
            VERTEBRAE,
            0,
            {"kyphosis_pre": np.nan},
            "line 2, column kyphosis_pre: expected either an angle or the",
        ),
        (VERTEBRAE, 0, {"kyphosis_pre_missing": "unavailable"}, "found 6 and 'unavailable'"),
        (
            VERTEBRAE,
            11,
            {"kyphosis_pre_missing": "?"},
            "expected one of NA, unavailable, not printed .*'\\?'",
        ),
        (
            VERTEBRAE,
            10,
            {"kyphosis_post_missing": "unavailable"},
            "line 12: expected 'NA' or .* at both times",
        ),
        (VERTEBRAE, 31, {"kyphosis_pre_printed": "5"}, "lines 33, 34: expected one region and one pair"),
        (VERTEBRAE, 31, {"region": "thoracic"}, "lines 33, 34: expected one region and one pair"),
        (VERTEBRAE, 0, {"patient": 99.0}, "line 2, column patient: .* found 99"),
        (
            PATIENTS,
            0,
            {"vas_post": 11.0},
            "line 2, column vas_post: expected a whole score from 0 to 10, found 11",
        ),
        (PATIENTS, 0, {"patient": 99.0}, "expected a vertebra with an angle of patient 99 .*line 2"),
    ],
)
def test_a_broken_table_is_refused(path, row, changes, message):
    tables = {name: read_table(PROJECT, name) for name in (VERTEBRAE, PATIENTS)}
    for column, value in changes.items():
        tables[path].loc[row, column] = value
    with pytest.raises(EvidenceError, match=message):
        vertebra_angles(tables[VERTEBRAE], tables[PATIENTS])


# --- numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [False, True])
@pytest.mark.parametrize("nu", [2.3, 40.0])
def test_chance_of_a_fall_is_the_integral(nu, error):
    p = draws(nu=nu)

    def density(e, centre):
        spread = np.sqrt(1.2**2 + (2 * 1.5**2 if error else 0.0))
        return stats.t.pdf(e, nu, scale=2.4) * stats.norm.cdf(-4.0 - e, centre, spread)

    by_hand = sum(
        share * integrate.quad(density, -300, 300, (-0.5 + shift,), points=[-4, 0], limit=400)[0]
        for share, shift in zip(EVIDENCE.mix, (-0.7, 0.3), strict=True)
    )
    assert p.chance_below(-4.0, EVIDENCE.mix, error=error)[0] == pytest.approx(by_hand, abs=5e-4)


def brute_force(p, label, evidence, size=400_000):
    """Likelihood of a patient by drawing all effects from their distributions, and its standard error."""
    rng, i = np.random.default_rng(1), evidence.patients.index(label)
    own = np.flatnonzero(evidence.patient == i)
    reading = p.tau_reading[0]
    a, u = rng.normal(0, p.tau_patient_angle[0], size), rng.normal(0, p.tau_patient[0], size)
    likelihood, mean = np.ones(size), np.zeros(size)
    for v in own:
        r = evidence.region[v]
        d = p.change[0] + p.shift[0, r] + u + p.tau_vertebra[0] * rng.standard_t(p.nu[0], size)
        angle = p.level[0, r] + a + rng.normal(0, p.tau_angle[0], size)
        for read, true in ((evidence.before[v], angle), (evidence.after[v], angle + d)):
            if np.isfinite(read):
                likelihood = likelihood * stats.norm.pdf(read, true, reading)
        mean = mean + d / len(own)
    first, second = evidence.scores[i]
    odds = (
        p.start[0] + p.slope_start[0] * mean,
        p.treated[0] + p.slope_pain[0] * (first - evidence.mean_before) + p.slope_angle[0] * mean,
    )
    for y, o, rho in zip((first, second), odds, p.rho[0], strict=True):
        k = (1 - rho) / rho
        likelihood = likelihood * stats.betabinom.pmf(y, 10, special.expit(o) * k, special.expit(-o) * k)
    return likelihood.mean(), likelihood.std() / np.sqrt(size)


@pytest.mark.parametrize("label", ["2", "8", "11", "20"])  # one pair; with one unread; none; one of two
def test_a_patients_likelihood_is_the_integral_over_all_effects(label):
    p = draws(size=2, nu=4.0)
    own = EVIDENCE.patient == EVIDENCE.patients.index(label)
    found = patient_log_likelihood(
        p, EVIDENCE.region[own], EVIDENCE.before[own], EVIDENCE.after[own],
        EVIDENCE.scores[EVIDENCE.patients.index(label)], EVIDENCE.mean_before, points=1024,
    )  # fmt: skip
    expected, error = brute_force(p, label, EVIDENCE)
    assert found[0] == found[1]
    assert np.exp(found[0]) == pytest.approx(expected, abs=4 * error + 0.005 * expected)
    assert error < 0.02 * expected


def test_the_density_of_a_pair_is_bivariate_normal():
    found = pair_log_density(4.0, 3.0, *(np.array([x]) for x in (6.0, -0.5, 5.0, 1.5)))
    law = stats.multivariate_normal([6.0, 5.5], [[27.25, 25.0], [25.0, 27.25]])
    assert found[0] == pytest.approx(law.logpdf([4.0, 3.0]), rel=1e-12)


def test_simulated_patients_have_the_moments_of_the_formula():
    p = draws(size=200, nu=200.0, slope_pain=0.0, slope_start=0.0)
    many = p.simulate(EVIDENCE, 20, np.random.default_rng(0))
    region = EVIDENCE.region
    assert many.change.shape == (200, 20, 34) and many.scores.shape == (200, 20, 22, 2)
    assert many.change[..., region == 0].mean() == pytest.approx(-1.2, abs=0.05)
    assert many.change[..., region == 1].var() == pytest.approx(1.2**2 + 2.4**2 * 200 / 198, rel=0.03)
    assert (many.after - many.before - many.change).var() == pytest.approx(2 * 1.5**2, rel=0.03)
    assert many.before[..., region == 1].var() == pytest.approx(2.5**2 + 5.0**2 + 1.5**2, rel=0.05)
    a, b = (EVIDENCE.labels.index(name) for name in ("17 L2", "17 L3"))
    together = np.cov(many.change[..., a].ravel(), many.change[..., b].ravel())[0, 1]
    assert together == pytest.approx(1.2**2, abs=0.25)
    assert many.scores[..., 0].mean() == pytest.approx(10 * special.expit(1.9), abs=0.03)
    n, rho, share = 10, 0.05, special.expit(-1.6)
    flat = draws(size=200, slope_angle=0.0, slope_pain=0.0).simulate(EVIDENCE, 20, np.random.default_rng(0))
    assert flat.scores[..., 1].var() == pytest.approx(n * share * (1 - share) * (1 + (n - 1) * rho), rel=0.04)


def test_without_slopes_relief_and_correction_do_not_correlate():
    none = draws(size=40, slope_start=0.0, slope_angle=0.0)
    pearson, spearman = correlations(none.simulate(EVIDENCE, 40, np.random.default_rng(0)), EVIDENCE)
    assert abs(pearson.mean()) < 0.02 and abs(spearman.mean()) < 0.02
    strong = draws(size=40, slope_start=0.0, slope_angle=0.6)  # the more it rises, the more pain is left
    pearson, spearman = correlations(strong.simulate(EVIDENCE, 40, np.random.default_rng(0)), EVIDENCE)
    assert pearson.mean() > 0.5 and spearman.mean() > 0.5


def test_relief_is_what_is_expected_of_the_scores():
    p = draws(slope_angle=0.1, slope_start=-0.2)
    y, k = np.arange(11), (1 - 0.03) / 0.03
    for change in (0.0, -5.0):
        odds = 1.9 - 0.2 * change
        before = stats.betabinom.pmf(y, 10, special.expit(odds) * k, special.expit(-odds) * k)
        after = 10 * special.expit(-1.6 + 0.1 * change - 0.14 * (y - 8.7))
        assert relief(p, change, 8.7)[0] == pytest.approx((before * (y - after)).sum(), rel=1e-9)
    gain = 10 * (special.expit(-1.6) - special.expit(-1.6 - 0.5))
    assert gain_at_equal_pain(p, 5.0)[0] == pytest.approx(gain, rel=1e-12) and gain > 0


def test_plain_estimates_by_hand():
    table = plain(EVIDENCE)
    change = (EVIDENCE.after - EVIDENCE.before)[EVIDENCE.pairs]
    t = stats.ttest_1samp(change, 0)
    row = table.loc["mean change, vertebrae as if independent"]
    assert row["p"] == pytest.approx(t.pvalue) and row["low"] == pytest.approx(t.confidence_interval().low)
    means = patient_means(EVIDENCE.after - EVIDENCE.before, EVIDENCE.averaging)
    assert means[EVIDENCE.patients.index("18")] == pytest.approx(6.5)
    assert np.isnan(means[EVIDENCE.patients.index("9")])
    there = np.isfinite(means)
    fall = EVIDENCE.scores[:, 0] - EVIDENCE.scores[:, 1]
    r = stats.pearsonr(-means[there], fall[there])
    row = table.loc["Pearson of relief with correction"]
    assert row["estimate"] == pytest.approx(r.statistic) and row["n"] == 20
    assert (row["low"], row["high"]) == pytest.approx(r.confidence_interval())
    assert "Pearson of relief with correction, without patient 18" in table.index
    seen = observed(EVIDENCE, 5.0)
    assert seen[NEW] == pytest.approx(r.statistic) and seen["mean change"] == pytest.approx(change.mean())
    slope = stats.linregress(-means[there], fall[there]).slope
    assert seen["points of relief per 5 degrees of correction"] == pytest.approx(5 * slope)
    assert seen["P(its readings fall by 5 or more)"] == pytest.approx(2 / 29)


def test_clusters_of_equal_values_count_once():
    """Each value twice: the interval is that of the values taken once."""
    values = np.array([1.0, -2.0, 0.5, 3.0])
    mean, interval, _ = clustered_mean(np.repeat(values, 2), np.repeat(np.arange(4), 2))
    once = stats.ttest_1samp(values, 0).confidence_interval()
    assert mean == pytest.approx(values.mean()) and interval == pytest.approx((once.low, once.high))
    low, high = fisher_interval(0.0, 28)
    assert high == pytest.approx(np.tanh(1.959964 / 5), abs=1e-6) and low == -high
    assert smallest_detectable(np.array([1.0]))[0] == pytest.approx(1.959964 * np.sqrt(2), abs=1e-6)


def test_patients_unlike_these_fail_the_check():
    usual = draws(size=300).simulate(EVIDENCE, 1, np.random.default_rng(0))
    assert replicated_patients(EVIDENCE, usual).passed
    still = draws(size=300, tau_vertebra=0.1, tau_patient=0.1).simulate(EVIDENCE, 1, np.random.default_rng(0))
    check = replicated_patients(EVIDENCE, still)
    assert not check.passed and check.table.loc["largest rise", "p"] < 0.01


# --- the whole answer -------------------------------------------------------------------------------------


def short_fit(model, evidence, priors, keep, *, name, seed=0, out=None, say=print):
    """Draws that look like a posterior, without a sampler; the priors' own as the prior."""
    rng, s = np.random.default_rng([seed, len(name)]), 400
    change = np.where(np.isfinite(evidence.after - evidence.before), evidence.after - evidence.before, 0.0)

    def near(middle, spread, least=-np.inf):
        middle = np.asarray(middle, dtype=float)
        return np.maximum(middle + spread * rng.normal(size=(s, *middle.shape)), least)

    patients = len(evidence.patients)
    values = {
        "level": near([11.0, 6.0], 1.5), "tau_angle": near(5.5, 0.9, 1),
        "tau_patient_angle": near(2.5, 0.5, 0.2), "tau_reading": near(1.5, 0.3, 0.4),
        "change": near(-0.4, 0.7), "tau_region": near(1.3, 0.3, 0.1), "tau_patient": near(1.3, 0.3, 0.1),
        "tau_vertebra": near(2.4, 0.4, 0.5), "nu": near(12.0, 4.0, 2.5), "start": near(1.9, 0.2),
        "slope_start": near(-0.1, 0.1), "treated": near(-1.6, 0.2), "slope_pain": near(-0.14, 0.16),
        "slope_angle": near(-0.01, 0.1), "rho": near([0.03, 0.05], 0.02, 0.001),
        "patient_angle": near(np.zeros(patients), 2.0), "of_region": near([-0.5, 0.5], 0.5),
        "of_patient": near(np.zeros(patients), 1.0), "true_change": near(0.7 * change, 1.6),
        "weight": np.abs(near(np.where(np.abs(change) > 10, 0.4, 1.0), 0.05)),
    }  # fmt: skip
    values["shift"] = values["of_region"] - (values["of_region"] @ evidence.mix)[:, None]
    values["patient_change"] = values["true_change"] @ evidence.averaging.T
    along = {
        "region": ("level", "of_region", "shift"),
        "time": ("rho",),
        "vertebra": ("true_change", "weight"),
        "patient": ("patient_angle", "of_patient", "patient_change"),
    }
    dims = {name: dim for dim, names in along.items() for name in names}
    data = xr.Dataset(
        {
            k: (("chain", "draw", *([dims[k]] if k in dims else [])), v.reshape(4, s // 4, *v.shape[1:]))
            for k, v in values.items()
        },
        {d: evidence.coords[d] for d in set(dims.values())},
    )
    stats_ = xr.Dataset({k: (("chain", "draw"), rng.normal(size=(4, 100))) for k in ("diverging", "energy")})
    stats_["diverging"] = stats_["diverging"] * 0
    return xr.DataTree.from_dict({"/posterior": data, "/prior": data, "/sample_stats": stats_})


@pytest.fixture(scope="module")
def answered():
    with pytest.MonkeyPatch.context() as patch:
        for module in ("questions.vertebra_kyphosis", "engines.reweighted"):
            patch.setattr(f"kyphobayes.{module}.fit_declared", short_fit)
        patch.setattr("kyphobayes.questions.vertebra_kyphosis.DRAWS", 120)
        patch.setattr("kyphobayes.questions.vertebra_kyphosis.COPIES", 5)
        yield answer(QUESTION, PROJECT, seed=3)


def test_the_sentence_says_what_the_tables_say(answered):
    table, relation = answered.tables["quantities"], answered.tables["correlation"]
    assert next(iter(answered.tables)) == "quantities"
    assert (table["low"] <= table["median"]).all() and (table["median"] <= table["high"]).all()
    shown = f"{table.loc['mean change', 'median']:.1f}".replace("-", "−")
    assert f"changes by {shown} (95 % interval" in answered.sentence
    assert f"with a probability of {100 * relation.loc[NEW, 'p_weak']:.0f} %" in answered.sentence
    assert "merely do not exclude it" in answered.sentence and "cannot tell" in answered.sentence
    assert table.loc["mean change", "observed"] == pytest.approx(0.9 / 29)


def test_nobody_is_dropped_silently(answered):
    who = answered.who.set_index("unit")
    assert len(who) == 35 + 22 and (who["status"] == "out").sum() == 1
    assert (
        who.loc["vertebra 7 S1", "status"] == "out" and "not applicable" in who.loc["vertebra 7 S1", "reason"]
    )
    assert "integrated out" in who.loc["patient 9", "reason"]
    assert "is printed for two vertebrae" in who.loc["vertebra 20 L4", "reason"]


def test_other_cases_and_what_is_learned(answered):
    cases = answered.tables["other cases"]
    labels = list(dict.fromkeys(cases.index.get_level_values("case")))
    assert labels[:6] == [p.label for p in QUESTION.priors]
    assert "patient 20: both vertebrae from 4 to 3" in labels
    learned = answered.tables["learned"]
    prior = QUESTION.priors[0]["tau_reading"]
    assert learned.loc["tau_reading", "prior_high"] == pytest.approx(float(prior.quantile(0.975)))
    assert {"level thoracic", "rho before", "rho after", "nu"} <= set(learned.index)
    assert answered.tables["vertebrae"]["weight"].idxmin() == "18 L1"


def test_decisions_have_their_thresholds(answered):
    rows = answered.decisions.set_index("claim")
    claim = "the kyphotic angle of a vertebra falls by 5 degrees or more"
    table = answered.tables["quantities"]
    assert rows.loc[claim, "source"] == "a convention of this project"
    assert table.loc["P(falls by 5 or more)", "low"] < rows.loc[claim, "p_patient"] < 0.3
    assert rows.loc[claim, "expected"] == pytest.approx(20 * rows.loc[claim, "p_patient"])
    assert rows["p_centre"].isna().all()  # one series tells nothing of another


def test_checks_have_names_of_their_own_and_can_be_read(answered):
    names = [check.name for check in answered.checks]
    assert names == [
        "convergence", "posterior predictive", "leave-one-patient-out", "agreement, mean change",
        "agreement, correlation",
    ]  # fmt: skip
    table = answered.tables["leave-one-patient-out"]
    assert len(table) == 22 and np.isfinite(table["elpd"].astype(float)).all()


def test_what_the_paper_says_stands_beside(answered):
    table = answered.tables["printed"]
    assert len(table) == 2 and table.index[1].endswith("without any correlation with the radiographic image")
    assert table["plain_estimate"].iloc[1] == pytest.approx(
        answered.tables["correlation"].loc[NEW, "observed"]
    )


def test_the_chapter_has_its_figures_and_tables(answered):
    shown = chapter_of(answered)
    plates = [plate for part in shown.parts for plate in part.plates]
    assert [plate.name for plate in plates] == ["angles", "relief", "correlation"]
    for plate in plates:
        assert "nan" not in plate.alt and to_svg(plate.figure, plate.name).startswith("<svg")
    cells = [c for part in shown.parts for table in part.tables for row in table.cells for c in row]
    assert cells and not any("nan" in c for c in cells)
    told = " ".join(sentence for part in shown.parts for sentence in part.sentences)
    assert "29 of 35 vertebrae" in told and "“No correlation” is not shown" in told and "18 L1" in told


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"options": {}}, "expected a key 'conclude'"),
        ({"options": {"conclude": 0.3}}, "from 0.5 to below 1, found 0.3"),
        ({"options": {"conclude": 0.9, "draws": 1}}, "unknown key 'draws'"),
        ({"priors": ()}, "expected a prior set, found none"),
    ],
)
def test_a_broken_entry_is_refused(changes, message):
    with pytest.raises(EvidenceError, match=message):
        answer(replace(QUESTION, **changes), PROJECT)


def test_a_threshold_that_is_missing_is_named(copied):
    text = (copied.data / "thresholds.toml").read_text(encoding="utf-8")
    (copied.data / "thresholds.toml").write_text(
        text.replace("[weak_correlation]", "[other]"), encoding="utf-8"
    )
    with pytest.raises(EvidenceError, match="no threshold 'weak_correlation'"):
        answer(QUESTION, copied)


def test_the_series_of_one_region_is_still_a_series():
    table = read_table(PROJECT, VERTEBRAE)
    lumbar = table[(table["region"] == "lumbar")]
    patients = read_table(PROJECT, PATIENTS)
    view = vertebra_angles(
        lumbar.reset_index(drop=True),
        patients[patients["patient"].isin(lumbar["patient"])].reset_index(drop=True),
    )
    assert view.regions == ("lumbar",) and view.mix.tolist() == [1.0]
    found = observed(view, 5.0)
    assert isinstance(found, dict) and pd.notna(found["mean change, lumbar"])
