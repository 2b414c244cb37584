"""Where the tables and the models are: in a checkout, in an installed wheel, or in a folder of the user's."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kyphobayes.errors import EvidenceError

_PACKAGE = Path(__file__).parent


@dataclass(frozen=True)
class Project:
    """A folder with ``data/`` (tables, plan, priors, constraints) and ``models/``."""

    root: Path

    def __post_init__(self) -> None:
        for folder in (self.data, self.models):
            if not folder.is_dir():
                raise EvidenceError(f"{self.root}: expected a folder {folder.name}/ in it")

    @property
    def data(self) -> Path:
        """Folder of the tables."""
        return self.root / "data"

    @property
    def models(self) -> Path:
        """Folder of the model files."""
        return self.root / "models"


@cache
def default_project() -> Project:
    """Project that comes with the package."""
    installed = _PACKAGE / "_project"
    return Project(installed if installed.is_dir() else _PACKAGE.parent)
