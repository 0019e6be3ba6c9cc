"""Makes the files in made/, and made/expected.json: what libhdf5 reads from them. python make_files.py

Needs h5py on HDF5 2.0 and hdf5plugin. Values are the SHA-256 of their bytes in C order, little-endian. What h5py cannot set up
(edge chunks without filters, metadata cache images) is called in the same libhdf5.
"""
import ctypes
import glob
import hashlib
import json
import os
import pathlib

import h5py
import hdf5plugin
import numpy as np
from h5py import h5d, h5p, h5s, h5t, h5z

made = pathlib.Path(__file__).parent / "made"
libhdf5 = ctypes.CDLL(glob.glob(os.path.join(os.path.dirname(h5py.__file__), "..", "h5py.libs", "libhdf5-*.so*"))[0])
rng = np.random.default_rng(5)
LATEST = dict(libver="latest")


def smooth(shape, dtype):
    """Values that predictors like: a slope with steps, rows of zeros and some noise."""
    count = int(np.prod(shape))
    values = np.cumsum(rng.integers(-3, 4, count)) + np.where(np.arange(count) % 97 < 40, 0, rng.integers(-20, 20, count))
    values[count // 3: count // 2] = 0
    return values.reshape(shape).astype(dtype)


def low_level(file, name, ftype, data, mtype=None, filters=None, chunks=None, fill=None):
    space = h5s.create_simple(data.shape)
    dcpl = h5p.create(h5p.DATASET_CREATE)
    if chunks:
        dcpl.set_chunk(chunks)
    if filters:
        filters(dcpl)
    if fill is not None:
        dcpl.set_fill_value(np.asarray(fill, data.dtype))
    dataset = h5d.create(file.id, name.encode(), ftype, space, dcpl)
    dataset.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(data), mtype or h5t.py_create(data.dtype))
    return dataset


def filters():
    with h5py.File(made / "filters.h5", "w", **LATEST) as f:
        for mask, kind in ((h5z.SZIP_NN_OPTION_MASK, "nn"), (h5z.SZIP_EC_OPTION_MASK, "ec")):
            for dtype in ("u1", "<i2", ">i2", "<i4", ">u4", "<f4", "<f8", ">f8"):
                for pixels in (4, 32):
                    low_level(f, f"szip_{kind}_{np.dtype(dtype).str[1:]}{'be' if dtype[0] == '>' else ''}_{pixels}", h5t.py_create(np.dtype(dtype)),
                              smooth((30, 41), dtype), filters=lambda p: p.set_szip(mask, pixels), chunks=(7, 41 if pixels == 4 else 33))
        noise = rng.integers(0, 2**16, (20, 50)).astype("<u2")
        low_level(f, "szip_noise", h5t.STD_U16LE, noise, filters=lambda p: p.set_szip(h5z.SZIP_NN_OPTION_MASK, 8), chunks=(20, 50))
        for dtype in ("i1", "u1", "<i2", ">i2", "<u2", "<i4", ">u4", "<i8", ">u8"):
            values = smooth((13, 11), dtype)
            name = np.dtype(dtype).str[1:] + ("be" if dtype[0] == ">" else "")
            low_level(f, f"scaleoffset_{name}", h5t.py_create(np.dtype(dtype)), values, filters=lambda p: p.set_scaleoffset(h5z.SO_INT, 0), chunks=(5, 11))
            values = values.copy()
            values[2:9, 3] = 77
            low_level(f, f"scaleoffset_{name}_fill", h5t.py_create(np.dtype(dtype)), values, filters=lambda p: p.set_scaleoffset(h5z.SO_INT, 0),
                      chunks=(5, 11), fill=77)
        wide = rng.integers(-2**60, 2**60, (6, 5))
        low_level(f, "scaleoffset_wide", h5t.STD_I64LE, wide, filters=lambda p: p.set_scaleoffset(h5z.SO_INT, 0), chunks=(6, 5), fill=-1)
        for dtype in ("<f4", ">f4", "<f8", ">f8"):
            for digits in (0, 3):
                values = (rng.normal(size=(9, 14)) * 100).astype(dtype)
                values[4] = -999
                low_level(f, f"scaleoffset_{np.dtype(dtype).str[1:]}{'be' if dtype[0] == '>' else ''}_{digits}", h5t.py_create(np.dtype(dtype)), values,
                          filters=lambda p: p.set_scaleoffset(h5z.SO_FLOAT_DSCALE, digits), chunks=(9, 5), fill=-999)
        f.create_dataset("bitshuffle", data=smooth((50, 21), "<i8"), chunks=(17, 21), **hdf5plugin.Bitshuffle(cname="none"))
        for cname in ("lz4", "zstd"):
            f.create_dataset(f"bitshuffle_{cname}", data=smooth((50, 21), "<i4"), chunks=(17, 21), **hdf5plugin.Bitshuffle(cname=cname))
            f.create_dataset(f"bitshuffle_{cname}_blocks", data=smooth((4000,), "<u2"), chunks=(3999,), **hdf5plugin.Bitshuffle(64, cname=cname))
        f.create_dataset("lz4", data=smooth((60, 50), "<i4"), chunks=(23, 50), **hdf5plugin.LZ4(nbytes=512))
        f.create_dataset("lz4_noise", data=np.frombuffer(rng.bytes(5000), "u1"), chunks=(5000,), **hdf5plugin.LZ4())
        f.create_dataset("lzf", data=smooth((60, 50), "<i2"), chunks=(23, 50), compression="lzf")
        f.create_dataset("lzf_shuffle_fletcher32", data=smooth((60, 50), "<f8"), chunks=(23, 50), compression="lzf", shuffle=True, fletcher32=True)
        low_level(f, "deflate_deflate", h5t.STD_I32LE, smooth((40, 30), "<i4"), chunks=(9, 30),
                  filters=lambda p: (p.set_deflate(1), p.set_deflate(9)))
        low_level(f, "deflate_shuffle", h5t.STD_I32LE, smooth((40, 30), "<i4"), chunks=(9, 30),
                  filters=lambda p: (p.set_deflate(1), p.set_shuffle()))
        low_level(f, "zstd_shuffle", h5t.STD_I32LE, smooth((40, 30), "<i4"), chunks=(9, 30),
                  filters=lambda p: (p.set_filter(32015, h5z.FLAG_MANDATORY, (3,)), p.set_shuffle()))
        low_level(f, "fletcher32_shuffle_deflate", h5t.STD_I16LE, smooth((40, 30), "<i2"), chunks=(10, 30),
                  filters=lambda p: (p.set_fletcher32(), p.set_shuffle(), p.set_deflate(4)))


