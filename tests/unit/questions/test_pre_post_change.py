"""Change of pain across studies: rows and reasons, numbers against other hands, one fit, the chapter."""

import dataclasses
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from kyphobayes import exact
from kyphobayes.change import Draws, answers, integrated, patient, plug_in
from kyphobayes.change.printed_line import with_line
from kyphobayes.engines import nuts
from kyphobayes.errors import EvidenceError, PriorError
from kyphobayes.evidence import pre_post_means, read_table
from kyphobayes.evidence.pre_post_asked import read_pre_post
from kyphobayes.evidence.pre_post_rows import control_changes, read_pre_post_means
from kyphobayes.evidence.questions import read_questions
from kyphobayes.priors import Prior, Priors
from kyphobayes.project import default_project
from kyphobayes.questions import answer
from kyphobayes.report.canvas import to_svg
from kyphobayes.report.chapters import chapter_of

PROJECT = default_project()
PAIN, DISABILITY = (read_questions(PROJECT)[name] for name in ("pain_change", "disability_change"))
NAN = np.nan
SMALL = pre_post_means(
    [8.7, NAN, 8.1], [-7.0, -5.5, -4.5], [22, 69, 8], ["a", "b", "c"], sd_before=[1.1, NAN, 1.5],
    sd_after=[1.4, NAN, 1.8], n_most=[22, 69, 43], slack=[0, 0.1, 0], correlation=[-0.2, NAN, NAN],
)  # fmt: skip


def draws_of(s, evidence=SMALL, seed=0):
    """Draws that look like a posterior, without a sampler."""
    rng = np.random.default_rng(seed)
    around = {"mu": (-5.2, 0.6), "mu_before": (7.8, 0.4), "slope": (-0.3, 0.4), "fisher_z": (-0.2, 0.2),
              "theta_new": (-5.2, 1.4), "before_new": (7.8, 0.8)}  # fmt: skip
    values = {name: rng.normal(*ends, s) for name, ends in around.items()}
    values |= {name: rng.uniform(0.4, 1.2, s) for name in ("tau", "tau_before", "tau_sd")}
    log_sd = rng.normal(0.2, 0.2, (s, 2))
    each = log_sd[:, :, None] + 0.3 * rng.normal(size=(s, 2, evidence.k))
    n = evidence.n_least + rng.uniform(size=(s, evidence.k)) * (evidence.n_most - evidence.n_least)
    return Draws(**values, log_sd=log_sd, log_sd_study=each, n=n)


# --- rows and reasons ---------------------------------------------------------------------------------------


def test_six_series_enter_for_pain_and_every_row_has_a_reason():
    asked = read_pre_post(PAIN)
    evidence, who = read_pre_post_means(asked, PROJECT)
    table = evidence.rows.set_index("study_id")
    assert set(table.index) == {"ribeirao_preto", "berenson2011_cafe", "papanastassiou2014", "eleraky2011",
                                "duan2019", "zou2010"}  # fmt: skip
    assert len(who) == len(read_table(PROJECT, "outcomes/pain.csv")) and who["reason"].str.len().min() > 10
    assert table["change"].to_dict() == pytest.approx(
        {"ribeirao_preto": -7.0, "berenson2011_cafe": -3.5, "papanastassiou2014": -5.5,
         "eleraky2011": -4.9, "duan2019": -6.3, "zou2010": -4.5}
    )  # fmt: skip
    assert table.loc["zou2010", ["n", "n_most"]].tolist() == [8, 43]
    assert table.loc["papanastassiou2014", "slack"] == pytest.approx(0.1)
    assert table.loc["duan2019", "when"] == "6m" and table.loc["berenson2011_cafe", "when"] == "1w"
    scores = read_table(PROJECT, "patients/ribeirao_preto_patients.csv")
    place = list(table.index).index("ribeirao_preto")
    assert evidence.correlation[place] == pytest.approx(scores["vas_pre"].corr(scores["vas_post"]))
    assert (
        np.isfinite(evidence.correlation).sum() == 1
    )  # the same 22 patients' printed SDs are no second datum


