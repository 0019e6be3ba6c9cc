"""Writes granules of whole collections in the shapes of their producers with netCDF-C: dimensions, types, fills, chunks, filters; small sides.

usage: collection_granules.py FOLDER < JSON: [{kind, name, time: seconds since 1970, ...}, ...]
Kinds: oscar, ccmp, grace (steps, chunk), scatsat (orbit), swot (cycle, pass, lines). Values tell granules and cells apart.
"""
import datetime
import json
import os
import sys

import netCDF4
import numpy as np

DAY = 86400
HOUR = 3600
HDF5_FILTERS = {"plain": {}, "deflate": {"zlib": True, "complevel": 5, "shuffle": True}, "grace": {"zlib": True, "complevel": 9, "shuffle": False}}


def since(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp()


def variable(file, name, kind, dimensions, values, fill=None, chunks=None, filters="plain", **attributes):
    made = file.createVariable(name, kind, dimensions, fill_value=fill, chunksizes=chunks, **HDF5_FILTERS[filters])
    made.setncatts(attributes)
    made.set_auto_maskandscale(False)
    made[...] = values


def field(granule, shape):
    random = np.random.default_rng(int(granule["time"]))
    return random.integers(-30000, 30000, shape)


def dimensions(file, **lengths):
    for name, length in lengths.items():
        file.createDimension(name, length)


def oscar(file, granule):
    """Longitude before latitude; coordinates called other than their dimensions; a calendar named julian."""
    dimensions(file, time=1, longitude=8, latitude=6)
    file.setncatts({"Conventions": "CF-1.8", "title": "Ocean Surface Current Analyses Real-time", "date_created": granule["name"]})
    variable(file, "time", "f8", ("time",), (granule["time"] - since("1990-01-01")) / DAY, units="days since 1990-1-1", calendar="julian", standard_name="time", axis="T")
    variable(file, "lat", "f4", ("latitude",), np.linspace(-89.75, 89.75, 6), units="degrees_north", standard_name="latitude")
    variable(file, "lon", "f4", ("longitude",), np.arange(8) * 45.0, units="degrees_east", standard_name="longitude")
    for index, name in enumerate(("u", "v", "ug", "vg")):
        values = field(granule, (1, 8, 6)) / 1e4 + index
        values[0, 1, 2:4] = -999.0
        variable(file, name, "f8", ("time", "longitude", "latitude"), values, -999.0, (1, 8, 3), "deflate", units="m s-1", coordinates="lon lat")


def ccmp(file, granule):
    """Four steps a file, of which each is a chunk."""
    dimensions(file, time=None, latitude=4, longitude=6)
    file.setncatts({"Conventions": "CF-1.7", "creator_name": "Remote Sensing Systems", "date_created": granule["name"]})
    times = (granule["time"] - since("1987-01-01")) / HOUR + np.arange(0, 24, 6)
    variable(file, "latitude", "f4", ("latitude",), np.linspace(-89.875, 89.875, 4), units="degrees_north", axis="Y")
    variable(file, "longitude", "f4", ("longitude",), np.arange(6) * 60 + 0.125, units="degrees_east", axis="X")
    variable(file, "time", "f8", ("time",), times, units="hours since 1987-01-01 00:00:00", calendar="gregorian", axis="T")
    for index, name in enumerate(("uwnd", "vwnd", "ws", "nobs")):
        values = field(granule, (4, 4, 6)).astype("f4") / 1000 + index
        values[:, 0, 0] = -9999.0
        variable(file, name, "f4", ("time", "latitude", "longitude"), values, -9999.0, (1, 4, 6), "deflate", units="m s-1")


def grace(file, granule):
    """A record of irregular months: its time chunk grows with it, and the last one is partial. One variable is called scale_factor."""
    steps = granule["steps"]
    dimensions(file, time=steps, lat=4, lon=6, bounds=2)
    file.setncatts({"Conventions": "CF-1.6", "time_coverage_end": granule["name"], "months_missing": "2017-07..2018-05"})
    months = np.array([106.5, 122.5, 229.0, 259.5, 288.5, 319.0, 350.5, 380.0])[:steps]
    variable(file, "lat", "f8", ("lat",), np.linspace(-89.75, 89.75, 4), chunks=(4,), filters="grace", units="degrees_north", bounds="lat_bounds")
    variable(file, "lon", "f8", ("lon",), np.arange(6) * 60 + 0.25, chunks=(6,), filters="grace", units="degrees_east", bounds="lon_bounds")
    variable(file, "time", "f8", ("time",), months, chunks=(steps,), filters="grace", units="days since 2002-01-01T00:00:00Z", calendar="gregorian", bounds="time_bounds")
    for name, length in (("lat", 4), ("lon", 6), ("time", steps)):
        variable(file, f"{name}_bounds", "f8", (name, "bounds"), np.arange(2.0 * length).reshape(length, 2), filters="grace")
    for index, name in enumerate(("lwe_thickness", "uncertainty", "GAD")):
        values = field(granule, (steps, 4, 6)) / 100 + index
        values[0, 0, 0] = -99999.0
        variable(file, name, "f8", ("time", "lat", "lon"), values, -99999.0, (granule["chunk"], 2, 3), "grace", units="cm", coordinates="time lat lon", grid_mapping="WGS84")
    for name in ("land_mask", "scale_factor", "mascon_ID"):
        variable(file, name, "f8", ("lat", "lon"), field(granule, (4, 6)), -99999.0, (4, 6), "grace", coordinates="lat lon")
    variable(file, "WGS84", "i4", (), 1, grid_mapping_name="latitude_longitude", semi_major_axis=6378137.0)


def scatsat(file, granule):
    """A swath: times along the track, latitudes and longitudes of two dimensions, each variable one chunk."""
    dimensions(file, along_track=7, cross_track=5)
    file.setncatts({"Conventions": "CF-1.8", "orbit": granule["orbit"], "history": granule["name"]})
    grid, line = ("along_track", "cross_track"), ("along_track",)
    variable(file, "time", "f8", line, granule["time"] - since("2000-01-01") + np.arange(7.0), chunks=(7,), filters="deflate", units="seconds since 2000-01-01 00:00:00", standard_name="time")
    variable(file, "lat", "f4", grid, field(granule, (7, 5)) / 1000, -9999.0, (7, 5), "deflate", units="degrees_north", standard_name="latitude")
    variable(file, "lon", "f4", grid, field(granule, (7, 5)) / 500, -9999.0, (7, 5), "deflate", units="degrees_east", standard_name="longitude")
    for index, (name, kind) in enumerate((("en_wind_speed", "f4"), ("stress_magnitude", "f4"), ("flags", "i4"), ("quality_indicator", "i2"))):
        values = field(granule, (7, 5)) + index
        values[2, 2] = -9999
        variable(file, name, kind, grid, values, -9999, (7, 5), "deflate", coordinates="lat lon")


def swot(file, granule):
    """Packed swaths of many lines; no coordinate has its own dimension's name."""
    lines = granule["lines"]
    dimensions(file, num_lines=lines, num_pixels=5, num_sides=2)
    file.setncatts({"Conventions": "CF-1.7", "cycle_number": np.int16(granule["cycle"]), "pass_number": np.int16(granule["pass"]), "equator_time": granule["name"]})
    grid, line = ("num_lines", "num_pixels"), ("num_lines",)
    times = granule["time"] - since("2000-01-01") + np.arange(lines) * 0.3
    for name in ("time", "time_tai"):
        variable(file, name, "f8", line, times, 9.969209968386869e36, (lines,), "deflate", units="seconds since 2000-01-01 00:00:00.0", calendar="gregorian")
    for name, standard in (("latitude", "degrees_north"), ("longitude", "degrees_east")):
        variable(file, name, "i4", grid, field(granule, (lines, 5)) * 1000, 2147483647, (lines, 5), "deflate", scale_factor=1e-6, units=standard)
    variable(file, "latitude_nadir", "i4", line, field(granule, (lines,)) * 1000, 2147483647, (lines,), "deflate", scale_factor=1e-6, units="degrees_north")
    values = field(granule, (lines, 5))
    values[1, 1:3] = 2147483647
    variable(file, "ssh_karin", "i4", grid, values, 2147483647, (lines, 5), "deflate", scale_factor=1e-4, units="m", coordinates="longitude latitude")
    variable(file, "polarization_karin", "S1", ("num_lines", "num_sides"), np.full((lines, 2), b"V"), chunks=(lines, 2), filters="deflate")
    variable(file, "ssha_karin_qual", "u4", grid, np.arange(lines * 5).reshape(lines, 5), 4294967295, (lines, 5), "deflate", standard_name="status_flag", coordinates="longitude latitude")


for granule in json.load(sys.stdin):
    path = os.path.join(sys.argv[1], granule["name"])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with netCDF4.Dataset(path, "w", format="NETCDF4") as made:
        globals()[granule["kind"]](made, granule)
