"""The witness of these tests: `references.py`, which shares nothing with the package."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

WITNESS = Path(__file__).with_name("references.py")


@pytest.fixture(scope="session")
def witness() -> ModuleType:
    spec = importlib.util.spec_from_file_location("numerics_references", WITNESS)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def stored(witness) -> dict[str, dict[str, str]]:
    return json.loads(witness.STORED.read_text(encoding="utf-8"))
