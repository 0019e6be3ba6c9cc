import { FreshetError } from "../errors/index.ts";
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
 * floats, and for integers what the file itself fills with, or netCDF's default where that is 0, which would mask every zero
 * that was measured. `mark` is the `_FillValue` attribute that integers then need so that a gap is not taken for a number
 * (8-bit types have no value to spare and get none).
 * @throws FreshetError `unsupported` for integers with a `_FillValue` that no element can have: it would mask nothing.
 */
export function gapFill(array: VirtualArray): { readonly fill: FillValue; readonly mark: AttributeValue | undefined } {
  const { dataType, fillValue, attributes } = array;
  if (dataType.kind !== "number") return { fill: fillValue, mark: undefined };
  const declared = attributes.get("_FillValue");
  if (declared !== undefined && declared.type !== "text" && declared.type !== "texts" && declared.value[0] !== undefined) {
    return { fill: declaredFill(dataType.name, declared.value[0]), mark: undefined };
  }
  const { name } = dataType;
  if (name.startsWith("float")) return { fill: Number.NaN, mark: undefined };
  if (name === "bool" || name.startsWith("complex")) return { fill: fillValue, mark: undefined };
  const isNumber = (typeof fillValue === "number" || typeof fillValue === "bigint") && Number(fillValue) !== 0;
  const fill = isNumber ? fillValue : (NETCDF_FILL[name] ?? 0);
  if (name === "int8" || name === "uint8") return { fill, mark: undefined };
  const value = typeof fill === "bigint" ? [fill] : [fill];
  return { fill, mark: { type: name, scalar: true, value } as AttributeValue };
}

const INTEGER_BITS: Readonly<Partial<Record<NumericType, readonly [bits: number, isSigned: boolean]>>> = {
  int8: [8, true],
  uint8: [8, false],
  int16: [16, true],
  uint16: [16, false],
  int32: [32, true],
  uint32: [32, false],
  int64: [64, true],
  uint64: [64, false],
};

/** The declared fill as a value of the array's own type. */
function declaredFill(type: NumericType, value: number | bigint): FillValue {
  const refuse = (): never => {
    throw new FreshetError("unsupported", "a gap could not be told from a number: no element can be equal to the _FillValue", {
      found: `${value}`,
      expected: `a value of ${type}`,
      remedy: "Use `missing: omit`, or drop the variable",
    });
  };
  const layout = INTEGER_BITS[type];
  if (layout === undefined) {
    if (type === "bool") return Number(value) !== 0;
    // A double that no float32 is equal to masks nothing; NaN is missing for every reader.
    if (type === "float32") return Math.fround(Number(value)) === Number(value) ? Number(value) : Number.NaN;
    return type.startsWith("complex") ? [Number(value), 0] : Number(value);
  }
  if (typeof value === "number" && !Number.isInteger(value)) return refuse();
  const [bits, isSigned] = layout;
  const exact = BigInt(value);
  return (isSigned ? BigInt.asIntN(bits, exact) : BigInt.asUintN(bits, exact)) === exact ? value : refuse();
}

/** Equal as stored: NaN equals NaN, -0 is not 0. */
export function isSameFill(a: FillValue, b: FillValue): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  if (typeof a === "object" || typeof b === "object") return JSON.stringify(a) === JSON.stringify(b);
  return Object.is(a, b) || (typeof a !== typeof b && Number(a) === Number(b));
}
