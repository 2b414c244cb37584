"""Full tables are simulated, what Bouza prints is printed of them, and the truth is found again."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kyphobayes.reconstruct import Effort, find_tables, narrowing, other_methods, reconstruct

from .conftest import asked, brute, printed, value

N = {"a": 63, "b": 18, "c": 26, "d": 65, "e": 32}


def as_bouza(truth, method, *, subgroup=("a", "b", "c")):
    """Total, pooled share and I² of all, and pooled share and I² of a subgroup, to the paper's digits."""
    studies = tuple(N)
    n = list(N.values())
    places = [studies.index(s) for s in subgroup]
    part = [truth[c] for c in places], [n[c] for c in places]
    return [
        printed("events", studies, sum(truth), 0),
        printed("pooled", studies, value(method, "pooled", truth, n), 0),
        printed("I2", studies, value(method, "I2", truth, n), 0),
        printed("pooled", subgroup, value(method, "pooled", *part), 1),
        printed("I2", subgroup, value(method, "I2", *part), 0),
    ]


@settings(max_examples=25)
@given(
    st.integers(0, 10**6),
    st.sampled_from([("PR", "DL"), ("PR", "CE"), ("PLO", "DL"), ("PFT", "DL"), ("PLO", "PM")]),
)
def test_the_truth_is_always_among_the_tables(seed, how):
    rng = np.random.default_rng(seed)
    rates = 1 / (1 + np.exp(-rng.normal(-2.2, 0.8, len(N))))
    truth = rng.binomial(list(N.values()), rates).tolist()
    method = asked(N, measure=how[0], pooling=how[1])
    found = reconstruct(asked(N, as_bouza(truth, method), measure=how[0], pooling=how[1]), N)
    assert truth in found.events.tolist()


def test_narrowing_by_brute_force():
    n, truth = {"a": 6, "b": 9, "c": 7}, (1, 4, 0)
    sizes = list(n.values())
    method = asked("abc")
    figures = [
        printed("events", "abc", 5, 0),
        printed("pooled", "abc", value(method, "pooled", truth, sizes), 0),
        printed("I2", "ab", value(method, "I2", truth[:2], sizes[:2]), 0),
    ]
    found = reconstruct(asked("abc", figures), n)
    narrowed = narrowing(found)
    order = [figure for figure, _ in found.trail]
    for i, row in enumerate(narrowed.figures.itertuples()):
        sure, perhaps = brute(method, sizes, [f for f in order if f is not order[i]])
        assert len(sure) <= row.without <= len(perhaps) and row.without_error == 0
        assert row.bits == np.log2(row.without / len(found))
        counts = narrowed.counts[narrowed.counts["figure"] == i + 1]
        for c, study in enumerate(counts.itertuples()):
            column = [table[c] for table in perhaps]
            assert (study.lowest_without, study.highest_without) == (min(column), max(column))
            shares = np.array([column.count(x) for x in set(column)]) / len(column)
            assert np.isclose(study.bits_without, -(shares * np.log2(shares)).sum())
    assert narrowed.figures["only_first"].tolist()[-1] == len(found)


def test_other_methods_by_reconstructing_under_each():
    from dataclasses import replace

    studies, n, truth = ("a", "b", "c"), {"a": 20, "b": 30, "c": 25}, (1, 6, 0)
    method = asked(studies)
    figures = [
        printed("events", studies, 7, 0),
        printed("pooled", studies, value(method, "pooled", truth, [20, 30, 25]), 1),
    ]
    found = reconstruct(asked(studies, figures), n)
    others = other_methods(found)
    assert others["assumed"].tolist()[0] and others["assumed"].sum() == 1
    keys = ["measure", "pooling", "zero_cells", "corrected"]
    assert not others[keys].duplicated().any()
    assert (others["tables"] > 0).sum() > 5 and (others["tables"] == 0).any()
    for row in others.iloc[::7].to_dict("records"):
        changed = replace(found.constraints, **{key: row[key] for key in keys})
        if row["tables"] == 0:
            assert np.isnan(row["pooled_low"])
            continue
        again = reconstruct(changed, n)
        assert len(again) == row["tables"]
        assert again.events[:, 1].min() == row["b low"] and again.events[:, 1].max() == row["b high"]
        shares = [value(changed, "pooled", table, [20, 30, 25]) for table in again.events.tolist()]
        assert np.isclose(min(shares), row["pooled_low"]) and np.isclose(max(shares), row["pooled_high"])


def test_a_sample_can_be_narrowed_too():
    i2 = value(asked("abc"), "I2", (1, 6, 2), (15, 15, 15))
    figures = [printed("events", "abc", 9, 0), printed("I2", "abc", i2, 0)]
    effort = Effort(work=0, runs=3, particles=200)
    found = find_tables(asked("abc", figures), dict.fromkeys("abc", 15), effort=effort)
    narrowed = narrowing(found, effort=effort)
    assert (narrowed.figures["without_error"] > 0).all()
    every = reconstruct(asked("abc", figures[:1]), dict.fromkeys("abc", 15))
    row = narrowed.figures.set_index("quantity").loc["I2"]
    assert abs(row["without"] / len(every) - 1) < 5 * row["without_error"]
