"""What a row of the table is, before it is measured."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

Measure = Callable[[], float]  # one measurement, in seconds for a unit of the work


class NoPeer(Exception):
    """A peer is not here; the message says why, in a word."""


def installed(package: str) -> str:
    """Version of a Python package.

    Raises
    ------
    NoPeer
        If it is not installed.
    """
    try:
        return version(package)
    except PackageNotFoundError:
        raise NoPeer(f"{package} is not installed") from None


@dataclass(frozen=True)
class Pair:
    """Work made ready on both sides.

    Attributes
    ----------
    ours, theirs : callable
        Each makes one measurement.
    version : str
        The peer's. A ratio is compared with an earlier one only where the peer is the same.
    """

    ours: Measure
    theirs: Measure
    version: str = ""


@dataclass(frozen=True)
class Row:
    """A piece of work, and who else does it.

    Attributes
    ----------
    work, peer : str
        Together they are the row's name in ratios.csv.
    prepare : callable
        Gets both sides ready; raises `NoPeer` where the peer is missing.
    target : float, optional
        Seconds that we mean to stay under.
    repeats : tuple of two int
        How often the pair is measured: at least, and at most where the ratio is noisy.
    slow : bool
        Whether ``--quick`` leaves it out.
    process : str
        Neighbouring rows with the same word here are measured in one process, and share what it makes; every
        other row has a process of its own.
    """

    work: str
    peer: str
    prepare: Callable[[], Pair]
    target: float | None = None
    repeats: tuple[int, int] = (5, 25)
    slow: bool = False
    process: str = ""

    @property
    def name(self) -> str:
        """Work and peer."""
        return f"{self.work} / {self.peer}"
