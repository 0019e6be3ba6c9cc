import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { deflateSync } from "node:zlib";
import { isFreshetError } from "../../src/errors/index.ts";
import { type ChunkStore, hashOfChunk } from "../../src/witness/index.ts";

const hash = (type: string, values: ArrayBufferView): string =>
  createHash("sha256")
    .update(`${type}\n`)
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest("hex");

interface ArrayFacts {
  readonly shape: readonly number[];
  readonly chunks: readonly number[];
  readonly type: string;
  readonly codecs: readonly object[];
  readonly fill?: unknown;
}

/** A Zarr v3 store with one array, `/group/v`. */
function storeOf(
  { shape, chunks, type, codecs, fill = 0 }: ArrayFacts,
  stored: Readonly<Record<string, Uint8Array>>,
): ChunkStore {
  const metadata = {
    zarr_format: 3,
    node_type: "array",
    shape,
    data_type: type,
    chunk_grid: { name: "regular", configuration: { chunk_shape: chunks } },
    chunk_key_encoding: { name: "default" },
    codecs,
    fill_value: fill,
    attributes: {},
  };
  const entries = new Map(Object.entries({ "/group/v/zarr.json": Buffer.from(JSON.stringify(metadata)), ...stored }));
  return { get: async (key) => entries.get(key) ?? null };
}

const bytes = (endian: string): object => ({ name: "bytes", configuration: { endian } });

describe("a chunk through a store", () => {
  test("is hashed in C order, little-endian, whatever the store's order and codecs", async () => {
    const values = Int16Array.of(1, -2, 3, 4, 5, 6);
    const big = Buffer.from(values.buffer.slice(0)).swap16();
    const chunk = deflateSync(big);
    const codecs = [bytes("big"), { name: "numcodecs.zlib", configuration: { level: 1 } }];
    const store = storeOf({ shape: [2, 3], chunks: [2, 3], type: "int16", codecs }, { "/group/v/c/0/0": chunk });
    const hashed = await hashOfChunk(store, "/group/v", [0, 0], [2, 3]);
    assert.equal(hashed.sha256, hash("int16", values));
    assert.ok(hashed.bytesRead > chunk.length);
  });

  test("is cut to the extent, in every dimension", async () => {
    const chunk = Uint8Array.from({ length: 2 * 3 * 4 }, (_, at) => at);
    const facts = { shape: [2, 3, 4], chunks: [2, 3, 4], type: "uint8", codecs: [bytes("little")] };
    const store = storeOf(facts, { "/group/v/c/0/0/0": chunk });
    const at = (z: number, y: number, x: number): number => (z * 3 + y) * 4 + x;
    for (const extent of [
      [2, 3, 4],
      [1, 3, 4],
      [2, 2, 4],
      [2, 3, 1],
      [1, 2, 3],
      [2, 1, 2],
    ] as const) {
      const expected: number[] = [];
      for (let z = 0; z < extent[0]; z++)
        for (let y = 0; y < extent[1]; y++) for (let x = 0; x < extent[2]; x++) expected.push(at(z, y, x));
      assert.equal(
        (await hashOfChunk(store, "/group/v", [0, 0, 0], extent)).sha256,
        hash("uint8", Uint8Array.from(expected)),
        `${extent}`,
      );
    }
  });

  test("a scalar, a bool, an unwritten chunk", async () => {
    const scalar = storeOf(
      { shape: [], chunks: [], type: "float64", codecs: [bytes("little")] },
      { "/group/v/c": new Uint8Array(Float64Array.of(-0).buffer) },
    );
    assert.equal((await hashOfChunk(scalar, "/group/v", [], [])).sha256, hash("float64", Float64Array.of(-0)));
    assert.notEqual(hash("float64", Float64Array.of(-0)), hash("float64", Float64Array.of(0)));
    const flags = storeOf(
      { shape: [3], chunks: [3], type: "bool", codecs: [{ name: "bytes" }], fill: false },
      { "/group/v/c/0": Uint8Array.of(1, 0, 1) },
    );
    assert.equal((await hashOfChunk(flags, "/group/v", [0], [3])).sha256, hash("bool", Uint8Array.of(1, 0, 1)));
    const gap = storeOf({ shape: [4], chunks: [2], type: "int32", codecs: [bytes("little")], fill: -9 }, {});
    assert.equal((await hashOfChunk(gap, "/group/v", [1], [2])).sha256, hash("int32", Int32Array.of(-9, -9)));
  });

  test("types of the same bytes are not the same", async () => {
    const read = async (type: string): Promise<string> => {
      const store = storeOf(
        { shape: [1], chunks: [1], type, codecs: [bytes("little")] },
        { "/group/v/c/0": Uint8Array.of(1, 2, 3, 4) },
      );
      return (await hashOfChunk(store, "/group/v", [0], [1])).sha256;
    };
    assert.equal(new Set([await read("int32"), await read("uint32"), await read("float32")]).size, 3);
  });
});

describe("what cannot be hashed is an error", () => {
  const facts = { shape: [4], chunks: [2], type: "int16", codecs: [bytes("little")] };
  const kinds = async (store: ChunkStore, path: string, extent: readonly number[]): Promise<string> => {
    const error = await hashOfChunk(store, path, [0], extent).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(isFreshetError(error), String(error));
    return error.kind;
  };

  test("no such array, an extent beyond the chunk, another rank", async () => {
    assert.equal(await kinds(storeOf(facts, {}), "/group/w", [2]), "corrupt");
    assert.equal(await kinds(storeOf(facts, {}), "/group/v", [3]), "corrupt");
    assert.equal(await kinds(storeOf(facts, {}), "/group/v", [1, 2]), "corrupt");
  });

  test("bytes that do not decode, a codec that is not there", async () => {
    assert.equal(await kinds(storeOf(facts, { "/group/v/c/0": Uint8Array.of(1) }), "/group/v", [2]), "malformed");
    const strange = { ...facts, codecs: [bytes("little"), { name: "strange", configuration: {} }] };
    assert.equal(await kinds(storeOf(strange, { "/group/v/c/0": Uint8Array.of(1) }), "/group/v", [2]), "unsupported");
  });

  test("what the store throws is thrown as it is", async () => {
    const good = storeOf(facts, {});
    const store: ChunkStore = {
      get: (key) => (key.endsWith("zarr.json") ? good.get(key) : Promise.reject(new RangeError("the source has changed"))),
    };
    await assert.rejects(hashOfChunk(store, "/group/v", [0], [2]), /^RangeError: the source has changed$/);
  });
});
