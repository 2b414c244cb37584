"""Two treatments in the same studies, in R: metafor's ratios, and the same model in brms."""

from kyphobayes.evidence.two_arms import TwoArms
from kyphobayes.priors import Prior, Priors
from kyphobayes.report.r_code import comment, quoted, vector
from kyphobayes.report.r_priors import in_stan

# Parameters of the model with exchangeable baselines, and how brms calls them.
_CLASSES = {
    "mu": 'class = "b", coef = "x"',
    "baseline": 'class = "b", coef = "Intercept"',
    "tau": 'class = "sd", group = "study", coef = "x"',
    "tau_baseline": 'class = "sd", group = "study", coef = "Intercept"',
}


def r_comparison(title: str, evidence: TwoArms, priors: Priors) -> str:
    """Write the script of a comparison.

    Parameters
    ----------
    title : str
    evidence : TwoArms
    priors : Priors
        With exchangeable baselines: mu, tau, baseline and tau_baseline.
    """
    first, second = evidence.arms
    names = vector([quoted(label) for label in evidence.labels])
    counts = {
        "ai": evidence.events_1, "n1": evidence.n_1, "ci": evidence.events_2, "n2": evidence.n_2,
    }  # fmt: skip
    data = ",\n".join(f"  {name} = {vector([f'{x:g}' for x in values])}" for name, values in counts.items())
    settings = [
        f'set_prior("{words}", {_CLASSES[name]})'
        for name, prior in priors.entries
        if name in _CLASSES and (words := in_stan(prior)) is not None
    ]
    absent = [prior for prior in priors.values() if in_stan(prior) is None]
    return "\n".join(
        [
            comment(f"{title}: the same comparison in R. Arm 1 is {first}, arm 2 is {second}."),
            *(comment(f"Prior: {name} ~ {prior}. {prior.why}") for name, prior in priors.entries),
            "",
            f"dat <- data.frame(\n  study = {names},\n{data}\n)",
            "",
            "# ---- metafor ----",
            "library(metafor)",
            'rma.mh(measure = "OR", ai = ai, n1i = n1, ci = ci, n2i = n2, data = dat)',
            "rma.peto(ai = ai, n1i = n1, ci = ci, n2i = n2, data = dat)",
            'rma.glmm(measure = "OR", ai = ai, n1i = n1, ci = ci, n2i = n2, data = dat, model = "UM.FS")',
            'if (requireNamespace("BiasedUrn", quietly = TRUE))  # the exact conditional likelihood needs it',
            '  rma.glmm(measure = "OR", ai = ai, n1i = n1, ci = ci, n2i = n2, data = dat, model = "CM.EL")',
            "",
            "# ---- brms: exchangeable baselines, halfway between the arms ----",
            *(_confessed(prior) for prior in absent),
            "long <- with(dat, data.frame(study = rep(study, 2), x = rep(c(0.5, -0.5), each = nrow(dat)),",
            "  events = c(ai, ci), n = c(n1, n2)))",
            "library(brms)",
            "fit <- brm(events | trials(n) ~ 0 + Intercept + x + (1 | study) + (0 + x | study),",
            "  family = binomial(), data = long,",
            f"  prior = c({_BETWEEN.join(settings)}),",
            "  chains = 4, iter = 4000, seed = 1, control = list(adapt_delta = 0.99))",
            "draws <- as.data.frame(fit)",
            "following <- rnorm(nrow(draws), draws$b_x, draws$sd_study__x)",
            "exp(quantile(draws$b_x, c(0.5, 0.025, 0.975)))  # odds ratio, typical",
            "exp(quantile(following, c(0.5, 0.025, 0.975)))  # next",
            f"mean(draws$b_x < 0)  # probability of fewer with {_plain(first)}",
            "",
        ]
    )


_BETWEEN = ",\n    "


def _confessed(prior: Prior) -> str:
    return comment(f"NOT THE SAME: brms cannot say {prior} in a line; its own default stands instead.")


def _plain(name: str) -> str:
    return " ".join(name.split())
