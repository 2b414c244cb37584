"""The parts of a workbook, looked through before a library builds it: none may ask for more than a table.

A few kilobytes can unpack to gigabytes, name a cell in row 1,048,576 or merge a million columns. Each part is
therefore read once as a stream that keeps nothing, and refused where it would cost more than a table does.
"""

import io
import re
import zipfile
import zlib
from typing import IO, Final
from xml.parsers import expat

from kyphobayes.errors import EvidenceError
from kyphobayes.own_data.sheet import shown

MOST_UNPACKED: Final = 100_000_000  # bytes of all parts, pictures among them
MOST_XML: Final = 30_000_000  # bytes of the parts that are read
MOST_CELLS: Final = 150_000
MOST_AREA: Final = 2_000_000  # of the rectangle from A1 to the last cell, which is gone through cell by cell
_BLOCK: Final = 1 << 20
_REFERENCE: Final = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, expat.ExpatError, OSError, ValueError, OverflowError, NotImplementedError,
    RuntimeError, EOFError,
)  # fmt: skip


def check_parts(data: bytes, name: str) -> None:
    """Look through the parts of a workbook.

    Parameters
    ----------
    data : bytes
        Of the file.
    name : str
        What messages call it.

    Raises
    ------
    EvidenceError
        If it is no workbook, a part declares entities, or it holds more cells than a table of studies.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if (unpacked := sum(part.file_size for part in parts)) > MOST_UNPACKED:
                raise _too_large(name, f"{unpacked / 1e6:,.0f} MB of cells")
            written = [part for part in parts if part.filename.casefold().endswith((".xml", ".rels"))]
            if (size := sum(part.file_size for part in written)) > MOST_XML:
                raise _too_large(name, f"{size / 1e6:,.0f} MB of cells")
            look = _Look(name)
            for part in written:
                with archive.open(part) as stream:
                    look.through(stream)
    except EvidenceError:
        raise
    except _DAMAGED as problem:
        detail = shown(str(problem) or type(problem).__name__, quoted=False)
        raise EvidenceError(
            f"{name}: cannot be read as an XLSX workbook: {detail}; save it anew as .xlsx or .csv"
        ) from None


class _Look:
    """Counts cells and how far they reach, over all parts of one workbook."""

    def __init__(self, name: str):
        self._name, self._cells = name, 0

    def through(self, stream: IO[bytes]) -> None:
        """Read one part to its end."""
        self._row, self._column, self._last, self._merged = 0, 0, (0, 0), 0
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._element
        parser.StartDoctypeDeclHandler = self._declared
        while block := stream.read(_BLOCK):
            parser.Parse(block)
        parser.Parse(b"", True)

    def _declared(self, *_: object) -> None:
        raise EvidenceError(
            f"{self._name}: cannot be read as an XLSX workbook: a part of it declares entities, which no "
            "spreadsheet program does; save it anew as .xlsx or .csv"
        )

    def _element(self, tag: str, attributes: dict[str, str]) -> None:
        kind = tag.rpartition(":")[2]
        if kind == "row":
            self._row, self._column = _whole(attributes.get("r", ""), self._row + 1), 0
        elif kind == "c":
            column, row = _place(attributes.get("r", ""), self._column + 1, self._row)
            self._column = column
            self._last = max(self._last[0], column), max(self._last[1], row)
            self._cells += 1
            if self._cells > MOST_CELLS:
                raise _too_large(self._name, f"more than {MOST_CELLS:,} cells")
            if self._last[0] * self._last[1] > MOST_AREA:
                raise _too_large(self._name, f"a cell in row {row:,}, column {column:,}")
        elif kind == "mergeCell":
            self._merged += _area(attributes.get("ref", ""))
            if self._merged > MOST_CELLS:
                raise _too_large(self._name, f"merged cells {shown(attributes.get('ref', ''))}")


def _too_large(name: str, found: str) -> EvidenceError:
    return EvidenceError(
        f"{name}: expected a table with one row per study, found {found}; copy the table into a workbook of "
        "its own"
    )


def _whole(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


def _place(reference: str, column: int, row: int) -> tuple[int, int]:
    """Column and row, from 1, of a reference such as B7; the next ones where there is none."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        return column, row
    number = 0
    for letter in found[1]:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number, int(found[2])


def _area(reference: str) -> int:
    """Number of cells of a range such as B2:C9."""
    first, _, last = reference.partition(":")
    (left, top), (right, bottom) = _place(first, 1, 1), _place(last or first, 1, 1)
    return (abs(right - left) + 1) * (abs(bottom - top) + 1)
