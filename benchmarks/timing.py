"""How work is timed."""

import time
from collections.abc import Callable


def best_of(work: Callable[[], object], runs: int = 5) -> float:
    """Shortest wall time of `work` over `runs`, after one run that is not counted."""
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
