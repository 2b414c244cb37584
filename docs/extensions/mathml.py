"""Formulas as MathML: browsers show it themselves, so that no script and no font is fetched.

Docutils brings the translation from TeX.
"""

from docutils.nodes import SkipNode
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)


def inline(writer: HTML5Translator, node) -> None:
    """Write a formula that stands in a line of text."""
    _write(writer, node, as_block=False)


def block(writer: HTML5Translator, node) -> None:
    """Write a formula that has a line of its own."""
    _write(writer, node, as_block=True)


def _write(writer: HTML5Translator, node, as_block: bool) -> None:
    text = node.astext()
    try:
        writer.body.append(tex2mathml(text, as_block=as_block))
    except MathError as problem:
        logger.warning("formula %r: %s", text, problem, location=node)
        writer.body.append(f"<code>{writer.encode(text)}</code>")
    raise SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Make this way of writing formulas known by the name ``mathml``."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
