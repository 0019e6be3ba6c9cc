import { type Dates, datesOf, fromReal, type Product, writtenInstant } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import { arraysOf, textOf, type VirtualArray, type VirtualGroup } from "../virtual/index.ts";
import { decodeAxis, type TimeAxis } from "./axis-time.ts";
import { type Dating, readTimeEncoding } from "./cf-time.ts";
import { loadedBytes, loadedValues } from "./typed-values.ts";

/**
 * How an array of the granule takes part in a time series:
 * - `axis`: the time coordinate itself;
 * - `packed`: small and along the axis; its values are kept natively, many steps to a chunk;
 * - `along`: along the axis; its chunks are references to the granule, cell by cell;
 * - `static`: the same in every granule; kept once;
 * - `whole`: the granule is the whole product, and this array the product's.
 */
export type ArrayRole = "axis" | "packed" | "along" | "static" | "whole";

export interface ShapedArray {
  /** Absolute path in the granule and in the product. */
  readonly path: string;
  readonly role: ArrayRole;
  /** The dimension that runs along the axis; undefined for static arrays. */
  readonly axisIndex: number | undefined;
  /** True: the granule's array lacks the axis and gets it as a new first dimension of length 1. */
  readonly isNewAxis: boolean;
  readonly array: VirtualArray;
}

/** A granule as the product sees it; its time axis is that of the product where it is the template. */
export interface GranuleShape extends TimeAxis {
  /** Name of the dimension that granules are joined along. */
  readonly dimension: string;
  readonly arrays: readonly ShapedArray[];
  /** The instants of the granule's steps, ascending, milliseconds since 1970 in the calendar of the product's dates. At least one. */
  readonly validMs: readonly number[];
  /** The calendar that they are instants of. */
  readonly dates: Dates;
  /** Absolute path of the time coordinate. */
  readonly axisPath: string;
  /** False where the file has no time coordinate and the product makes one from the names. */
  readonly hasAxisArray: boolean;
  /** Coordinates among the arrays that are not the file's own, by name. */
  readonly made?: readonly string[] | undefined;
}

/** What the shape of a granule says of its axis in a product that has none in time. */
export const NO_AXIS = {
  axisType: "int64",
  axisEncoding: { unitMs: 1_000, epochMs: 0 },
  dates: "standard",
  axisPath: "",
  hasAxisArray: true,
} as const satisfies Partial<GranuleShape>;

/** The time coordinate that a product names, and the dimension that joining makes where the file has none. */
export interface AxisName extends Dating {
  /** Path from the root: `time`, `Grid/time`. */
  readonly name: string;
  readonly dimension: string;
}

/** The axis of a product, and how its times are understood. */
export function axisOf(product: Product): AxisName {
  const { axis, dimension, fileCalendar } = product;
  return { name: axis, dimension, dates: datesOf(product), fileCalendar };
}

/**
 * The instant that a name says, in the product's dates.
 * @throws FreshetError `drift` for a day that their calendar does not have.
 */
export function nameTimeOf(nameValidMs: number | undefined, { dates = "standard" }: Dating): number | undefined {
  if (nameValidMs === undefined) return undefined;
  const validMs = fromReal(dates, nameValidMs);
  if (validMs !== undefined) return validMs;
  throw new FreshetError("drift", "the granule's name says a date that the calendar does not have", {
    found: instant(nameValidMs),
    expected: `a date of the calendar ${dates}`,
  });
}

/** The group of a path: "" is the root. */
export function groupOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** Arrays of these kinds have no form in Zarr v3 that readers share; a product lists them as refused. */
export function isPublishable(array: VirtualArray): boolean {
  return array.dataType.kind !== "struct" && array.dataType.kind !== "opaque";
}

/**
 * Finds the time axis of a granule and what each of its arrays is to it.
 *
 * The axis is the array at that path: one-dimensional, or a scalar (then, as where there is none, `axis.dimension` names the new
 * dimension). Without one, `nameValidMs` (from the granule's name) is the single step. Where the file has its own time, the file
 * decides, and a name that disagrees is drift (both are instants of the product's dates, see `nameTimeOf`): `namePrecisionMs` is how exactly it says it (a date says the day, not the hour).
 *
 * Dimensions of NetCDF-4 are seen in the group that declares them and in those below it, unless one of these declares another of the
 * same name (The NetCDF User's Guide, "Groups"; here: has a coordinate variable of that name). Arrays that do not see the axis'
 * dimension are static.
 *
 * @throws FreshetError `drift` when name and file disagree, or the steps do not ascend; `unsupported` for a calendar or
 *   a layout of the axis that is not handled.
 */
