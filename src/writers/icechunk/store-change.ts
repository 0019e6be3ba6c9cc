import type { SourceIdentity } from "../../storage/index.ts";

/** A chunk that stays where it is. */
export interface VirtualChunk {
  /** Place in the chunk grid. */
  readonly index: readonly number[];
  readonly uri: string;
  readonly offset: number;
  readonly length: number;
  /** What readers hold the source against. */
  readonly source: SourceIdentity;
}

/** A chunk whose encoded bytes are kept in the store. */
export interface NativeChunk {
  readonly index: readonly number[];
  readonly bytes: Uint8Array;
}

/** One whose bytes are read when they are written: there may be more of them than fit into memory. */
export interface CopiedChunk {
  readonly index: readonly number[];
  readonly read: () => Promise<Uint8Array>;
}

/** The encoded bytes of a chunk that is kept in the store. */
export function chunkBytes(chunk: NativeChunk | CopiedChunk): Promise<Uint8Array> {
  return "read" in chunk ? chunk.read() : Promise.resolve(chunk.bytes);
}

/**
 * Rows (elements along the first dimension) of an array that is stored raw, little-endian, many rows to a chunk. The chunk is
 * read, changed and written back.
 */
export interface RowPatch {
  /** Rows to a chunk. */
  readonly rowsPerChunk: number;
  /** Bytes of what a row reads as before anybody writes it; its length is the length of a row. */
  readonly fill: Uint8Array;
  /** By row. */
  readonly rows: ReadonlyMap<number, Uint8Array>;
  /** Chunk grid indices after the first dimension: all zero, since a row is never divided. */
  readonly trailing: number;
  /** Rows are texts in UTF-8, one element each, in chunks of `vlen-utf8`. */
  readonly isText?: boolean;
}

/** What one publication does to one array. */
export interface ArrayChange {
  /** `/group/name`. */
  readonly path: string;
  /** Its whole `zarr.json`. */
  readonly metadata: string;
  readonly virtual: readonly VirtualChunk[];
  readonly native: readonly (NativeChunk | CopiedChunk)[];
  /** Chunks that must not be there any more. */
  readonly erase: readonly (readonly number[])[];
  readonly patch: RowPatch | undefined;
}

/** What one publication does to the store. Groups come before what is in them. */
export interface StoreChange {
  /** Groups that leave with all that is in them: `/run/20240901T0600Z`. */
  readonly removed?: readonly string[] | undefined;
  readonly groups: readonly { readonly path: string; readonly metadata: string }[];
  readonly arrays: readonly ArrayChange[];
}
