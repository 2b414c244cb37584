"""SPRITE: samples of whole numbers that have a printed mean, standard deviation, n and range.

Where the scale is short, all distributions are counted by dynamic programming and drawn with equal
probability, or all listed. Where it is long, a random walk finds some, as in the paper.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kyphobayes.audit.grim import check_scale, whole_number
from kyphobayes.audit.grimmer import moments
from kyphobayes.audit.rounding import rounded
from kyphobayes.audit.ways import Ways, fits_in_memory
from kyphobayes.errors import InputError

Ints = NDArray[np.int64]
_STEPS: Final = 20_000  # of one random walk
_MOST_VALUES = 5_000_000  # numbers in all samples together


@dataclass(frozen=True)
class Sprite:
    """Reconstructed samples.

    Attributes
    ----------
    samples : ndarray, shape (m, n)
        Each row is one sample, sorted, in units of the scale. Rows differ, unless drawn with replacement.
    count : float
        How many distributions agree with what is printed; NaN where they were not counted.
    complete : bool
        Whether these are all of them.
    how : {"all", "uniform", "walk"}
        All listed; drawn with equal probability from all; found by a random walk.
    note : str
        Whether the samples are representative, in words.
    """

    samples: NDArray[np.float64]
    count: float
    complete: bool
    how: str
    note: str

    def shares(self) -> dict[float, float]:
        """Mean share of people at each value over the samples."""
        values, counts = np.unique(self.samples, return_counts=True)
        return dict(zip(values.tolist(), (counts / self.samples.size).tolist(), strict=True))


def sprite(
    mean: str | int,
    sd: str | int,
    n: int,
    low: int,
    high: int,
    *,
    items: int = 1,
    attained: bool = False,
    samples: int = 1000,
    ddof: int = 1,
    seed: int = 0,
    rounding: str = "either",
) -> Sprite:
    """Reconstruct samples of a whole-numbered scale from their printed summary.

    They can be used as pseudo-individual data: each row has the printed mean, SD, n and range, and what
    differs between rows is what the summary does not tell.

    Parameters
    ----------
    mean, sd : str or int
        As printed.
    n : int
        People, at least 2.
    low, high : int
        Ends of the scale, or the range observed.
    items : int
        Whole-numbered items that each score is the mean of.
    attained : bool
        Whether low and high were observed, so that every sample has both.
    samples : int
        How many to return at most.
    ddof : {0, 1}
    seed : int
    rounding : str
        Of `kyphobayes.audit.rounding.ROUNDINGS`.

    Returns
    -------
    Sprite

    Raises
    ------
    InputError
        If no sample agrees, or an argument cannot be used.

    Notes
    -----
    "Uniform" is over distributions (how many people have each value), as SPRITE means it, and no prior on
    how pain is distributed: a bell shape is one distribution among the others.

    References
    ----------
    Heathers, J. A., Anaya, J., van der Zee, T. and Brown, N. J. L. (2018). Recovering data from summary
    statistics: Sample Parameter Reconstruction via Iterative TEchniques (SPRITE). PeerJ Preprints
    6:e26968v1.
    """
    check_scale(low, high)
    whole_number(items, "items")
    if whole_number(samples, "samples") * whole_number(n, "n", 2) > _MOST_VALUES:
        raise InputError(f"samples: expected at most {_MOST_VALUES // n} of n = {n}, found {samples}")
    m, s = rounded(mean, rounding, "mean"), rounded(sd, rounding, "sd")
    first, last = low * items, high * items
    pairs = [
        (found.total - n * first, found.squares - 2 * first * found.total + n * first**2)
        for found in moments(m, s, n, items=items, low=low, high=high, ddof=ddof)
    ]
    span, people, fixed = last - first, n, ()
    if attained:
        pairs = [(t - span, q - span**2) for t, q in pairs if t >= span and q >= span**2]
        people, fixed = n - 2, (0, span)
    if not pairs:
        raise _none(mean, sd, n, low, high)
    turned = 2 * sum(t for t, _ in pairs) > len(pairs) * people * span
    if turned:  # counted from the nearer end, where sums are smaller
        pairs = [(people * span - t, people * span**2 - 2 * span * t + q) for t, q in pairs]
    rng = np.random.default_rng(seed)
    if fits_in_memory(pairs, people, span):
        found, count, how = _counted(pairs, people, span, samples, rng)
    else:
        found, count, how = _walked(pairs, people, span, samples, rng), math.nan, "walk"
    if not len(found):
        raise _none(mean, sd, n, low, high)
    found = span - found if turned else found
    ends = np.broadcast_to(np.array(fixed, dtype=np.int64), (len(found), len(fixed)))
    rows = np.sort(np.concatenate([found, ends], axis=1), axis=1)
    return Sprite((rows + first) / items, count, how == "all", how, _note(how, count, len(rows)))


def _none(mean: str | int, sd: str | int, n: int, low: int, high: int) -> InputError:
    return InputError(f"sprite: no {n} whole numbers from {low} to {high} have mean {mean} and SD {sd}")


def _counted(
    pairs: list[tuple[int, int]], n: int, span: int, samples: int, rng: np.random.Generator
) -> tuple[Ints, float, str]:
    """All distributions where they are few, else draws with equal probability."""
    ways = Ways(n, span, pairs)
    counts = np.array([ways.count(t, q) for t, q in pairs])
    total = float(counts.sum())
    if total == 0:
        return np.empty((0, n), dtype=np.int64), 0.0, "all"
    if total <= samples:
        rows = [row for t, q in pairs for row in ways.all(t, q)]
        return np.array(rows, dtype=np.int64).reshape(-1, n), total, "all"
    chosen = rng.choice(len(pairs), size=samples, p=counts / total)
    rows = [ways.draw(pairs[i][0], pairs[i][1], rng) for i in chosen]
    return np.array(rows, dtype=np.int64), total, "uniform"


def _walked(pairs: list[tuple[int, int]], n: int, span: int, samples: int, rng: np.random.Generator) -> Ints:
    """Different samples found by random walks from random starts."""
    found: dict[tuple[int, ...], None] = {}
    steps = _STEPS * max(1, min(samples, 20))
    for _ in range(20 * samples):
        total, squares = pairs[int(rng.integers(len(pairs)))]
        row, used = _walk(total, squares, n, span, rng, min(steps, _STEPS))
        steps -= used
        if row is not None:
            found[tuple(np.sort(row).tolist())] = None
        if len(found) >= samples or steps <= 0:
            break
    return np.array(list(found), dtype=np.int64).reshape(-1, n)


def _walk(
    total: int, squares: int, n: int, span: int, rng: np.random.Generator, most: int
) -> tuple[Ints | None, int]:
    """One walk: two people move apart where squares are missing, together where they are too many."""
    row = np.full(n, total // n, dtype=np.int64)
    row[: total % n] += 1
    now = int((row**2).sum())
    for step in range(most):
        if now == squares:
            return row, step
        i, j = rng.integers(n, size=2)
        if i == j:
            continue
        high, low = (i, j) if row[i] >= row[j] else (j, i)
        gap = int(row[high] - row[low])
        if now < squares and row[high] < span and row[low] > 0:
            change, move = 2 * gap + 2, 1
        elif now > squares and gap >= 2:
            change, move = 2 - 2 * gap, -1
        else:
            continue
        row[high] += move
        row[low] -= move
        now += change
    return None, most


def _note(how: str, count: float, drawn: int) -> str:
    if how == "all":
        return f"all {drawn} distributions that agree with what is printed"
    if how == "uniform":
        shown = f"{count:.0f}" if count < 1e6 else f"about {count:.2g}"
        return f"representative: {drawn} drawn with equal probability from {shown} distributions"
    return (
        f"{drawn} found by a random walk; it starts from values that are alike, its samples are not equally "
        "probable, and whether they are representative is not known"
    )
