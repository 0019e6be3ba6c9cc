import type { S3Access } from "./s3-access.ts";

/** What every further form of a product has. */
interface AnyForm {
  /** Where it is published: `file:///…` or `s3://bucket/…`, without a final `/`. */
  readonly to: string;
  /** How `s3://` is reached; undefined where defaults do. */
  readonly s3?: S3Access | undefined;
  /** How often it is written at most; 0: with every version. */
  readonly everyMs: number;
  /** Prefixes of uris and what stands for each in the references. */
  readonly map: Readonly<Record<string, string>>;
}

/** References as one JSON document for each version. */
export interface KerchunkJsonForm extends AnyForm {
  readonly kind: "kerchunk-json";
  /** The one view of a forecast that it shows at its root, as its group is called: `best`, `offset/6h`. Undefined: all that there is. */
  readonly view?: string | undefined;
  readonly compress: "none" | "zstd";
}

/** References as partitions of Parquet, a folder for each version. */
export interface KerchunkParquetForm extends AnyForm {
  readonly kind: "kerchunk-parquet";
  /** The one view of a forecast that it shows at its root, as its group is called: `best`, `offset/6h`. Undefined: all that there is. */
  readonly view?: string | undefined;
  /** References to a partition. */
  readonly records: number;
}

/** One JSON document for each granule of the product; no versions. */
export interface GranuleReferencesForm extends AnyForm {
  readonly kind: "references";
  /** Path of a granule's document below `to`, with fields of its name, `{key}` and `{file}`. */
  readonly each: string;
}

/** What a catalogue says of a dataset that its files do not. */
export interface CatalogAbout {
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  /** An SPDX identifier, or `other`. */
  readonly license: string;
  readonly keywords?: readonly string[] | undefined;
  readonly providers?:
    | readonly { readonly name: string; readonly roles?: readonly string[] | undefined; readonly url?: string | undefined }[]
    | undefined;
  /** West, south, east, north in degrees; undefined: as the coordinates say. */
  readonly extent?: readonly [number, number, number, number] | undefined;
}

/** A STAC collection, and an item for each version. */
export interface StacForm extends AnyForm {
  readonly kind: "stac";
  readonly about: CatalogAbout;
}

/** Entries in a dataset map of xreds, which others may write too; `to` is the file. */
export interface XredsForm extends AnyForm {
  readonly kind: "xreds";
}

/** What is published of a product beside its store. */
export type Form = KerchunkJsonForm | KerchunkParquetForm | GranuleReferencesForm | StacForm | XredsForm;
