"""Bayesian evidence synthesis: exact posteriors, NUTS and a frequentist witness on the same evidence.

>>> import kyphobayes as kb
>>> found = kb.fit({"study": ["A", "B", "C"], "leaks": [0, 5, 4], "levels": [32, 35, 19]}, below=0.1)
>>> surface = kb.exact.binomial([0, 5, 4], [32, 35, 19])

Names are imported when they are first used, so that ``import kyphobayes`` costs nothing and ``kb.exact``
loads neither PyMC nor ArviZ.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kyphobayes import effects, exact, frequentist, reconstruct
    from kyphobayes.engines import fit_exact, fit_nuts
    from kyphobayes.evidence import (
        contrasts,
        counts,
        evidence_for,
        find_analysis,
        rates,
        read_plan,
        read_priors,
    )
    from kyphobayes.fits import load, save, summary
    from kyphobayes.model import load_model
    from kyphobayes.pooling import fit
    from kyphobayes.priors import Prior, Priors
    from kyphobayes.project import Project, default_project, find_project
    from kyphobayes.report import figures, write_report
    from kyphobayes.reviews import new_review
    from kyphobayes.run import run_analysis

__version__ = "0.1.0"

# Where each public name is; empty: a package of this one.
_PLACES = {
    "effects": "",
    "exact": "",
    "frequentist": "",
    "reconstruct": "",
    "figures": "report",
    "write_report": "report",
    "fit": "pooling",
    "fit_exact": "engines",
    "fit_nuts": "engines",
    "contrasts": "evidence",
    "counts": "evidence",
    "rates": "evidence",
    "evidence_for": "evidence",
    "find_analysis": "evidence",
    "read_plan": "evidence",
    "read_priors": "evidence",
    "load": "fits",
    "save": "fits",
    "summary": "fits",
    "load_model": "model",
    "new_review": "reviews",
    "Prior": "priors",
    "Priors": "priors",
    "Project": "project",
    "default_project": "project",
    "find_project": "project",
    "run_analysis": "run",
}

__all__ = [
    "Prior",
    "Priors",
    "Project",
    "contrasts",
    "counts",
    "default_project",
    "effects",
    "evidence_for",
    "exact",
    "figures",
    "find_analysis",
    "find_project",
    "fit",
    "fit_exact",
    "fit_nuts",
    "frequentist",
    "load",
    "load_model",
    "new_review",
    "rates",
    "read_plan",
    "read_priors",
    "reconstruct",
    "run_analysis",
    "save",
    "summary",
    "write_report",
]


if not TYPE_CHECKING:  # or else a misspelt name would be anything at all to an editor

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first used."""
        if name not in _PLACES:
            raise AttributeError(
                f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}"
            )
        place = _PLACES[name]
        if not place:
            return import_module(f"{__name__}.{name}")
        module = import_module(f"{__name__}.{place}")
        found = getattr(module, name, None)
        if found is None:  # a package inside a package
            found = import_module(f"{__name__}.{place}.{name}")
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
