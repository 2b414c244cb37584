"""What several test files share: hypothesis settings, small evidence, and fits made once per session."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from kyphobayes.project import Project

ROOT = Path(__file__).resolve().parents[1]

# The same examples on every machine and run: a failure in CI is a failure at the desk.
settings.register_profile("kyphobayes", deadline=None, max_examples=30, derandomize=True, print_blob=True)
settings.load_profile("kyphobayes")


@pytest.fixture(scope="session")
def project():
    """The tables and models of this checkout."""
    return Project(ROOT)


@pytest.fixture
def copied(tmp_path):
    """A copy of data/ and models/ that a test may break."""
    for folder in ("data", "models"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return Project(tmp_path)


@pytest.fixture(scope="session")
def latent_counts():
    """Four studies, one without an event; the counts of the last two are one of three tables."""
    from kyphobayes.evidence import counts

    return counts(
        [0, 5, np.nan, np.nan],
        [32, 35, 30, 40],
        ["a", "b", "c", "d"],
        tables=[[0, 5, 2, 4], [0, 5, 3, 3], [0, 5, 1, 5]],
        weights=[1, 1, 2],
    )


@pytest.fixture(scope="session")
def six_contrasts():
    """Six estimates with standard errors."""
    from kyphobayes.evidence import contrasts

    return contrasts([0.1, -0.3, 0.4, 0.2, 0.0, 0.6], [0.2, 0.15, 0.3, 0.25, 0.2, 0.3])


@pytest.fixture(scope="session")
def binomial_normal(project):
    from kyphobayes.model import load_model

    return load_model("binomial_normal", project)


@pytest.fixture(scope="session")
def normal_normal(project):
    from kyphobayes.model import load_model

    return load_model("normal_normal", project)


@pytest.fixture(scope="session")
def counts_exact(binomial_normal, latent_counts):
    from kyphobayes.engines import fit_exact

    return fit_exact(binomial_normal, latent_counts, binomial_normal.priors, seed=1)


@pytest.fixture(scope="session")
def counts_nuts(binomial_normal, latent_counts):
    from kyphobayes.engines import fit_nuts

    return fit_nuts(binomial_normal, latent_counts, binomial_normal.priors, seed=1)


@pytest.fixture(scope="session")
def contrasts_exact(normal_normal, six_contrasts):
    from kyphobayes.engines import fit_exact

    return fit_exact(normal_normal, six_contrasts, normal_normal.priors, seed=1)


@pytest.fixture(scope="session")
def contrasts_nuts(normal_normal, six_contrasts):
    from kyphobayes.engines import fit_nuts

    return fit_nuts(normal_normal, six_contrasts, normal_normal.priors, seed=1)
