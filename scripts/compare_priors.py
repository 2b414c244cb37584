"""How far does the answer on leakage depend on the priors? One surface, any number of priors.

    python scripts/compare_priors.py

The likelihood surface is computed once; every further prior takes a fraction of a second.
"""

from scipy.special import expit, logit

from kyphobayes.evidence import counts_for, find_analysis, read_priors
from kyphobayes.model import load_model
from kyphobayes.project import default_project
from kyphobayes.sensitivity import atlas, prior_pairs, reverse_bayes, tipping_points

BELOW = float(logit(0.10))  # the decision, on the scale of the model: log odds
OWN = ("StudentT(nu=4, mu=-2.5, sigma=1)", "Exponential(lam=1)")  # a pair of your own


def main() -> None:
    project = default_project()
    analysis = find_analysis(project, "cement_leakage")
    evidence = counts_for(analysis, project)
    surface = load_model(analysis.model, project).surface(evidence)

    pairs = {**prior_pairs(project, analysis, evidence), "own × own": OWN}
    main_set = read_priors(project, analysis.priors, analysis, evidence.measure)
    reference = f"{analysis.priors} × {analysis.priors}"
    found = atlas(surface, pairs, reference=reference, below=BELOW)

    print(f"{'mu × tau':41}{'typical rate':>22}{'next centre':>22}{'P(typical < 10 %)':>19}{'distance':>10}")
    for name in found["prior"].values:
        row = found.sel(prior=name)
        rates = {
            quantity: "{:.1%} ({:.1%} to {:.1%})".format(
                *(expit(float(row[s].sel(quantity=quantity))) for s in ("median", "low", "high"))
            )
            for quantity in ("mu", "theta_new")
        }
        far = float(row["hellinger"].sel(quantity="mu"))
        below = float(row["probability"])
        print(f"{name:41}{rates['mu']:>22}{rates['theta_new']:>22}{below:>19.0%}{far:>10.2f}")

    print("\nWhat it takes to change on which side of one half that probability lies:")
    print(tipping_points(surface, main_set["mu"], main_set["tau"], below=BELOW)[["flips", "move", "prior"]])
    print("\nAnd to change whether the 95 % interval of the typical rate excludes 10 %:")
    print(reverse_bayes(surface, main_set["tau"], centre=BELOW).to_pandas())


if __name__ == "__main__":
    main()