@pytest.mark.parametrize(
    ("unit", "status", "reason"),
    [
        ("Berenson 2011, BKP, 1w, NRS 0-10 change", "out", "-3.8 contradicts -3.5"),
        ("Kasperk 2012, BKP, 24m, VAS 0-100 change", "out", "number of patients not printed"),
        ("Weihe 2012, BKP, 3m, VAS 0-100", "out", "mixed incl osteoporosis"),
        ("Kypho-IORT 2018, BKP+IORT, 1w, NRS 0-10", "out", "treatment is BKP+IORT"),
        ("Ribeirão Preto, BKP, last, VAS 0-10", "out", "a later time"),
        ("Shi 2019, BKP (<=3 levels), 1w, VAS 0-10", "out", "without a value before"),
        ("Eleraky 2011, BKP, baseline, VAS 0-100", "in", "scores times 0.1"),
        ("Duan 2019, BKP, 6m, VAS 0-10", "in", "none within three months"),
        ("Papanastassiou 2014, BKP, post, VAS 0-10 change", "in", "printed as -5.6 to -5.4"),
    ],
)
def test_reasons_of_rows(unit, status, reason):
    _, who = read_pre_post_means(read_pre_post(PAIN), PROJECT)
    row = who.set_index("unit").loc[unit]
    assert row["status"] == status and reason in row["reason"]


def test_cases_change_one_thing_only():
    asked = read_pre_post(PAIN)
    main, _ = read_pre_post_means(asked, PROJECT)
    first, second = (read_pre_post_means(asked, PROJECT, case)[0] for case in asked.cases)
    place = main.labels.index("Berenson 2011")
    assert first.change[place] == -3.8 and np.isnan(first.before[place])
    np.testing.assert_array_equal(np.delete(first.change, place), np.delete(main.change, place))
    assert set(second.labels) - set(main.labels) == {"Kypho-IORT 2018"}
    assert control_changes(asked, PROJECT) == {"treated": -3.8, "control": -0.3, "factor": 1.0}
    assert np.isnan(control_changes(read_pre_post(DISABILITY), PROJECT)["factor"])  # on another scale


def test_disability_has_three_series():
    evidence, who = read_pre_post_means(read_pre_post(DISABILITY), PROJECT)
    assert sorted(evidence.labels) == ["Duan 2019", "Eleraky 2011", "Zou 2010"]
    assert who["reason"].str.contains("another scale").sum() == 4
    assert not len(evidence.bare) and not len(evidence.paired)


def options(**changed):
    return replace(PAIN, options=PAIN.options | changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"scales": {}}, "a factor above 0 for one scale"),
        ({"thresholds": []}, "expected thresholds to name one"),
        (
            {"n_between": {"zou2010": {"least": 43, "most": 8, "why": ""}}},
            "most to be above it, found 43 and 8",
        ),
        (
            {"cases": [{"name": "x", "study": "y", "arm": "z", "take": "all", "why": ""}]},
            "'means' or 'change'",
        ),
        ({"tops": 3}, "unknown key 'tops'"),
    ],
)
def test_broken_options_are_named(changed, message):
    with pytest.raises(EvidenceError, match=message):
        read_pre_post(options(**changed))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"populations": ["myelom"]}, "no study has population 'myelom'; did you mean 'myeloma'"),
        ({"patients": "ribeirao"}, "has no study 'ribeirao'"),
        ({"arm": "RT"}, "expected two series at least .* after RT, found 0"),
        ({"outcome": "cement_leakage"}, "is no table of means: it has no column scale"),
    ],
)
def test_what_the_tables_do_not_have_is_named(changed, message):
    with pytest.raises(EvidenceError, match=message):
        read_pre_post_means(read_pre_post(options(**changed)), PROJECT)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"before": [11.0, 8.0]}, "before of study 1: expected a mean from 0 to 10, found 11"),
        ({"change": [-9.0, -5.0]}, "before \\+ change of study 1"),
        ({"sd_before": [0.0, 1.0]}, "expected an SD above 0"),
        ({"n": [2, 20]}, "four patients or more, found 2"),
        ({"slack": [0.1, 0.0]}, "0 where a mean before is printed"),
        ({"sd_before": [NAN, NAN]}, "expected one printed at least"),
    ],
)
def test_impossible_numbers_are_refused(changed, message):
    given = {"before": [8.0, 8.0], "change": [-5.0, -5.0], "n": [20, 20], "sd_before": [1.0, 1.0]}
    with pytest.raises(EvidenceError, match=message):
        pre_post_means(**given | changed)


