"""Compares views of a forecast, as xarray reads them from one version, with what xarray reads from the source files: every variable, bit for bit.

usage: compare_with_files.py STORE VERSION < JSON: {group: {dims: [...], axis: name, cells: [[index..., path, step], ...]}}
Prints {"wrong": [...], "compared": n}.
"""
import json
import sys

import icechunk
import numpy as np
import xarray as xr

store_path, version = sys.argv[1:3]
wanted = json.load(sys.stdin)
storage = icechunk.local_filesystem_storage(store_path)
access = {prefix: icechunk.credentials.LocalFileSystemAccess for prefix in icechunk.Repository.fetch_config(storage).virtual_chunk_containers}
repository = icechunk.Repository.open(storage, authorize_virtual_chunk_access=icechunk.containers_credentials(access))
session = repository.readonly_session(snapshot_id=version)
raw = {"mask_and_scale": False, "decode_times": False, "decode_coords": False}
wrong = []
compared = 0


def same(what, found, expected):
    global compared
    compared += 1
    if found != expected:
        wrong.append(f"{what}: found {str(found)[:200]}, expected {str(expected)[:200]}")


for group, view in wanted.items():
    found = xr.open_zarr(session.store, group=group, consolidated=False, zarr_format=3, **raw)
    decoded = xr.open_zarr(session.store, group=group, consolidated=False, zarr_format=3, decode_timedelta=True)
    values = {name: found[name].values for name in found.variables}
    dims, axis = view["dims"], view["axis"]
    for *index, path, step in view["cells"]:
        with xr.open_dataset(path, engine="netcdf4", **raw) as file, xr.open_dataset(path, engine="netcdf4", decode_timedelta=True) as own:
            at = tuple(index)
            same(f"{group} variables", sorted(set(file.variables) - set(values) - {"realization"}), [])
            time = own[axis].values if own[axis].ndim == 0 else own[axis].values[step]
            same(f"{group} {axis} {at}", decoded[axis].values[at], time)
            for name, variable in file.variables.items():
                if name == axis or name not in values:
                    continue
                varies = list(found[name].dims[: len(dims)]) == dims
                expected = variable.values
                if varies and own[axis].ndim == 1:
                    expected = variable.isel({own[axis].dims[0]: step}).values
                stored = values[name][at] if varies else values[name]
                same(f"{group} {name} {at}", np.asarray(stored).tobytes(), np.asarray(expected).astype(stored.dtype).tobytes())
print(json.dumps({"wrong": wrong[:20], "compared": compared}))
