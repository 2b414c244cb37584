"""How Sphinx makes the pages: `sphinx-build -W docs FOLDER`, made and read without a network."""

import sys
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from kyphobayes import __version__

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))

project = "kyphobayes"
author = "the kyphobayes maintainers"
release = version = __version__
language = "en-GB"
html_last_updated_fmt = None  # equal sources give equal pages

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "mathml",
    "plain_console",
    "script_pages",
    "command_line",
    "prior_families",
    "peer_tables",
]
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["extensions", "**/__pycache__"]

default_role = "py:obj"  # `kyphobayes.fits` in a docstring is a link
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc sections say the types in words; signatures would say them twice
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

math_number_all = False
html_math_renderer = "mathml"
html_theme = "furo"
html_title = f"kyphobayes {release}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_show_copyright = False
html_copy_source = False
html_theme_options = {
    "source_view_link": "",
    "light_css_variables": {"color-brand-primary": "#0072B2", "color-brand-content": "#005a8c"},
    "dark_css_variables": {"color-brand-primary": "#56B4E9", "color-brand-content": "#56B4E9"},
}
pygments_style = "default"


def plain_bars(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Let ``|x|`` be an absolute value: what it means in reStructuredText is used nowhere."""
    lines[:] = [line.replace("|", r"\|") for line in lines]


def only_names(app: Sphinx, doctree: nodes.document) -> None:
    """Make links of names such as `Surface` or `kyphobayes.fits`, not of a k in "shape (k,)"."""
    for reference in list(doctree.findall(addnodes.pending_xref)):
        target = reference.get("reftarget", "")
        if reference.get("refdomain") == "py" and "." not in target and not target[:1].isupper():
            reference.replace_self(reference.children)


def setup(app: Sphinx) -> None:
    """Tell Sphinx what it does not know of itself."""
    app.connect("autodoc-process-docstring", plain_bars, priority=1000)  # after napoleon
    app.connect("doctree-read", only_names)