# --- numbers by another hand --------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_study_s_likelihood_is_the_integral_over_its_sds_and_its_n(place):
    draws = draws_of(3)
    found = integrated.study_log_likelihood(draws, SMALL)[:, place]
    for s in range(3):
        expected = by_brute_force(draws, SMALL, place, s)
        assert found[s] == pytest.approx(expected, abs=0.02)


def by_brute_force(draws, evidence, i, s):
    """The same on a dense grid over both log SDs and the number of patients."""
    x = [np.linspace(draws.log_sd[s, t] - 5 * draws.tau_sd[s], draws.log_sd[s, t] + 5 * draws.tau_sd[s], 301)
         for t in (0, 1)]  # fmt: skip
    sizes = np.linspace(evidence.n_least[i], evidence.n_most[i], 41)
    r, total = np.tanh(draws.fisher_z[s]), []
    for n in sizes:
        one, two = (
            np.exp(grid)[shape] for grid, shape in zip(x, (np.s_[:, None], np.s_[None, :]), strict=True)
        )
        value = stats.norm.pdf(x[0], draws.log_sd[s, 0], draws.tau_sd[s])[:, None]
        value = value * stats.norm.pdf(x[1], draws.log_sd[s, 1], draws.tau_sd[s])
        for t, sigma in ((0, one), (1, two)):
            if np.isfinite(evidence.sd[t, i]):
                scale = sigma**2 / (n - 1)
                value = value * stats.chi2.pdf(evidence.sd[t, i] ** 2 / scale, n - 1) / scale
        t_before, slope, tau = draws.tau_before[s], draws.slope[s], draws.tau[s]
        v11 = t_before**2 + one**2 / n + 0 * two
        v12 = slope * t_before**2 + (r * one * two - one**2) / n
        v22 = (
            slope**2 * t_before**2
            + tau**2
            + (one**2 + two**2 - 2 * r * one * two) / n
            + evidence.slack[i] ** 2 / 3
        )
        change = evidence.change[i] - draws.mu[s]
        if np.isnan(evidence.before[i]):
            value = value * stats.norm.pdf(change, 0, np.sqrt(v22))
        else:
            before = evidence.before[i] - draws.mu_before[s]
            determinant = v11 * v22 - v12**2
            form = (v22 * before**2 - 2 * v12 * before * change + v11 * change**2) / determinant
            value = value * np.exp(-form / 2) / (2 * np.pi * np.sqrt(determinant))
        total.append(integrate.trapezoid(integrate.trapezoid(value, x[1]), x[0]))
    mean = total[0] if sizes[0] == sizes[-1] else integrate.trapezoid(total, sizes) / np.ptp(sizes)
    if np.isfinite(evidence.correlation[i]):
        spread = 1 / np.sqrt(evidence.n_least[i] - 3)
        mean *= stats.norm.pdf(np.arctanh(evidence.correlation[i]), draws.fisher_z[s], spread)
    return np.log(mean)


def test_the_expected_mean_and_true_values_are_those_of_a_grid():
    draws = draws_of(2)
    priors = {"mu": Prior.parse("Normal(mu=0, sigma=4)"), "mu_before": Prior.parse("Normal(mu=7, sigma=2)")}
    found = integrated.expected_mu(draws, SMALL, priors)
    x, y = np.meshgrid(np.linspace(-12, 4, 401), np.linspace(2, 14, 401), indexing="ij")
    for s in range(2):
        log = priors["mu"].log_density(x) + priors["mu_before"].log_density(y)
        each = draws.take(np.array([s]))
        before, shared, change = integrated.covariance(each, each.sd, each.n, SMALL.slack)
        for i in range(SMALL.k):
            off = SMALL.change[i] - x
            if np.isnan(SMALL.before[i]):
                log = log - off**2 / change[0, i] / 2
                continue
            matrix = np.linalg.inv([[before[0, i], shared[0, i]], [shared[0, i], change[0, i]]])
            gap = np.stack([SMALL.before[i] - y, off])
            log = log - np.einsum("aij,ab,bij->ij", gap, matrix, gap) / 2
        weight = np.exp(log - log.max())
        assert found[0][s] == pytest.approx((weight * x).sum() / weight.sum(), abs=1e-6)
        assert found[1][s] == pytest.approx((weight * y).sum() / weight.sum(), abs=1e-6)


