"""What `make bench` makes of its measurements: which rows fail it, what it says, and what it keeps.

Nothing is timed here: measurements are given.
"""

import itertools

import numpy as np
import pytest

from benchmarks import __main__ as bench
from benchmarks import plain_grid, record
from benchmarks.groups import all_rows
from benchmarks.looks import Found, here, in_a_process_of_their_own
from benchmarks.paired import Measured, measure
from benchmarks.record import Kept, Outcome, failure, last, renewed
from benchmarks.rows import NoPeer, Pair, Row
from kyphobayes import __version__, exact


def seconds(*values):
    """A side whose measurements are these, over and over."""
    endless = itertools.cycle(values)
    return lambda: next(endless)


def row(work="a fit", ours=(1.0,), theirs=(10.0,), version="1.0", **options):
    return Row(work, "a peer", lambda: Pair(seconds(*ours), seconds(*theirs), version), **options)


def kept(ratio, work="a fit", version="0.1.0", peer_version="1.0"):
    return Kept(version, work, "a peer", peer_version, ratio)


def run(rows, records):
    return bench.run(rows, records, False, lambda _: None, here)


def test_a_ratio_that_fell_by_more_than_a_quarter_fails_the_run():
    outcomes = run([row(theirs=(7.4,)), row("another")], [kept(10), kept(10, "another")])
    assert [outcome.verdict for outcome in outcomes] == ["SLOWER by 26%", "as before"]
    assert failure(outcomes) == (
        "slower by more than 25% beside the peer than in the last record: a fit / a peer (ratio 7.4, was 10)"
    )


@pytest.mark.parametrize(
    ("ratio", "verdict"), [(7.6, "as before"), (12.4, "as before"), (13, "faster by 30%")]
)
def test_what_changed_less_or_for_the_better_passes(ratio, verdict):
    outcomes = run([row(theirs=(ratio,))], [kept(10)])
    assert outcomes[0].verdict == verdict and not failure(outcomes)


def test_what_was_slower_once_only_passes():
    looks = iter([5, 9.5])
    twice = Row("a fit", "a peer", lambda: Pair(seconds(1.0), seconds(next(looks)), "1.0"))
    outcomes = run([twice], [kept(10)])
    assert outcomes[0].verdict == "as before" and not failure(outcomes)


def test_a_new_row_has_nothing_to_be_held_to():
    outcomes = run([row(target=0.5)], [kept(10, "something else")])
    assert outcomes[0].verdict == "target 0.5 s missed; new" and not failure(outcomes)


def test_another_version_of_the_peer_is_another_peer():
    outcomes = run([row(theirs=(5,), version="2.0")], [kept(10)])
    assert outcomes[0].verdict == "another peer: was 1.0" and not failure(outcomes)


def test_a_missing_peer_is_skipped_with_a_word():
    def missing():
        raise NoPeer("no R here")

    outcomes = run([Row("a fit", "a peer", missing)], [kept(10)])
    assert outcomes[0].verdict == "skipped: no R here" and not failure(outcomes)


def test_trouble_with_one_row_leaves_the_others_and_fails_the_run(capsys):
    def broken():
        raise ValueError("the peer has changed its arguments")

    outcomes = run([Row("broken", "a peer", broken), row()], [])
    assert outcomes[0].verdict == "failed: ValueError: the peer has changed its arguments"
    assert outcomes[1].verdict == "new"
    assert failure(outcomes) == "could not be measured: broken / a peer"
    assert "Traceback" in capsys.readouterr().err


def test_noise_is_no_regression_but_is_told():
    wild = Measured((1.0,) * 5, (3.0, 7.0, 7.0, 12.0, 14.0))
    outcome = Outcome(row(), wild, kept(10), "1.0")
    assert not outcome.slower and outcome.verdict == "too noisy to tell"
    assert wild.ratio == 7 and wild.interval == (3, 14)


def test_repeats_go_on_while_the_ratio_is_noisy_and_no_longer():
    quiet = measure(Pair(seconds(1.0), seconds(2.0)), 3, 20)
    assert len(quiet.ours) == 3
    noisy = measure(Pair(seconds(1.0), seconds(1.0, 3.0)), 3, 20)
    assert len(noisy.ours) == 20
    assert len(measure(Pair(seconds(1.0), seconds(1.0, 3.0)), 3, 20, patience=0).ours) == 3
    assert len(measure(Pair(seconds(1.0), seconds(2.0)), 3, 20, undecided=lambda _: True).ours) == 20


