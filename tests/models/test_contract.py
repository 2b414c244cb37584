"""The contract of every file in models/: `build` and `surface` declare one and the same model.

At given (mu, tau) the study-level terms of the declared pm.Model's own graph are integrated numerically
over the studies' effects and compared with the surface. Nothing of the exact engine is used on the way.
"""

import ast
import importlib.metadata
import sys

import numpy as np
import pymc as pm
import pytensor
import pytest
from pymc.model.transform.conditioning import remove_value_transforms
from pytensor.graph.replace import vectorize_graph
from scipy import special

from kyphobayes.evidence import Contrasts, Counts, Rates, Tabulated, contrasts, counts, rates
from kyphobayes.model import load_model, model_names
from kyphobayes.names import GLOBALS, LATENT, MU, REPORTED, STUDY, TABLE, TAU, THETA, THETA_NEW
from kyphobayes.project import Project, default_project

ALL = model_names()
# Models of one effect in every study, with mu, tau and theta; others have tests of their own, as
# `test_arm_comparison.py`, which holds the surface to the graph, and those of the patients.
MODELS = [name for name in ALL if load_model(name).view in (Counts, Rates, Contrasts)]
TOLERANCE = 1e-7  # of the log marginal likelihood, absolute
NEW = {THETA_NEW, "z_new"}
POINTS = 401  # of the trapezoid rule over one study's effect
DEPTH = 60.0  # how far below its top (in logs) an integrand is left out
_PYTHON = pytensor.compile.mode.Mode(
    linker="py", optimizer="fast_compile"
)  # these graphs are run a few times

_nan = np.nan
COUNTS = {
    "one study": counts([3], [40]),
    "one study, no event": counts([0], [22]),
    "a zero cell": counts([0, 5, 4], [32, 35, 19]),
    "no event at all": counts([0, 0, 0], [32, 22, 128]),
    "all events": counts([12, 7, 30], [12, 9, 30]),
    "nine studies": counts([0, 5, 4, 19, 2, 0, 8, 41, 1], [32, 35, 19, 264, 46, 128, 59, 99, 1]),
}
LATENT_COUNTS = {
    "two of four latent": counts(
        [0, 5, _nan, _nan],
        [32, 35, 30, 40],
        tables=[[0, 5, 2, 4], [0, 5, 3, 3], [0, 5, 0, 6]],
        weights=[1, 1, 2],
    ),
    "all three latent": counts([_nan] * 3, [15, 60, 20], tables=[[0, 9, 1], [1, 9, 0], [5, 0, 5]]),
    "one study, latent": counts([_nan], [30], tables=[[3], [0], [30]], weights=[0.2, 0.3, 0.5]),
    "latent between reported": counts(
        [4, _nan, 0, _nan, 7], [50, 30, 25, 64, 9], tables=[[4, 1, 0, 8, 7], [4, 9, 0, 0, 7]], weights=[3, 1]
    ),
}
CONTRASTS = {
    "one study": contrasts([0.4], [0.3]),
    "three studies": contrasts([-1.2, 0.4, 0.1], [0.3, 0.05, 1.1]),
    "nine studies": contrasts(np.linspace(-2, 1.5, 9) ** 3, np.geomspace(0.02, 3, 9)),
}
RATES = {
    "one rate": rates([3], [12.5]),
    "one rate, no event": rates([0], [0.4]),
    "rates, one of them 0": rates([0, 21, 4], [18.0, 21.0, 130.0]),
    "rates without an event": rates([0, 0, 0], [2.0, 0.3, 50.0]),
}
LATENT_RATES = {
    "rates, two of four latent": rates(
        [0, 5, _nan, _nan],
        [32, 3.5, 0.3, 400],
        tables=[[0, 5, 2, 4], [0, 5, 3, 3], [0, 5, 0, 6]],
        weights=[1, 1, 2],
    ),
    "rates, all latent": rates([_nan] * 2, [1.5, 60], tables=[[0, 9], [1, 9], [5, 0]]),
}
EVIDENCE = {
    Counts: COUNTS | LATENT_COUNTS,
    Contrasts: CONTRASTS,
    Rates: RATES | LATENT_RATES,
}
WITH_LATENT = LATENT_COUNTS | LATENT_RATES


