"""Rules about counts that are not printed: what all tables say that agree with everything else."""

from dataclasses import replace

import numpy as np

from kyphobayes.audit.rounding import decimals, plain
from kyphobayes.audit.rules.found import Case, Found
from kyphobayes.effects import effect_size
from kyphobayes.errors import EvidenceError
from kyphobayes.frequentist import pool_many
from kyphobayes.reconstruct import Constraints, CountTables, Printed, reconstruct

_POOLING = {"DL": "DerSimonian–Laird", "REML": "REML", "CE": "common effect"}
_MEASURES = {"PR": "raw proportions", "PLO": "log odds", "PFT": "Freeman–Tukey", "PAS": "arcsines"}


def crude(case: Case) -> Found:
    """Events over n of the studies, in every table that agrees with what is printed."""
    tables = _reconstructed(case, _constraints(case))
    columns = _columns(case, tables)
    events, n = tables.events[:, columns].sum(axis=1), tables.n[columns].sum()
    least, most = int(events.min()), int(events.max())
    shown = f"{least}" if least == most else f"{least} to {most}"
    value = 100 * float(events.mean()) / float(n)
    words = f"{shown} of {plain(n)} = {decimals(100 * least / n, 2)}"
    words += " %" if least == most else f" to {decimals(100 * most / n, 2)} %"
    return Found(value=value, arithmetic=f"{words} in each of {len(tables)} tables of counts")


def pooled(case: Case) -> Found:
    """Pooled proportion or I-squared over all tables that agree with what is printed."""
    constraints = _constraints(case)
    tables = _reconstructed(case, constraints)
    mu, i2 = _pool(case, constraints, tables)
    values = 100 * mu if case.get("quantity", "pooled") == "pooled" else i2
    digits = 2
    ends = [decimals(x, digits) for x in (values.min(), values.max())]
    shown = ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
    words = (
        f"{shown} % over the {len(tables)} tables of counts that agree with it and with all else that is "
        f"printed ({constraints.measure}, {constraints.pooling}, +{constraints.zero_cells:g})"
    )
    return Found(
        value=float(np.median(values)), arithmetic=words, shown=f"{shown} %", reading=_method(constraints)
    )


def together(case: Case) -> Found:
    """Ask whether a figure that the constraints leave out can hold together with the others."""
    constraints = _constraints(case)
    extra = _left_out(case, constraints)
    known = _count(case, replace(constraints, printed=(*constraints.printed, extra)))
    words = f"{_tables(known)} {extra.words!r} beside all the other figures"
    freed = []
    for i, printed in enumerate(constraints.printed):
        if printed.quantity == "events":
            continue
        rest = (*constraints.printed[:i], *constraints.printed[i + 1 :], extra)
        number = _count(case, replace(constraints, printed=rest))
        freed.append(f"{_tables(number)} it without {printed.words!r}")
    words += f" ({_method(constraints)}); " + ", ".join(freed)
    return Found(holds=known > 0, arithmetic=words, shown="possible" if known else "no table of counts")


def _tables(number: int) -> str:
    return {0: "no table of counts gives", 1: "1 table gives"}.get(number, f"{number} tables give")


def _left_out(case: Case, constraints: Constraints) -> Printed:
    studies = case.get("left_out")
    for printed in (*constraints.left_out, *constraints.printed):
        if list(printed.studies) == list(studies) and printed.quantity == "pooled":
            return printed
    raise EvidenceError(f"{case.where}: the constraints file has no figure for {', '.join(studies)}")


def _count(case: Case, constraints: Constraints) -> int:
    try:
        return len(_reconstructed(case, constraints))
    except EvidenceError as problem:
        if "no table of counts agrees" in str(problem):
            return 0
        raise


def _constraints(case: Case) -> Constraints:
    return Constraints.read(case.project.data / "constraints" / f"{case.get('file')}.toml")


def _reconstructed(case: Case, constraints: Constraints) -> CountTables:
    table = case.table(f"outcomes/{constraints.outcome}.csv")
    rows = table[
        table["study_id"].isin(constraints.studies)
        & (table["arm"] == constraints.arm)
        & (table["unit"] == constraints.unit)
    ].set_index("study_id")
    n = rows["n"].dropna().to_dict()
    known = rows["events"].dropna().to_dict()
    return reconstruct(constraints, {str(k): v for k, v in n.items()}, {str(k): v for k, v in known.items()})


def _columns(case: Case, tables: CountTables) -> list[int]:
    named = case.studies() or list(tables.studies)
    if missing := [study for study in named if study not in tables.studies]:
        raise EvidenceError(f"{case.where}: {missing[0]} is not in the constraints file")
    return [tables.studies.index(study) for study in named]


def _pool(case: Case, constraints: Constraints, tables: CountTables) -> tuple[np.ndarray, np.ndarray]:
    columns = _columns(case, tables)
    sizes = effect_size(
        constraints.measure,
        {"events": tables.events[:, columns].astype(float), "n": tables.n[columns]},
        add=constraints.zero_cells,
    )
    result = pool_many(sizes.y, sizes.v, method=constraints.pooling, test="z")
    return np.asarray(result.mu), np.asarray(result.i2)


def _method(constraints: Constraints) -> str:
    how = _POOLING.get(constraints.pooling, constraints.pooling)
    words = f"{_MEASURES.get(constraints.measure, constraints.measure)} pooled by {how}"
    if constraints.zero_cells:
        words += f", {constraints.zero_cells:g} added to the cells of a study without events"
    return words
