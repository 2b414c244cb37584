"""Loading a file of ``models/`` and checking its contract.

A model file exports ``PRIORS`` and ``build(evidence, priors, *, centred)``, and ``surface(evidence)``
where the integrated likelihood is known. The folder is the registry: a new file is a new model.
"""

import ast
import hashlib
import importlib.util
import inspect
import sys
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence.views import View
from kyphobayes.priors import Priors
from kyphobayes.project import Project, default_project

if TYPE_CHECKING:
    import pymc as pm

    from kyphobayes.exact import Surface


@dataclass(frozen=True)
class Model:
    """A model file.

    Attributes
    ----------
    name, formula : str
        The file's name, and the first line of its docstring.
    path : Path
    digest : str
        Fingerprint of its source.
    priors : Priors
        Its default priors; their names are the parameters it needs priors for.
    view : type
        The view of the evidence it takes.
    build : callable
        ``build(evidence, priors, centred=False) -> pm.Model``
    declared_surface : callable or None
        ``surface(evidence) -> exact.Surface``, or with ``priors`` too, where the file has one.
    """

    name: str
    formula: str
    path: Path
    digest: str
    priors: Priors
    view: type[View]
    build: "Callable[..., pm.Model]" = field(repr=False)
    declared_surface: "Callable[..., Surface] | None" = field(repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process as a path: no process could import the functions of such a file."""
        return _read, (self.path,)

    def surface(self, evidence: View, priors: Priors | None = None) -> "Surface":
        """Likelihood of mu and tau with the study effects integrated out.

        A file whose `surface` takes priors too integrates over more than the study effects: over the
        baselines of two arms, say. Without `priors` those are the file's own.

        Raises
        ------
        EvidenceError
            If the model file declares none.
        """
        if self.declared_surface is None:
            raise EvidenceError(
                f"models/{self.name}.py declares no surface, so it has no exact posterior; use --engine nuts"
            )
        if "priors" in inspect.signature(self.declared_surface).parameters:
            return self.declared_surface(evidence, self.priors if priors is None else priors)
        return self.declared_surface(evidence)

    def check(self, evidence: View, priors: Priors) -> None:
        """Raise unless evidence and priors are of the kind this model takes.

        Raises
        ------
        EvidenceError, PriorError
        """
        if not isinstance(evidence, self.view):
            raise EvidenceError(
                f"model {self.name} takes {self.view.__name__}, found {type(evidence).__name__}"
            )
        for name in self.priors:
            priors[name]


def model_names(project: Project | None = None) -> list[str]:
    """Names of all model files."""
    return list((project or default_project()).model_files)


def formulas(project: Project | None = None) -> dict[str, str]:
    """Formula of each model file, read without running it."""
    files = (project or default_project()).model_files
    texts = {name: path.read_text(encoding="utf-8") for name, path in files.items()}
    return {
        name: (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0] for name, text in texts.items()
    }


def load_model(name: str, project: Project | None = None) -> Model:
    """Load ``models/<name>.py`` of a project, or that of the package where the project has none of this name.

    Raises
    ------
    EvidenceError
        If there is no such file, or it breaks the contract.
    """
    files = (project or default_project()).model_files
    if name not in files:
        close = get_close_matches(name, files, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(files)}"
        raise EvidenceError(f"no model {name!r} in models/; {hint}")
    return _read(files[name])


class _FromSource(SourceFileLoader):
    """Loads a file from its text: Python may run the bytecode of before an edit within the same second."""

    def path_stats(self, path: Any) -> Any:
        """Nothing is known of the file that bytecode could be found by."""
        raise OSError


def _read(path: Path) -> Model:
    """Model in a file as it is now."""
    return _load(path, hashlib.sha256(path.read_bytes()).hexdigest())


@lru_cache(maxsize=64)
def _load(path: Path, digest: str) -> Model:
    where = f"models/{path.name}"
    # By path and under a name of its own, so that a model file cannot shadow another module.
    name = f"kyphobayes_model_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path, loader=_FromSource(name, str(path)))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as problem:
        detail = " ".join(str(problem).split())
        raise EvidenceError(f"{where}: cannot be loaded: {type(problem).__name__}: {detail}") from problem
    build, priors = getattr(module, "build", None), getattr(module, "PRIORS", None)
    if not callable(build) or not isinstance(priors, Priors):
        raise EvidenceError(f"{where}: expected PRIORS (a Priors) and build(evidence, priors)")
    view = typing.get_type_hints(build).get("evidence")
    if not (isinstance(view, type) and issubclass(view, View)):
        raise EvidenceError(f"{where}: expected build's evidence to be annotated with a view, found {view!r}")
    if not (module.__doc__ or "").strip():
        raise EvidenceError(f"{where}: expected a docstring whose first line is the formula")
    return Model(
        name=path.stem,
        formula=str(module.__doc__).strip().splitlines()[0],
        path=path,
        digest=digest,
        priors=priors,
        view=view,
        build=typing.cast(Any, build),
        declared_surface=getattr(module, "surface", None),
    )


def run_model(file: str) -> None:
    """Run a model file as a script: ``python models/<name>.py ANALYSIS``, with the options of `fit`.

    The project is the one that the file lies in, unless ``--project`` says otherwise.
    """
    from kyphobayes.cli import main

    path = Path(file).resolve()
    main(["fit", "--project", str(path.parents[1]), *sys.argv[1:], "--model", path.stem])
