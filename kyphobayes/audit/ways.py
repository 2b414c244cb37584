"""In how many ways whole numbers have a sum and a sum of squares, and drawing one of the ways.

Values run from 0. In place of squares the sum of x (x - 1) / 2 is followed, which is half as long a way.
"""

from collections.abc import Iterator

import numpy as np

_LARGEST = 16_000_000  # cells of the table, 128 MB


def fits_in_memory(pairs: list[tuple[int, int]], n: int, span: int) -> bool:
    """Whether the table of counts for these sums and sums of squares stays small."""
    total = max(t for t, _ in pairs)
    return (span + 1) * (n + 1) * (total + 1) * (max(_couples(*pair) for pair in pairs) + 1) <= _LARGEST


def _couples(total: int, squares: int) -> int:
    """Sum of x (x - 1) / 2."""
    return (squares - total) // 2


class Ways:
    """Counts of distributions: how many of n people have each value from 0 to `span`.

    `table[v, k, t, w]` is the number of ways in which k people with values up to v have sum t and sum of
    x (x - 1) / 2 w. Numbers above 2^53 are rounded, as in any floating point.
    """

    def __init__(self, n: int, span: int, pairs: list[tuple[int, int]]):
        total, couples = max(t for t, _ in pairs), max(_couples(*pair) for pair in pairs)
        self.n, self.span = n, span
        self.table = np.zeros((span + 1, n + 1, total + 1, couples + 1))
        self.table[0, :, 0, 0] = 1.0
        for v in range(1, span + 1):
            layer, step = self.table[v], v * (v - 1) // 2
            layer[:] = self.table[v - 1]
            if v > total or step > couples:
                continue
            for k in range(1, n + 1):
                layer[k, v:, step:] += layer[k - 1, : total + 1 - v, : couples + 1 - step]

    def count(self, total: int, squares: int) -> float:
        """How many distributions have this sum and this sum of squares."""
        if (total - squares) % 2 or squares < total:
            return 0.0
        return float(self.table[self.span, self.n, total, _couples(total, squares)])

    def draw(self, total: int, squares: int, rng: np.random.Generator) -> list[int]:
        """One of them, all with equal probability."""
        row: list[int] = []
        v, k, t, w = self.span, self.n, total, _couples(total, squares)
        while k:
            here = self.table[v, k, t, w]
            if v and rng.random() * here < self.table[v - 1, k, t, w]:
                v -= 1
                continue
            row.append(v)
            k, t, w = k - 1, t - v, w - v * (v - 1) // 2
        return row

    def all(self, total: int, squares: int) -> Iterator[list[int]]:
        """Every one of them."""
        start: tuple[list[int], int, int, int, int] = ([], self.span, self.n, total, _couples(total, squares))
        open_ = [start]
        while open_:
            row, v, k, t, w = open_.pop()
            if t < 0 or w < 0 or not self.table[v, k, t, w]:
                continue
            if k == 0 or v == 0:
                yield row + [0] * k
                continue
            open_.append((row, v - 1, k, t, w))
            open_.append(([*row, v], v, k - 1, t - v, w - v * (v - 1) // 2))
