import assert from "node:assert/strict";
import { copyFile, mkdtemp, open, rm, stat, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { bytesCodec } from "../../src/codecs/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import type { Sample, Samples, Scan } from "../../src/scan/index.ts";
import { openFileReader, type RangeReader } from "../../src/storage/index.ts";
import { ChunkManifest, ChunkManifestBuilder, numeric, type VirtualArray } from "../../src/virtual/index.ts";
import { takeSamples } from "../../src/witness/index.ts";
import { arrayAt, MOGREPS, OSTIA, scanned, throughReferences, withArray } from "./real-files.ts";

interface Case {
  readonly path: string;
  readonly variable: string;
  readonly reader: RangeReader;
  readonly found: Scan;
  readonly samples: Samples;
  readonly sample: Sample;
}

const cases = new Map<string, Case>();

before(async () => {
  for (const [path, variable] of [
    [MOGREPS, "/air_temperature"],
    [OSTIA, "/sst_anomaly"],
  ] as const) {
    const reader = await openFileReader(path);
    const { found, samples } = await scanned(reader);
    const sample = samples.taken.find((taken) => taken.path === variable) as Sample;
    assert.ok(sample !== undefined, `no sample of ${variable}`);
    cases.set(variable, { path, variable, reader, found, samples, sample });
  }
});

after(async () => {
  for (const { reader } of cases.values()) await reader.close();
});

const shifted = (manifest: ChunkManifest, bytes: number): ChunkManifest =>
  new ChunkManifest({ ...partsOf(manifest), offsets: manifest.offsets.map((offset) => offset + bytes) });

function partsOf({ grid, uris, uriIndex, offsets, lengths, inlined }: ChunkManifest) {
  return { grid, uris, uriIndex, offsets, lengths, inlined };
}

function exchanged(manifest: ChunkManifest): ChunkManifest {
  const builder = new ChunkManifestBuilder(manifest.grid);
  for (let cell = 0; cell < manifest.cells; cell++) {
    const reference = manifest.at((cell + 1) % manifest.cells);
    if (reference.kind === "range") builder.setRange(cell, reference.uri, reference.offset, reference.length);
  }
  return builder.build();
}

/** Samples say one thing, and the damaged references another, or none at all. */
async function isFound({ found, sample, variable, reader }: Case, change: (array: VirtualArray) => VirtualArray): Promise<void> {
  assert.equal(await throughReferences(found, sample, reader), sample.sha256);
  const damaged = withArray(found, variable, change);
  const seen = await throughReferences(damaged, sample, reader).catch((error: unknown) => {
    assert.ok(isFreshetError(error, "malformed", "unsupported", "corrupt", "truncated"), String(error));
    return error.kind;
  });
  assert.notEqual(seen, sample.sha256);
}

describe("what would mislead a reader is found when the samples are read through it", () => {
  const damage: readonly (readonly [what: string, variable: string, change: (array: VirtualArray) => VirtualArray])[] = [
    ["offsets one element further, NetCDF-3", "/sst_anomaly", (array) => ({ ...array, manifest: shifted(array.manifest, 2) })],
    ["offsets one element further, HDF5", "/air_temperature", (array) => ({ ...array, manifest: shifted(array.manifest, 4) })],
    ["every chunk at its neighbour's place", "/air_temperature", (array) => ({ ...array, manifest: exchanged(array.manifest) })],
    ["the other byte order, NetCDF-3", "/sst_anomaly", (array) => ({ ...array, codecs: [bytesCodec("little")] })],
    [
      "the other byte order, HDF5",
      "/air_temperature",
      (array) => ({ ...array, codecs: [bytesCodec("big"), ...array.codecs.slice(1)] }),
    ],
    [
      "a codec left out: shuffle",
      "/air_temperature",
      (array) => {
        const codecs = array.codecs.filter(({ name }) => name !== "numcodecs.shuffle");
        assert.ok(codecs.length < array.codecs.length);
        return { ...array, codecs };
      },
    ],
    [
      "a codec left out: zlib",
      "/air_temperature",
      (array) => {
        const codecs = array.codecs.filter(({ name }) => name !== "numcodecs.zlib");
        assert.ok(codecs.length < array.codecs.length);
        return { ...array, codecs };
      },
    ],
    ["another type of the same size", "/sst_anomaly", (array) => ({ ...array, dataType: numeric("uint16") })],
    [
      "another chunk shape of the same size",
      "/air_temperature",
      (array) => ({ ...array, chunkShape: array.chunkShape.toReversed() }),
    ],
  ];
  for (const [what, variable, change] of damage) {
    test(what, () => isFound(cases.get(variable) as Case, change));
  }

  test("bytes that change after the scan, size and time being what they were", async () => {
    const folder = await mkdtemp(join(tmpdir(), "freshet-witness-"));
    try {
      const path = join(folder, "granule.nc");
      await copyFile(OSTIA, path);
      const facts = await stat(path);
      const reader = await openFileReader(path);
      const { found, samples } = await scanned(reader);
      await reader.close();
      const sample = samples.taken.find((taken) => taken.path === "/sst_anomaly") as Sample;
      const reference = arrayAt(found, "/sst_anomaly").manifest.at(0);
      assert.ok(reference.kind === "range");
      const file = await open(path, "r+");
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, reference.offset + reference.length - 1);
      await file.write(Buffer.of((buffer[0] as number) ^ 1), 0, 1, reference.offset + reference.length - 1);
      await file.close();
      await utimes(path, facts.atime, facts.mtime);
      const again = await openFileReader(path);
      assert.notEqual(await throughReferences(found, sample, again), sample.sha256);
      await again.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("the witness does not follow the scan", () => {
  test("from wrong offsets it takes the samples that it takes from right ones", async () => {
    for (const { reader, found, samples, variable } of cases.values()) {
      const damaged = withArray(found, variable, (array) => ({ ...array, manifest: shifted(array.manifest, 2) }));
      assert.deepEqual((await takeSamples(reader, damaged)).taken, samples.taken);
    }
  });
});

describe("what scan and witness do not see alike is thrown at once", () => {
  const thrown = async (variable: string, path: string, change: (array: VirtualArray) => VirtualArray): Promise<string> => {
    const { reader, found } = cases.get(variable) as Case;
    let message = "";
    await assert.rejects(takeSamples(reader, withArray(found, path, change)), (error) => {
      assert.ok(isFreshetError(error, "corrupt"), String(error));
      assert.equal(error.facts.path, path);
      assert.ok(error.facts.remedy !== undefined && error.facts.uri === reader.uri);
      message = error.message;
      return true;
    });
    return message;
  };

  test("a coordinate that is shifted by one element", async () => {
    const shift = (array: VirtualArray): VirtualArray => {
      const reference = array.manifest.at(0);
      assert.ok(reference.kind === "inline");
      const { bytes } = reference;
      const manifest = new ChunkManifestBuilder(array.manifest.grid);
      const width = bytes.length / (array.shape[0] as number);
      manifest.setInline(0, Buffer.concat([bytes.subarray(width), bytes.subarray(0, width)]));
      return { ...array, manifest: manifest.build() };
    };
    assert.match(
      await thrown("/sst_anomaly", "/lat", shift),
      /do not see the same: found -?[\d.]+ as element 0 of \d+, expected -?[\d.]+ /,
    );
    await thrown("/air_temperature", "/projection_x_coordinate", shift);
  });

  test("another type of the same size", async () => {
    const asUnsigned = (array: VirtualArray): VirtualArray => ({ ...array, dataType: numeric("uint16") });
    assert.match(await thrown("/sst_anomaly", "/sst_anomaly", asUnsigned), /found uint16\[.*\], expected int16\[/);
    await thrown("/air_temperature", "/air_temperature", (array) => ({ ...array, dataType: numeric("int32") }));
  });

  test("another shape", async () => {
    await thrown("/air_temperature", "/air_temperature", (array) => ({
      ...array,
      shape: array.shape.map((length) => length - 1),
    }));
  });
});
