"""Granules of MUR-JPL-L4-GLOB-v4.1 in the shapes that its files have had from 2002 to 2025, the grid divided by 200, its chunks by 100: chunks that do not divide the grid,
filters and their order, variables that come and go, attributes that drift. Written with h5py, as netCDF-C cannot put deflate before shuffle.

    mur_granules.py FOLDER

Prints the names in the order of time.
"""
import sys
from datetime import datetime, timedelta
from pathlib import Path

import h5py
import numpy as np

FOLDER = Path(sys.argv[1])
LAT, LON = 89, 180
SMALL, MIDDLE, LARGE, LARGER = (1, 10, 21), (1, 14, 29), (1, 36, 72), (1, 45, 90)
USUAL, LEVEL_7, PLAIN, TURNED = ["shuffle", 6], ["shuffle", 7], [6], [6, "shuffle"]

# First day, chunks of sst, of its error, of mask and ice, filters. One day of each window; of long ones two.
WINDOWS = [
    ("2002-06-01", SMALL, SMALL, MIDDLE, USUAL),
    ("2003-09-11", SMALL, SMALL, MIDDLE, PLAIN),
    ("2003-09-12", SMALL, SMALL, MIDDLE, USUAL),
    ("2017-04-01", SMALL, SMALL, MIDDLE, USUAL),
    ("2019-08-01", SMALL, SMALL, MIDDLE, USUAL),
    ("2021-02-20", SMALL, SMALL, SMALL, LEVEL_7),
    ("2021-02-22", SMALL, SMALL, MIDDLE, USUAL),
    ("2021-12-24", SMALL, SMALL, MIDDLE, TURNED),
    ("2022-01-27", SMALL, SMALL, MIDDLE, USUAL),
    ("2022-11-09", SMALL, SMALL, SMALL, LEVEL_7),
    ("2022-11-10", SMALL, SMALL, MIDDLE, USUAL),
    ("2023-02-24", LARGE, LARGE, LARGER, USUAL),
    ("2023-03-01", SMALL, SMALL, MIDDLE, USUAL),
    ("2023-04-22", LARGE, LARGE, LARGER, USUAL),
    ("2023-04-23", SMALL, SMALL, MIDDLE, USUAL),
    ("2023-09-04", LARGE, LARGE, LARGER, USUAL),
    ("2024-03-06", LARGE, LARGE, LARGER, LEVEL_7),
    ("2024-03-24", SMALL, LARGE, LARGER, USUAL),
    ("2024-06-02", SMALL, SMALL, SMALL, LEVEL_7),
    ("2025-04-25", SMALL, SMALL, SMALL, LEVEL_7),
]


def variable(file, name, values, chunks, filters, fill, attributes):
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_chunk(chunks)
    for step in filters:
        creation.set_shuffle() if step == "shuffle" else creation.set_deflate(step)
    creation.set_fill_value(np.array(fill, values.dtype))
    space = h5py.h5s.create_simple(values.shape)
    h5py.h5d.create(file.id, name.encode(), h5py.h5t.py_create(values.dtype), space, creation)
    dataset = file[name]
    dataset[...] = values
    dataset.attrs["_FillValue"] = np.array([fill], values.dtype)
    for key, value in attributes.items():
        dataset.attrs[key] = value
    for axis, dimension in enumerate(("time", "lat", "lon")):
        dataset.dims[axis].attach_scale(file[dimension])


def packed(scale, offset=0.0):
    return {"scale_factor": np.array([scale]), "add_offset": np.array([offset])}


for number, (day, sst, error, masks, filters) in enumerate(WINDOWS):
    moment = datetime.fromisoformat(f"{day}T09:00:00")
    random = np.random.default_rng(number)
    shape = (1, LAT, LON)
    land = random.random(shape) < 0.2
    name = f"{moment:%Y%m%d%H%M%S}-JPL-L4_GHRSST-SSTfnd-MUR-GLOB-v02.0-fv04.1.nc"
    is_late = day >= "2021"
    with h5py.File(FOLDER / name, "w") as file:
        # Other words for the same units, and another order of attributes, from 2021 on.
        since = "seconds since 1981-01-01T00:00:00Z" if is_late else "seconds since 1981-01-01 00:00:00 UTC"
        time = file.create_dataset("time", data=np.array([(moment - datetime(1981, 1, 1)).total_seconds()], "i4"))
        time.attrs["units"] = since
        for dimension, count, first, units in (("lat", LAT, -89.0, "north"), ("lon", LON, -179.0, "east")):
            values = (first + np.arange(count)).astype("f4")
            coordinate = file.create_dataset(dimension, data=values, chunks=(count,), compression=6, shuffle=True)
            coordinate.attrs["units"] = f"degrees_{units}" if is_late else f"degree_{units}"
        for dimension in ("time", "lat", "lon"):
            file[dimension].make_scale(dimension)

        def draw(low, high, kind):
            return random.integers(low, high, shape).astype(kind)

        ices = f"OSI-SAF files of {day}"
        sst_values = np.where(land, -32768, draw(-3000, 3000, "i2")).astype("i2")
        temperature = {"units": "kelvin" if is_late else "K", "standard_name": "sea_surface_foundation_temperature"}
        comment = {"comment": f"made of {number} sources"}
        variable(file, "analysed_sst", sst_values, sst, filters, -32768, {**packed(0.001, 298.15), **temperature, **comment})
        variable(file, "analysis_error", draw(0, 500, "i2"), error, filters, -32768, {**packed(0.01), "units": "kelvin"})
        flags = "open_sea land open_lake open_sea_with_ice" + ("" if is_late else " open_lake_with_ice")
        kinds = {"flag_meanings": flags, "flag_masks": np.array([1, 2, 4, 8, 16], "i1")}
        if not is_late:
            kinds["flag_values"] = np.array([1, 2, 5, 9, 13], "i1")
        variable(file, "mask", draw(1, 14, "i1"), masks, filters, -128, kinds)
        ice = {**packed(0.01), "comment": ices}
        if day < "2018":
            ice |= {"units": "fraction (between 0 and 1)", "standard_name": "sea ice area fraction"}
        variable(file, "sea_ice_fraction", np.where(land, -128, draw(0, 101, "i1")).astype("i1"), masks, filters, -128, ice)
        if day >= "2017":
            variable(file, "dt_1km_data", np.where(land, -128, draw(-127, 128, "i1")).astype("i1"), masks, filters, -128, {"units": "hours"})
        if day >= "2019":
            variable(file, "sst_anomaly", np.where(land, -32768, draw(-900, 900, "i2")).astype("i2"), sst, filters, -32768, {**packed(0.001), "units": "kelvin"})
        before = moment - timedelta(hours=12)
        after = moment + timedelta(hours=12)
        file.attrs["Conventions"] = "CF-1.7" if is_late else "CF-1.5"
        file.attrs["title"] = f"Daily MUR SST, {'Final' if day < '2025' else 'Near Real Time'} product"
        file.attrs["history"] = f"created at nominal {number}-day latency"
        file.attrs["source"] = "AMSRE-REMSS" if day < "2012" else "AMSR2-REMSS"
        file.attrs["date_created"] = f"{after:%Y%m%dT%H%M%SZ}"
        file.attrs["time_coverage_start"] = f"{before:%Y%m%dT%H%M%SZ}"
        file.attrs["time_coverage_end"] = f"{after:%Y%m%dT%H%M%SZ}"
        file.attrs["geospatial_lat_resolution"] = np.float32(0.01) if is_late else "0.01 degrees"
        file.attrs["spatial_resolution"] = "0.01 degrees"
    print(name)
