import { textOf } from "../virtual/index.ts";
import { decodeAxis } from "./axis-time.ts";
import { describeLead } from "./describe-lead.ts";
import type { Drift } from "./granule-schema.ts";
import { type GranuleShape, groupOf } from "./granule-shape.ts";
import { loadedValues } from "./typed-values.ts";

/**
 * That a step's values are of another interval than those of the first granule: accumulated over twelve hours, and not six. Told by the
 * bounds of the time coordinate, as distances from the valid time (CF Conventions 1.11, 7.1 and 7.3). Nothing where either has no bounds
 * that were loaded. Of a first granule whose steps differ among themselves, each one's interval will do.
 */
export function compareIntervals(expected: GranuleShape, found: GranuleShape): Drift[] {
  const known = new Set(intervalsOf(expected));
  if (known.size === 0) return [];
  const other = intervalsOf(found).find((interval) => !known.has(interval));
  if (other === undefined) return [];
  const [first] = known;
  return [{ path: expected.axisPath, fact: "interval around the valid time", found: other, expected: first as string }];
}

/** Of each step, in words: `-6h..0h`. Empty where there are no bounds. */
function intervalsOf(shape: GranuleShape): string[] {
  const axis = shape.arrays.find(({ role }) => role === "axis");
  const name = axis && textOf(axis.array.attributes, "bounds");
  if (name === undefined) return [];
  const bounds = shape.arrays.find(({ path }) => path === `${groupOf(shape.axisPath)}/${name}`);
  const values = bounds && loadedValues(bounds.array);
  if (values === undefined || values.length !== 2 * shape.validMs.length) return [];
  return shape.validMs.map((validMs, step) => {
    const [from, to] = [0, 1].map((end) => decodeAxis(shape, Number(values[2 * step + end])) - validMs);
    return `${describeLead(from as number)}..${describeLead(to as number)}`;
  });
}
