"""Leaks and new fractures together: the view, the numbers against other hands, and the whole answer."""

import dataclasses

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from pytensor.compile.mode import Mode
from scipy import integrate, special, stats

from kyphobayes import exact
from kyphobayes.errors import EvidenceError, PriorError
from kyphobayes.evidence import counts, joint_counts, read_joint_counts
from kyphobayes.evidence.questions import read_questions
from kyphobayes.joint.correlation import GRID, RhoLikelihood, likelihood_of_rho, quantile
from kyphobayes.joint.left_out import solve
from kyphobayes.joint.likelihood import JointLikelihood, Margins
from kyphobayes.joint.next_centre import both_below, normals_below
from kyphobayes.joint.profile import RHOS, crude, profile
from kyphobayes.joint.simulated import _draw, studies_needed
from kyphobayes.joint.witnesses import agreement, predictive
from kyphobayes.model import load_model
from kyphobayes.priors import Prior, Priors
from kyphobayes.project import default_project
from kyphobayes.questions import answer
from kyphobayes.questions.joint_outcomes import options_of, sentence
from kyphobayes.report.canvas import to_png
from kyphobayes.report.chapters import chapter_of

PROJECT = default_project()
QUESTION = read_questions(PROJECT)["leakage_and_fracture"]
PYTHON = Mode(linker="py", optimizer="fast_compile")
PRIORS = load_model("joint_outcomes").priors
UNIFORM = Prior.parse("Uniform(lower=-1, upper=1)")
LIMITS = (0.10, 0.19)
nan = np.nan


@pytest.fixture(scope="module")
def evidence():
    return read_joint_counts(PROJECT, "cement_leakage", "new_fracture")


@pytest.fixture(scope="module")
def small():
    """Two studies with both outcomes and one with leaks only; the fractures are one of two tables."""
    return joint_counts(
        counts([1, 4, 2], [12, 15, 20], ["a", "b", "c"]),
        counts([nan, nan], [10, 14], ["a", "b"], tables=[[0, 4], [2, 2]], weights=[1, 3]),
    )


# --- the view ---------------------------------------------------------------------------------------------


def test_studies_are_matched_and_one_pair_is_printed(evidence):
    assert evidence.k == 9 and len(evidence.both) == 5
    assert [evidence.labels[i] for i in evidence.printed] == ["Ribeirão Preto"]
    one, two = evidence.both_within
    assert [evidence.leaks.labels[i] for i in one] == [evidence.fractures.labels[j] for j in two]
    assert set(evidence.excluded["outcome"]) == {"leaks", "fractures"}
    assert len(evidence.coords["table_leaks"]) == len(evidence.leaks.tables)


def test_a_study_can_be_taken_out_of_both(evidence):
    fewer = evidence.without("Kose 2006")
    assert "Kose 2006" not in fewer.labels and fewer.k == 8 and len(fewer.both) == 4
    assert fewer.leaks.tables.shape[1] == 8 and fewer.fractures.tables.shape[1] == 4
    assert fewer.digest != evidence.digest
    with pytest.raises(EvidenceError, match="no study 'Kose'"):
        evidence.without("Kose")


def test_two_studies_with_both_are_needed():
    leaks = counts([1, 2], [10, 20], ["a", "b"])
    with pytest.raises(EvidenceError, match=r"2 studies or more .* found 1 \(b\)"):
        joint_counts(leaks, counts([1, 2], [10, 20], ["b", "c"]))


def test_two_studies_under_one_label_are_refused():
    leaks, fractures = (counts([1, 2], [10, 20], ["a", "b"]) for _ in range(2))
    fractures = dataclasses.replace(fractures, rows=fractures.rows.assign(study_id=["x", "b"]))
    leaks = dataclasses.replace(leaks, rows=leaks.rows.assign(study_id=["a", "b"]))
    with pytest.raises(EvidenceError, match="found 'a' for two"):
        joint_counts(leaks, fractures)


# --- likelihood -------------------------------------------------------------------------------------------


def pair_by_quadrature(y, n, x, m, mu, tau, nu, spread, rho):
    """P(y of n leaks and x of m fractures) by adaptive quadrature over both effects, standardised."""
    choose = special.comb(n, y) * special.comb(m, x) / (2 * np.pi)
    rest = np.sqrt(1 - rho**2)

    def density(v, u):
        p, q = (1 / (1 + np.exp(-t)) for t in (mu + tau * u, nu + spread * (rho * u + rest * v)))
        return p**y * (1 - p) ** (n - y) * q**x * (1 - q) ** (m - x) * np.exp(-(u * u + v * v) / 2)

    return choose * integrate.dblquad(density, -7, 7, -7, 7, epsabs=1e-10, epsrel=1e-6)[0]


