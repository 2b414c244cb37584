"""Published study tables, and the line that a paper would print of each."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kyphobayes.effects import effect_size
from kyphobayes.frequentist import pool

Array = NDArray[np.float64]
REFERENCE = Path(__file__).resolve().parents[2] / "tests" / "reference"
_TWO_GROUPS = ("OR", "RR", "RD")
_ONE_GROUP = ("PR", "PLO", "PAS", "PFT")
_CASES = {  # of published_cases.json: what its columns are; stijnen2010 has the counts of nielweise2007
    "linde2005_RR_DL_PI_metareg": ("linde2005", ("ai", "n1i", "ci", "n2i")),
    "henmi_copas_lee2004": ("lee2004", ("ai", "n1i", "ci", "n2i")),
    "crins2014_halfnormal05": ("crins2014", ("ai", "n1i", "ci", "n2i")),
    "debruin2009_GLMM_links": ("debruin2009", ("xi", "ni")),
    "baeten2013_MAP_ESS_normal": ("baeten2013", ("r", "n")),
    "viechtbauer2005_ex1": ("viechtbauer2005", ("yi", "vi")),
    "kacker2004_PM_DL_HKSJ": ("kacker2004", ("yi", "vi")),
    "sbp_pimeta_HTS": ("sbp", ("y", "se")),
    "schools_halfcauchy25": ("rubin1981", ("y", "se")),
    "robma_poulsen2006_BMA": ("poulsen2006", ("d", "se")),
    "metabma_power_pose": ("power_pose", ("d", "se")),
    "konstantopoulos2011_three_level": ("konstantopoulos2011", ("yi", "vi")),
}


@dataclass(frozen=True, eq=False)
class Published:
    """A study table.

    Attributes
    ----------
    source : str
        The data set.
    measure : str
        Code of the effect measure; empty where only effects are known.
    y, v : ndarray, shape (k,)
    n : ndarray, shape (k,) or (k, 2), or None
        Sizes (or times at risk) of the studies or of their two groups.
    whole : bool
        Whether it is the whole table and not a subset.
    """

    source: str
    measure: str
    y: Array
    v: Array
    n: Array | None
    whole: bool = True

    @property
    def name(self) -> str:
        """Data set and measure."""
        return f"{self.source}:{self.measure}" if self.measure else self.source

    @property
    def log_variances(self) -> dict[bool, float]:
        """Standard deviation of log v without (False) and, where they are known, with the sizes (True)."""
        found = {False: float(np.log(self.v).std(ddof=1))}
        if self.n is not None:
            relative = self.relative
            found[True] = float(np.log(self.v / relative).std(ddof=1))
        return found

    @property
    def relative(self) -> Array:
        """Variances as the sizes alone would have them."""
        assert self.n is not None
        return 1 / self.n if self.n.ndim == 1 else (1 / self.n).sum(axis=1)

    def take(self, index: NDArray[np.intp]) -> "Published":
        """Some of the studies."""
        n = None if self.n is None else self.n[index]
        return Published(self.source, self.measure, self.y[index], self.v[index], n, whole=False)


@dataclass(frozen=True)
class Line:
    """What would be printed."""

    estimate: str
    ci: tuple[str, str]
    i2: str


def printed(table: Published) -> Line:
    """The line of DerSimonian and Laird: two decimals, or as many as give half the interval two digits."""
    found = pool(table.y, table.v, method="DL", test="z")
    half = (found.ci_high - found.ci_low) / 2
    digits = max(2, 1 - math.floor(math.log10(half)))
    ci = (f"{found.ci_low:.{digits}f}", f"{found.ci_high:.{digits}f}")
    return Line(f"{found.mu:.{digits}f}", ci, f"{found.i2:.0f}")


def published() -> list[Published]:
    """Every table, in a fixed order."""
    return sorted(_all(), key=lambda table: table.name)


def _all() -> Iterator[Published]:
    sets = json.loads((REFERENCE / "metafor.json").read_text(encoding="utf-8"))
    seen: set[tuple[str, str]] = set()
    for key, entry in sets.items():
        source = key.partition(":")[0].removeprefix("dat.")
        if source.startswith("synthetic"):
            continue
        raw = {name: np.array(values, dtype=float) for name, values in entry.get("raw", {}).items()}
        if not raw:
            yield Published(source, "", np.array(entry["yi"]), np.array(entry["vi"]), None)
            continue
        for measure in _measures(raw, key.partition(":")[2]):
            if (source, measure) not in seen:
                seen.add((source, measure))
                yield _table(source, measure, raw)
    cases = json.loads((REFERENCE / "published_cases.json").read_text(encoding="utf-8"))
    for case in cases:
        if case["name"] in _CASES:
            source, columns = _CASES[case["name"]]
            yield from _case(source, columns, case["data"])
        elif case["name"] == "morris2008_prepost_SMCR_SMCC":
            yield from _before_and_after(case["data"])


def _case(source: str, columns: tuple[str, ...], data: dict[str, Any]) -> Iterator[Published]:
    values = [np.array(data[name], dtype=float) for name in columns]
    if columns[-1] in ("vi", "se"):
        v = values[1] if columns[-1] == "vi" else values[1] ** 2
        yield Published(source, "", values[0], v, None)
        return
    names = ("events", "n") if len(columns) == 2 else ("events_1", "n_1", "events_2", "n_2")
    raw: dict[str, Array] = dict(zip(names, values, strict=True))
    for measure in _measures(raw, ""):
        yield _table(source, measure, raw)


def _before_and_after(data: dict[str, dict[str, list[float]]]) -> Iterator[Published]:
    names = {"m_pre": "mean_pre", "m_post": "mean_post"}
    for arm, columns in data.items():
        raw: dict[str, Array] = {
            names.get(name, name): np.array(values, dtype=float) for name, values in columns.items()
        }
        for measure in ("SMCC", "SMCR"):
            yield _table(f"morris2008 {arm}", measure, raw)


def _measures(raw: dict[str, Array], own: str) -> tuple[str, ...]:
    if {"events_1", "n_1"} <= set(raw):
        return _TWO_GROUPS
    if {"events", "n"} <= set(raw):
        return _ONE_GROUP
    return (own,)


def _table(source: str, measure: str, raw: dict[str, Array]) -> Published:
    columns = {name: values for name, values in raw.items() if name not in ("yi", "vi")}
    sizes = effect_size(measure, columns)
    suffix = "time" if "time" in raw or "time_1" in raw else "n"
    n = raw[suffix] if suffix in raw else np.stack([raw[f"{suffix}_1"], raw[f"{suffix}_2"]], axis=1)
    return Published(source, measure, sizes.y, sizes.v, n)
