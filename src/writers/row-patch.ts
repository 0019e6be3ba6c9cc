import { FreshetError } from "../errors/index.ts";
import type { NativeChunk, RowPatch } from "./icechunk/store-change.ts";
import { decodeTexts, encodeTexts } from "./icechunk/vlen-utf8.ts";

/**
 * The chunks that a patch changes, as they are with it.
 * @param present a chunk as it is now; undefined where there is none.
 * @throws FreshetError `corrupt` for a chunk that is not as long as its rows say.
 */
export async function* patchedChunks(
  { rowsPerChunk, fill, rows, trailing, isText = false }: RowPatch,
  present: (index: readonly number[]) => Promise<Uint8Array | undefined>,
): AsyncGenerator<NativeChunk> {
  const byChunk = Map.groupBy(rows, ([row]) => Math.floor(row / rowsPerChunk));
  for (const [chunk, patches] of byChunk) {
    const index = [chunk, ...new Array<number>(trailing).fill(0)];
    const before = await present(index);
    if (isText) {
      yield { index, bytes: patchedTexts(before, rowsPerChunk, patches) };
      continue;
    }
    const bytes = Buffer.alloc(rowsPerChunk * fill.length);
    if (before !== undefined && before.length !== bytes.length) {
      throw new FreshetError("corrupt", "a stored chunk is not as long as its array says", {
        found: `${before.length} bytes`,
        expected: `${bytes.length} bytes`,
      });
    }
    if (before !== undefined) bytes.set(before);
    else for (let row = 0; row < rowsPerChunk; row++) bytes.set(fill, row * fill.length);
    for (const [row, value] of patches) bytes.set(value, (row % rowsPerChunk) * fill.length);
    yield { index, bytes };
  }
}

function patchedTexts(
  before: Uint8Array | undefined,
  rowsPerChunk: number,
  patches: readonly (readonly [row: number, text: Uint8Array])[],
): Uint8Array {
  const texts = before === undefined ? new Array<string>(rowsPerChunk).fill("") : decodeTexts(before);
  if (texts.length !== rowsPerChunk) {
    throw new FreshetError("corrupt", "a stored chunk is not as long as its array says", {
      found: `${texts.length} texts`,
      expected: `${rowsPerChunk} texts`,
    });
  }
  for (const [row, text] of patches) texts[row % rowsPerChunk] = Buffer.from(text).toString("utf8");
  return encodeTexts(texts);
}
