"""Which study drives tau, how much centres differ in how often cement leaks?

    python scripts/which_study_drives_tau.py

Every posterior is exact. A study whose count is not printed is left out by leaving its column out of the
tables that are possible; what the printed totals say of the others stays known.
"""

from scipy.special import expit

from kyphobayes.evidence import counts_for, find_analysis, read_priors
from kyphobayes.model import load_model
from kyphobayes.outlying import NORMAL, influence, oddness, shapes
from kyphobayes.project import default_project

DEGREES = [4]  # of freedom of Student-t effects
SHARES_AND_RATIOS = [(0.1, 4)]  # of outlying centres: how many, and how many times as far they lie


def main() -> None:
    project = default_project()
    analysis = find_analysis(project, "cement_leakage")
    evidence = counts_for(analysis, project)
    priors = read_priors(project, analysis.priors, analysis, evidence.measure)
    surface = load_model(analysis.model, project).surface(evidence)
    found = shapes(surface, priors, DEGREES, SHARES_AND_RATIOS)

    moved, odd = influence(found, NORMAL), oddness(found, NORMAL)
    print(f"{'without':20}{'tau':>22}{'next centre':>20}{'divergence':>12}{'deviate':>9}{'P(outlying)':>13}")
    for study, row in moved.iterrows():
        tau = f"{row['tau']:.2f} ({row['tau_low']:.2f} to {row['tau_high']:.2f})"
        rate = "{:.1%} to {:.0%}".format(*expit([row["theta_new_low"], row["theta_new_high"]]))
        line = f"{study:20}{tau:>22}{rate:>20}{row['kl']:>12.3f}"
        if study in odd.index:
            own = odd.loc[str(study)]
            line += f"{own['z']:>9.1f}{own['outlying']:>13.0%}"
        print(line)

    print(f"\nThe study without which tau changes most: {moved['kl'].idxmax()}")


if __name__ == "__main__":
    main()
