"""What a test of printed numbers answers."""

from dataclasses import dataclass
from typing import Final

CONSISTENT: Final = "consistent"
INCONSISTENT: Final = "inconsistent"
SUSPECT: Final = "suspect"  # possible, but not what is usually seen


@dataclass(frozen=True)
class Tested:
    """Answer of one test.

    Attributes
    ----------
    test : str
        Its name.
    verdict : {"consistent", "inconsistent", "suspect"}
        Inconsistent: the printed numbers cannot hold together. Suspect: they can, but something else
        is more likely.
    arithmetic : str
        The sum that shows it.
    """

    test: str
    verdict: str
    arithmetic: str

    @property
    def passed(self) -> bool:
        """Whether the printed numbers can hold together."""
        return self.verdict != INCONSISTENT


def answer(test: str, holds: bool, arithmetic: str) -> Tested:
    """Tested, consistent or not."""
    return Tested(test, CONSISTENT if holds else INCONSISTENT, arithmetic)
