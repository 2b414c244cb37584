"""What the report and the command line say about priors: one sentence first, then tables."""

import math
import re
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from kyphobayes.evidence import Analysis
from kyphobayes.names import AGGREGATE, MU, TAU, THETA_NEW
from kyphobayes.report.tables import Column, Table, exactly, text
from kyphobayes.report.words import (
    NONE,
    decimal,
    listed,
    percent,
    percents,
    probabilities,
    probability,
    significant,
    threshold,
)
from kyphobayes.sensitivity import Sensitivity
from kyphobayes.sensitivity.atlas import to_frame

_QUANTITIES = {MU: "mu (typical)", TAU: "tau", THETA_NEW: "theta of the next centre"}
_EVEN = math.log(1.05)  # log Bayes factor that says nothing


def words_of(analysis: Analysis, found: Sensitivity) -> str:
    """The decision in words: the plan's own, or with another share or for the next centre."""
    share = float(special.expit(found.below))
    if found.of == MU and math.isclose(share, analysis.decision.below):
        return analysis.decision.words
    who = "typical" if found.of == MU else "next centre’s"
    return f"the {who} rate lies below {threshold(share)}"


def decision_head(found: Sensitivity) -> str:
    """Head of a column with the probability of the decision."""
    who = {MU: "typical", THETA_NEW: "next"}.get(found.of, found.of)
    return f"P({who} < {threshold(float(special.expit(found.below)))})"


def conclusion(found: Sensitivity, words: str) -> str:
    """Say in a sentence whether the conclusion survives other priors, and what it would take to change it."""
    side = "at least" if found.probability >= found.threshold else "below"
    holds, total = int(found.holds.sum()), int(found.holds.size)
    chances = found.atlas["probability"]
    how_many = f"all {total}" if holds == total else f"{holds} of {total}"
    sentence = (
        f"The conclusion, that the probability that {words} is {side} {threshold(found.threshold)}, "
        f"holds under {how_many} pairs of priors (it runs from "
        f"{probabilities(float(chances.min()), float(chances.max()))})"
    )
    return f"{sentence}; {_what_it_takes(found)}.{_who_differs(found)}{_published(found)}"


def _published(found: Sensitivity) -> str:
    """Count the published priors for tau that leave the conclusion as it is."""
    holds = found.holds_published
    if holds is None:
        return ""
    return (
        f" With published priors for tau in place of ours, which are about comparisons of two arms, it holds "
        f"under {int(holds.sum())} of {holds.size} pairs."
    )


def _what_it_takes(found: Sensitivity) -> str:
    nearest = found.nearest
    if nearest is None:
        return "no prior of the same shape with another location or scale would change it"
    family, move = str(nearest.name), float(nearest["move"])
    if family == "location of mu":
        old = float(found.reference[MU].quantile(0.5)) if found.reference[MU].proper else math.nan
        now, then = (percent(float(special.expit(x))) for x in (old, old + move))
        return (
            f"it would take a prior that expects a typical rate of {then} in place of {now} "
            f"(mu ~ {_short(nearest['prior'])}) to change it"
        )
    name = family.rpartition(" ")[2]
    word = "wider" if move > 1 else "narrower"
    times = significant(max(move, 1 / move))
    prior = f"{name} ~ {_short(nearest['prior'])}"
    return f"it would take a prior for {name} {times} times {word} ({prior}) to change it"


def _who_differs(found: Sensitivity) -> str:
    """Name the priors under which it fails, where they are those of one name."""
    failing = found.atlas.isel(prior=~found.holds.values)
    if not failing.sizes["prior"]:
        return ""
    for name, coordinate in ((MU, "mu_prior"), (TAU, "tau_prior")):
        who = list(dict.fromkeys(str(x) for x in failing[coordinate].values))
        if len(who) < len(set(found.atlas[coordinate].values)) and len(who) <= 2:
            plural = "s" if len(who) > 1 else ""
            return (
                f" It fails under the {listed([w.replace('_', ' ') for w in who])} prior{plural} for {name}."
            )
    return ""


def _short(prior: str) -> str:
    """Text of a prior with three significant digits."""
    return re.sub(r"-?\d+\.\d+", lambda found: f"{float(found.group()):.3g}", prior)


