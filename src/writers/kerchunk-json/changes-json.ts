import { chunkBytes, type StoreChange } from "../icechunk/store-change.ts";
import { patchedChunks } from "../row-patch.ts";
import { plainUri } from "../uri-mapping.ts";
import { type Zarr2Entry, Zarr2Metadata } from "../zarr2/index.ts";
import type { KerchunkJsonOptions } from "./kerchunk-json.ts";

/** Characters to a piece: what a stream takes well. */
const PIECE = 65_536;

/** What a form holds. */
export interface WrittenReferences {
  /** Chunks that are ranges of a source. */
  references: number;
  /** Chunks whose bytes stand in the form. */
  inlined: number;
  /** Arrays that the form cannot hold, by path, and why. */
  refused: ReadonlyMap<string, string>;
}

/**
 * A whole content, told as changes of an empty store, as kerchunk references: the same document that `kerchunkJson` writes, in
 * another order. Neither chunks nor references are kept; what is kept is the metadata of each array, and the rows of its
 * coordinates.
 * @param written is filled in at the end.
 */
export async function* changesJson(
  changes: AsyncIterable<StoreChange>,
  written: WrittenReferences,
  { uri = plainUri }: KerchunkJsonOptions = {},
): AsyncGenerator<string> {
  const metadata = new Zarr2Metadata();
  /** Chunks of coordinates by array and index; later parts may change them again. */
  const patched = new Map<string, Map<string, Uint8Array>>();
  const chunks = new Map<string, { cells: number; there: number }>();
  const uris = new Map<string, string>();
  let piece = `{"version":1,"refs":{\n${metadataEntry([".zgroup", { zarr_format: 2 }])}`;
  for await (const { groups, arrays } of changes) {
    for (const { path, metadata: text } of groups) metadata.setGroup(path, text);
    for (const { path, metadata: text, virtual, native, patch } of arrays) {
      const grid = metadata.setArray(path, text);
      if (grid === undefined) continue;
      const count = chunks.get(path) ?? { cells: 0, there: 0 };
      count.cells = grid.reduce((product, length) => product * length, 1);
      count.there += virtual.length + native.length;
      chunks.set(path, count);
      const start = keyStart(path);
      for (const { index, uri: source, offset, length } of virtual) {
        piece += `${start}${keyEnd(index)}[${remembered(uris, source, uri)},${offset},${length}]`;
        if (piece.length < PIECE) continue;
        yield piece;
        piece = "";
      }
      written.references += virtual.length;
      for (const chunk of native) {
        yield `${piece}${start}${keyEnd(chunk.index)}${inlined(await chunkBytes(chunk))}`;
        piece = "";
      }
      written.inlined += native.length;
      if (patch === undefined) continue;
      const known = patched.get(path) ?? new Map<string, Uint8Array>();
      patched.set(path, known);
      for await (const { index, bytes } of patchedChunks(patch, async (at) => known.get(keyEnd(at))))
        known.set(keyEnd(index), bytes);
    }
  }
  for (const [path, known] of patched) {
    for (const [end, bytes] of known) piece += `${keyStart(path)}${end}${inlined(bytes)}`;
    written.inlined += known.size;
    const count = chunks.get(path);
    if (count !== undefined) count.there += known.size;
    yield piece;
    piece = "";
  }
  const hasMissing = (path: string): boolean => {
    const { cells, there } = chunks.get(path) ?? { cells: 0, there: 0 };
    return there < cells;
  };
  for (const entry of metadata.entries(hasMissing)) if (entry[0] !== ".zgroup") piece += `,\n${metadataEntry(entry)}`;
  written.refused = metadata.refused;
  yield `${piece}\n}}\n`;
}

function metadataEntry([key, value]: Zarr2Entry): string {
  return `${JSON.stringify(key)}:${JSON.stringify(JSON.stringify(value))}`;
}

function keyStart(path: string): string {
  return `,\n${JSON.stringify(`${path.slice(1)}/`).slice(0, -1)}`;
}

function keyEnd(index: readonly number[]): string {
  return `${index.join(".") || "0"}":`;
}

function inlined(bytes: Uint8Array): string {
  return `"base64:${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")}"`;
}

/** A granule's uri stands in many references, one after the other. */
function remembered(uris: Map<string, string>, uri: string, uriOf: (uri: string) => string): string {
  const known = uris.get(uri);
  if (known !== undefined) return known;
  if (uris.size >= 1000) uris.clear();
  const text = JSON.stringify(uriOf(uri));
  uris.set(uri, text);
  return text;
}
