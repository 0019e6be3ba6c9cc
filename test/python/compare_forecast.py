"""Compares the views of a forecast, as xarray reads them from one version, with the granules that should stand in them.

usage: compare_forecast.py STORE VERSION < JSON: {group: {dims: [...], valid: [...], run: [...], lead: [...],
  cells: [[index..., path, step], ...], shape: [...]}}; times in seconds since 1970, null for a gap's.
Prints {"wrong": [...], "compared": n}. What the granules hold is read with netCDF4.
"""
import json
import sys

import netCDF4
import numpy as np
import xarray as xr

from stores import answer, open_store

store_path, version = sys.argv[1:3]
wanted = json.load(sys.stdin)
store = open_store(store_path, version)
wrong = []
compared = 0
seconds = lambda values: [None if np.isnat(v) else int(v.astype("datetime64[s]").astype("int64")) for v in np.ravel(values)]


def same(what, found, expected):
    global compared
    compared += 1
    if found != expected:
        wrong.append(f"{what}: found {str(found)[:300]}, expected {str(expected)[:300]}")


for group, view in wanted.items():
    decoded = xr.open_zarr(store, group=group, consolidated=False, zarr_format=3, decode_timedelta=True)
    raw = xr.open_zarr(store, group=group, consolidated=False, zarr_format=3, mask_and_scale=False, decode_times=False)
    dims = view["dims"]
    same(f"{group} dims of zeta", list(decoded.zeta.dims[: len(dims)]), dims)
    same(f"{group} shape", list(decoded.zeta.shape[: len(dims)]), view["shape"])
    if 0 in view["shape"]:
        continue
    same(f"{group} valid", seconds(decoded.ocean_time.values), view["valid"])
    same(f"{group} run", seconds(decoded.run.values), view["run"])
    lead = decoded.lead.values
    same(f"{group} lead", [None if np.isnat(v) else int(v / np.timedelta64(1, "s")) for v in lead], view["lead"])
    coordinates = set(decoded.coords)
    same(f"{group} coordinates", sorted({"run", "lead", "ocean_time"} - coordinates), [])
    zeta = raw.zeta.values
    temp = raw.temp.values
    masked = decoded.zeta.values
    filled = set()
    for *index, path, step in view["cells"]:
        with netCDF4.Dataset(path) as file:
            file.set_auto_maskandscale(False)
            at = tuple(index)
            filled.add(at)
            same(f"{group} zeta {at}", zeta[at].tobytes(), file["zeta"][step].tobytes())
            same(f"{group} temp {at}", temp[at].tobytes(), file["temp"][step].tobytes())
            same(f"{group} h", raw.h.values.tobytes(), file["h"][:].tobytes())
    for at in np.ndindex(*view["shape"]):
        if at not in filled:
            same(f"{group} gap {at}", bool(np.isnan(masked[at]).all()), True)
    same(f"{group} h dims", list(decoded.h.dims), ["eta_rho", "xi_rho"])
answer({"wrong": wrong[:20], "compared": compared})
