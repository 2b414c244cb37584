"""A document as one page that needs no network: style, script and figures are in it.

Everything is escaped but what is markup by type. Should something slip through all the same, the page's own
policy lets no script run but the one that it names by its digest.
"""

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from kyphobayes.report.document import Document, Numbers, Ref
from kyphobayes.report.words import PERCENT


def to_html(document: Document, numbers: Numbers) -> str:
    """Write a document as a page."""
    script = _read("copy.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return _environment().get_template("page.html").render(
        document=document,
        numbers=numbers,
        style=Markup(_read("style.css")),
        script=Markup(script),
        digest=digest,
    )  # fmt: skip


@cache
def _environment() -> Environment:
    loader = PackageLoader("kyphobayes.report")
    made = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, loader=loader
    )
    made.filters["spaced"] = spaced
    made.tests["reference"] = lambda value: isinstance(value, Ref)
    return made


@cache
def _read(name: str) -> str:
    return (files("kyphobayes.report") / name).read_text(encoding="utf-8")


def spaced(words: str) -> str:
    """Put a space that does not break before a percent sign; markup stays as it is."""
    return words if isinstance(words, Markup) else words.replace(" %", PERCENT)
