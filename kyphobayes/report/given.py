"""What the section of a pooled analysis is made from, and how its tables and figures get their names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from kyphobayes.errors import InputError
from kyphobayes.report.alt import alternatives
from kyphobayes.report.beside import picture
from kyphobayes.report.document import Inline, Picture, Shown
from kyphobayes.report.figures import of_result as figures
from kyphobayes.report.quality import Known
from kyphobayes.report.study_flow import Flow
from kyphobayes.report.tables import Table
from kyphobayes.run import Result


@dataclass(frozen=True)
class Pooled:
    """What a section is made from.

    Attributes
    ----------
    result : Result
    slug : str
        Its name in addresses and file names.
    flow : Flow
    known : Known or None
        What the project's tables say of the studies.
    sources : mapping of str to int
        Numbers of the citations.
    folder : Path
        Of the report.
    """

    result: Result
    slug: str
    flow: Flow
    known: Known | None
    sources: Mapping[str, int]
    folder: Path

    def shown(self, table: Table) -> Shown:
        """A table under a name that no other analysis has."""
        name = f"{self.slug}-{table.name}"
        return Shown(name, replace(table, name=name))

    def pictured(self, kind: str, head: str, *caption: Inline, **given: Any) -> tuple[Picture, ...]:
        """A figure of `figures.of_result` under the name of this analysis; none where it has none."""
        draw: Callable[..., Figure | None] = getattr(figures, kind)
        figure = draw(self.result, **given)
        if figure is None:
            return ()
        alt = alternatives(self.result)[kind]
        name = f"{self.slug}-{kind.replace('_', '-')}"
        return (picture(figure, name, alt, self.folder, head, caption),)

    def of_fit(
        self, draw: Callable[..., Figure], name: str, head: str, caption: str, **given: Any
    ) -> tuple[Picture, ...]:
        """A figure of the reported fit; none where fits of its kind do not have it."""
        try:
            figure = draw(self.result.fit, scale=self.result.scale, **given)
        except InputError:  # such as effects that are not normal given tau
            return ()
        alt = f"{head} {caption}"
        return (picture(figure, f"{self.slug}-{name}", alt, self.folder, head, (caption,)),)
