"""Every way a table, plan, prior set or constraints file can be wrong gives one clear sentence.

A sentence is clear if it names the file, the place in it, what was expected and what was found.
"""

import re
from dataclasses import dataclass

import pytest

from kyphobayes.errors import EvidenceError, KyphobayesError, PriorError
from kyphobayes.evidence import evidence_for, find_analysis, read_priors
from kyphobayes.evidence.questions import read_questions

TABLE = "outcomes/cement_leakage.csv"
STUDIES = "studies.csv"
SOURCES = "sources.csv"
PLAN = "analyses.toml"
CONSTRAINTS = "constraints/cement_leakage.toml"
PRIORS = "priors/weakly_informative.toml"
DESCRIPTOR = "datapackage.json"

HEADER = "study_id,arm,timepoint,unit,events,n,definition,status,rule,source,locator,note\n"
SERIES = "ribeirao_preto,BKP,post,levels,5,35,any cement leak,reported,,ribeirao_preto,Results"


@dataclass(frozen=True)
class Break:
    """One thing that is wrong with one file: text replaced once, a line added, or another content."""

    name: str
    file: str
    words: tuple[str, ...]  # what the message must hold
    old: str | bytes = ""
    new: str | bytes = ""
    add: str = ""
    content: bytes | None = None
    missing: bool = False

    def apply(self, data):
        path = data / self.file
        if self.missing:
            path.unlink()
        elif self.content is not None:
            path.write_bytes(self.content)
        else:
            old, new = (x.encode() if isinstance(x, str) else x for x in (self.old, self.new))
            before = path.read_bytes()
            assert old in before, "the breakage no longer fits the file"
            path.write_bytes(before.replace(old, new, 1) + self.add.encode())


def series(new):
    """The line of the Ribeirão Preto series, changed; it is line 11."""
    return {"old": SERIES, "new": new}


