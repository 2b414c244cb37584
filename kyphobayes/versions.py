"""Versions of what a result depends on."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version

import kyphobayes

_PACKAGES = ("pymc", "arviz", "nutpie", "pytensor", "numpy", "scipy", "xarray", "pandas")


def versions() -> dict[str, str]:
    """Versions of this package and of those that compute."""
    return {"kyphobayes": kyphobayes.__version__} | {name: _installed(name) for name in _PACKAGES}


@cache
def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