def test_likelihood_is_the_integral_summed_over_tables(small):
    mu, tau, nu, spread, rho = -1.5, 0.8, -1.8, 0.6, 0.7
    pairs = {
        (y, x): pair_by_quadrature(y, n, x, m, mu, tau, nu, spread, rho)
        for y, n, m, xs in ((1, 12, 10, (0, 2)), (4, 15, 14, (4, 2)))
        for x in xs
    }
    alone = integrate.quad(
        lambda a: stats.binom.pmf(2, 20, special.expit(a)) * stats.norm.pdf(a, mu, tau), -8, 6
    )[0]
    expected = alone * (0.25 * pairs[1, 0] * pairs[4, 4] + 0.75 * pairs[1, 2] * pairs[4, 2])
    at = Margins(*(np.array([value, 0.3 + value]) for value in (mu, tau, nu, spread)))
    assert JointLikelihood(small, at).log(rho)[0] == pytest.approx(np.log(expected), abs=1e-5)


def test_at_no_correlation_each_outcome_is_by_itself(evidence):
    at = Margins(np.array([-2.6]), np.array([1.2]), np.array([-2.1]), np.array([0.4]))
    found = JointLikelihood(evidence, at).log(0.0)[0]
    separate = [
        exact.mixture(c.tables, c.n, c.weights).log_likelihood(mu, tau).item()
        for c, mu, tau in ((evidence.leaks, -2.6, 1.2), (evidence.fractures, -2.1, 0.4))
    ]
    assert found == pytest.approx(sum(separate), abs=1e-4)


def test_likelihood_of_rho_is_that_of_draws_from_the_prior(small):
    """By brute force: everything is drawn from the prior, and the binomials are averaged."""
    rng, size = np.random.default_rng(4), 300_000
    mu, nu = rng.normal(-2.5, 1.5, (2, size))
    tau, spread = np.abs(rng.normal(0, 1, (2, size)))
    u, v = rng.standard_normal((2, 3, size))

    def likelihood(rho):
        leak = special.expit(mu + tau * u)
        fracture = special.expit(nu + spread * (rho * u + np.sqrt(1 - rho**2) * v))
        first = stats.binom.pmf([[1], [4], [2]], [[12], [15], [20]], leak).prod(axis=0)
        tables = [
            weight * stats.binom.pmf(table, [[10], [14]], fracture[:2]).prod(axis=0)
            for table, weight in (([[0], [4]], 0.25), ([[2], [2]], 0.75))
        ]
        return first * sum(tables)

    nothing = likelihood(0.0)
    solved = solve(small, PRIORS, 1, draws=1500)
    for rho in (-0.8, 0.8):
        other = likelihood(rho)
        ratio = other.mean() / nothing.mean()
        error = (other - ratio * nothing).std() / nothing.mean() / np.sqrt(size)
        found = np.interp(rho, GRID, solved.likelihood.values)
        ours = np.interp(rho, solved.likelihood.nodes, solved.likelihood.errors)
        assert found == pytest.approx(ratio, abs=4 * np.hypot(error, ours))
        assert abs(ratio - 1) > 3 * error  # else nothing would be tested


# --- what follows for rho ---------------------------------------------------------------------------------


@pytest.fixture
def rising():
    """A likelihood of 1 + rho, whatever else."""
    nodes, _ = np.polynomial.legendre.leggauss(9)
    margins = Margins(*np.zeros((4, 50)))
    return RhoLikelihood(margins, nodes, np.repeat((1 + nodes)[:, None], 50, axis=1))


def test_posterior_of_rho_by_hand(rising):
    """Under a uniform prior the density is (1 + rho) / 2 and the distribution function (1 + rho)^2 / 4."""
    found = rising.posterior(UNIFORM)
    summary = found.summary()
    assert summary["median"] == pytest.approx(2 * np.sqrt(0.5) - 1, abs=1e-6)
    assert summary["low"] == pytest.approx(2 * np.sqrt(0.025) - 1, abs=1e-5)
    assert summary["p_positive"] == pytest.approx(0.75, abs=1e-6)
    assert summary["kl"] == pytest.approx(np.log(2) - 0.5, abs=1e-5)
    assert summary["bayes_factor_0"] == pytest.approx(1, abs=1e-9)
    assert summary["prior_median"] == 0.0
    mean, error = found.expectation(GRID)
    assert mean == pytest.approx(1 / 3, abs=1e-6) and error == pytest.approx(0, abs=1e-12)
    assert found.both(lambda rho: np.full(50, rho**2)) == pytest.approx(1 / 3, abs=1e-6)


