import { type ArrayFacts, axisOf, type GroupFacts, isTime } from "./facts.ts";

/** `cube:dimensions` and `cube:variables` of a dataset. Facts: STAC extension datacube 2.2.0. */
export interface Datacube {
  readonly "cube:dimensions": Readonly<Record<string, unknown>>;
  readonly "cube:variables": Readonly<Record<string, unknown>>;
}

export function datacubeOf({ arrays, attributes: ofGroup }: GroupFacts): Datacube {
  const lengths = new Map<string, number>();
  for (const { dimensions, shape } of arrays)
    for (const [at, name] of dimensions.entries()) lengths.set(name, shape[at] as number);
  const coordinate = (name: string): ArrayFacts | undefined =>
    arrays.find((array) => array.name === name && array.dimensions.length === 1 && array.dimensions[0] === name);
  const dimensions = [...lengths].map(([name, length]) => [name, dimensionOf(coordinate(name), length)] as const);
  const naming = [ofGroup, ...arrays.map(({ attributes }) => attributes)];
  const named = new Set(naming.flatMap(({ coordinates }) => String(coordinates ?? "").split(/\s+/)));
  const variables = arrays.flatMap((array) => {
    if (coordinate(array.name) === array) return [];
    const isAuxiliary = named.has(array.name) || isTime(array) || array.dimensions.length === 0;
    return [[array.name, variableOf(array, isAuxiliary ? "auxiliary" : "data")] as const];
  });
  return { "cube:dimensions": Object.fromEntries(dimensions), "cube:variables": Object.fromEntries(variables) };
}

function dimensionOf(array: ArrayFacts | undefined, length: number): unknown {
  const index = { type: "index", extent: [0, Math.max(0, length - 1)] };
  if (array?.range === undefined) return index;
  const { range, attributes } = array;
  const unit = typeof attributes.units === "string" ? { unit: attributes.units } : {};
  if (isTime(array)) return { type: "temporal", extent: range.map((ms) => new Date(ms).toISOString()) };
  const axis = axisOf(array);
  if (axis !== undefined) return { type: "spatial", axis, extent: [...range], ...(axis === "z" ? unit : {}) };
  return { type: array.name, extent: [...range], ...unit };
}

function variableOf({ dimensions, shape, attributes }: ArrayFacts, type: "data" | "auxiliary"): unknown {
  const { units, long_name: long, standard_name: standard } = attributes;
  const description = [long, standard].find((text) => typeof text === "string");
  return {
    dimensions: [...dimensions],
    type,
    ...(description === undefined ? {} : { description }),
    ...(typeof units === "string" ? { unit: units } : {}),
    shape: [...shape],
  };
}
