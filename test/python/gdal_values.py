"""What GDAL reads of arrays in kerchunk references: gdal_values.py REFERENCES ARRAY... prints {array: values of every band}."""
import json
import sys
import warnings

import rasterio

warnings.simplefilter("ignore")
references, *arrays = sys.argv[1:]
print(json.dumps({array: rasterio.open(f'ZARR:"{references}":/{array}').read().tolist() for array in arrays}))
