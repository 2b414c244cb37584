"""The priors of a model, by the name of the parameter each is for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from numpy.typing import ArrayLike

from kyphobayes import html
from kyphobayes.errors import PriorError
from kyphobayes.families import FAMILIES
from kyphobayes.names import MU, TAU
from kyphobayes.priors.prior import Prior
from kyphobayes.priors.text import nearest


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

    def _repr_html_(self) -> str:
        rows = [[name, str(prior), prior.sketch(), prior.why] for name, prior in self.entries]
        return html.table(["", "prior", "density", "why"], rows, caption=f"Priors: {self.label}")

    def __getitem__(self, name: str) -> Prior:
        for known, prior in self.entries:
            if known == name:
                return prior
        raise PriorError(f"no prior for {name} in {self.label}; {nearest(name, dict(self.entries))}")

    def __contains__(self, name: object) -> bool:  # Mapping's own would raise our error
        return any(known == name for known, _ in self.entries)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def replace(self, **texts: str | Prior) -> Self:
        """Copy with some priors replaced; the label then says which."""
        unknown = set(texts) - set(self)
        if unknown:
            name = sorted(unknown)[0]
            raise PriorError(f"no parameter {name} in this model; {nearest(name, dict(self.entries))}")
        changed = {name: _for(name, Prior.parse(text)) for name, text in texts.items()}
        label = self.label + "".join(f", {name} ~ {prior}" for name, prior in changed.items())
        return type(self)(tuple((n, changed.get(n, p)) for n, p in self.entries), label)

    def for_studies(self, se: ArrayLike) -> Self:
        """Copy with priors such as ``Jeffreys()`` bound to the studies' standard errors, shape (k,)."""
        return type(self)(tuple((name, prior.for_studies(se)) for name, prior in self.entries), self.label)

    def bind(self, se: ArrayLike) -> Self:
        """Bind what still waits for the studies' standard errors, shape (k,); the rest stays as it is."""
        if not any(prior.unbound for prior in self.values()):
            return self
        bound = ((name, prior.for_studies(se) if prior.unbound else prior) for name, prior in self.entries)
        return type(self)(tuple(bound), self.label)

    def texts(self) -> dict[str, str]:
        """Return the text form of each prior."""
        return {name: str(prior) for name, prior in self.entries}


def _for(name: str, prior: Prior) -> Prior:
    """Check that a prior suits its parameter: that of a standard deviation stays above zero."""
    if name == MU or not name.startswith(TAU):
        if FAMILIES[prior.family].from_studies:
            raise PriorError(f"prior for {name}: {prior} is a prior for the standard deviation {TAU}")
        return prior
    if prior.family == "Flat":  # for a standard deviation, flat means flat above zero
        return Prior("HalfFlat", (), prior.why)
    if prior.support[0] < 0:
        raise PriorError(
            f"prior for {name}: {prior} allows negative values, but {name} is a standard deviation; "
            f"use a Half… family or a lower bound of 0"
        )
    return prior