def test_true_values_shrink_towards_the_typical_centre():
    one = draws_of(1)
    many = Draws(**{name: np.repeat(getattr(one, name), 40_000, axis=0) for name in one.__dataclass_fields__})
    before, theta = integrated.true_values(many, SMALL, np.random.default_rng(1))
    # By hand for study b, of which the change alone is printed: one normal observation of one normal value.
    v = many.variance(SMALL)[0, 1]
    weight = many.spread[0] ** 2 / (many.spread[0] ** 2 + v)
    assert theta[:, 1].mean() == pytest.approx(many.mu[0] + weight * (-5.5 - many.mu[0]), abs=0.01)
    assert theta[:, 1].std() == pytest.approx(np.sqrt(weight * v), rel=0.02)
    slope = many.slope[0] * many.tau_before[0] ** 2 / (many.spread[0] ** 2 + v)
    assert before[:, 1].mean() == pytest.approx(many.mu_before[0] + slope * (-5.5 - many.mu[0]), abs=0.01)


def test_a_prior_that_is_not_normal_is_refused_by_name():
    given = {"mu": "StudentT(nu=4, mu=0, sigma=2)", "mu_before": "Normal(mu=7, sigma=2)"}
    with pytest.raises(PriorError, match="prior for mu: expected a normal one"):
        integrated.expected_mu(draws_of(2), SMALL, {name: Prior.parse(text) for name, text in given.items()})


@pytest.mark.parametrize("r", [-0.6, 0.0, 0.7])
def test_the_chance_of_a_fall_is_that_of_simulated_patients(r):
    before, after, sd = np.array([0.78]), np.array([0.3]), np.array([[0.13, 0.2]])
    found = patient.chance_of_fall(before, after, sd, np.array([r]), np.array([0.2, 0.6]))[0]
    rng = np.random.default_rng(3)
    z = rng.multivariate_normal([0, 0], [[1, r], [r, 1]], 400_000)
    values = [stats.beta.ppf(stats.norm.cdf(z[:, t]), *(float(p[0]) for p in patient.beta_of(m, sd[:, t])))
              for t, m in ((0, before), (1, after))]  # fmt: skip
    assert values[1].mean() == pytest.approx(0.3, abs=2e-3) and values[1].std() == pytest.approx(
        0.2, abs=2e-3
    )
    expected = [np.mean(values[0] - values[1] >= fall) for fall in (0.2, 0.6)]
    np.testing.assert_allclose(found, expected, atol=3e-3)


def test_impossible_means_and_sds_are_brought_onto_the_scale():
    a, b = patient.beta_of(np.array([-0.2, 0.5, 1.3]), np.array([0.1, 0.9, 0.1]))
    assert (a > 0).all() and (b > 0).all()
    chances = patient.new_patients(draws_of(50), 10.0, [2.0, 2.7], np.random.default_rng(0))
    assert ((chances >= 0) & (chances <= 1)).all() and (chances[:, 0] >= chances[:, 1]).all()


