"""Where fits are kept."""

import pytest
import xarray as xr

from kyphobayes.engines.kept import kept


@pytest.mark.parametrize("name", ["../../leaks", "a/b", "without_..", "a\0b", "Größe 1"])
def test_a_fit_lies_in_its_folder_whatever_it_is_called(name, tmp_path):
    out = tmp_path / "deep" / "results"
    tree = xr.DataTree.from_dict({"/posterior": xr.Dataset({"mu": 1.0})})
    kept(name, "0123456789abcdef", lambda: tree, out)
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert file.parent == out / "fits" and file.name.endswith("-0123456789ab.nc")
