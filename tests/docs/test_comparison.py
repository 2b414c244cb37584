"""The measured numbers that docs/comparison.md shows: ours are those of today, the others are near them."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.peers import ours, reference
from benchmarks.peers.sets import normals, shares

MEASURED = Path(__file__).resolve().parents[2] / "benchmarks" / "peers"
NUMBERS = pd.read_csv(MEASURED / "numbers.csv").set_index(["studies", "package", "quantity"])
TIMES = pd.read_csv(MEASURED / "times.csv")
SETS = normals() | shares()
FIELDS = ["mean", "sd", "median", "low", "high"]


@pytest.mark.parametrize("name", SETS)
def test_our_numbers_are_those_of_today(name):
    found = ours.exactly(SETS[name]).posterior(**ours.texts(SETS[name])).summary()
    kept = NUMBERS.loc[name].loc["kyphobayes, exact"]
    assert found.loc[kept.index, FIELDS].to_numpy() == pytest.approx(kept[FIELDS].to_numpy(float), rel=1e-4)
    said = ours.frequentist(SETS[name])
    kept = NUMBERS.loc[name].loc["kyphobayes, frequentist"]
    assert (said["mu"], said["se"]) == pytest.approx(tuple(kept.loc["mu", ["mean", "sd"]]), rel=1e-4)


@pytest.mark.parametrize("name", SETS)
def test_brms_and_bayesmeta_are_near(name):
    by_package = NUMBERS.loc[name]
    exactly = by_package.loc["kyphobayes, exact"]
    for package in by_package.index.unique("package"):
        if package.startswith(("brms", "bayesmeta")):
            apart = (by_package.loc[package][FIELDS] - exactly[FIELDS]).abs().div(exactly["sd"], axis=0)
            # Four times the Monte Carlo error of an end of an interval at a thousand effective draws.
            assert apart.to_numpy().max() < (0.25 if package.startswith("brms") else 0.01), package


@pytest.mark.parametrize("name", SETS)
def test_metafor_is_near(name):
    by_package = NUMBERS.loc[name]
    theirs = next(package for package in by_package.index.unique("package") if package.startswith("metafor"))
    apart = by_package.loc[theirs] - by_package.loc["kyphobayes, frequentist"]
    unit = by_package.loc["kyphobayes, frequentist"].loc["mu", "sd"]
    assert (apart[["mean", "low", "high"]].abs() / unit).max(axis=None) < 0.02


def test_differences_from_what_is_kept_are_those_of_today():
    kept = pd.read_csv(MEASURED / "reference.csv")
    found = pd.concat([reference.of_bayesmeta(), reference.of_metafor()], ignore_index=True)
    assert list(kept["quantity"]) == list(found["quantity"]) and list(kept["cases"]) == list(found["cases"])
    assert (found["largest"] < 1.1 * kept["largest"] + 1e-9).all()


def test_every_set_and_package_was_timed():
    assert set(TIMES["studies"]) == set(SETS)
    assert len(set(TIMES["studies"].value_counts())) == 1 and (TIMES["seconds"] > 0).all()
