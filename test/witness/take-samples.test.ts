import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { describe, test } from "node:test";
import { isFreshetError } from "../../src/errors/index.ts";
import { scan } from "../../src/scan/index.ts";
import type { RangeReader } from "../../src/storage/index.ts";
import { RememberedReads, takeSamples } from "../../src/witness/index.ts";
import { netcdf3Bytes } from "../formats/netcdf3/netcdf3-bytes.ts";
import { memoryReader } from "../storage/memory-reader.ts";
import {
  arrayAt,
  data,
  filesBelow,
  MOGREPS,
  missingShared,
  OSTIA,
  SHARED,
  scanned,
  throughReferences,
  withFile,
} from "./real-files.ts";

/** Samples of a file are what its references give; answers how many there were. */
async function confirm(reader: RangeReader): Promise<{ taken: number; loaded: number }> {
  const { found, samples } = await scanned(reader);
  for (const sample of samples.taken) {
    const where = `${sample.path} [${sample.index}]`;
    assert.equal(await throughReferences(found, sample, reader), sample.sha256, where);
    assert.equal(sample.isUnwritten, arrayAt(found, sample.path).manifest.at(cellOf(found, sample)).kind === "missing", where);
  }
  return { taken: samples.taken.length, loaded: samples.loaded.length };
}

function cellOf(found: Parameters<typeof arrayAt>[0], { path, index }: { path: string; index: readonly number[] }): number {
  return index.reduce((cell, at, axis) => cell * (arrayAt(found, path).manifest.grid[axis] as number) + at, 0);
}

describe("another decoder reads what our references give", () => {
  /** One without values, and two that netcdfjs does not read. */
  const silent = ["ascat_20211220_231800_metopb_48038_eps_o_250_3202_ovw.l2.nc4", "cdf5-records.nc", "single-record.nc"];
  for (const folder of ["netcdf3", "netcdf4", "made"]) {
    for (const path of filesBelow(data(folder))) {
      test(`test/data/${folder}/${basename(path)}`, async () => {
        const { taken, loaded } = await withFile(path, confirm);
        assert.equal(taken + loaded === 0, silent.includes(basename(path)), `${taken + loaded} comparisons`);
      });
    }
  }

  for (const folder of [
    "granules",
    "series-nemo-orca025-5day",
    "series-nwcsaf-crr-15min",
    "netcdf-corner",
    "hdf5-corner",
    "set2/netcdf4",
  ]) {
    test(`../shared/data/${folder}`, { skip: missingShared() }, async () => {
      let compared = 0;
      for (const path of filesBelow(`${SHARED}/${folder}`)) {
        try {
          const { taken, loaded } = await withFile(path, confirm);
          compared += taken + loaded;
        } catch (error) {
          // Files that are no files, or damaged: the scanner's business.
          if (!isFreshetError(error, "unknown-format", "malformed", "truncated", "unsupported")) throw error;
        }
      }
      assert.ok(compared > 0);
    });
  }
});

describe("what is chosen", () => {
  const sampled = (path: string, chunks?: number) =>
    withFile(path, async (reader) => takeSamples(reader, await scan(reader), chunks === undefined ? {} : { chunks }));

  test("is the same for the same revision, with the decoder's name", async () => {
    const [first, second] = [await sampled(MOGREPS), await sampled(MOGREPS)];
    assert.deepEqual(first.taken, second.taken);
    assert.equal(first.by, "h5wasm 0.10.3 (HDF5 2.0.0)");
    assert.equal((await sampled(OSTIA)).by, "netcdfjs 4.0.0");
  });

  test("has the versions that are installed", async () => {
    for (const [name, version] of [
      ["h5wasm", "0.10.3"],
      ["netcdfjs", "4.0.0"],
    ] as const) {
      const text = await readFile(new URL(`../../node_modules/${name}/package.json`, import.meta.url), "utf8");
      assert.equal((JSON.parse(text) as { version: string }).version, version);
    }
    const wasm = await readFile(new URL("../../node_modules/h5wasm/CMakeLists.txt", import.meta.url), "utf8");
    assert.match(wasm, /HDF5-2\.0\.0-Emscripten/);
  });

  test("is as many as asked for, each once, of as many variables as there are", async () => {
    const { taken } = await sampled(MOGREPS, 5);
    assert.equal(taken.length, 5);
    assert.equal(new Set(taken.map(({ path, index }) => `${path} ${index}`)).size, 5);
    const ostia = await sampled(OSTIA);
    assert.deepEqual(ostia.taken.map(({ path }) => path).toSorted(), ["/analysed_sst", "/sst_anomaly"]);
  });

  test("none at all: then only loaded values are compared", async () => {
    const samples = await sampled(MOGREPS, 0);
    assert.deepEqual(samples.taken, []);
    assert.ok(samples.loaded.includes("/time"));
  });
});

