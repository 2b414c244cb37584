"""Priors as immutable values: PyMC's names and parameters, read from text, never evaluated.

>>> prior = Prior.parse("HalfNormal(sigma=0.5)")
>>> str(prior)
'HalfNormal(sigma=0.5)'
>>> round(float(prior.quantile(0.5)), 4)
0.3372
"""

import ast
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from kyphobayes.errors import PriorError
from kyphobayes.families import FAMILIES, Array, Family
from kyphobayes.names import MU, TAU


@dataclass(frozen=True)
class Prior:
    """A prior for one parameter.

    Attributes
    ----------
    family : str
        PyMC's name, such as ``HalfNormal``. ``Flat`` and ``HalfFlat`` are improper.
    parameters : tuple of (str, float)
        In PyMC's order, defaults filled in.
    why : str
        The reason for it, in a sentence. It plays no part in equality.
    """

    family: str
    parameters: tuple[tuple[str, float], ...]
    why: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        family = self._family
        values = dict(self.parameters)
        for name in family.positive:
            if not values[name] > 0:
                raise PriorError(f"{self}: {name} must be greater than 0, found {values[name]:g}")
        low, high = family.support(**values)
        if not low < high:
            raise PriorError(f"{self}: lower must lie below upper")

    @classmethod
    def parse(cls, text: "str | Prior", *, why: str = "") -> Self:
        """Read a prior from text such as ``StudentT(nu=4, mu=0, sigma=2.5)``.

        Parameters
        ----------
        text : str or Prior
            A call of one of PyMC's distributions with numbers; a `Prior` is handed through.

        Raises
        ------
        PriorError
            If it is not a call of a known family with known, finite, numeric parameters. The
            message names the nearest right word.
        """
        if isinstance(text, cls):
            return text
        family_name, given = _read_call(str(text))
        family = FAMILIES.get(family_name)
        if family is None:
            raise PriorError(
                f"prior {str(text)!r}: {family_name} is not a known family; {_nearest(family_name, FAMILIES)}"
            )
        values: dict[str, float] = {}
        for place, (name, value) in enumerate(given):
            if name is None:
                if place >= len(family.defaults):
                    expected = ", ".join(family.defaults) or "none"
                    raise PriorError(f"prior {str(text)!r}: too many parameters; expected {expected}")
                name = list(family.defaults)[place]
            if name not in family.defaults:
                raise PriorError(
                    f"prior {str(text)!r}: {family_name} has no parameter {name}; "
                    f"{_nearest(name, family.defaults)}"
                )
            if name in values:
                raise PriorError(f"prior {str(text)!r}: {name} is given twice")
            values[name] = value
        missing = [n for n, default in family.defaults.items() if default is None and n not in values]
        if missing:
            raise PriorError(f"prior {str(text)!r}: {family_name} also needs {' and '.join(missing)}")
        parameters = tuple(
            (name, values.get(name, 0.0 if default is None else default))
            for name, default in family.defaults.items()
        )
        return cls(family_name, parameters, why)

    def __str__(self) -> str:
        return f"{self.family}({', '.join(f'{name}={_shortest(value)}' for name, value in self.parameters)})"

    @property
    def _family(self) -> Family:
        return FAMILIES[self.family]

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value it allows."""
        return self._family.support(**dict(self.parameters))

    @property
    def proper(self) -> bool:
        """Whether it integrates to one."""
        return self._family.quantile is not None

    def log_density(self, x: ArrayLike) -> Array:
        """Log density at `x`; minus infinity outside the support. An improper prior has constant 1."""
        x = np.asarray(x, dtype=float)
        low, high = self.support
        inside = (x >= low) & (x <= high)
        safe = np.where(inside, x, (low if np.isfinite(low) else 0.0) + 1e-3)
        return np.where(inside, self._family.log_density(safe, **dict(self.parameters)), -np.inf)

    def quantile(self, q: ArrayLike) -> Array:
        """Value below which a share `q` of its mass lies.

        Raises
        ------
        PriorError
            If it is improper.
        """
        if self._family.quantile is None:
            raise PriorError(f"{self} is improper and has no quantiles")
        return self._family.quantile(np.asarray(q, dtype=float), **dict(self.parameters))

    def draw(self, size: int, rng: np.random.Generator) -> Array:
        """Draw `size` values by inverting the distribution function."""
        return self.quantile(rng.uniform(size=size))

    def to_pymc(self, name: str, **kwargs: Any) -> Any:
        """Make it a variable `name` of the PyMC model in context."""
        import pymc as pm

        # As float64: PyTensor would keep a plain Python float in single precision.
        parameters = {key: np.float64(value) for key, value in self.parameters}
        return getattr(pm, self.family)(name, **parameters, **kwargs)


@dataclass(frozen=True)
class Priors(Mapping[str, Prior]):
    """Priors of a model by the name of the parameter they are for.

    Attributes
    ----------
    entries : tuple of (str, Prior)
    label : str
        Name of the set, as in ``data/priors/<label>.toml``.
    """

    entries: tuple[tuple[str, Prior], ...]
    label: str = "custom"

    @classmethod
    def of(cls, label: str = "custom", /, **texts: str | Prior) -> Self:
        """Build a set from texts: ``Priors.of(mu="Normal(mu=0, sigma=2)", tau="HalfNormal(sigma=1)")``."""
        return cls(tuple((name, _for(name, Prior.parse(text))) for name, text in texts.items()), label)

    def __getitem__(self, name: str) -> Prior:
        for known, prior in self.entries:
            if known == name:
                return prior
        raise PriorError(f"no prior for {name} in {self.label}; {_nearest(name, dict(self.entries))}")

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def replace(self, **texts: str | Prior) -> Self:
        """Copy with some priors replaced; the label then says which."""
        unknown = set(texts) - set(self)
        if unknown:
            name = sorted(unknown)[0]
            raise PriorError(f"no parameter {name} in this model; {_nearest(name, dict(self.entries))}")
        changed = {name: _for(name, Prior.parse(text)) for name, text in texts.items()}
        label = self.label + "".join(f", {name} ~ {prior}" for name, prior in changed.items())
        return type(self)(tuple((n, changed.get(n, p)) for n, p in self.entries), label)

    def texts(self) -> dict[str, str]:
        """Return the text form of each prior."""
        return {name: str(prior) for name, prior in self.entries}


def _for(name: str, prior: Prior) -> Prior:
    """Check that the prior of a standard deviation stays above zero."""
    if name == MU or not name.startswith(TAU):
        return prior
    if prior.family == "Flat":  # for a standard deviation, flat means flat above zero
        return Prior("HalfFlat", (), prior.why)
    if prior.support[0] < 0:
        raise PriorError(
            f"prior for {name}: {prior} allows negative values, but {name} is a standard deviation; "
            f"use a Half… family or a lower bound of 0"
        )
    return prior


def _read_call(text: str) -> tuple[str, list[tuple[str | None, float]]]:
    """Read ``Name(a=1, b=-2)`` into its name and numbers without evaluating anything."""
    if len(text) > 500:
        raise PriorError(f"prior text of {len(text)} characters is too long; expected Family(name=number)")
    form = f"prior {text!r}: expected a form such as HalfNormal(sigma=1)"
    try:
        call = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise PriorError(form) from None
    if isinstance(call, ast.Name):
        return call.id, []
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
        raise PriorError(form)
    pairs: list[tuple[str | None, ast.expr]] = [(None, node) for node in call.args]
    pairs += [(keyword.arg, keyword.value) for keyword in call.keywords]
    if any(isinstance(node, ast.Starred) for _, node in pairs) or any(k.arg is None for k in call.keywords):
        raise PriorError(form)
    return call.func.id, [(name, _number(node, text)) for name, node in pairs]


def _number(node: ast.expr, text: str) -> float:
    sign = 1.0
    while isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        sign = -sign if isinstance(node.op, ast.USub) else sign
        node = node.operand
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        try:
            value = sign * float(node.value)  # pyright: ignore[reportArgumentType]
        except OverflowError:
            value = np.inf
        if np.isfinite(value):
            return value
    raise PriorError(f"prior {text!r}: parameters must be finite numbers")


def _shortest(value: float) -> str:
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def _nearest(word: str, known: Mapping[str, Any]) -> str:
    if not known:
        return "it takes no parameters"
    lowered = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), list(lowered), n=1, cutoff=0.5)
    if close:
        return f"did you mean {lowered[close[0]]}?"
    return "expected one of " + ", ".join(known)
