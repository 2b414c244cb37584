"""What the report consists of, whichever way it is shown: sections of text, tables, figures and code.

A page and a Markdown file are made from one and the same document, so that neither says what the other does
not. Sections, tables and figures have anchors; a `Ref` to one is shown as its number, linked.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup

from kyphobayes.report.tables import Table


@dataclass(frozen=True)
class Ref:
    """A reference to the section, table or figure at this anchor."""

    to: str


Inline = str | Ref  # a `Markup` is a str that is shown as it is; any other text is escaped
Line = tuple[Inline, ...]


@dataclass(frozen=True)
class Number:
    """What a section, table or figure is called, and where it is: ``Table S3``, ``#table-summary``."""

    label: str
    anchor: str


Numbers = Mapping[str, Number]


@dataclass(frozen=True)
class Text:
    """A paragraph; `kind` is a class of the style sheet."""

    parts: Line
    kind: str = ""
    shape: ClassVar[str] = "text"


@dataclass(frozen=True)
class Items:
    """A list."""

    items: tuple[Line, ...]
    ordered: bool = False
    anchors: tuple[str, ...] = ()  # of the items, where others refer to them
    kind: str = ""
    shape: ClassVar[str] = "items"


@dataclass(frozen=True)
class Terms:
    """Terms with what they mean."""

    pairs: tuple[tuple[Inline, Inline], ...]
    kind: str = ""
    shape: ClassVar[str] = "terms"


@dataclass(frozen=True)
class Shown:
    """A table, whose name is also that of its CSV file.

    Attributes
    ----------
    name : str
    make : Table or callable
        A table that names others by their numbers is made when these are known.
    """

    name: str
    make: Table | Callable[[Numbers], Table]
    shape: ClassVar[str] = "table"

    def table(self, numbers: Numbers) -> Table:
        """Give the table, which is made now if it has to be."""
        return self.make if isinstance(self.make, Table) else self.make(numbers)


@dataclass(frozen=True)
class Picture:
    """A figure: its name, which is that of its files, SVG element, alternative text, and a caption."""

    name: str
    svg: Markup
    alt: str
    head: str = ""
    caption: Line = ()
    shape: ClassVar[str] = "figure"


@dataclass(frozen=True)
class Code:
    """Code that is to be copied; `file` is where it lies beside the page."""

    name: str
    text: str
    language: str = ""
    file: str = ""
    shape: ClassVar[str] = "code"


@dataclass(frozen=True)
class Copied:
    """Paragraphs that are to be pasted elsewhere."""

    name: str
    paragraphs: tuple[str, ...]
    shape: ClassVar[str] = "copied"


@dataclass(frozen=True)
class Box:
    """Blocks that stand out, under a small heading."""

    heading: str
    blocks: "tuple[Block, ...]"
    kind: str = "answer"
    shape: ClassVar[str] = "box"


@dataclass(frozen=True)
class Columns:
    """Boxes side by side where there is room."""

    boxes: tuple[Box, ...]
    shape: ClassVar[str] = "columns"


@dataclass(frozen=True)
class Fold:
    """Blocks that are folded away on a screen, and open in print."""

    summary: str
    blocks: "tuple[Block, ...]"
    shape: ClassVar[str] = "fold"


@dataclass(frozen=True)
class Section:
    """A section; one inside another is numbered below it."""

    name: str
    title: str
    blocks: "tuple[Block, ...]"
    kind: str = ""
    shape: ClassVar[str] = "section"


Block = Text | Items | Terms | Shown | Picture | Code | Copied | Box | Columns | Fold | Section


@dataclass(frozen=True)
class Document:
    """The whole report."""

    title: str
    kicker: str
    lead: str
    alarms: tuple[str, ...]
    sections: tuple[Section, ...]
    closing: str


def table_anchor(name: str) -> str:
    """Where the table of this name is, for a `Ref`."""
    return f"table-{name}"


def figure_anchor(name: str) -> str:
    """Where the figure of this name is, for a `Ref`."""
    return f"figure-{name}"


def begun(words: str) -> str:
    """Write words with a capital first letter, the others as they are."""
    return words[:1].upper() + words[1:]


def text(*parts: Inline, kind: str = "") -> Text:
    """Make a paragraph."""
    return Text(parts, kind)


def paragraphs(sentences: "list[str] | tuple[str, ...]", kind: str = "") -> tuple[Text, ...]:
    """Make a paragraph of each."""
    return tuple(Text((sentence,), kind) for sentence in sentences)


def inside(block: Block) -> tuple[Block, ...]:
    """Blocks directly inside a block."""
    if isinstance(block, Columns):
        return block.boxes
    return block.blocks if isinstance(block, Box | Fold | Section) else ()


def walk(blocks: "tuple[Block, ...]") -> Iterator[Block]:
    """All blocks, in the order in which they are read."""
    for block in blocks:
        yield block
        yield from walk(inside(block))


def numbered(document: Document) -> dict[str, Number]:
    """Number all sections, tables and figures in the order in which they are read.

    Raises
    ------
    ValueError
        If two have the same name, or a reference leads nowhere: both are slips in the making of a section.
    """
    found: dict[str, Number] = {}

    def name(label: str, anchor: str) -> None:
        if anchor in found:
            raise ValueError(f"{anchor!r} is the name of {found[anchor].label} and of {label}")
        found[anchor] = Number(label, anchor)

    def number(blocks: tuple[Block, ...], before: str) -> None:
        own = (block for block in blocks if isinstance(block, Section))
        for place, section in enumerate(own, start=1):
            name(f"Section {before}{place}", section.name)
            number(section.blocks, f"{before}{place}.")

    number(document.sections, "")
    tables = figures = 0
    for block in walk(document.sections):
        if isinstance(block, Shown):
            tables += 1
            name(f"Table S{tables}", table_anchor(block.name))
        elif isinstance(block, Picture):
            figures += 1
            name(f"Figure S{figures}", figure_anchor(block.name))
    for ref in _references(document.sections):
        if ref.to not in found:
            raise ValueError(f"a reference leads to {ref.to!r}, which is no section, table or figure")
    return found


def _references(blocks: "tuple[Block, ...]") -> Iterator[Ref]:
    for block in walk(blocks):
        lines: tuple[Line, ...] = ()
        if isinstance(block, Text):
            lines = (block.parts,)
        elif isinstance(block, Picture):
            lines = (block.caption,)
        elif isinstance(block, Items):
            lines = block.items
        elif isinstance(block, Terms):
            lines = block.pairs
        yield from (part for line in lines for part in line if isinstance(part, Ref))
