"""Makes test/data/made/: what no public file under a permissive licence was found for, written by netCDF-C.

Run it with the readers' Python (.freshet/set-up.json) and a folder; the same versions write the same bytes.
"""

import sys
from pathlib import Path

import netCDF4
import numpy as np

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)


def cdf5_records(path: Path) -> None:
    """CDF-5: its own types, two record variables of different sizes, typed attributes, a fixed variable."""
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as file:
        file.createDimension("time", None)
        file.createDimension("x", 3)
        file.title = "CDF-5 with records"
        file.counts = np.array([1, 2**40], dtype="i8")
        fixed = file.createVariable("big", "u8", ("x",))
        fixed[:] = np.array([0, 2**53 + 1, 2**64 - 1], dtype="u8")
        time = file.createVariable("time", "i8", ("time",))
        time.units = "seconds since 1970-01-01"
        time[:] = np.array([2**40, 2**40 + 60, 2**40 + 120, 2**40 + 180], dtype="i8")
        flag = file.createVariable("flag", "u1", ("time", "x"), fill_value=255)
        flag.set_auto_mask(False)
        flag[:] = np.arange(12, dtype="u1").reshape(4, 3)
        level = file.createVariable("level", "u4", ("time", "x"))
        level.valid_max = np.uint32(4_000_000_000)
        level[:] = (np.arange(12, dtype="u4") * 300_000_000).reshape(4, 3)


def single_record(path: Path) -> None:
    """CDF-1 with one record variable of 3 x 2 bytes a record: the case in which records are not padded to 4 bytes."""
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as file:
        file.createDimension("time", None)
        file.createDimension("x", 3)
        value = file.createVariable("value", "i2", ("time", "x"))
        value.scale_factor = np.float32(0.01)
        value.set_auto_scale(False)
        value[:] = np.arange(15, dtype="i2").reshape(5, 3) - 7


cdf5_records(folder / "cdf5-records.nc")
single_record(folder / "single-record.nc")
