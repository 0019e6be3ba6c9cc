"""Writes granules of an ocean forecast as the producers do (ROMS: ocean_time unlimited, static grid) with netCDF-C.

usage: forecast_granules.py FOLDER < JSON: [{name, run, valid: [seconds since 1970], ...}]
The values tell run and valid time apart: zeta = hours of the run + 0.001 * hours of the valid time + 0.25 * cell.
"""
import json
import os
import sys

import netCDF4
import numpy as np

folder = sys.argv[1]
for granule in json.load(sys.stdin):
    path = os.path.join(folder, granule["name"])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
        file.title = "synthetic ROMS"
        file.history = granule["name"]
        file.createDimension("ocean_time", None)
        file.createDimension("eta_rho", 4)
        file.createDimension("xi_rho", 6)
        time = file.createVariable("ocean_time", "f8", ("ocean_time",))
        time.units = "seconds since 2016-01-01 00:00:00"
        time.calendar = "proleptic_gregorian"
        time.standard_name = "time"
        h = file.createVariable("h", "f8", ("eta_rho", "xi_rho"))
        h[:] = np.arange(24).reshape(4, 6)
        h.units = "meter"
        zeta = file.createVariable("zeta", "f4", ("ocean_time", "eta_rho", "xi_rho"), zlib=True, fill_value=1e37, chunksizes=(1, 2, 6))
        zeta.units = "meter"
        temp = file.createVariable("temp", "i2", ("ocean_time", "eta_rho", "xi_rho"), zlib=True, shuffle=True, fill_value=-32768)
        temp.scale_factor = 0.5
        temp.add_offset = 10.0
        temp.set_auto_maskandscale(False)
        time[:] = np.array(granule["valid"], dtype="f8") - 1451606400
        for step, valid in enumerate(granule["valid"]):
            cells = np.arange(24).reshape(4, 6)
            base = (granule["run"] // 3600) % 1000 + 0.001 * ((valid // 3600) % 1000)
            zeta[step] = base + 0.25 * cells + granule.get("bias", 0)
            temp[step] = ((granule["run"] // 3600) % 100) * 100 + (valid // 3600) % 100 + cells
