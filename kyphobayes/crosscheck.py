"""The frequentist answers to a question of the plan, without a fit: a second opinion in seconds."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kyphobayes.effects import effect_size
from kyphobayes.evidence import (
    Analysis,
    Contrasts,
    Counts,
    Rates,
    View,
    evidence_for,
    read_priors,
)
from kyphobayes.findings import findings
from kyphobayes.frequentist import tau2_interval
from kyphobayes.model import load_model
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.project import Project
from kyphobayes.witness import likelihoods, witness


@dataclass(frozen=True)
class Crosscheck:
    """Frequentist answers, and the exact one to compare.

    Attributes
    ----------
    analysis : Analysis
    methods : DataFrame
        From `kyphobayes.witness`: one row per method.
    heterogeneity : DataFrame
        Rows tau2 (on the model's scale) and i2 (percent): low and high of the Q-profile interval, the lowest
        and the highest over the count tables; empty for one study.
    left_out : DataFrame
        One row per study: the last method's estimate, interval and tau2 without it.
    likelihood : DataFrame
        Log likelihoods by the exact engine and by the witness.
    exact : DataFrame
        Posterior estimates by exact integration under the plan's priors.
    scale : NaturalScale
        Of all estimates.
    """

    analysis: Analysis
    methods: pd.DataFrame
    heterogeneity: pd.DataFrame
    left_out: pd.DataFrame
    likelihood: pd.DataFrame
    exact: pd.DataFrame
    scale: NaturalScale

    @property
    def apart(self) -> float:
        """The largest difference between the two log likelihoods."""
        return float((self.likelihood["exact"] - self.likelihood["frequentist"]).abs().max())

    def to_dict(self) -> dict[str, Any]:
        """As plain numbers and texts, for JSON."""
        return {
            "analysis": self.analysis.name,
            "question": self.analysis.question,
            "methods": self.methods.to_dict("index"),
            "heterogeneity": self.heterogeneity.to_dict("index"),
            "left_out": self.left_out.to_dict("index"),
            "exact": self.exact.to_dict("index"),
            "largest_difference_of_log_likelihoods": self.apart,
        }


def crosscheck(analysis: Analysis, project: Project) -> Crosscheck:
    """Answer a question of the plan by frequentist methods.

    Raises
    ------
    EvidenceError, PriorError, ImproperPosterior
    """
    evidence = evidence_for(analysis, project)
    priors = read_priors(project, analysis.priors, analysis, evidence.measure)
    surface = load_model(analysis.model, project).surface(evidence)
    posterior = surface.posterior(mu=priors["mu"], tau=priors["tau"])
    answer = findings(posterior, priors.label, below=analysis.decision.below, scale=evidence.scale)
    return Crosscheck(
        analysis,
        witness(evidence),
        heterogeneity(evidence),
        left_out(evidence),
        likelihoods(evidence, surface, posterior.summary()),
        answer.estimates,
        evidence.scale,
    )


def heterogeneity(evidence: View) -> pd.DataFrame:
    """Q-profile intervals of tau2 and I2, over all count tables."""
    if evidence.k < 2:
        return pd.DataFrame()
    if isinstance(evidence, Counts | Rates):
        named, of = ("n", evidence.n) if isinstance(evidence, Counts) else ("time", evidence.exposure)
        given = {"events": evidence.tables, named: np.broadcast_to(of, evidence.tables.shape)}
        sizes = effect_size(evidence.measure, given)
        pairs = list(zip(sizes.y, sizes.v, strict=True))
    else:
        assert isinstance(evidence, Contrasts)
        pairs = [(evidence.y, evidence.se**2)]
    found = [tau2_interval(y, v) for y, v in pairs]
    rows = {
        "tau2": [(one.low, one.high) for one in found],
        "i2": [(one.i2.low, one.i2.high) for one in found],
    }
    return pd.DataFrame(
        {name: {"low": min(low for low, _ in ends), "high": max(high for _, high in ends)}
         for name, ends in rows.items()}
    ).T  # fmt: skip


def left_out(evidence: View) -> pd.DataFrame:
    """The method of the last row, without each study in turn."""
    if evidence.k < 2:
        return pd.DataFrame()
    columns = ["estimate", "ci_low", "ci_high", "tau2", "remark"]
    rows = {
        label: witness(evidence.only(np.arange(evidence.k) != i)).iloc[-1][columns]
        for i, label in enumerate(evidence.labels)
    }
    return pd.DataFrame(rows).T.rename_axis("without")
