import { createHash } from "node:crypto";
import type { NumericType } from "../virtual/index.ts";

/** Types whose elements are compared, by their bytes each. */
const COMPARED_BYTES: Readonly<Partial<Record<NumericType, number>>> = {
  bool: 1,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  float16: 2,
  int32: 4,
  uint32: 4,
  float32: 4,
  int64: 8,
  uint64: 8,
  float64: 8,
};

/** Bytes of an element of a type that is compared, undefined for any other: decoders hand over complex numbers each in their own way. */
export function comparedBytes(type: string): number | undefined {
  return COMPARED_BYTES[type as NumericType];
}

/** The hash that `Sample.sha256` describes. `elements` are in C order, little-endian. */
export function hashOfElements(type: string, elements: Uint8Array): string {
  return createHash("sha256").update(`${type}\n`).update(elements).digest("hex");
}

/** Elements of a chunk by dimension, cut at the array's bounds. @throws never; an index beyond the grid gives lengths below 1. */
export function extentOf(shape: readonly number[], chunkShape: readonly number[], index: readonly number[]): number[] {
  return shape.map((length, axis) => {
    const chunk = chunkShape[axis] as number;
    return Math.min(chunk, length - (index[axis] as number) * chunk);
  });
}

/** The corner of a chunk: the first `extent` elements along each dimension, in C order. `extent` is within `chunkShape`. */
export function cornerOf(
  chunk: Uint8Array,
  elementBytes: number,
  chunkShape: readonly number[],
  extent: readonly number[],
): Uint8Array {
  // Dimensions that are whole at the end are one run of bytes.
  let inner = extent.length;
  while (inner > 0 && extent[inner - 1] === chunkShape[inner - 1]) inner--;
  const tail = chunkShape.slice(inner).reduce((product, length) => product * length, elementBytes);
  if (inner === 0) return chunk.subarray(0, tail);
  const run = (extent[inner - 1] as number) * tail;
  const strides = new Array<number>(inner).fill(tail);
  for (let axis = inner - 2; axis >= 0; axis--) strides[axis] = (strides[axis + 1] as number) * (chunkShape[axis + 1] as number);
  const runs = extent.slice(0, inner - 1).reduce((product, length) => product * length, 1);
  const corner = new Uint8Array(runs * run);
  for (let number = 0; number < runs; number++) {
    let left = number;
    let from = 0;
    for (let axis = inner - 2; axis >= 0; axis--) {
      const length = extent[axis] as number;
      from += (left % length) * (strides[axis] as number);
      left = Math.floor(left / length);
    }
    corner.set(chunk.subarray(from, from + run), number * run);
  }
  return corner;
}