def test_a_prior_for_rho_lies_between_its_bounds(rising):
    for text in ("Normal(mu=0, sigma=0.5)", "Uniform(lower=-2, upper=1)", "Flat()"):
        with pytest.raises(PriorError, match="between -1 and 1"):
            rising.posterior(Prior.parse(text))


def test_quantiles_of_equal_cells():
    mass = np.full(len(GRID), 1 / len(GRID))
    assert quantile(mass, 0.3) == pytest.approx(-0.4, abs=1e-12)


def test_weights_move_the_margins_and_their_error_is_true():
    rng = np.random.default_rng(1)
    nodes, _ = np.polynomial.legendre.leggauss(9)
    values = rng.normal(size=4000)
    relative = np.exp(0.3 * nodes[:, None] * values - 0.045 * nodes[:, None] ** 2)
    found = RhoLikelihood(Margins(values, *np.zeros((3, 4000))), nodes, relative).posterior(
        Prior.parse("Uniform(lower=0.5, upper=0.6)")
    )
    mean, error = found.margin(values, 0.0)  # given rho the draws are tilted to a mean of 0.3 rho
    assert mean == pytest.approx(0.165, abs=4 * error + 0.002) and error < 0.02


# --- the next centre --------------------------------------------------------------------------------------


@pytest.mark.parametrize("rho", [-0.95, -0.3, 0.0, 0.6, 0.98])
@pytest.mark.parametrize(("h", "k"), [(0.4, -1.1), (-0.7, -0.2), (0.0, 0.5), (0.0, 0.0), (1.5, 2.0)])
def test_bivariate_normal_is_that_of_scipy(h, k, rho):
    expected = stats.multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([h, k])
    assert normals_below(h, k, rho) == pytest.approx(expected, abs=1e-5)


def test_both_below_is_a_share_of_simulated_centres():
    margins = Margins(*(np.array([x]) for x in (-2.5, 1.0, -1.6, 0.7)))
    rng = np.random.default_rng(2)
    theta = rng.multivariate_normal([-2.5, -1.6], [[1, 0.42], [0.42, 0.49]], 200_000)
    share = (special.expit(theta) < LIMITS).all(axis=1).mean()
    assert both_below(margins, 0.6, LIMITS)[0] == pytest.approx(share, abs=0.005)


# --- the frequentist, and simulated studies ---------------------------------------------------------------


def test_profile_is_the_highest_of_the_likelihood(small):
    found = profile(small)
    rng = np.random.default_rng(3)
    size = 4000
    some = Margins(
        rng.uniform(-4, 0, size), np.exp(rng.uniform(-3.5, 1, size)),
        rng.uniform(-4, 0, size), np.exp(rng.uniform(-3.5, 1, size)),
    )  # fmt: skip
    for rho in (-0.9, 0.0, 0.75):
        highest = JointLikelihood(small, some).log(rho).max()
        best = found.log_likelihood[rho == RHOS][0]
        assert highest - 1e-3 <= best < highest + 0.2
    assert found.interval == (-1.0, 1.0)  # two studies reject nothing


def test_plain_correlations_depend_on_the_table(evidence, small):
    table = crude(evidence)
    assert table.loc["Pearson, log odds", "lowest"] < 0 < table.loc["Pearson, log odds", "highest"]
    assert (table["printed"] == 1).all() and (table["studies"] == 5).all()
    # Two studies: 1/12 < 4/15 leaks; fractures rise in the first table, fall in the second.
    spearman = crude(small).loc["Spearman, rates"]
    assert (spearman["lowest"], spearman["highest"]) == pytest.approx((-1, 1))


def test_draws_from_a_grid_are_those_of_the_exact_posterior():
    y, n = np.array([2.0, 9, 0, 5]), np.array([30.0, 60, 22, 35])
    rng = np.random.default_rng(6)
    many = [_draw(y, n, PRIORS["mu_leak"], PRIORS["tau_leak"], rng) for _ in range(40)]
    mu, tau = (np.concatenate([pair[i] for pair in many]) for i in (0, 1))
    summary = exact.binomial(y, n).posterior(PRIORS["mu_leak"], PRIORS["tau_leak"]).summary()
    assert mu.mean() == pytest.approx(summary.loc["mu", "mean"], abs=4 * mu.std() / np.sqrt(len(mu)))
    assert tau.mean() == pytest.approx(summary.loc["tau", "mean"], abs=4 * tau.std() / np.sqrt(len(tau)))


