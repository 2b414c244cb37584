"""Every code block of the pages runs, and prints what the page shows."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pytest

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("code_blocks", ROOT / "docs" / "code_blocks.py")
code_blocks = importlib.util.module_from_spec(spec)
sys.modules["code_blocks"] = code_blocks  # dataclasses look their module up
spec.loader.exec_module(code_blocks)

TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in code_blocks.PAGES}
LANGUAGES = {"python", "console", "text", "toml", "csv", "r"}
DIRECTIVES = {"{toctree}", "{eval-rst}", "{script}", "{peers}", "{commands}", "{prior-families}"}
R_BLOCKS = [
    (page, block)
    for page, text in TEXTS.items()
    for block in code_blocks.blocks(text)
    if block.language == "r"
]


@pytest.fixture
def session(tmp_path):
    with mpl.rc_context({"backend": "agg"}):
        yield code_blocks.Session(tmp_path)


def test_the_pages_are_found():
    assert {"README.md", "docs/index.md", "docs/tutorial.md", "docs/how-to/arviz.md"} <= set(TEXTS)


@pytest.mark.parametrize("page", TEXTS)
def test_every_block_says_its_language(page):
    assert {block.language for block in code_blocks.blocks(TEXTS[page])} <= LANGUAGES | DIRECTIVES


@pytest.mark.parametrize("page", [page for page, text in TEXTS.items() if code_blocks.blocks(text)])
def test_the_page_does_what_it_shows(page, session):
    wrong = code_blocks.run_page(TEXTS[page], session)
    assert not wrong, "\n\n".join(map(str, wrong))


@pytest.mark.parametrize(
    ("shown", "found", "same"),
    [
        ("a 1.0\n", "a 1.0", True),
        ("a 1.0", "a 1.1", False),
        ("a\n...\nc", "a\nb\nb\nc", True),
        ("a\n...\nc", "a\nb", False),
        ("mu 1.23...", "mu 1.2345", True),
        ("x  \ny", "x\ny", True),
    ],
)
def test_shown_output_is_compared(shown, found, same):
    assert code_blocks.agrees(shown, found) is same


@pytest.mark.parametrize(
    "block",
    [
        "```python\nprint(1)\n```\n\n```text\n2\n```\n",
        "```console\n$ kyphobayes elicit --rate 0.01 0.2\nnothing\n```\n",
    ],
)
def test_a_wrong_output_is_found(block, session):
    assert len(code_blocks.run_page(block, session)) == 1


@pytest.mark.parametrize(
    "command",
    [
        "kyphobayes fit cement_leakage --engine nuts --no-such-option",
        "kyphobayes no-such-command",
        "kyphobayes list --no-such-option",
        "make no-such-target",
        "python scripts/no_such_script.py",
        "curl something",
    ],
)
def test_a_command_that_cannot_be_run_is_found(command, session):
    with pytest.raises(Exception, match=r"no such|no-such|no target|no file|may show"):
        code_blocks.run_page(f"```console\n{command}\n```\n", session)


def test_a_traceback_names_the_line_of_the_page(session):
    with pytest.raises(ZeroDivisionError) as raised:
        code_blocks.run_page("# Page\n\n```python\nx = 1\nx / 0\n```\n", session)
    assert raised.traceback[-1].lineno + 1 == 5


@pytest.mark.skipif(not shutil.which("Rscript"), reason="R is not installed: its code blocks are not parsed")
def test_r_blocks_are_r(tmp_path):
    for i, (_, block) in enumerate(R_BLOCKS):
        (tmp_path / f"{i}.R").write_text(block.text, encoding="utf-8")
    command = "for (f in list.files(pattern = '[.]R$')) { parse(f); cat(f, '\\n') }"
    ran = subprocess.run(
        ["Rscript", "--vanilla", "-e", command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert len(ran.stdout.split()) == len(R_BLOCKS) > 0, ran.stderr
