import { firstUnwritten } from "../codecs/index.ts";
import { isFreshetError } from "../errors/index.ts";
import { elementSize, type VirtualArray } from "../virtual/index.ts";
import { alongGrid, fillBytes } from "./array-change.ts";
import { gapFill, isSameFill } from "./fill.ts";
import { compareSchemas, type Drift, schemaOf } from "./granule-schema.ts";
import type { GranuleShape, ShapedArray } from "./granule-shape.ts";

/** An array whose chunks are written in the form of another. */
export interface EncodedArray {
  readonly path: string;
  readonly source: VirtualArray;
  readonly form: VirtualArray;
  /** Chunks that the source has written stay where they are: the two differ in what unwritten ones read as. */
  readonly isOnlyUnwritten: boolean;
  readonly isSameFill: boolean;
}

/** An array that the granule lacks. */
export interface FilledArray {
  readonly path: string;
  readonly form: VirtualArray;
  /** The bytes of a missing value, little-endian; undefined where unwritten chunks read as it. */
  readonly element: Uint8Array | undefined;
  /** Kept by its values, not in chunks. */
  readonly isPacked: boolean;
}

/** What makes a granule one of the product's form. */
export interface CopyPlan {
  readonly encoded: readonly EncodedArray[];
  readonly filled: readonly FilledArray[];
  /** Variables that the form does not have. */
  readonly leftOut: readonly string[];
}

/** Facts in which a copy may differ from its source. */
const MENDED: ReadonlySet<string> = new Set(["chunks", "codecs", "fill", "variable"]);

/**
 * How a granule is copied into a form, each element bit for bit; the reason why it cannot be, as text, where something else differs than
 * chunks, codecs, the fill of unwritten chunks and which variables there are.
 * @param drifts all in which the granule differs from the form.
 */
export function planCopy(form: GranuleShape, found: GranuleShape, drifts: readonly Drift[]): CopyPlan | string {
  const other = drifts.find(({ fact }) => !MENDED.has(fact));
  if (other !== undefined) return `${other.path} ${other.fact} is not mended by a copy`.trim();
  const encoded: EncodedArray[] = [];
  const filled: FilledArray[] = [];
  const facts = new Map<string, Set<string>>();
  for (const { path, fact } of drifts) facts.set(path, (facts.get(path) ?? new Set()).add(fact));
  for (const shaped of form.arrays) {
    const differing = facts.get(shaped.path);
    if (differing === undefined) continue;
    const source = found.arrays.find(({ path }) => path === shaped.path)?.array;
    const planned = source === undefined ? fillArray(shaped) : encodeArray(shaped, source, differing);
    if (typeof planned === "string") return planned;
    if ("source" in planned) encoded.push(planned);
    else filled.push(planned);
  }
  const leftOut = found.arrays.filter(({ path }) => !form.arrays.some((known) => known.path === path)).map(({ path }) => path);
  return { encoded, filled, leftOut };
}

/**
 * The form of a granule whose end cuts chunks along the axis: the same with the longest chunks that divide its steps; undefined where no chunk is cut.
 */
export function wholeChunks(shape: GranuleShape): GranuleShape | undefined {
  const steps = shape.validMs.length;
  const arrays = shape.arrays.map((shaped) => (isCut(shaped, steps) ? withChunks(shaped, steps) : shaped));
  return arrays.every((shaped, index) => shaped === shape.arrays[index]) ? undefined : { ...shape, arrays };
}

/** In what a granule differs from a form, without the rules of its dataset. */
export function driftsFrom(form: GranuleShape, found: GranuleShape): Drift[] {
  return compareSchemas(schemaOf(form), schemaOf(found));
}

function isCut(shaped: ShapedArray, steps: number): boolean {
  if (shaped.role !== "along") return false;
  try {
    alongGrid(shaped, steps);
    return false;
  } catch (error) {
    if (isFreshetError(error, "unsupported")) return true;
    throw error;
  }
}

function withChunks(shaped: ShapedArray, steps: number): ShapedArray {
  const axis = shaped.axisIndex ?? 0;
  let length = Math.min(steps, shaped.array.chunkShape[axis] as number);
  while (steps % length !== 0) length--;
  return { ...shaped, array: { ...shaped.array, chunkShape: shaped.array.chunkShape.with(axis, length) } };
}

function encodeArray(
  { path, array: form }: ShapedArray,
  source: VirtualArray,
  facts: ReadonlySet<string>,
): EncodedArray | string {
  if (!isNumber(form)) return `${path} is not of numbers`;
  const codec = firstUnwritten(form.codecs);
  if (codec !== undefined) return `${path}: chunks are not written with ${codec}`;
  const isOnlyUnwritten = !facts.has("chunks") && !facts.has("codecs");
  return { path, source, form, isOnlyUnwritten, isSameFill: isSameFill(form.fillValue, source.fillValue) };
}

function fillArray(shaped: ShapedArray): FilledArray | string {
  const { path, role, array: form } = shaped;
  if (role !== "along" && role !== "packed") return `${path} is missing, which is not along the axis`;
  if (form.dataType.kind !== "number" || !isNumber(form)) return `${path} is not of numbers`;
  if (!form.attributes.has("_FillValue") && !form.dataType.name.startsWith("float"))
    return `${path} is missing, and has no value that says so`;
  const codec = firstUnwritten(form.codecs);
  if (codec !== undefined) return `${path}: chunks are not written with ${codec}`;
  try {
    const { fill } = gapFill(form);
    const isPacked = role === "packed";
    const isUnwritten = !isPacked && isSameFill(fill, form.fillValue);
    return { path, form, isPacked, element: isUnwritten ? undefined : fillBytes(form, fill, elementSize(form.dataType)) };
  } catch (error) {
    if (isFreshetError(error, "unsupported")) return error.message;
    throw error;
  }
}

function isNumber({ dataType }: VirtualArray): boolean {
  return dataType.kind === "number" && !dataType.name.startsWith("complex");
}
