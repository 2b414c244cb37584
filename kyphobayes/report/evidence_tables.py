"""What entered an analysis, what did not and why, and what was printed about latent counts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from scipy import special

from kyphobayes.evidence import Contrasts, Counts, Rates
from kyphobayes.names import PROB
from kyphobayes.report.tables import Column, Table, exactly, text, there
from kyphobayes.report.values import label_of, study_rates
from kyphobayes.report.words import NONE, percents, significant, span, value, values, whole
from kyphobayes.run import Result

_METHODS = {"DL": "DerSimonian–Laird", "REML": "REML", "PR": "raw proportions", "PLO": "log odds"}


def evidence(result: Result, sources: Mapping[str, int]) -> Table:
    """Studies that entered, with what they saw, described and with sources."""
    seen, columns, note = _seen(result)
    rows = _described(result.evidence.rows, result.evidence.labels)
    frame = pd.concat([rows.drop(columns=[k for k in seen if k in rows]), seen], axis=1)
    described: list[Column] = []
    if any(key in frame for key in ("population", "design", "detection")):
        described.append(Column("Population, design, detection", _kind))
    if "status" in frame or "latent" in frame:
        described.append(Column("Count is" if "latent" in frame else "Estimate is", _status))
    if "locator" in frame or "citation" in frame:
        described.append(Column("Source, place", lambda r: located(r, sources)))
    if "note" in frame:
        described.append(Column("Note", exactly("note")))
    columns = (Column("Study", exactly("label")), *columns, *described)
    return Table("evidence", "Evidence that entered", frame, columns, note)


def _seen(result: Result) -> tuple[pd.DataFrame, list[Column], str]:
    """What each study saw: numbers for the CSV file, columns for the page, a note."""
    found, scale = result.evidence, result.scale
    observed = Column(f"Observed {scale.name}", lambda r: values(r["raw_from"], r["raw_to"], scale), True)
    star = "* Not printed: range over all tables that agree with what is printed."

    def events(row: Any) -> str:
        return span((row["least"], row["most"])) + ("*" if row["latent"] else "")

    if isinstance(found, Counts):
        rates = study_rates(result).reset_index(drop=True)
        keys = ["least", "most", "n", "latent", "raw_from", "raw_to", "raw_low", "raw_high"]
        unit = result.analysis.unit
        columns = [
            Column("Events", events, True),
            Column(unit[:1].upper() + unit[1:], lambda r: whole(r["n"]), True),
            Column("Observed rate", lambda r: percents(r["raw_from"], r["raw_to"]), True),
        ]
        return rates[keys], columns, star if rates["latent"].any() else ""
    if isinstance(found, Rates):
        least, most = found.tables.min(axis=0), found.tables.max(axis=0)
        frame = pd.DataFrame(
            {
                "least": least, "most": most, "exposure": found.exposure, "latent": np.isnan(found.events),
                "raw_from": found.per * least / found.exposure,
                "raw_to": found.per * most / found.exposure,
            }
        )  # fmt: skip
        unit = found.unit or "time at risk"
        columns = [
            Column("Events", events, True),
            Column(unit[:1].upper() + unit[1:], lambda r: significant(r["exposure"]), True),
            observed,
        ]
        return frame, columns, star if frame["latent"].any() else ""
    assert isinstance(found, Contrasts)
    z = float(special.ndtri((1 + PROB) / 2))
    frame = pd.DataFrame(
        {
            "y": found.y, "se": found.se, "raw": scale.natural(found.y),
            "raw_low": scale.natural(found.y - z * found.se),
            "raw_high": scale.natural(found.y + z * found.se),
        }
    )  # fmt: skip

    def interval(row: Any) -> str:
        return f"{value(row['raw'], scale)} ({values(row['raw_low'], row['raw_high'], scale)})"

    columns = [
        Column(f"Observed {scale.name} (95 % interval)", interval, True),
        Column(
            f"Standard error{' of the logarithm' if scale.logarithmic else ''}",
            lambda r: significant(r["se"]),
            True,
        ),
    ]
    return frame, columns, ""


def excluded(result: Result, sources: Mapping[str, int]) -> Table:
    """Rows of the outcome's table that did not enter, and why."""
    frame = result.evidence.excluded
    shown = {
        "arm": Column("Treatment", text("arm")),
        "events": Column("Events", lambda r: whole(r["events"]), True),
        "n": Column("n", lambda r: whole(r["n"]), True),
        "time": Column("Time", lambda r: significant(r["time"]), True),
        "y": Column("Estimate", lambda r: significant(r["y"]), True),
        "unit": Column("Counted in", text("unit")),
        "citation": Column("Source, place", lambda r: located(r, sources)),
        "note": Column("Note", exactly("note")),
    }
    columns = (
        Column("Study", exactly("label")),
        Column("Why not", exactly("reason")),
        *(column for key, column in shown.items() if key in frame),
    )
    return Table("not-in-this-analysis", "Not in this analysis, and why", frame, columns)


def _status(row: Any) -> str:
    status = str(row["status"]) if there(row, "status") else "latent" if row.get("latent") else "as given"
    return f"{status}: {row['rule']}" if status == "derived" and there(row, "rule") else status


def _kind(row: Any) -> str:
    parts = [
        str(row[key]).replace("_", " ") for key in ("population", "design", "detection") if there(row, key)
    ]
    return "; ".join(parts) or NONE


def _described(rows: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    rows = rows.reset_index(drop=True)
    return rows if "label" in rows else rows.assign(label=list(labels))


def located(row: Any, sources: Mapping[str, int]) -> str:
    """Number of a source in the list at the end, and the place in it."""
    number = sources.get(str(row.get("citation", "")))
    place = str(row["locator"]) if there(row, "locator") else ""
    if not number:
        return place or NONE
    return Markup('<a href="#source-{0}">[{0}]</a> {1}').format(number, place)


def trail(result: Result) -> Table | None:
    """What the paper prints, in the order in which it narrowed the tables."""
    found = result.evidence
    source = found.latent_source if isinstance(found, Counts) else None
    if source is None or not isinstance(found, Counts):
        return None

    def concerned(studies: Sequence[str]) -> str:
        if len(studies) == len(source.studies):
            return f"all {len(studies)}"
        return ", ".join(label_of(found, study) for study in studies)

    rows = [
        {
            "words": printed.words, "locator": printed.locator, "quantity": printed.quantity,
            "low": printed.low, "high": printed.high, "studies": concerned(printed.studies),
            "tables_left": left, "estimated": place in source.estimated,
        }
        for place, (printed, left) in enumerate(source.trail)
    ]  # fmt: skip
    columns = (
        Column("The paper prints", lambda r: f"“{r['words']}”"),
        Column("Where", exactly("locator")),
        Column("About", exactly("studies")),
        Column("Tables left", lambda r: f"{'about ' * r['estimated']}{whole(r['tables_left'])}", True),
    )
    note = (
        f"Method that was assumed: {_METHODS.get(source.constraints.pooling, source.constraints.pooling)} on "
        f"{_METHODS.get(source.constraints.measure, source.constraints.measure)}, "
        f"{source.constraints.zero_cells:g} added where a study has no events. {source.constraints.why}"
    )
    frame = pd.DataFrame(rows)
    return Table("latent-trail", "What is printed, in the order in which it was used", frame, columns, note)
