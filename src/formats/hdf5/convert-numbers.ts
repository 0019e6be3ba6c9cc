import type { Conversion } from "./element-type.ts";
import type { Hdf5File } from "./hdf5-file.ts";

const TYPED = {
  bool: Uint8Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float16: Float16Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

/** Stored numbers one behind the other as those of the conversion's type, little-endian. */
export function convertNumbers(file: Hdf5File, stored: Uint8Array, { size, reader }: Conversion): Uint8Array {
  const cursor = file.cursor(stored, 0, reader.endian);
  const count = Math.floor(stored.length / size);
  if (reader.type === "complex64" || reader.type === "complex128") throw new TypeError("no conversion makes complex numbers");
  const numbers = new TYPED[reader.type](count);
  for (let index = 0; index < count; index++) numbers[index] = reader.read(cursor);
  return new Uint8Array(numbers.buffer);
}