def credibility_sentence(found: Sensitivity) -> str:
    """Say which prior a sceptic, or an advocate, would have to hold."""
    result = {name: value.item() for name, value in found.credibility.data_vars.items()}
    centre, prob = found.credibility.attrs["centre"], found.credibility.attrs["prob"]
    value, interval = threshold(float(special.expit(centre))), f"{100 * prob:g} % interval"
    side = "below" if result["side"] < 0 else "above"
    if result["convincing"]:
        if math.isnan(result["sceptical_sd"]):
            return (
                f"The {interval} of the typical rate lies {side} {value} whatever the doubts of a sceptic "
                "centred there."
            )
        reach = percent(float(special.expit(result["scepticism_limit"])))
        return (
            f"By the evidence alone the {interval} of the typical rate lies {side} {value}. A sceptic who "
            f"expects {value} would remain unconvinced if 95 % sure that the rate is not beyond {reach} "
            f"(mu ~ Normal({decimal(centre)}, {decimal(result['sceptical_sd'])}))."
        )
    start = (
        f"Even under a prior for mu that says nothing, the {interval} of the typical rate does not exclude "
        f"{value}"
    )
    if math.isnan(result["advocacy_sd"]):
        return f"{start}, and no advocate's prior that begins there makes it do so."
    ends = sorted(float(special.expit(x)) for x in (centre, result["advocacy_limit"]))
    return (
        f"{start}. It would for someone who already holds, with 95 % probability, that the rate lies in the "
        f"range {percents(ends[0], ends[1])}; priors that reach further from {value} do not."
    )


def tables(found: Sensitivity) -> dict[str, Table]:
    """Every table, by name."""
    made = [_atlas(found), _tipping(found), _power(found), _before(found)]
    if found.averaged is not None:
        made.append(_averaged(found))
    return {table.name.removeprefix("sensitivity-"): table for table in made}


def _atlas(found: Sensitivity) -> Table:
    frame = to_frame(found.atlas).reset_index()
    for name in (MU, THETA_NEW):
        for statistic in ("median", "low", "high"):
            frame[f"{name}_rate_{statistic}"] = special.expit(frame[f"{name}_{statistic}"])

    def rate(name: str):
        return lambda r: (
            f"{percent(r[f'{name}_rate_median'])} ({percents(r[f'{name}_rate_low'], r[f'{name}_rate_high'])})"
        )

    def far(r: Any) -> str:
        return " / ".join(decimal(r[f"hellinger_{name}"]) for name in AGGREGATE)

    columns = (
        Column("Prior for mu", text("mu_prior")),
        Column("Prior for tau", text("tau_prior")),
        Column("Typical rate", rate(MU), True),
        Column("Next centre’s rate", rate(THETA_NEW), True),
        Column("P(decision)", lambda r: probability(r["probability"]), True),
        Column("Distance: mu / tau / next", far, True),
        Column("Bayes factor", lambda r: significant(math.exp(r["log_bayes_factor"])), True),
    )
    note = (
        "Distance: Hellinger, 0 for the same posterior as the main result’s, 1 for one that shares nothing "
        "with it. "
        "Bayes factor: how much better, or worse, these priors foresaw the data than the main ones."
    )
    if found.atlas.attrs["refused"]:
        note += f" Left out, as the posterior is not proper: {listed(list(found.atlas.attrs['refused']))}."
    return Table("sensitivity-atlas", "The answer under every pair of priors", frame, columns, note)


def _tipping(found: Sensitivity) -> Table:
    frame = found.tipping.reset_index()

    def needed(r: Any) -> str:
        if not r["flips"]:
            return r["remark"]
        if r["family"] == "location of mu":
            return f"{decimal(r['move'])} log odds {'higher' if r['move'] > 0 else 'lower'}".replace("−", "")
        return f"{significant(r['move'])} times as wide"

    def reached(r: Any) -> str:
        if not np.isfinite(r["low"]):
            return NONE
        low, high = (f"{significant(r[end])} ({probability(r[f'p_{end}'])})" for end in ("low", "high"))
        return f"{low} to {high}"

    columns = (
        Column("Move", exactly("family")),
        Column("Smallest that flips the conclusion", needed),
        Column("Prior there", lambda r: _short(r["prior"]) or NONE),
        Column("Distance of the priors", lambda r: decimal(r["distance"]), True),
        Column("Searched, with P(decision) at the ends", reached, True),
    )
    note = (
        f"The conclusion flips where P(decision) crosses {threshold(found.threshold)}; with the main priors "
        f"it is {probability(found.probability)}. Found by root search on the exact posterior. A move of "
        "scale is a factor, a move of location a shift."
    )
    return Table("sensitivity-tipping", "What it takes to change the conclusion", frame, columns, note)


