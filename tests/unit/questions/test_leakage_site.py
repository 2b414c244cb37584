"""Leakage by vertebra and site: the view, the integration against other hands, and the whole answer."""

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import integrate, special, stats

from kyphobayes import exact
from kyphobayes.checks.leaks import agreement, integration
from kyphobayes.engines import nuts
from kyphobayes.errors import EvidenceError, InputError
from kyphobayes.evidence import read_leak_sites, read_table
from kyphobayes.evidence.leakage_sites import REGIONS, SITES, VERTEBRAE, leak_sites
from kyphobayes.evidence.questions import read_questions
from kyphobayes.leaks import (
    Clusters,
    clustered_share,
    exact_share,
    none_seen,
    quantities,
    replicate,
    solve,
    tables,
)
from kyphobayes.leaks.clusters import alternatives, by_patient
from kyphobayes.priors import Prior, Priors
from kyphobayes.project import default_project
from kyphobayes.questions import answer
from kyphobayes.report.canvas import to_svg
from kyphobayes.report.chapters import chapter_of

PROJECT = default_project()
QUESTION = read_questions(PROJECT)["leakage_site"]
EVIDENCE = read_leak_sites(PROJECT)
CLUSTERS = Clusters(EVIDENCE.levels, *EVIDENCE.placements()[:3])
MAIN = QUESTION.priors[0]
SHARES = np.array([4.0, 2.0, 2.0])


@pytest.fixture(scope="module")
def solved():
    found = solve(MAIN, CLUSTERS, SHARES, seed=1)
    return found, quantities(found, CLUSTERS, 3)


# --- the view ---------------------------------------------------------------------------------------------


def test_what_the_paper_prints_is_in_the_view():
    assert EVIDENCE.levels.sum(axis=0).tolist() == [10, 24, 1] and len(EVIDENCE.patients) == 22
    assert EVIDENCE.sites.tolist() == [3, 1, 1] and np.nansum(EVIDENCE.events) == 4
    assert [EVIDENCE.labels[i] for i in EVIDENCE.latent] == ["18 T12", "18 L1"]
    assert EVIDENCE.tables.sum(axis=1).tolist() == [5, 5] and EVIDENCE.weights.tolist() == [0.5, 0.5]
    np.testing.assert_array_equal(EVIDENCE.tables[:, EVIDENCE.latent], np.eye(2))
    assert CLUSTERS.events.sum() == 5 and CLUSTERS.events.max() == 1


def test_placements_are_those_of_the_tables():
    leaks, owner, weights, places = EVIDENCE.placements()
    assert [p for p in places if p] == ["18 T12", "18 L1"] and len(owner) == 23
    both = np.flatnonzero(owner == EVIDENCE.patients.index("18"))
    assert leaks[both].tolist() == [[1, 0, 0], [0, 1, 0]] and weights[both].tolist() == [0.5, 0.5]
    known = CLUSTERS.fixed(int(both[0]))
    assert len(known.owner) == 22 and (known.weights == 1).all()
    assert known.leaks[known.owner == owner[both[0]]].tolist() == [[1, 0, 0]]


def test_another_leak_is_another_digest():
    table = read_table(PROJECT, VERTEBRAE)
    table.loc[0, ["leak", "leak_site"]] = ["yes", "disc"]
    assert leak_sites(table).digest != EVIDENCE.digest


