"""What another study would teach, count by count."""

import numpy as np
import pytest
from scipy import special

from kyphobayes import exact
from kyphobayes.errors import InputError
from kyphobayes.updating import next_study

MU, TAU = "Normal(mu=-2.5, sigma=1.5)", "HalfNormal(sigma=1)"
EVENTS, N = [0, 5, 4], [32, 60, 19]
ENDS = [0.025, 0.975]


@pytest.fixture(scope="module")
def past():
    return exact.binomial(EVENTS, N).posterior(MU, TAU)


@pytest.fixture(scope="module")
def study(past):
    return next_study(past, 12, below=0.1, certainty=0.75)


@pytest.mark.parametrize("events", [0, 2, 12])
def test_each_count_leads_to_the_posterior_of_all_studies(past, study, events):
    whole = exact.binomial([*EVENTS, events], [*N, 12]).posterior(MU, TAU)
    row = study.outcomes.iloc[events]
    typical, coming = (special.expit(whole.quantile(name, ENDS)) for name in ("mu", "theta_new"))
    np.testing.assert_allclose(row[["typical_low", "typical_high"]].to_numpy(float), typical, atol=1e-7)
    np.testing.assert_allclose(row[["next_low", "next_high"]].to_numpy(float), coming, atol=1e-6)
    assert row["below"] == pytest.approx(float(whole.cdf("mu", special.logit(0.1))), abs=1e-7)
    factor = np.exp(whole.log_marginal_likelihood - past.log_marginal_likelihood)
    assert row["probability"] == pytest.approx(factor, rel=1e-6)


def test_the_figures_are_means_over_the_counts(study):
    frame = study.outcomes
    assert list(frame["events"]) == list(range(13))
    assert frame["probability"].sum() == pytest.approx(1)
    width = (frame["next_high"] - frame["next_low"]) @ frame["probability"]
    assert study.next_width == pytest.approx(width)
    assert study.concludes_below == pytest.approx(frame.loc[frame["below"] >= 0.75, "probability"].sum())
    assert study.concludes_above == pytest.approx(frame.loc[frame["below"] <= 0.25, "probability"].sum())
    assert 0 < study.concludes_below < 1


def test_no_study_is_expected_to_change_minds_in_one_direction(study):
    assert study.drift < 1e-9


def test_more_events_make_a_low_rate_less_probable(study):
    assert (np.diff(study.outcomes["below"]) < 0).all()


def test_counts_taken_a_few_at_a_time_give_the_same(past, study, monkeypatch):
    monkeypatch.setattr("kyphobayes.updating.preposterior._TOGETHER", 5 * past.joint.size)
    again = next_study(past, 12, below=0.1, certainty=0.75)
    np.testing.assert_allclose(again.outcomes, study.outcomes, rtol=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n": 0}, "n: expected a whole number"),
        ({"below": 1.0}, "below: expected a share"),
        ({"certainty": 0.5}, "certainty: expected a number between one half and 1"),
    ],
)
def test_bad_arguments_are_refused(past, changes, message):
    with pytest.raises(InputError, match=message):
        next_study(past, **{"n": 5, "below": 0.1, **changes})
