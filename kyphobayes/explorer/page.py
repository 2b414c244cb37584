"""The page of one analysis: data beside a template, a style sheet and the scripts that compute."""

import json
from collections.abc import Mapping
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from kyphobayes.errors import ImproperPosterior, InputError
from kyphobayes.exact import Posterior, Surface
from kyphobayes.explorer.code import code
from kyphobayes.explorer.likelihood import carried, reach, studies
from kyphobayes.explorer.shown import Claim, Words, captions, names, ranges, raw_estimates, sliders, transform
from kyphobayes.files import write
from kyphobayes.names import MU, PLO, TAU
from kyphobayes.natural_scale import NaturalScale
from kyphobayes.priors import Priors

if TYPE_CHECKING:
    from kyphobayes.evidence import Analysis

_SCRIPTS = (
    "panels.js", "families.js", "priors.js", "reader.js", "posterior.js", "effects.js", "pictures.js",
    "code.js", "page.js", "numbers.js", "curves.js", "tipping.js", "begin.js",
)  # fmt: skip


def write_explorer(
    path: Path,
    surface: Surface,
    priors: Mapping[str, Priors],
    scale: NaturalScale,
    words: Words,
    decision: Claim | None = None,
) -> Path:
    """Write the prior explorer of one analysis; the arguments are those of `explorer_page`.

    Parameters
    ----------
    path : Path
        Of the HTML file.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the file cannot be written, and as `explorer_page` does.
    """
    write(path, explorer_page(surface, priors, scale, words, decision))
    return path


def explore_analysis(
    path: Path, analysis: "Analysis", surface: Surface, priors: Mapping[str, Priors], scale: NaturalScale
) -> Path:
    """Write the explorer of an analysis of the plan.

    Parameters
    ----------
    path : Path
        Of the HTML file.
    analysis : Analysis
        Its title, question, decision and words are the page's.
    surface : Surface
    priors : mapping of str to Priors
        The compared sets, as in `Result.compared`: the main one first.
    scale : NaturalScale
        As in `Result.scale`.

    Raises
    ------
    InputError
        As `write_explorer` does.
    """
    words = Words(analysis.title, analysis.question, analysis.unit, analysis.event, analysis.next)
    return write_explorer(path, surface, priors, scale, words, analysis.decision)


def explorer_page(
    surface: Surface,
    priors: Mapping[str, Priors],
    scale: NaturalScale,
    words: Words,
    decision: Claim | None = None,
) -> str:
    """The prior explorer as one self-contained HTML page.

    Parameters
    ----------
    surface : Surface
        Of counts, or of estimates with standard errors, with normal effects.
    priors : mapping of str to Priors
        Named prior sets with `mu` and `tau`; the first is the main one.
    scale : NaturalScale
        On which effects are shown.
    words : Words
    decision : Claim, optional
        Such as `Decision` of the plan.

    Raises
    ------
    InputError
        If there are no priors, or the studies are of a kind that the page does not know.
    """
    if not priors:
        raise InputError("priors: expected at least one named prior set, found none")
    known = studies(surface)  # refuses what the page cannot show, before the work
    moved = sliders(surface, scale)
    reach(surface, tuple(moved["mu"]["location"]), moved["mu"]["scale"][1], moved["tau"]["scale"][1])
    raw = raw_estimates(surface, scale)
    solved = _posteriors(surface, priors)
    data = {
        "surface": carried(surface),
        "studies": known,
        "sets": [_set(label, each) for label, each in priors.items()],
        "scale": {
            "transform": transform(scale),
            "times": float(scale.natural(0.0)) if transform(scale) == "log" else 1.0,
            "name": scale.name,
            "unit": scale.unit,
            "factor": scale.factor,
            "logarithmic": scale.logarithmic,
        },
        "decision": decision
        and {
            "limit": decision.below,
            "side": decision.side,
            "probability": decision.probability,
            "template": decision.words,
        },
        "next": list(words.next) if scale.measure == PLO else [],
        "words": names(scale, words),
        "sliders": moved,
        "raw": raw,
        "code": code(surface, scale),
    } | ranges(scale, solved, raw, decision)
    folder = resources.files("kyphobayes.explorer") / "static"
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string((folder / "template.html").read_text(encoding="utf-8")).render(
        title=words.title,
        question=words.question,
        unit=scale.unit,
        words=data["words"],
        captions=captions(scale),
        version=version("kyphobayes"),
        style=Markup((folder / "explorer.css").read_text(encoding="utf-8")),
        script=Markup("\n".join((folder / name).read_text(encoding="utf-8") for name in _SCRIPTS)),
        data=Markup(_json(data)),
    )


def _json(data: Any) -> str:
    """JSON that may stand inside a script element: nothing in it can end that element or open a comment."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    escapes = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
    return "".join(escapes.get(c, c) for c in text) if any(c in text for c in escapes) else text


def _set(label: str, priors: Priors) -> dict[str, str]:
    return {
        "label": label,
        "mu": str(priors[MU]),
        "tau": str(priors[TAU]),
        "why_mu": priors[MU].why,
        "why_tau": priors[TAU].why,
    }


def _posteriors(surface: Surface, priors: Mapping[str, Priors]) -> list[Posterior]:
    """Posteriors under the named sets that are proper: they say which values the pictures must show."""
    found = []
    for each in priors.values():
        try:
            found.append(surface.posterior(each[MU], each[TAU], rtol=1e-5))
        except (ImproperPosterior, InputError):
            continue  # the page says so when it is chosen
    return found
