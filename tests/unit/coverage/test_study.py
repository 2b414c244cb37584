"""The study: coverage that can be enumerated, coverage known to be poor, and the same digits everywhere."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import special

from kyphobayes.coverage import Cell, Pair, cover, coverage_study, crossed_cells, own_cells, study
from kyphobayes.coverage.assessed import assessed, content, wilson
from kyphobayes.coverage.posterior_intervals import Posteriors
from kyphobayes.coverage.shared_grid import place
from kyphobayes.coverage.simulated import distinct, simulate
from kyphobayes.coverage.summary import across, of_cell
from kyphobayes.coverage.two_stage import METHODS, two_stage
from kyphobayes.errors import InputError
from kyphobayes.exact import binomial
from kyphobayes.jobs import workers
from kyphobayes.priors import Priors

PAIR = Pair("weak", "Normal(mu=-2.5, sigma=1.5)", "HalfNormal(sigma=1)")
SMALL = Cell("small", (4, 5), -1.0, 0.7, (PAIR,))
RARE = Cell("k7-n20-tau0.5-rate1", (20, 12, 28, 16, 24, 20, 12), float(special.logit(0.01)), 0.5, (PAIR,))


@pytest.fixture(scope="module")
def rare():
    return cover(RARE, 2000, seed=0)


def of(table, method, quantity="typical"):
    return table[(table["method"] == method) & (table["quantity"] == quantity)].iloc[0]


# --- what can be known otherwise -------------------------------------------------------------------------


def test_coverage_of_two_studies_is_that_of_all_their_tables():
    """Every table of 0 to 4 and 0 to 5 events, with its probability by the exact engine."""
    events = np.array(list(itertools.product(range(5), range(6))))
    sizes = np.tile(SMALL.sizes, (len(events), 1))
    chance = np.exp(
        [binomial(row, SMALL.sizes).log_likelihood([SMALL.mu], [SMALL.tau]).item() for row in events]
    )
    assert chance.sum() == pytest.approx(1)
    priors = Priors.of(mu=PAIR.mu, tau=PAIR.tau)
    pairs = [(priors["mu"], priors["tau"])]
    grid = place(events, sizes, pairs)
    exact = Posteriors.of(grid, pairs).intervals(grid.log_likelihood(slice(0, 30)), events, sizes)[0]
    wald = two_stage(METHODS[0], events, sizes)
    simulated = cover(SMALL, 4000, seed=3)
    for method, each in ((PAIR.name, exact), (METHODS[0].name, wald)):
        covered = chance[(each.low <= SMALL.mu) & (SMALL.mu <= each.high)].sum()
        found = of(simulated, method)
        assert abs(found["coverage"] - covered) < 4 * (covered * (1 - covered) / 4000) ** 0.5 + 1e-9
        assert found["above"] == pytest.approx(chance[each.high < SMALL.mu].sum(), abs=0.02)
    held = special.ndtr((exact.new_high - SMALL.mu) / SMALL.tau)
    held -= special.ndtr((exact.new_low - SMALL.mu) / SMALL.tau)
    assert of(simulated, PAIR.name, "next")["content"] == pytest.approx(chance @ held, abs=0.01)


def test_half_events_added_to_rare_ones_miss_the_rate_and_the_exact_interval_does_not(rare):
    """One event in a hundred, twenty patients in a study: the log odds of what is added are far above."""
    wald, weak = of(rare, "log odds, DL, Wald"), of(rare, PAIR.name)
    assert wald["coverage_high"] < 0.3 and weak["coverage_low"] > 0.95
    assert wald["coverage"] + wald["below"] + wald["above"] == pytest.approx(1)
    assert wald["below"] > 0.7


def test_drawn_effects_are_covered_as_often_as_intervals_hold_them(rare):
    new = rare[rare["quantity"] == "next"]
    off = (new["coverage"] - new["content"]) / np.sqrt(new["content"] * (1 - new["content"]) / 2000 + 1e-9)
    assert off.abs().max() < 4


def test_where_no_study_has_an_event_the_glmm_gives_nothing():
    cell = replace(RARE, name="rarest", sizes=(20, 12, 28), mu=float(special.logit(0.01)), tau=0.0)
    glmm = of(cover(cell, 2000, seed=0), "binomial–normal (GLMM), ML, Wald")
    none = 0.99**60
    assert abs(glmm["nothing"] - none) < 4 * (none * (1 - none) / 2000) ** 0.5


def test_an_interval_that_is_too_narrow_is_caught(monkeypatch):
    """With many large studies alike HKSJ covers as it says; with two thirds of its quantile it does not."""
    cell = Cell("large", (400,) * 10, 0.0, 0.0, (PAIR,))
    name = "log odds, REML, HKSJ"
    good = of(cover(cell, 1000, seed=0), name)
    assert good["coverage_low"] < 0.95 < good["coverage_high"]
    whole = two_stage

    def narrow(method, events, sizes):
        found = whole(method, events, sizes)
        middle = (found.low + found.high) / 2
        low, high = (middle + 2 / 3 * (end - middle) for end in (found.low, found.high))
        return replace(found, low=low, high=high)

    monkeypatch.setattr(study, "two_stage", narrow)
    assert of(cover(cell, 1000, seed=0), name)["coverage_high"] < 0.95


# --- the pieces ------------------------------------------------------------------------------------------


def test_tables_that_differ_in_order_are_one_table():
    events = np.array([[0, 3, 1], [1, 3, 0], [3, 0, 1], [0, 0, 0]])
    alike, sizes, which = distinct(events, (20, 30, 20))
    assert which.tolist() == [1, 1, 2, 0]  # [3, 0, 1]: its three events are in a study of another size
    assert alike.tolist() == [[0, 0, 0], [0, 1, 3], [1, 3, 0]] and (sizes == [20, 20, 30]).all()


def test_simulated_tables_have_the_rate_and_the_spread_of_their_cell():
    cell = Cell("many", (50,) * 4, -1.0, 0.8, (PAIR,))
    found = simulate(cell, 20_000, seed=1)
    share = found.events[found.which] / found.sizes[found.which]
    z = np.random.default_rng(0).standard_normal(1_000_000)
    assert share.mean() == pytest.approx(special.expit(-1 + 0.8 * z).mean(), abs=0.003)
    assert found.theta_new.mean() == pytest.approx(-1, abs=0.03)
    assert found.theta_new.std() == pytest.approx(0.8, abs=0.02)
    again = simulate(replace(cell, name="other"), 20_000, seed=1)
    assert not np.array_equal(again.theta_new, found.theta_new)


def test_figures_of_five_replications():
    low, high = np.array([0.0, -1.0, 2.0, np.nan, -np.inf]), np.array([2.0, 0.0, 3.0, np.nan, 0.5])
    found = assessed(low, high, 1.0)
    assert found["nothing"] == pytest.approx(0.2)
    assert (found["coverage"], found["below"], found["above"]) == (0.25, 0.25, 0.5)
    assert found["width"] == pytest.approx(1.5)
    assert (found["coverage_low"], found["coverage_high"]) == wilson(0.25, 4)
    held = content(low, high, 1.0, 1.0)
    between = special.ndtr([1, -1, 2, -0.5]) - special.ndtr([-1, -2, 1, -np.inf])
    assert held["content"] == pytest.approx(between.mean())
    assert content(low, high, 1.0, 0.0)["content"] == 0.25
    assert np.isnan(assessed(low[3:4], high[3:4], 1.0)["coverage"])


def test_wilson_interval_solves_the_score_equation():
    for end in wilson(0.9, 200):
        assert abs(0.9 - end) / (end * (1 - end) / 200) ** 0.5 == pytest.approx(1.959964, abs=1e-5)


# --- cells and jobs --------------------------------------------------------------------------------------


def test_cells_are_crossed_and_have_names_of_their_own(project):
    cells = crossed_cells(project, [3, 7])
    assert len({cell.name for cell in cells}) == len(cells) == 2 * 2 * 4 * 3
    last = cells[-1]
    assert last.sizes == (60, 36, 84, 48, 72, 60, 36) and last.tau == 1.5 and last.rate == pytest.approx(0.2)
    assert Pair("weakly_informative × flat", PAIR.mu, "HalfFlat()") in last.pairs


def test_own_cells_are_the_plan_s_studies_at_their_posterior_medians(project):
    leaks, fractures = own_cells(project)
    assert leaks.sizes == (264, 32, 46, 128, 22, 59, 99, 35, 19) and fractures.k == 5
    assert leaks.rate == pytest.approx(0.059, abs=0.002) and leaks.tau == pytest.approx(1.31, abs=0.01)
    assert "sceptical × sceptical" in {pair.name for pair in leaks.pairs}


def test_digits_do_not_depend_on_workers_and_finished_cells_are_found_again(tmp_path, monkeypatch):
    cells = [SMALL, replace(SMALL, name="other", tau=0.0)]
    here = coverage_study(cells, 40, folder=tmp_path)
    with workers(2) as executor:
        there = coverage_study(cells, 40, executor=executor)
    pd.testing.assert_frame_equal(here, there, check_exact=True)
    monkeypatch.setattr(study, "cover", lambda **_: pytest.fail("a finished cell was computed again"))
    pd.testing.assert_frame_equal(coverage_study(cells, 40, folder=tmp_path), here, check_exact=True)


def test_summary_has_the_lowest_and_the_highest_coverage_of_each_k(rare):
    further = rare.assign(cell="k7-n20-tau1-rate5", coverage=rare["coverage"] / 2, nothing=0.3)
    both = pd.concat([rare, further, rare.assign(cell="cement_leakage", coverage=0.0)])
    found = across(both, "typical").loc["log odds, DL, Wald"]
    own = of(rare, "log odds, DL, Wald")["coverage"]
    assert (found["low", 7], found["high", 7], found["nothing", 7]) == (own / 2, own, 0.3)
    assert list(of_cell(rare, RARE.name, "average").index) == [
        "arcsine, DL, Wald", "Freeman–Tukey, DL, Wald", "raw proportions, DL, Wald",
    ]  # fmt: skip
    with pytest.raises(InputError, match="cell: found 'leaks'; expected one of k7-n20"):
        of_cell(rare, "leaks", "typical")
    with pytest.raises(InputError, match="crossed design"):
        across(rare.assign(cell="own"), "next")
