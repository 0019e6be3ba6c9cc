"""What libhdf5 says of the files in test/data/netcdf4 and test/data/hdf5: python expected.py writes expected/<file>.json beside itself.

Needs h5py on HDF5 2.0 and hdf5plugin. Values are the SHA-256 of their bytes in C order, little-endian; text of variable length is
joined by line feeds. `chunks` are [cell, absolute offset, stored bytes without a checksum behind them]. Attributes are
[name, type, values, number of values].
"""
import hashlib
import json
import pathlib

import h5py
import hdf5plugin  # noqa: F401
import numpy as np
from h5py import h5d, h5t

here = pathlib.Path(__file__).parent
data = here.parent.parent / "data"
BOOKKEEPING = {"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates", "_nc3_strict",
               "_NCProperties"}
NOT_A_VARIABLE = b"This is a netCDF dimension but not a netCDF variable"
# More than this many would only make the files long.
MOST_LISTED = 60


def text(value):
    value = value.encode() if isinstance(value, str) else bytes(value)
    return value.split(b"\0")[0].decode("utf-8", "replace").rstrip(" ")


def type_name(dtype):
    if h5py.check_string_dtype(dtype) and dtype.kind == "O":
        return "string"
    if dtype.subdtype:
        return type_name(dtype.subdtype[0])
    if dtype.names:
        return "struct{" + ",".join(dtype.names) + "}"
    if dtype.kind == "S":
        return f"text[{dtype.itemsize}]"
    if dtype.kind == "V":
        return f"opaque[{dtype.itemsize}]"
    return dtype.name


def attributes(owner):
    found = []
    for name in sorted(set(owner.attrs) - BOOKKEEPING):
        try:
            kind = owner.attrs.get_id(name).get_type().get_class()
            value = owner.attrs[name]
        except Exception:
            continue
        if kind in (h5t.COMPOUND, h5t.REFERENCE, h5t.OPAQUE, h5t.VLEN, h5t.TIME):
            continue
        if isinstance(value, h5py.Empty):
            found.append([name, "text", [""], 1] if value.dtype.kind in "SO" else [name, value.dtype.name, [], 0])
            continue
        array = np.asarray(value)
        if array.dtype.kind in "SOU":
            texts = [text(v) for v in array.ravel()] or [""]
            found.append([name, "text", texts[:MOST_LISTED], len(texts)])
        elif array.dtype.kind in "iufb":
            values = [repr(float(v)) if array.dtype.kind == "f" else str(int(v)) for v in array.ravel()]
            found.append([name, array.dtype.name, values[:MOST_LISTED], len(values)])
    return found


def dimensions(file, dataset, name):
    rank = len(dataset.shape)
    if "DIMENSION_LIST" in dataset.attrs:
        return [file[scales[0]].name.rsplit("/", 1)[-1] if len(scales) else None for scales in dataset.attrs["DIMENSION_LIST"]]
    return [name] if rank == 1 and dataset.is_scale else [None] * rank


def chunks(dataset):
    """[[cell, offset, bytes], …] of what is stored outside of the object header."""
    if dataset.size == 0:
        return []
    if dataset.chunks is None:
        offset = dataset.id.get_offset()
        return [] if offset is None else [[0, offset, dataset.id.get_storage_size()]]
    if dataset.maxshape[0] is not None and dataset.maxshape.count(None) == 1:
        return None  # libhdf5 2.0 lists them wrongly: it mixes up the axes of an extensible array whose unlimited one is not the first
    found = []
    for cell, index in enumerate(np.ndindex(*[-(-n // c) for n, c in zip(dataset.shape, dataset.chunks)])):
        chunk = dataset.id.get_chunk_info_by_coord(tuple(i * c for i, c in zip(index, dataset.chunks)))
        if chunk.byte_offset is not None:
            found.append([cell, chunk.byte_offset, chunk.size - trailer(dataset)])
    return found


def trailer(dataset):
    """Bytes of checksums behind the data of a chunk: filter 3 at the end of the pipeline."""
    plist = dataset.id.get_create_plist()
    filters = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    return 4 if filters[-1:] == [3] else 0


def fill(dataset):
    plist = dataset.id.get_create_plist()
    if plist.fill_value_defined() != h5d.FILL_VALUE_USER_DEFINED:
        return None
    if dataset.dtype.kind == "O":
        return text(dataset.fillvalue)
    value = np.zeros((), dataset.dtype)
    plist.get_fill_value(value)
    return value.tobytes().hex()


def digest(dataset):
    values = dataset[()]
    if dataset.dtype.kind == "O":
        raw = "\n".join(text(v) for v in np.asarray(values).ravel()).encode()
    else:
        array = np.ascontiguousarray(values)
        if array.dtype.kind in "iufcb":
            array = array.astype(array.dtype.newbyteorder("<"))
        if array.dtype.kind == "S":  # what is behind the NUL is nobody's
            array = np.array([v.split(b"\0")[0] for v in array.ravel()], array.dtype)
        raw = array.tobytes()
    return hashlib.sha256(raw).hexdigest()


def variable(file, dataset, path):
    name = path.rsplit("/", 1)[-1].removeprefix("_nc4_non_coord_")
    described = {"path": path.rsplit("/", 1)[0] + "/" + name, "attributes": attributes(dataset)}
    try:
        if dataset.shape is None or dataset.dtype.kind == "O" and not h5py.check_string_dtype(dataset.dtype):
            return described
        stored = chunks(dataset)
        described |= {"type": type_name(dataset.dtype), "shape": dataset.shape, "chunkShape": dataset.chunks,
                      "dimensions": dimensions(file, dataset, name), "fill": fill(dataset), "count": None if stored is None else len(stored),
                      "chunks": None if stored is None else stored[:MOST_LISTED], "values": digest(dataset)}
    except Exception as error:
        print("  ", path, error)
    return described


def main():
    for path in sorted([*(data / "netcdf4").iterdir(), *(data / "hdf5").iterdir()]):
        groups, variables, seen = {}, [], set()
        with h5py.File(path, "r", locking=False) as file:
            groups["/"] = attributes(file)

            def visit(name, item):
                if isinstance(item, h5py.Group):
                    groups["/" + name] = attributes(item)
                elif isinstance(item, h5py.Dataset):
                    if not ("CLASS" in item.attrs and bytes(item.attrs.get("NAME", b"")).startswith(NOT_A_VARIABLE)):
                        variables.append(variable(file, item, "/" + name))

            file.visititems(visit)
        total = len(variables)
        expected = {"groups": groups, "total": total, "variables": sorted(variables, key=lambda v: v["path"])[:MOST_LISTED]}
        lines = json.dumps(expected, ensure_ascii=False, separators=(",", ":"))
        (here / "expected" / f"{path.name}.json").write_text(lines.replace('{"path"', '\n{"path"') + "\n")
        print(path.name, total)


if __name__ == "__main__":
    main()
