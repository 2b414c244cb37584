"""How much do the correlation, and SDs that are not printed, matter to the change of pain across studies?

    python scripts/pain_across_studies.py

The series of the plan's `pain_change` with their SDs fixed, so that every answer is exact and takes no time;
the model itself (`kyphobayes fit pain_change`) carries the uncertainty of both.
"""

import numpy as np

from kyphobayes import exact
from kyphobayes.effects.pre_post import variance_of_change
from kyphobayes.evidence.pre_post_asked import read_pre_post
from kyphobayes.evidence.pre_post_rows import read_pre_post_means
from kyphobayes.evidence.questions import read_questions
from kyphobayes.frequentist import pool
from kyphobayes.project import default_project

FALL = 2.0  # points that matter


def main() -> None:
    project = default_project()
    question = read_questions(project)["pain_change"]
    evidence, who = read_pre_post_means(read_pre_post(question), project)
    priors = question.priors[0]
    print(f"{evidence.k} series, {(who['status'] == 'out').sum()} rows of the table are out")
    for i, label in enumerate(evidence.labels):
        before = "–" if np.isnan(evidence.before[i]) else f"{evidence.before[i]:.2f}"
        sds = ", ".join("not printed" if np.isnan(sd) else f"{sd:.2f}" for sd in evidence.sd[:, i])
        print(f"  {label:20} {evidence.when[i]:>5}  {before:>5} {evidence.change[i]:+.2f}  SDs {sds}")

    n = (evidence.n_least + evidence.n_most) / 2
    typical = np.exp(np.nanmean(np.log(evidence.sd), axis=1, keepdims=True))
    print("\nSDs not printed   r   typical centre          next centre             P(next falls by 2)   REML")
    for times in (0.5, 1.0, 2.0):
        before, after = np.where(np.isnan(evidence.sd), times * typical, evidence.sd)
        for r in (-0.2, 0.5, 0.9):
            v = variance_of_change(before, after, np.full(evidence.k, r)) / n
            found = exact.normal(evidence.change, np.sqrt(v)).posterior(priors["mu"], priors["tau"])
            typical_centre, following = (
                "{:.2f} ({:.2f} to {:.2f})".format(*found.quantile(name, [0.5, 0.025, 0.975]))
                for name in ("mu", "theta_new")
            )
            chance = float(found.cdf("theta_new", -FALL))
            print(f"typical x {times:<4} {r:6.1f}   {typical_centre:24}{following:24}{chance:10.1%}"
                  f"{pool(evidence.change, v).mu:18.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
