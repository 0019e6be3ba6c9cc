import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isFreshetError } from "../../src/errors/index.ts";
import { alongChange, packedChange } from "../../src/products/array-change.ts";
import { type GranuleShape, shapeGranule } from "../../src/products/granule-shape.ts";
import type { LayoutRow } from "../../src/products/layout.ts";
import type { PlacedGranule } from "../../src/products/placed-granule.ts";
import {
  ChunkManifestBuilder,
  type FillValue,
  type NumericType,
  numeric,
  type VirtualArray,
  type VirtualGroup,
} from "../../src/virtual/index.ts";
import { scanGranule } from "./made-granule.ts";

const AXIS = { name: "time", dimension: "time" };
const ROW: LayoutRow = { key: "k", identity: "i", validMs: 0, scan: { uri: "u", sha256: "s" } };
const SOURCE = { size: 1, lastModifiedMs: 0 };

function placed(root: VirtualGroup, slot: number): PlacedGranule {
  return { slot, root, source: SOURCE, shape: shapeGranule(root, AXIS, undefined) };
}

/** Granules by slot, null for a gap, on an axis of two steps that was `from` slots long. */
function contextOf(
  path: string,
  template: PlacedGranule,
  slots: readonly (PlacedGranule | null)[],
  options: { from?: number; isSparse?: boolean } = {},
) {
  const shaped = template.shape.arrays.find((array) => array.path === path);
  assert.ok(shaped);
  const steps = template.shape.validMs.length;
  return {
    shaped,
    attributes: shaped.array.attributes,
    template,
    changes: slots.map((granule, slot) => ({ slot, row: granule === null ? null : ROW })),
    granules: new Map(slots.flatMap((granule, slot) => (granule === null ? [] : [[slot, granule] as const]))),
    from: options.from ?? 0,
    timeAt: (slot: number, step: number) => (slot * steps + step) * 1000,
    leading: { names: [template.shape.dimension], lengths: [slots.length * steps], indexOf: (slot: number) => [slot] },
    steps,
    hasGaps: slots.includes(null),
    isSparse: options.isSparse ?? false,
  };
}

async function rootWith(change: (sst: VirtualArray) => VirtualArray, seconds = [1, 2]): Promise<VirtualGroup> {
  const { root } = await scanGranule({ seconds });
  return { ...root, arrays: new Map([...root.arrays].map(([name, array]) => [name, name === "sst" ? change(array) : array])) };
}

/** A chunk of 4 steps where the granule has 2; unwritten where `bytes` is undefined. */
function chunked(sst: VirtualArray, cells: readonly (number | undefined)[]): VirtualArray {
  const manifest = new ChunkManifestBuilder([1, 1, cells.length]);
  for (const [cell, offset] of cells.entries())
    if (offset !== undefined) manifest.setRange(cell, "file:///x", offset, 48 / cells.length);
  return { ...sst, chunkShape: [4, 2, 3 / cells.length], manifest: manifest.build() };
}

describe("what is written of an array along the axis", () => {
  test("chunks longer than the granule are cut to its steps, each at its slot", async () => {
    const granule = placed(await rootWith((sst) => chunked(sst, [1000])), 0);
    const change = alongChange(contextOf("/sst", granule, [granule, { ...granule, slot: 1 }]));
    assert.deepEqual(
      change.virtual.map(({ index, offset, length }) => [index, offset, length]),
      [
        [[0, 0, 0], 1000, 24],
        [[1, 0, 0], 1000, 24],
      ],
    );
    const { shape, chunk_grid } = JSON.parse(change.metadata);
    assert.deepEqual(
      [shape, chunk_grid.configuration.chunk_shape],
      [
        [4, 2, 3],
        [2, 2, 3],
      ],
    );
  });

  test("a chunk that the new granule left unwritten is erased, where another one had written it", async () => {
    const granule = placed(await rootWith((sst) => chunked(sst, [undefined, 5, 6])), 0);
    const erased = (from: number) => alongChange(contextOf("/sst", granule, [granule], { from })).erase;
    assert.deepEqual(erased(1), [[0, 0, 0]]);
    assert.deepEqual(erased(0), []);
  });

  test("a gap erases every chunk of its slot, if the slot was there before", async () => {
    const granule = placed(await rootWith((sst) => chunked(sst, [1, 2, 3])), 0);
    assert.deepEqual(alongChange(contextOf("/sst", granule, [granule, null], { from: 2 })).erase, [
      [1, 0, 0],
      [1, 0, 1],
      [1, 0, 2],
    ]);
    assert.deepEqual(alongChange(contextOf("/sst", granule, [granule, null], { from: 1 })).erase, []);
  });

  test("a gap that could not be told from a chunk that was left unwritten is refused", async () => {
    const granule = placed(await rootWith((sst) => ({ ...chunked(sst, [1, undefined, 3]), fillValue: 0 })), 0);
    assert.throws(
      () => alongChange(contextOf("/sst", granule, [granule, null], { isSparse: true })),
      (error) =>
        isFreshetError(error, "unsupported") && /gaps as -32768, unwritten chunks as 0.*missing: omit/.test(error.message),
    );
    assert.ok(alongChange(contextOf("/sst", granule, [granule], { isSparse: true })));
  });
});

