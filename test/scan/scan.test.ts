import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isFreshetError } from "../../src/errors/index.ts";
import { type Scan, type ScanOptions, scan } from "../../src/scan/index.ts";
import { openFileReader, type RangeReader } from "../../src/storage/index.ts";
import type { VirtualArray } from "../../src/virtual/index.ts";
import { netcdf3Bytes } from "../formats/netcdf3/netcdf3-bytes.ts";
import { memoryReader } from "../storage/memory-reader.ts";

const data = (name: string): string => fileURLToPath(new URL(`../data/${name}`, import.meta.url));

async function scanFile(name: string, options?: ScanOptions): Promise<Scan> {
  const reader = await openFileReader(data(name));
  try {
    return await scan(reader, options);
  } finally {
    await reader.close();
  }
}

function inlined(array: VirtualArray | undefined): Uint8Array {
  assert.ok(array !== undefined);
  assert.equal(array.manifest.cells, 1);
  const reference = array.manifest.at(0);
  assert.ok(reference.kind === "inline", `${array.name} is ${reference.kind}`);
  assert.deepEqual(array.codecs, [{ name: "bytes", configuration: { endian: "little" } }]);
  assert.deepEqual(array.chunkShape, array.shape);
  return reference.bytes;
}

const float64 = (bytes: Uint8Array) => [...new Float64Array(bytes.slice().buffer)];
const float32 = (bytes: Uint8Array) => [...new Float32Array(bytes.slice().buffer)];

const FILE = netcdf3Bytes({
  records: 3,
  dimensions: [
    ["time", 0],
    ["y", 2],
    ["x", 2],
    ["bnds", 2],
  ],
  variables: [
    {
      name: "time",
      type: "float64",
      dimensions: [0],
      attributes: [["bounds", "char", "time_bnds"]],
      recordValues: [[1], [2], [3]],
    },
    {
      name: "time_bnds",
      type: "float64",
      dimensions: [0, 3],
      recordValues: [
        [0, 1],
        [1, 2],
        [2, 3],
      ],
    },
    { name: "crs", type: "char", values: [32] },
    { name: "height", type: "float64", values: [10] },
    { name: "lat2", type: "float32", dimensions: [1, 2], values: [1, 2, 3, 4] },
    { name: "y", type: "float32", dimensions: [1], values: [5, 6] },
    { name: "other", type: "float32", dimensions: [1], values: [7, 8] },
    {
      name: "v",
      type: "int16",
      dimensions: [0, 1, 2],
      attributes: [
        ["coordinates", "char", "lat2 height nothing"],
        ["grid_mapping", "char", "crs: y"],
      ],
      recordValues: [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
        [9, 10, 11, 12],
      ],
    },
  ],
}).bytes;

