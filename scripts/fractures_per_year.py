"""How many new fractures are there per year of follow-up, and how many within one year and within two?

    python scripts/fractures_per_year.py

Counts that are not printed, patients times mean follow-up, and quadrature: rates instead of shares.
"""

from dataclasses import replace

import numpy as np

from kyphobayes.evidence import counts_for, find_analysis, rates_of
from kyphobayes.exact import Density
from kyphobayes.model import load_model
from kyphobayes.project import default_project

PRIORS = ("Normal(mu=-2, sigma=1.5)", "HalfNormal(sigma=1)")  # mu and tau: log rates per patient-year
LOST = 0.75  # of the printed follow-up of two years, if some patients died or stayed away


def rate(density: Density) -> str:
    return "{:.1f} ({:.1f} to {:.1f})".format(*100 * np.exp(density.quantile([0.5, 0.025, 0.975])))


def share(density: Density, years: float) -> str:
    hazard = years * np.exp(density.quantile([0.5, 0.025, 0.975]))
    return "{:.0%} ({:.0%} to {:.0%})".format(*-np.expm1(-hazard))


def main() -> None:
    project = default_project()
    evidence = rates_of(counts_for(find_analysis(project, "new_fracture"), project), project)
    model = load_model("poisson_normal", project)

    print(f"{'series':18}{'patient-years':>14}  fractures, all that are possible")
    for label, time, counts in zip(evidence.labels, evidence.exposure, evidence.tables.T, strict=True):
        possible = " or ".join(f"{count:.0f}" for count in np.unique(counts))
        print(f"{label:18}{time:>14.1f}  {possible}")

    assert evidence.follow_up is not None
    shorter = np.where(evidence.follow_up >= 24, LOST, 1.0) * evidence.exposure
    for title, view in {"as printed": evidence, "less": replace(evidence, exposure=shorter)}.items():
        post = model.surface(view).posterior(*PRIORS)
        print(f"\nTime at risk {title}: new fractures per 100 patient-years, and within 12 and 24 months")
        for name, density in (("typical centre", post.mu), ("next centre", post.theta_new)):
            print(f"{name:18}{rate(density):>22}{share(density, 1):>18}{share(density, 2):>18}")


if __name__ == "__main__":
    main()
