"""Where the tables and the models are: in a checkout, in an installed wheel, or in a folder of the user's."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kyphobayes.errors import EvidenceError

PLAN = "analyses.toml"
_PACKAGE = Path(__file__).parent


@dataclass(frozen=True)
class Project:
    """A folder with ``data/``: tables, plan, priors, constraints; and with ``models/``, where it has its own.

    Raises
    ------
    EvidenceError
        If there is no ``data/`` in it.
    """

    root: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", Path(self.root))
        if not self.data.is_dir():
            raise EvidenceError(
                f"{self.root}: expected a folder data/ in it; `kyphobayes new` makes a project"
            )

    @property
    def data(self) -> Path:
        """Folder of the tables."""
        return self.root / "data"

    @property
    def models(self) -> Path:
        """Folder of the project's own model files, which need not exist."""
        return self.root / "models"

    @property
    def model_files(self) -> dict[str, Path]:
        """Model files by their names: the project's own, and those of the package that have other names."""
        folders = (default_project().models, self.models)
        found = {path.stem: path for folder in folders for path in folder.glob("*.py")}
        return dict(sorted(found.items()))


@cache
def default_project() -> Project:
    """Project that comes with the package."""
    installed = _PACKAGE / "_project"
    return Project(installed if installed.is_dir() else _PACKAGE.parent)


def find_project(start: Path | None = None) -> Project:
    """Project that a folder lies in; where it lies in none, the one that comes with the package.

    Parameters
    ----------
    start : Path, optional
        The working folder by default. It, or the nearest folder above it, that has ``data/analyses.toml``.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "data" / PLAN).is_file():
            return Project(folder)
    return default_project()
