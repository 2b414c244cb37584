"""What the report and the command line say about priors: one sentence first, then tables."""

import math
import re
from typing import Any

import numpy as np
import pandas as pd

from kyphobayes.evidence import Analysis
from kyphobayes.names import AGGREGATE, MU, PLO, TAU, THETA_NEW
from kyphobayes.report.sentences import STUDIES
from kyphobayes.report.tables import Column, Show, Table, estimate, exactly, text
from kyphobayes.report.words import (
    NONE,
    decimal,
    heading,
    limit,
    listed,
    model_unit,
    probabilities,
    probability,
    significant,
    threshold,
    value,
    values,
)
from kyphobayes.sensitivity import Sensitivity
from kyphobayes.sensitivity.atlas import to_frame

_QUANTITIES = {MU: "mu (typical)", TAU: "tau", THETA_NEW: "theta of the next one"}
_EVEN = math.log(1.05)  # log Bayes factor that says nothing


def words_of(analysis: Analysis, found: Sensitivity) -> str:
    """The decision in words: the plan's own, or with another share or for the next centre."""
    at, scale = float(found.scale.natural(found.below)), found.scale
    plain = analysis.decision.side == "below" and found.of == MU
    if plain and math.isclose(at, analysis.decision.below, abs_tol=1e-12):
        return analysis.decision.words
    who = "typical" if found.of == MU else f"next {scale.one}’s"
    return f"the {who} {scale.name} lies below {limit(at, scale)}"


def decision_head(found: Sensitivity) -> str:
    """Head of a column with the probability of the decision."""
    who = {MU: "typical", THETA_NEW: "next"}.get(found.of, found.of)
    return f"P({who} < {_shown(found, found.below)})"


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
        now, then = (value(float(found.scale.natural(x)), found.scale) for x in (old, old + move))
        return (
            f"it would take a prior that expects a typical {found.scale.name} of {then} in place of {now} "
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


def _shown(found: Sensitivity, effect: float) -> str:
    """An effect of the model as people read it, as a limit."""
    return limit(float(found.scale.natural(effect)), found.scale)


def _short(prior: str) -> str:
    """Text of a prior with three significant digits."""
    return re.sub(r"-?\d+\.\d+", lambda found: f"{float(found.group()):.3g}", prior)


def credibility_sentence(found: Sensitivity) -> str:
    """Say which prior a sceptic, or an advocate, would have to hold."""
    result = {name: value.item() for name, value in found.credibility.data_vars.items()}
    centre, prob = found.credibility.attrs["centre"], found.credibility.attrs["prob"]
    shown, interval = _shown(found, centre), f"{100 * prob:g} % interval"
    typical = f"typical {found.scale.name}"
    side = "below" if result["side"] < 0 else "above"
    if result["convincing"]:
        if math.isnan(result["sceptical_sd"]):
            return (
                f"The {interval} of the {typical} lies {side} {shown} whatever the doubts of a sceptic "
                "centred there."
            )
        reach = value(float(found.scale.natural(result["scepticism_limit"])), found.scale)
        return (
            f"By the evidence alone the {interval} of the {typical} lies {side} {shown}. A sceptic who "
            f"expects {shown} would remain unconvinced if 95 % sure that the {found.scale.name} is not "
            f"beyond {reach} (mu ~ Normal({decimal(centre)}, {decimal(result['sceptical_sd'])}))."
        )
    start = (
        f"Even under a prior for mu that says nothing, the {interval} of the {typical} does not exclude "
        f"{shown}"
    )
    if math.isnan(result["advocacy_sd"]):
        return f"{start}, and no advocate's prior that begins there makes it do so."
    ends = sorted(float(found.scale.natural(x)) for x in (centre, result["advocacy_limit"]))
    return (
        f"{start}. It would for someone who already holds, with 95 % probability, that the "
        f"{found.scale.name} lies in the range {values(ends[0], ends[1], found.scale)}; priors that reach "
        f"further from {shown} do not."
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
            frame[f"{name}_shown_{statistic}"] = found.scale.natural(frame[f"{name}_{statistic}"])

    def far(r: Any) -> str:
        return " / ".join(decimal(r[f"hellinger_{name}"]) for name in AGGREGATE)

    columns = (
        Column("Prior for mu", text("mu_prior")),
        Column("Prior for tau", text("tau_prior")),
        Column(f"Typical {found.scale.name}", estimate(f"{MU}_shown", found.scale), True),
        Column(
            f"Next {found.scale.one}’s {found.scale.name}", estimate(f"{THETA_NEW}_shown", found.scale), True
        ),
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
    frame, unit = found.tipping.reset_index(), model_unit(found.scale)

    def needed(r: Any) -> str:
        if not r["flips"]:
            return r["remark"]
        if r["family"] == "location of mu":
            return f"{decimal(r['move'])} ({unit}) {'higher' if r['move'] > 0 else 'lower'}".replace("−", "")
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
    expected, size, scale = found.before["expected"], found.before.attrs["size"], found.scale
    rows = []
    for prior in expected["prior"].values:
        row: dict[str, Any] = {"prior": str(prior)}
        for centre in expected["centre"].values:
            for statistic in expected["statistic"].values:
                row[f"{centre}_{statistic}"] = float(
                    expected.sel(prior=prior, centre=centre, statistic=statistic)
                )
        rows.append(row)

    def per(centre: str) -> Show:
        names = ("median", "low", "high")
        if scale.measure != PLO:
            return estimate(centre, scale)
        return lambda r: "{} ({} to {})".format(*(decimal(r[f"{centre}_{n}"], 1) for n in names))

    columns = (
        Column("Priors for mu × tau", text("prior")),
        Column(f"Typical {scale.one}", per("typical"), True),
        Column(f"Next {scale.one}", per("next"), True),
    )
    what = f"events expected per {size}" if scale.measure == PLO else f"what is expected, {heading(scale)}"
    caption = f"Before any data: {what}"
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
        "effect": f"typical {found.scale.name} other than {_shown(found, averaged.attrs['null'])}",
        "heterogeneity": f"differences between {STUDIES[found.scale.one].lower()} (tau above 0)",
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
