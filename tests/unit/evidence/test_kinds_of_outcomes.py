"""Outcomes of every kind: a table says by its columns what it holds; what selects is optional."""

import csv
import io

import numpy as np
import pytest

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import (
    Contrasts,
    Counts,
    Rates,
    contrasts,
    counts,
    counts_for,
    evidence_for,
    find_analysis,
    rates,
    read_priors,
)
from kyphobayes.evidence.tables import read_table
from kyphobayes.project import Project
from kyphobayes.reviews import new_review

NAME = {kind: f"example_{kind}" for kind in ("counts", "contrasts", "rates")}


class Review:
    """A new review whose files a test may change."""

    def __init__(self, folder, kind):
        self.name = NAME[kind]
        self.project = Project(new_review(folder, kind).folder)
        self.data = self.project.data

    def plan(self, old, new):
        path = self.data / "analyses.toml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def table(self, text):
        (self.data / "outcomes" / f"{self.name}.csv").write_text(text, encoding="utf-8")

    def rows(self, change):
        """Change the rows of the outcome's table, dicts of texts, in place."""
        path = self.data / "outcomes" / f"{self.name}.csv"
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
        change(rows)
        out = io.StringIO()
        writer = csv.DictWriter(out, list(dict.fromkeys(key for row in rows for key in row)), restval="")
        writer.writeheader()
        writer.writerows(rows)
        path.write_text(out.getvalue(), encoding="utf-8")

    def studies(self, old, new):
        path = self.data / "studies.csv"
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    @property
    def evidence(self):
        return evidence_for(find_analysis(self.project, self.name), self.project)

    def refused(self):
        with pytest.raises(EvidenceError) as error:
            _ = self.evidence
        return str(error.value)


@pytest.fixture
def review(tmp_path):
    return lambda kind: Review(tmp_path / kind, kind)


def test_contrasts_have_their_measure_and_unit(review):
    mine = review("contrasts")
    view = mine.evidence
    assert isinstance(view, Contrasts) and view.measure == "OR" and view.k == 6
    assert view.y[0] == -0.62 and view.se[0] == 0.34
    assert list(view.rows["y"]) == list(view.y) and set(view.rows["arm"]) == {""}
    mine.plan('measure = "OR"', 'measure = "MD"')
    mine.plan('unit = ""', 'unit = "points"')
    assert mine.evidence.scale.unit == "points" and mine.evidence.measure == "MD"
    mine.plan('measure = "MD"', 'measure = ""')
    assert mine.evidence.measure == "GEN"


def test_estimates_may_be_log_odds(review):
    mine = review("contrasts")
    mine.plan('measure = "OR"', 'measure = "PLO"')
    mine.plan("below = 1 ", "below = 0.5 ")
    assert isinstance(mine.evidence, Contrasts) and mine.evidence.scale.unit == "%"


def test_rates_have_their_time(review):
    view = review("rates").evidence
    assert isinstance(view, Rates) and view.measure == "IRLN"
    assert view.exposure[0] == 61.5 and view.events[0] == 4 and view.per == 100
    assert view.scale.unit == "per 100 patient-years"


def test_where_a_table_holds_two_kinds_the_measure_says_which(review):
    mine = review("counts")
    mine.rows(lambda rows: [row.update(time="10") for row in rows])
    assert isinstance(mine.evidence, Counts)
    mine.plan('unit = "patients"', 'unit = "patient-years"\nmeasure = "IRLN"')
    assert "must be described as a number" in mine.refused()  # a column of the user's own is text


