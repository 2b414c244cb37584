"""models/time_to_event.py: the declared graph is the likelihood of interval-censored survival times."""

from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
from pymc.model.transform.conditioning import remove_value_transforms
from pytensor.compile.mode import Mode
from scipy import special, stats

from kyphobayes.evidence import read_follow_up
from kyphobayes.evidence.follow_up import READINGS
from kyphobayes.model import load_model

PYTHON = Mode(linker="py", optimizer="fast_compile")


@pytest.fixture(scope="module")
def model():
    return load_model("time_to_event")


@pytest.fixture(scope="module")
def evidence(project):
    return read_follow_up(project)


def by_patient(evidence, fracture, death):
    """Log likelihood from the patients' own intervals: no life table."""
    low, high = (np.array(months) for months in zip(*[
        (max(m + READINGS[evidence.reading][0], 0), m + READINGS[evidence.reading][1])
        for m in evidence.months
    ], strict=True))  # fmt: skip
    waiting = stats.expon(scale=12 / death)
    died = np.log(waiting.sf(low) - waiting.sf(high))
    total = np.where(evidence.died, died, waiting.logsf((low + high) / 2)).sum()
    p = stats.expon(scale=12 / fracture).cdf((low + high) / 2)
    return total + stats.bernoulli.logpmf(evidence.fractured, p).sum()


@pytest.mark.parametrize("reading", READINGS)
def test_the_declaration_is_the_likelihood_of_every_patient(model, evidence, reading):
    view = evidence.read_as(reading)
    declared = remove_value_transforms(model.build(view, model.priors))
    density = declared.compile_logp(vars=declared.observed_RVs, jacobian=False, mode=PYTHON)
    table = view.life_table
    # Of so many at risk, any may be the one who died: a constant that the patients' own likelihood lacks.
    orders = special.gammaln(table["at_risk"] + 1) - special.gammaln(table["deaths"] + 1)
    orders = (orders - special.gammaln(table["at_risk"] - table["deaths"] + 1)).sum()
    for fracture, death in ((0.12, 0.26), (0.9, 0.03), (1e-4, 12.0)):
        point = {"log_fracture_rate": np.log(fracture), "log_death_rate": np.log(death)}
        assert float(density(point)) - orders == pytest.approx(by_patient(view, fracture, death), rel=1e-9)


def test_the_patient_who_died_after_0_months_has_a_likelihood(model, evidence):
    """With a time of 0 it would be 0 at every rate."""
    only = evidence.months == 0
    view = replace(
        evidence, labels=("4", "6"), months=evidence.months[only], died=evidence.died[only],
        fractured=evidence.fractured[only],
    )  # fmt: skip
    declared = model.build(view, model.priors)
    found = float(declared.compile_logp(vars=[declared["deaths"]], mode=PYTHON)(
        {"log_fracture_rate": -2.0, "log_death_rate": np.log(0.3)}
    ))  # fmt: skip
    assert found == pytest.approx(-0.3 / 48 + np.log(-np.expm1(-0.3 / 24)), rel=1e-9)


def test_a_changed_month_changes_the_likelihood(model, evidence):
    """What the first test holds on to would be lost by an edit of the view."""
    other = replace(evidence, months=evidence.months + (np.arange(22) == 9))
    assert by_patient(other, 0.1, 0.3) != pytest.approx(by_patient(evidence, 0.1, 0.3), abs=1e-3)
    assert other.digest != evidence.digest


def test_the_model_can_be_drawn_from(model, evidence):
    declared = model.build(evidence, model.priors)
    fractures, deaths = pm.draw(
        [declared["fractures"], declared["deaths"]], draws=400, random_seed=1, mode=PYTHON
    )
    risk = evidence.life_table["at_risk"].to_numpy()
    assert fractures.shape == (400, 22) and deaths.shape == (400, len(risk))
    assert set(np.unique(fractures)) == {0, 1} and (deaths >= 0).all() and (deaths <= risk).all()
    # Longer follow-up, more fractures: the mean of 1 - exp(-rate t) over the prior of the rate.
    rate = np.exp(stats.norm.ppf((np.arange(2000) + 0.5) / 2000, -2, 1.5))
    expected = -np.expm1(-rate[:, None] * evidence.years).mean(axis=0)
    error = np.sqrt(expected * (1 - expected) / 400)
    assert (np.abs(fractures.mean(axis=0) - expected) < 4.5 * error).all()


def test_rates_are_named_by_their_priors(model, evidence):
    for centred in (True, False):
        declared = model.build(evidence, model.priors, centred=centred)
        assert {v.name for v in declared.free_RVs} == set(model.priors)
        dims = declared.named_vars_to_dims
        assert dims["fractures"] == ("patient",) and dims["deaths"] == ("interval",)