def test_ours_and_theirs_take_turns_at_being_first():
    order = []
    pair = Pair(lambda: order.append("ours") or 1.0, lambda: order.append("theirs") or 1.0)
    measure(pair, 3, 3)
    assert order == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]


def test_the_interval_covers_the_median_as_often_as_it_says():
    rng = np.random.default_rng(0)
    ones = (1.0,) * 15
    found = [Measured(ones, tuple(np.exp(rng.normal(size=15)))).interval for _ in range(4000)]
    covered = np.mean([low <= 1 <= high for low, high in found])
    assert 0.95 <= covered < 0.975  # 0.965 by the binomial distribution


def test_a_record_replaces_its_own_version_and_keeps_the_others(tmp_path):
    records = [kept(9), kept(8, "gone"), kept(10, version="0.2.0"), kept(3, "not asked", version="0.2.0")]
    outcomes = [
        Outcome(row(), Measured((1.0,), (12.3456,)), peer_version="1.1"),
        Outcome(row("skipped"), why="no R here"),
    ]
    new = renewed(records, outcomes, "0.2.0")
    path = tmp_path / "ratios.csv"
    record.save(new, path)
    read = record.read(path)
    assert read == [
        kept(9), kept(8, "gone"), kept(12.3, version="0.2.0", peer_version="1.1"),
        kept(3, "not asked", version="0.2.0"),
    ]  # fmt: skip
    assert last(read, row()) == read[2]
    assert record.read(tmp_path / "none.csv") == []


def test_rows_have_names_of_their_own_and_the_record_knows_them():
    names = [row.name for row in all_rows()]
    assert len(names) == len(set(names))
    of_today = {f"{kept.work} / {kept.peer}" for kept in record.read() if kept.version == __version__}
    assert of_today <= set(names)


def test_an_unknown_pattern_measures_nothing(capsys):
    assert bench.main(["--only", "no such row"]) == 2
    assert "--list shows them" in capsys.readouterr().err


def test_without_r_its_peers_are_skipped_in_a_process_of_their_own(monkeypatch):
    monkeypatch.setenv("PATH", "")
    asked = [(row, None) for row in all_rows() if row.peer == "bayesmeta"]
    assert in_a_process_of_their_own(asked, True) == [Found(why="no R here")]


def test_neighbours_that_share_a_process_are_looked_at_together():
    seen = []

    def look(asked, quick):
        seen.append([row.work for row, _ in asked])
        return here(asked, quick)

    rows = [row("a"), row("b", process="report"), row("c", process="report"), row("d")]
    assert [o.row.work for o in bench.run(rows, [], False, lambda _: None, look)] == ["a", "b", "c", "d"]
    assert seen == [["a"], ["b", "c"], ["d"]]


def apart(grid, summary):
    """Largest difference, in posterior standard deviations."""
    numbers = summary.to_numpy()
    return (np.abs(grid.to_numpy() - numbers) / numbers[:, [1]]).max()


def test_the_plain_grid_does_the_same_work():
    y, se = [-0.3, 0.2, 0.5, 0.1], [0.2, 0.3, 0.25, 0.4]
    post = exact.normal(y, se).posterior("Normal(mu=0, sigma=4)", "HalfNormal(sigma=0.5)")
    summary, studies = plain_grid.normal(y, se, plain_grid.Asked(0, 4, 0.5))
    assert apart(summary, post.summary()) < 0.005 and apart(studies, post.shrinkage()) < 0.005

    asked = plain_grid.Asked(-2, 1, 1)
    priors = "Normal(mu=-2)", "HalfNormal()"
    events, n = [0, 5, 4, 12], [32, 35, 19, 80]
    assert (
        apart(plain_grid.binomial(events, n, asked), exact.binomial(events, n).posterior(*priors).summary())
        < 0.01
    )
    tables, weights = [[0, 5, 4, 12], [2, 3, 4, 12]], [0.3, 0.7]
    post = exact.mixture(tables, n, weights).posterior(*priors)
    assert apart(plain_grid.binomial(tables, n, asked, weights), post.summary()) < 0.01
