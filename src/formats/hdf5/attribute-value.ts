import type { AttributeValue } from "../../virtual/index.ts";
import { type ElementReader, elementReader } from "./element-reader.ts";
import type { StoredAttribute } from "./messages/attribute.ts";
import type { Datatype } from "./messages/datatype.ts";
import type { OpenHdf5 } from "./open-hdf5.ts";
import { decodeText, type StringPadding, withoutPadding } from "./text.ts";

/**
 * An attribute's value with its type, or undefined where JSON has no form for it: references, compounds, opaque bytes,
 * sequences of variable length, numbers that are neither integers nor IEEE floats.
 */
export async function readAttributeValue(open: OpenHdf5, attribute: StoredAttribute): Promise<AttributeValue | undefined> {
  const { datatype, dataspace } = attribute;
  const elements = dataspace.kind === "null" ? 0 : dataspace.elements;
  if (datatype.class === "string") return textValue(fixedTexts(open, attribute, datatype.size, datatype.padding, elements));
  if (datatype.class === "variable-length" && datatype.text) return textValue(await variableTexts(open, attribute, elements));
  const { base, perElement } = flat(datatype);
  const reader = elementReader(base);
  return reader === undefined ? undefined : numbers(open, attribute, reader, elements * perElement);
}

function fixedTexts(
  open: OpenHdf5,
  attribute: StoredAttribute,
  size: number,
  padding: StringPadding,
  elements: number,
): string[] {
  const cursor = open.file.cursor(attribute.value, attribute.position);
  const texts: string[] = [];
  for (let index = 0; index < elements; index++) texts.push(decodeText(withoutPadding(cursor.take(size), padding)));
  return texts;
}

async function variableTexts(open: OpenHdf5, attribute: StoredAttribute, elements: number): Promise<string[]> {
  const cursor = open.file.cursor(attribute.value, attribute.position);
  const texts: string[] = [];
  for (let index = 0; index < elements; index++) {
    texts.push(decodeText(withoutPadding(await open.globalHeap.read(cursor, 1), "nul-terminated")));
  }
  return texts;
}

/** netCDF-4 writes empty text as no elements, and text alone as one element. */
function textValue(texts: readonly string[]): AttributeValue {
  return texts.length <= 1 ? { type: "text", value: texts[0] ?? "" } : { type: "texts", value: texts };
}

function numbers(open: OpenHdf5, attribute: StoredAttribute, reader: ElementReader, count: number): AttributeValue {
  const cursor = open.file.cursor(attribute.value, attribute.position, reader.endian);
  // An element takes a byte at least, so a count that cannot be is found before memory is taken for it.
  if (count > cursor.remaining) cursor.skip(count);
  const scalar = count === 1;
  if (reader.type === "int64" || reader.type === "uint64") {
    return { type: reader.type, scalar, value: Array.from({ length: count }, () => reader.read(cursor)) };
  }
  return { type: reader.type, scalar, value: Array.from({ length: count }, () => reader.read(cursor)) };
}

/** An array of numbers is as many numbers; an enumeration is its numbers. */
function flat(datatype: Datatype): { readonly base: Datatype; readonly perElement: number } {
  if (datatype.class !== "array") return { base: datatype, perElement: 1 };
  const inner = flat(datatype.base);
  return { base: inner.base, perElement: inner.perElement * datatype.shape.reduce((total, length) => total * length, 1) };
}
