"""How a result was made, in words that can be pasted into a paper, from the stamps of its fits."""

import ast
import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import xarray as xr

from kyphobayes.checks import Check
from kyphobayes.checks.convergence import BFMI, ESS, R_HAT
from kyphobayes.evidence import Contrasts, Rates, Tabulated
from kyphobayes.names import MEASURE_LABELS, MU, PLO, TAU
from kyphobayes.priors import Prior, Priors
from kyphobayes.questions import Answered
from kyphobayes.report.document import begun
from kyphobayes.report.sentences import STUDIES
from kyphobayes.report.words import counted, limit, listed, significant, threshold, whole
from kyphobayes.run import Result

_SHOWN = ("kyphobayes", "pymc", "arviz", "nutpie", "numpy", "scipy")  # versions that a paper names
_NAMES = {"pymc": "PyMC", "arviz": "ArviZ", "numpy": "NumPy", "scipy": "SciPy"}


def methods(result: Result) -> str:
    """Write the paragraph on the statistical analysis of a pooled result."""
    texts = [
        _modelled(result),
        _priors(result),
        *_latent(result),
        *_computed(result),
        _checked(result),
        _witnesses(result),
        _claim(result),
        "Intervals are central and hold 95 %.",
        _software(result.fits),
    ]
    return " ".join(text for text in texts if text)


def _modelled(result: Result) -> str:
    evidence, scale = result.evidence, result.scale
    if isinstance(evidence, Contrasts):
        data = f"The estimates of {counted(whole(evidence.k), 'studies')} with their standard errors"
    else:
        time = " in their time at risk" if isinstance(evidence, Rates) else ""
        data = f"The events{time} of {counted(whole(evidence.k), 'studies')}"
    cited = " (Hamza et al. 2008)" if evidence.measure == PLO else ""
    effect = MEASURE_LABELS.get(evidence.measure, evidence.measure)
    return (
        f"{data} were modelled hierarchically{cited}: {result.model.formula} Here mu is the effect "
        f"({effect}) in a typical {scale.one}, tau the standard deviation between "
        f"{STUDIES[scale.one].lower()}, and a {scale.one} that has not reported yet has "
        "theta_new ~ Normal(mu, tau) (Higgins et al. 2009)."
    )


def _priors(result: Result) -> str:
    own = result.priors
    text = (
        f"The priors of the main result were {_with_reason(MU, own[MU])} and {_with_reason(TAU, own[TAU])}."
    )
    others = [priors for label, priors in result.compared.items() if label != own.label]
    if not others:
        return f"{text} They were not compared with others."
    told = [f"{_label(priors)} (mu ~ {priors[MU]}, tau ~ {priors[TAU]})" for priors in others]
    text += f" The answer was compared under {counted(whole(len(others)), 'other sets')}: {listed(told)}."
    if result.sensitivity is not None:
        pairs = result.sensitivity.holds.size
        text += (
            f" All priors for mu were crossed with all for tau ({pairs} pairs), the smallest changes of a "
            "prior that change the conclusion were looked for, and both priors were power-scaled (Kallioinen "
            "et al. 2024)."
        )
    return text


def _with_reason(name: str, prior: Prior) -> str:
    why = prior.why.split(" Source: ")[0].rstrip(".")
    return f"{name} ~ {prior} ({why[0].lower() + why[1:]})" if why else f"{name} ~ {prior}"


def _label(priors: Priors) -> str:
    return priors.label.replace("_", " ")


def _latent(result: Result) -> list[str]:
    evidence = result.evidence
    if not isinstance(evidence, Tabulated) or not len(evidence.latent):
        return []
    return [
        f"The counts of {counted(whole(len(evidence.latent)), 'studies')} are not printed; the likelihood is "
        f"the weighted mean over the {counted(whole(len(evidence.tables)), 'count tables')} that "
        f"{'agrees' if len(evidence.tables) == 1 else 'agree'} with what is."
    ]


def _computed(result: Result) -> list[str]:
    texts = []
    if "exact" in result.fits:
        texts.append(
            "The posterior was computed by adaptive quadrature, without sampling; the relative error of its "
            f"probabilities is estimated at {result.main.error:.0e}."
        )
    if "nuts" in result.fits:
        again = "As a second witness the same model" if "exact" in result.fits else "The model"
        texts.append(f"{again} was sampled by {_sampler(result.fits['nuts'])}.")
        texts += [_converged(check) for check in result.checks if check.name == "convergence"]
    return texts


def _sampler(fit: xr.DataTree) -> str:
    """Sampler, chains, draws, tuning and seed of a fit, from its stamp."""
    marks = fit.attrs
    settings = json.loads(marks.get("settings", "{}"))
    rung = ast.literal_eval(marks["rung"]) if "rung" in marks else {}
    text = f"the No-U-Turn sampler (Hoffman and Gelman 2014; {settings.get('sampler', 'PyMC')}) with "
    text += f"{settings.get('chains', '?')} chains of {settings.get('draws', '?')} draws"
    if "tune" in rung:
        text += f" after {whole(rung['tune'])} for tuning, target acceptance {rung['target_accept']:g}"
        if "centred" in rung:
            text += f", {'centred' if rung['centred'] else 'non-centred'} parametrisation"
    return f"{text}, seed {marks.get('seed', '?')}"