def cases(*, latent):
    """Every model with every evidence of its view; one whose view has none is a failing case."""
    none = {"no evidence of its view in test_contract.py": None}
    return [
        pytest.param(name, evidence, id=f"{name}-{label}")
        for name in MODELS
        for label, evidence in EVIDENCE.get(load_model(name).view, none).items()
        if (label in WITH_LATENT) == latent
    ]


def hyperparameters(evidence, seed, size=3):
    """Random (mu, tau): from studies almost alike to studies far apart."""
    rng = np.random.default_rng(seed)
    spread = 1.5 if isinstance(evidence, Tabulated) else 1.0
    mu = rng.normal(-1.0 if isinstance(evidence, Tabulated) else 0.0, spread, size)
    return list(zip(mu.tolist(), np.exp(rng.uniform(np.log(0.05), np.log(3.0), size)).tolist(), strict=True))


# --- the declared graph as a function, and its integral -----------------------------------------------


def one_table(evidence, row):
    """The same evidence with a single count table: a likelihood that is a product over studies."""
    make, size = (rates, evidence.exposure) if isinstance(evidence, Rates) else (counts, evidence.n)
    return make(evidence.events, size, evidence.labels, tables=evidence.tables[row][None, :])


def locals_of(model):
    """Free variables with one value per study."""
    return [v for v in model.free_RVs if model.named_vars_to_dims.get(v.name) == (STUDY,)]


def declared_density(build, evidence, priors, centred):
    """log p(observed, effects | mu, tau) of the declared graph, as a function of (mu, tau, many effects)."""
    model = remove_value_transforms(build(evidence, priors, centred=centred))
    (local,) = locals_of(model)
    terms = model.logp(vars=[local, *model.observed_RVs, *model.potentials], sum=False, jacobian=False)
    effects = pytensor.tensor.matrix("effects")
    values = {value.name: value for value in model.value_vars}  # their order is not ours: by name
    many = vectorize_graph(sum(term.sum() for term in terms), {values[local.name]: effects})
    return pytensor.function([values[MU], values[TAU], effects], many, mode=_PYTHON, on_unused_input="ignore")


def log_integral(density, mu, tau, k, centred):
    """Log of the density integrated over the k effects, which it must be a product over."""
    start = np.full(k, mu if centred else 0.0)
    scale = tau if centred else 1.0

    def one_moves(study, points):
        effects = np.tile(start, (len(points), 1))
        effects[:, study] = points
        return density(mu, tau, effects)

    base = density(mu, tau, start[None])[0]
    rng = np.random.default_rng(0)
    anywhere = start + scale * rng.normal(size=(5, k))
    apart = base + sum(one_moves(i, anywhere[:, i]) - base for i in range(k))
    np.testing.assert_allclose(density(mu, tau, anywhere), apart, rtol=0, atol=1e-8)  # a product over studies
    total = base
    for study in range(k):
        # The effect lies at start + scale * sinh(x): in x the tails of a Student-t fall exponentially, too.
        def integrand(x, study=study):
            return one_moves(study, start[study] + scale * np.sinh(x)) + np.log(scale * np.cosh(x))

        high = 5.0
        while (heights := integrand(np.linspace(-high, high, 101)))[[0, -1]].max() > heights.max() - DEPTH:
            high *= 2
        low = -high
        for _ in range(4):  # narrow down to where the integrand, which has one peak, is not negligible
            grid = np.linspace(low, high, 101)
            heights = integrand(grid)
            inside = np.flatnonzero(heights > heights.max() - DEPTH)
            step = grid[1] - grid[0]
            low, high = grid[inside[0]] - step, grid[inside[-1]] + step
        grid = np.linspace(low, high, POINTS)
        total += special.logsumexp(integrand(grid) - base) + np.log(grid[1] - grid[0])
    return total


def worst_difference(build, surface, evidence, priors, centred, seed=0):
    """Largest difference between the integrated declaration and the surface over random (mu, tau)."""
    density = declared_density(build, evidence, priors, centred)
    integrated_out = surface(evidence)
    differences = [
        abs(
            log_integral(density, mu, tau, evidence.k, centred)
            - integrated_out.log_likelihood(mu, tau).item()
        )
        for mu, tau in hyperparameters(evidence, seed)
    ]
    return max(differences)


