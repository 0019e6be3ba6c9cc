/** Chunks of one variable in all: what is larger than so many wanted chunks is cut into larger ones. */
const MOST_PIECES = 2 ** 16;

/** How far a chunk may stay below the wanted size before a larger one is taken. */
const SMALLEST_PART = 16;

/**
 * The shape of the chunks into which an array stored in one piece, in C order, is cut: whole on its fast axes, and on its slow ones no larger
 * than makes about `wantedBytes`. Every length divides that of the array, so that no chunk is cut at an edge, files can follow
 * each other along the axis, and the shape depends on nothing but the array's.
 * `shape` without zeros becomes a shape of the same rank, each length at least 1.
 */
export function subdivide(shape: readonly number[], elementBytes: number, wantedBytes: number): number[] {
  const bytes = shape.reduce((product, length) => product * length, elementBytes);
  const chunk = shape.map((length) => Math.max(1, length));
  if (bytes <= wantedBytes || shape.includes(0)) return chunk;
  const wanted = Math.max(wantedBytes, bytes / MOST_PIECES);
  let inner = bytes;
  for (const [axis, length] of shape.entries()) {
    inner /= length;
    if (inner > wanted) {
      chunk[axis] = 1;
      continue;
    }
    chunk[axis] = divisorNear(length, wanted / inner);
    break;
  }
  return chunk;
}

/** The largest divisor of `length` that is at most `wanted` if it is not much smaller, else the smallest one that is larger. */
function divisorNear(length: number, wanted: number): number {
  const fewest = Math.ceil(length / wanted);
  const most = Math.min(SMALLEST_PART * fewest, MOST_PIECES, length);
  for (let pieces = fewest; pieces <= most; pieces++) if (length % pieces === 0) return length / pieces;
  for (let pieces = Math.min(fewest, MOST_PIECES); pieces > 1; pieces--) if (length % pieces === 0) return length / pieces;
  return length;
}
