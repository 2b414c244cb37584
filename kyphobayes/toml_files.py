"""Reading TOML with errors that name the file, the place, what was expected and what was found."""

import re
import tomllib
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from kyphobayes.errors import EvidenceError

MOST_BYTES = 2_000_000  # a hundred times what anyone writes by hand
_NAME = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""  # of a key
# A dozen names with points between: the parser's time and memory grow with the square of their number.
_LONG_KEY = re.compile(rf"(?<![\w-]){_NAME}(?:[ \t]*+\.[ \t]*+{_NAME}){{12}}")
_WHOLE = 10**300  # whole numbers that are numbers of floating point, too
_KIND_NAMES = {str: "text", list: "a list", dict: "a table", int: "a whole number", float: "a number"}


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    EvidenceError
        If it is missing, not UTF-8 or not TOML, or larger or deeper than anyone writes.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        folder = f" in {path.parent.name}/" if path.parent.name else ""
        raise EvidenceError(f"{path.name}: no such file{folder}") from None
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the path
        raise EvidenceError(f"{path.name}: cannot be read as TOML: {problem}") from None
    if len(data) > MOST_BYTES:
        raise EvidenceError(f"{path.name}: expected at most {MOST_BYTES / 1e6:g} MB of TOML, found more")
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
        if found := _LONG_KEY.search(text):
            line = text.count("\n", 0, found.start()) + 1
            raise ValueError(f"a key of more than a dozen names, {found[0][:40]!r}… (at line {line})")
        return tomllib.loads(text)
    except RecursionError:
        raise EvidenceError(f"{path.name}: cannot be read as TOML: lists lie too deep in others") from None
    except ValueError as problem:  # not UTF-8, not TOML, or a number of five thousand digits
        raise EvidenceError(f"{path.name}: cannot be read as TOML: {problem}") from None


def check_keys(
    where: str, entry: Mapping[str, Any], required: Collection[str], optional: Collection[str]
) -> None:
    """Require some keys, allow some more, and name the nearest right one for any other."""
    if not isinstance(entry, Mapping):
        raise EvidenceError(f"{where}: expected a table, found {entry!r}")
    known = [*required, *optional]
    for key in entry:
        if key not in known:
            raise EvidenceError(f"{where}: unknown key {key!r}; {nearest(key, known)}")
    for key in required:
        if key not in entry:
            raise EvidenceError(f"{where}: expected a key {key!r}")


def nearest(word: str, known: Collection[str]) -> str:
    """Hint at the known word that is nearest to another, or at all of them."""
    close = get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(known) or 'none'}"


def typed(where: str, entry: Mapping[str, Any], key: str, kind: type, default: Any = None) -> Any:
    """Value of a key, which must be of one kind (a whole number will do where a number is expected)."""
    value = entry.get(key, default)
    if kind is float and type(value) is int and abs(value) <= _WHOLE:
        value = float(value)
    if value is not default and type(value) is not kind:
        raise EvidenceError(f"{where}: expected {key} to be {_KIND_NAMES[kind]}, found {value!r}")
    return value


def texts(where: str, entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Value of a key that must be a list of texts; empty where it is missing."""
    values = typed(where, entry, key, list, [])
    for value in values:
        if not isinstance(value, str):
            raise EvidenceError(f"{where}: expected {key} to hold texts, found {value!r}")
    return tuple(values)
