"""Compares groups of one version of a store, as xarray reads them, with xarray's own concatenation of the source files along time.

usage: compare_groups.py STORE VERSION < JSON: [{group, of, files: [path, ...]}]: `of` is the group of the files, `group` that of the store.
Prints {"wrong": [...], "compared": n, "times": [...]}: raw values and attributes bit for bit, and times and fields as they are decoded.
"""
import json
import sys

import icechunk
import numpy as np
import xarray as xr

from stores import answer

store_path, version = sys.argv[1:3]
storage = icechunk.local_filesystem_storage(store_path)
config = icechunk.Repository.fetch_config(storage)
authorize = icechunk.containers_credentials({prefix: icechunk.credentials.HttpAccess for prefix in config.virtual_chunk_containers})
session = icechunk.Repository.open(storage, authorize_virtual_chunk_access=authorize).readonly_session(snapshot_id=version)


def plain(attributes):
    """JSON has one kind of number."""
    return {name: float(value) if isinstance(value, (int, float, np.number)) else str(value) for name, value in attributes.items()}


wrong = []
times = []
compared = 0
for asked in json.load(sys.stdin):
    for options in [{"decode_times": False, "mask_and_scale": False}, {"decode_times": True, "mask_and_scale": True}]:
        options = {**options, "decode_timedelta": False}
        if options["decode_times"]:
            options["decode_times"] = xr.coders.CFDatetimeCoder(use_cftime=True)
        found = xr.open_zarr(session.store, group=asked["group"], consolidated=False, zarr_format=3, **options)
        files = [xr.open_dataset(path, group=asked["of"], engine="h5netcdf" if "h5netcdf" in xr.backends.list_engines() else "netcdf4", **options) for path in asked["files"]]
        expected = xr.concat(files, "time", data_vars="minimal", coords="minimal", compat="override", combine_attrs="drop_conflicts")
        for name in expected.variables:
            compared += 1
            if name not in found.variables:
                wrong.append(f"{asked['group']} {name}: absent")
                continue
            a, b = found[name], expected[name]
            same = a.dims == b.dims and a.dtype == b.dtype and (a.values.tolist() == b.values.tolist() if a.dtype == object else a.values.tobytes() == b.values.tobytes())
            if not same:
                wrong.append(f"{asked['group']} {name}: found {a.dims} {a.dtype} {a.values.ravel()[:4]}, expected {b.dims} {b.dtype} {b.values.ravel()[:4]}")
            if not options["mask_and_scale"] and plain(a.attrs) != plain(b.attrs):
                wrong.append(f"{asked['group']} {name}: attributes {a.attrs}, expected {b.attrs}")
        if options["mask_and_scale"] and "time" in found.variables:
            times = [value.isoformat() for value in found["time"].values]
answer({"wrong": wrong, "compared": compared, "times": times})
