"""Reads an array through kerchunk references in S3, with xarray and, where it can, with GDAL; prints one JSON object by place.

    read_references.py ENDPOINT BUCKET ARRAY PLACE...

PLACE: a JSON document, or a folder of Parquet, below the bucket; the bucket and the granules are public.
"""
import json
import os
import sys
import warnings

import numpy as np

warnings.simplefilter("ignore")
endpoint, bucket, name, *places = sys.argv[1:]
os.environ |= {
    "AWS_S3_ENDPOINT": endpoint.removeprefix("http://"),
    "AWS_HTTPS": "NO",
    "AWS_VIRTUAL_HOSTING": "FALSE",
    "AWS_NO_SIGN_REQUEST": "YES",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
}

import fsspec
import rasterio
import xarray as xr
from obstore.fsspec import register
from zarr.storage import FsspecStore

for protocol in ("s3", "http"):
    register(protocol)
S3 = {"endpoint": endpoint, "skip_signature": True, "region": "us-east-1", "virtual_hosted_style_request": False,
      "client_options": {"allow_http": True}}
HTTP = {"client_options": {"allow_http": True}}


def through_xarray(place):
    protocol = "http" if place.startswith("https/") else "s3"
    references = fsspec.filesystem(
        "reference", fo=f"s3://{bucket}/{place}", target_protocol="s3", target_options=S3, asynchronous=True,
        remote_protocol=protocol, remote_options={**(S3 if protocol == "s3" else HTTP), "asynchronous": True},
    )
    data = xr.open_zarr(FsspecStore(references), consolidated=False, decode_cf=False)
    return np.asarray(data[name].values).reshape(-1).tolist()


def through_gdal(place):
    with rasterio.open(f'ZARR:"/vsis3/{bucket}/{place}":/{name}') as data:
        return data.read().reshape(-1).tolist()


print(json.dumps({
    place: {"xarray": through_xarray(place), **({} if place.endswith(".parq") else {"gdal": through_gdal(place)})} for place in places
}))
