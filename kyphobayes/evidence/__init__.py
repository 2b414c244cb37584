"""The evidence: tables on disk, the plan, and the views of them that models take."""

from kyphobayes.evidence.covariates import CovariateCounts, with_covariate
from kyphobayes.evidence.follow_up import FollowUp, read_follow_up
from kyphobayes.evidence.joint import JointCounts, joint_counts, read_joint_counts
from kyphobayes.evidence.leakage_sites import LeakSites, read_leak_sites
from kyphobayes.evidence.patients import PatientPain, read_patient_pain
from kyphobayes.evidence.plan import (
    Analysis,
    Decision,
    find_analysis,
    prior_scopes,
    read_plan,
    read_priors,
)
from kyphobayes.evidence.pre_post_means import PrePostMeans, pre_post_means
from kyphobayes.evidence.rates import Rates, rates, rates_of
from kyphobayes.evidence.select import counts_for, evidence_for
from kyphobayes.evidence.tables import read_table
from kyphobayes.evidence.thresholds import Threshold, find_threshold, read_thresholds
from kyphobayes.evidence.two_arms import TwoArms, two_arms
from kyphobayes.evidence.vertebrae import VertebraAngles, read_vertebra_angles
from kyphobayes.evidence.views import Contrasts, Counts, Tabulated, View, contrasts, counts

__all__ = [
    "Analysis",
    "Contrasts",
    "Counts",
    "CovariateCounts",
    "Decision",
    "FollowUp",
    "JointCounts",
    "LeakSites",
    "PatientPain",
    "PrePostMeans",
    "Rates",
    "Tabulated",
    "Threshold",
    "TwoArms",
    "VertebraAngles",
    "View",
    "contrasts",
    "counts",
    "counts_for",
    "evidence_for",
    "find_analysis",
    "find_threshold",
    "joint_counts",
    "pre_post_means",
    "prior_scopes",
    "rates",
    "rates_of",
    "read_follow_up",
    "read_joint_counts",
    "read_leak_sites",
    "read_patient_pain",
    "read_plan",
    "read_priors",
    "read_table",
    "read_thresholds",
    "read_vertebra_angles",
    "two_arms",
    "with_covariate",
]
