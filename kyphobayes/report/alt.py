"""Words for those who cannot see the figures."""

from typing import Any

from kyphobayes.report.words import percent, percents
from kyphobayes.run import Result


def alternatives(result: Result) -> dict[str, str]:
    """Alternative text of the figures, by their function's name."""
    main, unit, event = result.main, result.analysis.unit, result.analysis.event
    typical: Any = main.rates.loc["typical"]
    new: Any = main.rates.loc["new centre"]
    answer = (
        f"typical rate {percent(typical['median'])} ({percents(typical['low'], typical['high'])}), next "
        f"centre "
        f"{percent(new['median'])} ({percents(new['low'], new['high'])})"
    )
    coming = "; ".join(
        f"of {p.n}, mean {p.mean:.1f}, 95 % interval {p.interval()[0]} to {p.interval()[1]}"
        for p in main.next
    )
    return {
        "forest": f"Forest plot of {result.evidence.k} studies, {event} per {unit}: {answer}.",
        "prior_posterior": f"Prior and posterior of the typical rate, tau and the next centre's rate: "
        f"{answer}.",
        "next_cases": f"Bar charts of the number of {event} among the next {unit}: {coming}.",
        "prior_comparison": f"Typical and next centre's rate under each prior set: {_by_set(result)}.",
        "latent_counts": "Bar charts of the probability of each count that is not printed, by study.",
        "engines": "Histograms of NUTS draws under the exact densities of mu, tau and the next centre's "
        "theta.",
        "ranks": "Rank histograms of mu and tau by NUTS chain; level ones mean chains that mixed.",
    }


def _by_set(result: Result) -> str:
    parts = []
    for label, answer in result.answers.items():
        medians: Any = answer.rates["median"]
        rates = f"{percent(medians['typical'])} and {percent(medians['new centre'])}"
        parts.append(f"{label.replace('_', ' ')} {rates}")
    return ", ".join(parts)
