"""The files of a sensitivity analysis: tables as CSV, everything as NetCDF, the atlas as PNG and SVG."""

from pathlib import Path

import xarray as xr

from kyphobayes.files import write
from kyphobayes.report.canvas import to_png, to_svg
from kyphobayes.report.csv_tables import to_csv
from kyphobayes.report.heat_map import heat_map
from kyphobayes.report.sensitivity import decision_head, tables
from kyphobayes.sensitivity import Sensitivity


def write_sensitivity(found: Sensitivity, folder: Path, name: str) -> list[Path]:
    """Write every result of a sensitivity analysis.

    Parameters
    ----------
    found : Sensitivity
    folder : Path
        Gets files whose names begin with `name`.
    name : str

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    InputError
        If a file cannot be written.
    """
    files: dict[str, str | bytes] = {
        f"{name}-{table.name}.csv": to_csv(table.frame) for table in tables(found).values()
    }
    tree = xr.DataTree.from_dict({f"/{group}": dataset for group, dataset in found.datasets().items()})
    files[f"{name}-sensitivity.nc"] = bytes(tree.to_netcdf(engine="h5netcdf"))
    figure = heat_map(
        found.atlas, scale=found.scale, threshold=found.threshold, decision=decision_head(found)
    )
    files[f"{name}-sensitivity-atlas.png"] = to_png(figure)
    files[f"{name}-sensitivity-atlas.svg"] = to_svg(figure, f"{name}-sensitivity-atlas")
    for file, content in files.items():
        write(folder / file, content)
    return [folder / file for file in files]