TABLE_BREAKS = [
    Break("no table", TABLE, (TABLE, "no such file"), missing=True),
    Break("no studies", STUDIES, (STUDIES, "no such file"), missing=True),
    Break("no sources", SOURCES, (SOURCES, "no such file"), missing=True),
    Break("empty", TABLE, (TABLE, "empty", "expected a header"), content=b""),
    Break("not UTF-8", TABLE, (TABLE, "UTF-8", "0xe9"), "3 anterior", b"3 ant\xe9rior"),
    Break("UTF-16", TABLE, (TABLE, "UTF-8"), content="study_id,arm\n".encode("utf-16")),
    Break(
        "column missing",
        TABLE,
        (TABLE, "line 1", "missing ['events']", "expected study_id, arm"),
        content=HEADER.replace("events,", "").encode(),
    ),
    Break("column renamed", TABLE, (TABLE, "line 1", "missing ['events']"), "events,n,", "event,n,"),
    Break(
        "column added",
        TABLE,
        (TABLE, "line 1", "unexpected ['mood']"),
        content=HEADER.replace("note", "note,mood").encode(),
    ),
    Break(
        "columns swapped",
        TABLE,
        (TABLE, "line 1", "another order", "expected study_id"),
        "events,n,",
        "n,events,",
    ),
    Break(
        "other delimiter",
        TABLE,
        (TABLE, "line 1", "columns separated by commas", "semicolons"),
        content=b"study_id;arm;timepoint\na;b;c\n",
    ),
    Break(
        "extra cell",
        TABLE,
        (TABLE, "line 11", "expected 12 cells", "found 13"),
        **series(SERIES.replace("5,35", "5,35,0")),
    ),
    Break(
        "cell missing",
        TABLE,
        (TABLE, "line 11", "expected 12 cells", "found 11"),
        **series(SERIES.replace("5,35", "5")),
    ),
    Break(
        "blank line",
        TABLE,
        (TABLE, "line 4", "expected 12 cells", "found 0"),
        "\nfourney2003,VP",
        "\n\nfourney2003,VP",
    ),
    Break("stray quote", TABLE, (TABLE, "well-formed CSV"), '"3 anterior', '"3 "anterior'),
    Break("open quote", TABLE, (TABLE, "well-formed CSV"), add='a,b,c,levels,1,2,"d,e,f,g,h,i\n'),
    Break(
        "a word for a number",
        TABLE,
        (TABLE, "line 11", "column events", "whole number", "'five'"),
        **series(SERIES.replace("5,35", "five,35")),
    ),
    Break(
        "a fraction for a count",
        TABLE,
        (TABLE, "line 11", "column events", "whole number", "'5.5'"),
        **series(SERIES.replace("5,35", "5.5,35")),
    ),
    Break(
        "nan for a number",
        TABLE,
        (TABLE, "line 11", "column events", "'nan'"),
        **series(SERIES.replace("5,35", "nan,35")),
    ),
    Break(
        "infinite", TABLE, (TABLE, "line 11", "column n", "'inf'"), **series(SERIES.replace("5,35", "5,inf"))
    ),
    Break(
        "True for a number",
        TABLE,
        (TABLE, "line 11", "column events", "'True'"),
        **series(SERIES.replace("5,35", "True,35")),
    ),
    Break(
        "NUL in a number",
        TABLE,
        (TABLE, "line 11", "NUL"),
        **series(SERIES.replace("5,35", "5\0,35")),
    ),
    Break(
        "NUL in a name",
        TABLE,
        (TABLE, "line 11", "NUL"),
        **series(SERIES.replace("preto,B", "preto\0,B")),
    ),
    Break(
        "negative",
        TABLE,
        (TABLE, "line 11", "column events", "at least 0", "-5"),
        **series(SERIES.replace("5,35", "-5,35")),
    ),
    Break(
        "n of zero",
        TABLE,
        (TABLE, "line 11", "column n", "at least 1", "0"),
        **series(SERIES.replace("5,35", "0,0")),
    ),
    Break(
        "more events than n",
        TABLE,
        (TABLE, "line 11", "column events", "at most n = 35", "36"),
        **series(SERIES.replace("5,35", "36,35")),
    ),
    Break(
        "unknown status",
        TABLE,
        (TABLE, "line 11", "column status", "reported, derived, latent", "'guessed'"),
        **series(SERIES.replace("reported", "guessed")),
    ),
    Break(
        "unknown unit",
        TABLE,
        (TABLE, "line 11", "column unit", "levels, patients", "'level'"),
        **series(SERIES.replace("levels", "level")),
    ),
    Break(
        "no source",
        TABLE,
        (TABLE, "line 11", "column source", "some text", "''"),
        **series(SERIES.replace(",ribeirao_preto,R", ",,R")),
    ),
    Break(
        "no locator",
        TABLE,
        (TABLE, "line 11", "column locator", "some text", "''"),
        **series(SERIES.replace("Results", "")),
    ),
    Break(
        "unknown source",
        TABLE,
        (TABLE, "line 11", "column source", "ribeirao", SOURCES),
        **series(SERIES.replace(",ribeirao_preto,R", ",ribeirao,R")),
    ),
    Break(
        "unknown study",
        TABLE,
        (TABLE, "line 11", "column study_id", "'ribeirao'", STUDIES),
        **series(SERIES.replace("ribeirao_preto,B", "ribeirao,B")),
    ),
    Break(
        "row twice",
        TABLE,
        (TABLE, "line 11", "study_id, arm, timepoint, unit", "no other row"),
        add=SERIES + ",\n",
    ),
    Break(
        "two timepoints",
        TABLE,
        (TABLE, "ribeirao_preto", "more than one BKP row", "keep one timepoint"),
        add=SERIES.replace("post", "12m") + ",\n",
    ),
    Break(
        "latent outside the constraints",
        TABLE,
        (TABLE, "line 11", "ribeirao_preto is latent", CONSTRAINTS),
        **series(SERIES.replace("5,35", ",35").replace("reported", "latent")),
    ),
    Break(
        "equally large reports of the same patients",
        TABLE,
        (TABLE, "lines 9 and 13", "pflugmacher2007_mm", "pflugmacher2006_mm", "equally large", "studies"),
        "pflugmacher2006_mm,BKP,post,levels,5,48",
        "pflugmacher2006_mm,BKP,post,levels,5,59",
    ),
    Break(
        "study twice",
        STUDIES,
        (STUDIES, "column study_id", "no other row", "lieberman2003"),
        "fourney2003,Fourney 2003",
        "lieberman2003,Fourney 2003",
    ),
    Break(
        "label twice",
        STUDIES,
        (STUDIES, "line 3", "column label", "no other row", "Lieberman 2003"),
        "fourney2003,Fourney 2003",
        "fourney2003,Lieberman 2003",
    ),
    Break(
        "unknown population",
        STUDIES,
        (STUDIES, "line 2", "column population", "myeloma, metastasis", "'myelom'"),
        "prospective,P,myeloma",
        "prospective,P,myelom",
    ),
    Break(
        "overlap with nobody",
        STUDIES,
        (STUDIES, "column overlaps_with", "nobody1999"),
        "no,pflugmacher2007_mm;",
        "no,nobody1999;pflugmacher2007_mm;",
    ),
    Break("no descriptor", DESCRIPTOR, (DESCRIPTOR, "no such file"), missing=True),
    Break("descriptor not JSON", DESCRIPTOR, (DESCRIPTOR, "not a data package descriptor"), content=b"{"),
    Break(
        "descriptor of another form",
        DESCRIPTOR,
        (DESCRIPTOR, "not a data package descriptor"),
        content=b'{"resources": [1]}',
    ),
    Break(
        "descriptor without fields",
        DESCRIPTOR,
        (DESCRIPTOR, "not a data package descriptor"),
        content=b'{"resources": [{"path": "outcomes/cement_leakage.csv", "schema": {}}]}',
    ),
    Break(
        "table not described",
        DESCRIPTOR,
        (TABLE, "not described in data/" + DESCRIPTOR),
        TABLE,
        "outcomes/leaks.csv",
    ),
]

