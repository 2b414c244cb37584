"""The blocks of docs/how-to-reconstruct.md do what the page says."""

import re
import shlex
from pathlib import Path

import pytest

from kyphobayes.cli import main
from kyphobayes.reconstruct import Constraints, find_tables
from kyphobayes.reconstruct.printed import QUANTITIES, RELATIONS, ROUNDINGS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "how-to-reconstruct.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "infections.toml").write_text(BLOCKS["toml"], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_example_has_an_answer_worth_showing(folder):
    found = find_tables(Constraints.read(folder / "infections.toml"))
    assert found.sample is None and 2 <= len(found) <= 50
    assert (found.events.sum(axis=1) == 19).all() and (found.events[:, 3] == 0).all()


def test_the_commands_run(folder, capsys):
    for line in BLOCKS["console"].splitlines():
        name, *arguments = shlex.split(line)
        assert name == "kyphobayes"
        with pytest.raises(SystemExit) as left:
            main(arguments)
        printed = capsys.readouterr()
        assert not left.value.code, printed.err
        assert "tables of counts agree with every figure" in " ".join(printed.out.split())
    names = {path.name for path in (folder / "results" / "infections").iterdir()}
    promised = set(re.findall(r"`(\w+\.csv)`", PAGE))
    assert promised <= names and {"marginals.svg", "marginals.png"} <= names


def test_the_python_runs(folder):
    source = BLOCKS["python"]
    names: dict = {}
    exec(compile(source, "docs/how-to-reconstruct.md", "exec"), names)
    assert len(names["found"]) >= 2


def test_every_word_of_the_format_is_explained():
    for word in QUANTITIES:
        assert f"`{word}`" in PAGE
    for word in (*RELATIONS, *ROUNDINGS[1:]):
        assert f'"{word}"' in PAGE
