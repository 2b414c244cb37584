"""The directive ``prior-families``: every family of priors with its parameters, from the package itself."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from kyphobayes.families import FAMILIES, WRAPPERS
from kyphobayes.families.family import Family
from kyphobayes.families.positive import POSITIVE_FAMILIES
from kyphobayes.families.real import REAL_FAMILIES
from kyphobayes.families.studies import STUDY_FAMILIES

GROUPS = {
    "On the real line, for mu": REAL_FAMILIES,
    "Above zero, for tau": POSITIVE_FAMILIES,
    "For tau, defined by the standard errors of the studies": STUDY_FAMILIES,
    "Made of other priors": WRAPPERS,
}


class PriorFamilies(SphinxDirective):
    """``{prior-families}`` makes a list for each group."""

    def run(self) -> list[nodes.Node]:
        """Make the lists."""
        known = {name for group in GROUPS.values() for name in group}
        if known != set(FAMILIES):
            raise self.error(f"families in no group: {sorted(set(FAMILIES) - known)}")
        lines = []
        for title, group in GROUPS.items():
            lines += [f"**{title}**", ""]
            lines += [f"* `{written(name, family)}`" for name, family in sorted(group.items())]
            lines += [""]
        return self.parse_text_to_nodes("\n".join(lines))


def written(name: str, family: Family) -> str:
    """Write a family as it is typed: parameters that must be given by name, others with their default."""
    if family.from_studies:
        return f"{name}()"
    return f"{name}({', '.join(p if d is None else f'{p}={d:g}' for p, d in family.defaults.items())})"


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the directive known."""
    app.add_directive("prior-families", PriorFamilies)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