PLAN_BREAKS = [
    Break("no plan", PLAN, (PLAN, "no such file"), missing=True),
    Break("not TOML", PLAN, (PLAN, "TOML", "line 4"), 'title = "Cement leakage"', "title = Cement"),
    Break("plan not UTF-8", PLAN, (PLAN, "TOML", "0xe9"), "Cement leakage", b"Cement l\xe9akage"),
    Break(
        "a name that leads into another folder",
        PLAN,
        (PLAN, "[../../leaks]", "letters, digits, - and _", "'../../leaks'"),
        "[leakage_bkp_bouza_only]",
        '["../../leaks"]',
    ),
    Break(
        "treatment left open",
        PLAN,
        (PLAN, "[cement_leakage]", TABLE, "several treatments ('BKP', ", "'vesselplasty'", "the key 'arm'"),
        'arm = "BKP"\n',
        "",
    ),
    Break(
        "unit left open",
        PLAN,
        (PLAN, "[cement_leakage]", TABLE, "several units ('", "'levels'", "the key 'unit'"),
        'unit = "levels"\n',
        "",
    ),
    Break(
        "key missing",
        PLAN,
        (PLAN, "[cement_leakage]", "expected a key 'model'"),
        'model = "binomial_normal"\n',
        "",
    ),
    Break(
        "a limit on both sides",
        PLAN,
        (PLAN, "[cement_leakage].decision", "'below' or a key 'above', found both"),
        "below = 0.10\n",
        "below = 0.10\nabove = 0.10\n",
    ),
    Break(
        "key misspelled",
        PLAN,
        (PLAN, "[cement_leakage]", "'compares'", "did you mean 'compare'?"),
        "compare =",
        "compares =",
    ),
    Break(
        "required key misspelled",
        PLAN,
        (PLAN, "[cement_leakage]", "'outcme'", "did you mean 'outcome'?"),
        "outcome =",
        "outcme =",
    ),
    Break(
        "key unknown",
        PLAN,
        (PLAN, "[cement_leakage]", "'zzz'", "expected one of title"),
        'arm = "BKP"\n',
        'arm = "BKP"\nzzz = 1\n',
    ),
    Break(
        "a number for a text",
        PLAN,
        (PLAN, "[cement_leakage]", "arm to be text", "3"),
        'arm = "BKP"',
        "arm = 3",
    ),
    Break(
        "a text for a list",
        PLAN,
        (PLAN, "[cement_leakage]", "populations to be a list", "'mixed'"),
        '["myeloma", "metastasis", "mixed"]',
        '"mixed"',
    ),
    Break(
        "a number in a list of texts",
        PLAN,
        (PLAN, "[cement_leakage]", "populations to hold texts", "3"),
        '["myeloma", "metastasis", "mixed"]',
        '["mixed", 3]',
    ),
    Break(
        "a text for an entry",
        PLAN,
        (PLAN, "[cement_leakage]", "expected a table", "'x'"),
        content=b'cement_leakage = "x"',
    ),
    Break(
        "no threshold",
        PLAN,
        (PLAN, "[cement_leakage].decision", "expected a key 'below' or a key 'above', found neither"),
        "below = 0.10\n",
        "",
    ),
    Break(
        "certain decision",
        PLAN,
        (PLAN, "[cement_leakage].decision", "probability to lie between 0 and 1", "found 1"),
        "below = 0.10\n",
        "below = 0.10\nprobability = 1.0\n",
    ),
    Break(
        "decision by words",
        PLAN,
        (PLAN, "[cement_leakage].decision", "probability"),
        "below = 0.10\n",
        'below = 0.10\nprobability = "likely"\n',
    ),
    Break(
        "a threshold in percent",
        PLAN,
        (PLAN, "[cement_leakage].decision", "share between 0 and 1", "found 10"),
        "below = 0.10",
        "below = 10",
    ),
    Break(
        "a threshold of zero",
        PLAN,
        (PLAN, "[cement_leakage].decision", "share between 0 and 1", "found 0"),
        "below = 0.10",
        "below = 0",
    ),
    Break(
        "nan as threshold",
        PLAN,
        (PLAN, "[cement_leakage].decision", "share between 0 and 1", "nan"),
        "below = 0.10",
        "below = nan",
    ),
    Break(
        "a text as threshold",
        PLAN,
        (PLAN, "[cement_leakage].decision", "below to be a number", "'10 %'"),
        "below = 0.10",
        'below = "10 %"',
    ),
    Break(
        "true as threshold",
        PLAN,
        (PLAN, "[cement_leakage].decision", "below to be a number", "True"),
        "below = 0.10",
        "below = true",
    ),
    Break(
        "a series of no patients",
        PLAN,
        (PLAN, "[cement_leakage]", "next", "1 to 10000", "[20, 0]"),
        "[20, 50]",
        "[20, 0]",
    ),
    Break(
        "half a patient",
        PLAN,
        (PLAN, "[cement_leakage]", "next", "whole numbers", "[20.5]"),
        "[20, 50]",
        "[20.5]",
    ),
    Break(
        "unknown outcome",
        PLAN,
        ("outcomes/leaks.csv", "not described"),
        'outcome = "cement_leakage"',
        'outcome = "leaks"',
    ),
    Break(
        "an outcome without counts",
        PLAN,
        (PLAN, "[cement_leakage]", "kyphotic_angle", "events"),
        'outcome = "cement_leakage"',
        'outcome = "kyphotic_angle"',
    ),
    Break(
        "an outcome outside the folder",
        PLAN,
        ("not described",),
        'outcome = "cement_leakage"',
        'outcome = "../studies"',
    ),
    Break(
        "an arm nobody has",
        PLAN,
        (PLAN, "[cement_leakage]", "no row", "BKP, not BPK"),
        'arm = "BKP"',
        'arm = "BPK"',
    ),
    Break(
        "unknown population in the plan",
        PLAN,
        (PLAN, "[cement_leakage]", "populations", "metastases"),
        '"metastasis", "mixed"]',
        '"metastases", "mixed"]',
    ),
    Break(
        "unknown study in the plan",
        PLAN,
        (PLAN, "[cement_leakage]", "studies", "nobody1999"),
        'constraints = "cement_leakage"',
        'constraints = "cement_leakage"\nstudies = ["nobody1999"]',
    ),
    Break(
        "latent counts without constraints",
        PLAN,
        (TABLE, "line 2", "lieberman2003 is latent", "[cement_leakage]", "no constraints file"),
        'constraints = "cement_leakage"\n',
        "",
    ),
    Break(
        "constraints of another outcome",
        PLAN,
        (
            "constraints/new_fracture.toml",
            "outcome is 'new_fracture'",
            "[cement_leakage]",
            "'cement_leakage'",
        ),
        'constraints = "cement_leakage"',
        'constraints = "new_fracture"',
    ),
    Break(
        "constraints that do not exist",
        PLAN,
        ("leaks.toml", "no such file in constraints/"),
        'constraints = "cement_leakage"',
        'constraints = "leaks"',
    ),
]