describe("what is written of a coordinate along the axis", () => {
  /** `lead(time, x)` with these values, loaded as a scan loads it. */
  function withLead(root: VirtualGroup, type: NumericType, bytes: Uint8Array, width: number, fillValue: FillValue): VirtualGroup {
    const manifest = new ChunkManifestBuilder([1, 1]);
    manifest.setInline(0, bytes);
    const lead: VirtualArray = {
      name: "lead",
      shape: [2, width],
      chunkShape: [2, width],
      dimensionNames: ["time", "x"],
      dataType: numeric(type),
      codecs: [{ name: "bytes", configuration: { endian: "little" } }],
      fillValue,
      attributes: new Map(),
      manifest: manifest.build(),
    };
    return { ...root, arrays: new Map([...root.arrays, ["lead", lead]]) };
  }

  test("chunks have 1024 steps, or as many as fit into a mebibyte: an append rewrites the last one", async () => {
    const root = await rootWith((sst) => sst);
    for (const [width, rows] of [
      [1, 1024],
      [128, 1024],
      [1000, 131],
      [200_000, 1],
    ] as const) {
      const granule = placed(withLead(root, "float64", new Uint8Array(2 * width * 8), width, 0), 0);
      const { metadata, patch } = packedChange(contextOf("/lead", granule, [granule]));
      assert.equal(patch?.rowsPerChunk, rows);
      assert.deepEqual(JSON.parse(metadata).chunk_grid.configuration.chunk_shape, [rows, width]);
    }
  });

  for (const [type, fill, bytes] of [
    ["float16", Number.NaN, [0, 0x7e]],
    ["float32", Number.NaN, [0, 0, 0xc0, 0x7f]],
    ["int32", -2147483647, [1, 0, 0, 0x80]],
    ["int64", -9223372036854775806n, [2, 0, 0, 0, 0, 0, 0, 0x80]],
    ["uint64", 18446744073709551614n, [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ["complex64", [1, -2] as const, [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]],
  ] as const) {
    test(`${type}: a gap holds the bytes of ${String(fill)}`, async () => {
      const root = await rootWith((sst) => sst);
      const granule = placed(withLead(root, type, new Uint8Array(2 * bytes.length), 1, fill), 0);
      const { patch } = packedChange(contextOf("/lead", granule, [granule, null]));
      assert.deepEqual([...(patch?.rows.get(2) ?? [])], bytes);
      assert.deepEqual(
        [...(patch?.rows.get(0) ?? [])],
        bytes.map(() => 0),
      );
    });
  }

  test("the axis has a time in gaps too", async () => {
    const granule = placed(await rootWith((sst) => sst), 0);
    const shape: GranuleShape = granule.shape;
    assert.equal(shape.axisType, "int32");
    const { patch } = packedChange(contextOf("/time", granule, [granule, null]));
    assert.deepEqual(
      [0, 1, 2, 3].map((row) => Buffer.from(patch?.rows.get(row) ?? []).readInt32LE(0)),
      [1, 2, 2, 3],
    );
  });
});
