"""Where tables and models are found."""

from pathlib import Path

import pytest

from kyphobayes.errors import EvidenceError
from kyphobayes.project import Project, default_project


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


@pytest.mark.parametrize("missing", ["data", "models"])
def test_a_folder_without_tables_or_models_is_no_project(missing, tmp_path):
    for folder in {"data", "models"} - {missing}:
        (tmp_path / folder).mkdir()
    with pytest.raises(EvidenceError, match=f"expected a folder {missing}/ in it") as error:
        Project(tmp_path)
    assert str(tmp_path) in str(error.value)


def test_a_project_is_a_value(tmp_path):
    for folder in ("data", "models"):
        (tmp_path / folder).mkdir()
    assert Project(tmp_path) == Project(Path(str(tmp_path)))
    assert len({Project(tmp_path), Project(tmp_path)}) == 1
