import type { ByteCursor } from "../../byte-cursor.ts";
import { type Hdf5File, unknownVersion } from "../hdf5-file.ts";
import { MAX_RANK } from "../limits.ts";

/**
 * Data layout message, type 0x08 (HDF5 File Format Specification, IV.A.2.i).
 *
 * Versions 1 and 2                 Version 3                          Versions 4 and 5
 *   version            1             version             1              version           1
 *   rank               1             class               1              class             1
 *   class              1             compact:                           compact, contiguous: as in version 3
 *   reserved           5               size 2, bytes                    chunked:
 *   address            O   1, 2      contiguous:                          flags           1
 *   sizes         rank × 4             address O, size L                  rank + 1        1
 *   compact: size 4, bytes           chunked:                             width of sizes  1
 *                                      rank + 1          1                sizes, element size
 * Classes: 0 compact,                  address           O                index type      1
 * 1 contiguous, 2 chunked,             sizes, element size, 4 each        index parameters
 * 3 virtual                                                               address         O
 *                                                                       virtual: global heap collection O, index 4
 *
 * In versions 1 and 2 the rank of a chunked layout counts the element size too.
 */
export type Layout =
  | { readonly kind: "compact"; readonly bytes: Uint8Array }
  /** `size` is undefined in old versions: the dataspace says it. The address is undefined when nothing was written. */
  | { readonly kind: "contiguous"; readonly address: number | undefined; readonly size: number | undefined }
  | ChunkedLayout
  /** `heapAddress` and `heapIndex` name the list of sources in the global heap; undefined where there is none. */
  | { readonly kind: "virtual"; readonly heapAddress: number | undefined; readonly heapIndex: number };

export interface ChunkedLayout {
  readonly kind: "chunked";
  /** Elements, at least 1 each. */
  readonly chunkShape: readonly number[];
  readonly elementSize: number;
  readonly index: ChunkIndex;
  /** Chunks that reach over the edge of the array are stored without filters. */
  readonly edgesUnfiltered: boolean;
}

/** Where the chunks are listed; `address` is undefined while there is no chunk. VII of the specification. */
export type ChunkIndex =
  | { readonly type: "btree1"; readonly address: number | undefined }
  | {
      readonly type: "single";
      readonly address: number | undefined;
      /** Undefined when there are no filters: the chunk has its plain size. */
      readonly stored: { readonly length: number; readonly filterMask: number } | undefined;
    }
  | { readonly type: "implicit"; readonly address: number | undefined }
  | { readonly type: "fixed-array"; readonly address: number | undefined }
  | { readonly type: "extensible-array"; readonly address: number | undefined }
  | { readonly type: "btree2"; readonly address: number | undefined };

/** Reads the message's body. */
export function readLayout(file: Hdf5File, cursor: ByteCursor): Layout {
  const version = cursor.u8();
  switch (version) {
    case 1:
    case 2:
      return readOld(file, cursor);
    case 3:
    case 4:
    case 5:
      return readNew(file, cursor, version);
    default:
      throw unknownVersion(cursor, "data layout", version, "1 to 5");
  }
}

function readOld(file: Hdf5File, cursor: ByteCursor): Layout {
  const rank = checkRank(cursor, cursor.u8());
  const layoutClass = cursor.u8();
  cursor.skip(5);
  const address = layoutClass === 0 ? undefined : file.address(cursor);
  const sizes: number[] = [];
  for (let axis = 0; axis < rank; axis++) sizes.push(cursor.u32());
  switch (layoutClass) {
    case 0:
      return { kind: "compact", bytes: cursor.take(cursor.u32()) };
    case 1:
      return { kind: "contiguous", address, size: undefined };
    case 2:
      return chunked(cursor, sizes, { type: "btree1", address }, false);
    default:
      throw unknownClass(cursor, layoutClass);
  }
}

function readNew(file: Hdf5File, cursor: ByteCursor, version: number): Layout {
  const layoutClass = cursor.u8();
  switch (layoutClass) {
    case 0:
      return { kind: "compact", bytes: cursor.take(cursor.u16()) };
    case 1:
      return { kind: "contiguous", address: file.address(cursor), size: file.length(cursor) };
    case 2:
      return version === 3 ? readChunked3(file, cursor) : readChunked4(file, cursor);
    case 3:
      return { kind: "virtual", heapAddress: file.address(cursor), heapIndex: cursor.u32() };
    default:
      throw unknownClass(cursor, layoutClass);
  }
}

function readChunked3(file: Hdf5File, cursor: ByteCursor): ChunkedLayout {
  const rank = checkRank(cursor, cursor.u8());
  const address = file.address(cursor);
  const sizes: number[] = [];
  for (let axis = 0; axis < rank; axis++) sizes.push(cursor.u32());
  return chunked(cursor, sizes, { type: "btree1", address }, false);
}

function readChunked4(file: Hdf5File, cursor: ByteCursor): ChunkedLayout {
  const flags = cursor.u8();
  const rank = checkRank(cursor, cursor.u8());
  const width = cursor.u8();
  if (width < 1 || width > 8) throw cursor.malformed("the width of chunk sizes is impossible", `${width}`, "1 to 8");
  const sizes: number[] = [];
  for (let axis = 0; axis < rank; axis++) sizes.push(cursor.uint(width));
  return chunked(cursor, sizes, readIndex(file, cursor, (flags & 0x02) !== 0), (flags & 0x01) !== 0);
}

function readIndex(file: Hdf5File, cursor: ByteCursor, singleIsFiltered: boolean): ChunkIndex {
  const type = cursor.u8();
  switch (type) {
    case 1: {
      const stored = singleIsFiltered ? { length: file.length(cursor), filterMask: cursor.u32() } : undefined;
      return { type: "single", stored, address: file.address(cursor) };
    }
    case 2:
      return { type: "implicit", address: file.address(cursor) };
    case 3:
      // The parameters of the arrays and the tree stand in their own headers too, which are what the readers go by.
      cursor.skip(1);
      return { type: "fixed-array", address: file.address(cursor) };
    case 4:
      cursor.skip(5);
      return { type: "extensible-array", address: file.address(cursor) };
    case 5:
      cursor.skip(6);
      return { type: "btree2", address: file.address(cursor) };
    default:
      throw cursor.unsupported("the type of a chunk index is unknown", `${type}`, "1 to 5");
  }
}

function chunked(cursor: ByteCursor, sizes: readonly number[], index: ChunkIndex, edgesUnfiltered: boolean): ChunkedLayout {
  const elementSize = sizes.at(-1);
  if (elementSize === undefined || sizes.includes(0)) {
    throw cursor.malformed("a chunk has no elements", sizes.join(" × "), "sizes of at least 1");
  }
  return { kind: "chunked", chunkShape: sizes.slice(0, -1), elementSize, index, edgesUnfiltered };
}

function checkRank(cursor: ByteCursor, rank: number): number {
  if (rank > MAX_RANK + 1) throw cursor.malformed("a layout has too many dimensions", `${rank}`, `at most ${MAX_RANK + 1}`);
  return rank;
}

function unknownClass(cursor: ByteCursor, found: number): Error {
  return cursor.unsupported("the class of a data layout is unknown", `${found}`, "0 to 3");
}
