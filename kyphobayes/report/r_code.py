"""The same analysis in R: metafor, bayesmeta and brms, with the data in the script.

What a package cannot say as we do is said in a comment: bayesmeta takes estimates to be normal, and all three
take counts to be known.
"""

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

import kyphobayes
from kyphobayes.evidence import Contrasts, Counts, Rates, Tabulated
from kyphobayes.fits import latent_table_probabilities
from kyphobayes.names import IRLN, MU, PLO, RATIOS, TAU
from kyphobayes.priors import Prior
from kyphobayes.report.r_priors import in_bayesmeta, in_stan
from kyphobayes.run import Result

_BETWEEN = ",\n    "
_WIDE = 84  # characters
_IMPUTED = 10  # tables that stand for all, by their probability

# Between the effect of the model and what people read, in R.
_THERE = {PLO: "plogis", IRLN: "exp", **dict.fromkeys(RATIOS, "exp")}
_BACK = {PLO: "qlogis", IRLN: "log", **dict.fromkeys(RATIOS, "log")}
_TRANSF = {PLO: ", transf = transf.ilogit", IRLN: ", transf = exp", **dict.fromkeys(RATIOS, ", transf = exp")}


def r_code(result: Result) -> str:
    """Write the script of one analysis.

    Parameters
    ----------
    result : Result

    Returns
    -------
    str
        Parses in R, whatever the labels of the studies are: they stand in quotes, with escapes.
    """
    evidence = result.evidence
    parts = [_opening(result)]
    if isinstance(evidence, Tabulated):
        table, told = _table(result, evidence)
        parts += [told, _counts_data(evidence, table)]
    else:
        assert isinstance(evidence, Contrasts)
        parts.append(_contrasts_data(evidence))
    parts += [_metafor(result), _bayesmeta(result), _brms(result)]
    if isinstance(evidence, Tabulated) and len(evidence.tables) > 1:
        parts.append(_multiple(result, evidence))
    return "\n\n".join(part for part in parts if part) + "\n"


def quoted(label: str) -> str:
    r"""Write a text as a string of R, everything beyond printable ASCII escaped.

    Examples
    --------
    >>> print(quoted('a "b" \\ ã'))
    "a \"b\" \\ \u00e3"
    """
    plain = json.dumps("".join(c for c in label if c >= " " and c != "\x7f"), ensure_ascii=False)
    return "".join(c if c < "\x7f" else _escaped(ord(c)) for c in plain)


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def comment(words: str) -> str:
    """Write words as comments of some hundred characters a line; a line break in them ends nothing."""
    lines, line = [], "#"
    for word in words.split():
        if len(line) + len(word) > 98 and line != "#":
            lines.append(line)
            line = "#"
        line += f" {word}"
    return "\n".join([*lines, line])


def _opening(result: Result) -> str:
    return "\n".join(
        [
            comment(f"{result.analysis.title}: the same analysis in R."),
            comment(f"Written by kyphobayes {kyphobayes.__version__}."),
            comment(f"Question: {result.analysis.question}") if result.analysis.question else "#",
            comment(f"Model: {result.model.formula}"),
            *(comment(f"Prior: {name} ~ {prior}. {prior.why}") for name, prior in result.priors.entries),
        ]
    )


# -- data ---------------------------------------------------------------------------------------------------


def _table(result: Result, evidence: Tabulated) -> tuple[int, str]:
    """The most probable count table, and what is to be said of it."""
    if len(evidence.tables) == 1:
        return 0, ""
    chances = _chances(result, evidence)
    best = int(np.argmax(chances))
    missing = ", ".join(evidence.labels[i] for i in evidence.latent)
    return best, comment(
        f"NOT THE SAME: the counts of {missing} are not printed. {len(evidence.tables)} tables agree with "
        f"what is; kyphobayes averages over all of them, this script uses the most probable one (probability "
        f"{chances[best]:.2f} after the model has seen it). Its last part averages over some."
    )


def _chances(result: Result, evidence: Tabulated) -> NDArray[np.float64]:
    found = latent_table_probabilities(result.fit) if result.fits else None
    return evidence.weights / evidence.weights.sum() if found is None else found.to_numpy(dtype=float)