def test_coupling_alone_is_what_simulated_studies_show():
    """With a true slope of 0 the least-squares slope of printed on printed is cov / var of the errors."""
    rng = np.random.default_rng(5)
    k, n, sd, tau_before, r = 200_000, 10, (1.6, 1.2), 0.8, -0.3
    cov = np.array([[sd[0] ** 2, r * sd[0] * sd[1]], [r * sd[0] * sd[1], sd[1] ** 2]]) / n
    error = rng.multivariate_normal([0, 0], cov, k)
    level, change = rng.normal(7, tau_before, k), rng.normal(-5, 1, k)
    naive = np.polyfit(level + error[:, 0], change + error[:, 1] - error[:, 0], 1)[0]
    one = draws_of(1)
    both = dataclasses.replace(
        one, tau_before=np.array([tau_before]), fisher_z=np.arctanh(np.array([r])),
        n=np.full((1, 3), float(n)), log_sd_study=np.log(np.array(sd))[None, :, None].repeat(3, axis=2),
    )  # fmt: skip
    found = plug_in.slopes(both, SMALL, np.ones(3)).loc[plug_in.COUPLING, "estimate"]
    assert found == pytest.approx(naive, abs=0.01)


def test_the_line_is_pooled_with_series_that_do_not_overlap():
    evidence, _ = read_pre_post_means(read_pre_post(PAIN), PROJECT)
    kept = [i for i, label in enumerate(evidence.labels) if label in ("Ribeirão Preto", "Duan 2019")]
    for place in sorted(set(range(evidence.k)) - set(kept), reverse=True):
        evidence = evidence.without(place)
    found = with_line("vas_post", PROJECT, evidence, draws_of(50, evidence), 0)
    # Hedges' g of two groups of 22, and of 20, by hand.
    g = [7.0 / np.sqrt((1.12**2 + 1.39**2) / 2) * (1 - 3 / (4 * 42 - 1)),
         6.3 / np.sqrt((0.95**2 + 0.41**2) / 2) * (1 - 3 / (4 * 38 - 1))]  # fmt: skip
    np.testing.assert_allclose(found.y, g, rtol=1e-3)
    v = [2 / 22 + g[0] ** 2 / 88, 2 / 20 + g[1] ** 2 / 80]
    alone = (
        exact.normal(g, np.sqrt(v))
        .posterior("Flat()", "HalfNormal(sigma=1)")
        .quantile("mu", [0.025, 0.5, 0.975])
    )
    np.testing.assert_allclose(
        found.posteriors["series"].quantile("mu", [0.025, 0.5, 0.975]), alone, rtol=2e-3
    )
    table = found.table["median"]
    assert table["printed line"] < table["both"] < table["series"]
    assert found.table["studies"].tolist() == [4, 2, 6] and not found.out


def test_a_series_of_the_line_is_not_counted_twice():
    evidence, _ = read_pre_post_means(read_pre_post(PAIN), PROJECT)
    rows = evidence.rows.assign(study_id=["pflugmacher2009_assr", *evidence.rows["study_id"][1:]])
    found = with_line("vas_post", PROJECT, dataclasses.replace(evidence, rows=rows), draws_of(9, evidence), 0)
    assert "shares patients" in found.out["Ribeirão Preto"] and "no SDs" in found.out["Eleraky 2011"]
    with pytest.raises(EvidenceError, match="no line 'vas'"):
        with_line("vas", PROJECT, evidence, draws_of(9, evidence), 0)


def test_fixed_numbers_give_the_normal_model():
    draws = draws_of(400)
    priors = Priors.of("x", mu="Normal(mu=0, sigma=4)", tau="HalfNormal(sigma=1.5)")
    se = plug_in.fixed_se(draws, SMALL, 0.5)
    one = plug_in.by_correlation(draws, SMALL, priors, [2.0]).loc[0.5]
    expected = exact.normal(SMALL.change, se).posterior(priors["mu"], priors["tau"])
    assert one["median"] == pytest.approx(float(expected.quantile("mu", 0.5)))
    assert one["p_next_2"] == pytest.approx(float(expected.cdf("theta_new", -2.0)))
    others = plug_in.other_evidence(draws, SMALL, {"more": SMALL}, priors, [2.0])
    assert others["more"]["median"] == pytest.approx(
        plug_in.row(plug_in.solved(SMALL, plug_in.fixed_se(draws, SMALL), priors), [2.0])["median"]
    )


