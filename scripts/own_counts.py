"""A meta-analysis of your own counts in a few lines: exact, then in ArviZ.

python scripts/own_counts.py
"""

import arviz as az

from kyphobayes import exact

EVENTS = [0, 5, 4, 0]
N = [32, 35, 19, 22]
STUDIES = ["Fourney 2003", "Ribeirão Preto", "La Maida 2012", "Kose 2006"]


def main() -> None:
    surface = exact.binomial(EVENTS, N, labels=STUDIES)
    post = surface.posterior(mu="Normal(mu=-2.5, sigma=1.5)", tau="HalfNormal(sigma=1)")

    print("On the log odds scale, exactly:")
    print(post.summary().round(3))
    print(post.shrinkage().round(3))
    print(f"log marginal likelihood {post.log_marginal_likelihood:.4f}, error below {post.error:.0e}\n")

    print("The same as independent draws in ArviZ:")
    print(az.summary(post.to_datatree(seed=1), ci_prob=0.95))


if __name__ == "__main__":
    main()
