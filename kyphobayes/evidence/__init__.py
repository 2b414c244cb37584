"""The evidence: tables on disk, the plan, and the views of them that models take."""

from kyphobayes.evidence.patients import PatientPain, read_patient_pain
from kyphobayes.evidence.plan import Analysis, Decision, find_analysis, read_plan, read_priors
from kyphobayes.evidence.select import evidence_for
from kyphobayes.evidence.tables import read_table
from kyphobayes.evidence.thresholds import Threshold, find_threshold, read_thresholds
from kyphobayes.evidence.two_arms import TwoArms, two_arms
from kyphobayes.evidence.views import Contrasts, Counts, View, contrasts, counts

__all__ = [
    "Analysis",
    "Contrasts",
    "Counts",
    "Decision",
    "PatientPain",
    "Threshold",
    "TwoArms",
    "View",
    "contrasts",
    "counts",
    "evidence_for",
    "find_analysis",
    "find_threshold",
    "read_patient_pain",
    "read_plan",
    "read_priors",
    "read_table",
    "read_thresholds",
    "two_arms",
]