def worst_mixture_difference(build, evidence, priors, centred):
    """Largest difference, at random effects, between the declared mixture and the mean of its tables."""
    mixed = declared_density(build, evidence, priors, centred)
    tables = range(len(evidence.tables))
    singles = [declared_density(build, one_table(evidence, row), priors, centred) for row in tables]
    rng = np.random.default_rng(5)
    worst = 0.0
    for mu, tau in hyperparameters(evidence, 5):
        effects = (mu if centred else 0.0) + (tau if centred else 1.0) * rng.normal(size=(20, evidence.k))
        by_table = np.stack([single(mu, tau, effects) for single in singles])
        expected = special.logsumexp(by_table, axis=0, b=evidence.weights[:, None])
        worst = max(worst, np.abs(mixed(mu, tau, effects) - expected).max())
    return worst


# --- build says what surface says ----------------------------------------------------------------------


@pytest.mark.parametrize("centred", [True, False], ids=["centred", "non-centred"])
@pytest.mark.parametrize(("name", "evidence"), cases(latent=False))
def test_surface_is_the_integral_of_what_build_declares(name, evidence, centred):
    model = load_model(name)
    assert model.surface is not None
    assert worst_difference(model.build, model.surface, evidence, model.priors, centred) < TOLERANCE


@pytest.mark.parametrize("centred", [True, False], ids=["centred", "non-centred"])
@pytest.mark.parametrize(("name", "evidence"), cases(latent=True))
def test_surface_of_each_single_table_is_the_integral_of_what_build_declares(name, evidence, centred):
    model = load_model(name)
    assert model.surface is not None
    for row in range(len(evidence.tables)):
        single = one_table(evidence, row)
        assert (
            worst_difference(model.build, model.surface, single, model.priors, centred, seed=row) < TOLERANCE
        )


@pytest.mark.parametrize("centred", [True, False], ids=["centred", "non-centred"])
@pytest.mark.parametrize(("name", "evidence"), cases(latent=True))
def test_declared_mixture_is_the_weighted_mean_of_its_tables(name, evidence, centred):
    model = load_model(name)
    assert worst_mixture_difference(model.build, evidence, model.priors, centred) < 1e-9


@pytest.mark.parametrize(("name", "evidence"), cases(latent=True))
def test_surface_of_the_mixture_is_the_weighted_mean_of_its_tables(name, evidence):
    model = load_model(name)
    mu, tau = np.linspace(-5, 2, 8), np.geomspace(0.02, 5, 7)
    singles = [
        model.surface(one_table(evidence, row)).log_likelihood(mu, tau) for row in range(len(evidence.tables))
    ]
    expected = special.logsumexp(singles, axis=0, b=evidence.weights[:, None, None])
    np.testing.assert_allclose(model.surface(evidence).log_likelihood(mu, tau), expected, rtol=0, atol=1e-10)


# --- a wrong declaration is caught by the same comparison ------------------------------------------------

