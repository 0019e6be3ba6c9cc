"""Opens one version of a store as a user would and compares every value with what netCDF4-python and xarray read from the
source files themselves, bit for bit. Prints one JSON object; exit status 0 means that it ran, not that all is equal.

    compare_version.py STORE VERSION AXIS SLOT=FILE...

VERSION `references`: STORE is kerchunk references, a JSON document (with zstd too) or a folder of Parquet.
"""
import sys
import warnings

import netCDF4
import numpy as np
import xarray as xr

from stores import answer, open_store

warnings.simplefilter("ignore")
store_path, version, axis, *pairs = sys.argv[1:]


def as_documented(dataset):
    """JSON has no float32: docs/reading.md, «packed data»."""
    for variable in dataset.variables.values():
        for name in ("scale_factor", "add_offset"):
            if isinstance(variable.attrs.get(name), (int, float)) and name in narrow.get(variable_name(dataset, variable), ()):
                variable.attrs[name] = np.float32(variable.attrs[name])
    return xr.decode_cf(dataset)


def variable_name(dataset, variable):
    return next(name for name, other in dataset.variables.items() if other is variable)


def same(a, b):
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return f"shape {b.shape}, expected {a.shape}"
    if a.dtype.newbyteorder("=") != b.dtype.newbyteorder("="):
        return f"type {b.dtype}, expected {a.dtype}"
    a, b = a.astype(a.dtype.newbyteorder("=")), b.astype(b.dtype.newbyteorder("="))
    return None if a.tobytes() == b.tobytes() else "other values"


store = open_store(store_path, version)
raw = xr.open_zarr(store, consolidated=False, decode_cf=False)
narrow = {}
wrong, compared = [], 0
for pair in pairs:
    slot, path = pair.split("=", 1)
    slot = int(slot)
    source = netCDF4.Dataset(path)
    source.set_auto_maskandscale(False)
    for name, variable in source.variables.items():
        narrow.setdefault(name, [a for a in ("scale_factor", "add_offset")
                                 if a in variable.ncattrs() and np.asarray(variable.getncattr(a)).dtype == np.float32])
decoded = as_documented(xr.open_zarr(store, consolidated=False, decode_cf=False))
for pair in pairs:
    slot, path = pair.split("=", 1)
    slot = int(slot)
    source = netCDF4.Dataset(path)
    source.set_auto_maskandscale(False)
    own = xr.open_dataset(path)
    for name, variable in source.variables.items():
        for reading, expected, found in (("raw", variable[...], raw.get(name)), ("decoded", own[name].values, decoded.get(name))):
            compared += 1
            if found is None:
                wrong.append(f"{path}: {name} ({reading}): absent")
                continue
            values = found.values
            if axis in found.dims:
                values = values[slot:slot + 1] if values.ndim == np.ndim(expected) else values[slot]
            if reading == "decoded" and "_FillValue" in found.encoding and "_FillValue" not in variable.ncattrs():
                # A version with gaps marks integers that have no fill value of their own; CF decoding then widens them.
                values = np.asarray(values).astype(np.asarray(expected).dtype)
            trouble = same(np.ma.getdata(expected), values)
            if trouble:
                wrong.append(f"{path}: {name} ({reading}): {trouble}")
times = decoded[axis].values.astype("datetime64[s]").astype(str).tolist()
gaps = [i for i in range(len(times)) if all(bool(decoded[n].isel({axis: i}).isnull().all()) for n in decoded.data_vars if axis in decoded[n].dims and decoded[n].dtype.kind == "f")]
answer({"wrong": wrong, "compared": compared, "times": times, "gaps": gaps, "sizes": dict(raw.sizes)})
