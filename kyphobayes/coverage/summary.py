"""What a coverage study found, in few rows: one cell method by method, and all cells of one k together."""

from collections.abc import Sequence

import pandas as pd

from kyphobayes.coverage.study import AVERAGE, NEXT, TYPICAL
from kyphobayes.errors import InputError
from kyphobayes.priors.text import nearest
from kyphobayes.project import default_project

QUANTITIES = (TYPICAL, NEXT, AVERAGE)
COLUMNS = ("nothing", "coverage", "coverage_low", "coverage_high", "below", "above", "width_points")


def shipped_coverage() -> pd.DataFrame:
    """Read the study that comes with the package: what `coverage_study` returned, to six digits.

    Raises
    ------
    InputError
        If it is not there.
    """
    path = default_project().root / "calibration" / "coverage.csv"
    if not path.is_file():
        raise InputError(f"{path}: expected the coverage study that comes with the package; compute it anew")
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def only(table: pd.DataFrame, cell: str) -> pd.DataFrame:
    """Rows of one cell of a study.

    Raises
    ------
    InputError
        If there is no such cell.
    """
    known("cell", cell, table["cell"].unique().tolist())
    return table[table["cell"] == cell]


def of_cell(table: pd.DataFrame, cell: str, quantity: str) -> pd.DataFrame:
    """Methods of one cell, with `COLUMNS`, in the order in which they were computed.

    Parameters
    ----------
    table : DataFrame
        From `coverage_study`.
    cell : str
    quantity : {"typical", "next", "average"}

    Raises
    ------
    InputError
        If there is no such cell or quantity.
    """
    known("quantity", quantity, QUANTITIES)
    rows = only(table, cell)
    return rows[rows["quantity"] == quantity].set_index("method")[list(COLUMNS)]


def across(table: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Lowest and highest coverage of each method over the cells of each k.

    Parameters
    ----------
    table : DataFrame
        From `coverage_study`.
    quantity : {"typical", "next", "average"}

    Returns
    -------
    DataFrame
        Index method; columns ("low", k) and ("high", k), the lowest and the highest coverage, and
        ("nothing", k), the largest share of replications without an interval. Cells without any interval do
        not count.

    Raises
    ------
    InputError
        If there is no such quantity, or the table has no crossed cells.
    """
    known("quantity", quantity, QUANTITIES)
    rows = table[(table["quantity"] == quantity) & crossed(table)]
    if rows.empty:
        raise InputError("expected cells of a crossed design, such as k3-n20-tau0.5-rate5, found none")
    by = rows.set_index(["method", "k"])
    lowest, highest, nothing = (
        column.groupby(level=["method", "k"]).agg(how).unstack("k")
        for column, how in ((by["coverage"], "min"), (by["coverage"], "max"), (by["nothing"], "max"))
    )
    found = pd.concat({"low": lowest, "high": highest, "nothing": nothing}, axis=1)
    return found.reindex(rows["method"].unique())


def crossed(table: pd.DataFrame) -> pd.Series:
    """Whether each row is of a crossed cell, not of one of the plan's questions."""
    return table["cell"].str.match(r"k\d+-n\d+-tau[\d.]+-rate[\d.]+$")


def known(what: str, name: str, names: Sequence[str]) -> None:
    """Refuse a name that is none of these, with a hint.

    Raises
    ------
    InputError
    """
    if name not in names:
        raise InputError(f"{what}: found {name!r}; {nearest(name, names)}")
