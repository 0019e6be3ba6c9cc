import { bytesCodec } from "../codecs/index.ts";
import type { CollectionAlongGranules, GranuleCoordinate } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import {
  type Attributes,
  type AttributeValue,
  arraysOf,
  ChunkManifestBuilder,
  type DataType,
  elementSize,
  textAttribute,
  textOf,
  type VirtualArray,
  type VirtualGroup,
} from "../virtual/index.ts";
import { encodeTexts } from "../writers/icechunk/index.ts";
import { FILE_NAME } from "./collection-fields.ts";
import { type GranuleShape, isPublishable, NO_AXIS, type ShapedArray } from "./granule-shape.ts";
import type { LayoutRow } from "./layout.ts";
import { loadedBytes, numberBytes } from "./typed-values.ts";

const EPOCH = "seconds since 1970-01-01 00:00:00";

/**
 * A granule that gets one position on a new dimension. Static are the coordinates of its own dimensions and grid mappings, or what the
 * dataset file says; all else, latitudes and longitudes too, belongs to the granule. The declared coordinates come beside its arrays.
 * @param fields of its row; undefined for a template, of which only the types matter.
 * @throws FreshetError `drift` where the file lacks an attribute that a coordinate is made of; `unsupported` where it has names of its own
 *   for the new dimension or a coordinate.
 */
export function shapeSwath(
  root: VirtualGroup,
  product: CollectionAlongGranules,
  validMs: number,
  fields: LayoutRow["fields"],
): GranuleShape {
  const { dimension, coordinates } = product;
  requireFree(root, [dimension, ...Object.keys(coordinates)], dimension);
  const fixed = product.static === undefined ? staticByForm(root) : staticByName(root, product.static);
  const arrays: ShapedArray[] = [];
  for (const [path, array] of arraysOf(root)) {
    if (!isPublishable(array)) continue;
    if (fixed.has(path)) arrays.push({ path, role: "static", axisIndex: undefined, isNewAxis: false, array });
    else arrays.push({ path, role: loadedBytes(array) === undefined ? "along" : "packed", axisIndex: 0, isNewAxis: true, array });
  }
  for (const [name, coordinate] of Object.entries(coordinates)) {
    const array = madeCoordinate(name, coordinateValue(root, name, coordinate, fields), coordinate, product);
    arrays.push({ path: `/${name}`, role: "packed", axisIndex: 0, isNewAxis: true, array });
  }
  return {
    dimension,
    arrays,
    validMs: [validMs],
    ...NO_AXIS,
    made: Object.keys(coordinates),
  };
}

function requireFree(root: VirtualGroup, names: readonly string[], dimension: string): void {
  for (const [path, array] of arraysOf(root)) {
    const taken = names.find((name) => path === `/${name}`) ?? (array.dimensionNames.includes(dimension) ? dimension : undefined);
    if (taken === undefined) continue;
    throw new FreshetError("unsupported", "the granule has a name of its own for what the collection calls so", {
      found: `${taken} in ${path}`,
      path,
      remedy: "Choose another name in the dataset file, or drop the variable",
    });
  }
}

/** Coordinates of dimensions, and grid mappings (CF Conventions 1.11, 5 and 5.6). */
function staticByForm(root: VirtualGroup): ReadonlySet<string> {
  const mappings = new Set<string>();
  for (const [, array] of arraysOf(root))
    for (const word of textOf(array.attributes, "grid_mapping")?.split(/[\s:]+/) ?? []) mappings.add(word);
  const fixed = new Set<string>();
  for (const [path, array] of arraysOf(root)) {
    const isOwn = array.dimensionNames.length === 1 && array.dimensionNames[0] === array.name;
    if (isOwn || mappings.has(array.name)) fixed.add(path);
  }
  return fixed;
}

function staticByName(root: VirtualGroup, names: readonly string[]): ReadonlySet<string> {
  return new Set([...arraysOf(root)].map(([path]) => path).filter((path) => names.some((name) => path.endsWith(`/${name}`))));
}

/** A text, or a number of a type. */
type Value = string | { readonly type: Exclude<AttributeValue["type"], "text" | "texts">; readonly value: number | bigint };

function coordinateValue(root: VirtualGroup, name: string, coordinate: GranuleCoordinate, fields: LayoutRow["fields"]): Value {
  switch (coordinate.from) {
    case "name":
      return String(fields?.[FILE_NAME] ?? "");
    case "attribute":
      return attributeValue(root, coordinate.attribute);
    case "field": {
      const { field, kind } = coordinate;
      const value = fields?.[field] ?? (kind === "text" ? "" : 0);
      if (kind === "text") return String(value);
      return {
        type: "int64",
        value: kind === "integer" ? wholeNumber(name, Number(value)) : wholeNumber(name, Number(value) / 1000),
      };
    }
  }
}

function wholeNumber(name: string, value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new FreshetError("drift", "a granule's coordinate is no whole number", {
    found: `${value}`,
    expected: "whole seconds, or a whole number",
    path: `/${name}`,
  });
}

function attributeValue({ attributes }: VirtualGroup, name: string): Value {
  const attribute = attributes.get(name);
  const expected = "a global attribute with one value, of which the collection makes a coordinate";
  const found = (text: string): never => {
    throw new FreshetError("drift", `the granule says nothing for @${name}`, { found: text, expected });
  };
  if (attribute === undefined) return found("no such attribute");
  if (attribute.type === "text") return attribute.value;
  const [value, ...more] = attribute.value;
  if (value === undefined || more.length > 0) return found(`${attribute.value.length} values`);
  return attribute.type === "texts" ? String(value) : { type: attribute.type, value: value as number | bigint };
}

function madeCoordinate(
  name: string,
  value: Value,
  coordinate: GranuleCoordinate,
  { time }: CollectionAlongGranules,
): VirtualArray {
  const builder = new ChunkManifestBuilder([]);
  const dataType: DataType = typeof value === "string" ? { kind: "string" } : { kind: "number", name: value.type };
  if (typeof value === "string") builder.setInline(0, encodeTexts([value]));
  else builder.setInline(0, numberBytes(value.type, value.value, elementSize(dataType) as number));
  return {
    name,
    shape: [],
    chunkShape: [],
    dimensionNames: [],
    dataType,
    codecs: [typeof value === "string" ? { name: "vlen-utf8", configuration: {} } : bytesCodec("little")],
    fillValue: typeof value === "string" ? "" : 0,
    attributes: attributesFor(coordinate, time),
    manifest: builder.build(),
  };
}

function attributesFor(coordinate: GranuleCoordinate, time: string): Attributes {
  if (coordinate.from === "attribute")
    return new Map([["long_name", textAttribute(`the granule's attribute ${coordinate.attribute}`)]]);
  if (coordinate.from === "name") return new Map([["long_name", textAttribute("the granule's file")]]);
  const { field, kind } = coordinate;
  if (kind === "duration") return new Map([["units", textAttribute("seconds")]]);
  if (kind !== "instant") return new Map();
  const standard = field === time ? ([["standard_name", textAttribute("time")]] as const) : [];
  return new Map([...standard, ["units", textAttribute(EPOCH)], ["calendar", textAttribute("proleptic_gregorian")]]);
}
