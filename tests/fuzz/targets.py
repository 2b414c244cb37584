"""The inputs that are generated for each reader, and how many of them CI runs."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from tests.fuzz import answers, command_lines, tables
from tests.fuzz.cases import PROJECT, ROOT, Case
from tests.fuzz.judge import SECONDS
from tests.fuzz.texts import encoded, mutated, numbers, odd, restructured, toml, words
from tests.fuzz.workbooks import workbooks

Cases = st.SearchStrategy[Case]


@dataclass(frozen=True)
class Target:
    """A reader.

    Attributes
    ----------
    name : str
    run : callable
        Of `tests.fuzz.answers`: reads a case and checks the answer, or raises `KyphobayesError`.
    examples : int
        Inputs in CI; 0 for one whose every input takes seconds, and which is for the runs by hand.
    inputs : strategy of Case
    seconds : float
        Of the processor that one input may take before it is a hang; a whole answer takes some.
    """

    name: str
    run: Callable[[Case, Path], None]
    examples: int
    inputs: Cases
    seconds: float = SECONDS


# -- what is valid ------------------------------------------------------------------------------------------


def _source(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _some(path: str, *names: str) -> str:
    """Some entries of a TOML file: enough to change, and quick to read."""
    content = tomllib.loads(_source(path))
    return "\n".join(f"{name} = {toml(content[name])}" for name in names)


def _few(path: str) -> str:
    """A TOML file with two entries of each list."""
    content = tomllib.loads(_source(path))
    short = {key: value[:2] if isinstance(value, list) else value for key, value in content.items()}
    return "\n".join(f"{key} = {toml(value)}" for key, value in short.items())


_PRIORS = (
    *("Normal(mu=-2.5, sigma=1.5)", "HalfNormal(sigma=1)", "StudentT(nu=4, mu=0, sigma=2.5)", "Flat()"),
    *(
        "HalfCauchy(beta=0.5)",
        "Uniform(lower=0, upper=2)",
        "PC(U=1, alpha=0.05)",
        "Jeffreys()",
        "DuMouchel()",
    ),
    *("LogNormal(mu=-2, sigma=1)", "Gamma(alpha=2, beta=1e-4)", "Beta(alpha=1, beta=2)"),
    *("Truncated(Normal(mu=0, sigma=1), lower=0, upper=3)", "Truncated(Mixture(1*Normal()), 0, 1)"),
    *("Tau2(InverseGamma(alpha=0.001, beta=0.001))", "Tau2(LogStudentT(nu=5, mu=-4.13, sigma=2.34))"),
    "Mixture(0.8*Normal(mu=0, sigma=1) + 0.2*Cauchy())",
)
_CONSTRAINTS = (
    command_lines.CONSTRAINTS,
    _source("data/constraints/cement_leakage.toml"),
    _source("data/constraints/new_fracture.toml"),
)
_PLAN = _some("data/analyses.toml", "cement_leakage", "leakage_site")
_VAGUE, _CATALOGUE, _LINES = (
    "data/priors/vague.toml",
    "data/priors/catalogue/turner2015.toml",
    "data/lines.toml",
)
_TABLES = (
    *("outcomes/cement_leakage.csv", "studies.csv", "sources.csv", "arms.csv", "published/bouza2009.csv"),
    "datapackage.json",
)
_LINT = (
    "study,n,mean,sd,items,low,high\nA,20,3.45,1.20,1,0,10\nB,31,2.5,0.9,4,1,5\n",
    "study,n,events,percent\nA,35,5,14.3\nB,32,0,0\n",
    "study,estimate,ci_low,ci_high,p,measure\nA,1.20,0.8,1.7,.3,OR\nB,-0.5,-0.9,-0.1,< .001,MD\n",
    "study,n,sd,se,min,max\nA,20,1.2,0.27,1,9\n",
)
_REANALYSIS = st.fixed_dictionaries(
    {
        "k": st.integers(-1, 12) | st.sampled_from([10**6, 10**12]),
        "estimate": st.sampled_from(["0.5", "1.20", "-2.1"]) | numbers,
        "ci": st.tuples(
            st.sampled_from(["0.2", "0.80", "-3.1"]) | numbers, st.sampled_from(["0.9", "1.7"]) | numbers
        ).map(list),
    },
    optional={
        "i2": numbers,
        "measure": st.sampled_from(["OR", "MD", "PLO", "SMD", "x"]),
        "tau": mutated(_PRIORS),
        "mcid": st.floats(),
        "method": st.sampled_from(["DL", "CE", "REML", "x"]),
        "test": st.sampled_from(["z", "t", "hksj", "x"]),
        "level": st.floats(),
        "spread": st.floats(),
        "n": st.lists(st.floats(), max_size=4),
    },
)


# -- what is not --------------------------------------------------------------------------------------------


def _cases(name: str, options: st.SearchStrategy[dict], **files: st.SearchStrategy[bytes]) -> Cases:
    """Cases of files, called as the keywords are: mine_csv is mine.csv."""
    named = {file.replace("_", "."): content for file, content in files.items()}
    return st.builds(Case, st.just(name), st.fixed_dictionaries(named), options)


def _in_project(name: str, path: str, contents: st.SearchStrategy[bytes]) -> Cases:
    return st.builds(Case, st.just(name), st.fixed_dictionaries({f"{PROJECT}{path}": contents}))


def _toml(*texts: str) -> st.SearchStrategy[bytes]:
    return st.one_of([restructured(text) for text in texts] + [encoded(mutated(texts))])


def _renamed(text: str) -> st.SearchStrategy[bytes]:
    """A plan whose first entry has another name: files are called by it."""
    entry, *rest = tomllib.loads(text).items()
    return words.map(
        lambda word: "\n".join(
            f"{toml(key)} = {toml(value)}" for key, value in [(word, entry[1]), *rest]
        ).encode("utf-8", "replace")
    )


def _one(**choices: st.SearchStrategy) -> st.SearchStrategy[dict]:
    return st.fixed_dictionaries(choices)


_NONE = st.just({})
_MEASURES = st.sampled_from(["PLO", "OR", "IRLN", "SMD", "SMCC", "MD", "PFT", "GEN", "x"])
_ROUNDINGS = st.sampled_from(["either", "half_up", "half_even", "truncated", "any"])

_ALL = (
    Target("prior", answers.a_prior, 2500, _cases("prior", _one(text=mutated(_PRIORS) | odd))),
    Target("own_text", answers.a_file, 2200, _cases("own_text", tables.OPTIONS, mine_csv=tables.texts)),
    Target(
        "own_workbook", answers.a_file, 300, _cases("own_workbook", tables.OPTIONS, mine_xlsx=workbooks())
    ),
    Target(
        "own_frame",
        answers.a_frame,
        600,
        st.builds(lambda t, o: Case("own_frame", {}, {"table": t, **o}), tables.frames(), tables.OPTIONS),
    ),
    Target(
        "solved",
        answers.a_posterior,
        40,
        _cases("solved", tables.PLAIN, mine_csv=tables.numeric_texts()),
        20.0,
    ),
    Target(
        "pooled", answers.a_pool, 0, _cases("pooled", tables.PLAIN, mine_csv=tables.numeric_texts()), 60.0
    ),
    Target(
        "effect_sizes",
        answers.effects,
        700,
        _cases("effect_sizes", _one(measure=_MEASURES), mine_csv=tables.texts),
    ),
    Target("review", answers.a_review, 60, _cases("review", _NONE, mine_csv=tables.texts)),
    Target(
        "constraints",
        answers.constraints,
        1000,
        _cases("constraints", _NONE, asked_toml=_toml(*_CONSTRAINTS)),
    ),
    Target(
        "plan", answers.a_plan, 900, _in_project("plan", "data/analyses.toml", _renamed(_PLAN) | _toml(_PLAN))
    ),
    Target(
        "prior_set",
        answers.a_prior_set,
        250,
        _in_project("prior_set", _VAGUE, _toml(_some(_VAGUE, "PLO", "GEN"))),
    ),
    Target(
        "catalogue", answers.a_catalogue, 150, _in_project("catalogue", _CATALOGUE, _toml(_few(_CATALOGUE)))
    ),
    Target("lines", answers.lines, 120, _in_project("lines", _LINES, _toml(_some(_LINES, "vas_post")))),
    Target(
        "tables",
        answers.a_table,
        100,
        st.one_of(
            [
                _in_project("tables", f"data/{path}", encoded(mutated([_source(f"data/{path}")])))
                for path in _TABLES
            ]
        ),
    ),
    Target(
        "lint",
        answers.tests,
        900,
        _cases("lint", _one(rounding=_ROUNDINGS), mine_csv=encoded(mutated(_LINT))),
    ),
    Target(
        "reanalysis", answers.a_line, 120, st.builds(lambda told: Case("reanalysis", {}, told), _REANALYSIS)
    ),
    Target("command", answers.a_command, 400, command_lines.cases, 60.0),
)
TARGETS = {target.name: target for target in _ALL}