def numbers():
    """Numbers of sizes that no machine has, with and without the n-bit filter."""
    def integer(base, precision, offset):
        t = base.copy()
        t.set_precision(precision)
        t.set_offset(offset)
        return t

    def floating(base, fields, size, bias, order=None):
        t = base.copy()
        t.set_fields(*fields)
        t.set_size(size)
        t.set_ebias(bias)
        if order is not None:
            t.set_order(order)
        return t

    with h5py.File(made / "numbers.h5", "w", **LATEST) as f:
        types = {
            "i31": (h5t.STD_I32LE, 31, 0, "<i4"), "i12_at_3": (h5t.STD_I16LE, 12, 3, "<i2"), "u12_be": (h5t.STD_U16BE, 12, 4, "<u2"),
            "i5": (h5t.STD_I8LE, 5, 1, "i1"), "i40": (h5t.STD_I64BE, 40, 11, "<i8"), "u63": (h5t.STD_U64LE, 63, 0, "<u8"),
        }
        for name, (base, precision, offset, dtype) in types.items():
            values = rng.integers(0 if "u" in dtype else -(2**(precision - 1)), 2**(precision - 1), (11, 7)).astype(dtype)
            t = integer(base, precision, offset)
            low_level(f, name, t, values, h5t.py_create(np.dtype(dtype)), fill=3)
            low_level(f, name + "_nbit", t, values, h5t.py_create(np.dtype(dtype)), chunks=(4, 7), filters=lambda p: p.set_filter(h5z.FILTER_NBIT))
        floats = {
            "bfloat16": floating(h5t.IEEE_F32LE, (15, 7, 8, 0, 7), 2, 127), "bfloat16_be": floating(h5t.IEEE_F32BE, (15, 7, 8, 0, 7), 2, 127),
            "e5m2": floating(h5t.IEEE_F16LE, (7, 2, 5, 0, 2), 1, 15), "f24": floating(h5t.IEEE_F32LE, (23, 15, 8, 0, 15), 3, 127),
            "f20_in_32": floating(h5t.IEEE_F32BE, (26, 20, 6, 7, 13), 4, 31), "wide_exponent": floating(h5t.IEEE_F32LE, (31, 20, 11, 0, 20), 4, 1023),
        }
        for name, t in floats.items():
            t.set_precision(t.get_size() * 8) if name not in ("f20_in_32",) else (t.set_offset(7), t.set_precision(20), t.set_size(4))
            values = (rng.normal(size=(9, 5)) * 10).astype("<f8")
            values[0] = [0, -0.0, np.inf, -np.inf, 1e-6]
            low_level(f, name, t, values, h5t.IEEE_F64LE, fill=-1.5)
            low_level(f, name + "_nbit", t, values, h5t.IEEE_F64LE, chunks=(4, 5), filters=lambda p: p.set_filter(h5z.FILTER_NBIT))


