import { createHash } from "node:crypto";
import type { Codec } from "../codecs/index.ts";
import { type AttributeRules, attributeRule } from "../dataset/index.ts";
import {
  type AttributeValue,
  describeDataType,
  elementSize,
  type FillValue,
  type VirtualArray,
  type VirtualGroup,
} from "../virtual/index.ts";
import { decodeAxis, encodeAxis } from "./axis-time.ts";
import { isSameEncoding } from "./cf-time.ts";
import { type ArrayRole, type GranuleShape, instant, isReencoded, type ShapedArray } from "./granule-shape.ts";
import { isSameFact } from "./same-fact.ts";
import { loadedValues, storedValues } from "./typed-values.ts";

/**
 * What every granule of a product must have in common with the first one, as JSON: whatever decides how bytes are decoded
 * and what the numbers mean. Facts are text, so that found and expected can be shown as they are.
 */
export interface GranuleSchema {
  readonly format: 1;
  readonly dimension: string;
  /** Steps along the axis in one granule. */
  readonly steps: number;
  readonly arrays: Readonly<Record<string, ArrayFacts>>;
}

/** The facts of one array by their names as shown to people: `shape`, `chunks`, `type`, `codecs`, `fill`, `units`, … */
export type ArrayFacts = Readonly<Record<string, string>>;

/** One disagreement between a granule and the schema. */
export interface Drift {
  /** The array; "" for the granule as a whole. */
  readonly path: string;
  readonly fact: string;
  readonly found: string;
  readonly expected: string;
}

/** Attributes that decide what a number means. On a grid mapping all attributes do. */
const DECISIVE_ATTRIBUTES = [
  "_FillValue",
  "missing_value",
  "scale_factor",
  "add_offset",
  "_Unsigned",
  "units",
  "calendar",
  "standard_name",
  "grid_mapping",
  "positive",
  "cell_methods",
  "flag_values",
  "flag_masks",
  "flag_meanings",
] as const;

/**
 * The facts of a granule. `role` is among them: a variable that turns from static to varying is drift.
 * @param root the granule, whose groups may have attributes that must be equal.
 * @param rules which attributes must be equal beside those that always must, and which of them need not.
 */
export function schemaOf(shape: GranuleShape, root?: VirtualGroup, rules: AttributeRules = {}): GranuleSchema {
  const arrays: Record<string, ArrayFacts> = {};
  if (root !== undefined) arrays["/"] = groupFacts(root, rules);
  for (const shaped of shape.arrays) arrays[shaped.path] = factsOf(shaped, rules);
  return { format: 1, dimension: shape.dimension, steps: shape.validMs.length, arrays };
}

/** Every disagreement, in the order of the schema; empty when the granule fits. */
export function compareSchemas(expected: GranuleSchema, found: GranuleSchema): Drift[] {
  const drifts: Drift[] = [];
  const compare = (path: string, fact: string, foundText: string | undefined, expectedText: string | undefined): void => {
    if (!isSameFact(fact, foundText, expectedText))
      drifts.push({ path, fact, found: foundText ?? "absent", expected: expectedText ?? "absent" });
  };
  compare("", "dimension", found.dimension, expected.dimension);
  compare("", "steps", String(found.steps), String(expected.steps));
  for (const path of new Set([...Object.keys(expected.arrays), ...Object.keys(found.arrays)])) {
    const expectedFacts = expected.arrays[path];
    const foundFacts = found.arrays[path];
    if (expectedFacts === undefined || foundFacts === undefined) {
      compare(path, "variable", foundFacts && "present", expectedFacts && "present");
      continue;
    }
    for (const fact of new Set([...Object.keys(expectedFacts), ...Object.keys(foundFacts)])) {
      compare(path, fact, foundFacts[fact], expectedFacts[fact]);
    }
  }
  return drifts;
}

/**
 * The times of a granule whose time coordinate has other units than the template's (`hours since` its own run): they are written in the
 * template's, which has to have a number for each.
 */
export function compareTimes(expected: GranuleShape, found: GranuleShape): Drift[] {
  const { axisEncoding, axisType } = expected;
  if (isSameEncoding(found.axisEncoding, axisEncoding)) return [];
  const strange = found.validMs.find((ms) => {
    const value = encodeAxis(expected, ms);
    return decodeAxis(expected, value) !== ms || (!axisType.startsWith("float") && !Number.isSafeInteger(value));
  });
  if (strange === undefined) return [];
  return [
    {
      path: expected.axisPath,
      fact: "time",
      found: instant(strange, expected.dates),
      expected: `an instant that ${axisType} holds in the units of the first granule`,
    },
  ];
}

/** One line for people: `/sst scale_factor: found 0.02, expected 0.01; …`. */
export function describeDrifts(drifts: readonly Drift[]): string {
  const shown = drifts
    .slice(0, 5)
    .map(({ path, fact, found, expected }) => `${path} ${fact}: found ${short(found)}, expected ${short(expected)}`.trim());
  if (drifts.length > shown.length) shown.push(`and ${drifts.length - shown.length} more`);
  return shown.join("; ");
}

