"""Small papers whose counts are not printed."""

import pytest

from kyphobayes.reconstruct import Constraints
from kyphobayes.recovery import Design

HEAD = """
title = "Small series"
[method]
measure = "PR"
pooling = "DL"
zero_cells = 0.5
why = "a test"
"""
FIGURES = {
    "events": {"value": "7"},
    "pooled": {"value": "21", "unit": "percent"},
    "I2": {"value": "40", "unit": "percent"},
    "ci_high": {"value": "0.33", "unit": "proportion", "rounding": "truncated"},
}


@pytest.fixture
def paper(tmp_path):
    """Make constraints of studies with these n, of which these quantities are printed."""

    def made(n, *quantities):
        lines = [HEAD]
        for place, size in enumerate(n):
            lines += ["[[study]]", f'name = "{chr(97 + place)}"', f"n = {size}"]
        for quantity in quantities:
            lines += ["[[printed]]", f'quantity = "{quantity}"']
            lines += [f'{key} = "{value}"' for key, value in FIGURES[quantity].items()]
            lines += ['words = "as printed"', 'locator = "p. 1"']
        path = tmp_path / "paper.toml"
        path.write_text("\n".join(lines), encoding="utf-8")
        return Constraints.read(path)

    return made


@pytest.fixture
def two_studies(paper):
    """Design of two studies of which only the total is printed."""
    constraints = paper([15, 20], "events")
    return Design(constraints, constraints.studies, constraints.n, (True, True))
