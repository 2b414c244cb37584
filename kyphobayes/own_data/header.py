"""Where the header of a table is: below titles, in one row or in two that belong together."""

import re

from kyphobayes.errors import EvidenceError
from kyphobayes.own_data.cells import is_number
from kyphobayes.own_data.sheet import Grid, Sheet, letter, listed, shown

_LOOKED = 30  # rows among which the header is
_SPACES = re.compile(r"\s+")


def with_header(grid: Grid) -> Sheet:
    """Tell the header of a table from titles above it and rows below.

    Two rows are the header where the lower one has no number either and names what the upper one groups
    ("Experimental" above "Events" and "Total"): the upper is filled to the right and both are joined.

    Raises
    ------
    EvidenceError
        If there is no header, or no row below it.
    """
    rows = [tuple(_SPACES.sub(" ", cell).strip() for cell in row) for row in grid.cells]
    first = _first(rows, grid.name)
    heads, last = list(rows[first]), first
    notes = list(grid.notes)
    if _grouped(rows, first):
        last = first + 1
        heads = _joined(rows[first], rows[last])
        notes.append(f"two header rows joined (rows {first + 1} and {last + 1})")
    kept = [number for number in range(last + 1, len(rows)) if any(rows[number])]
    if not kept:
        raise EvidenceError(f"{grid.name}: expected one row per study below the header, found none")
    body = [rows[number] for number in kept]
    named = max((c + 1 for c, head in enumerate(heads) if head), default=0)
    beyond = [c for c in range(named, len(heads)) if any(row[c] for row in body)]
    if beyond and grid.separator:
        at = next(i for i, row in enumerate(body) if row[beyond[0]])
        raise EvidenceError(
            f"{grid.name}, row {kept[at] + 1}: expected {named} cells as in the header, found "
            f"{max(c + 1 for c, cell in enumerate(body[at]) if cell)}; put a cell that holds the "
            "separator in quotes, "
            f'such as "0,5" for a decimal comma, or name every column'
        )
    if beyond:
        notes.append(f"not read, for want of a head: column {listed([letter(c) for c in beyond])}")
    width = max(named, 1)
    return Sheet(
        grid.name,
        tuple(heads[:width]),
        tuple(row[:width] for row in body),
        tuple(f"row {number + 1}" for number in kept),
        tuple(notes),
        grid.european,
    )


def _first(rows: list[tuple[str, ...]], name: str) -> int:
    """Number of the first row that can be a header: two different cells or more, no number among them."""
    numeric = None
    single = None
    for number, row in enumerate(rows[:_LOOKED]):
        cells = [cell for cell in row if cell]
        if len(set(cells)) < 2:
            if cells and single is None:
                single = number
            continue
        if any(is_number(cell) for cell in cells):
            numeric = numeric or number + 1
            if sum(is_number(cell) for cell in cells) * 2 < len(cells) and _above(rows, number):
                return number  # a year or a "30" among the heads
            break
        return number
    if numeric is not None:
        found = [cell for cell in rows[numeric - 1] if cell]
        raise EvidenceError(
            f"{name}, row {numeric}: expected a header that names the columns, found "
            f"{shown(', '.join(found))}; "
            f"put a row such as study, events, n above"
        )
    at = 1 if single is None else single + 1
    raise EvidenceError(
        f"{name}, row {at}: expected a header with at least two columns, such as study, events, n; found "
        f"{shown(next((c for c in rows[at - 1] if c), ''))}; columns stand between commas, semicolons or tabs"
    )


def _above(rows: list[tuple[str, ...]], number: int) -> bool:
    """Whether the next row that is not empty has more numbers than this one, as below a header."""
    count = sum(is_number(cell) for cell in rows[number])
    for row in rows[number + 1 :]:
        if any(row):
            return sum(is_number(cell) for cell in row) > count
    return False


def _grouped(rows: list[tuple[str, ...]], first: int) -> bool:
    """Whether the row after the first header row belongs to the header."""
    if first + 2 >= len(rows):
        return False
    upper, lower = rows[first], rows[first + 1]
    if sum(1 for cell in lower if cell) < 2 or any(is_number(cell) for cell in lower):
        return False
    below = rows[first + 2]
    if not any(is_number(cell) for cell in below):
        return False
    # A group is an upper head over several columns: repeated (merged) or followed by empty cells.
    return any(lower[c] and (not upper[c] or (c > 0 and upper[c] == upper[c - 1])) for c in range(len(upper)))


def _joined(upper: tuple[str, ...], lower: tuple[str, ...]) -> list[str]:
    heads, group = [], ""
    for above, below in zip(upper, lower, strict=True):
        if above:
            group = above if below else ""  # a head with nothing below it stands for itself
        name = above or (group if below else "")
        heads.append(name if name == below or not below else f"{name} {below}".strip())
    return heads
