"""Where tables and models are found."""

from pathlib import Path

import pytest

from kyphobayes.errors import EvidenceError
from kyphobayes.project import Project, default_project, find_project


def test_the_checkout_is_the_default():
    project = default_project()
    assert project.data.is_dir() and project.models.is_dir()
    assert (project.data / "analyses.toml").is_file()
    assert project is default_project()


def test_an_installed_package_has_its_own(monkeypatch, tmp_path):
    for folder in ("data", "models"):
        (tmp_path / "_project" / folder).mkdir(parents=True)
    monkeypatch.setattr("kyphobayes.project._PACKAGE", tmp_path)
    default_project.cache_clear()
    try:
        assert default_project().root == tmp_path / "_project"
    finally:
        default_project.cache_clear()


def test_a_folder_without_tables_is_no_project(tmp_path):
    (tmp_path / "models").mkdir()
    with pytest.raises(EvidenceError, match="expected a folder data/ in it") as error:
        Project(tmp_path)
    assert str(tmp_path) in str(error.value)


def test_a_project_without_models_has_those_of_the_package(tmp_path):
    (tmp_path / "data").mkdir()
    assert Project(tmp_path).model_files == default_project().model_files


def test_own_models_come_before_those_of_the_package(tmp_path):
    for folder in ("data", "models"):
        (tmp_path / folder).mkdir()
    for name in ("mine", "binomial_normal"):
        (tmp_path / "models" / f"{name}.py").touch()
    files = Project(tmp_path).model_files
    assert files["mine"] == tmp_path / "models" / "mine.py"
    assert files["binomial_normal"].parent == tmp_path / "models"
    assert files["normal_normal"].parent == default_project().models
    assert list(files) == sorted(files)


def test_the_project_of_a_folder_is_the_nearest_one_above_it(tmp_path):
    inside = tmp_path / "review" / "data" / "outcomes"
    inside.mkdir(parents=True)
    assert find_project(inside) == default_project()
    (tmp_path / "review" / "data" / "analyses.toml").touch()
    assert find_project(inside).root == find_project(tmp_path / "review").root == tmp_path / "review"
    assert find_project(tmp_path) == default_project()


def test_the_working_folder_is_where_the_search_begins(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "analyses.toml").touch()
    monkeypatch.chdir(tmp_path)
    assert find_project() == Project(tmp_path.resolve())


def test_a_project_is_a_value(tmp_path):
    for folder in ("data", "models"):
        (tmp_path / folder).mkdir()
    assert Project(tmp_path) == Project(Path(str(tmp_path)))
    assert len({Project(tmp_path), Project(tmp_path)}) == 1