def masks():
    """Chunks that a writer left out of some filters."""
    with h5py.File(made / "masks.h5", "w", **LATEST) as f:
        values = smooth((40, 10), "<i4")

        def dataset(name, odd, **options):
            d = f.create_dataset(name, shape=values.shape, dtype=values.dtype, chunks=(10, 10), **options)
            d[:] = values
            for at, mask in odd.items():
                part = values[at:at + 10].tobytes()
                if mask == 0b10:  # shuffled, not compressed
                    part = np.frombuffer(part, "u1").reshape(-1, 4).T.tobytes()
                d.id.write_direct_chunk((at, 0), part, filter_mask=mask)

        dataset("deflate", {10: 1}, compression="gzip")
        dataset("shuffle_deflate", {0: 0b10, 20: 0b11}, compression="gzip", shuffle=True)
        dataset("zstd", {30: 1}, **hdf5plugin.Zstd())
        dataset("blosc", {30: 1, 0: 1}, **hdf5plugin.Blosc())
        dataset("lzf", {30: 1, 0: 1}, compression="lzf")
        dataset("all_plain", {0: 1, 10: 1, 20: 1, 30: 1}, compression="gzip")
        dcpl = h5p.create(h5p.DATASET_CREATE)
        dcpl.set_chunk((4, 4))
        dcpl.set_deflate(6)
        assert libhdf5.H5Pset_chunk_opts(ctypes.c_int64(dcpl.id), ctypes.c_uint(2)) == 0
        d = h5d.create(f.id, b"edges", h5t.STD_I32LE, h5s.create_simple((10, 6)), dcpl)
        d.write(h5s.ALL, h5s.ALL, smooth((10, 6), "<i4"))


def contiguous():
    with h5py.File(made / "contiguous.h5", "w", **LATEST) as f:
        f.create_dataset("time_lat_lon", data=smooth((12, 20, 30), "<f4"))
        f.create_dataset("prime", data=smooth((7, 64), "<f4"))
        f.create_dataset("line", data=smooth((4096,), ">i2"))
        f.create_dataset("unwritten", shape=(12, 20, 30), dtype="<f4", fillvalue=5)


