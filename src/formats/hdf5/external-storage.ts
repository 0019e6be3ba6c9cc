import { FreshetError } from "../../errors/index.ts";
import type { RangeReader } from "../../storage/range-reader.ts";
import { ChunkManifestBuilder, chunkGrid } from "../../virtual/index.ts";
import { subdivide } from "../subdivision.ts";
import { readLocalHeap } from "./local-heap.ts";
import { type ExternalFiles, readExternalFiles } from "./messages/external-files.ts";
import type { HeaderMessage } from "./object-header.ts";
import type { OpenHdf5 } from "./open-hdf5.ts";
import type { StoredArray } from "./storage.ts";
import { type StoredChunks, unfiltered } from "./stored-chunks.ts";

/** Bytes of the dataset from `start` on are in a file from `offset` on. */
interface Piece {
  readonly start: number;
  readonly end: number;
  readonly reader: RangeReader;
  readonly offset: number;
}

/**
 * The values of a dataset in other files: one behind the other, as a contiguous dataset. A chunk that one file holds is a reference into it;
 * one that goes on in the next, or beyond the end of a file (libhdf5 reads zeros there), is inlined.
 * @throws FreshetError `unsupported` where the files may not be opened or are not there, or too much would have to be inlined.
 */
export async function readExternalStorage(open: OpenHdf5, message: HeaderMessage, array: StoredArray): Promise<StoredChunks> {
  const { dataspace, elementSize, innerRank } = array;
  const list = readExternalFiles(open.file, await open.shared.open(message));
  const bytes = dataspace.elements * elementSize;
  const pieces = await openPieces(open, list, bytes);
  const chunkShape = subdivide(dataspace.shape, elementSize, open.chunkBytes);
  const grid = chunkGrid(dataspace.shape, chunkShape);
  const cells = grid.reduce((product, count) => product * count, 1);
  open.file.claimCells(cells);
  const builder = new ChunkManifestBuilder([...grid, ...new Array<number>(innerRank).fill(1)]);
  const length = cells === 0 ? 0 : bytes / cells;
  for (let cell = 0; cell < cells; cell++) {
    const start = cell * length;
    const piece = pieces.find((one) => one.start <= start && one.end >= start + length);
    const offset = piece === undefined ? 0 : piece.offset + start - piece.start;
    if (piece !== undefined && offset + length <= piece.reader.size) builder.setRange(cell, piece.reader.uri, offset, length);
    else builder.setInline(cell, await gather(open, pieces, start, length));
  }
  return unfiltered(chunkShape, builder.build());
}

async function openPieces(open: OpenHdf5, { heapAddress, slots }: ExternalFiles, bytes: number): Promise<readonly Piece[]> {
  const names = await readLocalHeap(open.file, heapAddress);
  const pieces: Piece[] = [];
  let start = 0;
  for (const slot of slots) {
    if (start >= bytes) break;
    const name = names.text(slot.name);
    const reader = await open.others.open(name, "its values are in other files (external storage)");
    if (reader === undefined) {
      throw new FreshetError("unsupported", "its values are in another file, which is not there", {
        found: JSON.stringify(name),
      });
    }
    const end = slot.bytes === undefined ? bytes : Math.min(bytes, start + slot.bytes);
    pieces.push({ start, end, reader, offset: slot.offset });
    start = end;
  }
  if (start < bytes) {
    throw new FreshetError("malformed", "the external files have less room than the elements take", {
      found: `${start} bytes`,
      expected: `${bytes} bytes`,
    });
  }
  return pieces;
}

async function gather(open: OpenHdf5, pieces: readonly Piece[], start: number, length: number): Promise<Uint8Array> {
  if (length > open.inlineBytes) {
    throw new FreshetError(
      "unsupported",
      "a chunk lies in several external files, or beyond the end of one, and is too large to inline",
      {
        found: `${length} bytes`,
        expected: `at most ${open.inlineBytes} (inlineBytes)`,
      },
    );
  }
  open.file.claimInlined(length);
  const chunk = new Uint8Array(length);
  for (const piece of pieces) {
    const from = Math.max(start, piece.start);
    const offset = piece.offset + from - piece.start;
    const count = Math.min(Math.min(start + length, piece.end) - from, piece.reader.size - offset);
    if (count > 0) chunk.set(await piece.reader.read(offset, count, open.file.signal), from - start);
  }
  return chunk;
}
