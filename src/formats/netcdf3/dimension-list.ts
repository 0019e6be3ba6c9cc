import { type HeaderCursor, LIST_TAGS } from "./header-cursor.ts";

/**
 * dim_list (NetCDF Classic Format Specification): a list with tag NC_DIMENSION of
 *
 *     name
 *     dim_length   NON_NEG   0 marks the record dimension, of which there is at most one
 */
export interface Dimension {
  readonly name: string;
  /** 0 for the record dimension: its length is the number of records. */
  readonly length: number;
  readonly isRecord: boolean;
}

export function readDimensionList(cursor: HeaderCursor): Dimension[] {
  const count = cursor.list(LIST_TAGS.NC_DIMENSION, "the list of dimensions", 8);
  const dimensions: Dimension[] = [];
  const names = new Set<string>();
  let record: string | undefined;
  for (let id = 0; id < count; id++) {
    const name = cursor.name(`the name of dimension ${id}`);
    const length = cursor.nonNegative(`the length of dimension ${quote(name)}`);
    if (names.has(name)) throw cursor.malformed("two dimensions have the same name", quote(name));
    names.add(name);
    if (length === 0) {
      if (record !== undefined)
        throw cursor.malformed("there are two record dimensions", `${quote(record)} and ${quote(name)}`, "at most one");
      record = name;
    }
    dimensions.push({ name, length, isRecord: length === 0 });
  }
  return dimensions;
}

/** A name from a file as an error shows it: quoted, escaped, at most 40 characters of it. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
}
