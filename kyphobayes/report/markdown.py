"""A document as Markdown: tables as pipe tables, figures linked, and all that the page says."""

import re
from html.parser import HTMLParser

from markupsafe import Markup

from kyphobayes.report.document import (
    Block,
    Box,
    Code,
    Columns,
    Copied,
    Document,
    Fold,
    Inline,
    Items,
    Line,
    Numbers,
    Picture,
    Ref,
    Section,
    Shown,
    Terms,
    Text,
)

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~$])")
_EMPHASIS = {
    "question": "*",
    "strong": "**",
    "alarm": "**",
    "verdict": "**",
    "verdict fail": "**",
    "fail": "**",
}


def to_markdown(document: Document, numbers: Numbers) -> str:
    """Write a document as Markdown (GitHub's, with anchors as HTML)."""
    parts = [f"# {escaped(document.title)}", escaped(document.kicker), escaped(document.lead)]
    parts += [f"**{escaped(alarm)}**" for alarm in document.alarms]
    parts += ["## Contents", "\n".join(_entry(section, numbers) for section in document.sections)]
    for section in document.sections:
        parts += _section(section, numbers, 2)
    parts.append(escaped(document.closing))
    return "\n\n".join(part for part in parts if part) + "\n"


def escaped(words: str) -> str:
    r"""Escape what Markdown and HTML would take for markup.

    Examples
    --------
    >>> print(escaped("a|b <i> *c*"))
    a\|b &lt;i&gt; \*c\*
    """
    plain = " ".join(words.replace("\u00a0", "\u00a0").split(" "))
    plain = re.sub(r"[\r\n\t]+", " ", plain)
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", plain)


class _Marked(HTMLParser):
    """Reads the little markup that cells have: links, bold, line breaks, and signs with a title."""

    def __init__(self, markup: str):
        super().__init__()
        self.found: list[str] = []
        self._open: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "br":
            self.found.append("<br>")
        elif tag == "a":
            self.found.append("[")
            self._open.append(str(given.get("href", "")))
        elif tag in ("b", "code"):
            self.found.append("**" if tag == "b" else "`")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self.found.append(f"]({_address(self._open.pop())})")
        elif tag in ("b", "code"):
            self.found.append("**" if tag == "b" else "`")

    def handle_data(self, data: str) -> None:
        self.found.append(escaped(data))


def _address(href: str) -> str:
    return re.sub(r"[\s()<>|]", lambda found: f"%{ord(found.group()):02X}", href)


def _inline(part: Inline, numbers: Numbers) -> str:
    if isinstance(part, Ref):
        number = numbers[part.to]
        return f"[{number.label}](#{number.anchor})"
    return "".join(_Marked(part).found) if isinstance(part, Markup) else escaped(part)


def _line(parts: Line, numbers: Numbers) -> str:
    return "".join(_inline(part, numbers) for part in parts).strip()


def _entry(section: Section, numbers: Numbers) -> str:
    number = numbers[section.name].label.removeprefix("Section ")
    return f"{number}. [{escaped(section.title)}](#{section.name})"


def _section(section: Section, numbers: Numbers, level: int) -> list[str]:
    number = numbers[section.name].label.removeprefix("Section ")
    parts = [f'<a id="{section.name}"></a>', f"{'#' * level} {number} {escaped(section.title)}"]
    for block in section.blocks:
        parts += _block(block, numbers, level + 1)
    return parts


def _block(block: Block, numbers: Numbers, level: int) -> list[str]:
    match block:
        case Text():
            mark = _EMPHASIS.get(block.kind, "")
            words = _line(block.parts, numbers)
            return [f"{mark}{words}{mark}" if mark and "[" not in words else words]
        case Items():
            return ["\n".join(_items(block, numbers))]
        case Terms():
            pairs = [(_inline(term, numbers), _inline(meaning, numbers)) for term, meaning in block.pairs]
            return ["\n".join(f"- **{term}**: {meaning}" for term, meaning in pairs)]
        case Shown():
            return _table(block, numbers)
        case Picture():
            return _figure(block, numbers)
        case Code():
            fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", block.text)), default=0))
            file = [f"[{escaped(block.file)}]({_address(block.file)})"] if block.file else []
            return [*file, f"{fence}{block.language}\n{block.text.rstrip()}\n{fence}"]
        case Copied():
            return [escaped(paragraph) for paragraph in block.paragraphs]
        case Columns():
            return [part for box in block.boxes for part in _block(box, numbers, level)]
        case Box() | Fold():
            title = block.heading if isinstance(block, Box) else block.summary
            inner = [part for each in block.blocks for part in _block(each, numbers, level)]
            return [f"**{escaped(title)}**", *inner]
        case Section():
            return _section(block, numbers, level)


def _items(block: Items, numbers: Numbers) -> list[str]:
    lines = []
    for place, item in enumerate(block.items, start=1):
        anchor = f'<a id="{block.anchors[place - 1]}"></a>' if block.anchors else ""
        lines.append(f"{f'{place}.' if block.ordered else '-'} {anchor}{_line(item, numbers)}")
    return lines


def _table(block: Shown, numbers: Numbers) -> list[str]:
    table, number = block.table(numbers), numbers[f"table-{block.name}"]
    head = "| " + " | ".join(escaped(column.head) for column in table.columns) + " |"
    rule = "|" + "|".join("---:" if column.number else "---" for column in table.columns) + "|"
    rows = ["| " + " | ".join(_inline(cell, numbers) for cell in row) + " |" for row in table.cells]
    caption = f'<a id="{number.anchor}"></a>**{number.label}. {escaped(table.caption)}** '
    caption += f"([CSV](tables/{block.name}.csv))"
    return [caption, "\n".join([head, rule, *rows]), escaped(table.note)]


def _figure(block: Picture, numbers: Numbers) -> list[str]:
    number = numbers[f"figure-{block.name}"]
    head = f" {escaped(block.head)}" if block.head else ""
    caption = f'<a id="{number.anchor}"></a>**{number.label}.{head}** {_line(block.caption, numbers)}'
    files = f"([SVG](figures/{block.name}.svg), [PNG](figures/{block.name}.png))"
    return [f"![{escaped(block.alt)}](figures/{block.name}.svg)", f"{caption} {files}"]
