"""Writes granules in the shapes of their producers, with small sides: GPM IMERG (groups, times labelled julian, HDF5 fill undefined,
chunks of 32 times for one) by h5py, and model output of calendars without real dates by netCDF-C.

usage: group_granules.py FOLDER < JSON: [{kind: imerg | model, name, time: number, calendar, units}, ...]
"""
import ctypes
import json
import os
import sys

import h5py
import netCDF4
import numpy as np


def hdf5_library():
    """The HDF5 that h5py itself uses: only it takes its identifiers."""
    for line in open("/proc/self/maps"):
        path = line.split()[-1]
        if "libhdf5-" in os.path.basename(path) and "h5py" in path:
            return ctypes.CDLL(path)
    raise RuntimeError("h5py's HDF5 was not found")


def dataset(group, name, values, chunks, fill, scales, maxshape=None):
    """A dataset whose fill value is undefined in HDF5, and an attribute alone."""
    values = np.asarray(values)
    most = tuple(h5py.h5s.UNLIMITED if length is None else length for length in maxshape or values.shape)
    space = h5py.h5s.create_simple(values.shape, most)
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_chunk(chunks)
    creation.set_shuffle()
    creation.set_deflate(4)
    kind = h5py.h5t.py_create(values.dtype)
    library = hdf5_library()
    library.H5Pset_fill_value.argtypes = [ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
    assert library.H5Pset_fill_value(creation.id, kind.id, None) >= 0
    assert creation.fill_value_defined() == h5py.h5d.FILL_VALUE_UNDEFINED
    h5py.h5d.create(group.id, name.encode(), kind, space, creation)
    made = group[name]
    made[...] = values
    if fill is not None:
        made.attrs["_FillValue"] = values.dtype.type(fill)
    for axis, scale in enumerate(scales):
        made.dims[axis].attach_scale(scale)
    return made


def imerg(path, time):
    random = np.random.default_rng(time)
    with h5py.File(path, "w") as file:
        file.attrs["FileHeader"] = np.bytes_(f"FileName={os.path.basename(path)};\n")
        grid = file.create_group("Grid")
        grid.attrs["GridHeader"] = np.bytes_("BinMethod=ARITHEMATIC_MEAN;\n")
        times = dataset(grid, "time", np.array([time], "i4"), (32,), None, [], maxshape=(None,))
        times.make_scale("time")
        times.attrs.update(units=np.bytes_("seconds since 1970-01-01 00:00:00 UTC"), calendar=np.bytes_("julian"), standard_name=np.bytes_("time"), bounds=np.bytes_("time_bnds"))
        lon = dataset(grid, "lon", np.arange(6, dtype="f4") - 3, (6,), None, [])
        lat = dataset(grid, "lat", np.arange(4, dtype="f4") - 2, (4,), None, [])
        vertices = grid.create_dataset("nv", shape=(2,), dtype="f4")
        lon.make_scale("lon")
        lat.make_scale("lat")
        vertices.make_scale("This is a netCDF dimension but not a netCDF variable.         2")
        dataset(grid, "time_bnds", np.array([[time, time + 1800]], "i4"), (32, 2), None, [times, vertices], maxshape=(None, 2))
        inner = grid.create_group("Intermediate")
        fields = [(grid, "precipitation", "f4", -9999.9, (1, 3, 4)), (grid, "probabilityLiquidPrecipitation", "i2", -9999, (1, 6, 3)), (inner, "IRprecipitation", "f4", -9999.9, (1, 3, 4))]
        for group, name, kind, fill, chunks in fields:
            values = random.integers(0, 1000, (1, 6, 4)).astype(kind)
            values[0, 2, 1:3] = fill
            made = dataset(group, name, values, chunks, fill, [times, lon, lat], maxshape=(None, 6, 4))
            made.attrs.update(units=np.bytes_("mm/hr"), coordinates=np.bytes_("time lon lat"), DimensionNames=np.bytes_("time,lon,lat"))


def model(path, time, calendar, units):
    random = np.random.default_rng(abs(int(time)) + 1)
    with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
        file.createDimension("time", None)
        file.createDimension("lat", 3)
        file.createDimension("lon", 5)
        times = file.createVariable("time", "f8", ("time",))
        times.units = units
        times.calendar = calendar
        times.standard_name = "time"
        times[:] = [time]
        file.createVariable("lat", "f8", ("lat",))[:] = [-45, 0, 45]
        file.createVariable("lon", "f8", ("lon",))[:] = np.arange(5) * 72.0
        tas = file.createVariable("tas", "f4", ("time", "lat", "lon"), zlib=True, fill_value=1e20, chunksizes=(1, 3, 5))
        tas.units = "K"
        tas[:] = random.random((1, 3, 5)).astype("f4") + 280


for granule in json.load(sys.stdin):
    path = os.path.join(sys.argv[1], granule["name"])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if granule["kind"] == "imerg":
        imerg(path, granule["time"])
    else:
        model(path, granule["time"], granule["calendar"], granule["units"])
