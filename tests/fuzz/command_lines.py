"""Command lines that may be typed, with words in wrong places and files that are none."""

from hypothesis import strategies as st

from tests.fuzz import tables
from tests.fuzz.cases import Case
from tests.fuzz.texts import encoded, mutated, odd, restructured

CONSTRAINTS = """\
title = "Leaks by study"
[method]
measure = "PR"
pooling = "DL"
zero_cells = 0.5
why = "As the paper says."
[[study]]
name = "A"
n = 12
[[study]]
name = "B"
n = 15
events = 2
[[study]]
name = "C"
n = 9
[[printed]]
quantity = "events"
value = "5"
locator = "Results"
words = "five leaks"
[[printed]]
quantity = "pooled"
unit = "percent"
value = "12"
locator = "Results"
words = "a pooled rate of 12 %"
"""
# A whole answer takes seconds: a limit that is none ends `fit` when the table is read; `pooled` goes on.
LINES = (
    "list --project ../project --json",
    "list",
    "fit mine.csv --out ../out --events events --n n --study study --below none",
    "fit mine.csv --out ../out --prior tau=HalfNormal(sigma=1) --above none --json",
    "fit cement_leakage --engine exact --out ../out --project mine.csv",
    "effect-sizes mine.csv --measure PLO --to only0 --add 0.5 --out ../out/sizes.csv",
    "effect-sizes mine.csv --measure OR --json",
    "reconstruct asked.toml --out ../out --seed 1",
    "reconstruct asked.toml --json --mu Normal(mu=-2,sigma=1)",
    "reanalyse --k four --estimate 1.2 --ci 0.8 1.7 --i2 30 --measure OR --tau HalfNormal(sigma=1)",
    "reanalyse --k 4 --estimate 1.2 --ci 0.8 x --n 63 18 26 65 --out ../out",
    "elicit --rate 0.01 0.2 --factor 4 --mass 0.95",
    "lint mine.csv --rounding either --out ../out/lint.csv",
    "audit none --out ../out",
    "crosscheck none --project ../project",
    "sensitivity none --below 0.1 --of typical --threshold 0.9 --out ../out",
    "explore none --out ../out",
    "new ../out/../in --kind counts",
    "new ../out/review --from mine.csv --measure OR",
    "report --format none --workers 1 --out ../out",
)


@st.composite
def arguments(draw: st.DrawFn) -> list[str]:
    """A line with up to two words changed, left out, twice, or odd."""
    words = draw(st.sampled_from(LINES)).split()
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(words) - 1)) if words else 0
        how = draw(st.sampled_from(["odd", "odd", "out", "twice", "more"]))
        if (
            how == "odd" and words and not words[place].startswith("../")
        ):  # a path that is given is the user's own
            words[place] = draw(odd)
        elif how == "out":
            del words[place : place + 1]
        elif how == "twice":
            words[place:place] = words[place : place + 1]
        else:
            words.insert(place, draw(odd))
    # `report` of a whole plan, or a plan's analysis, is no question of a second.
    if words[:1] == ["report"] and "none" not in words:
        words = [*words, "--format", "none"]
    return words


cases = st.builds(
    lambda words, table, asked: Case(
        "command", {"mine.csv": table, "asked.toml": asked}, {"arguments": words}
    ),
    arguments(),
    tables.texts | st.sampled_from([text.encode() for text in tables.VALID]),
    restructured(CONSTRAINTS) | encoded(mutated([CONSTRAINTS])) | st.just(CONSTRAINTS.encode()),
)
