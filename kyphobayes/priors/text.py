"""Reading priors from text, which is never evaluated.

A prior that has been read is a pair of its family's name and its parameters; a prior inside another is
such a pair in its place.
"""

import ast
import difflib
import re
import warnings
from collections.abc import Collection
from typing import Any

import numpy as np

from kyphobayes.errors import PriorError
from kyphobayes.families import FAMILIES, NUMBER_FAMILIES

Parameters = tuple[tuple[str, Any], ...]
Read = tuple[str, Parameters]

_LONGEST = 2000  # characters
_INFINITE = frozenset((np.inf, -np.inf))
_NUMBER = r"([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)"  # one way to match: no time in backtracking
# The form in which priors are written, with every parameter by name and in order: no need for a parser.
_WRITTEN = {
    name: (
        tuple(family.defaults),
        re.compile(rf"{name}\({', ?'.join(f'{key}={_NUMBER}' for key in family.defaults)}\)", re.ASCII),
    )
    for name, family in NUMBER_FAMILIES.items()
}


def read(text: str) -> Read:
    """Read a call of a known family.

    Raises
    ------
    PriorError
        If it is anything else; the message names the nearest right word.
    """
    if len(text) > _LONGEST:
        raise PriorError(f"prior text of {len(text)} characters is too long; expected Family(name=number)")
    family_name = text.partition("(")[0]
    if family_name in _WRITTEN:
        names, pattern = _WRITTEN[family_name]
        if match := pattern.fullmatch(text):
            values = [float(number) for number in match.groups()]
            if _INFINITE.isdisjoint(values):
                return family_name, tuple(zip(names, values, strict=True))
    try:
        with warnings.catch_warnings():
            # What Python advises about its own syntax, such as escapes in strings, is refused below.
            warnings.simplefilter("ignore", SyntaxWarning)
            expression = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _unreadable(text) from None
    return _Reader(text).prior(expression)


def _unreadable(text: str) -> PriorError:
    return PriorError(f"prior {text!r}: expected a form such as HalfNormal(sigma=1)")


class _Reader:
    """Reads the expressions of one text, which it quotes when something is wrong."""

    def __init__(self, text: str):
        self._text = text

    def _wrong(self, what: str) -> PriorError:
        return PriorError(f"prior {self._text!r}: {what}")

    def prior(self, node: ast.expr) -> Read:
        """A call of a family, or its bare name."""
        call = node if isinstance(node, ast.Call) else ast.Call(node, [], [])
        if not isinstance(call.func, ast.Name):
            raise _unreadable(self._text)
        name = call.func.id
        if name not in FAMILIES:
            raise self._wrong(f"{name} is not a known family; {nearest(name, FAMILIES)}")
        starred = any(isinstance(value, ast.Starred) for value in call.args)
        if starred or any(keyword.arg is None for keyword in call.keywords):
            raise _unreadable(self._text)
        if name == "Mixture":
            return name, self._mixture(call)
        return name, self._parameters(name, call)

    def _parameters(self, family_name: str, call: ast.Call) -> Parameters:
        defaults = FAMILIES[family_name].defaults
        if len(call.args) > len(defaults):
            raise self._wrong(f"too many parameters; expected {', '.join(defaults) or 'none'}")
        given = [*zip(defaults, call.args, strict=False), *((str(k.arg), k.value) for k in call.keywords)]
        values: dict[str, Any] = {}
        for name, node in given:
            if name not in defaults:
                raise self._wrong(f"{family_name} has no parameter {name}; {nearest(name, defaults)}")
            if name in values:
                raise self._wrong(f"{name} is given twice")
            values[name] = self._inner(node, family_name) if name == "dist" else self._number(node)
        missing = [name for name, default in defaults.items() if default is None and name not in values]
        if missing:
            raise self._wrong(f"{family_name} also needs {' and '.join(missing)}")
        return tuple((name, values.get(name, default)) for name, default in defaults.items())

    def _inner(self, node: ast.expr, family_name: str) -> Read:
        if not isinstance(node, ast.Call | ast.Name):
            raise self._wrong(f"expected a prior inside, such as {family_name}(HalfNormal(sigma=1))")
        return self.prior(node)

    def _mixture(self, call: ast.Call) -> Parameters:
        form = self._wrong(
            "expected a form such as Mixture(0.8*Normal(mu=0, sigma=1) + 0.2*Normal(mu=0, sigma=5))"
        )
        if len(call.args) != 1 or call.keywords:
            raise form
        terms, node = [], call.args[0]
        while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            terms.append(node.right)
            node = node.left
        weights, components = [], []
        for term in [node, *reversed(terms)]:
            if not (isinstance(term, ast.BinOp) and isinstance(term.op, ast.Mult)):
                raise form
            if not isinstance(term.right, ast.Call | ast.Name):
                raise form
            weights.append(self._number(term.left))
            components.append(self.prior(term.right))
        return ("weights", tuple(weights)), ("components", tuple(components))

    def _number(self, node: ast.expr) -> float:
        sign = 1.0
        while isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            sign = -sign if isinstance(node.op, ast.USub) else sign
            node = node.operand
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            try:
                # the type of the constant has been looked at
                value = sign * float(node.value)  # pyright: ignore[reportArgumentType]
            except OverflowError:
                value = np.inf
            if np.isfinite(value):
                return value
        raise self._wrong("parameters must be finite numbers")


def shortest(value: float) -> str:
    """Shortest text that reads back as the same number."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def nearest(word: str, known: Collection[str]) -> str:
    """Hint at the known word that is nearest to another, or at all of them."""
    if not known:
        return "it takes no parameters"
    lowered = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), list(lowered), n=1, cutoff=0.5)
    if close:
        return f"did you mean {lowered[close[0]]}?"
    return "expected one of " + ", ".join(known)