@pytest.mark.parametrize(
    ("kind", "old", "new", "words"),
    [
        ("counts", 'unit = "patients"', 'measure = "SMD"', "no values of SMD; expected the columns y and se"),
        ("contrasts", 'measure = "OR"', 'measure = "SMDX"', "measure 'SMDX' is not known; did you mean 'SMD"),
        (
            "rates",
            "per = 100",
            'measure = "PLO"',
            "no values of PLO; expected the columns events and n, or y",
        ),
        (
            "contrasts",
            "below = 1 ",
            "below = -0.2 ",
            "expected below to be a finite odds ratio greater than 0",
        ),
        ("contrasts", "below = 1 ", "above = 0 ", "expected above to be a finite odds ratio greater than 0"),
        ("rates", "below = 10 ", "below = 0 ", "a finite rate greater than 0, found 0"),
        ("rates", "below = 10 ", "below = inf ", "a finite rate greater than 0, found inf"),
        ("counts", "below = 0.2 ", "above = 20 ", "expected above to be a share between 0 and 1, found 20"),
        ("rates", "per = 100", "per = 0", "expected per to be a time greater than 0, found 0"),
        ("rates", 'unit = "patient-years"', 'unit = ""', 'rates need the unit of time, such as unit = "pat'),
        (
            "counts",
            'unit = "patients"',
            'arm = "A"',
            "arm is 'A', but data/outcomes/example_counts.csv has no",
        ),
        ("counts", 'unit = "patients"', 'populations = ["a"]', "column population, which data/studies.csv"),
        ("counts", 'unit = "patients"', 'studies = ["invented"]', "did you mean 'invented_"),
    ],
)
def test_a_plan_that_the_table_cannot_answer(kind, old, new, words, review):
    mine = review(kind)
    mine.plan(old, new)
    message = mine.refused()
    assert words in message and "example_" in message


@pytest.mark.parametrize(
    ("kind", "column", "cell", "words"),
    [
        ("contrasts", "se", "0", "line 2, column se: expected a standard error greater than 0, found 0"),
        ("contrasts", "se", "-1", "line 2, column se: expected at least 0, found '-1.0'"),
        ("contrasts", "y", "0,5", "line 2, column y: expected a number or nothing, found '0,5'"),
        ("rates", "time", "0", "line 2, column time: expected a time greater than 0, found 0"),
        ("rates", "events", "1.5", "line 2, column events: expected a whole number or nothing"),
        ("counts", "events", "43", "line 2, column events: expected at most n = 42, found 43"),
        ("counts", "study_id", "nobody", "line 2, column study_id: 'nobody' is not in data/studies.csv"),
        ("counts", "source", "paper", "line 2, column source: 'paper' is not in data/sources.csv"),
    ],
)
def test_a_cell_that_cannot_be(kind, column, cell, words, review):
    mine = review(kind)
    mine.rows(lambda rows: rows[0].update({column: cell}))
    assert words in mine.refused()


@pytest.mark.parametrize(
    ("kind", "column", "reason"),
    [
        ("contrasts", "y", "no estimate printed"),
        ("contrasts", "se", "no standard error printed"),
        ("rates", "time", "no time at risk printed"),
        ("rates", "events", "no count printed"),
        ("counts", "n", "no denominator printed"),
        ("counts", "events", "no count printed"),
    ],
)
def test_what_is_not_printed_is_left_out_with_its_reason(kind, column, reason, review):
    mine = review(kind)
    mine.rows(lambda rows: rows[1].update({column: ""}))
    view = mine.evidence
    assert view.k == 5 and list(view.excluded["reason"]) == [reason]
    assert list(view.excluded["label"]) == ["Invented B"]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("counts", "shares patients with Invented C, which is larger (96 against 25 patients)"),
        ("rates", "shares patients with Invented C, which is larger (144 against 18 patient-years)"),
        (
            "contrasts",
            "shares patients with Invented C, which is more precise (0.22 against 0.51 as standard error)",
        ),
    ],
)
def test_of_reports_on_the_same_patients_the_one_that_says_more_enters(kind, reason, review):
    mine = review(kind)
    mine.studies("invented_b,Invented B,,,", "invented_b,Invented B,,invented_c,")
    assert list(mine.evidence.excluded["reason"]) == [reason]


def test_columns_that_select_are_asked_for_where_they_are(review):
    mine = review("contrasts")

    def add(rows):
        for row in rows:
            row.update(arm="A", timepoint="12m")
        rows.append({**rows[0], "arm": "B"})
        rows.append({**rows[0], "timepoint": "3m", "y": "9"})

    mine.rows(add)
    assert "several treatments ('A', 'B'); say which by the key 'arm'" in mine.refused()
    mine.plan('unit = ""', 'arm = "A"\nunit = ""')
    assert "invented_a has more than one A row; keep one timepoint, or name it" in mine.refused()
    mine.plan('unit = ""', 'timepoint = "12m"\nunit = ""')
    view = mine.evidence
    assert view.k == 6 and view.y[0] == -0.62
    assert list(view.excluded["reason"]) == ["treatment is B, not A", "time point is 3m, not 12m"]