export function shapeGranule(
  root: VirtualGroup,
  axis: AxisName,
  nameValidMs: number | undefined,
  namePrecisionMs = 1,
): GranuleShape {
  const named = `/${axis.name}`;
  const axisArray = arrayAt(root, named);
  if (axisArray !== undefined && axisArray.shape.length > 1) {
    throw new FreshetError("unsupported", "the time coordinate has several dimensions", {
      found: `[${axisArray.shape}]`,
      expected: "one, or none",
      path: named,
    });
  }
  const isNewAxis = axisArray === undefined || axisArray.shape.length === 0;
  const dimension = isNewAxis ? axis.dimension : axisArray.dimensionNames[0];
  if (dimension === undefined || dimension === null) {
    throw new FreshetError("unsupported", "the time coordinate's dimension has no name, so what runs along it cannot be known", {
      path: named,
    });
  }
  const axisPath = axisArray === undefined ? `${groupOf(named)}/${dimension}` : named;
  const seeing = pathsThatSee(root, groupOf(named), dimension);
  if (isNewAxis) requireNewDimension(root, dimension, axisArray, seeing);
  const time =
    axisArray === undefined ? timeFromName(nameValidMs, axis.name) : timeFromFile(axisArray, axis, nameValidMs, namePrecisionMs);
  const fixed = staticPaths(root, isNewAxis ? undefined : dimension);

  const arrays: ShapedArray[] = [];
  for (const [path, array] of arraysOf(root)) {
    if (!isPublishable(array)) continue;
    const isFixed = fixed.has(path) || !seeing.has(path);
    const shaped = shapeArray(path, array, { axisPath: named, dimension, isNewAxis, isFixed });
    requireSteps(shaped, time.validMs.length);
    arrays.push(shaped);
  }
  return { dimension, arrays, axisPath, hasAxisArray: axisArray !== undefined, dates: axis.dates ?? "standard", ...time };
}

/** The shape of a granule that others are held against: what its name says of its time no longer matters. */
export function shapeTemplate(root: VirtualGroup, axis: AxisName): GranuleShape {
  return shapeGranule(root, axis, arrayAt(root, `/${axis.name}`) === undefined ? 0 : undefined);
}

function arrayAt(root: VirtualGroup, path: string): VirtualArray | undefined {
  for (const [other, array] of arraysOf(root)) if (other === path) return array;
  return undefined;
}

/** Paths of the arrays in and below a group for which a dimension's name means the one of that group. */
function pathsThatSee(root: VirtualGroup, group: string, dimension: string): ReadonlySet<string> {
  const below = [...arraysOf(root)].filter(([path]) => path.startsWith(`${group}/`));
  const others = below
    .filter(
      ([path, { name, dimensionNames }]) => name === dimension && dimensionNames.includes(dimension) && groupOf(path) !== group,
    )
    .map(([path]) => groupOf(path));
  const seeing = below.filter(([path]) => !others.some((other) => path.startsWith(`${other}/`)));
  return new Set(seeing.map(([path]) => path));
}

function shapeArray(
  path: string,
  array: VirtualArray,
  axis: { axisPath: string; dimension: string; isNewAxis: boolean; isFixed: boolean },
): ShapedArray {
  const isLoaded = loadedBytes(array) !== undefined;
  const alongRole: ArrayRole = path === axis.axisPath ? "axis" : isLoaded ? "packed" : "along";
  const rest = { path, array };
  if (!axis.isNewAxis) {
    const axisIndex = axis.isFixed ? -1 : array.dimensionNames.indexOf(axis.dimension);
    if (axisIndex < 0) return { ...rest, role: "static", axisIndex: undefined, isNewAxis: false };
    if (isLoaded && axisIndex > 0) {
      throw new FreshetError("unsupported", "a coordinate has the time axis after another dimension", { path });
    }
    return { ...rest, role: alongRole, axisIndex, isNewAxis: false };
  }
  if (axis.isFixed && path !== axis.axisPath) return { ...rest, role: "static", axisIndex: undefined, isNewAxis: false };
  return { ...rest, role: alongRole, axisIndex: 0, isNewAxis: true };
}

/** Data that have a dimension of that name already would get a second one. */
function requireNewDimension(
  root: VirtualGroup,
  dimension: string,
  axisArray: VirtualArray | undefined,
  seeing: ReadonlySet<string>,
): void {
  for (const [path, array] of arraysOf(root)) {
    if (!seeing.has(path)) continue;
    const isTaken = array.dimensionNames.includes(dimension) || (array.name === dimension && array !== axisArray);
    if (!isTaken) continue;
    throw new FreshetError("unsupported", "the granule has no time coordinate for a dimension that it has", {
      found: `${dimension} in ${path}`,
      expected: "a dimension that joining makes",
      remedy: "Name the coordinate (axis), or another dimension, in the dataset file",
    });
  }
}

/** A group may have a dimension of the same name, but of another length; NetCDF-4 variables may end before their dimension does. */
function requireSteps({ path, array, axisIndex, isNewAxis }: ShapedArray, steps: number): void {
  if (isNewAxis || axisIndex === undefined || array.shape[axisIndex] === steps) return;
  throw new FreshetError("unsupported", "an array is not as long as the time axis that it runs along", {
    found: `${array.shape[axisIndex]} steps`,
    expected: `${steps} steps`,
    path,
    remedy: "Drop the variable",
  });
}

