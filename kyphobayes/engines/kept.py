"""Fits that are kept on disk: found again where all that decides them is the same, else made and written."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from kyphobayes.engines.exact import SETTINGS as EXACT_SETTINGS
from kyphobayes.engines.exact import fit_exact
from kyphobayes.engines.nuts import SETTINGS as NUTS_SETTINGS
from kyphobayes.engines.nuts import fit_nuts
from kyphobayes.errors import InputError
from kyphobayes.evidence import View
from kyphobayes.files import make_folder
from kyphobayes.fits import load, save, stamp
from kyphobayes.model import Model
from kyphobayes.priors import Priors

ENGINES = ("exact", "nuts")
_SETTINGS = {"exact": EXACT_SETTINGS, "nuts": NUTS_SETTINGS}
_BY = {"exact": "quadrature", "nuts": "NUTS"}


def kept(
    file: str, digest: str, make: Callable[[], xr.DataTree], out: Path | None
) -> tuple[xr.DataTree, bool]:
    """Find a finished fit, or make it and keep it.

    Parameters
    ----------
    file : str
        First part of the file's name; the rest is of the digest of all that the fit depends on.
    digest : str
    make : callable
    out : Path, optional
        Fits are in its folder ``fits``; without it nothing is written.

    Returns
    -------
    DataTree
    bool
        Whether it was found.
    """
    if out is None:
        return make(), False
    plain = re.sub(r"[^\w-]+", "_", file)  # what a table calls a patient may say another folder
    path = out / "fits" / f"{plain}-{digest[:12]}.nc"
    make_folder(path.parent)
    if (found := load(path, digest)) is not None:
        return found, True
    tree = make()
    save(tree, path)
    return tree, False


def fit_kept(
    engine: str,
    model: Model,
    evidence: View,
    priors: Priors,
    *,
    name: str,
    file: str = "",
    marks: Mapping[str, str] | None = None,
    seed: int = 0,
    out: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
    progress: bool = False,
) -> tuple[xr.DataTree, bool]:
    """Fit a model of studies by one engine, or find the finished fit.

    Parameters
    ----------
    engine : {"exact", "nuts"}
    model : Model
    evidence : View
    priors : Priors
    name : str
        What `say` is told about.
    file : str
        First part of the file's name; by default name and engine.
    marks : mapping of str to str, optional
        Further attributes of the fit, which decide nothing.
    seed : int
    out : Path, optional
    say : callable
    progress : bool
        Whether the sampler shows its progress.

    Returns
    -------
    DataTree
    bool
        Whether it was found.

    Raises
    ------
    InputError, EvidenceError, ImproperPosterior, NotConverged
    """
    if engine not in ENGINES:
        raise InputError(f"engine: expected one of {', '.join(ENGINES)}, found {engine!r}")

    def make() -> xr.DataTree:
        say(f"{name}: fitting by {_BY[engine]}")
        more: dict[str, Any] = {"progress": progress} if engine == "nuts" else {}
        tree = (fit_nuts if engine == "nuts" else fit_exact)(model, evidence, priors, seed=seed, **more)
        tree.attrs.update(marks or {})
        return tree

    digest = stamp(model, evidence, priors, engine, seed, _SETTINGS[engine])["digest"]
    tree, found = kept(file or f"{name}-{engine}", digest, make, out)
    if found:
        say(f"{name}: {engine} fit found")
    return tree, found
