"""No warning is silenced, and no checker overruled, without its reason beside it."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("kyphobayes", "models", "scripts", "benchmarks", "docs", "tests", ".ci")
SILENCERS = {"errstate", "seterr", "filterwarnings", "simplefilter"}
COMMAND = re.compile(r"(pyright:\s*ignore|type:\s*ignore|noqa)(\[[\w, ]*\]|:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*)?")
WORDS = 3  # of a reason, at least


def silenced_without_reason(source: str) -> list[int]:
    """Lines of a file that silence something without a reason on them or in the comment right above."""
    comments = {
        token.start[0]: token.string
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    lines = source.splitlines()
    places = {line: line for line, comment in comments.items() if COMMAND.search(comment)}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and silences(node):
            places[node.lineno] = node.end_lineno or node.lineno

    def reason(line: int) -> bool:
        return len(re.findall(r"[^\W\d_]{2,}", COMMAND.sub(" ", comments.get(line, "")))) >= WORDS

    def explained(first: int, last: int) -> bool:
        above = first - 1
        while above > 0 and lines[above - 1].lstrip().startswith("#"):
            if reason(above):
                return True
            above -= 1
        return any(reason(line) for line in range(first, last + 1))

    return sorted(first for first, last in places.items() if not explained(first, last))


def silences(call: ast.Call) -> bool:
    """Whether it is a call that silences warnings; one that makes errors of them is the contrary."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name == "catch_warnings":  # it keeps filters apart; only these keywords silence by themselves
        return any(keyword.arg in ("record", "action") for keyword in call.keywords)
    made = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
    return name in SILENCERS and made not in ("error", "always")


def sources() -> Iterator[Path]:
    for folder in FOLDERS:
        yield from sorted((ROOT / folder).rglob("*.py"))


def test_every_silenced_warning_has_its_reason_beside_it():
    silent = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sources()
        if path != Path(__file__).resolve()  # whose examples are wrong on purpose
        for line in silenced_without_reason(path.read_text(encoding="utf-8"))
    ]
    assert not silent, "say why on the same or the preceding line:\n" + "\n".join(silent)


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ('with np.errstate(divide="ignore"):\n    x = 1\n', [1]),
        ('with np.errstate(divide="ignore"):  # log 0 is minus infinity, as it should be\n    x = 1\n', []),
        ('# log 0 is minus infinity here\nwith np.errstate(divide="ignore"):\n    x = 1\n', []),
        ('# log 0 is minus infinity here\n\nwith np.errstate(divide="ignore"):\n    x = 1\n', [3]),
        ("x = f(y)  # pyright: ignore[reportCallIssue]\n", [1]),
        ("x = f(y)  # pyright: ignore[reportCallIssue]  # the stub lacks an overload\n", []),
        ("f = lambda x: x  # noqa: E731\n", [1]),
        ("f = lambda x: x  # noqa: E731 -- one formula used twice\n", []),
        ('with warnings.catch_warnings():\n    warnings.simplefilter("error")\n', []),
        ('with warnings.catch_warnings():\n    warnings.simplefilter("ignore")\n', [2]),
        ("with warnings.catch_warnings(record=True) as said:\n    f()\n", [1]),
        ('@pytest.mark.filterwarnings("ignore::UserWarning")\ndef f(): ...\n', [1]),
        ('text = "np.errstate(all=)"\n', []),
    ],
)
def test_the_search_itself(source, wrong):
    assert silenced_without_reason(source) == wrong
