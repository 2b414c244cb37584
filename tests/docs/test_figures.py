"""The figures of the pages are those that `docs/figures.py` draws today."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
spec = importlib.util.spec_from_file_location("docs_figures", DOCS / "figures.py")
figures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(figures)

NUMBER = re.compile(r"-?\d+\.\d+")
MADE_ID = re.compile(r"\b[a-z][0-9a-f]{10}\b")  # of the digits of a path
APART = 0.5  # points of 1/72 inch: another processor may round another way


@pytest.mark.parametrize("name", figures.FIGURES)
def test_the_figure_is_up_to_date(name):
    kept, drawn = (DOCS / "images" / f"{name}.svg").read_text("utf-8"), figures.svg(name)
    kept, drawn = (MADE_ID.sub("id", text) for text in (kept, drawn))
    words = [NUMBER.sub("#", text).split() for text in (kept, drawn)]
    assert words[0] == words[1]
    places = [np.array(NUMBER.findall(text), dtype=float) for text in (kept, drawn)]
    np.testing.assert_allclose(*places, atol=APART)


def test_every_figure_is_shown_with_words_for_those_who_do_not_see_it():
    pages = "\n".join(path.read_text("utf-8") for path in DOCS.rglob("*.md"))
    images = re.findall(r"!\[([^\]]+)\]\((?:\.\./)?images/([\w-]+)\.svg\)", pages)
    shown = {name: alt for alt, name in images}
    assert set(shown) == set(figures.FIGURES)
    assert all(len(alt) > 60 for alt in shown.values())