/**
 * Where the axis is a dimension, what lacks it is static. Where it is new, these are: coordinates of other dimensions,
 * their bounds, grid mappings, auxiliary coordinates with dimensions, and scalars that are not times. The bounds of a scalar
 * time vary as it does.
 * (CF Conventions 1.11, 5 "Coordinate Systems", 5.6 "Grid Mappings", 7.1 "Cell Boundaries".)
 */
function staticPaths(root: VirtualGroup, dimension: string | undefined): ReadonlySet<string> {
  const fixed = new Set<string>();
  if (dimension !== undefined) return fixed;
  const named = new Set<string>();
  const boundsOfTime = new Set<string>();
  for (const [, array] of arraysOf(root)) {
    const isTime = array.shape.length === 0 && isTimeLike(array);
    for (const attribute of ["coordinates", "bounds", "climatology", "grid_mapping"]) {
      const isBounds = attribute === "bounds" || attribute === "climatology";
      for (const word of textOf(array.attributes, attribute)?.split(/[\s:]+/) ?? [])
        (isTime && isBounds ? boundsOfTime : named).add(word);
    }
  }
  for (const [path, array] of arraysOf(root)) {
    const isCoordinate = array.dimensionNames.length === 1 && array.dimensionNames[0] === array.name;
    const isScalar = array.shape.length === 0;
    const isNamed = named.has(array.name) && !boundsOfTime.has(array.name);
    if (isScalar ? !isTimeLike(array) : isCoordinate || isNamed) fixed.add(path);
  }
  return fixed;
}

function isTimeLike(array: VirtualArray): boolean {
  const standardName = textOf(array.attributes, "standard_name");
  if (standardName === "forecast_period" || standardName === "forecast_reference_time" || standardName === "time") return true;
  return / since /.test(textOf(array.attributes, "units") ?? "");
}

/**
 * Whether times of other units are written in the template's: those of the axis, unless it has bounds, which are in its units too and stay as
 * they are.
 */
export function isReencoded({ role, array: { attributes } }: ShapedArray): boolean {
  return role === "axis" && !attributes.has("bounds") && !attributes.has("climatology");
}

type GranuleTime = Pick<GranuleShape, "validMs" | "axisType" | "axisEncoding">;

function timeFromName(nameValidMs: number | undefined, axisName: string): GranuleTime {
  if (nameValidMs === undefined) {
    throw new FreshetError("drift", "neither the file nor its name says when it is valid", {
      expected: `a variable ${axisName}, or a field valid (or run and lead) in the name`,
    });
  }
  return { validMs: [nameValidMs], axisType: "int64", axisEncoding: { unitMs: 1_000, epochMs: 0 } };
}

function timeFromFile(
  array: VirtualArray,
  { name, ...dating }: AxisName,
  nameValidMs: number | undefined,
  namePrecisionMs: number,
): GranuleTime {
  const path = `/${name}`;
  const { dates } = dating;
  const values = loadedValues(array);
  if (values === undefined || array.dataType.kind !== "number") {
    throw new FreshetError("unsupported", "the time coordinate's values were not read", { path });
  }
  const axisEncoding = readTimeEncoding(textOf(array.attributes, "units") ?? "", textOf(array.attributes, "calendar"), dating);
  const time = { axisType: array.dataType.name, axisEncoding };
  const validMs = Array.from(values as readonly (number | bigint)[], (value) => decodeAxis(time, value));
  if (
    validMs.length === 0 ||
    validMs.some((ms, index) => !Number.isFinite(ms) || (index > 0 && ms <= (validMs[index - 1] as number)))
  ) {
    throw new FreshetError("drift", "the time coordinate does not ascend", {
      found:
        validMs
          .slice(0, 4)
          .map((ms) => instant(ms, dates))
          .join(", ") || "no step at all",
      expected: "at least one step, each later than the one before",
      path,
    });
  }
  const first = validMs[0] as number;
  if (nameValidMs !== undefined && (first < nameValidMs || first >= nameValidMs + namePrecisionMs)) {
    throw new FreshetError("drift", "the file's own time is not the one in its name", {
      found: instant(first, dates),
      expected:
        namePrecisionMs <= 1_000
          ? instant(nameValidMs, dates)
          : `from ${instant(nameValidMs, dates)} to before ${instant(nameValidMs + namePrecisionMs, dates)}`,
      path,
      remedy: isOrdinary(array, dating)
        ? "Correct the name grammar, or skip the granule"
        : "Correct the name grammar, say what the file's calendar means (calendar-of-file), or skip the granule",
    });
  }
  return { validMs, ...time };
}

function isOrdinary({ attributes }: VirtualArray, { dates = "standard" }: Dating): boolean {
  return dates === "standard" && /^(standard|(proleptic_)?gregorian)$/i.test(textOf(attributes, "calendar") ?? "standard");
}

/** An instant as people write it: `2017-06-05T12:00:00Z`. */
export function instant(ms: number, dates: Dates = "standard"): string {
  return writtenInstant(dates, ms);
}
