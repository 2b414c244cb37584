"""The directive ``commands``: every command of the command line with its arguments and options.

It is made from the command line itself, so that it says what `--help` says.
"""

from collections.abc import Iterator

import typer
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from kyphobayes.cli import app as kyphobayes


class Commands(SphinxDirective):
    """``{commands}`` makes a section for each command."""

    def run(self) -> list[nodes.Node]:
        """Make the sections."""
        found = typer.main.get_command(kyphobayes)
        return [self._section(path, command) for path, command in leaves("kyphobayes", found)]

    def _section(self, path: str, command) -> nodes.section:
        section = nodes.section(ids=[nodes.make_id(path)], names=[nodes.fully_normalize_name(path)])
        self.state.document.note_explicit_target(section)
        section += nodes.title("", "", nodes.literal("", path))
        section += self.parse_text_to_nodes(command.help or "")
        context = typer.Context(command, info_name=path)
        usage = " ".join([path, *command.collect_usage_pieces(context)])
        section += nodes.literal_block(usage, usage, language="text")
        records = [parameter.get_help_record(context) for parameter in command.params]
        if records := [record for record in records if record]:
            section += nodes.definition_list("", *(described(names, text) for names, text in records))
        return section


def described(names: str, text: str) -> nodes.definition_list_item:
    """Write one argument or option as the help does: what is typed, and what it means."""
    meaning = nodes.definition("", nodes.paragraph("", text))
    return nodes.definition_list_item("", nodes.term("", "", nodes.literal("", names)), meaning)


def leaves(path: str, command) -> Iterator[tuple[str, object]]:
    """Walk through groups to the commands that do something, in the order of the help."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name, one in inner.items():
        if not one.hidden:
            yield from leaves(f"{path} {name}", one)


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the directive known."""
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