EDITS = [
    (
        "binomial_normal",
        "a zero cell",
        True,
        'pm.Normal("theta", mu, tau,',
        'pm.Normal("theta", mu, 2 * tau,',
    ),
    ("binomial_normal", "a zero cell", False, "mu + tau * z", "mu + tau**2 * z"),
    ("binomial_normal", "a zero cell", True, "n=evidence.n[printed]", "n=1 + evidence.n[printed]"),
    (
        "binomial_normal",
        "a zero cell",
        True,
        "printed, latent = evidence.reported,",
        "printed, latent = evidence.reported[1:],",
    ),
    ("binomial_normal", "a zero cell", True, "logit_p=theta[printed]", "p=pm.math.invprobit(theta[printed])"),
    ("binomial_normal", "latent", True, "n=evidence.n[latent]", "n=evidence.n[latent] + 1"),
    (
        "poisson_normal",
        "rates, one of them 0",
        True,
        "evidence.exposure * rate",
        "rate",
    ),
    ("poisson_normal", "rates, one of them 0", False, "mu + tau * z", "mu + z"),
    ("poisson_normal", "latent", True, "mean=expected[latent]", "mean=2 * expected[latent]"),
    (
        "heavy_tails",
        "a zero cell",
        True,
        'pm.StudentT("theta", nu=NU, mu=mu',
        'pm.StudentT("theta", nu=5, mu=mu',
    ),
    ("heavy_tails", "a zero cell", False, "mu + tau * z,", "mu + z,"),
    ("heavy_tails", "a zero cell", True, "student_effects(normal, NU)", "student_effects(normal, 2 * NU)"),
    ("heavy_tails", "latent", True, "n=evidence.n[latent]", "n=evidence.n[latent] + 1"),
    ("outlying_studies", "a zero cell", True, "[tau, RATIO * tau]", "[tau, RATIO * RATIO * tau]"),
    ("outlying_studies", "a zero cell", True, "[1 - SHARE, SHARE]", "[SHARE, 1 - SHARE]"),
    (
        "outlying_studies",
        "a zero cell",
        False,
        'pm.NormalMixture("z", w=shares, mu=0, sigma=[1, RATIO]',
        'pm.NormalMixture("z", w=shares, mu=0, sigma=[1, RATIO + 1]',
    ),
    ("outlying_studies", "latent", True, "(normal, SHARE, RATIO)", "(normal, SHARE / 2, RATIO)"),
    (
        "normal_normal",
        "three studies",
        True,
        "theta, evidence.se, observed",
        "theta, evidence.se**2, observed",
    ),
    ("normal_normal", "three studies", False, 'mu + tau * pm.Normal("z",', 'mu + 2 * tau * pm.Normal("z",'),
    ("normal_normal", "three studies", False, 'pm.Normal("z", dims', 'pm.Normal("z", 0, 1.001, dims'),
    (
        "normal_normal",
        "three studies",
        True,
        "return exact.normal(evidence.y, evidence.se, labels=evidence.labels)",
        "return exact.normal(evidence.y[1:], evidence.se[1:])",
    ),
    (
        "normal_normal",
        "three studies",
        True,
        'pm.Normal("theta", mu, tau,',
        'pm.StudentT("theta", 30, mu=mu, sigma=tau,',
    ),
]


@pytest.fixture
def edited(tmp_path):
    """Load a model file after one edit of its source."""

    def edit(name, old, new):
        source = load_model(name).path.read_text(encoding="utf-8")
        assert source.count(old) == 1, "the edit no longer fits the model file"
        for folder in ("data", "models"):
            (tmp_path / folder).mkdir()
        (tmp_path / "models" / f"{name}.py").write_text(source.replace(old, new), encoding="utf-8")
        return load_model(name, Project(tmp_path))

    return edit


@pytest.mark.parametrize(("name", "label", "centred", "old", "new"), EDITS, ids=[e[4] for e in EDITS])
def test_a_wrong_line_in_a_model_file_is_caught(name, label, centred, old, new, edited):
    wrong = edited(name, old, new)
    if label == "latent":
        latent = {Counts: "latent between reported", Rates: "rates, two of four latent"}
        evidence = one_table(WITH_LATENT[latent[wrong.view]], 0)
    else:
        evidence = EVIDENCE[wrong.view][label]
    assert worst_difference(wrong.build, wrong.surface, evidence, wrong.priors, centred) > 1000 * TOLERANCE


@pytest.mark.parametrize(
    ("name", "label"),
    [("binomial_normal", "latent between reported"), ("poisson_normal", "rates, two of four latent")],
)
def test_wrong_weights_of_the_tables_are_caught(name, label, edited):
    wrong = edited(name, "weights=evidence.weights,", "weights=evidence.weights[::-1],")
    evidence = WITH_LATENT[label]
    assert worst_mixture_difference(wrong.build, evidence, wrong.priors, True) > 1e-3


# --- the naming rules, which let every engine, check and table work on every model -------------------------


def any_evidence(model):
    """Every evidence of the model's view."""
    return list(EVIDENCE[model.view].values())