CONSTRAINTS_BREAKS = [
    Break("no constraints file", CONSTRAINTS, ("cement_leakage.toml", "no such file"), missing=True),
    Break("no method", CONSTRAINTS, ("cement_leakage.toml", "method"), "[method]", "[methods]"),
    Break(
        "unknown quantity",
        CONSTRAINTS,
        ("cement_leakage.toml", "[[printed]] 1", "events, pooled, I2", "'event'"),
        'quantity = "events"',
        'quantity = "event"',
    ),
    Break(
        "unknown unit of a figure",
        CONSTRAINTS,
        ("cement_leakage.toml", "[[printed]] 2", "'percent'", "'share'"),
        'unit = "percent"',
        'unit = "share"',
    ),
    Break(
        "a figure not as printed",
        CONSTRAINTS,
        ("cement_leakage.toml", "[[printed]] 1", "value to be text", "41"),
        'value = "41"',
        "value = 41",
    ),
    Break(
        "a figure in words",
        CONSTRAINTS,
        ("cement_leakage.toml", "[[printed]] 1", "a number as printed", "'many'"),
        'value = "41"',
        'value = "many"',
    ),
    Break(
        "nan as a figure",
        CONSTRAINTS,
        ("cement_leakage.toml", "[[printed]] 1", "a number as printed", "'nan'"),
        'value = "41"',
        'value = "nan"',
    ),
    Break(
        "half a leak",
        CONSTRAINTS,
        ("cement_leakage.toml", "[[printed]] 1", "whole number of events", "'41.5'"),
        'value = "41"',
        'value = "41.5"',
    ),
    Break(
        "a negative figure",
        CONSTRAINTS,
        ("cement_leakage.toml", "[[printed]] 2", "a number as printed", "'-0.51'"),
        'value = "0.51"',
        'value = "-0.51"',
    ),
    Break(
        "a figure about an unknown study",
        CONSTRAINTS,
        ("cement_leakage.toml", "[[printed]] 2", "'vrionis'"),
        '"fourney2003", "vrionis2005"',
        '"fourney2003", "vrionis"',
    ),
    Break(
        "a figure without words",
        CONSTRAINTS,
        ("cement_leakage.toml", "[[printed]] 1", "expected a key 'words'"),
        'words = "overall, there were 41 cement leakages associated with BKP"\n',
        "",
    ),
    Break(
        "an unknown key in constraints",
        CONSTRAINTS,
        ("cement_leakage.toml", "'weightes'", "did you mean"),
        "weights =",
        "weightes =",
    ),
    Break(
        "an unknown weighting",
        CONSTRAINTS,
        ("cement_leakage.toml", 'weights = "uniform"', "'flat'"),
        'weights = "uniform"',
        'weights = "flat"',
    ),
    Break(
        "a study twice in constraints",
        CONSTRAINTS,
        ("cement_leakage.toml", "each study once"),
        '    "lane2004",\n',
        '    "lane2004",\n    "lane2004",\n',
    ),
    Break(
        "a study that is not in the analysis",
        CONSTRAINTS,
        (CONSTRAINTS, "nobody1999", "not in analysis cement_leakage"),
        '    "lane2004",\n',
        '    "lane2004",\n    "nobody1999",\n',
    ),
    Break(
        "an unknown measure",
        CONSTRAINTS,
        ("cement_leakage.toml", "[method]", "measure", "'XX'"),
        'measure = "PR"',
        'measure = "XX"',
    ),
    Break(
        "an unknown pooling",
        CONSTRAINTS,
        ("cement_leakage.toml", "[method]", "pooling", "'XX'"),
        'pooling = "DL"',
        'pooling = "XX"',
    ),
    Break(
        "a correction of -1",
        CONSTRAINTS,
        ("cement_leakage.toml", "[method]", "zero_cells from 0 to 1", "-1"),
        "zero_cells = 0.5",
        "zero_cells = -1",
    ),
    Break(
        "another arm in constraints",
        CONSTRAINTS,
        (CONSTRAINTS, "arm is 'VP'", "'BKP'"),
        'arm = "BKP"',
        'arm = "VP"',
    ),
    Break(
        "figures that nobody satisfies",
        CONSTRAINTS,
        ("Cement leaks by study", "no table", "Results, Cement Leaks", "check the digits"),
        'value = "84"',
        'value = "14"',
    ),
    Break(
        "a figure that falls at once",
        CONSTRAINTS,
        ("Cement leaks by study", "no table", "0.51%"),
        'value = "0.51"',
        'value = "50.51"',
    ),
    Break(
        "a weighted table that is not feasible",
        CONSTRAINTS,
        ("Cement leaks by study", "not feasible", "[1, 2"),
        add="\n[[weight]]\nevents = [1, 2, 3, 4, 5, 6, 7]\nweight = 2\n",
    ),
    Break(
        "a weighted table that is short",
        CONSTRAINTS,
        ("cement_leakage.toml", "[[weight]] 1", "7 whole numbers", "[1, 2]"),
        add="\n[[weight]]\nevents = [1, 2]\nweight = 2\n",
    ),
    Break(
        "a weight of zero",
        CONSTRAINTS,
        ("cement_leakage.toml", "[[weight]] 1", "greater than 0"),
        add="\n[[weight]]\nevents = [1, 2, 3, 4, 5, 6, 7]\nweight = 0\n",
    ),
    Break(
        "weights that are no tables",
        CONSTRAINTS,
        ("cement_leakage.toml", "weight", "expected a table"),
        'weights = "uniform"',
        'weights = "uniform"\nweight = [1]',
    ),
]

