"""The priors that an answer is tried under: every prior for mu of a project with every one for tau."""

from collections.abc import Mapping

from kyphobayes.catalogue import read_catalogue
from kyphobayes.errors import PriorError
from kyphobayes.evidence import Analysis, View, prior_scopes, read_priors
from kyphobayes.names import GLOBALS, MU, OR, PLO, TAU
from kyphobayes.priors import Prior
from kyphobayes.project import Project
from kyphobayes.toml_files import read_toml

JOINT = " × "  # between the name of mu's prior and that of tau's
Pairs = dict[str, tuple[Prior, Prior]]
_PUBLISHED = {PLO: OR, OR: OR, "SMD": "SMD"}  # the measure whose published heterogeneity is tried


def named_priors(project: Project, analysis: Analysis, evidence: View) -> dict[str, dict[str, Prior]]:
    """Priors for mu and for tau of an analysis, by their names.

    Parameters
    ----------
    project : Project
        Whose ``data/priors/*.toml`` are read.
    analysis : Analysis
    evidence : View
        Says on which measure.

    Returns
    -------
    dict
        Under "mu" and "tau": name of the set to prior. A prior that two sets share has one entry.

    Raises
    ------
    EvidenceError, PriorError
    """
    found: dict[str, dict[str, Prior]] = {name: {} for name in GLOBALS}
    for path in sorted((project.data / "priors").glob("*.toml")):
        if not set(prior_scopes(evidence.measure, analysis.outcome)) & set(read_toml(path)):
            continue  # a set about something else
        for name, prior in read_priors(project, path.stem, analysis, evidence.measure).items():
            if name in found and prior not in found[name].values():
                found[name][path.stem] = prior
    return found


def prior_pairs(project: Project, analysis: Analysis, evidence: View) -> Pairs:
    """All pairs of a prior for mu and one for tau, by names such as ``sceptical × vague``.

    This is the one place that says which priors an atlas has. See `named_priors` for parameters and errors.
    """
    found = named_priors(project, analysis, evidence)
    return crossed(found[MU], found[TAU])


def published_pairs(project: Project, analysis: Analysis, evidence: View) -> Pairs:
    """Every prior for mu with every published one for tau; none on a scale that none was published for.

    Those of log odds ratios are also tried for log odds of single arms, and those of standardised differences
    for these alone. All were estimated from comparisons of two arms. Single arms may well differ more: the
    caller says so.
    """
    of = _PUBLISHED.get(evidence.measure)
    published = {
        name: entry.prior
        for name, entry in read_catalogue(project).items()
        if (entry.parameter, entry.measure) == (TAU, of) and not entry.suspect
    }
    return crossed(named_priors(project, analysis, evidence)[MU], published) if published else {}


def crossed(mu: Mapping[str, Prior], tau: Mapping[str, Prior]) -> Pairs:
    """Every prior for mu with every prior for tau.

    Raises
    ------
    PriorError
        If there is none of either.
    """
    if not mu or not tau:
        raise PriorError(f"expected priors for mu and for tau, found {len(mu)} and {len(tau)}")
    return {f"{m}{JOINT}{t}": (mu[m], tau[t]) for m in mu for t in tau}


def with_reference(
    pairs: Mapping[str, tuple[Prior, Prior]], label: str, pair: tuple[Prior, Prior]
) -> tuple[str, Pairs]:
    """Name of the reference's pair among `pairs`, and the pairs with it."""
    for name, known in pairs.items():
        if known == pair:
            return name, dict(pairs)
    name = f"{label}{JOINT}{label}"
    while name in pairs:
        name = f"{name}*"
    return name, {name: pair, **pairs}


def parts(name: str, pair: tuple[Prior, Prior]) -> tuple[str, str]:
    """Names of the two priors of a pair; their texts where the pair's name has only one part."""
    mu, joint, tau = name.partition(JOINT)
    return (mu, tau) if joint else (str(pair[0]), str(pair[1]))
