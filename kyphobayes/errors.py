"""What can go wrong that the user can mend.

Every message says what was expected, what was found, where, and what to do.
The command line prints it as one sentence and leaves with exit code 2.
"""


class KyphobayesError(Exception):
    """Base of every error that is the user's to mend."""


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
