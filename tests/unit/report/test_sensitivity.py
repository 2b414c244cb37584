"""The heat map, and the sentences about priors."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from kyphobayes.exact import normal
from kyphobayes.report.heat_map import heat_map
from kyphobayes.report.sensitivity import conclusion, credibility_sentence, decision_head, tables
from kyphobayes.sensitivity import reverse_bayes

from .test_figures import assert_tidy, smallest_type, texts_in


@pytest.mark.parametrize("name", ["leakage", "fracture", "made_up"])
def test_heat_map_is_tidy_and_shows_every_number(name, request):
    found = request.getfixturevalue(name).sensitivity
    figure = heat_map(found.atlas, threshold=found.threshold, decision=decision_head(found))
    assert_tidy(figure)
    assert smallest_type(figure) >= 8
    assert (
        len([t for t, _ in texts_in(figure) if t.replace(".", "").isdigit()])
        == 3 * found.atlas.sizes["prior"]
    )


@pytest.mark.parametrize("columns", [7, 30])
def test_heat_map_of_many_priors_is_tidy(columns, leakage):
    atlas = leakage.sensitivity.atlas.isel(prior=np.arange(2 * columns) % 16)
    names = [f"a catalogue prior for something rather long {i}" for i in range(columns)]
    atlas = atlas.assign_coords(
        prior=[f"{m} × {n}" for m in ("first", "second") for n in names],
        mu_prior=("prior", np.repeat(["first", "second"], columns)),
        tau_prior=("prior", names * 2),
    ).assign_attrs(leakage.sensitivity.atlas.attrs | {"reference": f"first × {names[0]}"})
    figure = heat_map(atlas)
    assert_tidy(figure)


def test_conclusion_counts_and_says_what_it_takes(leakage):
    found = leakage.sensitivity
    text = conclusion(found, leakage.analysis.decision.words)
    assert "cement leaks in fewer than one treated level in ten is at least 50" in text
    assert f"{int(found.holds.sum())} of 16 pairs of priors" in text
    assert text.endswith("It fails under the sceptical prior for mu.")
    steady = replace(found, tipping=found.tipping.assign(flips=False))
    assert "no prior of the same shape" in conclusion(steady, "x")
    scale = pd.DataFrame(
        {"flips": [True], "move": [2.5], "prior": ["HalfNormal(sigma=2.5)"], "distance": [0.3]},
        ["scale of tau"],
    )
    words = conclusion(replace(found, tipping=scale), "x")
    assert "a prior for tau 2.500 times wider (tau ~ HalfNormal(sigma=2.5))" in words


def test_credibility_in_words(leakage):
    assert "does not exclude" in credibility_sentence(leakage.sensitivity)
    sure = reverse_bayes(
        normal([-4.0, -4.2], [0.2, 0.3]), "HalfNormal(sigma=0.3)", centre=float(np.log(1 / 9))
    )
    text = credibility_sentence(replace(leakage.sensitivity, credibility=sure))
    assert "A sceptic who expects 10" in text and "nan" not in text


def test_tables_show_all_and_nothing_broken(leakage):
    for table in tables(leakage.sensitivity).values():
        assert table.cells and all(len(row) == len(table.columns) for row in table.cells)
        assert "nan" not in str(table.cells).lower()