def elsewhere():
    values = smooth((6, 8), "<i4")
    (made / "first.dat").write_bytes(b"head" + values.tobytes()[:100])
    (made / "second.dat").write_bytes(values.tobytes()[100:180])
    with h5py.File(made / "external.h5", "w", **LATEST) as f:
        f.create_dataset("one_file", shape=(3, 8), dtype="<i4", external=[("first.dat", 4, 96)])
        f.create_dataset("two_files", shape=(6, 8), dtype="<i4", external=[("first.dat", 4, 100), ("second.dat", 0, h5py.h5f.UNLIMITED)])
        f.create_dataset("not_there", shape=(3, 8), dtype="<i4", external=[("nothing.dat", 0, 96)])
        f.create_dataset("forbidden", shape=(3, 8), dtype="<i4", external=[("../../../../../../etc/passwd", 0, 96)])
    for step in range(3):
        with h5py.File(made / f"step-{step}.h5", "w", **LATEST) as f:
            d = f.create_dataset("v", data=smooth((4, 6), "<f4"), chunks=(2, 6), compression="gzip", fillvalue=-1)
            d.attrs["step"] = step
            f.create_dataset("plain", data=smooth((4, 6), "<f4"))
            f.create_dataset("g/inner", data=np.arange(step + 1))
    with h5py.File(made / "virtual.h5", "w", **LATEST) as f:
        def virtual(name, shape, parts, fill=-1):
            layout = h5py.VirtualLayout(shape, "<f4")
            for at, source in parts:
                layout[at] = source
            f.create_virtual_dataset(name, layout, fillvalue=fill)

        def source(step, name="v"):
            return h5py.VirtualSource(f"step-{step}.h5", name, shape=(4, 6))
        virtual("stacked", (3, 4, 6), [(i, source(i)) for i in range(3)])
        virtual("joined", (12, 6), [(slice(4 * i, 4 * i + 4), source(i)) for i in range(3)])
        virtual("joined_plain", (12, 6), [(slice(4 * i, 4 * i + 4), source(i, "plain")) for i in range(3)])
        virtual("part", (4, 6), [(slice(0, 2), source(0)[2:4]), (slice(2, 4), source(2)[0:2])])
        virtual("with_gap", (5, 4, 6), [(i, h5py.VirtualSource(f"step-{i}.h5", "v", shape=(4, 6))) for i in (0, 2, 4)])
        virtual("same_names", (2, 4, 6), [(0, source(0)), (1, source(0))])
        f.create_dataset("own", data=smooth((4, 6), "<f4"), chunks=(2, 6))
        virtual("of_this_file", (2, 4, 6), [(i, h5py.VirtualSource(".", "own", shape=(4, 6))) for i in range(2)])
        virtual("cut", (4, 6), [(slice(0, 3), source(0)[1:4])])
        virtual("two_kinds", (2, 4, 6), [(0, source(0)), (1, source(0, "plain"))])
        def growing(name, length, parts):
            # One block without an end along the first axis, here and in the source: the length is that of the longest source.
            space = h5py.h5s.create_simple((length, 8, 6), (h5py.h5s.UNLIMITED, 8, 6))
            dcpl = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            dcpl.set_fill_value(np.array(-1, "<f4"))
            for row, file in parts:
                own = h5py.h5s.create_simple((length, 8, 6), (h5py.h5s.UNLIMITED, 8, 6))
                own.select_hyperslab((0, row, 0), (1, 1, 1), block=(h5py.h5s.UNLIMITED, 4, 6))
                theirs = h5py.h5s.create_simple((3, 4, 6), (h5py.h5s.UNLIMITED, 4, 6))
                theirs.select_hyperslab((0, 0, 0), (1, 1, 1), block=(h5py.h5s.UNLIMITED, 4, 6))
                dcpl.set_virtual(own, file.encode(), b"steps", theirs)
            h5py.h5d.create(f.id, name.encode(), h5py.h5t.IEEE_F32LE, space, dcpl)
        f.create_dataset("steps", data=smooth((3, 4, 6), "<f4"), chunks=(1, 4, 6), maxshape=(None, 4, 6))
        growing("growing", 3, [(0, "."), (4, ".")])
        growing("growing_from_nothing", 0, [(0, "nothing.h5")])
        growing("grown_since", 2, [(0, ".")])
        virtual("strided", (4, 6), [(slice(0, 4, 2), source(0)[0:2])])
    with h5py.File(made / "links.h5", "w", **LATEST) as f:
        f["dataset"] = h5py.ExternalLink("step-1.h5", "/v")
        f["again"] = h5py.ExternalLink("step-1.h5", "/v")
        f["group"] = h5py.ExternalLink("step-2.h5", "/g")
        f["nowhere"] = h5py.ExternalLink("step-1.h5", "/nothing")
        f["no_file"] = h5py.ExternalLink("nothing.h5", "/v")
        f["forbidden"] = h5py.ExternalLink("/etc/passwd", "/v")


def cache_image():
    class Config(ctypes.Structure):
        _fields_ = [("version", ctypes.c_int), ("generate_image", ctypes.c_bool), ("save_resize_status", ctypes.c_bool), ("entry_ageout", ctypes.c_int)]

    path = made / "cache-image.h5"
    fapl = h5p.create(h5p.FILE_ACCESS)
    fapl.set_libver_bounds(h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST)
    config = Config(1, True, False, -1)
    assert libhdf5.H5Pset_mdc_image_config(ctypes.c_int64(fapl.id), ctypes.byref(config)) == 0
    with h5py.File(h5py.h5f.create(str(path).encode(), h5py.h5f.ACC_TRUNC, fapl=fapl)) as f:
        for index in range(5):
            d = f.create_dataset(f"group/v{index}", data=smooth((20, 10), "<i4"), chunks=(5, 10), compression="gzip")
            d.attrs["index"] = index


