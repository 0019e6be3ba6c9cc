import type { CatalogAbout, Dataset, Product } from "../dataset/index.ts";

/** An array of a version, as readers see it. */
export interface ArrayFacts {
  readonly name: string;
  readonly dimensions: readonly string[];
  readonly shape: readonly number[];
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Least and largest value of a coordinate, where it was read; of times, milliseconds since 1970. */
  readonly range?: readonly [number, number] | undefined;
}

/** A group of a version that holds arrays: a dataset of its own. */
export interface GroupFacts {
  /** `""` for the root, `best`, `epoch_2/best`. */
  readonly group: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly arrays: readonly ArrayFacts[];
}

/** A form that shows a version, as far as it does. */
export interface FormFacts {
  readonly kind: "kerchunk-json" | "kerchunk-parquet";
  /** What is opened: the version, which never changes. */
  readonly href: string;
  /** The address that is always the newest, where there is one. */
  readonly latest: string | undefined;
  readonly sequence: number;
  readonly references: number;
  readonly view: string | undefined;
  /** Hex SHA-256 and length of what `href` holds, where that was read. */
  readonly sha256: string | undefined;
  readonly bytes: number | undefined;
  readonly isZstd: boolean;
  /** Of the references: `s3`, `https`, `file`. */
  readonly protocol: string;
}

/** What a catalogue says of a published version of a product. */
export interface ProductFacts {
  readonly dataset: Pick<Dataset, "name" | "source" | "products">;
  readonly product: Product;
  readonly about: CatalogAbout;
  readonly sequence: number;
  readonly version: string;
  readonly layoutHash: string;
  readonly granules: number;
  readonly publishedMs: number;
  /** Where references of the store may point. */
  readonly prefixes: readonly string[];
  readonly groups: readonly GroupFacts[];
  readonly forms: readonly FormFacts[];
  /** The item before this one, in the same folder. */
  readonly previousItem: string | undefined;
}

/** Time from units such as `days since 2000-01-01`. */
export function isTime({ attributes }: Pick<ArrayFacts, "attributes">): boolean {
  return typeof attributes.units === "string" && / since /.test(attributes.units);
}

/** CF Conventions 1.11, 4: latitude by its units or standard name, and so on. */
export function axisOf({ attributes, name }: Pick<ArrayFacts, "attributes" | "name">): "x" | "y" | "z" | undefined {
  const { units, standard_name: standard, axis, positive } = attributes;
  if (standard === "longitude" || standard === "projection_x_coordinate" || axis === "X") return "x";
  if (standard === "latitude" || standard === "projection_y_coordinate" || axis === "Y") return "y";
  if (axis === "Z" || positive === "up" || positive === "down") return "z";
  if (typeof units === "string" && /^degrees?_?(east|E)$/.test(units)) return "x";
  if (typeof units === "string" && /^degrees?_?(north|N)$/.test(units)) return "y";
  return /^lon(gitude)?$/i.test(name) ? "x" : /^lat(itude)?$/i.test(name) ? "y" : undefined;
}

/** True for coordinates in degrees of latitude or longitude. */
export function isGeographic({ attributes, name }: Pick<ArrayFacts, "attributes" | "name">): boolean {
  const { units, standard_name: standard } = attributes;
  if (typeof units === "string" && /^degrees?_?(east|north|E|N)$/.test(units)) return !/^grid_/.test(String(standard));
  return standard === "longitude" || standard === "latitude" || (units === undefined && /^(lon|lat)(gitude|itude)?$/i.test(name));
}
