"""Student-t and outlying effects: declared densities against SciPy; `test_contract.py` has the surfaces."""

import numpy as np
import pytest
from pymc.model.transform.conditioning import remove_value_transforms
from pytensor.compile.mode import Mode
from scipy import special, stats

from kyphobayes.evidence import counts
from kyphobayes.model import load_model

PYTHON = Mode(linker="py", optimizer=None)
EVENTS, N = np.array([0.0, 5.0, np.nan]), np.array([32.0, 35.0, 40.0])
TABLES, WEIGHTS = np.array([[0, 5, 2], [0, 5, 7]]), np.array([1.0, 3.0])
MU, TAU = -1.7, 0.8


def student(x):
    return stats.t.logpdf(x, 4, MU, TAU)


def contaminated(x):
    return np.log(0.9 * stats.norm.pdf(x, MU, TAU) + 0.1 * stats.norm.pdf(x, MU, 4 * TAU))


@pytest.mark.parametrize(("name", "density"), [("heavy_tails", student), ("outlying_studies", contaminated)])
@pytest.mark.parametrize("centred", [True, False])
def test_declared_density_is_the_formula(name, density, centred):
    model = load_model(name)
    evidence = counts(EVENTS, N, "abc", tables=TABLES, weights=WEIGHTS)
    declared = remove_value_transforms(model.build(evidence, model.priors, centred=centred))
    theta, new = np.array([-6.0, -1.4, 1.5]), 3.2
    scaled = (theta - MU) / TAU, (new - MU) / TAU
    effects = (
        {"theta": theta, "theta_new": new} if centred else dict(zip(("z", "z_new"), scaled, strict=True))
    )
    given = {"mu": MU, "tau": TAU, **effects}
    found = declared.compile_logp(jacobian=False, mode=PYTHON)(
        {v.name: given[v.name] for v in declared.value_vars}
    )
    p = special.expit(theta)
    expected = stats.norm.logpdf(MU, -2.5, 1.5) + stats.halfnorm.logpdf(TAU, scale=1)
    expected += density(theta).sum() + density(new)
    if not centred:
        expected += 4 * np.log(TAU)  # the effects in units of tau: three studies and the next
    expected += stats.binom.logpmf(EVENTS[:2], N[:2], p[:2]).sum()
    expected += np.log(WEIGHTS / WEIGHTS.sum() @ stats.binom.pmf(TABLES[:, 2], N[2], p[2]))
    assert float(found) == pytest.approx(expected, abs=1e-6)
