"""The leakage analysis of the plan, which several groups of rows work on."""

from dataclasses import dataclass
from functools import cache

from kyphobayes import exact
from kyphobayes.evidence import Counts, evidence_for, find_analysis, read_priors
from kyphobayes.model import Model, load_model
from kyphobayes.priors import Prior, Priors
from kyphobayes.project import default_project


@dataclass(frozen=True)
class Leakage:
    """Evidence, model and priors."""

    model: Model
    evidence: Counts
    priors: Priors

    @property
    def mu(self) -> Prior:
        """Prior of mu."""
        return self.priors["mu"]

    @property
    def tau(self) -> Prior:
        """Prior of tau."""
        return self.priors["tau"]

    def surface(self) -> exact.Surface:
        """Its surface, anew."""
        return exact.mixture(self.evidence.tables, self.evidence.n, self.evidence.weights)


@cache
def leakage() -> Leakage:
    """Read it from the tables."""
    project = default_project()
    analysis = find_analysis(project, "cement_leakage")
    evidence = evidence_for(analysis, project)
    assert isinstance(evidence, Counts)
    priors = read_priors(project, analysis.priors, analysis, evidence.measure)
    return Leakage(load_model(analysis.model, project), evidence, priors)
