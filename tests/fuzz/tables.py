"""Tables of users, with a header that may be understood and cells that may not."""

import csv
import io

from hypothesis import strategies as st

from tests.fuzz.texts import encoded, mutated, odd, words

HEADS = (
    *("study", "author", "year", "events", "n", "xi", "ni", "yi", "vi", "sei", "ai", "bi", "ci", "di", "n1i"),
    *("n2i", "OR", "lower", "upper", "time", "mean", "sd", "r", "%", "A", "by", "mean pre", "mean post"),
    *("sd pre", "sd post", "95% CI lower", "Drug Events", "Drug Total", "patient-years"),
)
VALID = (
    "study,events,n\nA,0,32\nB,5,35\nC,4,19\n",
    "study;leaks;levels;design\nA;0;32;pro\nB;12;264;retro\nC;5;35;pro\n",
    "author\tyear\tyi\tsei\nSmith\t2004\t0.1\t0.2\nLee\t2005\t-0.3\t0.15\n",
    "study,events,patient-years\nA,1,12.5\nB,0,3\n",
    "study,OR,lower,upper\nA,1.2,0.8,1.7\nB,0.9,0.5,1.6\n",
    "study,ai,n1i,ci,n2i\nA,3,30,5,30\nB,0,20,2,21\n",
    "study,m1i,sd1i,n1i,m2i,sd2i,n2i\nA,3.1,1.2,30,4.2,1.1,29\nB,2,1,20,3,1.5,22\n",
    "study,n,VAS pre,sd pre,VAS post,sd post,r\nA,20,7.1,1.5,3,1.2,0.5\nB,30,8,1,2.5,1,0.4\n",
    'study,leaks\nA,"5/35 (14%)"\nB,0/32\n',
    "study,percent,n\nA,14.3,35\nB,0,32\n",
    "study,mean (SD),n\nA,3.4 (1.2),20\nB,2.9 (1.0),31\n",
)
_NUMERIC = [text for text in VALID if "," in text and '"' not in text and "(" not in text]
cells = odd | st.sampled_from(
    ["A", "B", "5/35 (14%)", "3,4 (1,2)", "1.20 [0.8; 1.7]", "12,5 %", "5*", "Total", "NR"]
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "measure": st.sampled_from(["OR", "RR", "SMD", "MD", "HR", "MC", "ROMC", "RD", "GEN", "PLO", "x"]),
        "scale": st.sampled_from(["log", "natural", "x"]),
        "decimal": st.sampled_from(["point", "comma", "x"]),
        "drop_missing": st.booleans(),
        "correlation": st.floats(-2, 2) | st.just(float("nan")),
        "per": st.floats(),
        "ci_level": st.floats(),
        "sheet": words | st.integers(-1, 3).map(str),
        "columns": st.dictionaries(
            st.sampled_from(["events", "n", "study", "y", "se", "by", "time", "r"]),
            st.sampled_from(HEADS) | words,
            max_size=2,
        ),
    },
)  # fmt: skip


PLAIN = st.fixed_dictionaries(
    {}, optional={"per": st.just(1.0), "correlation": st.sampled_from([0.5, 0.999999])}
)
_REACHED = (
    *(
        "0",
        "1",
        "2",
        "5",
        "30",
        "1e3",
        "1e6",
        "1e9",
        "1e12",
        "1e15",
        "1e22",
        "1e100",
        "1e154",
        "1e200",
        "1e300",
    ),
    *("0.5", "1e-3", "1e-9", "1e-20", "1e-154", "1e-300", "-1", "-1e9"),
)


@st.composite
def numeric_texts(draw: st.DrawFn) -> bytes:
    """A table that is understood, with numbers as large and as small as can be written."""
    head, *rows = [line.split(",") for line in draw(st.sampled_from(_NUMERIC)).splitlines()]
    for _ in range(draw(st.integers(1, 5))):
        row = rows[draw(st.integers(0, len(rows) - 1))]
        row[draw(st.integers(1, len(row) - 1))] = draw(st.sampled_from(_REACHED))
    rows = rows[: draw(st.integers(1, len(rows)))]
    return "\n".join(",".join(row) for row in [head, *rows]).encode()


@st.composite
def grids(draw: st.DrawFn) -> str:
    """Any cells below heads that are known."""
    width = draw(st.integers(2, 7))
    heads = draw(st.lists(st.sampled_from(HEADS), min_size=width, max_size=width))
    rows = draw(st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=5))
    out = io.StringIO()
    csv.writer(out, delimiter=draw(st.sampled_from(",;\t")), lineterminator="\n").writerows([heads, *rows])
    return out.getvalue()


texts = encoded(mutated(VALID) | grids())
values = st.one_of(
    cells,
    st.floats(),
    st.integers(-(10**20), 10**20),
    st.none(),
    st.booleans(),
    st.just(10**400),
    st.lists(st.none()),
)


@st.composite
def frames(draw: st.DrawFn) -> dict[str, list]:
    """Columns of a table at hand, mostly of numbers."""
    rows = draw(st.integers(0, 4))
    columns = draw(st.lists(st.sampled_from(HEADS) | words, max_size=5, unique=True))
    return {name: draw(st.lists(values, min_size=rows, max_size=rows)) for name in columns}