/** A projection in WKT has thousands of characters. */
function short(text: string): string {
  return text.length <= 120 ? text : `${text.slice(0, 100)}… (${text.length} characters)`;
}

/** Attributes of groups that must be equal: `attribute title`, `attribute Grid:title`. */
function groupFacts(root: VirtualGroup, rules: AttributeRules, path = ""): Record<string, string> {
  const facts: Record<string, string> = {};
  for (const [name, value] of root.attributes) {
    if (attributeRule(rules, undefined, name) === "must-equal")
      facts[`attribute ${path === "" ? "" : `${path}:`}${name}`] = describeAttribute(value);
  }
  for (const [name, group] of root.groups) Object.assign(facts, groupFacts(group, rules, `${path}/${name}`));
  return facts;
}

function factsOf(shaped: ShapedArray, rules: AttributeRules): ArrayFacts {
  const { array, role, axisIndex, isNewAxis } = shaped;
  const axis = isNewAxis ? undefined : axisIndex;
  const facts: Record<string, string> = {
    role,
    dimensions: list(array.dimensionNames.map((name) => name ?? "?")),
    shape: list(array.shape.map((length, dimension) => (dimension === axis || role === "whole" ? "*" : String(length)))),
    type: describeDataType(array.dataType),
  };
  if (role === "along") {
    facts.chunks = list(array.chunkShape.map(String));
    facts.codecs = describeCodecs(array);
    facts.fill = describeFill(array.fillValue);
  }
  for (const [name, value] of array.attributes) {
    const rule = attributeRule(rules, shaped.path, name);
    if (isDecisive(name, array, role)) {
      if ((rule !== undefined && rule !== "must-equal" && !isTimeUnits(name, value)) || (name === "units" && isReencoded(shaped)))
        continue;
      facts[name in facts || name === "values" ? `attribute ${name}` : name] = describeAttribute(value);
    } else if (rule === "must-equal") facts[`attribute ${name}`] = describeAttribute(value);
  }
  const values = role === "static" ? storedValues(array) : undefined;
  if (values !== undefined) facts.values = describeValues(array, values);
  return facts;
}

/** So few are shown: members of an ensemble, levels. */
const SHOWN_VALUES = 8;

function describeValues(array: VirtualArray, stored: Uint8Array): string {
  const numbers = loadedValues(array);
  if (numbers !== undefined && numbers.length <= SHOWN_VALUES) return list(numbers.map(describeNumber));
  return `sha256:${createHash("sha256").update(stored).digest("hex").slice(0, 16)}`;
}

/** No rule lets times count from different moments. */
function isTimeUnits(name: string, value: AttributeValue): boolean {
  return name === "units" && value.type === "text" && / since /.test(value.value);
}

/**
 * Whether an attribute that decides what a number means says the same in two granules, though it is written differently. False for every other
 * attribute: of those, what is written counts.
 */
export function isSameDecision(name: string, a: AttributeValue | undefined, b: AttributeValue | undefined): boolean {
  if (!(DECISIVE_ATTRIBUTES as readonly string[]).includes(name)) return false;
  return isSameFact(name, a && describeAttribute(a), b && describeAttribute(b));
}

function isDecisive(name: string, array: VirtualArray, role: ArrayRole): boolean {
  if (array.attributes.has("grid_mapping_name") && role === "static") return true;
  return (DECISIVE_ATTRIBUTES as readonly string[]).includes(name);
}

/**
 * The codecs as far as they decide how bytes are decoded: not the level of DEFLATE or zstd, nor what a Blosc frame says itself, nor what changes nothing in
 * elements of one byte (their order of bytes, HDF5's shuffle).
 */
function describeCodecs({ codecs, dataType }: VirtualArray): string {
  const isByte = elementSize(dataType) === 1;
  const deciding = codecs.filter(({ name, configuration }) => name !== "numcodecs.shuffle" || configuration.elementsize !== 1);
  return deciding.map((codec) => describeCodec(codec, isByte)).join(" ");
}

function describeCodec({ name, configuration }: Codec, isByte: boolean): string {
  if (name === "numcodecs.blosc" || (name === "bytes" && isByte)) return name;
  const settings = Object.entries(configuration).filter(([key]) => key !== "level");
  return settings.length === 0 ? name : `${name}(${settings.map(([key, value]) => `${key}=${value}`).join(",")})`;
}

function describeFill(fill: FillValue): string {
  if (fill instanceof Uint8Array) return `0x${Buffer.from(fill).toString("hex")}`;
  return Object.is(fill, -0) ? "-0" : String(fill);
}

function describeAttribute(attribute: AttributeValue): string {
  if (attribute.type === "text") return attribute.value;
  if (attribute.type === "texts") return JSON.stringify(attribute.value);
  const numbers = Array.from(attribute.value as readonly (number | bigint)[], describeNumber);
  return `${attribute.scalar ? numbers.join(",") : list(numbers)} (${attribute.type})`;
}

function describeNumber(value: number | bigint): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function list(items: readonly string[]): string {
  return `[${items.join(",")}]`;
}
