"""What can go wrong that the user can mend.

Every message says what was expected, what was found, where, and what to do.
The command line prints it as one sentence and leaves with exit code 2.
"""

import re

_LONGEST = 1600  # characters of a message; what it quotes may be a whole file
_KEPT_END = 400  # of them at the end, where the advice is
# Control characters, and marks that turn the direction of what follows: a terminal would obey them.
_OBEYED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class KyphobayesError(Exception):
    """Base of every error that is the user's to mend: one line, whatever the file says that it quotes."""

    def __str__(self) -> str:
        return _on_one_line(super().__str__())


def _on_one_line(text: str) -> str:
    """Break no line, obey no control character, and cut the middle out of what nobody would read."""
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST - _KEPT_END]} … {text[-_KEPT_END:]}"
    return _OBEYED.sub(lambda found: " " if found[0].isspace() else ascii(found[0])[1:-1], text)


class InputError(KyphobayesError, ValueError):
    """An argument or a cell has a value that cannot be used."""


class EvidenceError(InputError):
    """A table, a plan or a constraints file does not say what it must."""


class PriorError(InputError):
    """A prior cannot be read, or has parameters outside their range."""


class ImproperPosterior(KyphobayesError):
    """The data and the priors together do not determine a proper posterior."""


class NotConverged(KyphobayesError):
    """A sampler did not pass its convergence gate; its draws are not a result."""