@pytest.mark.parametrize(
    ("vertebra", "change", "message"),
    [
        (("7", "S1"), {"leak_site": ""}, "line 12: expected a leak_site where there is a leak"),
        (("1", "L2"), {"leak_site": "disc"}, "line 2: expected a leak_site where there is a leak and none"),
        (("18", "L1"), {"leak_site": "disc"}, "patient 18 to share one leak with one site, found 2 with ant"),
        (
            ("18", "L1"),
            {"leak": "no", "leak_site": ""},
            "patient 18 to share one leak with one site, found 1",
        ),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(vertebra, change, message):
    table = read_table(PROJECT, VERTEBRAE)
    row = EVIDENCE.labels.index(" ".join(vertebra))
    table.loc[row, list(change)] = list(change.values())
    with pytest.raises(EvidenceError, match=message):
        leak_sites(table)


def test_one_patient_is_too_few():
    with pytest.raises(EvidenceError, match="two patients or more, found 1"):
        leak_sites(read_table(PROJECT, VERTEBRAE).head(2))


# --- the likelihood ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("tau", [1e-6, 0.7, 4.0])
def test_patients_are_integrals_over_their_effect(tau):
    logit = np.array([-2.5, -1.6, 0.4])
    found = by_patient(alternatives(logit[None], np.array([tau]), CLUSTERS), CLUSTERS)[0]

    def integral(chance):
        def density(x):
            return stats.norm.pdf(x) * chance(special.expit(logit + tau * x))

        return integrate.quad(density, -8, 8, epsabs=1e-12, limit=200)[0]

    seven = integral(lambda p: (1 - p[1]) ** 2 * p[2])  # L1, L2 and S1, which leaked
    unplaced = integral(lambda p: 0.5 * p[0] * (1 - p[1]) + 0.5 * (1 - p[0]) * p[1])
    for patient, expected in (("7", seven), ("18", unplaced), ("10", integral(lambda p: p[1]))):
        assert found[EVIDENCE.patients.index(patient)] == pytest.approx(expected, abs=1e-6)


# --- the posterior ----------------------------------------------------------------------------------------


def on_a_grid():
    """Means and evidence on a product of rules, with nothing of the package: tau's by their quantiles."""
    u, w = np.polynomial.legendre.leggauss(14)
    z, v = np.polynomial.hermite_e.hermegauss(16)
    x, q = np.polynomial.hermite_e.hermegauss(40)
    mu = np.linspace(-10, 4, 57)
    half = special.ndtri((1 + (1 + u) / 2) / 2)  # quantiles of the half-normal
    m, s, t = (a.ravel() for a in np.meshgrid(mu, 0.5 * half, half, indexing="ij"))
    prior = (stats.norm.pdf(mu, -2.5, 1.5) * (mu[1] - mu[0]))[:, None, None] * w[:, None] * w / 4
    logit = m[:, None] + s[:, None] * z
    p = special.expit(logit[..., None] + t[:, None, None] * x)  # of one region, as the regions are alike
    n, weights = 1 - p, q / q.sum()

    def alone(chance):
        return chance @ weights

    def two(left, right):
        return np.einsum("azq,ayq,q->azy", left, right, weights)

    thoracic = alone(n) ** 2 * alone(n**2) ** 2  # patients 3, 4; 9, 19
    lumbar = alone(n) ** 6 * alone(n**2) ** 3 * alone(n**3) * alone(p) ** 3
    both = two(n, n) ** 3 * (two(p, n) + two(n, p)) / 2  # patients 5, 8, 16; 18
    sacral = two(n**2, p)  # patient 7
    v = v / v.sum()
    side = np.einsum("z,azy->ay", v, thoracic[:, :, None] * both)
    of_lumbar = v * lumbar * side * (sacral @ v)
    mass = prior.ravel() * of_lumbar.sum(axis=1)
    evidence = mass.sum()
    return np.log(evidence), {
        "mu": mass @ m / evidence,
        "tau_region": mass @ s / evidence,
        "tau_patient": mass @ t / evidence,
        "lumbar": (prior.ravel()[:, None] * of_lumbar * logit).sum() / evidence,
    }


def test_points_agree_with_a_grid(solved):
    found, _ = solved
    log_evidence, means = on_a_grid()
    assert found.log_evidence == pytest.approx(log_evidence, abs=0.005)
    values = {"mu": found.mu, "tau_region": found.tau_region, "tau_patient": found.tau_patient}
    for name, value in (values | {"lumbar": found.logit[:, 1]}).items():
        assert found.mean(value) == pytest.approx(means[name], abs=0.01 * found.sd(value)), name
        assert found.error(value) < 0.01 * found.sd(value)


def test_without_regions_patients_are_studies():
    levels = np.zeros((6, 3))
    levels[:, 1] = [12, 3, 7, 20, 1, 9]
    events = np.array([0.0, 2, 3, 1, 1, 0])
    leaks = np.zeros((6, 3))
    leaks[:, 1] = events
    clusters = Clusters(levels, leaks, np.arange(6), np.ones(6))
    priors = Priors.of(mu="Normal(mu=-1, sigma=1)", tau_patient="HalfNormal(sigma=1.5)")
    found = solve(priors, clusters, SHARES, seed=2)
    known = quantities(found, clusters, 2)
    witness = exact.binomial(events, levels[:, 1]).posterior(priors["mu"], priors["tau_patient"])
    check = integration(found, known, found, witness)
    assert check.passed, check.text
    shifted = exact.binomial(events + 1, levels[:, 1] + 1).posterior(priors["mu"], priors["tau_patient"])
    assert not integration(found, known, found, shifted).passed


def test_leaving_a_patient_out_is_solving_without_him(solved):
    found, _ = solved
    patient = EVIDENCE.patients.index("7")
    kept = np.flatnonzero(CLUSTERS.owner != patient)
    owner = CLUSTERS.owner[kept] - (CLUSTERS.owner[kept] > patient)
    levels = np.delete(CLUSTERS.levels, patient, axis=0)
    rest = Clusters(levels, CLUSTERS.leaks[kept], owner, CLUSTERS.weights[kept])
    without = solve(MAIN, rest, SHARES, seed=1).log_evidence
    assert found.left_out[patient] == pytest.approx(found.log_evidence - without, abs=1e-10)


def test_shares_are_dirichlet(solved):
    found, _ = solved
    for i, margin in enumerate((stats.beta(4, 4), stats.beta(2, 6), stats.beta(2, 6))):
        low, high = found.quantile(found.share[:, i], (0.025, 0.975))
        assert (low, high) == pytest.approx(margin.ppf([0.025, 0.975]), abs=0.01)
    before = found.before.quantile(found.share[:, 2], (0.5,))
    assert before == pytest.approx([stats.beta(2, 6).median()], abs=0.002)


def test_a_prior_that_is_missing_or_improper_is_refused():
    with pytest.raises(InputError, match="expected one for tau_patient, found mu"):
        solve(Priors.of(mu="Normal(mu=0, sigma=1)"), CLUSTERS, SHARES)
    with pytest.raises(InputError, match="proper ones, found mu ~ Flat"):
        solve(Priors.of(mu="Flat()", tau_patient="HalfNormal(sigma=1)"), CLUSTERS, SHARES)


# --- what people read ---------------------------------------------------------------------------------------


def test_quantities_at_one_point_by_simulation(solved):
    found, known = solved
    row = int(np.argmin(np.abs(found.tau_patient - 1.5)))
    rng = np.random.default_rng(0)
    size = 200_000
    u = found.tau_patient[row] * rng.normal(size=(size, 1))
    region = rng.choice(3, p=[10 / 35, 24 / 35, 1 / 35], size=(size, 3))
    leak = rng.random((size, 3)) < special.expit(found.logit[row][region] + u)
    assert known.rate[row] == pytest.approx(leak.mean(), abs=0.003)
    assert known.at_least_one[row] == pytest.approx(
        [leak[:, 0].mean(), leak[:, :2].any(axis=1).mean(), leak.any(axis=1).mean()], abs=0.005
    )
    assert known.icc[row] == pytest.approx(np.corrcoef(leak[:, 0], leak[:, 1])[0, 1], abs=0.01)
    canal = leak & (rng.random((size, 3)) < found.share[row, 2])
    assert known.sites[row, 2] == pytest.approx(canal.mean(), abs=0.003)
    assert known.none_in_pairs[row, 2] == pytest.approx((~canal[:, :2].any(axis=1)).mean(), abs=0.004)
    assert known.none_in_pairs[row, 3] == pytest.approx(1 - known.at_least_one[row, 1], abs=1e-12)


def test_levels_that_are_alike_leak_together(solved):
    """Given the rate, levels of one patient never have a leak more often than independent ones."""
    _, known = solved
    assert (known.at_least_one <= known.independent + 1e-12).all() and (known.icc >= 0).all()
    np.testing.assert_allclose(known.at_least_one[:, 0], known.rate)


def test_replicates_have_the_rate_of_their_points(solved):
    found, known = solved
    rows = found.rows(3000, 0)
    leaks, sites = replicate(found, CLUSTERS, rows, 0)
    assert leaks.shape == (3000, 22) and (leaks <= CLUSTERS.levels.sum(axis=1)).all()
    assert leaks.sum() / (3000 * 35) == pytest.approx(found.mean(known.rate), rel=0.03)
    np.testing.assert_array_equal(sites.sum(axis=1), leaks.sum(axis=1))


def test_the_clustered_interval_is_that_of_a_sandwich():
    events, n = CLUSTERS.events, CLUSTERS.levels.sum(axis=1)
    single = np.concatenate([[1.0] * int(e) + [0.0] * int(m - e) for e, m in zip(events, n, strict=True)])
    groups = np.repeat(np.arange(22), n.astype(int))
    fit = sm.OLS(single, np.ones(35)).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": True}
    )
    share = clustered_share(events, n)
    independent = share.estimate * (1 - share.estimate) / 35
    assert share.estimate == pytest.approx(5 / 35)
    assert share.design_effect == pytest.approx(float(fit.bse[0]) ** 2 / independent, rel=1e-9)
    half = stats.t.ppf(0.975, 21) * float(fit.bse[0]) / (share.estimate * (1 - share.estimate))
    ends = special.expit(special.logit(share.estimate) + np.array([-half, half]))
    assert (share.low, share.high) == pytest.approx(tuple(ends))
    with pytest.raises(InputError, match="with and without leaks; found 0"):
        clustered_share(0 * events, n)


def test_exact_limits():
    share = exact_share(5, 35)
    assert stats.binom.sf(4, 35, share.low) == pytest.approx(0.025)
    assert stats.binom.cdf(5, 35, share.high) == pytest.approx(0.025)
    found = none_seen(35)
    assert stats.binom.pmf(0, 35, found["below_exact"]) == pytest.approx(0.05)
    assert (1 - found["below_uniform"]) ** 36 == pytest.approx(0.05)
    assert found["expected"] == pytest.approx(1 / 37) and found["below_jeffreys"] < found["below_uniform"]


# --- the whole answer ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def answered():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(nuts.SETTINGS, "draws", 700)
        patch.setattr("kyphobayes.leaks.points._POWER", 12)
        yield answer(QUESTION, PROJECT, seed=3)


def test_the_answer_passes_its_checks(answered):
    assert [check.name for check in answered.checks if not check.passed] == []
    assert next(iter(answered.tables)) == "rates"
    apart = answered.tables["agreement"]["apart"].abs()
    assert len(apart) == 39 and apart.max() < 4.5


def test_nuts_of_another_series_would_not_agree(answered):
    solved = solve(MAIN.replace(mu="Normal(mu=-3.5, sigma=1.5)"), CLUSTERS, SHARES)
    check = agreement(
        solved, quantities(solved, CLUSTERS, 3), answered.fits[MAIN.label], CLUSTERS, (REGIONS, SITES)
    )
    assert not check.passed


def test_the_numbers_are_those_of_the_counts(answered):
    rates = answered.tables["rates"]
    mean = rates.xs(tables.PATIENTS[0], level="patient")
    assert mean["n"].tolist() == [35, 10, 24, 1]
    assert mean["leaks_least"].tolist() == [5, 0, 3, 1] and mean["leaks_most"].tolist() == [5, 1, 4, 1]
    assert mean.loc[tables.ALL, "mean"] == pytest.approx(5 / 35, abs=0.02)
    assert mean.loc["thoracic", "mean"] < mean.loc["lumbar", "mean"] < mean.loc["sacral", "mean"] < 0.3
    sites = answered.tables["sites"]
    assert sites["leaks"].tolist() == [3, 1, 1, 5]
    assert sites.loc["canal", "per_100"] == pytest.approx(
        100 * mean.loc[tables.ALL, "mean"] / 4, rel=0.01
    )  # the share's mean is 2 of 8
    coming = answered.tables["next 20 levels"]
    assert coming["expected"].iloc[:3].sum() == pytest.approx(coming["expected"].iloc[3])
    assert (coming["p_none_in_pairs"] >= coming["p_none"]).all()


def test_what_cannot_be_learned_is_said(answered):
    ratio = answered.tables["learned"]["width_ratio"]
    assert 0.9 < ratio["tau_region"] < 1.1 and 0.9 < ratio["tau_patient"] < 1.1 and ratio["mu"] < 0.6
    assert "cannot be learned" in answered.sentence and "1 of 35 levels" in answered.sentence
    unplaced = answered.tables["unplaced"]
    assert unplaced["after"].sum() == pytest.approx(1) and unplaced["after"].between(0.35, 0.65).all()


def test_cases_do_what_their_priors_say(answered):
    cases = answered.tables["cases"]
    assert list(cases.index) == [
        "weakly_informative", "vague", "sceptical", "past_series", "all regions alike",
        "Jeffreys’ prior for the sites", "leak of patient 18 in T12", "leak of patient 18 in L1",
    ]  # fmt: skip
    assert cases["mean"]["past_series"] < cases["mean"]["weakly_informative"] < cases["mean"]["sceptical"]
    alike = cases.loc["all regions alike"]
    assert alike["thoracic"] == alike["sacral"] == pytest.approx(alike["mean"])
    placed = cases.loc[["leak of patient 18 in T12", "leak of patient 18 in L1"]]
    assert placed["thoracic"].iloc[0] > cases["thoracic"].iloc[0] > placed["thoracic"].iloc[1]
    # the leak is placed in either with probability one half, so that evidences add up
    assert np.logaddexp(*placed["log_evidence"]) - np.log(2) == pytest.approx(cases["log_evidence"].iloc[0])


def test_decisions_are_about_levels_and_claim_nothing_of_other_centres(answered):
    frame = answered.decisions
    assert frame["p_centre"].isna().all() and (frame["of"] == "levels that leak").all() and len(frame) == 7
    first = frame.iloc[0]
    assert first["p_mean"] == answered.tables["rates"]["p_below"].iloc[0]
    assert first["expected"] == pytest.approx(answered.tables["next 20 levels"]["expected"].iloc[3], rel=0.02)
    assert frame["p_mean"].iloc[4:].isna().all()  # no threshold for a site


def test_every_vertebra_is_in(answered):
    who = answered.who.set_index("unit")
    assert len(who) == 35 and (who["status"] == "in").all()
    assert who.loc["patient 7, S1", "reason"] == "leak, anterior"
    assert "in T12 or L1" in who.loc["patient 18, L1", "reason"]


def test_the_chapter_has_its_figures_and_tables(answered):
    shown = chapter_of(answered)
    plates = [plate for part in shown.parts for plate in part.plates]
    assert [plate.name for plate in plates] == ["rates", "sites", "levels"]
    for plate in plates:
        assert to_svg(plate.figure, plate.name).startswith("<svg") and "nan" not in plate.alt
    for part in shown.parts:
        assert not any("nan" in sentence for sentence in part.sentences)
        for table in part.tables:
            assert table.cells and all("nan" not in cell for row in table.cells for cell in row)
    text = " ".join(sentence for part in shown.parts for sentence in part.sentences)
    assert "Of 35 levels 5 leaked" in text and "Zero of 5 is not a rate of zero" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"past": "leakage_bkp_bouza_only"}, "expected a key 'most'"),
        ({"past": "leakage_bkp_bouza_only", "most": 1}, "most to be a whole number from 2 to 6, found 1"),
        ({"past": "leakage_bkp_bouza_only", "most": 3, "x": 1}, "unknown key 'x'"),
    ],
)
def test_broken_options_are_named(options, message):
    with pytest.raises(EvidenceError, match=message):
        answer(replace(QUESTION, options=options), PROJECT)


def test_a_question_without_priors_is_refused():
    with pytest.raises(EvidenceError, match="expected a prior set, found none"):
        answer(replace(QUESTION, priors=()), PROJECT)


def test_a_mixture_is_a_prior_like_any_other():
    prior = Prior.parse("Mixture(0.5*Normal(mu=-4, sigma=1) + 0.5*Normal(mu=-1, sigma=1))")
    found = solve({**MAIN, "mu": prior}, CLUSTERS, SHARES)
    assert found.before.mean(found.mu) == pytest.approx(-2.5, abs=0.01)