def meaning():
    """One variable for each statement of docs/scanning.md."""
    with h5py.File(made / "meaning.h5", "w", **LATEST) as f:
        f.attrs["title"] = "meaning"
        y = f.create_dataset("y", data=np.arange(4, dtype="<f4"))
        x = f.create_dataset("x", data=np.arange(6, dtype="<f4"))
        column = f.create_dataset("column", data=np.arange(6, dtype="<i2"))
        for scale, name in ((y, "latitude"), (x, ""), (column, "column")):
            scale.make_scale(name)
        filled = f.create_dataset("filled", shape=(4, 6), dtype="<i2", chunks=(2, 6), fillvalue=-5)
        filled[:2] = 1
        filled.attrs["_FillValue"] = np.int16(-9)
        unfilled = f.create_dataset("unfilled", shape=(4, 6), dtype="<i2", chunks=(2, 6))
        unfilled[:2] = 1
        packed = f.create_dataset("packed", data=np.arange(24, dtype="<i2").reshape(4, 6))
        packed.attrs.update({"scale_factor": np.float32(0.5), "add_offset": np.float64(273.15), "valid_range": np.array([0, 20], "<i2")})
        for axis, scales in enumerate(((y,), (x, column))):
            for scale in scales:
                packed.dims[axis].attach_scale(scale)
        inner = f.create_dataset("group/inner/v", data=np.arange(8, dtype="<i4").reshape(4, 2))
        inner.dims[0].attach_scale(y)
        f["group"].attrs["level"] = np.int32(1)
        f["again"] = inner
        f["soft"] = h5py.SoftLink("/group/inner/v")
        f.create_dataset("scalar", data=np.float64(2.5))
        f.create_dataset("empty", shape=(0, 3), maxshape=(None, 3), dtype="<f8", chunks=(5, 3))
        f.create_dataset("null", data=h5py.Empty("<f4"))
        f.create_dataset("fixed_text", data=np.array([b"ab", b"abcde", b""], "S5"))
        f.create_dataset("text", data=["ab", "größer", ""], dtype=h5py.string_dtype())
        time = f.create_dataset("time", data=np.arange(3, dtype="<i8"))
        time.attrs.update({"units": "days since 2000-01-01", "calendar": "standard"})
        dates = np.array(["2020-01-01"], "M8[D]")
        f.create_dataset("numpy_dates", data=dates.astype(h5py.opaque_dtype(dates.dtype)))
        f.create_dataset("big_endian", data=np.arange(3, dtype=">f8"))
        gap = np.dtype({"names": ["a", "b"], "formats": ["<i4", ">f8"], "offsets": [0, 8], "itemsize": 24})
        f.create_dataset("compound", data=np.zeros(2, gap))
        f.create_dataset("compound_with_array", data=np.zeros(2, [("a", "<i4", (3,))]))
        f.create_dataset("complex", data=np.array([1 + 2j, 3j], "<c8"))
        t = h5t.array_create(h5t.STD_I16LE, (3,))
        d = h5d.create(f.id, b"array", t, h5s.create_simple((2,)))
        d.write(h5s.ALL, h5s.ALL, np.arange(6, dtype="<i2"), t)
        f.create_dataset("boolean", data=np.array([True, False]))
        f.create_dataset("enum", data=np.array([1, 2], "<i2"), dtype=h5py.enum_dtype({"land": 1, "sea": 2}, basetype="<i2"))
        f.create_dataset("sequences", data=np.array([np.arange(2), np.arange(3)], dtype=object), dtype=h5py.vlen_dtype("<i4"))
        f.create_dataset("references", data=np.array([x.ref], h5py.ref_dtype), dtype=h5py.ref_dtype)
        f.create_dataset("opaque", data=np.array([b"abc", b"def"], "V3"))


def expected():
    found = {}
    os.chdir(made)
    for path in sorted(made.glob("*.h5")):
        if path.name == "meaning.h5":
            continue
        with h5py.File(path, "r", locking=False) as file:
            def visit(group, prefix):
                for name in group:
                    if name == "forbidden":
                        continue
                    try:
                        item = group[name]
                    except (KeyError, OSError):
                        continue
                    if isinstance(item, h5py.Group):
                        visit(item, f"{prefix}/{name}")
                        continue
                    try:
                        values = np.ascontiguousarray(item[()])
                    except OSError as error:
                        print(path.name, prefix, name, error)
                        continue
                    values = values.astype(values.dtype.newbyteorder("<"))
                    found.setdefault(path.name, {})[f"{prefix}/{name}"] = {
                        "type": values.dtype.name, "shape": values.shape, "values": hashlib.sha256(values.tobytes()).hexdigest()}
            visit(file, "")
    (made / "expected.json").write_text(json.dumps(found, indent=0).replace("{\n", "{ ").replace('",\n"', '", "') + "\n")
    print({name: len(variables) for name, variables in found.items()})


if __name__ == "__main__":
    filters()
    numbers()
    masks()
    contiguous()
    elsewhere()
    cache_image()
    meaning()
    expected()
