"""The directive ``script``: what a script says of itself, its code, and what it prints.

The printed text is kept in ``docs/how-to/output/NAME.txt``; `python docs/outputs.py` makes it anew and
the tests compare it with what the script prints today.
"""

import ast
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "docs" / "how-to" / "output"


class Script(SphinxDirective):
    """``{script} NAME`` shows ``scripts/NAME.py``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Make the paragraphs, the code block and the block of output."""
        name = self.arguments[0]
        source, printed = ROOT / "scripts" / f"{name}.py", OUTPUT / f"{name}.txt"
        for path in (source, printed):
            self.env.note_dependency(str(path))
        text = source.read_text("utf-8")
        doc, code = split(text)
        return [
            *self.parse_text_to_nodes(doc),
            nodes.literal_block(code, code, language="python"),
            nodes.paragraph("", "", nodes.Text("It prints:")),
            nodes.container("", shown(printed.read_text("utf-8")), classes=["output"]),
        ]


def shown(text: str) -> nodes.literal_block:
    """Make a block of plain text."""
    return nodes.literal_block(text, text, language="text")


def split(text: str) -> tuple[str, str]:
    """Split a script into its docstring, as Markdown, and the code after it.

    Lines of the docstring that are indented, or that call Python, are commands.
    """
    module = ast.parse(text)
    doc = ast.get_docstring(module) or ""
    code = "\n".join(text.splitlines()[module.body[0].end_lineno :]).strip("\n") + "\n"
    blocks = []
    for block in doc.split("\n\n"):
        command = block.strip().startswith("python scripts/")
        blocks.append(f"```console\n$ {block.strip()}\n```" if command else block)
    return "\n\n".join(blocks), code


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the directive known."""
    app.add_directive("script", Script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
