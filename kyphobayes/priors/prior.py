"""A prior as an immutable value: PyMC's names and parameters, read from text, never evaluated.

>>> prior = Prior.parse("HalfNormal(sigma=0.5)")
>>> str(prior)
'HalfNormal(sigma=0.5)'
>>> round(float(prior.quantile(0.5)), 4)
0.3372
"""

from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from kyphobayes import html
from kyphobayes.errors import PriorError
from kyphobayes.families import FAMILIES, NUMBER_FAMILIES, WRAPPERS, Array, Law
from kyphobayes.names import PROB
from kyphobayes.priors.rules import check
from kyphobayes.priors.text import Parameters, read, shortest


@dataclass(frozen=True)
class Prior:
    """A prior for one parameter.

    Attributes
    ----------
    family : str
        PyMC's name, such as ``HalfNormal``, or one of ours (see `kyphobayes.families`).
    parameters : tuple of (str, value)
        In order, defaults filled in. A value is a number; of a wrapper, also a prior or a tuple of
        weights or of priors; of a prior that the studies define, their standard errors once bound.
    why : str
        The reason for it, in a sentence. It plays no part in equality.
    """

    family: str
    parameters: Parameters
    why: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        check(self)

    @classmethod
    def parse(cls, text: "str | Prior", *, why: str = "") -> Self:
        """Read a prior from text such as ``StudentT(nu=4, mu=0, sigma=2.5)``.

        Parameters
        ----------
        text : str or Prior
            A call of a known family with numbers, of ``Truncated(prior, lower=, upper=)``, of
            ``Tau2(prior)`` for a prior of the square, or of ``Mixture(0.8*prior + 0.2*prior)``; a
            `Prior` is handed through.

        Raises
        ------
        PriorError
            If it is not a call of a known family with known, finite, numeric parameters. The
            message names the nearest right word.
        """
        if isinstance(text, cls):
            return text
        prior = cls._of(*read(str(text)))
        return replace(prior, why=why) if why else prior

    @classmethod
    def _of(cls, family: str, parameters: Parameters) -> Self:
        """Make what was read, and the priors inside it."""
        if family not in WRAPPERS:
            return cls(family, parameters)
        made = []
        for name, value in parameters:
            if name == "dist":
                value = cls._of(*value)
            elif name == "components":
                value = tuple(cls._of(*component) for component in value)
            made.append((name, value))
        return cls(family, tuple(made))

    def _repr_html_(self) -> str:
        if self.unbound:
            return html.block(html.line(self, strong=True), html.line(self.why) if self.why else "")
        return html.block(
            html.line(self, strong=True), self.sketch(), html.line(self.why) if self.why else ""
        )

    def sketch(self) -> html.Svg:
        """Draw a small picture of its density, for notebooks; none of an improper prior."""
        if not self.proper or self.unbound:
            return html.Svg("")
        low, middle, high = (float(q) for q in self.quantile([(1 - PROB) / 2, 0.5, (1 + PROB) / 2]))
        first, quarter, third, last = (float(q) for q in self.quantile([0.01, 0.25, 0.75, 0.99]))
        reach = 4 * (third - quarter)  # of a heavy tail, only the beginning can be seen
        x = np.linspace(max(first, quarter - reach), min(last, third + reach), 121)
        said = f"Density of {self}: median {middle:.3g}, {100 * PROB:g} % interval {low:.3g} to {high:.3g}"
        heights = np.exp(self.log_density(x))
        return html.sketch(x.tolist(), heights.tolist(), low=low, middle=middle, high=high, label=said)

    def __str__(self) -> str:
        if self.family == "Mixture":
            weights, components = (value for _, value in self.parameters)
            terms = (f"{shortest(w)}*{c}" for w, c in zip(weights, components, strict=True))
            return f"Mixture({' + '.join(terms)})"
        if FAMILIES[self.family].from_studies:
            return f"{self.family}()"
        shown = ((name, value) for name, value in self.parameters if value not in (-np.inf, np.inf))
        texts = (str(value) if name == "dist" else f"{name}={shortest(value)}" for name, value in shown)
        return f"{self.family}({', '.join(texts)})"

    # -- the studies that some priors depend on --------------------------------------------------

    @property
    def unbound(self) -> bool:
        """Whether it still waits for the standard errors of the studies: see `for_studies`."""
        if self.family in NUMBER_FAMILIES:
            return False
        if FAMILIES[self.family].from_studies:
            return not self.parameters
        return any(inner.unbound for inner in self.inside)

    def for_studies(self, se: ArrayLike) -> Self:
        """Bind a prior such as ``Jeffreys()`` to the studies; any other prior is returned as it is.

        Parameters
        ----------
        se : array_like, shape (k,)
            Standard errors of the studies, in the unit of tau. For counts, those of the log odds
            (or log rates) with 0.5 added to each cell.

        Raises
        ------
        PriorError
            If a standard error is not a finite number above 0, or there are too few.
        """
        if FAMILIES[self.family].from_studies:
            return replace(self, parameters=(("se", _standard_errors(self, se)),))
        if self.family in NUMBER_FAMILIES:
            return self
        bound = tuple(
            (name, value.for_studies(se) if isinstance(value, Prior) else _each_for_studies(value, se))
            for name, value in self.parameters
        )
        return replace(self, parameters=bound)

    @property
    def inside(self) -> "list[Prior]":
        """Priors that it is made of; none but for a wrapper."""
        values = (value if isinstance(value, tuple) else (value,) for _, value in self.parameters)
        return [inner for several in values for inner in several if isinstance(inner, Prior)]

    # -- numbers ---------------------------------------------------------------------------------

    @property
    def law(self) -> Law:
        """Its family with its parameters: densities and probabilities without checks."""
        return Law(FAMILIES[self.family], {name: _as_law(value) for name, value in self.parameters})

    @property
    def support(self) -> tuple[float, float]:
        """Lowest and highest value it allows."""
        low, high = self.law.support
        return float(low), float(high)

    @property
    def proper(self) -> bool:
        """Whether it integrates to one."""
        return bool(self.law.proper)

    def log_density(self, x: ArrayLike) -> Array:
        """Log density at `x`; minus infinity outside the support.

        An improper prior has the constant of its definition: 1 for a flat one.

        Raises
        ------
        PriorError
            If it waits for the studies' standard errors, as all functions below do.
        """
        self._require_studies()
        return self.law.log_density(x)

    def cdf(self, x: ArrayLike) -> Array:
        """Probability of a value up to `x`.

        Raises
        ------
        PriorError
            If it is improper.
        """
        self._require_proper("probabilities")
        return self.law.cdf(x)

    def survival(self, x: ArrayLike) -> Array:
        """Probability of a value above `x`, with all digits where it is tiny.

        Raises
        ------
        PriorError
            If it is improper.
        """
        self._require_proper("probabilities")
        return self.law.survival(x)

    def quantile(self, q: ArrayLike) -> Array:
        """Value below which a share `q` of its mass lies.

        Raises
        ------
        PriorError
            If it is improper, or `q` does not lie between 0 and 1.
        """
        self._require_proper("quantiles")
        q = np.asarray(q, dtype=float)
        if not ((q >= 0) & (q <= 1)).all():
            raise PriorError(f"{self}: quantiles are of probabilities from 0 to 1, found {q}")
        return self.law.quantile(q)

    def draw(self, size: int, rng: np.random.Generator) -> Array:
        """Draw `size` values by inverting the distribution function."""
        return self.quantile(rng.uniform(size=size))

    def to_pymc(self, name: str, **kwargs: Any) -> Any:
        """Make it a variable `name` of the PyMC model in context."""
        from kyphobayes.priors.in_pymc import declare

        self._require_studies()
        return declare(self, name, **kwargs)

    def _require_studies(self) -> None:
        if self.family not in NUMBER_FAMILIES and self.unbound:
            raise PriorError(
                f"{self} is defined by the standard errors of the studies; bind it with for_studies(se)"
            )

    def _require_proper(self, what: str) -> None:
        if not self.proper:
            raise PriorError(f"{self} is improper and has no {what}")
        self._require_studies()


def _as_law(value: Any) -> Any:
    if isinstance(value, Prior):
        return value.law
    if isinstance(value, tuple) and isinstance(value[0], Prior):
        return tuple(inner.law for inner in value)
    return value


def _each_for_studies(value: Any, se: ArrayLike) -> Any:
    if isinstance(value, tuple) and isinstance(value[0], Prior):
        return tuple(inner.for_studies(se) for inner in value)
    return value


def _standard_errors(prior: Prior, se: ArrayLike) -> tuple[float, ...]:
    try:
        errors = np.atleast_1d(np.asarray(se, dtype=float))
    except (TypeError, ValueError):
        raise PriorError(f"{prior}: expected standard errors, found {se!r}") from None
    good = np.isfinite(errors) & (errors > 0)
    if errors.ndim != 1 or not len(errors):
        raise PriorError(f"{prior}: expected one standard error per study, found shape {errors.shape}")
    if not good.all():
        study = int(np.argmin(good))
        raise PriorError(f"{prior}: se[{study}]: expected a number greater than 0, found {errors[study]:g}")
    if prior.family == "UniformI2" and len(errors) < 2:
        raise PriorError(f"{prior}: the typical variance needs at least 2 studies; use UniformShrinkage()")
    return tuple(errors.tolist())
