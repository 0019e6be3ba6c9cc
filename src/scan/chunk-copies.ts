import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FreshetError } from "../errors/index.ts";
import { makeFolder } from "../storage/index.ts";

/** A range of a file of copied chunks; `uri` is relative to the store of scans. */
export interface CopiedRange {
  readonly uri: string;
  readonly offset: number;
  readonly length: number;
}

const COPY_URI = /^copies\/[0-9a-f]{2}\/[0-9a-f]{64}$/;

/** Whether a manifest's uri is a file of chunks that were copied, not a source. */
export function isCopyUri(uri: string): boolean {
  return COPY_URI.test(uri);
}

/** Writes the copied chunks of one granule, one after the other, into a file that is there whole or not at all. */
export class ChunkCopies {
  readonly #folder: string;
  readonly #temporary: string;
  readonly #file: FileHandle;
  readonly #hash = createHash("sha256");
  #length = 0;

  private constructor(folder: string, temporary: string, file: FileHandle) {
    this.#folder = folder;
    this.#temporary = temporary;
    this.#file = file;
  }

  static async begin(folder: string): Promise<ChunkCopies> {
    const temporary = join(folder, "copies", `.${randomUUID()}`);
    await makeFolder(dirname(temporary));
    return new ChunkCopies(folder, temporary, await open(temporary, "wx"));
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** Appends a chunk; answers its offset. */
  async add(bytes: Uint8Array): Promise<number> {
    const offset = this.#length;
    await this.#file.writeFile(bytes);
    this.#hash.update(bytes);
    this.#length += bytes.length;
    return offset;
  }

  /** The uri of the file, which is on disk. */
  async finish(): Promise<string> {
    const sha256 = this.#hash.digest("hex");
    const uri = `copies/${sha256.slice(0, 2)}/${sha256}`;
    await this.#file.sync();
    await this.#file.close();
    await makeFolder(dirname(join(this.#folder, uri)));
    await rename(this.#temporary, join(this.#folder, uri));
    return uri;
  }

  /** Leaves nothing behind. */
  async abandon(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.#temporary, { force: true });
  }
}

/** @throws FreshetError `corrupt` where it is not there, or ends before the range does. */
export async function readCopiedRange(folder: string, { uri, offset, length }: CopiedRange): Promise<Uint8Array> {
  const broken = (found: string, cause?: unknown): FreshetError =>
    new FreshetError("corrupt", "a copied chunk cannot be read", {
      found,
      uri,
      offset,
      remedy: "Announce the granule again",
      cause,
    });
  if (!isCopyUri(uri)) throw broken("no address of copied chunks");
  const file = await open(join(folder, uri)).catch((cause: NodeJS.ErrnoException) => {
    throw broken(cause.message, cause);
  });
  try {
    const bytes = new Uint8Array(length);
    const { bytesRead } = await file.read(bytes, 0, length, offset);
    if (bytesRead < length) throw broken(`${bytesRead} bytes of ${length}`);
    return bytes;
  } finally {
    await file.close();
  }
}