@pytest.mark.parametrize("centred", [True, False], ids=["centred", "non-centred"])
@pytest.mark.parametrize("name", MODELS)
def test_variables_are_named_by_the_rules(name, centred):
    model = load_model(name)
    for evidence in any_evidence(model):
        declared = model.build(evidence, model.priors, centred=centred)
        dims = declared.named_vars_to_dims
        free = {v.name for v in declared.free_RVs}
        without_dims = {v for v in free if not dims.get(v)}
        assert without_dims - NEW == set(model.priors)
        assert set(GLOBALS) <= set(model.priors)
        assert len(without_dims & NEW) == 1
        assert [dims[v] for v in free - without_dims] == [(STUDY,)]
        assert {THETA, THETA_NEW} <= set(declared.named_vars)
        assert dims[THETA] == (STUDY,) and not dims.get(THETA_NEW)
        assert (THETA in free) == (THETA_NEW in free) == centred
        observed = [dims[v.name] for v in declared.observed_RVs]
        assert observed and set(observed) <= {(STUDY,), (REPORTED,), (TABLE, LATENT)}
        seen = [label for dim in (STUDY, REPORTED, LATENT) if any(dim in d for d in observed)
                for label in declared.coords[dim]]  # fmt: skip
        assert sorted(seen) == sorted(evidence.labels)  # every study is observed once
        assert tuple(declared.coords[STUDY]) == evidence.labels


@pytest.mark.parametrize("name", MODELS)
def test_parametrisation_is_not_centred_unless_asked(name):
    model = load_model(name)
    evidence = any_evidence(model)[0]
    free = {v.name for v in model.build(evidence).free_RVs}
    assert free == {v.name for v in model.build(evidence, model.priors, centred=False).free_RVs}
    assert THETA not in free


@pytest.mark.parametrize("name", MODELS)
def test_priors_are_those_that_were_asked_for(name):
    model = load_model(name)
    priors = model.priors.replace(mu="Normal(mu=1.5, sigma=0.25)", tau="Exponential(lam=3)")
    declared = remove_value_transforms(model.build(any_evidence(model)[0], priors, centred=True))
    values = {value.name: value for value in declared.value_vars}
    terms = declared.logp(vars=[declared[MU], declared[TAU]], sum=False, jacobian=False)
    found = pytensor.function([values[MU], values[TAU]], terms, mode=_PYTHON)(1.9, 0.4)
    expected = [-0.5 * (0.4 / 0.25) ** 2 - np.log(0.25 * np.sqrt(2 * np.pi)), np.log(3) - 3 * 0.4]
    np.testing.assert_allclose(
        np.ravel(found), expected, rtol=1e-12
    )  # PyTensor holds 0.25 in single precision


@pytest.mark.parametrize("name", MODELS)
def test_the_model_can_be_drawn_from(name):
    model = load_model(name)
    evidence = any_evidence(model)[-1]
    declared = model.build(evidence, model.priors)
    names = [THETA, THETA_NEW, *(v.name for v in declared.observed_RVs)]
    drawn = dict(zip(names, pm.draw([declared[n] for n in names], draws=50, random_seed=1), strict=True))
    assert drawn[THETA].shape == (50, evidence.k) and drawn[THETA_NEW].shape == (50,)
    for variable in declared.observed_RVs:
        shape = tuple(len(declared.coords[d]) for d in declared.named_vars_to_dims[variable.name])
        values = drawn[variable.name]
        assert values.shape == (50, *shape)
        assert np.isfinite(values).all() and np.ptp(values) > 0
        if TABLE in declared.named_vars_to_dims[variable.name]:
            assert (values == values[:, :1]).all()  # a replicate is one row of counts
            most = evidence.n[evidence.latent] if isinstance(evidence, Counts) else np.inf
            assert (values >= 0).all() and (values <= most).all()
    assert np.corrcoef(drawn[THETA][:, 0], drawn[THETA_NEW])[0, 1] > 0.3  # they share mu


# --- the file itself ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_docstring_begins_with_the_formula(name):
    model = load_model(name)
    first = (ast.get_docstring(ast.parse(model.path.read_text(encoding="utf-8"))) or "").splitlines()[0]
    assert model.formula == first
    assert "~" in first and first.endswith(".")


@pytest.mark.parametrize("name", ALL)
def test_file_takes_no_name_that_python_or_a_dependency_has(name):
    assert name not in sys.stdlib_module_names
    assert name not in importlib.metadata.packages_distributions()


@pytest.mark.parametrize("name", ALL)
def test_file_runs_as_a_script(name):
    last = ast.parse(load_model(name).path.read_text(encoding="utf-8")).body[-1]
    assert ast.unparse(last) == "if __name__ == '__main__':\n    run_model(__file__)"


def test_every_file_in_the_folder_is_a_model():
    files = {path.stem for path in default_project().models.iterdir() if path.name != "__pycache__"}
    assert files == set(ALL)
    assert {"binomial_normal", "normal_normal"} <= files