def _converged(check: Check) -> str:
    """The bounds that draws were held to, and what they were."""
    asked = (
        f"Draws had to have R-hat of at most {R_HAT:g}, bulk and tail effective sample sizes of at least "
        f"{ESS} (Vehtari et al. 2021), no divergence, and E-BFMI of at least {BFMI:g} (Betancourt 2016)"
    )
    found: Any = check.table["worst"] if "worst" in check.table else pd.Series(dtype=float)
    if found.empty:
        return f"{asked}; {check.text}."
    told = [f"{name} {significant(float(value))}" for name, value in found.items()]
    return f"{asked}; the worst were {listed(told)}{'' if check.passed else ', which FAILED'}."


def _checked(result: Result) -> str:
    check = next((check for check in result.checks if check.name == "posterior predictive"), None)
    if check is None:
        return ""
    return f"Replicated were compared with observed data (Gelman, Meng and Stern 1996): {check.text}."


def _witnesses(result: Result) -> str:
    names = [str(name) for name in result.witness.index]
    check = next((check for check in result.checks if check.name == "agreement"), None)
    cited = "DerSimonian and Laird 1986; IntHout et al. 2014"
    text = f"The same evidence was pooled by frequentist methods ({'; '.join(names)}; {cited})"
    return f"{text}; of exact, sampled and frequentist answers {check.text}." if check else f"{text}."


def _claim(result: Result) -> str:
    decision, scale = result.analysis.decision, result.scale
    if not decision.words:
        return ""
    source = decision.source.rstrip(".")
    source = f" ({source[0].lower() + source[1:]})" if source else ""
    return (
        f"The claim that was judged, that {decision.words}, means a {scale.name} {result.main.side} "
        f"{limit(result.main.below, scale)}{source}; it is taken where its probability is at least "
        f"{threshold(decision.probability)}."
    )


def _software(fits: "dict[str, xr.DataTree]") -> str:
    found: dict[str, str] = {}
    for fit in fits.values():
        found |= json.loads(fit.attrs.get("versions", "{}"))
    told = [f"{_NAMES.get(name, name)} {found[name]}" for name in _SHOWN if name in found]
    if not told:
        return ""
    return f"Software: {listed(told)} (Abril-Pla et al. 2023; Kumar et al. 2019)."


# -- questions ----------------------------------------------------------------------------------------------


def answered_methods(answered: Answered) -> str:
    """Write the paragraph on the statistical analysis of another question."""
    question = answered.question
    formulas = list(dict.fromkeys(str(fit.attrs["formula"]) for fit in answered.fits.values()))
    texts = [f"Question: {question.question}"]
    if formulas:
        texts.append(f"{'Models' if len(formulas) > 1 else 'The model'}: {' '.join(formulas)}")
    else:
        texts.append("No model of its own was sampled; the answer is integrated from the analyses it names.")
    if question.priors:
        main, *others = question.priors
        told = [f"{name} ~ {prior}" for name, prior in main.entries]
        texts.append(f"The priors of the main result ({_label(main)}) were {listed(told)}.")
        if others:
            names = listed([_label(priors) for priors in others])
            texts.append(
                f"The answer was compared under {counted(whole(len(others)), 'other sets')}: {names}."
            )
    sampled = [fit for fit in answered.fits.values() if fit.attrs.get("engine") == "nuts"]
    if sampled:
        texts.append(f"The posterior was sampled by {_sampler(sampled[0])}.")
    texts += _checks_told(answered.checks)
    texts.append("Intervals are central and hold 95 %.")
    texts.append(_software(answered.fits))
    return " ".join(text for text in texts if text)


def _checks_told(checks: Sequence[Check]) -> list[str]:
    texts = []
    for check in checks:
        if check.name.startswith("convergence"):
            texts.append(_converged(check))
        else:
            texts.append(f"{begun(check.name)}{'' if check.passed else ', FAILED'}: {check.text}.")
    return texts


# -- stamps -------------------------------------------------------------------------------------------------


def stamps(result: Result) -> list[tuple[str, str]]:
    """Name and value of what identifies the fits."""
    if not result.fits:
        return []
    marks = result.fit.attrs
    rows = [("Model", f"models/{result.model.name}.py"), ("Seed", str(marks.get("seed", "")))]
    rows += [
        ("Digest of the model file", marks.get("model_digest", "")),
        ("Digest of the evidence", marks.get("evidence_digest", "")),
    ]
    rows += [
        (f"Digest of the {engine} fit", tree.attrs.get("digest", "")) for engine, tree in result.fits.items()
    ]
    versions = json.loads(marks.get("versions", "{}"))
    rows.append(("Software", listed([f"{name} {version}" for name, version in versions.items()])))
    return [(name, str(value)) for name, value in rows if value]
