"""How a result was made, in words, from the stamps of its fits."""

import ast
import json

from kyphobayes.names import MU, TAU
from kyphobayes.report.values import main_fit
from kyphobayes.report.words import listed, whole
from kyphobayes.run import Result


def methods(result: Result) -> list[str]:
    """Sentences for a methods section."""
    evidence, priors = result.evidence, result.priors
    texts = [
        f"The events of {evidence.k} {'study' if evidence.k == 1 else 'studies'} were modelled as "
        f"{result.model.formula} Here mu is the log odds of an event in a typical centre, tau the standard "
        "deviation between centres, and a new centre has theta_new ~ Normal(mu, tau).",
        f"Priors ({priors.label.replace('_', ' ')}): mu ~ {priors[MU]}, tau ~ {priors[TAU]}.",
    ]
    if len(evidence.latent):
        texts.append(
            f"The counts of {len(evidence.latent)} studies are not printed; the likelihood is the "
            f"weighted mean "
            f"over the {len(evidence.tables)} count tables that agree with the paper."
        )
    if "exact" in result.fits:
        error = result.main.error
        texts.append(
            "The posterior was computed by adaptive quadrature, without sampling; the relative error of its "
            f"probabilities is estimated at {error:.0e}."
        )
    if "nuts" in result.fits:
        texts.append(_sampler(result))
    texts.append(
        "Intervals hold 95 % and leave 2.5 % on either side. The rates of single studies are those of "
        "the model, "
        "drawn together by what the studies have in common."
    )
    return texts


def _sampler(result: Result) -> str:
    marks = result.fits["nuts"].attrs
    settings = json.loads(marks.get("settings", "{}"))
    rung = ast.literal_eval(marks["rung"]) if "rung" in marks else {}
    chains, draws = settings.get("chains", "?"), settings.get("draws", "?")
    text = f"As a second witness the same model was sampled by NUTS ({settings.get('sampler', 'PyMC')}): "
    text += f"{chains} chains of {draws} draws"
    if "tune" in rung:
        text += f" after {whole(rung['tune'])} for tuning, target acceptance {rung['target_accept']:g}"
        text += f", {'centred' if rung.get('centred') else 'non-centred'} parametrisation"
    return f"{text}, seed {marks.get('seed', '?')}."


def stamps(result: Result) -> list[tuple[str, str]]:
    """Name and value of what identifies the fits."""
    marks = main_fit(result).attrs
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
