"""Making the folder of a new review: whole, or not at all."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from kyphobayes.errors import InputError
from kyphobayes.reviews.descriptor import descriptor
from kyphobayes.reviews.outcomes import KINDS, SETS, Outcome, example, template
from kyphobayes.reviews.own_table import begun_from
from kyphobayes.toml_files import nearest

ALL = "all"
_WORDS = {
    "counts": "events out of n",
    "contrasts": "estimates with standard errors",
    "rates": "events in a time",
}
_STATE = "**Every number in `data/outcomes/` is invented**, only so that all commands run: replace them."
_STEPS = """\
1. Put your studies into `data/studies.csv` and your papers into `data/sources.csv`.
2. Put your numbers into the table of `data/outcomes/`, one row per study; delete the invented rows, and the
   tables and entries of the plan that you do not need.
3. Ask your question in `data/analyses.toml`: title, question, decision. To rename a table, rename it
   there and in `data/datapackage.json` too.
4. Rewrite the reasons in `data/priors/`, and the priors where yours are others.
5. Run `kyphobayes report` again. What is wrong in a table is told with file, line and column."""


_OWN_STATE = "The rows of `data/outcomes/` are those of $file; plan and priors are still to be written."
_OWN_STEPS = """\
1. Write the papers that the rows come from into `data/sources.csv`, and name them in the column `source`.
2. Ask your question in `data/analyses.toml`: title, question, decision.
3. Rewrite the reasons in `data/priors/`, and the priors where yours are others.
4. Run `kyphobayes report` again. What is wrong in a table is told with file, line and column."""


@dataclass(frozen=True)
class Made:
    """A new review.

    Attributes
    ----------
    folder : Path
    analyses : tuple of str
        Names of the plan's entries.
    said : tuple of str
        What was done to the user's own table; empty for examples.
    """

    folder: Path
    analyses: tuple[str, ...]
    said: tuple[str, ...]


def new_review(
    folder: Path, kind: str | None = None, *, table: Path | None = None, measure: str = ""
) -> Made:
    """Make a folder for a review, with invented rows to be replaced, or with the rows of one's own table.

    Parameters
    ----------
    folder : Path
        New, or empty.
    kind : {"counts", "contrasts", "rates", "all"}, optional
        Events out of n, estimates with standard errors, or events in a time at risk. By default what the
        table holds; counts without one.
    table : Path, optional
        A table of one's own, as `read_own_data` understands it.
    measure : str
        metafor's code, where the table allows more than one.

    Returns
    -------
    Made

    Raises
    ------
    InputError, EvidenceError
        If the folder is not empty or cannot be written, the kind is none of these, or the table cannot be
        read. Nothing is left half made: all is written beside the folder, and moved when it is complete.
    """
    if kind not in (None, *KINDS, ALL):
        raise InputError(f"kind: found {kind!r}; {nearest(kind, (*KINDS, ALL))}")
    _check_empty(folder)
    if table is not None:
        begun = begun_from(table, measure=measure, kind="" if kind in (None, ALL) else kind)
        state = Template(_OWN_STATE).substitute(file=f"`{table.name}`")
        contents = _contents(folder, [begun.outcome], begun.studies, begun.sources, state, _OWN_STEPS)
        return Made(_write(folder, contents), (begun.outcome.name,), begun.said)
    outcomes = [example(each) for each in (KINDS if kind == ALL else (kind or KINDS[0],))]
    contents = _contents(folder, outcomes, template("studies.csv"), template("sources.csv"), _STATE, _STEPS)
    return Made(_write(folder, contents), tuple(each.name for each in outcomes), ())


def _contents(
    folder: Path, outcomes: Sequence[Outcome], studies: str, sources: str, state: str, steps: str
) -> dict[str, str]:
    """Texts of all files by their paths in the folder."""
    title = folder.resolve().name
    rows = [
        f"| `data/outcomes/{each.name}.csv` | {_WORDS[each.kind]}, one row per study |" for each in outcomes
    ]
    readme = Template(template("README.md")).substitute(
        title=title, state=state, first=outcomes[0].name, tables="\n".join(rows), steps=steps
    )
    head = "# The plan: one entry per question. `kyphobayes report` runs them all.\n"
    own = [pair for each in outcomes for pair in each.priors]
    priors = {
        name: template(f"priors/{name}.toml") + "".join(text for label, text in own if label == name)
        for name in SETS
    }
    return {
        "README.md": readme,
        "Makefile": template("Makefile"),
        ".gitignore": template("gitignore"),
        "data/analyses.toml": "\n".join([head, *(each.plan for each in outcomes)]),
        "data/datapackage.json": descriptor(title, [(each.name, each.kind) for each in outcomes]),
        "data/studies.csv": studies,
        "data/sources.csv": sources,
        **{f"data/outcomes/{each.name}.csv": each.table for each in outcomes},
        **{f"data/priors/{name}.toml": text for name, text in priors.items()},
    }


def _check_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        found = "a folder that holds something" if folder.is_dir() else "a file"
        raise InputError(f"{folder}: expected a new or an empty folder, found {found}; choose another name")


def _write(folder: Path, contents: Mapping[str, str]) -> Path:
    """Write all files beside the folder, and move them there when they are complete."""
    parent = folder.resolve().parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=parent))
        try:
            for name, text in contents.items():
                path = unfinished / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8", newline="\n")
            unfinished.chmod(0o755)
            if folder.exists():
                folder.rmdir()
            unfinished.rename(folder)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    except OSError as problem:
        raise InputError(
            f"cannot make {folder}: {problem.strerror or problem}; choose another place"
        ) from None
    return folder