PRIOR_BREAKS = [
    Break(
        "no prior set",
        PRIORS,
        ("'weakly_informative'", "data/priors/", "empirical, sceptical, vague"),
        missing=True,
    ),
    Break("an empty set", PRIORS, (PRIORS, "nothing for cement_leakage or for PLO"), content=b""),
    Break("a set that is not TOML", PRIORS, ("weakly_informative.toml", "TOML"), "[PLO.mu]", "[PLO.mu"),
    Break(
        "a prior without a why", PRIORS, (PRIORS, "[PLO.mu]", "'wy'", "did you mean 'why'?"), "why =", "wy ="
    ),
    Break(
        "a prior that is a number",
        PRIORS,
        (PRIORS, "[PLO.tau]", "prior to be text", "1"),
        'prior = "HalfNormal(sigma=1)"',
        "prior = 1",
    ),
    Break(
        "a prior that is no table",
        PRIORS,
        (PRIORS, "[PLO.tau]", "expected a table", "'HalfNormal(sigma=1)'"),
        content=b'[PLO]\ntau = "HalfNormal(sigma=1)"\n',
    ),
    Break(
        "a scope that is no table",
        PRIORS,
        ("weakly_informative.toml", "PLO to be a table", "1"),
        content=b"PLO = 1\n",
    ),
    Break(
        "an unknown family",
        PRIORS,
        (PRIORS, "[PLO.tau]", "HalfNorml", "did you mean HalfNormal?"),
        "HalfNormal(sigma=1)",
        "HalfNorml(sigma=1)",
    ),
    Break(
        "a negative scale",
        PRIORS,
        (PRIORS, "[PLO.tau]", "sigma must be greater than 0", "-1"),
        "HalfNormal(sigma=1)",
        "HalfNormal(sigma=-1)",
    ),
    Break(
        "a standard deviation below zero",
        PRIORS,
        (PRIORS, "tau", "allows negative values", "Half"),
        "HalfNormal(sigma=1)",
        "Normal(mu=0, sigma=1)",
    ),
    Break(
        "code for a prior",
        PRIORS,
        (PRIORS, "[PLO.tau]", "expected a form such as HalfNormal(sigma=1)"),
        "HalfNormal(sigma=1)",
        "(lambda: 1)()",
    ),
    Break("a parameter that no model has", PRIORS, (PRIORS, "tua", "tau"), "[PLO.tau]", "[PLO.tua]"),
    Break(
        "a scope that is neither outcome nor measure",
        PRIORS,
        (PRIORS, "PLOO", "PLO"),
        "[PLO.tau]",
        "[PLOO.tau]",
    ),
]


