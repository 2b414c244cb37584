"""Designs whose data are simulated: sizes of studies, without what they found.

Models of studies get made-up studies, k of them; models of one data set that is at hand get its own design,
such as 22 patients with these vertebrae and these months of follow-up.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from kyphobayes.errors import InputError
from kyphobayes.evidence import (
    Contrasts,
    CovariateCounts,
    FollowUp,
    JointCounts,
    PrePostMeans,
    Rates,
    TwoArms,
    View,
    contrasts,
    counts,
    rates,
    two_arms,
)
from kyphobayes.evidence.covariates import FIRST, SECOND, with_covariate
from kyphobayes.evidence.follow_up import read_follow_up
from kyphobayes.evidence.joint import joint_counts
from kyphobayes.evidence.leakage_sites import LeakSites, read_leak_sites
from kyphobayes.evidence.patients import PatientPain, read_patient_pain
from kyphobayes.evidence.pre_post_asked import read_pre_post
from kyphobayes.evidence.pre_post_rows import read_pre_post_means
from kyphobayes.evidence.questions import Question, read_questions
from kyphobayes.evidence.vertebrae import VertebraAngles, read_vertebra_angles
from kyphobayes.evidence.views import Counts
from kyphobayes.model import Model
from kyphobayes.project import Project

# Repeated as far as needed: small series, some of them very small, as in this field.
PATIENTS = (20, 35, 50, 80, 30, 120, 25)
YEARS = (12.0, 40.0, 25.0, 90.0, 8.0, 60.0, 30.0)
ERRORS = (0.2, 0.3, 0.25, 0.4, 0.5, 0.15, 0.3)


def designs(model: Model, project: Project, ks: Sequence[int]) -> dict[int, View]:
    """Design for each number of studies; of a model of one data set that of the data set, whatever is asked.

    Parameters
    ----------
    model : Model
    project : Project
        For models of a data set.
    ks : sequence of int

    Returns
    -------
    dict of int to View
        By k. What a view holds as its data stands for nothing.

    Raises
    ------
    InputError
        If nothing is known of the view that the model takes.
    """
    if model.view in _OF_STUDIES:
        return {k: _OF_STUDIES[model.view](k) for k in ks}
    if model.view in _AT_HAND:
        design = _AT_HAND[model.view](project, model)
        return {design.k: design}
    raise InputError(
        f"models/{model.name}.py takes {model.view.__name__}, of which no design is known; expected one of "
        f"{', '.join(view.__name__ for view in (*_OF_STUDIES, *_AT_HAND))}"
    )


def _counts(k: int) -> Counts:
    return counts(np.zeros(k), np.resize(PATIENTS, k), unit="patients")


def _covariate(k: int) -> CovariateCounts:
    return with_covariate(_counts(k), np.resize([FIRST, SECOND, SECOND], k))


def _two_arms(k: int) -> TwoArms:
    return two_arms(np.zeros(k), np.resize(PATIENTS, k), np.zeros(k), np.resize(PATIENTS[::-1], k))


def _joint(k: int) -> JointCounts:
    leaks = counts(np.zeros(k), 2 * np.resize(PATIENTS, k), unit="levels")  # two levels a patient
    return joint_counts(leaks, _counts(k))


def _rates(k: int) -> Rates:
    return rates(np.zeros(k), np.resize(YEARS, k))


def _contrasts(k: int) -> Contrasts:
    return contrasts(np.zeros(k), np.resize(ERRORS, k))


def _leak_sites(project: Project, model: Model) -> LeakSites:
    found = read_leak_sites(project)
    return replace(found, events=found.tables[0], tables=found.tables[:1], weights=np.ones(1))


def _pre_post(project: Project, model: Model) -> PrePostMeans:
    return read_pre_post_means(read_pre_post(_first_question(project, model)), project)[0]


def _first_question(project: Project, model: Model) -> Question:
    for question in read_questions(project).values():
        if question.fits(model.name):
            return question
    raise InputError(f"data/analyses.toml: expected a question with model = {model.name!r}, found none")


_OF_STUDIES: dict[type[View], Callable[[int], View]] = {
    Counts: _counts,
    CovariateCounts: _covariate,
    TwoArms: _two_arms,
    JointCounts: _joint,
    Rates: _rates,
    Contrasts: _contrasts,
}
_AT_HAND: dict[type[View], Callable[[Project, Model], View]] = {
    PatientPain: lambda project, _: read_patient_pain(project),
    VertebraAngles: lambda project, _: read_vertebra_angles(project),
    FollowUp: lambda project, _: read_follow_up(project),
    LeakSites: _leak_sites,
    PrePostMeans: _pre_post,
}
