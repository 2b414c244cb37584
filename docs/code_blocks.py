"""The code blocks of the pages: found, run, and compared with the output that is shown after them.

Blocks of one page run in their order, in one folder and, those of Python, in one namespace. A block of
data is written to the file that the paragraph before it names ("Save this as `mine.csv`:"). A block of
output is a block of ``text`` that directly follows a block of code; in a console block that has lines
with ``$``, the other lines are the output. ``...`` in shown output stands for what is left out.
"""

import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [ROOT / "README.md", *(p for p in ROOT.joinpath("docs").rglob("*.md") if "build" not in p.parts)]
)
COLUMNS = 88  # how wide the command line prints

_FENCE = re.compile(
    r"^(?P<ticks>`{3,})(?P<info>[^`\n]*)\n(?P<text>.*?)^(?P=ticks)[ \t]*$", re.DOTALL | re.MULTILINE
)
_SAVED = re.compile(r"as `(?P<name>[\w.-]+\.(?:csv|toml))`")
_PROMPT = "$ "


@dataclass
class Block:
    """One fenced block.

    Attributes
    ----------
    language : str
    text : str
    line : int
        Of its first fence, counted from 1.
    span : tuple of int
        Where its text begins and ends in the page.
    saved_as : str or None
        The file that it is written to.
    output : Block or None
        The block of text that shows what it prints.
    """

    language: str
    text: str
    line: int
    span: tuple[int, int]
    saved_as: str | None = None
    output: "Block | None" = None


@dataclass
class Wrong:
    """What a page shows, and what came instead."""

    line: int
    span: tuple[int, int]
    shown: str
    found: str

    def __str__(self) -> str:
        return f"line {self.line}: the page shows\n{self.shown}\nand this came:\n{self.found}"


@dataclass
class Session:
    """A folder and a namespace in which the blocks of one page run."""

    folder: Path
    names: dict = field(default_factory=lambda: {"__name__": "__main__"})


def blocks(page: str) -> list[Block]:
    """Find the fenced blocks of a page, those of output joined to their code."""
    found: list[Block] = []
    end = 0
    for fence in _FENCE.finditer(page):
        language = fence["info"].strip().split(" ")[0]
        between, end = page[end : fence.start()], fence.end()
        line = page.count("\n", 0, fence.start()) + 1
        block = Block(language, fence["text"], line, fence.span("text"))
        named = _SAVED.findall(between.strip().rpartition("\n\n")[2])
        if language in ("csv", "toml") and named:
            block.saved_as = named[-1]
        if (
            language == "text"
            and found
            and not between.strip()
            and found[-1].language in ("python", "console")
        ):
            found[-1].output = block
        else:
            found.append(block)
    return found


def run_page(page: str, session: Session) -> list[Wrong]:
    """Run all blocks of a page; tell where what it shows is not what came."""
    wrong: list[Wrong] = []
    for block in blocks(page):
        if block.saved_as:
            (session.folder / block.saved_as).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            shown = block.output
            found = _printed(lambda block=block: _python(block, session))
            if shown and not agrees(shown.text, found):
                wrong.append(Wrong(shown.line, shown.span, shown.text, found))
        elif block.language == "console":
            found = _console(block, session)
            shown = block.output or block
            if (block.output or _has_output(block)) and not agrees(shown.text, found):
                wrong.append(Wrong(shown.line, shown.span, shown.text, found))
    return wrong


def agrees(shown: str, found: str) -> bool:
    """Whether printed text is what a page shows; ``...`` stands for anything."""
    pieces = [re.escape(piece) for piece in _trimmed(shown).split("...")]
    return re.fullmatch(".*?".join(pieces), _trimmed(found), re.DOTALL) is not None


def commands(block: Block) -> list[str]:
    """Return the commands of a console block, without the prompt."""
    lines = block.text.splitlines()
    if not _has_output(block):
        return [line for line in lines if line.strip() and not line.startswith("#")]
    return [line.removeprefix(_PROMPT) for line in lines if line.startswith(_PROMPT)]


def _has_output(block: Block) -> bool:
    return any(line.startswith(_PROMPT) for line in block.text.splitlines())


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def _printed(work) -> str:
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        work()
    return stream.getvalue()


def _python(block: Block, session: Session) -> None:
    # As many empty lines before the code as the page has, so that a traceback names the line of the page.
    code = compile("\n" * block.line + block.text, "page", "exec", dont_inherit=True)
    with _inside(session.folder):
        exec(code, session.names)


def _console(block: Block, session: Session) -> str:
    """Run a console block and return what the page ought to show."""
    told = _has_output(block)
    shown = []
    for command in commands(block):
        printed = _command(shlex.split(command, comments=True), session)
        shown += [f"{_PROMPT}{command}\n" if told and not block.output else "", printed]
        if told and printed and not printed.endswith("\n"):
            shown.append("\n")
    return "".join(shown)


def _command(words: list[str], session: Session) -> str:
    """Run one command, or see that it could be run."""
    program, *arguments = words
    name = Path(program).name
    if name == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        _demand(set(arguments) <= set(targets), f"make has no target {arguments}")
    elif name == "python":
        _demand((ROOT / arguments[0]).exists(), f"there is no file {arguments[0]}")
    elif name == "kyphobayes":
        if _only_read(arguments, session):
            _read(arguments)
            return ""
        return _kyphobayes(arguments, session)
    else:
        _demand(False, f"a page may show make, python and kyphobayes, not {name}")
    return ""


def _only_read(arguments: list[str], session: Session) -> bool:
    """Whether a command takes minutes, or asks for a file that the page does not give."""
    command, *rest = arguments
    files = [word for word in rest[:1] if re.fullmatch(r"[\w-]+\.(csv|toml|xlsx)", word)]
    if any(not (session.folder / file).exists() for file in files):
        return True
    # An analysis of the plan is fitted by NUTS too, unless it is told otherwise; a table of one's own is not.
    sampled = {"nuts", "both"} & set(rest) or not (files or "exact" in rest)
    simulates = command in ("calibrate", "coverage", "recover") and "--shipped" not in rest
    return simulates or command == "report" or "--report" in rest or (command == "fit" and bool(sampled))


def _read(arguments: list[str]) -> None:
    """Have the command line read arguments, which ends in an error where one is unknown."""
    import typer

    from kyphobayes.cli import app

    command = typer.main.get_command(app)
    while (inner := getattr(command, "commands", None)) is not None:
        name, *arguments = arguments
        _demand(name in inner, f"there is no command {name}")
        command = inner[name]
    command.make_context(command.name, list(arguments))


def _kyphobayes(arguments: list[str], session: Session) -> str:
    from kyphobayes.cli import main

    stream, errors = io.StringIO(), io.StringIO()
    with (
        _inside(session.folder),
        contextlib.redirect_stdout(stream),
        contextlib.redirect_stderr(errors),
        contextlib.suppress(SystemExit),
    ):
        try:
            main(arguments)
        except SystemExit as left:
            # 1 says that something does not hold, which a page may well show; 2 that it could not be done.
            _demand(left.code in (None, 0, 1), f"{shlex.join(arguments)}: {errors.getvalue()}")
            raise
    return stream.getvalue()


def _demand(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(message)


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Work in a folder, on a screen of a given width."""
    from kyphobayes.console import aside, screen

    before = [(each, each._width) for each in (screen, aside)]  # None: as wide as the terminal
    for each in (screen, aside):
        each.width = COLUMNS
    try:
        with contextlib.chdir(folder):
            yield
    finally:
        for each, width in before:
            each._width = width
