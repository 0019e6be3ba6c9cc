"""Compares what readers open of one version with xarray's own concatenation of the source files: every variable, bit for bit, packed and decoded.

Each line of the input is JSON: {store, version, groups: {group: {dims: [...], axis: name, cells: [[index..., path, step], ...], without: [...]}}};
version `references`: the store is kerchunk references. The group "" is the root; `without`: variables that the product leaves out.
Answers each with a line: {"wrong": [...], "compared": n}.
"""
import functools
import itertools
import json
import sys
import warnings

import numpy as np
import xarray as xr

from stores import open_store

warnings.simplefilter("ignore")
READINGS = {
    "packed": {"mask_and_scale": False, "decode_times": False, "decode_coords": False},
    "decoded": {"decode_timedelta": True},
}
wrong = []
compared = 0


def same(what, found, expected):
    global compared
    compared += 1
    if found != expected:
        wrong.append(f"{what}: found {str(found)[:200]}, expected {str(expected)[:200]}")


def same_values(what, found, expected):
    found, expected = np.asarray(found), np.asarray(expected)
    if found.shape != expected.shape:
        return same(f"{what} shape", found.shape, expected.shape)
    equal = found.tobytes() == expected.astype(found.dtype).tobytes()
    same(what, "other values" if not equal else "", "")


@functools.cache
def read_file(path, reading, without):
    with xr.open_dataset(path, engine="netcdf4", drop_variables=without, **READINGS[reading]) as file:
        return file.load()


def steps_of(name, file, steps, axis):
    """A variable at these steps of a file, along the dimension `cell`."""
    variable = file[name].drop_vars(file[name].coords)
    own = file[axis].dims[0] if axis in file.variables and file[axis].ndim == 1 else None
    return variable.isel({own: steps}).rename({own: "cell"}) if own in variable.dims else variable.expand_dims(cell=len(steps))


def narrow_like(dataset, files):
    """JSON has no float32: docs/reading.md, «packed data»."""
    for name, variable in dataset.variables.items():
        own = next((file[name].attrs for file in files if name in file.variables), {})
        for attribute in ("scale_factor", "add_offset"):
            if isinstance(own.get(attribute), np.float32):
                variable.attrs[attribute] = np.float32(variable.attrs[attribute])
    return dataset


def is_absent(values):
    return bool(np.asarray(values.isnull()).all())


def compare(store, wanted):
    for group, view in wanted.items():
        dims, axis, cells, without = view["dims"], view["axis"], view["cells"], tuple(view.get("without", []))
        files = [read_file(path, "packed", without) for path in {path for *_, path, _ in cells}]
        stored = xr.open_zarr(store, group=group or None, consolidated=False, decode_cf=False).load()
        stored = narrow_like(stored, files)
        for reading, how in READINGS.items():
            found = xr.decode_cf(stored, **how)
            pieces = [(read_file(path, reading, without), [cell[-1] for cell in steps]) for path, steps in itertools.groupby(cells, key=lambda cell: cell[-2])]
            places = [tuple(index) for *index, _, _ in cells]
            names = set().union(*(file.variables for file in files))
            same(f"{group} {reading} variables", sorted(names - set(found.variables)), [])
            for name in sorted(names & set(found.variables)):
                what = f"{group} {name} ({reading})"
                variable = found[name]
                if not set(dims) <= set(variable.dims):
                    for file, _ in pieces:
                        same_values(what, variable.values, file[name].values)
                    continue
                # Units of time may differ from file to file.
                if name == axis and reading == "packed":
                    continue
                variable = variable.transpose(*dims, ...)
                whole = xr.concat([steps_of(name, file, steps, axis) for file, steps in pieces], dim="cell")
                whole = whole.transpose("cell", *[name for name in variable.dims if name not in dims])
                same_values(what, np.stack([variable.values[place] for place in places]), whole.values)
                if reading == "decoded" and name != axis and variable.dtype.kind in "fM":
                    for place in set(np.ndindex(variable.shape[: len(dims)])) - set(places):
                        same(f"{what} gap {place}", is_absent(variable[place]), True)
            if reading == "decoded" and len(dims) == 1:
                same(f"{group} {axis} ascends", bool(np.all(np.diff(found[axis].values) > np.timedelta64(0))), True)


for line in sys.stdin:
    request = json.loads(line)
    wrong, compared = [], 0
    compare(open_store(request["store"], request["version"]), request["groups"])
    print(json.dumps({"wrong": wrong[:20], "compared": compared}), flush=True)
