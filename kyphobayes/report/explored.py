"""The prior explorer of a result, beside its report."""

from collections.abc import Callable
from pathlib import Path

from kyphobayes.errors import InputError
from kyphobayes.explorer import explore_analysis
from kyphobayes.explorer.likelihood import studies
from kyphobayes.run import Result


def explored(result: Result, folder: Path, *, say: Callable[[str], None] = lambda _: None) -> Path | None:
    """Write the page on which the priors of a result are moved.

    Parameters
    ----------
    result : Result
    folder : Path
        Of the report; the page is ``explorer/<name>.html`` in it, where the report looks for it.
    say : callable
        Is told what happens.

    Returns
    -------
    Path or None
        None where the studies are of a kind that the explorer does not know.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    say(f"{result.analysis.name}: writing the explorer")
    surface = result.model.surface(result.evidence)
    try:
        studies(surface)
    except InputError:
        return None
    path = folder / "explorer" / f"{result.analysis.name}.html"
    return explore_analysis(path, result.analysis, surface, result.compared, result.scale)
