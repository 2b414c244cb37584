"""Odd words, odd numbers, and valid texts with something wrong in them."""

import json
import math
import re
import tomllib
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

NUMBERS = (
    *(
        "0",
        "-0",
        "1",
        "-1",
        "2",
        "3",
        "0.5",
        ".5",
        "5.",
        "1e5",
        "1e9",
        "1e16",
        "1e22",
        "1e154",
        "1e300",
        "1e308",
    ),
    *(
        "1.8e308",
        "1e309",
        "-1e308",
        "1e-9",
        "1e-154",
        "1e-300",
        "1e-320",
        "1e-400",
        "nan",
        "NaN",
        "inf",
        "-inf",
    ),
    *(
        "Infinity",
        "0x1f",
        "1_000",
        "1e",
        "1e+",
        "007",
        "9007199254740993",
        "5/0",
        "5/35",
        "0/0",
        "12%",
        "1,5",
    ),
    *(
        "1.234.567",
        "1,234",
        "1 234",
        "−3",
        "٣",
        "５",
        "½",
        "∞",
        "true",
        "",
        "1" * 30,
        "1" * 400,
        f"0.{'0' * 330}1",
    ),
)
WORDS = (
    *(
        "study",
        "Smith 2004",
        "Müller",
        "山田",
        "Ω",
        "e\u0301",
        "\u202etxt",
        "\u200f",
        "\ufeff",
        "\u00a0",
        "a\u0000b",
    ),
    *(
        "\x1b[2J",
        "\x07",
        "\n",
        "\r\n",
        "\t",
        '"',
        "'",
        '"""',
        "\\",
        ",",
        ";",
        "#",
        "=",
        "[",
        "]]",
        "{",
        "}",
        "|",
    ),
    *(
        "=1+1",
        '=HYPERLINK("http://x","y")',
        "+1",
        "@SUM(A1)",
        "<script>alert(1)</script>",
        "&lt;",
        "]]>",
        "{{7*7}}",
    ),
    *("../../canary", "/tmp/canary", "..", ".", "a/b", "C:\\x", "~", "$HOME", "CON", "canary\n", "x" * 300),
    *(
        "__import__('os').system('touch canary')",
        "{0.__class__}",
        "%s%n",
        "[bold]x[/]",
        "[/]",
        ":smile:",
        "\ud83d",
    ),
    *("Total", "NR", "NA", "None", "-", "05-Mar", "#DIV/0!", "yes", "mu", "tau", "theta_new", "[red]"),
)
LETTERS = st.characters(codec="utf-8") | st.sampled_from("\0\x1b\n\r\t\"'\\,;=[]{}()<>/.*+-0123456789 ")
numbers = st.sampled_from(NUMBERS) | st.integers(-5, 3000).map(str) | st.floats().map(repr)
words = st.sampled_from(WORDS) | st.text(LETTERS, max_size=8)
odd = numbers | words
_TOKEN = re.compile(r"\"[^\"\n]*\"|-?\d+(?:\.\d+)?|\w+|[^\w\s]")
_LONG = 200_000  # characters of what is made very long


def _replace(draw: st.DrawFn, text: str) -> str:
    """One token by an odd one, in its quotes or out of them."""
    tokens = list(_TOKEN.finditer(text))
    if not tokens:
        return draw(odd)
    token = tokens[draw(st.integers(0, len(tokens) - 1))]
    new = draw(odd)
    if token[0].startswith('"') and draw(st.booleans()):
        new = f'"{new}"'
    return text[: token.start()] + new + text[token.end() :]


def _insert(draw: st.DrawFn, text: str) -> str:
    place = draw(st.integers(0, len(text)))
    return text[:place] + draw(odd) + text[place:]


def _cut(draw: st.DrawFn, text: str) -> str:
    first, length = draw(st.integers(0, len(text))), draw(st.integers(0, 60))
    return text[:first] + text[first + length :]


def _lines(draw: st.DrawFn, text: str) -> str:
    """A line twice, away, or at another's place."""
    lines = text.splitlines(keepends=True) or [""]
    line, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    how = draw(st.sampled_from(["twice", "away", "there"]))
    if how == "twice":
        lines.insert(other, lines[line])
    elif how == "away":
        del lines[line]
    else:
        lines[line], lines[other] = lines[other], lines[line]
    return "".join(lines)


def _long(draw: st.DrawFn, text: str) -> str:
    """Something very often."""
    piece = draw(
        st.sampled_from(["1", "a", "[", "{a=", "(", ".", ",", "\n", '"', " ", "a.", "-", "Tau2(", "%", "\\"])
    )
    place = draw(st.integers(0, len(text)))
    times = draw(st.sampled_from([150, 1500, _LONG // len(piece)]))
    return text[:place] + piece * times + text[place:]


_CHANGES = [_replace] * 6 + [_insert] * 2 + [_cut, _lines, _long]


@st.composite
def mutated(draw: st.DrawFn, valid: Sequence[str]) -> str:
    """A valid text with up to three things wrong in it."""
    text = draw(st.sampled_from(valid))
    for _ in range(draw(st.integers(1, 3))):
        text = draw(st.sampled_from(_CHANGES))(draw, text)
    return text


def encoded(texts: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    """Texts as bytes, mostly in UTF-8."""
    codecs = st.sampled_from(["utf-8"] * 8 + ["utf-8-sig", "utf-16", "utf-16-le", "cp1252", "latin-1"])
    return st.builds(
        lambda text, codec: text.encode(codec, "surrogatepass" if codec.startswith("utf") else "replace"),
        texts,
        codecs,
    )


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Bytes with some flipped, or the end lost."""
    data = bytearray(content)
    for _ in range(draw(st.integers(0, 6))):
        data[draw(st.integers(0, len(data) - 1))] ^= draw(st.integers(1, 255))
    return bytes(data[: len(data) - draw(st.sampled_from([0, 0, 0, 1, 30, len(data) // 2]))])


# -- TOML by its structure ----------------------------------------------------------------------------------

_scalars = st.one_of(
    st.booleans(), st.integers(-3, 200), st.floats(), st.just(10**4000), st.just(-(10**400)), odd,
    st.sampled_from([[], {}, [[]], [{}], [1, "a"], {"a": {"b": 1}}]),
)  # fmt: skip


def toml(value: Any) -> str:
    """A value as TOML writes it; tables in one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(str(key))} = {toml(each)}" for key, each in value.items()) + "}"
    return repr(value)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a structure: what it is in, and its key or number."""
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else range(len(value))
    return [each for key in keys for each in ((value, key), *_places(value[key]))]


@st.composite
def restructured(draw: st.DrawFn, valid: str) -> bytes:
    """A valid TOML file with other values, other keys, or some of either missing."""
    content = tomllib.loads(valid)
    for _ in range(draw(st.integers(1, 3))):
        places = _places(content)
        if not places:
            break
        holder, key = places[draw(st.integers(0, len(places) - 1))]
        how = draw(st.sampled_from(["value", "value", "value", "key", "gone"]))
        if how == "value":
            holder[key] = deepcopy(draw(_scalars))
        elif how == "gone":
            del holder[key]
        elif isinstance(holder, dict):
            holder[draw(words)] = holder.pop(key)
        else:
            holder.append(holder[key])
    return "\n".join(f"{toml(str(key))} = {toml(value)}" for key, value in content.items()).encode(
        "utf-8", "replace"
    )
