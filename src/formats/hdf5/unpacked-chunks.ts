import type { ChunkManifest } from "../../virtual/index.ts";
import type { OpenHdf5 } from "./open-hdf5.ts";
import { unpackChunk } from "./stored-chunk.ts";
import type { StoredChunks } from "./stored-chunks.ts";

/**
 * Reads the chunks of the cells that `wanted` names, and unpacks them to `chunkBytes` bytes each.
 * @throws FreshetError `malformed`, `unsupported`, and what the reader throws.
 */
export async function* unpackedChunks(
  open: OpenHdf5,
  stored: StoredChunks,
  chunkBytes: number,
  wanted: (cell: number) => boolean = () => true,
): AsyncGenerator<readonly [cell: number, bytes: Uint8Array]> {
  const { manifest } = stored;
  for (let cell = 0; cell < manifest.cells; cell++) {
    if (!isPresent(manifest, cell) || !wanted(cell)) continue;
    const reference = manifest.at(cell);
    if (reference.kind === "missing") continue;
    const bytes = reference.kind === "inline" ? reference.bytes : await open.readRange(reference, 2 * chunkBytes + 2 ** 16);
    yield [cell, await unpackChunk(bytes, stored.filtersOf(cell), chunkBytes)];
  }
}

/** True for a cell that is not missing; does not make an object of it, as grids of millions of cells are mostly empty. */
export function isPresent(manifest: ChunkManifest, cell: number): boolean {
  return (manifest.uriIndex[cell] as number) < manifest.uris.length || manifest.inlined.has(cell);
}
