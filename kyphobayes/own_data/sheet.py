"""A table as its user sees it: text in cells, each with the row and the column that a spreadsheet shows."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from kyphobayes.errors import EvidenceError

MOST_ROWS = 5_000  # studies; what has more is a table of patients, or not a table
MOST_COLUMNS = 500
_SHOWN = 40  # characters of a cell in a message


@dataclass(frozen=True)
class Grid:
    """The cells of a file before its header is found.

    Attributes
    ----------
    name : str
        What messages call it: the file, with the sheet of a workbook.
    cells : tuple of tuple of str
        All rows from the first of the file on, of one length.
    notes : tuple of str
        What was done to read it.
    european : bool
        Whether the file's own form, columns between semicolons, suggests decimal commas.
    separator : str
        Between the cells of a text file; empty for a workbook.
    """

    name: str
    cells: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    european: bool = False
    separator: str = ""


@dataclass(frozen=True)
class Sheet:
    """A table with its header.

    Attributes
    ----------
    name : str
        What messages call it.
    columns : tuple of str
        Heads, as written; empty where a column has none.
    rows : tuple of tuple of str
        Cells, one tuple for each row that is not empty.
    places : tuple of str
        What each row is called: "row 5", as a spreadsheet counts.
    notes : tuple of str
        What was done to read it.
    european : bool
        See `Grid`.
    letters : bool
        Whether columns have the letters of a spreadsheet; those of a DataFrame have not.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = field(repr=False)
    places: tuple[str, ...] = field(repr=False)
    notes: tuple[str, ...] = ()
    european: bool = False
    letters: bool = True

    def column(self, place: int) -> str:
        """What a column is called in messages: "column C (events)"."""
        head = self.columns[place]
        if not self.letters:
            return f"column {head}"
        return f"column {letter(place)}" + (f" ({shown(head, quoted=False)})" if head else "")

    def at(self, row: int, column: int) -> str:
        """Where a cell is: "my.csv, row 5, column C (events)"."""
        return f"{self.name}, {self.places[row]}, {self.column(column)}"

    def refuse(self, row: int, column: int, expected: str, advice: str = "") -> EvidenceError:
        """Error for one cell: what was expected, what was found, what to do."""
        found = shown(self.rows[row][column])
        return EvidenceError(
            f"{self.at(row, column)}: expected {expected}, found {found}{f'; {advice}' if advice else ''}"
        )


def letter(column: int) -> str:
    """Letter of a column as spreadsheets write it: A to Z, AA, ..."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def shown(text: str, *, quoted: bool = True) -> str:
    """A cell in a message: cut to a readable length, in quotes, or "an empty cell"."""
    text = " ".join(text.split())
    if not text:
        return "an empty cell"
    text = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return repr(text) if quoted else text


def listed(names: Sequence[str], word: str = "and", most: int = 6) -> str:
    """Names in a sentence: "a, b and c"; many are cut short."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} {word} {len(names) - most + 1} more"
    return f" {word} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else list(names))
