import { FreshetError } from "../../errors/index.ts";
import { type ChunkManifest, ChunkManifestBuilder } from "../../virtual/index.ts";
import { MAX_INLINED_TEXT_BYTES, MAX_INLINED_TEXT_ELEMENTS } from "./limits.ts";
import type { OpenHdf5 } from "./open-hdf5.ts";
import type { StoredChunks } from "./stored-chunks.ts";
import { decodeText, withoutPadding } from "./text.ts";
import { unpackedChunks } from "./unpacked-chunks.ts";

/**
 * Text of variable length stands in the global heap, where no byte range of a chunk reaches it: the chunks are read, followed into the
 * heap, and encoded anew as `vlen-utf8`.
 * @throws FreshetError `unsupported` where there is more of it than is put into references.
 */
export async function inlineText(open: OpenHdf5, stored: StoredChunks, elementsPerChunk: number): Promise<ChunkManifest> {
  const { ranges, inlined } = stored.manifest.counts();
  const elements = (ranges + inlined) * elementsPerChunk;
  if (elements > MAX_INLINED_TEXT_ELEMENTS) throw tooMuch(`${elements} elements`, `at most ${MAX_INLINED_TEXT_ELEMENTS}`);
  const builder = new ChunkManifestBuilder(stored.manifest.grid);
  let bytes = 0;
  for await (const [cell, pointers] of unpackedChunks(open, stored, elementsPerChunk * open.globalHeap.elementSize)) {
    const items = await readItems(open, pointers, elementsPerChunk);
    const chunk = encodeVlenUtf8(items);
    bytes += chunk.length - 4 * (1 + items.length);
    if (bytes > MAX_INLINED_TEXT_BYTES) throw tooMuch(`more than ${bytes} bytes`, `at most ${MAX_INLINED_TEXT_BYTES}`);
    open.file.claimInlined(chunk.length);
    builder.setInline(cell, chunk);
  }
  return builder.build();
}

function tooMuch(found: string, expected: string): FreshetError {
  return new FreshetError("unsupported", "text of variable length is inlined, and this is too much", { found, expected });
}

async function readItems(open: OpenHdf5, pointers: Uint8Array, count: number): Promise<Uint8Array[]> {
  const cursor = open.file.cursor(pointers, 0);
  const items: Uint8Array[] = [];
  for (let index = 0; index < count; index++) {
    const bytes = withoutPadding(await open.globalHeap.read(cursor, 1), "nul-terminated");
    items.push(asUtf8(bytes));
  }
  return items;
}

const ENCODER = new TextEncoder();

/** As they are if they are UTF-8, which nearly all are; else what they mean in Latin-1. */
function asUtf8(bytes: Uint8Array): Uint8Array {
  return bytes.every((byte) => byte < 0x80) ? bytes : ENCODER.encode(decodeText(bytes));
}

/** numcodecs' `vlen-utf8`: the number of items, then for each its length and its bytes; lengths are little-endian 32-bit. */
function encodeVlenUtf8(items: readonly Uint8Array[]): Uint8Array {
  const chunk = new Uint8Array(items.reduce((total, item) => total + 4 + item.length, 4));
  const view = new DataView(chunk.buffer);
  view.setUint32(0, items.length, true);
  let at = 4;
  for (const item of items) {
    view.setUint32(at, item.length, true);
    chunk.set(item, at + 4);
    at += 4 + item.length;
  }
  return chunk;
}
