import { bytesCodec } from "../../../src/codecs/index.ts";
import { arrayMetadata, groupMetadata, type StoreChange } from "../../../src/writers/icechunk/index.ts";

/** The rows `from` (inclusive) to `to` (exclusive) of a `uint8` array, a chunk each, whose values are their places plus `add`. */
export function rowsChange(from: number, to: number, path = "/v", add = 0): StoreChange {
  const metadata = arrayMetadata({
    shape: [to],
    chunkShape: [1],
    dimensionNames: ["time"],
    dataType: { kind: "number", name: "uint8" },
    codecs: [bytesCodec("little")],
    fillValue: 255,
    attributes: new Map(),
  });
  const native = Array.from({ length: to - from }, (_, index) => ({
    index: [from + index],
    bytes: Uint8Array.of((from + index + add) % 255),
  }));
  return {
    groups: [{ path: "/", metadata: groupMetadata(new Map()) }],
    arrays: [{ path, metadata, virtual: [], native, erase: [], patch: undefined }],
  };
}

export async function* oneByOne<T>(items: Iterable<T>): AsyncGenerator<T> {
  for (const item of items) yield item;
}