def by_name(breaks):
    return pytest.mark.parametrize("broken", breaks, ids=[b.name for b in breaks])


def sentence_of(error, words):
    """Check that a message is one sentence that says all it must."""
    message = str(error.value)
    assert "\n" not in message
    assert not re.search(r"Traceback|object at 0x|<class", message)
    assert [w for w in words if w not in message] == [], message


@by_name(TABLE_BREAKS + PLAN_BREAKS + CONSTRAINTS_BREAKS)
def test_evidence(broken, copied):
    broken.apply(copied.data)
    with pytest.raises(EvidenceError) as error:
        evidence_for(find_analysis(copied, "cement_leakage"), copied)
    sentence_of(error, broken.words)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[patient_pain.priors.vague]", '[patient_pain.priors."../vague"]', ("patient_pain", "'../vague'")),
        ("[next_study]", '["../up"]', ("[../up]", "letters, digits, - and _")),
    ],
)
def test_questions_whose_names_lead_into_another_folder(old, new, words, copied):
    Break("", PLAN, (), old, new).apply(copied.data)
    with pytest.raises(EvidenceError) as error:
        read_questions(copied)
    sentence_of(error, words)


@by_name(PRIOR_BREAKS)
def test_priors(broken, copied):
    broken.apply(copied.data)
    with pytest.raises((EvidenceError, PriorError)) as error:
        read_priors(copied, "weakly_informative", find_analysis(copied, "cement_leakage"), "PLO")
    sentence_of(error, broken.words)


