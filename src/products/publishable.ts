import { FreshetError } from "../errors/index.ts";
import { arrayMetadata } from "../writers/icechunk/index.ts";
import { alongGrid } from "./array-change.ts";
import type { GranuleShape } from "./granule-shape.ts";
import { storedValues } from "./typed-values.ts";

/**
 * Whether a product can hold such a granule at all; asked before the first one becomes the template, because a publication
 * that fails holds up all others.
 * @throws FreshetError `unsupported`, naming the array: its chunks would not join, its type has no form that readers share, or
 *   it is the same in every granule for all we know, but nobody has looked.
 */
export function requirePublishable(shape: GranuleShape): void {
  for (const shaped of shape.arrays) {
    const { path, role, array } = shaped;
    try {
      arrayMetadata(array);
      if (role === "along") alongGrid(shaped, shape.validMs.length);
    } catch (error) {
      throw error instanceof FreshetError ? error.at({ path, remedy: "Drop the variable" }) : error;
    }
  }
  const unread = shape.arrays.filter(({ role, array }) => role === "static" && storedValues(array) === undefined);
  if (unread.length > 0) {
    const names = unread.map(({ path }) => (path.lastIndexOf("/") === 0 ? path.slice(1) : path)).join(", ");
    throw new FreshetError("unsupported", "an array without the time axis is kept once, so its values have to be compared", {
      found: `values that were not read, of ${names}`,
      expected: "arrays of at most 8 MiB, of a type and codecs that are decoded here",
      remedy: `Leave them out in the dataset file: \`scan: { drop: [${names}] }\``,
    });
  }
  if (!shape.arrays.some(({ role }) => role === "along" || role === "packed" || role === "whole")) {
    throw new FreshetError("unsupported", "the granule has no array along the time axis", {
      found: shape.arrays.map(({ path }) => path).join(", ") || "no array",
      expected: `an array with the dimension ${shape.dimension}`,
    });
  }
}