def test_many_studies_learn_what_few_cannot(evidence):
    apart = solve(evidence, PRIORS, 0, draws=50).apart
    found = studies_needed(evidence, PRIORS, apart, [5, 60], [0.0, 0.9], 3, seed=1)
    width = found["width"]
    assert width[60, 0.9] < 0.7 * width[5, 0.9] and width[60, 0.0] < width[5, 0.0] <= 1.9
    assert found.loc[(60, 0.9), "p_positive"] > 0.97 and found.loc[(5, 0.0), "leaves_out_0"] == 0
    again = studies_needed(evidence, PRIORS, apart, [5], [0.0], 3, seed=1)
    assert again["width"].item() == width[5, 0.0]


# --- the whole answer -------------------------------------------------------------------------------------


def sampled(model, evidence, priors, keep, *, name, seed=0, out=None, say=print):
    """Draws from the joint posterior without NUTS: exact margins, then rho by its likelihood."""
    rng, size = np.random.default_rng([seed, 20]), 2400
    solved = solve(evidence, priors, seed + 1, draws=size)
    found = solved.posterior
    place = rng.choice(size, size, p=found.weights / size)
    nodes = np.maximum(solved.likelihood._series @ solved.likelihood.relative[:, place], 0)
    cumulative = np.cumsum(found.before[:, None] * nodes, axis=0)
    rho = GRID[(cumulative < rng.uniform(size=size) * cumulative[-1]).sum(axis=0)]
    values = {key: getattr(solved.likelihood.margins, key)[place] for key in priors if key != "rho"}
    values["rho"] = rho
    u, v = rng.standard_normal((2, size, evidence.k + 1))
    leak = values["mu_leak"][:, None] + values["tau_leak"][:, None] * u
    step = rho[:, None] * u + np.sqrt(1 - rho[:, None] ** 2) * v
    fracture = values["mu_fracture"][:, None] + values["tau_fracture"][:, None] * step
    values |= {"theta_leak_new": leak[:, -1], "theta_fracture_new": fracture[:, -1]}
    values |= {"theta_leak": leak[:, :-1], "theta_fracture": fracture[:, :-1]}
    posterior = xr.Dataset(
        {
            key: (("chain", "draw", *["study"][: x.ndim - 1]), x.reshape(4, -1, *x.shape[1:]))
            for key, x in values.items()
        },
        {"study": list(evidence.labels)},
    )
    energy = rng.normal(size=(4, 100))
    stats_ = xr.Dataset(
        {"diverging": (("chain", "draw"), energy > 99), "energy": (("chain", "draw"), energy)}
    )
    with model.build(evidence, priors):
        drawn = pm.sample_prior_predictive(300, random_seed=seed, compile_kwargs={"mode": PYTHON})
    groups = {"/posterior": posterior, "/sample_stats": stats_}
    groups |= {f"/{group}": drawn[group].dataset for group in ("prior", "prior_predictive")}
    return xr.DataTree.from_dict(groups)


