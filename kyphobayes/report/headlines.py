"""What the first table says of answers that are not about one pooled rate: one line or two for each question.

A kind without a function here has its sentence in that table, and nothing else.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kyphobayes.names import GEN, IRLN, PLO
from kyphobayes.natural_scale import NaturalScale, natural_scale
from kyphobayes.outlying import STUDENT
from kyphobayes.questions import Answered
from kyphobayes.report.robustness import ALONE, Robustness, of_chances, of_medians

Interval = tuple[float, float, float]  # median, low, high

_NOTHING: Interval = (math.nan, math.nan, math.nan)
_NOT_COMPARED = Robustness(ALONE, "", 0, 0)
_SHARE = natural_scale(PLO)
_PLAIN = natural_scale(GEN)


@dataclass(frozen=True)
class Headline:
    """One line of the first table.

    Attributes
    ----------
    what : str
        Of which quantity.
    scale : NaturalScale
    typical, following : tuple of float
        Median, low and high, of the typical centre and of the next (or of a new patient); NaN where there
        is none.
    claim : str
    p_typical, p_next : float
        Probability of the claim.
    robustness : Robustness
    """

    what: str
    scale: NaturalScale = _PLAIN
    typical: Interval = _NOTHING
    following: Interval = _NOTHING
    claim: str = ""
    p_typical: float = math.nan
    p_next: float = math.nan
    robustness: Robustness = _NOT_COMPARED


def headlines(answered: Answered) -> tuple[Headline, ...]:
    """Give the main lines of an answer; a bare one where its kind has none."""
    found = _KINDS.get(answered.question.kind)
    return found(answered) if found else (Headline(answered.sentence),)


def _interval(row: Any, prefix: str = "") -> Interval:
    names = (prefix, f"{prefix}_low", f"{prefix}_high") if prefix else ("median", "low", "high")
    middle, low, high = (float(row[name]) for name in names)
    return middle, low, high


def _claim(answered: Answered, place: int) -> dict[str, Any]:
    """Claim and probabilities of a row of the answer's own decisions."""
    if answered.decisions is None or place >= len(answered.decisions):
        return {}
    row: Any = answered.decisions.iloc[place]
    following = row["p_patient"] if np.isnan(row["p_centre"]) else row["p_centre"]
    return {"claim": str(row["claim"]), "p_typical": float(row["p_mean"]), "p_next": float(following)}


def _patient_pain(answered: Answered) -> tuple[Headline, ...]:
    others: Any = answered.tables["other priors"].xs("change late", level="quantity")
    sets = [priors.label for priors in answered.question.priors if priors.label in others.index]
    main = _interval(others.loc[sets[0]])
    points = natural_scale("MC", unit="points")
    moved = of_medians(main[1], main[2], others.loc[sets, "median"].tolist())
    return (Headline("change of mean pain, late", points, main, robustness=moved, **_claim(answered, 2)),)


def _updating(answered: Answered) -> tuple[Headline, ...]:
    known, weighed = answered.tables["known"], answered.tables["relaxed"]
    lines = []
    for outcome in known["outcome"].unique():
        after = known[(known["outcome"] == outcome) & (known["when"] == "after")].set_index("who")
        typical, following = (after.loc[who] for who in ("typical", "next"))
        main = _interval(typical)
        medians = [main[0], *weighed.loc[weighed["outcome"] == outcome, "typical_median"]]
        lines.append(
            Headline(
                f"{_words(outcome)} with the new series", _SHARE, main, _interval(following),
                "the rate lies below the limit of the analysis", float(typical["below"]),
                float(following["below"]), of_medians(main[1], main[2], medians, "weights of the past"),
            )
        )  # fmt: skip
    return tuple(lines)


def _next_study(answered: Answered) -> tuple[Headline, ...]:
    expected = answered.tables["expected"]
    certainty = 100 * float(answered.more["certainty"])
    lines = []
    for outcome in expected["outcome"].unique():
        row: Any = expected[expected["outcome"] == outcome].iloc[-1]
        reached = float(row["concludes_below"] + row["concludes_above"])
        claim = f"a study of {row['n']:g} would decide with {certainty:g} % certainty"
        lines.append(Headline(_words(outcome), claim=claim, p_typical=reached))
    return tuple(lines)


def _arm_comparison(answered: Answered) -> tuple[Headline, ...]:
    answer, sets = answered.tables["answer"], answered.tables["prior_sets"]
    typical, following = (answer.loc[f"odds ratio, {who} centre"] for who in ("typical", "next"))
    robust = of_chances(sets["p_fewer_typical"].tolist())
    return (
        Headline(
            "odds ratio of the treatments", natural_scale("OR"), _interval(typical), _interval(following),
            robustness=robust, **_claim(answered, 0),
        ),
    )  # fmt: skip


