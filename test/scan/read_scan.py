"""Reads a stored scan as docs/scanning.md says, and prints what a test compares."""

import json
import sys

# The five lines of the page.
import numcodecs, numpy as np
raw = open(sys.argv[1], "rb").read(); body = numcodecs.Zstd().decode(raw[24:])
size = int.from_bytes(raw[12:16], "little"); header, data = json.loads(body[:size]), body[size + -size % 8 :]
types = {"u8": "<u1", "u32": "<u4", "i32": "<i4", "f64": "<f8"}
columns = {name: np.frombuffer(data, types[kind], count, at) for name, kind, count, at in header["columns"]}

lengths = columns["lengths"].astype("i8")
offsets = np.cumsum(columns["offsets"].astype("i8") + lengths) - lengths
print(json.dumps({
    "uri": header["scan"]["uri"],
    "uris": header["uris"],
    "arrays": [name for name, _ in header["root"]["arrays"]],
    "cells": columns["cells"].tolist(),
    "offsets": offsets.tolist(),
    "lengths": lengths.tolist(),
    "inline": columns["inlineBytes"].tobytes().hex(),
}))
