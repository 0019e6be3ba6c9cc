import type { NumericType } from "./data-type.ts";

/**
 * An attribute keeps its type: a float32 `1.0` is neither the integer 1 nor a float64, and a reader of the published
 * store gets back what the file said as far as JSON can say it.
 */
export type AttributeValue =
  | { readonly type: "text"; readonly value: string }
  | { readonly type: "texts"; readonly value: readonly string[] }
  /** `scalar` tells `5` from `[5]`; NetCDF3 and netCDF-4 attributes of one element count as scalar. */
  | { readonly type: NumericType; readonly scalar: boolean; readonly value: readonly number[] | readonly bigint[] };

/** In the order of the file. */
export type Attributes = ReadonlyMap<string, AttributeValue>;

export function textAttribute(value: string): AttributeValue {
  return { type: "text", value };
}

/** The text of an attribute, or undefined if it is absent or not text. */
export function textOf(attributes: Attributes, name: string): string | undefined {
  const value = attributes.get(name);
  return value?.type === "text" ? value.value : undefined;
}

/** Same type, same values, bit for bit (NaN equal to NaN, -0 not equal to 0). */
export function sameAttribute(a: AttributeValue, b: AttributeValue): boolean {
  if (a.type !== b.type) return false;
  if (a.type === "text" || b.type === "text") return a.value === b.value;
  return a.value.length === b.value.length && a.value.every((item, index) => Object.is(item, b.value[index]));
}
