import { FreshetError, isFreshetError } from "../errors/index.ts";
import { reached } from "../steps/index.ts";
import { isSameState, type RangeReader, type S3Bucket, type SourceIdentity, type UploadedPart } from "../storage/index.ts";
import { ChecksumCheck } from "./checksum.ts";
import type { CopyOptions } from "./copy-options.ts";
import { tidyAbandoned } from "./tidy-abandoned.ts";
import { wholePieces } from "./whole-pieces.ts";

const MIB = 1024 * 1024;
/** What is shorter goes in one request. A copy holds two parts: one that fills while the other is sent. */
const PART_BYTES = 8 * MIB;
/** S3 takes so many to an upload. */
const MOST_PARTS = 10_000;
/** For giving an upload up, when whoever asked for it has gone. */
const LAST_WORD_MS = 10_000;

/** An upload that was not finished: what the next attempt goes on with. It travels through Temporal, and is small. */
export interface PartialUpload {
  readonly upload: string;
  readonly partBytes: number;
  /** Of what state of the source its parts are. */
  readonly identity: SourceIdentity;
}

/** What an earlier attempt has said of its upload; undefined for anything else. */
export function partialUploadOf(told: unknown): PartialUpload | undefined {
  if (typeof told !== "object" || told === null) return undefined;
  const { upload, partBytes, identity } = told as Partial<PartialUpload>;
  const isOne =
    typeof upload === "string" &&
    /^[\x21-\x7e]{1,1024}$/.test(upload) &&
    Number.isSafeInteger(partBytes) &&
    typeof identity === "object" &&
    identity !== null;
  return isOne ? (told as PartialUpload) : undefined;
}

/**
 * Our own copy of a revision as an object, which appears when all its bytes are there and checked, and never changes. One that is there already is not
 * sent again. Parts that an earlier attempt has sent are not sent again either, unless a checksum was announced: it is of all the bytes.
 * @param uri of the copy; it carries the revision's identity.
 * @throws FreshetError `storage` when the bucket does not take it, `source-…` as the source answers.
 */
export async function copyToBucket(
  reader: RangeReader,
  bucket: S3Bucket,
  { uri, mirror }: { readonly uri: string; readonly mirror: string },
  options: CopyOptions<PartialUpload>,
): Promise<void> {
  const { signal } = options;
  await abortAbandoned(bucket, mirror, signal);
  const present = await kept(uri, signal, () => bucket.sizeOf(uri, signal));
  if (present === reader.size) return;
  const onlyNew = present === undefined;
  if (reader.size <= PART_BYTES) {
    const bytes = await wholeOf(reader, options);
    await kept(uri, signal, () => bucket.put(uri, bytes, onlyNew, signal));
  } else await new Upload(reader, bucket, uri, onlyNew, options).run();
  reached("download: copy in place");
}

async function wholeOf(reader: RangeReader, { signal, checksum, onProgress }: CopyOptions<PartialUpload>): Promise<Uint8Array> {
  const bytes = new Uint8Array(reader.size);
  let filled = 0;
  for await (const piece of wholePieces(reader, 0, signal)) {
    bytes.set(piece, filled);
    filled += piece.length;
  }
  if (checksum !== undefined) {
    const check = new ChecksumCheck(checksum);
    check.update(bytes);
    check.finish(reader.uri);
  }
  onProgress(filled);
  return bytes;
}

/** One copy in parts: one is sent while the next one fills. */
class Upload {
  readonly #reader: RangeReader;
  readonly #bucket: S3Bucket;
  readonly #uri: string;
  readonly #onlyNew: boolean;
  readonly #options: CopyOptions<PartialUpload>;
  readonly #check: ChecksumCheck | undefined;
  readonly #parts: UploadedPart[] = [];
  #sending: Promise<void> = Promise.resolve();

