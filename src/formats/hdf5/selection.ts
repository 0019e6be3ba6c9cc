import type { ByteCursor } from "../byte-cursor.ts";
import { unknownVersion } from "./hdf5-file.ts";
import { MAX_RANK } from "./limits.ts";

/**
 * Serialised selection of a dataspace (HDF5 File Format Specification, VIII.A, "dataspace selection").
 *
 *   type      4   0 none, 1 points, 2 hyperslab, 3 all
 *   version   4
 *   none, all, hyperslab version 1: reserved 8
 *   hyperslab version 2: flags 1, reserved 4
 *   hyperslab version 3: flags 1, width of numbers 1
 *   hyperslab:
 *     rank                                          4
 *     regular (flags bit 0): for each axis start, stride, count, block
 *     else: number of blocks, then for each the first and the last corner
 *
 * The numbers of version 1 have 4 bytes, of version 2 eight.
 */
export type Selection =
  | { readonly kind: "none" }
  | { readonly kind: "all" }
  /** One block: from `start`, `length` elements along each axis; Infinity on at most one, where it goes on as far as its source does. */
  | { readonly kind: "box"; readonly start: readonly number[]; readonly length: readonly number[] }
  /** Selected in a way that is not one block: what it is, in words. */
  | { readonly kind: "other"; readonly what: string };

/** Reads a selection and leaves the cursor behind it. @throws FreshetError `unsupported` for points, which have no known end here. */
export function readSelection(cursor: ByteCursor): Selection {
  const type = cursor.u32();
  const version = cursor.u32();
  switch (type) {
    case 0:
    case 3:
      cursor.skip(8);
      return { kind: type === 0 ? "none" : "all" };
    case 2:
      return readHyperslab(cursor, version);
    default:
      throw cursor.unsupported("a selection is neither all nor a hyperslab", `type ${type}`);
  }
}

function readHyperslab(cursor: ByteCursor, version: number): Selection {
  if (version < 1 || version > 3) throw unknownVersion(cursor, "hyperslab selection", version, "1 to 3");
  let flags = 0;
  let width = version === 1 ? 4 : 8;
  if (version === 1) cursor.skip(8);
  else flags = cursor.u8();
  if (version === 2) cursor.skip(4);
  if (version === 3) width = cursor.u8();
  if (![2, 4, 8].includes(width))
    throw cursor.malformed("the width of a selection's numbers is impossible", `${width}`, "2, 4 or 8");
  const rank = cursor.u32();
  if (rank > MAX_RANK) throw cursor.malformed("a selection has too many dimensions", `${rank}`, `at most ${MAX_RANK}`);
  return (flags & 1) !== 0 ? readRegular(cursor, rank, width) : readBlocks(cursor, rank, width);
}

function readRegular(cursor: ByteCursor, rank: number, width: number): Selection {
  const start: number[] = [];
  const length: number[] = [];
  let other: string | undefined;
  const orUnlimited = (): number => {
    const bytes = cursor.take(width);
    if (bytes.every((byte) => byte === 0xff)) return Number.POSITIVE_INFINITY;
    cursor.seek(cursor.position - width);
    return cursor.uint(width);
  };
  for (let axis = 0; axis < rank; axis++) {
    start.push(cursor.uint(width));
    const stride = cursor.uint(width);
    const count = orUnlimited();
    const block = orUnlimited();
    if (count === Number.POSITIVE_INFINITY || (block === Number.POSITIVE_INFINITY && count !== 1))
      other = "of blocks without an end";
    else if (count > 1 && stride !== block) other ??= "in strides";
    length.push(count * block);
  }
  if (length.filter((along) => along === Number.POSITIVE_INFINITY).length > 1) other ??= "without an end on several axes";
  return other === undefined ? { kind: "box", start, length } : { kind: "other", what: other };
}

function readBlocks(cursor: ByteCursor, rank: number, width: number): Selection {
  const blocks = cursor.uint(width);
  const corners = (): number[] => Array.from({ length: rank }, () => cursor.uint(width));
  let box: Selection = { kind: "none" };
  if (blocks * 2 * rank * width > cursor.remaining) cursor.skip(blocks * 2 * rank * width);
  for (let block = 0; block < blocks; block++) {
    const start = corners();
    const last = corners();
    box = { kind: "box", start, length: last.map((end, axis) => end - (start[axis] as number) + 1) };
  }
  return blocks > 1 ? { kind: "other", what: `of ${blocks} blocks` } : box;
}