def test_two_printed_counts_above_the_printed_total(copied):
    """The figure that cannot be met is named, whatever the number of tables left when it is reached."""
    for old, new in (
        ("fourney2003,BKP,post,levels,0,32", "fourney2003,BKP,post,levels,30,32"),
        ("kose2006,BKP,post,levels,0,22", "kose2006,BKP,post,levels,20,22"),
    ):
        Break("", TABLE, (), old, new).apply(copied.data)
    with pytest.raises(EvidenceError) as error:
        evidence_for(find_analysis(copied, "cement_leakage"), copied)
    sentence_of(error, ("Cement leaks by study", "no table of counts agrees"))


@pytest.mark.parametrize(
    ("name", "hint"),
    [("cement_leak", "did you mean 'cement_leakage'?"), ("zzz", "expected one of cement_leakage")],
)
def test_unknown_analysis(name, hint, project):
    with pytest.raises(EvidenceError) as error:
        find_analysis(project, name)
    sentence_of(error, (repr(name), PLAN, hint))


def test_unknown_prior_set(project):
    with pytest.raises(PriorError, match="did you mean 'sceptical'"):
        read_priors(project, "skeptical", find_analysis(project, "cement_leakage"), "PLO")


def test_the_files_are_right_before_they_are_broken(copied):
    """Otherwise every test above would pass for a reason of its own."""
    analysis = find_analysis(copied, "cement_leakage")
    assert evidence_for(analysis, copied).k == 9
    assert set(read_priors(copied, "weakly_informative", analysis, "PLO")) == {"mu", "tau"}
    assert issubclass(EvidenceError, KyphobayesError) and issubclass(EvidenceError, ValueError)
