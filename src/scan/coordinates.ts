import { arraysOf, textOf, type VirtualArray, type VirtualGroup } from "../virtual/index.ts";

/** CF attributes whose words name other variables that belong to a variable's coordinates. */
const NAMING_ATTRIBUTES = ["coordinates", "bounds", "climatology", "grid_mapping"];

/**
 * The absolute paths of the arrays whose values say where and when the data are: 1-D arrays named like their dimension, numeric
 * scalars, and what the attributes `coordinates`, `bounds`, `climatology` and `grid_mapping` name (CF conventions 5, 5.6, 7.1),
 * looked for in the group of the naming array and then in the groups above it.
 */
export function coordinatePaths(root: VirtualGroup): Set<string> {
  const arrays = new Map(arraysOf(root));
  const found = new Set<string>();
  for (const [path, array] of arrays) {
    if (isOwnCoordinate(array)) found.add(path);
    for (const attribute of NAMING_ATTRIBUTES) {
      for (const name of namesIn(textOf(array.attributes, attribute) ?? "")) {
        const named = resolve(name, path, arrays);
        if (named !== undefined) found.add(named);
      }
    }
  }
  for (const name of namesIn(textOf(root.attributes, "coordinates") ?? "")) if (arrays.has(`/${name}`)) found.add(`/${name}`);
  return found;
}

/** Of these, those that say where their own dimension is: 1-D arrays named like it, and numeric scalars. */
export function dimensionPaths(root: VirtualGroup): Set<string> {
  return new Set([...arraysOf(root)].filter(([, array]) => isOwnCoordinate(array)).map(([path]) => path));
}

function isOwnCoordinate(array: VirtualArray): boolean {
  if (array.shape.length === 0) return array.dataType.kind === "number";
  return array.shape.length === 1 && array.dimensionNames[0] === array.name;
}

/**
 * The absolute paths of the arrays that lack the dimension of these coordinates (paths from the root): what is the same in every file of a
 * series. None where a coordinate is absent or a scalar: then a dimension says nothing.
 */
export function pathsWithout(root: VirtualGroup, axes: readonly string[]): Set<string> {
  const dimensions = axes
    .map((axis) => root.arrays.get(axis))
    .map((array) => array?.shape.length === 1 && array.dimensionNames[0]);
  const without = [...arraysOf(root)].filter(([, { dimensionNames }]) =>
    dimensions.every((name) => typeof name === "string" && !dimensionNames.includes(name)),
  );
  return new Set(axes.length === 0 ? [] : without.map(([path]) => path));
}

/** `crs: x y` (the extended form of grid_mapping) names crs, x and y. */
function namesIn(text: string): string[] {
  return text
    .split(/\s+/)
    .map((word) => word.replace(/:$/, ""))
    .filter((word) => word !== "");
}

function resolve(name: string, from: string, arrays: ReadonlyMap<string, VirtualArray>): string | undefined {
  if (name.startsWith("/")) return arrays.has(name) ? name : undefined;
  let group = from;
  while (group !== "") {
    group = group.slice(0, group.lastIndexOf("/"));
    if (arrays.has(`${group}/${name}`)) return `${group}/${name}`;
  }
  return undefined;
}