def _counts_data(evidence: Tabulated, table: int) -> str:
    assert isinstance(evidence, Counts | Rates)
    size = evidence.n if isinstance(evidence, Counts) else evidence.exposure
    name = "n" if isinstance(evidence, Counts) else "time"
    rows = [
        f"  study = {_strings(evidence.labels)},",
        f"  events = {_numbers(evidence.tables[table])},",
        f"  {name} = {_numbers(size)}",
    ]
    return "\n".join(["dat <- data.frame(", *rows, ")"])


def _contrasts_data(evidence: Contrasts) -> str:
    rows = [
        f"  study = {_strings(evidence.labels)},",
        f"  yi = {_numbers(evidence.y)},",
        f"  sei = {_numbers(evidence.se)}",
    ]
    return "\n".join(["dat <- data.frame(", *rows, ")"])


def _strings(labels: Sequence[str]) -> str:
    return vector([quoted(label) for label in labels])


def _numbers(values: NDArray[np.float64]) -> str:
    return vector([f"{float(value):.15g}" for value in values])


def vector(items: Sequence[str]) -> str:
    """Write a vector of R, in lines that a page can show."""
    lines, line = [], ""
    for place, item in enumerate(items):
        piece = item if place + 1 == len(items) else f"{item}, "
        if line and len(line) + len(piece) > _WIDE:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return "c(" + "\n    ".join([*lines, line]) + ")"


# -- metafor ------------------------------------------------------------------------------------------------


def _metafor(result: Result) -> str:
    measure, evidence = result.evidence.measure, result.evidence
    transf = _TRANSF.get(measure, "")
    test = 'test = "knha"' if evidence.k > 1 else 'test = "z"'
    lines = ["# ---- metafor: the frequentist estimates ----", "library(metafor)"]
    if isinstance(evidence, Contrasts):
        lines += [
            f'reml <- rma(yi, sei = sei, data = dat, slab = study, method = "REML", {test})',
            f"predict(reml{transf}, digits = 4)",
            'dl <- rma(yi, sei = sei, data = dat, slab = study, method = "DL")',
            f"predict(dl{transf}, digits = 4)",
        ]
        return "\n".join(lines)
    of = "xi = events, ni = n" if measure == PLO else "xi = events, ti = time"
    lines += [
        f'es <- escalc(measure = "{measure}", {of}, data = dat, slab = study)  # adds 0.5 to empty counts',
        f'reml <- rma(yi, vi, data = es, method = "REML", {test})',
        f"predict(reml{transf}, digits = 4)",
    ]
    if measure == PLO:
        lines += [
            'pr <- escalc(measure = "PR", xi = events, ni = n, data = dat)',
            'raw <- rma(yi, vi, data = pr, method = "DL")',
            "predict(raw, digits = 4)  # raw proportions, DerSimonian-Laird, Wald",
        ]
    if evidence.k > 1:
        lines += [
            f'glmm <- rma.glmm(measure = "{measure}", {of}, data = dat)  # exact likelihood; needs lme4',
            f"predict(glmm{transf}, digits = 4)",
        ]
    return "\n".join(lines)


# -- bayesmeta ----------------------------------------------------------------------------------------------


def _bayesmeta(result: Result) -> str:
    measure = result.evidence.measure
    lines = ["# ---- bayesmeta: exact, for estimates that are taken to be normal ----"]
    if not isinstance(result.evidence, Contrasts):
        lines.append(
            comment(
                "NOT THE SAME: the likelihood of the counts is replaced by a normal one of their logarithms "
                "(escalc above), which is wrong where counts are small and needs 0.5 added where they are 0."
            )
        )
    mu, tau = result.priors[MU], in_bayesmeta(result.priors[TAU])
    centre = ""
    if mu.family == "Normal":
        given = dict(mu.parameters)
        centre = f"  mu.prior.mean = {given['mu']:.12g}, mu.prior.sd = {given['sigma']:.12g},\n"
    elif mu.family != "Flat":
        lines.append(comment(f"NOT THE SAME: bayesmeta has normal priors for mu only; {mu} is left out."))
    if tau is None:
        lines.append(comment(f"NOT THE SAME: {result.priors[TAU]} is left out; tau has a flat prior here."))
        tau = '"uniform"'
    y = "dat$yi, sigma = dat$sei" if isinstance(result.evidence, Contrasts) else "es$yi, sigma = sqrt(es$vi)"
    there = _THERE.get(measure, "")
    shown = 'bm$summary[c("median", "95% lower", "95% upper"), c("mu", "theta")]'
    below = _below(result)
    rest = "1 - " if result.analysis.decision.side == "above" else ""
    lines += [
        "library(bayesmeta)",
        f"bm <- bayesmeta(y = {y}, labels = dat$study,\n{centre}  tau.prior = {tau})",
        f"{there}({shown}){_per(result)}" if there else shown,
        f"{rest}bm$pposterior(mu = {below})  # probability of the claim, typical",
        f"{rest}bm$pposterior(mu = {below}, predict = TRUE)  # and in a new study",
    ]
    return "\n".join(lines)


