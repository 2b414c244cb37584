"""Tables of outcomes, studies and sources, and their descriptor."""

from tests.unit.evidence.breaks import CONSTRAINTS, DESCRIPTOR, SOURCES, STUDIES, TABLE, Break

HEADER = "study_id,arm,timepoint,unit,events,n,definition,status,rule,source,locator,note\n"
SERIES = "ribeirao_preto,BKP,post,levels,5,35,any cement leak,reported,,ribeirao_preto,Results"


def series(new):
    """The line of the Ribeirão Preto series, changed; it is line 11."""
    return {"old": SERIES, "new": new}


BREAKS = [
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
