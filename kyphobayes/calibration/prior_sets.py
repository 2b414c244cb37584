"""Priors under which a model is calibrated: its own, vague ones, and ones under which events are rare."""

from kyphobayes.errors import PriorError
from kyphobayes.evidence import View, read_plan, read_priors
from kyphobayes.evidence.questions import read_questions
from kyphobayes.model import Model
from kyphobayes.names import IRLN, MU, OR, PLO
from kyphobayes.priors import Priors
from kyphobayes.project import Project

DEFAULT, VAGUE, RARE = "default", "vague", "rare"
SETS = (DEFAULT, VAGUE, RARE)

# Typical rates of some 0.1 to 5 %: most series of this size see no event.
_RARE = "Normal(mu=-5, sigma=1)"
_LEVELS = {PLO: (MU, "mu_leak", "mu_fracture"), IRLN: (MU,), OR: ("baseline",)}


def prior_sets(model: Model, evidence: View, project: Project) -> dict[str, Priors]:
    """Prior sets by name, as many of `SETS` as there are.

    Vague priors are those of the plan: of a question that fits the model, or of ``data/priors`` for its
    measure. Rare events are the model's own priors with a low level, where it has one.
    """
    found = {DEFAULT: Priors(model.priors.entries, DEFAULT)}
    if (vague := _vague(model, evidence, project)) is not None:
        found[VAGUE] = vague
    lowered = [name for name in _LEVELS.get(evidence.measure, ()) if name in model.priors]
    if lowered:
        rare = model.priors.replace(**dict.fromkeys(lowered, _RARE))
        found[RARE] = Priors(rare.entries, RARE)
    return found


def _vague(model: Model, evidence: View, project: Project) -> Priors | None:
    names = set(model.priors)
    for question in read_questions(project).values():
        for priors in question.priors:
            if question.fits(model.name) and priors.label == VAGUE and names <= set(priors):
                return _proper(Priors(tuple((n, priors[n]) for n in model.priors), VAGUE))
    for analysis in read_plan(project).values():
        try:
            priors = read_priors(project, VAGUE, analysis, evidence.measure)
        except PriorError:  # a project without vague priors, or without any for this measure
            return None
        if known := {name: prior for name, prior in priors.items() if name in names}:
            return _proper(Priors(tuple((n, known.get(n, p)) for n, p in model.priors.entries), VAGUE))
    return None


def _proper(priors: Priors) -> Priors | None:
    """None of priors that nothing can be drawn from."""
    return priors if all(prior.proper for prior in priors.values()) else None
