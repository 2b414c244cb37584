"""Small wrong changes of a module: one operator, constant, condition, name or returned value at a time.

A mutant is a place in the syntax tree and what is written there instead. Words are left alone: docstrings,
messages and what is raised decide no number.
"""

import ast
import random
from collections.abc import Iterator
from dataclasses import dataclass

OPERATORS = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Div,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
NAMES = {
    "maximum": "minimum",
    "minimum": "maximum",
    "max": "min",
    "min": "max",
    "any": "all",
    "all": "any",
    "argmax": "argmin",
    "argmin": "argmax",
    "zeros": "ones",
    "ones": "zeros",
    "zeros_like": "ones_like",
    "ones_like": "zeros_like",
    "log": "log1p",
    "log1p": "log",
    "exp": "expm1",
    "expm1": "exp",
    "floor": "ceil",
    "ceil": "floor",
    "sqrt": "square",
    "square": "sqrt",
    "sum": "max",
    "cumsum": "cumprod",
}
UNTOUCHED = {"annotation", "returns", "decorator_list", "type_params"}
type Path = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class Mutant:
    """One change.

    Attributes
    ----------
    line : int
        Of the module, from 1.
    text : str
        The line as it is, without the white space around it.
    change : str
        ``before → after``.
    path : tuple
        From the root of the tree to the place: fields, and places in them where they are lists.
    node : ast.AST
        What is written there instead.
    """

    line: int
    text: str
    change: str
    path: Path
    node: ast.AST


def mutants(source: str) -> list[Mutant]:
    """All mutants of a module, in the order of its text."""
    lines, tree = source.splitlines(), ast.parse(source)
    found = [
        Mutant(
            node.lineno, lines[node.lineno - 1].strip(), f"{_shown(node)} → {_shown(changed)}", path, changed
        )
        for path, node in _places(tree)
        for changed in _changes(node)
    ]
    return sorted(found, key=lambda mutant: mutant.line)


def mutated(source: str, mutant: Mutant) -> ast.Module:
    """Tree of a module with a change in it."""
    tree = ast.parse(source)
    *above, (field, at) = mutant.path
    parent = tree
    for name, place in above:
        value = getattr(parent, name)
        parent = value if place is None else value[place]
    if at is None:
        setattr(parent, field, mutant.node)
    else:
        getattr(parent, field)[at] = mutant.node
    return ast.fix_missing_locations(tree)


def sample(source: str, n: int, seed: str) -> list[Mutant]:
    """At most `n` mutants drawn at random, in the order of the text."""
    every = mutants(source)
    drawn = random.Random(seed).sample(range(len(every)), min(n, len(every)))
    return [every[place] for place in sorted(drawn)]


def _places(tree: ast.Module) -> Iterator[tuple[Path, ast.AST]]:
    """Code that decides something: no annotations, decorators, words, raised errors or ``strict=True``."""

    def walk(node: ast.AST, path: Path) -> Iterator[tuple[Path, ast.AST]]:
        match node:
            case ast.Raise() | ast.JoinedStr() | ast.Import() | ast.ImportFrom() | ast.TypeAlias():
                return
            case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.keyword(arg="strict"):
                return
        if hasattr(node, "lineno"):
            yield path, node
        for field, value in ast.iter_fields(node):
            if field in UNTOUCHED:
                continue
            for at, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(child, ast.AST):
                    yield from walk(child, (*path, (field, at)))

    yield from walk(tree, ())


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.BinOp(op=op) | ast.BoolOp(op=op) | ast.AugAssign(op=op):
            for other in OPERATORS.get(type(op), ()):
                yield _with(node, op=other())
        case ast.Compare(ops=ops):
            for at, op in enumerate(ops):
                for other in OPERATORS.get(type(op), ()):
                    yield _with(node, ops=[*ops[:at], other(), *ops[at + 1 :]])
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.Constant(value=bool() as value):
            yield _with(node, value=not value)
        case ast.Constant(value=int() as value):
            yield _with(node, value=value + 1)
        case ast.Constant(value=float() as value):
            yield _with(node, value=value * 2 if value else 1.0)
        case ast.If(test=test) | ast.IfExp(test=test):
            yield _with(node, test=ast.copy_location(ast.UnaryOp(ast.Not(), test), test))
        case ast.Return(value=ast.expr()):
            yield _with(node, value=ast.copy_location(ast.Constant(None), node))
        case ast.Call(func=ast.Name(id=name)) if name in NAMES:
            yield _with(node, func=ast.copy_location(ast.Name(NAMES[name], ast.Load()), node.func))
        case ast.Call(func=ast.Attribute(attr=name)) if name in NAMES:
            yield _with(node, func=_with(node.func, attr=NAMES[name]))
    if isinstance(node, ast.AugAssign):
        yield ast.copy_location(ast.Pass(), node)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    """A copy of a node with other fields, at the same place of the text."""
    return ast.copy_location(type(node)(**{**dict(ast.iter_fields(node)), **fields}), node)


def _shown(node: ast.AST) -> str:
    """A piece of code in one line: of a statement with a body, its condition."""
    if isinstance(node, ast.If):
        return f"if {ast.unparse(node.test)}"
    return " ".join(ast.unparse(node).split())
