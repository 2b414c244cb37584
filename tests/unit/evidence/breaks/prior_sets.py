"""Prior sets."""

from tests.unit.evidence.breaks import PRIORS, Break

BREAKS = [
    Break(
        "no prior set",
        PRIORS,
        ("'weakly_informative'", "data/priors/", "empirical, sceptical, vague"),
        missing=True,
    ),
    Break("an empty set", PRIORS, (PRIORS, "nothing for cement_leakage or for PLO"), content=b""),
    Break("a set that is not TOML", PRIORS, ("weakly_informative.toml", "TOML"), "[PLO.mu]", "[PLO.mu"),
    Break(
        "a prior without a why", PRIORS, (PRIORS, "[PLO.mu]", "'wy'", "did you mean 'why'?"), "why =", "wy ="
    ),
    Break(
        "a prior that is a number",
        PRIORS,
        (PRIORS, "[PLO.tau]", "prior to be text", "1"),
        'prior = "HalfNormal(sigma=1)"',
        "prior = 1",
    ),
    Break(
        "a prior that is no table",
        PRIORS,
        (PRIORS, "[PLO.tau]", "expected a table", "'HalfNormal(sigma=1)'"),
        content=b'[PLO]\ntau = "HalfNormal(sigma=1)"\n',
    ),
    Break(
        "a scope that is no table",
        PRIORS,
        ("weakly_informative.toml", "PLO to be a table", "1"),
        content=b"PLO = 1\n",
    ),
    Break(
        "an unknown family",
        PRIORS,
        (PRIORS, "[PLO.tau]", "HalfNorml", "did you mean HalfNormal?"),
        "HalfNormal(sigma=1)",
        "HalfNorml(sigma=1)",
    ),
    Break(
        "a negative scale",
        PRIORS,
        (PRIORS, "[PLO.tau]", "sigma must be greater than 0", "-1"),
        "HalfNormal(sigma=1)",
        "HalfNormal(sigma=-1)",
    ),
    Break(
        "a standard deviation below zero",
        PRIORS,
        (PRIORS, "tau", "allows negative values", "Half"),
        "HalfNormal(sigma=1)",
        "Normal(mu=0, sigma=1)",
    ),
    Break(
        "code for a prior",
        PRIORS,
        (PRIORS, "[PLO.tau]", "expected a form such as HalfNormal(sigma=1)"),
        "HalfNormal(sigma=1)",
        "(lambda: 1)()",
    ),
    Break("a parameter that no model has", PRIORS, (PRIORS, "tua", "tau"), "[PLO.tau]", "[PLO.tua]"),
    Break(
        "a scope that is neither outcome nor measure",
        PRIORS,
        (PRIORS, "PLOO", "PLO"),
        "[PLO.tau]",
        "[PLOO.tau]",
    ),
]