describe("what is loaded", () => {
  const outcomes = ({ outcomes: found }: Scan) => Object.fromEntries(found.map(({ path, outcome }) => [path.slice(1), outcome]));

  test("are coordinates: named like their dimension, numeric scalars, and what attributes name", async () => {
    const found = await scan(memoryReader(FILE));
    assert.deepEqual(outcomes(found), {
      time: "inlined",
      time_bnds: "inlined",
      crs: "inlined",
      height: "inlined",
      lat2: "inlined",
      y: "inlined",
      other: "referenced",
      v: "referenced",
    });
    const { arrays } = found.root;
    assert.deepEqual(float64(inlined(arrays.get("time"))), [1, 2, 3]);
    assert.deepEqual(float64(inlined(arrays.get("time_bnds"))), [0, 1, 1, 2, 2, 3]);
    assert.deepEqual(float64(inlined(arrays.get("height"))), [10]);
    assert.deepEqual(float32(inlined(arrays.get("lat2"))), [1, 2, 3, 4]);
    assert.equal(arrays.get("v")?.manifest.cells, 3);
    const crs = arrays.get("crs")?.manifest.at(0);
    assert.deepEqual(crs?.kind === "inline" && crs.bytes, Uint8Array.of(32));
  });

  test("is nothing where nothing is asked for", async () => {
    const found = await scan(memoryReader(FILE), { load: [] });
    assert.deepEqual(new Set(Object.values(outcomes(found))), new Set(["referenced"]));
    assert.equal(found.requests, 1);
  });

  test("is what is named, by name or path", async () => {
    const found = await scan(memoryReader(FILE), { load: ["other", "/v"] });
    const loaded = found.outcomes.filter(({ outcome }) => outcome === "inlined").map(({ path }) => path);
    assert.deepEqual(loaded, ["/other", "/v"]);
    assert.deepEqual(
      [...new Int16Array(inlined(found.root.arrays.get("v")).slice().buffer)],
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    );
  });

  test("must be there if it is named", async () => {
    await assert.rejects(scan(memoryReader(FILE), { load: ["lon"] }), (error) => {
      assert.ok(isFreshetError(error, "drift"));
      assert.equal(
        error.message,
        "an array to load is not in the file: found time, time_bnds, crs, height, lat2, y, other, v, expected lon (memory:test)",
      );
      return true;
    });
  });

  test("is not what has more than 8 MiB: a coordinate stays a reference, a named array is an error", async () => {
    const count = 8 * 2 ** 20 + 1;
    const { bytes } = netcdf3Bytes({
      dimensions: [["x", count]],
      variables: [{ name: "x", type: "int8", dimensions: [0], values: [] }],
    });
    const file = new Uint8Array(bytes.length + count);
    file.set(bytes);
    const found = await scan(memoryReader(file));
    assert.deepEqual(found.outcomes, [{ path: "/x", outcome: "referenced", reason: "" }]);
    await assert.rejects(
      scan(memoryReader(file), { load: ["x"] }),
      /the array is too large to load: found 8388609 bytes, expected at most 8388608 \(memory:test, \/x\)/,
    );
  });

  test("is decoded: shuffle, deflate, groups", async () => {
    const found = await scanFile("netcdf4/20170602T0300Z-PT0012H-temperature_at_screen_level.nc");
    const times = new BigInt64Array(inlined(found.root.arrays.get("time")).slice().buffer);
    assert.equal(new Date(Number(times[0]) * 1000).toISOString(), "2017-06-02T15:00:00.000Z");
    assert.equal(found.format, "hdf5");
    assert.equal(found.outcomes.find(({ path }) => path === "/air_temperature")?.outcome, "referenced");
    const swath = await scanFile("netcdf4/S6A_P4_2__HR_RED__NR_014_191_20210403T004056_20210403T005056_F00.nc", {
      load: ["/data_01/latitude", "/data_01/altitude"],
    });
    assert.equal(inlined(swath.root.groups.get("data_01")?.arrays.get("altitude")).length, 4 * 600);
  });

  test("does not hide that the source fails", async () => {
    const memory = memoryReader(FILE);
    let reads = 0;
    const reader: RangeReader = {
      ...memory,
      read: async (offset, length, signal) => {
        if (reads++ > 0) throw new TypeError("the network is gone");
        return memory.read(offset, length, signal);
      },
    };
    await assert.rejects(scan(reader), /^TypeError: the network is gone$/);
  });
});

describe("what is dropped", () => {
  test("is not in the tree, and says so", async () => {
    const found = await scan(memoryReader(FILE), { drop: ["v", "/other", "not there"], load: [] });
    assert.deepEqual([...found.root.arrays.keys()], ["time", "time_bnds", "crs", "height", "lat2", "y"]);
    assert.deepEqual(
      found.outcomes.filter(({ outcome }) => outcome === "refused"),
      [
        { path: "/other", outcome: "refused", reason: "dropped by request" },
        { path: "/v", outcome: "refused", reason: "dropped by request" },
      ],
    );
  });
});