def _power(found: Sensitivity) -> Table:
    frame = found.power["psense"].to_pandas().T.rename_axis("quantity").reset_index()
    frame["diagnosis"] = found.power["diagnosis"].values
    columns = [
        Column("Quantity", lambda r: _QUANTITIES[r["quantity"]]),
        Column("Prior", lambda r: significant(r["prior"]), True),
        Column("Likelihood", lambda r: significant(r["likelihood"]), True),
    ]
    if found.sampled is not None:
        for component in ("prior", "likelihood"):
            frame[f"{component}_draws"] = found.sampled[component].to_numpy()
            columns.append(
                Column(
                    f"{component.capitalize()}, by ArviZ",
                    lambda r, c=component: significant(r[f"{c}_draws"]),
                    True,
                )
            )
    columns.append(Column("Reading", exactly("diagnosis")))
    note = (
        "How fast the posterior moves when the prior, or the likelihood of mu and tau, counts a little more "
        "or less: cumulative Jensen–Shannon distance per doubling of its power (Kallioinen et al. 2024). "
        "From 0.05 on it is called sensitive."
    )
    if found.sampled is not None:
        note += " By ArviZ: psense on the draws of NUTS, with the same likelihood."
    return Table("sensitivity-power", "Power-scaling", frame, tuple(columns), note)


def _before(found: Sensitivity) -> Table:
    expected, size = found.before["expected"], found.before.attrs["size"]
    rows = []
    for prior in expected["prior"].values:
        row: dict[str, Any] = {"prior": str(prior)}
        for centre in expected["centre"].values:
            for statistic in expected["statistic"].values:
                row[f"{centre}_{statistic}"] = float(
                    expected.sel(prior=prior, centre=centre, statistic=statistic)
                )
        rows.append(row)

    def per(centre: str):
        names = ("median", "low", "high")
        return lambda r: "{} ({} to {})".format(*(decimal(r[f"{centre}_{n}"], 1) for n in names))

    columns = (
        Column("Priors for mu × tau", text("prior")),
        Column("Typical centre", per("typical"), True),
        Column("Next centre", per("next"), True),
    )
    caption = f"Before any data: events expected per {size}"
    return Table(
        "sensitivity-before",
        caption,
        pd.DataFrame(rows),
        columns,
        "Median and 95 % interval under each prior.",
    )


def _averaged(found: Sensitivity) -> Table:
    averaged = found.averaged
    assert averaged is not None
    frame = averaged[["log_bayes_factor", "probability"]].to_dataframe().reset_index()
    frame = frame[["included", "log_bayes_factor", "probability"]].drop_duplicates()
    words = {
        "effect": f"typical rate other than {threshold(float(special.expit(averaged.attrs['null'])))}",
        "heterogeneity": "differences between centres (tau above 0)",
    }

    def factor(r: Any) -> str:
        log_factor = r["log_bayes_factor"]
        if abs(log_factor) < _EVEN:
            return "1"
        value = significant(math.exp(abs(log_factor))) if abs(log_factor) < 30 else f"e^{abs(log_factor):.0f}"
        return f"{value} for" if log_factor > 0 else f"{value} against"

    columns = (
        Column("Is there a", lambda r: words[r["included"]]),
        Column("Inclusion Bayes factor", factor, True),
        Column("Probability, from one half", lambda r: probability(r["probability"]), True),
    )
    note = (
        "Average over models with mu fixed at the decision’s value or free, tau zero or free, and all pairs "
        "of priors, by exact marginal likelihoods."
    )
    return Table("sensitivity-averaged", "Averaged over models and priors", frame, columns, note)
