"""The studies that all packages are given, and the priors of the Bayesian ones."""

import json
from dataclasses import dataclass
from pathlib import Path

REFERENCE = Path(__file__).resolve().parents[2] / "tests" / "reference"


@dataclass(frozen=True)
class Normals:
    """Estimates with standard errors; the priors are those of a case of ``bayesmeta.json``."""

    case: str
    y: list[float]
    se: list[float]
    mu: tuple[float, float]
    tau: float


@dataclass(frozen=True)
class Shares:
    """Counts of events; mu is normal with this mean and sd, tau half-normal with this scale."""

    events: list[int]
    n: list[int]
    mu: tuple[float, float]
    tau: float


def normals() -> dict[str, Normals]:
    """Read published studies of normal estimates, with what bayesmeta said of them."""
    known = json.loads((REFERENCE / "bayesmeta.json").read_text("utf-8"))
    found = {}
    for dataset in ("bayesmeta.crins2014:OR", "dat.bcg:OR"):
        name = f"{dataset}|halfnormal_0.5|normal"
        case = known[name]
        prior = case["mu_prior"]
        found[dataset] = Normals(name, case["yi"], case["sigma"], (prior["mean"], prior["sd"]), 0.5)
    return found


def shares() -> dict[str, Shares]:
    """Four series of cement leakage with two zeros, and the fourteen studies of Pritz 1997."""
    pritz = json.loads((REFERENCE / "metafor.json").read_text("utf-8"))["dat.pritz1997:PLO"]["raw"]
    return {
        "leaks": Shares([0, 5, 4, 0], [32, 35, 19, 22], (-2.5, 1.5), 1.0),
        "dat.pritz1997": Shares(pritz["events"], pritz["n"], (0, 2), 1.0),
    }
