"""Validates a STAC collection and its item with the schemas that pystac brings, and opens what the item names as it says.

    read_stac.py COLLECTION

Prints one JSON object. The schemas of extensions are not in any package, and nothing is fetched: fields of the datacube, file and xarray
extensions are read by pystac's own classes, which refuse what is not there.
"""
import sys
import warnings

import pystac
from pystac.extensions.datacube import DatacubeExtension
from pystac.extensions.file import FileExtension
from pystac.extensions.xarray_assets import XarrayAssetsExtension
from pystac.validation import stac_validator

from stores import answer

warnings.simplefilter("ignore")
collection = pystac.Collection.from_file(sys.argv[1])
[item] = collection.get_items()
for one in (collection, item):
    plain = {**one.to_dict(include_self_link=False, transform_hrefs=False), "stac_extensions": []}
    kind = pystac.STACObjectType.COLLECTION if one is collection else pystac.STACObjectType.ITEM
    stac_validator.JsonSchemaSTACValidator().validate_core(plain, kind, "1.1.0")

cube = DatacubeExtension.ext(item)
opened = {}
for name, asset in item.assets.items():
    scope = {}
    exec(asset.extra_fields["freshet:python"], scope)
    data = scope["data"]
    opened[name] = {"sizes": dict(data.sizes), "sst": float(data["sst"].astype("float64").mean())}
    assert "engine" in XarrayAssetsExtension.ext(asset).open_kwargs
answer({
    "collection": collection.id,
    "item": item.id,
    "bbox": item.bbox,
    "interval": [at.isoformat() for at in collection.extent.temporal.intervals[0]],
    "dimensions": {name: [dimension.dim_type, dimension.extent] for name, dimension in cube.dimensions.items()},
    "variables": {name: variable.dimensions for name, variable in cube.variables.items()},
    "checksums": [FileExtension.ext(asset).checksum for asset in item.assets.values() if "file:checksum" in asset.extra_fields],
    "previous": [link.get_href() for link in item.links if link.rel == "predecessor-version"],
    "opened": opened,
})
