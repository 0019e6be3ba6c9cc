import { type Scan, scan } from "../../src/scan/index.ts";
import { type Attribute, type File, netcdf3Bytes } from "../formats/netcdf3/netcdf3-bytes.ts";
import { memoryReader } from "../storage/memory-reader.ts";

type Variable = NonNullable<File["variables"]>[number];

export interface MadeGranule {
  /** Seconds since 1970, one for each step. Default: 2017-06-05T12:00:00Z. */
  readonly seconds?: readonly number[];
  /** The value of every cell of `sst`, by step. Default: the step's number. */
  readonly value?: (step: number) => number;
  /** Time without a dimension, and data without it. */
  readonly isScalar?: boolean;
  readonly timeUnits?: string;
  readonly calendar?: string;
  readonly timeAttributes?: readonly Attribute[];
  readonly latitudes?: readonly number[];
  /** Replaces, adds or (undefined) removes attributes of `sst`. */
  readonly sst?: Readonly<Record<string, Attribute | undefined>>;
  readonly crs?: readonly Attribute[];
  readonly title?: string;
  readonly more?: readonly Variable[];
  readonly without?: readonly string[];
  readonly type?: "int16" | "int32" | "float32";
}

const NOON = Date.UTC(2017, 5, 5, 12) / 1000;
const SST_ATTRIBUTES: readonly Attribute[] = [
  ["_FillValue", "int16", [-32768]],
  ["units", "char", "K"],
  ["scale_factor", "float32", [0.01]],
  ["add_offset", "float32", [273.15]],
  ["grid_mapping", "char", "crs"],
  ["long_name", "char", "sea surface temperature"],
];

/** A NetCDF3 granule: `sst(time, lat, lon)` of 2 by 3 cells, its coordinates, a grid mapping and a scalar `depth`. */
export function granuleBytes(options: MadeGranule = {}): Uint8Array {
  const { seconds = [NOON], isScalar = false, latitudes = [10, 20], type = "int16", without = [] } = options;
  const value = options.value ?? ((step: number) => step);
  const attributes = new Map(SST_ATTRIBUTES.map((attribute) => [attribute[0], attribute]));
  if (type !== "int16") attributes.set("_FillValue", ["_FillValue", type, [-999]]);
  for (const [name, attribute] of Object.entries(options.sst ?? {})) {
    if (attribute === undefined) attributes.delete(name);
    else attributes.set(name, attribute);
  }
  const field = (step: number): number[] => Array.from({ length: latitudes.length * 3 }, () => value(step));
  const sst = { name: "sst", type, attributes: [...attributes.values()] };
  const time = {
    name: "time",
    type: "int32" as const,
    attributes: [
      ["units", "char", options.timeUnits ?? "seconds since 1970-01-01 00:00:00"],
      ["standard_name", "char", "time"],
      ["calendar", "char", options.calendar ?? "standard"],
      ...(options.timeAttributes ?? []),
    ] as Attribute[],
  };
  const variables: Variable[] = [
    isScalar
      ? { ...sst, dimensions: [1, 2], values: field(0) }
      : { ...sst, dimensions: [0, 1, 2], recordValues: seconds.map((_, step) => field(step)) },
    isScalar ? { ...time, values: seconds } : { ...time, dimensions: [0], recordValues: seconds.map((second) => [second]) },
    { name: "lat", type: "float32", dimensions: [1], attributes: [["units", "char", "degrees_north"]], values: latitudes },
    { name: "lon", type: "float32", dimensions: [2], attributes: [["units", "char", "degrees_east"]], values: [1, 2, 3] },
    {
      name: "crs",
      type: "int32",
      attributes: options.crs ?? [
        ["grid_mapping_name", "char", "latitude_longitude"],
        ["semi_major_axis", "float64", [6378137]],
      ],
      values: [0],
    },
    { name: "depth", type: "float32", attributes: [["units", "char", "m"]], values: [0.5] },
    ...(options.more ?? []),
  ];
  return netcdf3Bytes({
    records: isScalar ? 0 : seconds.length,
    dimensions: [
      ["time", 0],
      ["lat", latitudes.length],
      ["lon", 3],
      ["bnds", 2],
    ],
    attributes: [["title", "char", options.title ?? "made for tests"]],
    variables: variables.filter(({ name }) => !without.includes(name)),
  }).bytes;
}

export function scanGranule(options: MadeGranule = {}): Promise<Scan> {
  return scan(memoryReader(granuleBytes(options)));
}