describe("what is passed over says why", () => {
  const passedOver = async (name: string): Promise<Map<string, string>> => {
    const samples = await withFile(data(name), async (reader) => (await scanned(reader)).samples);
    return new Map(samples.passedOver.map(({ path, reason }) => [path, reason]));
  };

  test("text, and what h5wasm has no filter for", async () => {
    const reasons = await passedOver("hdf5/test_compressed_chunked_datasets_earliest.hdf5");
    assert.equal(
      reasons.get("/int/int8lzf") ?? reasons.get("/float/float64lzf"),
      "libhdf5 does not read the values: required filter 'lzf' is not registered",
    );
    assert.equal((await passedOver("netcdf3/madis-sao.nc")).get("/staticIds"), "values of type text[1] are not compared");
  });

  test("CDF-5, and records that netcdfjs takes to be padded", async () => {
    const cdf5 = await passedOver("made/cdf5-records.nc");
    assert.match([...cdf5.values()].join(), /netcdfjs does not read the header: .*unknown version/);
    assert.equal(
      (await passedOver("made/single-record.nc")).get("/value"),
      "netcdfjs pads the records of an only record variable",
    );
  });

  test("numbers that the scan has converted", async () => {
    assert.match((await passedOver("hdf5/be_data.h5")).get("/Nbit_float_data_be") ?? "", /^Zarr has no type for floats/);
  });

  test("chunks that are too large; but the smallest of them is read, whatever `mostBytes`", async () => {
    // Primes: nothing cuts them into smaller chunks.
    const [small, large] = [16_777_259, 16_777_289];
    const { bytes } = netcdf3Bytes({
      dimensions: [
        ["x", small],
        ["y", large],
      ],
      variables: [
        { name: "small", type: "int8", dimensions: [0], values: [] },
        { name: "large", type: "int8", dimensions: [1], values: [] },
      ],
    });
    const file = new Uint8Array(bytes.length + small + large);
    file.set(bytes);
    file.fill(7, bytes.length);
    const samples = await takeSamples(memoryReader(file), await scan(memoryReader(file), { load: [] }), { mostBytes: 1 });
    assert.deepEqual(
      samples.taken.map(({ path }) => path),
      ["/small"],
    );
    assert.deepEqual(samples.passedOver, [{ path: "/large", reason: `a chunk of ${large} bytes is too large to compare` }]);
  });
});

describe("what it costs", () => {
  test("nothing more of the source, where the scan has read all of it", async () => {
    const reader = await withFile(data("netcdf4/air.nc"), (file) => file.read(0, file.size).then(memoryReader));
    const remembered = new RememberedReads(reader);
    const { samples } = await scanned(remembered);
    assert.ok(samples.taken.length > 0);
    assert.deepEqual([samples.requests, samples.bytesRead], [0, 0]);
    assert.equal(remembered.requests, 1);
  });

  test("at most what it may: beyond, nothing is taken, and that is said", async () => {
    const samples = await withFile(MOGREPS, async (reader) => takeSamples(reader, await scan(reader), { mostBytes: 200_000 }));
    assert.ok(samples.bytesRead <= 200_000 + 4 * 2 ** 20);
    await assert.doesNotReject(withFile(MOGREPS, async (reader) => takeSamples(reader, await scan(reader), { mostBytes: 0 })));
  });
});

test("bits count: -0 and the payload of a NaN come through both decoders", async () => {
  const { bytes } = netcdf3Bytes({
    dimensions: [["x", 4]],
    variables: [
      { name: "f", type: "float32", dimensions: [0], values: [0, 0, 0, 0] },
      { name: "d", type: "float64", dimensions: [0], values: [0, 0, 0, 0] },
    ],
  });
  const found = await scan(memoryReader(bytes), { load: [] });
  const begin = (name: string): number => {
    const reference = arrayAt(found, name).manifest.at(0);
    assert.ok(reference.kind === "range");
    return reference.offset;
  };
  const file = Buffer.from(bytes);
  // A signalling NaN and one with a payload; -0.
  for (const [at, word] of [0x7f80_0001, 0xffc0_1234, 0x8000_0000].entries()) file.writeUInt32BE(word, begin("/f") + 4 * at);
  for (const [at, word] of [0x7ff0_0000_0000_0001n, 0xfff8_0000_dead_beefn, 1n << 63n].entries())
    file.writeBigUInt64BE(word, begin("/d") + 8 * at);
  const { taken } = await confirm(memoryReader(new Uint8Array(file)));
  assert.equal(taken, 2);
});

test("a source that is not the scanned one is not asked", async () => {
  const file = await withFile(data("netcdf4/air.nc"), (reader) => reader.read(0, reader.size));
  const found = await scan(memoryReader(file));
  const longer = memoryReader(new Uint8Array([...file, 0]));
  await assert.rejects(takeSamples(longer, found), (error) => isFreshetError(error, "source-changed"));
});

test("what the source answers is thrown, not passed over", async () => {
  const file = await withFile(MOGREPS, (reader) => reader.read(0, reader.size));
  const found = await scan(memoryReader(file));
  const failing: RangeReader = { ...memoryReader(file), read: () => Promise.reject(new TypeError("the network is gone")) };
  await assert.rejects(takeSamples(failing, found), /^TypeError: the network is gone$/);
});
