import type { ByteCursor } from "../../byte-cursor.ts";
import { type Hdf5File, unknownVersion } from "../hdf5-file.ts";
import { MAX_RANK } from "../limits.ts";

/**
 * Dataspace message, type 0x01 (HDF5 File Format Specification, IV.A.2.b).
 *
 * Version 1                       Version 2
 *   version           1             version           1
 *   rank              1             rank              1
 *   flags             1             flags             1
 *   reserved          5             type              1   0 scalar, 1 simple, 2 null
 *   sizes             rank × L      sizes             rank × L
 *   maximum sizes     rank × L      maximum sizes     rank × L    if flags bit 0; all ones: unlimited
 */
export type Dataspace =
  /** No elements, not even one. */
  | { readonly kind: "null" }
  | {
      readonly kind: "simple";
      /** Empty for a scalar. */
      readonly shape: readonly number[];
      /** Same rank; undefined where unlimited. */
      readonly maxShape: readonly (number | undefined)[];
      /** Product of `shape`; 1 for a scalar. */
      readonly elements: number;
    };

/** Reads the message's body from where the cursor stands. */
export function readDataspace(file: Hdf5File, cursor: ByteCursor): Dataspace {
  const version = cursor.u8();
  const rank = cursor.u8();
  const flags = cursor.u8();
  switch (version) {
    case 1:
      cursor.skip(5);
      break;
    case 2: {
      const type = cursor.u8();
      if (type === 2) return { kind: "null" };
      if (type > 2) throw cursor.malformed("the type of a dataspace is unknown", `${type}`, "0, 1 or 2");
      break;
    }
    default:
      throw unknownVersion(cursor, "dataspace", version, "1 or 2");
  }
  if (rank > MAX_RANK) throw cursor.malformed("a dataspace has too many dimensions", `${rank}`, `at most ${MAX_RANK}`);
  const shape: number[] = [];
  for (let axis = 0; axis < rank; axis++) shape.push(file.length(cursor));
  const maxShape: (number | undefined)[] = [];
  for (let axis = 0; axis < rank; axis++) {
    maxShape.push((flags & 1) === 0 ? shape[axis] : file.lengthOrUnlimited(cursor));
  }
  const elements = shape.reduce((product, length) => product * length, 1);
  if (!Number.isSafeInteger(elements)) throw cursor.malformed("a dataspace has too many elements", shape.join(" × "));
  return { kind: "simple", shape, maxShape, elements };
}
