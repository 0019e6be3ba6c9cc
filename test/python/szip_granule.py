"""Writes a granule with a variable of 6.5 MB that only libraries with szip can decode: szip_granule.py FILE SECONDS"""
import sys

import netCDF4
import numpy as np

path, seconds = sys.argv[1], int(sys.argv[2])
with netCDF4.Dataset(path, "w") as f:
    f.createDimension("time", None)
    f.createDimension("lat", 900)
    f.createDimension("lon", 1800)
    time = f.createVariable("time", "f8", ("time",))
    time.units = "seconds since 1970-01-01"
    time[:] = [seconds]
    f.createVariable("lat", "f4", ("lat",))[:] = np.linspace(-89.9, 89.9, 900)
    f.createVariable("lon", "f4", ("lon",))[:] = np.linspace(-179.9, 179.9, 1800)
    sst = f.createVariable("sst", "f4", ("time", "lat", "lon"), compression="szip", chunksizes=(1, 300, 600), fill_value=-999)
    f.createVariable("ice", "i1", ("time", "lat", "lon"), compression="zlib", chunksizes=(1, 300, 600))[0] = 1
    sst[0] = np.random.default_rng(seconds).normal(280, 10, (900, 1800)).round(1)