describe("what it costs", () => {
  test("over a network, one round trip, and no more bytes than needed for the second source of a kind", async () => {
    const file = new Uint8Array(3 * 2 ** 20);
    file.set(FILE);
    const costs = async (uri: string) => {
      const { requests, roundTrips, bytesRead } = await scan(memoryReader(file, uri), { load: [] });
      return { requests, roundTrips, bytesRead };
    };
    assert.deepEqual(await costs("https://example.org/20260101.nc"), { requests: 1, roundTrips: 1, bytesRead: 256 * 1024 });
    assert.deepEqual(await costs("https://example.org/20260102.nc"), { requests: 1, roundTrips: 1, bytesRead: 32 * 1024 });
  });

  test("one read for a small file, whatever is loaded from it", async () => {
    const found = await scan(memoryReader(FILE), { load: [] });
    assert.deepEqual([found.requests, found.bytesRead], [1, FILE.length]);
  });

  test("OSTIA: the header's block, and latitude and longitude at the end of the file", async () => {
    const found = await scanFile("netcdf3/20170605120000-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc");
    assert.ok(found.requests <= 4, `${found.requests} reads`);
    assert.ok(found.bytesRead < 330_000, `${found.bytesRead} bytes`);
  });
});

describe("the format is found by signature", () => {
  const refusal = async (bytes: Uint8Array | string): Promise<string> => {
    const source = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
    let message = "";
    await assert.rejects(scan(memoryReader(new Uint8Array(source))), (error) => {
      assert.ok(isFreshetError(error, "unknown-format"));
      message = error.facts.found ?? "";
      return true;
    });
    return message;
  };

  test("HDF5 also behind a user block of 512, 1024, … bytes", async () => {
    const file = await readFile(data("netcdf4/netcdf4_classic.nc"));
    for (const size of [512, 2048, 65536]) {
      const shifted = Buffer.concat([Buffer.from("a user block of text".padEnd(size)), file]);
      assert.equal((await scan(memoryReader(new Uint8Array(shifted)), { load: [] })).format, "hdf5");
    }
    assert.match(await refusal(new Uint8Array(Buffer.concat([Buffer.alloc(513, "x"), file]))), /looks like text/);
  });

  test("anything else says what it looks like", async () => {
    assert.equal(await refusal(""), "an empty file");
    assert.equal(
      await refusal("<!DOCTYPE html><html><body>503</body>"),
      'a file that starts with "<!DOCTYPE html><html"…, looks like HTML',
    );
    assert.equal(
      await refusal('<?xml version="1.0"?><Error/>'),
      'a file that starts with "<?xml version=\\"1.0\\"?"…, looks like XML',
    );
    assert.equal(await refusal("just text"), 'a file that starts with "just text", looks like text');
    assert.equal(await refusal('{"error": 1}'), 'a file that starts with "{\\"error\\": 1}", looks like JSON');
    assert.equal(await refusal("GRIB\0\0\0\u0002"), "a file that starts with 47 52 49 42 00 00 00 02, looks like GRIB");
    assert.equal(await refusal("PK\u0003\u0004"), "a file that starts with 50 4b 03 04, looks like a ZIP archive");
    assert.equal(await refusal("\u001f\u008b\u0008"), "a file that starts with 1f 8b 08, looks like gzip");
    assert.equal(
      await refusal("CDF\u0003abcd"),
      "a file that starts with 43 44 46 03 61 62 63 64, looks like NetCDF classic of a version that does not exist",
    );
    assert.equal(
      await refusal("\x89HDF\n\x1a\n"),
      "a file that starts with 89 48 44 46 0a 1a 0a, looks like HDF5 damaged by a transfer in text mode",
    );
    assert.equal(await refusal(new Uint8Array(600)), "512 or more bytes of zero");
    assert.equal(await refusal("\u0001\u0002\u0003"), "a file that starts with 01 02 03");
  });
});