@pytest.fixture(scope="module")
def answered():
    options = QUESTION.options | {"studies": [5], "data_sets": 2}
    sets = (QUESTION.priors[0], QUESTION.priors[-1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kyphobayes.questions.joint_outcomes.fit_declared", sampled)
        patch.setattr("kyphobayes.joint.left_out._LEFT_OUT_DRAWS", 200)
        yield answer(dataclasses.replace(QUESTION, options=options, priors=sets), PROJECT, seed=3)


def test_the_prior_comes_back_and_the_sentence_says_so(answered):
    first = answered.tables["correlation"].iloc[0]
    assert next(iter(answered.tables)) == "correlation"
    assert 0.95 < first["width_ratio"] < 1.02 and first["kl"] < 0.05
    assert "not identifiable with k = 5 studies, of which 1 prints both counts" in answered.sentence
    assert "The prior comes back." in answered.sentence
    assert f"{first['high']:.2f})" in answered.sentence


def test_where_rho_is_learned_the_sentence_does_not_say_so(answered):
    tables = dict(answered.tables)
    tables["correlation"] = tables["correlation"].assign(width_ratio=0.5)
    said = sentence(tables, answered.more["evidence"], LIMITS)
    assert "identifiable" not in said and "comes back" not in said and "k = 5" in said


def test_together_and_apart(answered):
    table = answered.tables["next centre"]
    rows = table["apart"]
    assert rows["P(both)"] == pytest.approx(
        rows["P(leak rate below 10 %)"] * rows["P(fracture share below 19 %)"], rel=1e-12
    )
    assert (table["difference"].abs() < 0.05).all()
    shift = answered.tables["with and without the other outcome"]["shift"]
    assert shift.abs().max() < 0.25
    other = answered.tables["other priors"].loc[("shared_cause", "exact margins, weights")]
    assert other["difference"] > 0.02  # a positive correlation makes both more probable


def test_checks_pass_and_can_fail(answered):
    assert [check.name for check in answered.checks] == [
        "convergence", "agreement", "profile likelihood", "posterior predictive", "leave-one-study-out",
    ]  # fmt: skip
    assert answered.passed, [check.text for check in answered.checks]
    fit = next(iter(answered.fits.values()))
    moved = fit["posterior"].dataset.assign(mu_leak=fit["posterior"]["mu_leak"] + 0.3)
    wrong = agreement(xr.DataTree.from_dict({"/posterior": moved}), answered.more["solved"])
    assert not wrong.passed and "first weights ~ NUTS on mu_leak mean" in wrong.text
    draws = answered.more["draws"] | {"mu_leak": answered.more["draws"]["mu_leak"] + 4}
    assert not predictive(draws, answered.more["evidence"], 0).passed


def test_every_study_and_outcome_is_in_or_out(answered):
    who = answered.who.set_index("unit")
    assert who.loc["Kose 2006, leaks", "reason"] == "printed: 0 of 22 levels"
    assert who.loc["Kose 2006, fractures", "reason"] == "not printed: 0 to 3 of 18 patients"
    assert who.loc["Lane 2004, fractures", "status"] == "out"
    assert (answered.who["reason"] != "").all() and not who.index.duplicated().any()


def test_decisions_and_numbers(answered):
    rows = answered.decisions
    assert list(rows["of"]) == ["levels that leak", "patients", "centres"]
    both = rows.iloc[2]
    assert both["p_centre"] <= rows["p_centre"].iloc[:2].min() and both["p_mean"] > both["p_centre"]
    before = answered.tables["before the data"]
    assert before.loc["leaks in all studies", "observed"] == pytest.approx(50)
    assert before.loc["fractures in all studies", "observed"] == pytest.approx(23)
    assert np.isnan(answered.tables["studies"].loc["Lane 2004", "fractures_n"])


def test_chapter(answered):
    shown = chapter_of(answered)
    plates = [plate for part in shown.parts for plate in part.plates]
    assert [plate.name for plate in plates] == ["correlation", "next-centre", "studies-needed"]
    assert all(to_png(plate.figure).startswith(b"\x89PNG") and "nan" not in plate.alt for plate in plates)
    cells = [cell for part in shown.parts for table in part.tables for row in table.cells for cell in row]
    assert cells and all("nan" not in cell for cell in cells)
    told = " ".join(sentence for part in shown.parts for sentence in part.sentences)
    assert "One of these (Ribeirão Preto) prints both counts" in told and "-0." not in told


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"studies": [1]}, "expected studies to hold whole numbers from 2 to 200"),
        ({"correlations": [1.0]}, "expected correlations to lie between -1 and 1"),
        ({"data_sets": 0}, "expected data_sets to be from 1"),
        ({"leak_rate": "x"}, "unknown key 'leak_rate'"),
    ],
)
def test_broken_options_are_named(changes, message):
    with pytest.raises(EvidenceError, match=message):
        options_of(dataclasses.replace(QUESTION, options=QUESTION.options | changes))


def test_broken_entries_are_named():
    with pytest.raises(EvidenceError, match="expected a prior set, found none"):
        answer(dataclasses.replace(QUESTION, priors=()), PROJECT)
    points = QUESTION.options | {"leak_limit": "vas_change_low"}
    with pytest.raises(EvidenceError, match="expected a share, which limits a rate, found points"):
        answer(dataclasses.replace(QUESTION, options=points), PROJECT)
    short = Priors(QUESTION.priors[0].entries[:-1], "short")
    with pytest.raises(PriorError, match="no prior for rho"):
        answer(dataclasses.replace(QUESTION, priors=(short,)), PROJECT)


def test_order_of_the_series_does_not_matter(small):
    margins = solve(small, PRIORS, 2, draws=200).likelihood.margins
    few, many = (likelihood_of_rho(small, margins, order).values for order in (13, 27))
    np.testing.assert_allclose(few, many, atol=2e-3)
