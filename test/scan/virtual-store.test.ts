import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deflateSync, zstdCompressSync } from "node:zlib";
import { bytesCodec, fletcher32Codec, shuffleCodec, zlibCodec, zstdCodec } from "../../src/codecs/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { fletcher32, unshuffle } from "../../src/scan/decoding.ts";
import { openVirtualArray, readVirtualArray } from "../../src/scan/index.ts";
import { readFrom } from "../../src/scan/virtual-store.ts";
import { numeric, type VirtualArray } from "../../src/virtual/index.ts";
import { memoryReader } from "../storage/memory-reader.ts";
import { anArray, codec, inline, range } from "./virtual-arrays.ts";

const none = () => Promise.reject(new Error("nothing is to be read"));
const read = (array: VirtualArray) => readVirtualArray(array, none);
const int16 = (values: readonly number[]) => new Uint8Array(Int16Array.from(values).buffer);

/** HDF5's shuffle, written from its description: first the first bytes of all elements. */
function shuffled(bytes: Uint8Array, size: number): Uint8Array {
  return Uint8Array.from(
    bytes,
    (_, index) => bytes[(index % (bytes.length / size)) * size + Math.floor(index / (bytes.length / size))] as number,
  );
}

describe("the values of a virtual array", () => {
  test("come in C order from chunks in any place, edges cut off, missing ones filled", async () => {
    // 3 x 3 in chunks of 2 x 2: the grid is 2 x 2, and the last row and column are half outside.
    const chunks = [inline(int16([1, 2, 4, 5])), inline(int16([3, 99, 6, 99])), range("file", 10, 8)];
    const array = anArray({ shape: [3, 3], chunkShape: [2, 2], chunks, fillValue: -1 });
    const asked: unknown[] = [];
    const bytes = await readVirtualArray(array, async (uri, offset, length) => {
      asked.push([uri, offset, length]);
      return int16([7, 8, 99, 99]);
    });
    assert.deepEqual(bytes, int16([1, 2, 3, 4, 5, 6, 7, 8, -1]));
    assert.deepEqual(asked, [["file", 10, 8]]);
  });

  test("are little-endian, whatever they are stored as", async () => {
    const stored = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const big = { codecs: [bytesCodec("big")], chunks: [inline(stored)] };
    assert.deepEqual(
      await read(anArray({ ...big, shape: [2], dataType: numeric("float32") })),
      Uint8Array.of(4, 3, 2, 1, 8, 7, 6, 5),
    );
    assert.deepEqual(await read(anArray({ ...big, dataType: numeric("int64") })), stored.toReversed());
    assert.deepEqual(await read(anArray({ ...big, dataType: numeric("complex64") })), Uint8Array.of(4, 3, 2, 1, 8, 7, 6, 5));
    assert.deepEqual(await read(anArray({ ...big, shape: [8], dataType: numeric("bool") })), stored);
    assert.deepEqual(await read(anArray({ ...big, shape: [2], dataType: { kind: "fixed-string", length: 4 } })), stored);
  });

  test("are decoded through shuffle by its own element size, deflate, zstd and fletcher32", async () => {
    const values = int16([1, -2, 300, 4]);
    const checked = (bytes: Uint8Array, flip = 0) => {
      const sum = Buffer.alloc(4);
      sum.writeUInt32LE(fletcher32(bytes));
      return new Uint8Array(Buffer.concat([bytes, Buffer.from(sum.map((byte) => byte ^ flip))]));
    };
    const stored = shuffled(values, 2);
    const decoded = (bytes: Uint8Array, ...codecs: VirtualArray["codecs"]) =>
      read(anArray({ shape: [4], codecs: [bytesCodec("little"), ...codecs], chunks: [inline(bytes)] }));
    assert.deepEqual(await decoded(deflateSync(stored), shuffleCodec(2), zlibCodec(1)), values);
    assert.deepEqual(await decoded(zstdCompressSync(stored), shuffleCodec(2), zstdCodec(1)), values);
    assert.deepEqual(await decoded(checked(deflateSync(stored)), shuffleCodec(2), zlibCodec(1), fletcher32Codec()), values);
    const bytes = {
      dataType: { kind: "fixed-string", length: 4 },
      shape: [2],
      codecs: [bytesCodec("little"), shuffleCodec(4)],
    } as const;
    assert.deepEqual(await read(anArray({ ...bytes, chunks: [inline(shuffled(values, 4))] })), values);
    await assert.rejects(decoded(checked(values, 1), fletcher32Codec()), /fletcher32: the checksum does not match/);
  });

  test("may be none", async () => {
    assert.deepEqual(await read(anArray({ shape: [0, 3], chunkShape: [1, 3] })), new Uint8Array(0));
    assert.deepEqual(await read(anArray({ shape: [2] })), new Uint8Array(4));
  });

  test("keep 64-bit fill values", async () => {
    const array = anArray({ dataType: numeric("uint64"), fillValue: 2n ** 64n - 1n });
    assert.deepEqual(await read(array), new Uint8Array(8).fill(255));
    assert.equal(openVirtualArray(array, none).fillValue, 2n ** 64n - 1n);
  });
});

