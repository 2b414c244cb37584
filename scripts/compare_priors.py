"""Compare priors for the leakage analysis: one surface, any number of priors.

    python scripts/compare_priors.py

The likelihood surface is computed once; every further prior takes a fraction of a second.
"""

from scipy.special import expit, logit

from kyphobayes.evidence import evidence_for, find_analysis
from kyphobayes.model import load_model
from kyphobayes.project import default_project

PRIORS = [
    ("Normal(mu=-2.5, sigma=1.5)", "HalfNormal(sigma=0.5)"),
    ("Normal(mu=-2.5, sigma=1.5)", "HalfNormal(sigma=1)"),
    ("Normal(mu=-2.5, sigma=1.5)", "HalfNormal(sigma=2)"),
    ("Normal(mu=-2.5, sigma=1.5)", "HalfCauchy(beta=0.5)"),
    ("Logistic(mu=0, s=1)", "HalfNormal(sigma=1)"),
    ("StudentT(nu=4, mu=-2.5, sigma=1)", "Exponential(lam=1)"),
]


def main() -> None:
    project = default_project()
    analysis = find_analysis(project, "cement_leakage")
    evidence = evidence_for(analysis, project)
    surface = load_model(analysis.model, project).surface(evidence)

    print(f"{'mu':34}{'tau':24}{'typical rate':>22}{'new centre':>22}{'P(typical < 10 %)':>20}")
    for mu, tau in PRIORS:
        post = surface.posterior(mu=mu, tau=tau)
        rates = {
            name: "{:.1%} ({:.1%} to {:.1%})".format(*expit(post.quantile(name, [0.5, 0.025, 0.975])))
            for name in ("mu", "theta_new")
        }
        below = float(post.cdf("mu", logit(0.10)))
        print(f"{mu:34}{tau:24}{rates['mu']:>22}{rates['theta_new']:>22}{below:>20.0%}")


if __name__ == "__main__":
    main()