def test_what_a_control_leaves():
    draws = draws_of(4000)
    table = answers.what_remains(draws, {"treated": -3.8, "control": -0.3, "factor": 1.0}, [2.0])
    assert table["points"].iloc[1] - table["points"].iloc[0] == pytest.approx(0.3)
    # A fall of 5.2 with an SD of 0.6: 5 % lie above -5.2 + 1.645 * 0.6.
    assert table["points"].iloc[2] == pytest.approx(5.2 - 1.645 * 0.6 - 2, abs=0.05)
    assert len(answers.what_remains(draws, {"treated": -8.3, "control": 0.1, "factor": NAN}, [2.0])) == 2


# --- the whole answer, from one fit -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def answered():
    question = replace(PAIN, priors=tuple(p for p in PAIN.priors if p.label != "vague"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(nuts.SETTINGS, "draws", 900)
        patch.setattr("kyphobayes.questions.pre_post_change.K_BOUND", np.inf)  # no study is fitted without
        yield answer(question, PROJECT, seed=2)


def test_the_answer_and_its_witnesses(answered):
    table = answered.tables["answer"]
    assert next(iter(answered.tables)) == "answer" and answered.passed
    assert table.loc["mean change, typical centre", "median"] == pytest.approx(-5.2, abs=0.15)
    low, high = table.loc["mean change, typical centre", ["low", "high"]]
    assert (low, high) == pytest.approx((-6.35, -3.9), abs=0.3)
    assert abs(answered.tables["conditional means"]["difference_mcse"]).max() < 4.5
    assert answered.tables["learned"].loc["slope", "width_ratio"] > 0.75  # the prior comes back
    assert "By 6 series, pain (0–10) falls by 5." in answered.sentence
    assert "−3.8 with and −0.3 without treatment" in answered.sentence


def test_decisions_are_for_mean_centre_and_patient(answered):
    rows = answered.decisions
    assert len(rows) == 2 and rows["source"].tolist() == ["bouza2009, Discussion"] * 2
    assert (rows["p_mean"] >= rows["p_centre"]).all() and (rows["p_centre"] > rows["p_patient"]).all()
    assert rows["expected"].iloc[0] == pytest.approx(20 * rows["p_patient"].iloc[0])
    assert rows["p_patient"].iloc[0] == pytest.approx(0.87, abs=0.03)


def test_other_priors_and_evidence_are_there(answered):
    assert answered.tables["prior sets"].index.tolist() == ["weakly_informative", "sceptical"]
    assert answered.tables["prior sets"]["median"].is_monotonic_increasing  # a sceptic sees less of a fall
    cases = answered.tables["other evidence"]
    assert {"without Zou 2010", "with kyphoplasty and intraoperative radiotherapy"} <= set(cases.index)
    spread = np.ptp(answered.tables["fixed correlation"]["median"])
    assert spread < 0.05  # centres differ by far more than the error of their means


def test_the_chapter_has_its_figures_and_tables(answered):
    shown = chapter_of(answered)
    plates = [plate for part in shown.parts for plate in part.plates]
    assert [plate.name for plate in plates] == ["changes", "level", "line"]
    assert all(plate.alt and plate.caption and to_svg(plate.figure, plate.name) for plate in plates)
    tables = [table for part in shown.parts for table in part.tables]
    assert all(table.cells for table in tables) and len({table.name for table in tables}) == len(tables)
    text = " ".join(sentence for part in shown.parts for sentence in part.sentences)
    assert "out of nothing" in text and "the prior comes back" in text and "92" in text


def test_who_lists_rows_and_what_is_pooled_with_the_line(answered):
    who = answered.who
    assert set(who["status"]) == {"in", "out"} and not who["reason"].eq("").any()
    pooled = who[who["unit"].str.contains("pooling with the printed line")]
    assert pooled["status"].value_counts().to_dict() == {"in": 3, "out": 3}


def test_without_priors_there_is_no_answer():
    with pytest.raises(EvidenceError, match="expected a prior set, found none"):
        answer(replace(PAIN, priors=()), PROJECT)


def test_the_tables_are_plain(answered):
    content = answered.to_dict()
    assert content["answer"] == answered.sentence and len(content["decisions"]) == 2
    assert all(isinstance(table, pd.DataFrame) for table in answered.tables.values())
