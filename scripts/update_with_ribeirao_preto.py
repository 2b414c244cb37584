"""What did the review of 2009 foresee of Ribeirão Preto, what was seen there, and what is known after it?

    python scripts/update_with_ribeirao_preto.py

Evidence of Bouza 2009, predictive (MAP) prior, prior predictive, p-values, posterior: all by quadrature.
"""

from scipy.special import expit

from kyphobayes.borrowing import map_prior, robust
from kyphobayes.evidence import read_priors
from kyphobayes.exact import Density
from kyphobayes.priors import Prior
from kyphobayes.project import default_project
from kyphobayes.updating import cumulative, effective_sizes, exchangeable_or_not, foreseen, series_of
from kyphobayes.updating.foreseen import outcome_probabilities

VAGUE = Prior.parse("Normal(mu=0, sigma=1.8)")  # of the log odds of a series unlike the others
WEIGHTS = (0.1, 0.2, 0.5, 0.8)  # prior probabilities that it is


def rate(density: Density) -> str:
    return "{:.1%} ({:.1%} to {:.1%})".format(*expit(density.quantile([0.5, 0.025, 0.975])))


def main() -> None:
    project = default_project()
    for name in ("leakage_bkp_bouza_only", "new_fracture_bouza_only"):
        series = series_of(project, name, "ribeirao_preto")
        plan, events, n = series.analysis, series.events, series.n
        priors = read_priors(project, plan.priors, plan, series.evidence.measure)
        past, after = (s.posterior(priors["mu"], priors["tau"]) for s in (series.before, series.after))
        known = map_prior(past.theta_new, components=3).prior
        sizes = effective_sizes(known)
        print(f"\n{plan.title}\nMAP prior: {known}")
        print(f"it is worth {sizes['moment']:.1f} (rate) or {sizes['elir']:.1f} (ELIR) {plan.unit}")

        seen = foreseen(outcome_probabilities(past, n), events)
        low, high = seen.prediction.interval()
        print(f"foreseen {seen.prediction.mean:.1f} {plan.event} of {n}, 95 % {low} to {high}; seen {events}")
        print(f"P(as many or more) {seen.at_least:.2f}, mid p {seen.mid:.2f}, Box {seen.as_improbable:.2f}")
        print(f"typical rate {rate(past.mu)}, then {rate(after.mu)}")
        print(f"next centre {rate(past.theta_new)}, then {rate(after.theta_new)}")
        for weight in WEIGHTS:
            found = exchangeable_or_not(past, after, VAGUE, weight, events, n)
            worth = effective_sizes(robust(known, weight, mu=0, sigma=1.8))["moment"]
            print(f"unlike {weight:.0%}, then {found.weight:.0%}: {rate(found.mu)}; prior worth {worth:.1f}")
        print(cumulative(series, priors).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
