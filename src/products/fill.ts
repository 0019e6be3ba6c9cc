import type { AttributeValue, FillValue, NumericType, VirtualArray } from "../virtual/index.ts";

/** netCDF's default fill values ("NetCDF Users Guide", appendix "Attribute Conventions", `_FillValue`). */
const NETCDF_FILL: Readonly<Partial<Record<NumericType, number | bigint>>> = {
  int8: -127,
  uint8: 255,
  int16: -32_767,
  uint16: 65_535,
  int32: -2_147_483_647,
  uint32: 4_294_967_295,
  int64: -9_223_372_036_854_775_806n,
  uint64: 18_446_744_073_709_551_614n,
};

/**
 * What an array reads as where there is no granule: the file's `_FillValue`, which every CF reader masks; without one NaN for
 * floats, and for integers what the file itself fills with, or netCDF's default. `mark` is the `_FillValue` attribute that
 * integers then need so that a gap is not taken for a number (8-bit types have no value to spare and get none).
 */
export function gapFill(array: VirtualArray): { readonly fill: FillValue; readonly mark: AttributeValue | undefined } {
  const { dataType, fillValue, attributes } = array;
  if (dataType.kind !== "number") return { fill: fillValue, mark: undefined };
  const declared = attributes.get("_FillValue");
  if (declared !== undefined && declared.type !== "text" && declared.type !== "texts" && declared.value[0] !== undefined) {
    return { fill: declared.value[0], mark: undefined };
  }
  const { name } = dataType;
  if (name.startsWith("float")) return { fill: Number.NaN, mark: undefined };
  if (name === "bool" || name.startsWith("complex")) return { fill: fillValue, mark: undefined };
  const fill = typeof fillValue === "number" || typeof fillValue === "bigint" ? fillValue : (NETCDF_FILL[name] ?? 0);
  if (name === "int8" || name === "uint8") return { fill, mark: undefined };
  const value = typeof fill === "bigint" ? [fill] : [fill];
  return { fill, mark: { type: name, scalar: true, value } as AttributeValue };
}

/** Equal as stored: NaN equals NaN, -0 is not 0. */
export function isSameFill(a: FillValue, b: FillValue): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  if (typeof a === "object" || typeof b === "object") return JSON.stringify(a) === JSON.stringify(b);
  return Object.is(a, b) || (typeof a !== typeof b && Number(a) === Number(b));
}
