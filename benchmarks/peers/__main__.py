"""Write the numbers of docs/comparison.md: python -m benchmarks.peers [folder]."""

import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.peers import ours, reference
from benchmarks.peers.sets import REFERENCE, normals, shares
from kyphobayes.files import write
from kyphobayes.report.csv_tables import to_csv

HERE = Path(__file__).parent
QUANTITIES = ("mu", "tau", "theta_new")
FIELDS = ("mean", "sd", "median", "low", "high")


def in_r(script: str, sets: dict[str, Any]) -> dict[str, Any]:
    """Give the studies to an R script and read what it says."""
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "sets.json"
        given.write_text(json.dumps(sets), encoding="utf-8")
        ran = subprocess.run(
            ["Rscript", "--vanilla", str(HERE / script), str(given)],
            capture_output=True,
            text=True,
            check=False,
        )
    if ran.returncode:
        sys.exit(f"{script}: {ran.stderr}")
    return json.loads(ran.stdout[ran.stdout.index("{") :])


def main(folder: Path) -> None:
    """Run everything once and write three tables."""
    kinds = {"normals": normals(), "shares": shares()}
    sets = {kind: {name: asdict(given) for name, given in some.items()} for kind, some in kinds.items()}
    metafor, brms = in_r("metafor.R", sets), in_r("brms.R", sets)
    metafor_name = f"metafor {metafor['versions']['metafor']}"
    brms_name = f"brms {brms['versions']['brms']}, rstan {brms['versions']['rstan']}"
    bayesmeta = json.loads((REFERENCE / "bayesmeta.json").read_text("utf-8"))

    numbers: list[dict[str, Any]] = []
    times: list[dict[str, Any]] = []
    for name, given in (kinds["normals"] | kinds["shares"]).items():
        exactly, whole, another = ours.bayesian(given)
        classical = ours.frequentist(given)
        quick = ours.seconds(partial(ours.frequentist, given))
        for quantity in QUANTITIES:
            numbers.append({"studies": name, "package": "kyphobayes, exact", "quantity": quantity}
                           | dict(exactly.loc[quantity, list(FIELDS)]))  # fmt: skip
            numbers.append({"studies": name, "package": brms_name, "quantity": quantity}
                           | {field: brms["found"][name][quantity][field] for field in FIELDS})  # fmt: skip
            if name in kinds["normals"]:
                theirs = bayesmeta[kinds["normals"][name].case][quantity]
                numbers.append({"studies": name, "package": "bayesmeta 3.4, kept", "quantity": quantity}
                               | {field: theirs[field] for field in FIELDS})  # fmt: skip
        for package, said in (("kyphobayes, frequentist", classical), (metafor_name, metafor["found"][name])):
            numbers += [
                dict(studies=name, package=package, quantity="mu", mean=said["mu"], sd=said["se"],
                     low=said["low"], high=said["high"]),
                dict(studies=name, package=package, quantity="tau", mean=said["tau"]),
                dict(studies=name, package=package, quantity="theta_new",
                     low=said["next_low"], high=said["next_high"]),
            ]  # fmt: skip
        first, again, effective = ours.by_nuts(given)
        stan = brms["found"][name]
        r_time = metafor["found"][name]["seconds"]
        for work, package, seconds, beside, draws in (
            ("posterior", "kyphobayes, exact", whole, whole, None),
            ("posterior under one more prior", "kyphobayes, exact", another, whole, None),
            ("posterior, compiled anew", "kyphobayes, NUTS with its gate", first, whole, effective),
            ("posterior", "kyphobayes, NUTS with its gate", again, whole, effective),
            ("compilation", brms_name, stan["compile"], whole, None),
            ("posterior", brms_name, stan["seconds"], whole, stan["ess"]),
            ("frequentist", "kyphobayes, frequentist", quick, quick, None),
            ("frequentist", metafor_name, r_time, quick, None),
        ):
            ratio = seconds / beside
            times.append(dict(studies=name, work=work, package=package, seconds=seconds, ratio=ratio,
                              effective_draws=draws))  # fmt: skip
    write(folder / "numbers.csv", to_csv(rounded(pd.DataFrame(numbers), 5)))
    write(folder / "times.csv", to_csv(rounded(pd.DataFrame(times), 3)))
    apart = pd.concat([reference.of_bayesmeta(), reference.of_metafor()])
    write(folder / "reference.csv", to_csv(rounded(apart, 2)))


def rounded(table: pd.DataFrame, digits: int) -> pd.DataFrame:
    """Round numbers to so many significant digits."""
    table = table.copy()
    for column in table.select_dtypes("float").columns:
        table[column] = [float(f"{value:.{digits}g}") for value in table[column]]
    return table


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
