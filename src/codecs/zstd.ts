import { registry } from "zarrita";
import { FreshetError } from "../errors/index.ts";

/**
 * Decodes one zstd frame that says how long it is, as all do that were made from a buffer. `most` bounds the decoded bytes.
 * @throws FreshetError `malformed`, also for a frame without a length.
 */
export async function unzstd(bytes: Uint8Array, most: number): Promise<Uint8Array> {
  const length = contentSize(bytes);
  if (length === undefined || length > most) {
    throw new FreshetError("malformed", "a zstd frame does not fit its chunk", {
      found: length === undefined ? "no length" : `${length} bytes`,
      expected: `at most ${most} bytes`,
    });
  }
  const zstd = await registry.get("zstd")?.();
  if (zstd === undefined) throw new FreshetError("unsupported", "there is no zstd decoder");
  const codec = zstd.fromConfig({ level: 1 }, undefined as never);
  try {
    return (await codec.decode(bytes as never)) as unknown as Uint8Array;
  } catch (cause) {
    throw new FreshetError("malformed", "a chunk is not zstd data", { cause });
  }
}

const MAGIC = 0xfd2fb528;

/** Frame_Content_Size (RFC 8878, 3.1.1.1.4), undefined where the frame has none. @throws FreshetError `malformed` without a frame. */
function contentSize(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < 6 || view.getUint32(0, true) !== MAGIC) throw new FreshetError("malformed", "a chunk is not zstd data");
  const descriptor = view.getUint8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const at = 5 + (isSingleSegment ? 0 : 1) + ([0, 1, 2, 4][descriptor & 0x03] as number);
  const width = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
  if (width === 0) return undefined;
  if (at + width > view.byteLength) throw new FreshetError("malformed", "a chunk is not zstd data");
  switch (width) {
    case 1:
      return view.getUint8(at);
    case 2:
      return view.getUint16(at, true) + 256;
    case 4:
      return view.getUint32(at, true);
    default:
      return Number(view.getBigUint64(at, true));
  }
}