  constructor(reader: RangeReader, bucket: S3Bucket, uri: string, onlyNew: boolean, options: CopyOptions<PartialUpload>) {
    this.#reader = reader;
    this.#bucket = bucket;
    this.#uri = uri;
    this.#onlyNew = onlyNew;
    this.#options = options;
    this.#check = options.checksum && new ChecksumCheck(options.checksum);
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    const partial = (await this.#earlier()) ?? (await this.#begun());
    try {
      await this.#fill(partial);
      this.#check?.finish(this.#reader.uri);
      await kept(this.#uri, signal, () => this.#bucket.complete(this.#uri, partial.upload, this.#parts, this.#onlyNew, signal));
    } catch (error) {
      await this.#sending.catch(() => undefined);
      const isForNow = signal.aborted || isFreshetError(error, "source-unavailable", "storage");
      if (!isForNow || this.#check !== undefined || this.#parts.length === 0) await this.#abort(partial.upload);
      throw error;
    }
  }

  /** Reads on behind the parts that are there, and sends the others. */
  async #fill(partial: PartialUpload): Promise<void> {
    const { signal } = this.#options;
    const { partBytes } = partial;
    let filling = Buffer.allocUnsafeSlow(partBytes);
    let spare = Buffer.allocUnsafeSlow(partBytes);
    let filled = 0;
    const flush = async (): Promise<void> => {
      await this.#sending;
      this.#sending = this.#send(partial, filling.subarray(0, filled));
      // Whoever sends next, or ends, is told.
      this.#sending.catch(() => undefined);
      [filling, spare] = [spare, filling];
      filled = 0;
    };
    const pieces = wholePieces(this.#reader, this.#parts.length * partBytes, signal);
    for await (const piece of pieces) {
      this.#check?.update(piece);
      for (let rest = piece; rest.length > 0; ) {
        const taken = rest.subarray(0, partBytes - filled);
        filling.set(taken, filled);
        filled += taken.length;
        rest = rest.subarray(taken.length);
        if (filled === partBytes) await flush();
      }
    }
    if (filled > 0) await flush();
    await this.#sending;
  }

  async #send(partial: PartialUpload, bytes: Uint8Array): Promise<void> {
    const { signal, onProgress, onPart } = this.#options;
    const number = this.#parts.length + 1;
    const part = await kept(this.#uri, signal, () => this.#bucket.putPart(this.#uri, partial.upload, number, bytes, signal));
    this.#parts.push(part);
    reached("download: part copied");
    if (this.#check === undefined) onPart?.(partial);
    onProgress(this.#parts.reduce((sum, { size }) => sum + size, 0));
  }

  async #begun(): Promise<PartialUpload> {
    const { signal } = this.#options;
    const partBytes = Math.max(PART_BYTES, Math.ceil(this.#reader.size / MOST_PARTS / MIB) * MIB);
    const upload = await kept(this.#uri, signal, () => this.#bucket.begin(this.#uri, signal));
    return { upload, partBytes, identity: this.#reader.identity };
  }

  /** What an earlier attempt has left, with its parts taken over; undefined where nothing of it is of use. */
  async #earlier(): Promise<PartialUpload | undefined> {
    const { earlier, signal } = this.#options;
    if (earlier === undefined) return undefined;
    if (this.#check === undefined && isSameState(earlier.identity, this.#reader.identity)) {
      const parts = await kept(this.#uri, signal, () => this.#bucket.partsOf(this.#uri, earlier.upload, signal));
      if (parts === undefined) return undefined;
      // An attempt that was given up may still be sending: its parts are the same bytes.
      for (const part of parts) {
        if (part.number !== this.#parts.length + 1 || part.size !== earlier.partBytes) break;
        this.#parts.push(part);
      }
      return earlier;
    }
    await this.#abort(earlier.upload);
    return undefined;
  }

  /** What cannot be given up now is given up after a day. */
  async #abort(upload: string): Promise<void> {
    await this.#bucket.abort(this.#uri, upload, AbortSignal.timeout(LAST_WORD_MS)).catch(() => undefined);
  }
}

function abortAbandoned(bucket: S3Bucket, mirror: string, signal: AbortSignal): Promise<void> {
  return tidyAbandoned(mirror, (beforeMs) =>
    bucket.abortOld(mirror, beforeMs, signal).catch((error: unknown) => {
      // Where we may not list uploads, or the service cannot, a rule of the bucket has to do it.
      if (!isFreshetError(error)) throw error;
    }),
  );
}

/** What our own bucket answers is not the source's answer. */
async function kept<Result>(uri: string, signal: AbortSignal, ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    if (signal.aborted || !isFreshetError(error)) throw error;
    throw new FreshetError("storage", "the granule could not be copied into the mirror", {
      found: error.facts.found === undefined ? error.summary : `${error.summary} (${error.facts.found})`,
      uri,
      retryAfterMs: error.facts.retryAfterMs,
      remedy: "See that the bucket is there and may be written to (freshet doctor tries it)",
      cause: error,
    });
  }
}
