"""The command line: its commands by name, and what becomes of an error.

Heavy modules are imported inside the commands, so that help comes at once.
"""

import os
import sys
from collections.abc import Sequence

import typer
from rich.markup import escape

from kyphobayes.commands.analyses import crosscheck, fit, sensitivity
from kyphobayes.commands.audit import audit, lint
from kyphobayes.commands.calibrate import calibrate
from kyphobayes.commands.coverage import coverage
from kyphobayes.commands.explore import explore
from kyphobayes.commands.new import new
from kyphobayes.commands.plan import list_, report
from kyphobayes.commands.priors import elicit
from kyphobayes.commands.reanalyse import reanalyse
from kyphobayes.commands.reconstruct import reconstruct
from kyphobayes.commands.recover import recover
from kyphobayes.commands.tables import effect_sizes
from kyphobayes.console import aside
from kyphobayes.errors import KyphobayesError

app = typer.Typer(
    help="Bayesian evidence synthesis: exact posteriors, NUTS and a frequentist witness.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # errors in one line, without a box
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(new)
app.command("list")(list_)
app.command()(fit)
app.command()(crosscheck)
app.command()(sensitivity)
app.command()(explore)
app.command()(elicit)
app.command("effect-sizes")(effect_sizes)
app.command()(reconstruct)
app.command()(reanalyse)
app.command()(audit)
app.command()(lint)
app.command()(report)
app.command()(calibrate)
app.command()(coverage)
app.command()(recover)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; errors of the user are one sentence and exit code 2."""
    # The matrices of the exact engine are small: a second BLAS thread only gets in the first one's way.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        app(args=None if arguments is None else list(arguments), prog_name="kyphobayes")
    except KyphobayesError as problem:
        aside.print(f"[bold red]error:[/] {escape(str(problem))}", highlight=False, soft_wrap=True)
        sys.exit(2)