def _leakage_site(answered: Answered) -> tuple[Headline, ...]:
    rates: Any = answered.tables["rates"].loc["as in this series"]
    cases = answered.tables["cases"]
    sets = [priors.label for priors in answered.question.priors if priors.label in cases.index]
    return (
        Headline(
            "levels of this series that leak; next: of a new patient", _SHARE,
            _interval(rates.loc["average of patients"]), _interval(rates.loc["new patient"]),
            robustness=of_chances(cases.loc[sets, "p_below"].tolist()), **_claim(answered, 0),
        ),
    )  # fmt: skip


def _joint_outcomes(answered: Answered) -> tuple[Headline, ...]:
    found = answered.tables["correlation"].groupby(level="priors", sort=False).first()
    main: Any = found.iloc[0]
    return (
        Headline(
            "correlation of the two rates between centres", _PLAIN, _interval(main),
            claim="the correlation is positive", p_typical=float(main["p_positive"]),
            robustness=of_chances(found["p_positive"].tolist()),
        ),
    )  # fmt: skip


def _time_at_risk(answered: Answered) -> tuple[Headline, ...]:
    cases = answered.tables["cases"]
    row: Any = cases.iloc[0]
    names = [f"{priors.label.replace('_', ' ')} priors" for priors in answered.question.priors]
    horizon = max(answered.question.options["horizons"])
    key = f"p_lower_{horizon}"
    chances = cases.loc[[name for name in names if name in cases.index], f"typical_{key}"]
    return (
        Headline(
            "new fractures", natural_scale(IRLN, unit="patient-years", per=100),
            _interval(row, "typical"), _interval(row, "next"),
            f"fewer within {horizon} months than untreated", float(row[f"typical_{key}"]),
            float(row[f"next_{key}"]), of_chances(chances.tolist()),
        ),
    )  # fmt: skip


def _pre_post_change(answered: Answered) -> tuple[Headline, ...]:
    sets = answered.tables["prior sets"]
    row: Any = sets.iloc[0]
    column = next(name for name in sets.columns if name.startswith("p_next_"))
    main = _interval(row)
    claim = _claim(answered, 0)
    robust = of_chances(sets[column].tolist())
    if column not in sets or not claim:
        robust = of_medians(main[1], main[2], sets["median"].tolist())
    following = (main[0], float(row["next_low"]), float(row["next_high"]))
    points = natural_scale("MC", unit="points")
    return (Headline("mean change", points, main, following, robustness=robust, **claim),)


def _meta_regression(answered: Answered) -> tuple[Headline, ...]:
    answer, sets = answered.tables["answer"], answered.tables["prior_sets"]
    lines = []
    for name in answer.index:
        row: Any = answer.loc[name]
        chances = sets.loc[name, "p_more"].tolist()
        main = (float(row["odds_ratio"]), float(row["low"]), float(row["high"]))
        lines.append(
            Headline(
                f"odds ratio, {_words(name)} ({row['k']:g} series)", natural_scale("OR"), main,
                claim="the odds ratio is above 1", p_typical=float(row["p_more"]),
                robustness=of_chances(chances),
            )
        )  # fmt: skip
    return tuple(lines)


def _heavy_tails(answered: Answered) -> tuple[Headline, ...]:
    heavy = answered.tables["other priors"]
    heavy = heavy[heavy["shape"] == STUDENT]
    lines = []
    for outcome in heavy["outcome"].unique():
        sets = heavy[heavy["outcome"] == outcome]
        row: Any = sets.iloc[0]
        lines.append(
            Headline(
                f"{_words(outcome)}, heavy tails", _SHARE, _interval(row, "typical"), _interval(row, "next"),
                "the rate lies below the limit", float(row["p_typical_below"]), float(row["p_next_below"]),
                of_chances(sets["p_typical_below"].tolist()),
            )
        )  # fmt: skip
    return tuple(lines)


def _vertebra_kyphosis(answered: Answered) -> tuple[Headline, ...]:
    found, cases = answered.tables["quantities"], answered.tables["other cases"]
    medians: Any = cases.xs("mean change", level="quantity")["median"]
    sets = [priors.label for priors in answered.question.priors if priors.label in medians.index]
    main = _interval(found.loc["mean change"])
    return (
        Headline(
            "change of the angle; next: of a new patient’s vertebra", natural_scale("MC", unit="degrees"),
            main, _interval(found.loc["change of a new patient's vertebra"]),
            robustness=of_medians(main[1], main[2], medians[sets].tolist()), **_claim(answered, 0),
        ),
    )  # fmt: skip


def _words(name: object) -> str:
    return str(name).replace("_", " ")


_KINDS: dict[str, Callable[[Answered], tuple[Headline, ...]]] = {
    "patient_pain": _patient_pain,
    "updating": _updating,
    "next_study": _next_study,
    "arm_comparison": _arm_comparison,
    "leakage_site": _leakage_site,
    "joint_outcomes": _joint_outcomes,
    "time_at_risk": _time_at_risk,
    "pre_post_change": _pre_post_change,
    "meta_regression": _meta_regression,
    "heavy_tails": _heavy_tails,
    "vertebra_kyphosis": _vertebra_kyphosis,
}
