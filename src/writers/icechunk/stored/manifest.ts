import type { FlatTable } from "./flat-table.ts";
import { ID_BYTES, objectName } from "./object-id.ts";
import { notKnown, readStoredFile } from "./stored-file.ts";

/** Fields of `Manifest`, `ArrayManifest` and `ChunkRef`, by their place in Icechunk's schema (manifest.fbs). */
const ARRAYS = 1;
const REFERENCES = 1;
const INLINE = 1;
const CHUNK_ID = 4;
const LOCATION = 5;
const COMPRESSED_LOCATION = 8;

/**
 * Names of the chunk files that a manifest's references need; one for each reference to such a file.
 * @param uri where the bytes come from, for errors.
 * @throws FreshetError `corrupt`; `unsupported` also for a reference that is neither inline, nor to a file of the store, nor to a
 * source: a kind that did not exist yet may need files that are not seen here.
 */
export function chunksOfManifest(bytes: Uint8Array, uri: string): Promise<string[]> {
  return readStoredFile(bytes, "manifest", uri, (manifest) => {
    const names: string[] = [];
    for (const array of manifest.tables(ARRAYS)) {
      for (const reference of array.tables(REFERENCES)) {
        const name = chunkOf(reference);
        if (name !== undefined) names.push(name);
      }
    }
    return names;
  });
}

function chunkOf(reference: FlatTable): string | undefined {
  const id = reference.struct(CHUNK_ID, ID_BYTES);
  if (id !== undefined) return objectName(id);
  if (reference.has(INLINE) || reference.has(LOCATION) || reference.has(COMPRESSED_LOCATION)) return undefined;
  throw notKnown("a reference of an unknown kind", "inline, native or virtual");
}