def test_a_source_may_be_left_open_only_where_the_schema_allows_it(review):
    mine = review("counts")
    mine.rows(lambda rows: [row.update(source="") for row in rows])
    assert "column source: expected some text" in mine.refused()
    path = mine.data / "datapackage.json"
    text = path.read_text(encoding="utf-8").replace(
        '"description": "Source of the numbers, as in sources.csv.",\n            "constraints": {\n'
        '              "required": true\n            }',
        '"description": "open"',
    )
    path.write_text(text, encoding="utf-8")
    read_table.__globals__["describe"].cache_clear()
    assert set(mine.evidence.rows["citation"]) == {""}


def test_counts_only(review):
    mine = review("rates")
    analysis = find_analysis(mine.project, mine.name)
    with pytest.raises(EvidenceError, match="is not a table of counts; expected the columns events and n"):
        counts_for(analysis, mine.project)


@pytest.mark.parametrize("measure", ["OR", "RR", "HR", "IRR", "ROM"])
def test_log_ratios_share_their_priors(measure, review):
    mine = review("contrasts")
    analysis = find_analysis(mine.project, mine.name)
    assert read_priors(mine.project, "vague", analysis, measure).texts() == {
        "mu": "Normal(mu=0, sigma=10)",
        "tau": "HalfCauchy(beta=1)",
    }


def test_a_measures_own_prior_wins_and_an_outcomes_wins_over_that(review):
    mine = review("contrasts")
    path = mine.data / "priors" / "vague.toml"
    own = '\n[{}.mu]\nprior = "Normal(mu=0, sigma={})"\nwhy = "w"\nsource = "s"\n'
    text = path.read_text(encoding="utf-8")
    analysis = find_analysis(mine.project, mine.name)
    path.write_text(text + own.format("OR", 3), encoding="utf-8")
    assert str(read_priors(mine.project, "vague", analysis, "OR")["mu"]) == "Normal(mu=0, sigma=3)"
    path.write_text(text + own.format("OR", 3) + own.format(mine.name, 4), encoding="utf-8")
    priors = read_priors(mine.project, "vague", analysis, "OR")
    assert priors.texts() == {"mu": "Normal(mu=0, sigma=4)", "tau": "HalfCauchy(beta=1)"}


def test_a_difference_with_a_unit_has_no_default_priors(review):
    mine = review("contrasts")
    analysis = find_analysis(mine.project, mine.name)
    with pytest.raises(
        EvidenceError.__mro__[1], match=r"nothing for example_contrasts or for MD; expected tables \[example_"
    ):
        read_priors(mine.project, "vague", analysis, "MD")


def test_the_digest_of_estimates_depends_on_a_measure_that_is_said():
    from kyphobayes.evidence import contrasts

    plain, said = contrasts([0.1], [0.2]), contrasts([0.1], [0.2], measure="OR")
    assert plain.digest != said.digest == contrasts([0.1], [0.2], measure="OR").digest
    # As it was before estimates had a measure: finished fits are found again.
    assert plain.digest.startswith("94c48cf6")
    with pytest.raises(EvidenceError, match="measure: found 'XY'"):
        contrasts([0.1], [0.2], measure="XY")
    np.testing.assert_allclose(said.scale.natural(said.y), np.exp(0.1))


@pytest.mark.parametrize(
    ("view", "arrays"),
    [
        (counts([0, 5, 4], [32, 35, 19], list("abc")), ("events", "n")),
        (rates([0, 5, 4], [30.0, 41.5, 22.0], list("abc"), per=100), ("events", "exposure")),
        (contrasts([0.1, 0.2, 0.4], [0.3, 0.2, 0.5], list("abc"), measure="SMD"), ("y", "se")),
    ],
    ids=["counts", "rates", "contrasts"],
)
def test_some_of_the_studies(view, arrays):
    some = view.only(np.array([True, False, True]))
    assert some.labels == ("a", "c") and len(some.rows) == 2 and some.scale.unit == view.scale.unit
    for name in arrays:
        assert getattr(some, name).tolist() == getattr(view, name)[[0, 2]].tolist()
    if hasattr(view, "tables"):
        assert some.tables.tolist() == view.tables[:, [0, 2]].tolist()
