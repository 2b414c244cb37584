"""Words for those who cannot see the figures."""

from kyphobayes.findings import Findings
from kyphobayes.report.words import estimated, value
from kyphobayes.run import Result


def alternatives(result: Result) -> dict[str, str]:
    """Alternative text of the figures, by their function's name."""
    main, unit, event = result.main, result.analysis.unit, result.analysis.event
    scale = result.scale
    name, one = scale.name, scale.one
    answer = (
        f"typical {name} {estimated(main.estimates.loc['typical'], scale)}, next {one} "
        f"{estimated(main.estimates.loc['new centre'], scale)}"
    )
    coming = "; ".join(
        f"of {p.n}, mean {p.mean:.1f}, 95 % interval {p.interval()[0]} to {p.interval()[1]}"
        for p in main.next
    )
    what = f", {event} per {unit}" if event and unit and scale.null is None else ""
    return {
        "forest": f"Forest plot of {result.evidence.k} studies{what}: {answer}.",
        "prior_posterior": f"Prior and posterior of the typical {name}, tau and the next {one}'s {name}: "
        f"{answer}.",
        "next_cases": f"Bar charts of the number of {event} among the next {unit}: {coming}.",
        "prior_comparison": f"Typical and next {one}'s {name} under each prior set: {_by_set(result)}.",
        "latent_counts": "Bar charts of the probability of each count that is not printed, by study.",
        "engines": "Histograms of NUTS draws under the exact densities of mu, tau and theta_new.",
        "ranks": "Rank histograms of mu and tau by NUTS chain; level ones mean chains that mixed.",
    }


def _by_set(result: Result) -> str:
    def medians(answer: Findings) -> str:
        rows = ("typical", "new centre")
        return " and ".join(value(float(answer.estimates["median"][row]), result.scale) for row in rows)

    return ", ".join(
        f"{label.replace('_', ' ')} {medians(answer)}" for label, answer in result.answers.items()
    )
