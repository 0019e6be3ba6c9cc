"""What netCDF-C says of the files in test/data/netcdf3: python expected.py writes expected/<file>.json beside itself.

A variable's values are the SHA-256 of their bytes in C order, little-endian. Attributes are [name, type, values].
"""
import hashlib
import json
import pathlib

import netCDF4
import numpy as np

here = pathlib.Path(__file__).parent
data = here.parent.parent / "data" / "netcdf3"


def attributes(owner):
    found = []
    for name in owner.ncattrs():
        value = owner.getncattr(name)
        if isinstance(value, (str, bytes)):
            value = value if isinstance(value, str) else value.decode()
            found.append([name, "text", [value.rstrip("\0")]])
        else:
            array = np.atleast_1d(value)
            values = [repr(float(v)) if array.dtype.kind == "f" else str(int(v)) for v in array]
            found.append([name, array.dtype.name, values])
    return found


for path in sorted(data.glob("*.nc")):
    source = netCDF4.Dataset(path)
    source.set_auto_maskandscale(False)
    source.set_auto_chartostring(False)
    variables = []
    for name, variable in source.variables.items():
        values = np.ascontiguousarray(variable[...])
        values = values.astype(values.dtype.newbyteorder("<")) if values.dtype.kind in "iuf" else values
        variables.append({
            "name": name,
            "type": "text[1]" if variable.dtype == "S1" else np.dtype(variable.dtype).name,
            "dimensions": [[d, len(source.dimensions[d])] for d in variable.dimensions],
            "attributes": attributes(variable),
            "sha256": hashlib.sha256(values.tobytes()).hexdigest(),
        })
    expected = {"attributes": attributes(source), "variables": variables}
    lines = json.dumps(expected, ensure_ascii=False, indent=None, separators=(",", ":"))
    (here / "expected" / f"{path.stem}.json").write_text(lines.replace('{"name"', '\n{"name"') + "\n")
    print(path.name, len(variables))
