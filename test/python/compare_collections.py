"""Compares collections, as xarray opens them, with xarray's own concatenation of the source files: every variable and attribute, bit for bit.

Input: JSON: [{what, store, version, dimension, files: [path, ...], isNew, made: {name: [value, ...]}}, ...]; version `references`: the store is
kerchunk references. Without a dimension the one file is all of it; `isNew`: no file has the dimension; `made`: coordinates that no file has.
Prints for each {"what", "wrong": [...], "compared": n}.
"""
import json
import sys
import warnings

import numpy as np
import xarray as xr

from stores import answer, open_store

warnings.simplefilter("ignore")
RAW = {"decode_cf": False}
DECODED = {"decode_timedelta": True}


def plain(attributes):
    """JSON has one kind of number."""
    return {name: np.asarray(value, "f8").tolist() if np.asarray(value).dtype.kind in "iuf" else str(value) for name, value in attributes.items()}


def joined(files, asked):
    if asked["dimension"] is None:
        return files[0]
    kept = "all" if asked["isNew"] else "minimal"
    return xr.concat(files, asked["dimension"], data_vars=kept, coords=kept, compat="override", join="exact", combine_attrs="drop_conflicts")


def compare(asked):
    wrong = []
    compared = 0

    def same(what, found, expected):
        nonlocal compared
        compared += 1
        if found != expected:
            wrong.append(f"{what}: found {str(found)[:300]}, expected {str(expected)[:300]}")

    raw = xr.open_zarr(open_store(asked["store"], asked["version"]), consolidated=False, **RAW).load()
    sources = [xr.open_dataset(path, engine="netcdf4", **RAW).load() for path in asked["files"]]
    whole = joined(sources, asked)
    same("variables", sorted(raw.variables), sorted([*whole.variables, *asked["made"]]))
    named = {"coordinates": " ".join(sorted(asked["made"]))} if asked["made"] else {}
    same("attributes", plain(raw.attrs), {**plain(whole.attrs), **named})
    decoded = joined([xr.decode_cf(file, **DECODED) for file in sources], asked)
    for reading, found, expected in (("raw", raw, whole), ("decoded", xr.decode_cf(raw, **DECODED), decoded)):
        for name in expected.variables:
            if name not in found.variables:
                continue
            a, b = found[name], expected[name]
            same(f"{reading} {name} dimensions", a.dims, b.dims)
            same(f"{reading} {name} type", a.dtype, b.dtype)
            equal = a.values.tolist() == b.values.tolist() if a.dtype == object else a.values.tobytes() == b.values.tobytes()
            same(f"{reading} {name} values", "equal" if equal else str(a.values.ravel()[:6]), "equal" if equal else str(b.values.ravel()[:6]))
            if reading == "raw":
                same(f"{name} attributes", plain(a.attrs), plain(b.attrs))
    opened = xr.decode_cf(raw, **DECODED)
    for name, values in asked["made"].items():
        if name not in opened.variables:
            continue
        found = opened[name]
        if found.dtype.kind == "M":
            found = found.astype("datetime64[s]").astype("int64")
        same(f"{name} made", found.values.tolist(), values)
        same(f"{name} dimensions", found.dims, (asked["dimension"],))
        same(f"{name} is a coordinate", name in opened.coords, True)
    return {"what": asked["what"], "wrong": wrong[:20], "compared": compared}


answer([compare(asked) for asked in json.load(sys.stdin)])
