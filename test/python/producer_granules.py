"""Writes granules of forecasts in the shapes of their producers with netCDF-C: dimensions, types, fills, chunks, units and attributes; small sides.

usage: producer_granules.py FOLDER < JSON: [{name, model, run, valid: [...], isNowcast, bias}, ...]; times in seconds since 1970
Models: roms, fvcom, selfe (NOS), rtofs, wave (GFS-wave, as cfgrib writes it). Values tell run, valid time and cell apart.
"""
import datetime
import json
import os
import sys

import netCDF4
import numpy as np

HOUR = 3600


def utc(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


def since(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp()


def field(granule, valid, shape):
    base = granule["run"] // HOUR % 1000 + 0.001 * (valid // HOUR % 1000) + granule.get("bias", 0)
    return (base + 0.25 * np.arange(np.prod(shape))).reshape(shape)


def variable(file, name, kind, dimensions, values=None, fill=None, chunks=None, deflate=False, **attributes):
    options = {"zlib": True, "shuffle": True, "complevel": 1} if deflate else {}
    made = file.createVariable(name, kind, dimensions, fill_value=fill, chunksizes=chunks, **options)
    made.setncatts(attributes)
    made.set_auto_maskandscale(False)
    if values is not None:
        made[...] = values
    return made


def dimensions(file, **lengths):
    for name, length in lengths.items():
        file.createDimension(name, length)


def roms(file, granule):
    """Unlimited ocean_time in chunks of 512; scalars that tell of the run; a grid for each kind of point."""
    dimensions(file, ocean_time=None, s_rho=2, s_w=3, eta_rho=4, xi_rho=6, eta_u=4, xi_u=5, tracer=2)
    file.setncatts({"type": "ROMS/TOMS history file", "Conventions": "CF-1.4, SGRID-0.3", "history": granule["name"]})
    variable(file, "ntimes", "i4", (), 2160 if granule["isNowcast"] else 17280, long_name="number of long time-steps")
    variable(file, "dt", "f8", (), 10.0, units="second")
    variable(file, "dstart", "f8", (), granule["run"] / 86400 - 16801, units="days since 2016-01-01 00:00:00")
    variable(file, "Vtransform", "i4", (), 2)
    variable(file, "nl_tnu2", "f8", ("tracer",), [0.0, 0.0], units="meter2 second-1")
    variable(file, "s_rho", "f8", ("s_rho",), [-0.75, -0.25], standard_name="ocean_s_coordinate_g2", formula_terms="s: s_rho C: Cs_r eta: zeta depth: h depth_c: hc")
    variable(file, "Cs_r", "f8", ("s_rho",), [-0.7, -0.1])
    variable(file, "Cs_w", "f8", ("s_w",), [-1, -0.4, 0])
    grid = np.arange(24.0).reshape(4, 6)
    for name in ("h", "f", "pm", "pn", "angle"):
        variable(file, name, "f8", ("eta_rho", "xi_rho"), grid + 1, coordinates="lon_rho lat_rho")
    variable(file, "mask_rho", "f8", ("eta_rho", "xi_rho"), (grid > 0) * 1.0, flag_values=[0.0, 1.0], flag_meanings="land water", coordinates="lon_rho lat_rho")
    variable(file, "lon_rho", "f8", ("eta_rho", "xi_rho"), grid - 76, units="degree_east", standard_name="longitude")
    variable(file, "lat_rho", "f8", ("eta_rho", "xi_rho"), grid + 38, units="degree_north", standard_name="latitude")
    variable(file, "ocean_time", "f8", ("ocean_time",), np.array(granule["valid"]) - since("2016-01-01"), chunks=(512,),
             long_name="time since initialization", units="seconds since 2016-01-01 00:00:00", calendar="proleptic_gregorian")
    zeta = variable(file, "zeta", "f4", ("ocean_time", "eta_rho", "xi_rho"), fill=1e37, chunks=(1, 4, 6), deflate=True,
                    units="meter", time="ocean_time", coordinates="lon_rho lat_rho ocean_time")
    temp = variable(file, "temp", "f4", ("ocean_time", "s_rho", "eta_rho", "xi_rho"), fill=1e37, chunks=(1, 2, 4, 4), deflate=True,
                    units="Celsius", coordinates="lon_rho lat_rho s_rho ocean_time")
    speed = variable(file, "u", "f4", ("ocean_time", "s_rho", "eta_u", "xi_u"), fill=1e37, chunks=(1, 2, 4, 5), deflate=True, units="meter second-1")
    for step, valid in enumerate(granule["valid"]):
        zeta[step] = np.where(grid > 0, field(granule, valid, (4, 6)), 1e37)
        temp[step] = field(granule, valid, (2, 4, 6))
        speed[step] = field(granule, valid, (2, 4, 5))


def fvcom(file, granule):
    """Days of float32, which cannot say hours; the same time again as text, and as days and milliseconds; a mesh of triangles."""
    dimensions(file, time=None, node=7, nele=5, siglay=3, siglev=4, three=3, DateStrLen=26)
    file.setncatts({"source": "FVCOM_4.3", "history": f"model started at: {granule['name']}", "CoordinateSystem": "Geographic"})
    variable(file, "nprocs", "i4", (), 4, long_name="number of processors")
    for name, dimension in {"lon": "node", "lat": "node", "lonc": "nele", "latc": "nele"}.items():
        variable(file, name, "f4", (dimension,), np.arange(file.dimensions[dimension].size), units="degrees_east" if "lon" in name else "degrees_north")
    variable(file, "siglay", "f4", ("siglay", "node"), -np.arange(21).reshape(3, 7) / 21, standard_name="ocean_sigma/general_coordinate",
             formula_terms="sigma: siglay eta: zeta depth: h")
    variable(file, "siglev", "f4", ("siglev", "node"), -np.arange(28).reshape(4, 7) / 28)
    variable(file, "h", "f4", ("node",), np.arange(7) + 2, units="m", positive="down", coordinates="lat lon")
    variable(file, "nv", "i4", ("three", "nele"), np.arange(15).reshape(3, 5) % 7 + 1)
    variable(file, "nbe", "i4", ("three", "nele"), np.arange(15).reshape(3, 5) % 5)
    days = (np.array(granule["valid"]) - since("2013-01-01")) / 86400
    variable(file, "time", "f4", ("time",), days.astype("f4"), chunks=(1024,), long_name="time", units="days since 2013-01-01 00:00:00",
             format="defined reference date", time_zone="UTC")
    variable(file, "Itime", "i4", ("time",), np.floor(days), chunks=(1024,), units="days since 2013-01-01 00:00:00", time_zone="UTC")
    variable(file, "Itime2", "i4", ("time",), [valid % 86400 * 1000 for valid in granule["valid"]], chunks=(1024,), units="msec since 00:00:00")
    times = variable(file, "Times", "S1", ("time", "DateStrLen"), chunks=(1, 26), time_zone="UTC")
    zeta = variable(file, "zeta", "f4", ("time", "node"), chunks=(1, 7), units="meters", coordinates="time lat lon", location="node")
    temp = variable(file, "temp", "f4", ("time", "siglay", "node"), chunks=(1, 3, 7), deflate=True, units="degrees_C", coordinates="time siglay lat lon")
    speed = variable(file, "u", "f4", ("time", "siglay", "nele"), chunks=(1, 3, 5), deflate=True, units="meters s-1", coordinates="time siglay latc lonc")
    wet = variable(file, "wet_nodes", "i4", ("time", "node"), chunks=(1, 7), option_0="land", option_1="water")
    for step, valid in enumerate(granule["valid"]):
        times[step] = netCDF4.stringtochar(np.array([utc(valid).strftime("%Y-%m-%dT%H:%M:%S.000000")], dtype="S26"))[0]
        zeta[step] = field(granule, valid, (7,))
        temp[step] = field(granule, valid, (3, 7))
        speed[step] = field(granule, valid, (3, 5))
        wet[step] = np.arange(7) % 2


def selfe(file, granule):
    """Levels named by another dimension than their coordinate; uncompressed."""
    dimensions(file, time=None, node=8, nele=6, nface=3, nv=3, sigma=2)
    file.setncatts({"title": "CREOFS", "source": "SELFE", "history": granule["name"]})
    variable(file, "lon", "f4", ("node",), np.arange(8) - 124, units="degrees_east")
    variable(file, "lat", "f4", ("node",), np.arange(8) + 46, units="degrees_north")
    variable(file, "sigma", "f4", ("sigma",), [-1, 0], positive="up")
    variable(file, "ele", "i4", ("nface", "nele"), np.arange(18).reshape(3, 6) % 8 + 1)
    variable(file, "h", "f4", ("node",), np.arange(8), units="m")
    variable(file, "time", "f8", ("time",), np.array(granule["valid"]) - since("2012-01-01"), chunks=(512,), units="seconds since 2012-01-01 00:00:00",
             calendar="gregorian", standard_name="time")
    zeta = variable(file, "zeta", "f4", ("time", "node"), fill=-99999.0, chunks=(1, 8), units="m", coordinates="lon lat")
    salt = variable(file, "salt", "f4", ("time", "nv", "node"), fill=-99999.0, chunks=(1, 3, 8), units="psu", coordinates="lon lat")
    for step, valid in enumerate(granule["valid"]):
        zeta[step] = np.where(np.arange(8) == 3, -99999.0, field(granule, valid, (8,)))
        salt[step] = field(granule, valid, (3, 8))


def rtofs(file, granule):
    """HYCOM's MT, and Date, which is a number that looks like a day; Y and X without units; 2**100 is the fill."""
    dimensions(file, MT=None, Y=4, X=5)
    file.setncatts({"Conventions": "CF-1.0", "title": "HYCOM ATLb2.00", "history": "archv2ncdf2d"})
    fill = np.float32(1.2676506e30)
    valid = np.array(granule["valid"])
    variable(file, "MT", "f8", ("MT",), (valid - since("1900-12-31")) / 86400, chunks=(512,), long_name="time", units="days since 1900-12-31 00:00:00",
             calendar="standard", axis="T")
    dates = [int(utc(second).strftime("%Y%m%d")) + second % 86400 / 86400 for second in granule["valid"]]
    variable(file, "Date", "f8", ("MT",), dates, chunks=(512,), long_name="date", units="day as %Y%m%d.%f", C_format="%13.4f", calendar="standard")
    variable(file, "Y", "i4", ("Y",), np.arange(4) + 1, point_spacing="even", axis="Y")
    variable(file, "X", "i4", ("X",), np.arange(5) + 1, point_spacing="even", axis="X")
    for name, units in {"Latitude": "degrees_north", "Longitude": "degrees_east"}.items():
        variable(file, name, "f4", ("Y", "X"), np.arange(20).reshape(4, 5), deflate=True, standard_name=name.lower(), units=units)
    for name in ("ssh", "sst"):
        made = variable(file, name, "f4", ("MT", "Y", "X"), fill=fill, chunks=(1, 4, 5), deflate=True, units="m", coordinates="Longitude Latitude Date",
                        valid_range=np.array([-3, 3], dtype="f4"))
        for step, second in enumerate(granule["valid"]):
            made[step] = np.where(np.arange(20).reshape(4, 5) == 7, fill, field(granule, second, (4, 5)))


def wave(file, granule):
    """Scalars for run, lead and valid time; the fields have no dimension of time."""
    dimensions(file, latitude=3, longitude=4)
    file.setncatts({"GRIB_edition": 2, "GRIB_centre": "kwbc", "Conventions": "CF-1.7", "history": granule["name"]})
    epoch = {"units": "seconds since 1970-01-01T00:00:00", "calendar": "proleptic_gregorian"}
    [valid] = granule["valid"]
    variable(file, "time", "i8", (), granule.get("ownRun", granule["run"]), standard_name="forecast_reference_time", **epoch)
    variable(file, "step", "f8", (), (valid - granule["run"]) / HOUR, standard_name="forecast_period", units="hours")
    variable(file, "surface", "f8", (), 0.0, units="1")
    variable(file, "valid_time", "i8", (), valid, standard_name="time", **epoch)
    variable(file, "latitude", "f8", ("latitude",), [10, 0, -10], units="degrees_north", standard_name="latitude")
    variable(file, "longitude", "f8", ("longitude",), [0, 90, 180, 270], units="degrees_east", standard_name="longitude")
    for name in ("swh", "perpw"):
        variable(file, name, "f4", ("latitude", "longitude"), field(granule, valid, (3, 4)), fill=np.float32("nan"), chunks=(3, 4), deflate=True,
                 units="m", coordinates="time step surface latitude longitude valid_time")


for granule in json.load(sys.stdin):
    path = os.path.join(sys.argv[1], granule["name"])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
        {"roms": roms, "fvcom": fvcom, "selfe": selfe, "rtofs": rtofs, "wave": wave}[granule["model"]](file, granule)
