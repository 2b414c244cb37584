"""Which study had how many leaks? The tables that agree with everything Bouza 2009 prints.

python scripts/reconstruct_leaks.py
"""

from kyphobayes.evidence import counts_for, find_analysis
from kyphobayes.model import load_model
from kyphobayes.project import default_project


def main() -> None:
    project = default_project()
    analysis = find_analysis(project, "leakage_bkp_bouza_only")
    evidence = counts_for(analysis, project)
    found = evidence.latent_source
    assert found is not None

    print(f"{found.constraints.title}: {found.constraints.why}\n")
    for printed, left in found.trail:
        print(f"{left:6d} tables left after {printed.words!r} ({printed.locator})")

    surface = load_model(analysis.model, project).surface(evidence)
    post = surface.posterior(mu="Normal(mu=-2.5, sigma=1.5)", tau="HalfNormal(sigma=1)")
    print("\n" + "  ".join(evidence.labels) + "   probability")
    for events, probability in zip(found.events, post.table_probabilities(), strict=True):
        cells = "  ".join(f"{e:>{len(label)}d}" for e, label in zip(events, evidence.labels, strict=True))
        print(f"{cells}   {probability:.3f}")


if __name__ == "__main__":
    main()
