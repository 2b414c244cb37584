"""All claims that decisions hang on, in one table, and what the next cases would show."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from kyphobayes.decisions import COLUMNS, NEXT
from kyphobayes.questions import Answered
from kyphobayes.report.tables import Column, Show, Table, exactly
from kyphobayes.report.words import NONE, about, probability, whole
from kyphobayes.run import Result

_SURE = 0.9999


def of_result(result: Result) -> pd.DataFrame:
    """What the main answer to a question on a pooled rate says, as `kyphobayes.decisions` would."""
    analysis, main = result.analysis, result.main
    count = next((count for count in main.next if count.n == NEXT), None)
    low, high = (np.nan, np.nan) if count is None else count.interval()
    row = (
        analysis.decision.words,
        analysis.decision.source,
        main.p_typical,
        main.p_new,
        np.nan,
        analysis.event,
        np.nan if count is None else count.mean,
        low,
        high,
    )
    return pd.DataFrame([dict(zip(COLUMNS, row, strict=True))])


def decision_table(
    results: Sequence[Result],
    slugs: Sequence[str],
    answers: Sequence[Answered],
    anchors: Sequence[str],
) -> Table | None:
    """Every claim of every question, with a link to its section; None where there is none.

    Parameters
    ----------
    results, slugs
        Pooled analyses, and the anchors of their sections.
    answers, anchors
        Other questions, and the anchors of theirs.
    """
    parts = [(slug, r.analysis.title, of_result(r)) for r, slug in zip(results, slugs, strict=True)]
    parts += [
        (anchor, a.question.title, a.decisions)
        for a, anchor in zip(answers, anchors, strict=True)
        if a.decisions is not None and len(a.decisions)
    ]
    frames = [frame.assign(question=name, title=title) for name, title, frame in parts]
    if not frames:
        return None
    frame = pd.concat(frames, ignore_index=True)[["question", "title", *COLUMNS]]
    link = Markup('{}<br><span class="q"><a href="#{}">{}</a></span>')
    columns = (
        Column("Claim", lambda r: link.format(r["claim"], r["question"], r["title"])),
        Column("Mean of a typical centre", _chance("p_mean"), True),
        Column("Mean of the next centre", _chance("p_centre"), True),
        Column("A new patient", _chance("p_patient"), True),
        Column(f"Expected in the next {NEXT} (95 %)", _expected, True),
        Column("Where the threshold comes from", exactly("source")),
    )
    note = (
        "Probabilities that the claim holds, under the main priors. A dash: the data cannot say; one series "
        f"of patients tells nothing about another centre. Expected: of the next {NEXT} cases, in a centre "
        "not yet seen (in the same where only one was), those that fulfil the claim, or for a rate those "
        "with the event."
    )
    return Table("decisions", "Claims that decisions hang on", frame, columns, note)


def _chance(key: str) -> Show:
    # Of draws, all may agree; no number of them makes it certain.
    return lambda row: probability(float(np.clip(row[key], 1 - _SURE, _SURE)))


def _expected(row: Any) -> str:
    if not np.isfinite(row["expected"]):
        return NONE
    return Markup("{} ({} to {})<br>{}").format(
        about(row["expected"]), whole(row["low"]), whole(row["high"]), row["of"]
    )