def _below(result: Result) -> str:
    """The decision's limit as an effect of the model, in R."""
    measure, limit = result.evidence.measure, result.main.below
    per = _per(result).replace("*", "/")
    back = _BACK.get(measure)
    return f"{back}({limit:.12g}{per})" if back else f"{limit:.12g}"


def _per(result: Result) -> str:
    per = result.evidence.per if isinstance(result.evidence, Rates) else 1.0
    return f" * {per:.12g}" if per != 1 else ""


# -- brms ---------------------------------------------------------------------------------------------------


def _brms(result: Result) -> str:
    fit = f"fit <- brm({_formula(result)},\n  data = dat,\n  {_settings(result)})"
    lines = ["# ---- brms: the same model, sampled by Stan ----", *_missing(result), "library(brms)", fit]
    return "\n".join([*lines, *_read_off(result, "fit")])


def _formula(result: Result) -> str:
    evidence = result.evidence
    if isinstance(evidence, Counts):
        return "events | trials(n) ~ 1 + (1 | study), family = binomial()"
    if isinstance(evidence, Rates):
        return "events ~ 1 + offset(log(time)) + (1 | study), family = poisson()"
    return "yi | se(sei) ~ 1 + (1 | study)"


def _settings(result: Result) -> str:
    said = [("Intercept", in_stan(result.priors[MU])), ("sd", in_stan(result.priors[TAU]))]
    named = [
        f'set_prior("{words}", class = "{name}")' if words else f'set_prior("", class = "{name}")'
        for name, words in said
        if words is not None
    ]
    prior = f"prior = c({_BETWEEN.join(named)}),\n  " if named else ""
    return f"{prior}chains = 4, iter = 4000, seed = 1, control = list(adapt_delta = 0.99)"


def _missing(result: Result) -> list[str]:
    absent: list[Prior] = [prior for prior in result.priors.values() if in_stan(prior) is None]
    return [
        comment(f"NOT THE SAME: brms cannot say {prior} in a line; its own default stands instead.")
        for prior in absent
    ]


def _read_off(result: Result, fit: str) -> list[str]:
    there, below = _THERE.get(result.evidence.measure, ""), _below(result)
    sign = ">" if result.analysis.decision.side == "above" else "<"
    ends = "c(0.5, 0.025, 0.975)"

    def shown(name: str) -> str:
        return f"{there}(quantile({name}, {ends})){_per(result)}" if there else f"quantile({name}, {ends})"

    return [
        f"draws <- as.data.frame({fit})",
        "following <- rnorm(nrow(draws), draws$b_Intercept, draws$sd_study__Intercept)",
        f"{shown('draws$b_Intercept')}  # typical",
        f"{shown('following')}  # next",
        f"mean(draws$b_Intercept {sign} {below})  # probability of the claim, typical",
        f"mean(following {sign} {below})  # and in the next",
    ]


def _multiple(result: Result, evidence: Tabulated) -> str:
    """The same over tables that stand for all, drawn by their probability after the data."""
    chances = np.cumsum(_chances(result, evidence))
    drawn = np.searchsorted(chances, (np.arange(_IMPUTED) + 0.5) / _IMPUTED)
    drawn = np.minimum(drawn, len(chances) - 1)
    tables = ",\n".join(f"  {_numbers(evidence.tables[table])}" for table in drawn)
    words = (
        f"Over the tables: {_IMPUTED} of them, taken evenly by their probability after the data, so that "
        "mixing the fits comes close to what kyphobayes does. Mixing tables by their weight before the data "
        "would not: the model also tells them apart."
    )
    return "\n".join(
        [
            "# ---- brms over tables ----",
            comment(words),
            f"tables <- list(\n{tables}\n)",
            "each <- lapply(tables, function(events) transform(dat, events = events))",
            f"several <- brm_multiple({_formula(result)},\n  data = each,\n  {_settings(result)})",
            *_read_off(result, "several"),
        ]
    )
