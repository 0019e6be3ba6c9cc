import { createHash } from "node:crypto";
import type { Announcement } from "../contract/index.ts";
import { FreshetError } from "../errors/index.ts";
import type { RangeReader } from "../storage/index.ts";
import { wholePieces } from "./whole-pieces.ts";

/** Bytes from one word of progress to the next. */
const TOLD_BYTES = 4 * 1024 * 1024;

export type Checksum = NonNullable<Announcement["checksum"]>;

/** Holds bytes against what was announced of them. */
export class ChecksumCheck {
  readonly #announced: Checksum;
  readonly #hash: ReturnType<typeof createHash>;

  constructor(announced: Checksum) {
    this.#announced = announced;
    this.#hash = createHash(announced.algorithm);
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** @throws FreshetError `source-changed` when these were not the bytes. */
  finish(uri: string): void {
    const { algorithm, value } = this.#announced;
    const found = this.#hash.digest("hex");
    if (found === value.toLowerCase()) return;
    throw new FreshetError("source-changed", `the source's ${algorithm} is not the announced one`, {
      found,
      expected: value,
      uri,
    });
  }
}

/** Reads a source from end to end for its checksum. @throws FreshetError `source-changed`, and what reading throws. */
export async function verifyChecksum(
  reader: RangeReader,
  announced: Checksum,
  options: { readonly signal: AbortSignal; readonly onProgress: (done: string) => void },
): Promise<void> {
  const check = new ChecksumCheck(announced);
  let done = 0;
  let told = 0;
  for await (const piece of wholePieces(reader, 0, options.signal)) {
    check.update(piece);
    done += piece.length;
    if (done - told < TOLD_BYTES) continue;
    told = done;
    options.onProgress(`checked ${done} of ${reader.size} bytes`);
  }
  check.finish(reader.uri);
}