describe("what cannot be decoded says so", () => {
  const refused = (array: VirtualArray, kind: "malformed" | "unsupported", message: RegExp) =>
    assert.rejects(read(array), (error) => {
      assert.ok(isFreshetError(error, kind), String(error));
      assert.match(error.message, message);
      return true;
    });
  const four = { shape: [4] };

  test("a chunk that is too short is not filled up with zeros", async () => {
    await refused(
      anArray({ ...four, chunks: [inline(int16([1, 2, 3]))] }),
      "malformed",
      /^the values cannot be decoded: found a chunk has 6 bytes instead of 8 \(v\)$/,
    );
    await refused(
      anArray({ ...four, codecs: [bytesCodec("little"), zlibCodec(1)], chunks: [inline(deflateSync(int16([1])))] }),
      "malformed",
      /a chunk has 2 bytes instead of 8/,
    );
  });

  test("a few bytes that would grow without end are stopped", async () => {
    const bomb = deflateSync(Buffer.alloc(50_000_000));
    assert.ok(bomb.length < 50_000);
    await refused(
      anArray({ ...four, codecs: [bytesCodec("little"), zlibCodec(1)], chunks: [inline(bomb)] }),
      "malformed",
      /Cannot create a Buffer larger than 1032 bytes/,
    );
  });

  test("damaged bytes, unknown codecs, text of any length, compound fills", async () => {
    await refused(
      anArray({ ...four, codecs: [bytesCodec("little"), zlibCodec(1)], chunks: [inline(int16([1, 2]))] }),
      "malformed",
      /incorrect header check/,
    );
    await refused(
      anArray({ ...four, codecs: [bytesCodec("little"), codec("numcodecs.bz2")], chunks: [inline(int16([1]))] }),
      "unsupported",
      /numcodecs\.bz2/,
    );
    await refused(anArray({ dataType: { kind: "string" } }), "unsupported", /text of any length/);
    await refused(
      anArray({ dataType: { kind: "fixed-string", length: 2 }, fillValue: Uint8Array.of(65, 66) }),
      "unsupported",
      /a fill of 2 bytes/,
    );
  });
});

test("fletcher-32 is that of HDF5", () => {
  assert.equal(fletcher32(Uint8Array.of(0, 1, 0, 2)), (4 << 16) | 3);
  assert.equal(fletcher32(Uint8Array.of(0xff, 0xff)), 0xffffffff);
  assert.equal(fletcher32(Uint8Array.of(1)), 0x01000100);
});

test("unshuffle undoes shuffle, what is left over stays at the end", () => {
  const bytes = Uint8Array.from({ length: 24 }, (_, index) => index * 3);
  for (const size of [1, 2, 3, 4, 8]) assert.deepEqual(unshuffle(shuffled(bytes, size), size), bytes);
  assert.deepEqual(unshuffle(Uint8Array.of(1, 3, 2, 4, 9), 2), Uint8Array.of(1, 2, 3, 4, 9));
});

test("chunks in another file than the one that is open are not read from it", async () => {
  const read = readFrom(memoryReader(int16([7, 8]), "file:///a"));
  const array = (uri: string) => anArray({ chunks: [range(uri, 2, 2)] });
  assert.deepEqual(await readVirtualArray(array("file:///a"), read), int16([8]));
  await assert.rejects(
    readVirtualArray(array("file:///b"), read),
    /^FreshetError: the values lie in another file: found file:\/\/\/b, expected file:\/\/\/a/,
  );
});
