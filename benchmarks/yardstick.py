"""A fixed piece of work, by which seconds of one machine become ratios that hold on another."""

import ast

import numpy as np
from scipy import special

ROUNDS = 40


def yardstick() -> float:
    """Some of everything that a report is made of: arrays, special functions, syntax trees, plain Python."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(300, 300)) / 20
    source = "\n".join(f"def f{i}(x, y={i}):\n    return [x * k + y for k in range(y)]" for i in range(300))
    total = 0.0
    for _ in range(ROUNDS):
        total += float(special.ndtr(matrix @ matrix).sum() + special.gammaln(matrix**2 + 1).sum())
        total += float(np.sort(matrix, axis=None)[1000])
        total += sum(1 for _ in ast.walk(ast.parse(source)))
        counted: dict[str, int] = {}
        for i in range(20_000):
            key = str(i % 97)
            counted[key] = counted.get(key, 0) + i
        total += len(counted)
    return total
