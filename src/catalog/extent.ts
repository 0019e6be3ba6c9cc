import { axisOf, isGeographic, isTime, type ProductFacts } from "./facts.ts";

/** West, south, east, north in degrees. West may be larger than east: then the box crosses the antimeridian (RFC 7946, 5.2). */
export type Box = readonly [number, number, number, number];

/** Where a product is, as the dataset file says or else its coordinates; undefined where neither does. */
export function boxOf({ about, groups }: ProductFacts): Box | undefined {
  if (about.extent !== undefined) return about.extent;
  const ranges = groups.flatMap(({ arrays }) => arrays.filter((array) => array.range !== undefined && isGeographic(array)));
  const along = (axis: "x" | "y"): readonly [number, number] | undefined => {
    const some = ranges.filter((array) => axisOf(array) === axis).map(({ range }) => range as readonly [number, number]);
    return some.length === 0 ? undefined : [Math.min(...some.map(([least]) => least)), Math.max(...some.map(([, most]) => most))];
  };
  const [x, y] = [along("x"), along("y")];
  if (x === undefined || y === undefined || y[0] < -90 || y[1] > 90) return undefined;
  const turned = (degrees: number): number => ((((degrees + 180) % 360) + 360) % 360) - 180;
  // From 0 to 359.75 is all around; from -180 to 180 too.
  const isAround = x[1] - x[0] > 355;
  const isPlain = x[0] >= -180 && x[1] <= 180;
  const [west, east] = isAround ? [-180, 180] : isPlain ? x : [turned(x[0]), turned(x[1])];
  return [west, y[0], east, y[1]];
}

/** First and last instant of a product, milliseconds since 1970; undefined while it holds none. */
export function spanOf({ groups, product }: ProductFacts): readonly [number, number] | undefined {
  const times = groups.flatMap(({ arrays }) => arrays.filter((array) => array.range !== undefined && isTime(array)));
  const own = times.filter(({ name }) => name === product.axis.slice(product.axis.lastIndexOf("/") + 1));
  const ranges = (own.length > 0 ? own : times).map(({ range }) => range as readonly [number, number]);
  if (ranges.length === 0) return undefined;
  return [Math.min(...ranges.map(([first]) => first)), Math.max(...ranges.map(([, last]) => last))];
}

/** A box as GeoJSON. */
export function geometryOf([west, south, east, north]: Box): unknown {
  const ring = (from: number, to: number): number[][][] => [
    [
      [from, south],
      [to, south],
      [to, north],
      [from, north],
      [from, south],
    ],
  ];
  if (west <= east) return { type: "Polygon", coordinates: ring(west, east) };
  return { type: "MultiPolygon", coordinates: [ring(west, 180), ring(-180, east)] };
}
