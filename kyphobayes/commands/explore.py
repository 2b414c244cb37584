"""The command that writes the page on which anyone moves the priors."""

from pathlib import Path
from typing import Annotated

import typer

from kyphobayes.commands.options import OutOption, ProjectOption, chosen_project
from kyphobayes.console import progress, screen


def explore(
    analysis: Annotated[str, typer.Argument(help="Name of an analysis; see `kyphobayes list`.")],
    out: OutOption = Path("results"),
    project: ProjectOption = None,
) -> None:
    """Write a page on which anyone moves the priors and sees the posterior at once."""
    with progress(False, 1) as say:
        say(f"{analysis}: writing the explorer")
        from kyphobayes.evidence import evidence_for, find_analysis, read_priors
        from kyphobayes.explorer import explore_analysis
        from kyphobayes.model import load_model

        chosen = chosen_project(project)
        asked = find_analysis(chosen, analysis)
        evidence = evidence_for(asked, chosen)
        model = load_model(asked.model, chosen)
        labels = dict.fromkeys([asked.priors, *asked.compare])
        sets = {label: read_priors(chosen, label, asked, evidence.measure) for label in labels}
        model.check(evidence, sets[asked.priors])
        path = out / "explorer" / f"{asked.name}.html"
        explore_analysis(path, asked, model.surface(evidence), sets, evidence.scale)
    screen.print(f"explorer: {path}", highlight=False, markup=False, soft_wrap=True)
