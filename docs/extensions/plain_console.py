"""Console blocks: what is typed, after ``$``, and what is printed, in which nothing is a prompt."""

from typing import ClassVar

from pygments.lexer import RegexLexer, bygroups
from pygments.lexers import TextLexer
from pygments.token import Comment, Generic, Text
from sphinx.application import Sphinx


class ConsoleLexer(RegexLexer):
    """Highlight commands; output stays as it is, percent signs included."""

    name = "console"
    tokens: ClassVar = {
        "root": [
            (r"^(\$ )([^\n#]*)(#[^\n]*)?(\n)", bygroups(Generic.Prompt, Text, Comment, Text)),
            (r"[^\n]*\n", Generic.Output),
        ]
    }


def setup(app: Sphinx) -> dict[str, bool]:
    """Take the place of Pygments' own, and give blocks of CSV one."""
    app.add_lexer("console", ConsoleLexer)
    app.add_lexer("csv", TextLexer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
