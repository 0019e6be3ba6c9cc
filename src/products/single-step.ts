import { FreshetError } from "../errors/index.ts";
import { ChunkManifestBuilder, type VirtualArray } from "../virtual/index.ts";
import { indices, isRaw } from "./array-change.ts";
import type { ShapedArray } from "./granule-shape.ts";
import type { PlacedGranule } from "./placed-granule.ts";
import { loadedBytes } from "./typed-values.ts";

/**
 * One step of a granule, as a granule without the axis: its arrays lose the dimension, so that a view can give them others.
 * @throws FreshetError `unsupported` for an array whose steps share compressed chunks.
 */
export function singleStep(granule: PlacedGranule, step: number): PlacedGranule {
  const { shape } = granule;
  const arrays = shape.arrays.map((shaped) => withoutAxis(shaped, step));
  return { ...granule, shape: { ...shape, arrays, validMs: [shape.validMs[step] as number] } };
}

/** Whether each step has chunks of its own. @throws FreshetError `unsupported`, naming the array. */
export function requireSingleSteps({ arrays }: PlacedGranule["shape"]): void {
  for (const shaped of arrays) withoutAxis(shaped, 0);
}

function withoutAxis(shaped: ShapedArray, step: number): ShapedArray {
  const { array, axisIndex, isNewAxis, role } = shaped;
  if (role === "static" || axisIndex === undefined) return shaped;
  if (isNewAxis) return shaped;
  const without = <T>(items: readonly T[]): T[] => items.toSpliced(axisIndex, 1);
  const rest = {
    shape: without(array.shape),
    chunkShape: without(array.chunkShape),
    dimensionNames: without(array.dimensionNames),
  };
  const manifest = role === "along" ? manifestOfStep(shaped, axisIndex, step) : rowOf(array, rest.shape, step);
  const chunkShape = role === "along" ? rest.chunkShape : rest.shape.map((length) => Math.max(1, length));
  return { ...shaped, axisIndex: 0, isNewAxis: true, array: { ...array, ...rest, chunkShape, manifest } };
}

/** The chunks of one step. Of uncompressed ones with several steps, its rows. */
function manifestOfStep({ path, array }: ShapedArray, axis: number, step: number): VirtualArray["manifest"] {
  const steps = array.chunkShape[axis] as number;
  if (steps > 1 && !(axis === 0 && isRaw(array))) {
    throw new FreshetError("unsupported", "several leads lie in one chunk, which no reference can cut", {
      found: `chunks of [${array.chunkShape}]`,
      expected: "one step of the axis to a chunk",
      path,
      remedy: "Drop the variable",
    });
  }
  const builder = new ChunkManifestBuilder(array.manifest.grid.toSpliced(axis, 1));
  const wanted = Math.floor(step / steps);
  const row = step % steps;
  let cell = 0;
  let to = 0;
  for (const index of indices(array.manifest.grid)) {
    const reference = array.manifest.at(cell++);
    if (index[axis] !== wanted) continue;
    if (reference.kind === "range") {
      const length = reference.length / steps;
      builder.setRange(to, reference.uri, reference.offset + row * length, length);
    } else if (reference.kind === "inline") {
      const length = reference.bytes.length / steps;
      builder.setInline(to, reference.bytes.subarray(row * length, (row + 1) * length));
    }
    to++;
  }
  return builder.build();
}

/** The row of a coordinate that was loaded. */
function rowOf(array: VirtualArray, rest: readonly number[], step: number): VirtualArray["manifest"] {
  const builder = new ChunkManifestBuilder(rest.map(() => 1));
  const bytes = loadedBytes(array) ?? new Uint8Array(0);
  const length = bytes.length / (array.shape[0] as number);
  builder.setInline(0, bytes.subarray(step * length, (step + 1) * length));
  return builder.build();
}
