import type { Readable } from "node:stream";
import type { GetObjectCommandInput, GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import { requireInside } from "./file-reader.ts";
import { firstReadOf } from "./first-read.ts";
import { requestTurn } from "./host-turns.ts";
import type { S3KeyGiver } from "./http-credentials.ts";
import type { RangeReader, SourceIdentity } from "./range-reader.ts";
import { anySignal, type Retry, retriedPieces, retriedRead } from "./retried-read.ts";
import { AWS, openS3, type S3Connection, s3Host } from "./s3-client.ts";
import { s3Error } from "./s3-error.ts";
import { type S3Place, s3Place, s3Uri } from "./s3-uri.ts";
import { LIMITS, type SourceLimits } from "./source-limits.ts";
import { describeState, isSameState, stateChanged } from "./source-state.ts";
import { timeLimit } from "./time-limit.ts";

export interface S3ReaderOptions {
  /** Default: AWS in us-east-1, with the credentials of the environment. */
  readonly s3?: S3Connection | undefined;
  /** Whose keys it is asked with. Default: those of the environment. */
  readonly s3Keys?: S3KeyGiver | undefined;
  readonly limits?: SourceLimits | undefined;
  /** How much the opening request reads; reads inside it cost no request. Default: what is known of such sources (`firstReadOf`). */
  readonly firstBytes?: number;
  /** Of reads. The opening is not tried again: nothing is lost by then. */
  readonly retry?: Retry;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens an object of S3, `s3://bucket/key`, for reading by ranges. The opening request reads the first bytes, and its answer tells size,
 * etag and modification time; every later read asks for that etag and no other. `signal` ends the opening and every read.
 * @throws FreshetError `source-missing` (no such object), `source-refused` (forbidden, no such bucket, no credentials, another region, archived),
 *   `source-unavailable` (SlowDown, 5xx, connection and time limits; `retryAfterMs` where the service says so), `usage` for another uri.
 */
export async function openS3Reader(uri: string, options: S3ReaderOptions = {}): Promise<RangeReader> {
  const place = s3Place(uri);
  if (place.key === "" || place.key.endsWith("/")) {
    throw new FreshetError("usage", "a bucket or a folder of it is no object", { found: uri, expected: "s3://bucket/key" });
  }
  return S3Reader.open(place, options);
}

/** One answer with its whole body. */
interface Answer {
  readonly identity: SourceIdentity;
  readonly bytes: Uint8Array;
}

class S3Reader implements RangeReader {
  readonly uri: string;
  readonly size: number;
  readonly identity: SourceIdentity;
  readonly #place: S3Place;
  readonly #options: S3ReaderOptions;
  readonly #head: Uint8Array;

  private constructor(place: S3Place, options: S3ReaderOptions, { identity, bytes }: Answer) {
    this.uri = uriOf(place);
    this.size = identity.size;
    this.identity = identity;
    this.#place = place;
    this.#options = options;
    this.#head = bytes;
  }

  static async open(place: S3Place, options: S3ReaderOptions): Promise<S3Reader> {
    const wanted = options.firstBytes ?? firstReadOf(uriOf(place));
    const answer = await getRange(place, { offset: 0, length: wanted }, {}, options).catch((error: unknown) => {
      // An empty object has no first byte: the range cannot be satisfied.
      if (isFreshetError(error, "source-changed")) return headOfEmpty(place, options, error);
      throw error;
    });
    return new S3Reader(place, options, answer);
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    requireInside(this, offset, length);
    const both = anySignal(signal, this.#options.signal);
    both?.throwIfAborted();
    if (offset + length <= this.#head.length) return this.#head.slice(offset, offset + length);
    if (length === 0) return new Uint8Array(0);
    return retriedRead(() => this.#readOnce(offset, length, both), this.#options.retry, both);
  }

  stream(offset: number, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    requireInside(this, offset, 0);
    const both = anySignal(signal, this.#options.signal);
    return retriedPieces((at) => this.#piecesFrom(at, both), offset, this.#options.retry, both);
  }

  async *#piecesFrom(offset: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    const head = this.#head.subarray(offset);
    if (head.length > 0) yield head;
    const at = offset + head.length;
    if (at === this.size) return;
    const wholeMs = this.#options.limits?.wholeMs ?? LIMITS.wholeMs;
    const options = { ...this.#options, signal, limits: { ...this.#options.limits, readMs: wholeMs } };
    const { identity, pieces, giveUp } = await ask(
      this.#place,
      { offset: at, length: this.size - at },
      this.#condition(),
      options,
    );
    if (isSameState(identity, this.identity)) yield* pieces;
    else {
      giveUp();
      throw stateChanged(describeState(identity), this.identity, this.uri);
    }
  }

  async #readOnce(offset: number, length: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const options = { ...this.#options, signal };
    const { identity, bytes } = await getRange(this.#place, { offset, length }, this.#condition(), options);
    // Not every service looks at the condition.
    if (!isSameState(identity, this.identity)) throw stateChanged(describeState(identity), this.identity, this.uri);
    return bytes;
  }

  #condition(): Pick<GetObjectCommandInput, "IfMatch" | "IfUnmodifiedSince"> {
    const { etag, lastModifiedMs } = this.identity;
    if (etag !== undefined) return { IfMatch: etag };
    return lastModifiedMs === undefined ? {} : { IfUnmodifiedSince: new Date(lastModifiedMs) };
  }

  /** Connections are shared; nothing is held. */
  async close(): Promise<void> {}
}

/** The bytes of a range as far as the object has them, with the identity that the same answer tells. */
async function getRange(
  place: S3Place,
  range: { readonly offset: number; readonly length: number },
  condition: Pick<GetObjectCommandInput, "IfMatch" | "IfUnmodifiedSince">,
  options: S3ReaderOptions,
): Promise<Answer> {
  const { identity, length, pieces } = await ask(place, range, condition, options);
  // Nothing of what was there before is given away, and every byte is read.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  let filled = 0;
  for await (const piece of pieces) {
    bytes.set(piece, filled);
    filled += piece.length;
  }
  return { identity, bytes };
}

/** The request's turn at its host, and its time, last until the pieces have ended: they are to be read, or given up. */
async function ask(
  place: S3Place,
  { offset, length }: { readonly offset: number; readonly length: number },
  condition: Pick<GetObjectCommandInput, "IfMatch" | "IfUnmodifiedSince">,
  { s3 = AWS, s3Keys, limits = {}, signal }: S3ReaderOptions,
) {
  const uri = uriOf(place);
  const { readMs = LIMITS.readMs, stallMs = LIMITS.stallMs } = limits;
  const release = await requestTurn(s3Host(place.bucket, s3), limits, signal);
  const limit = timeLimit(readMs, signal, () => tooSlow(readMs, uri));
  const end = (): void => {
    limit.clear();
    release();
  };
  try {
    const { sdk, client } = await openS3(s3, limits, s3Keys);
    const command = new sdk.GetObjectCommand({
      Bucket: place.bucket,
      Key: place.key,
      Range: `bytes=${offset}-${offset + length - 1}`,
      ...condition,
    });
    const output = await client.send(command, { abortSignal: limit.signal });
    const body = output.Body as Readable;
    const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(output.ContentRange ?? "");
    if (range === null || Number(range[1]) !== offset) {
      body.destroy();
      throw new FreshetError("unsupported", "the service's answer does not say which bytes it holds", {
        found: `content-range ${output.ContentRange ?? "absent"}`,
        expected: `bytes ${offset}-…/size`,
        uri,
      });
    }
    const size = Number(range[3]);
    const expected = Math.min(length, size - offset);
    const pieces = piecesOf(body, { length: expected, stallMs, uri, signal: limit.signal }, end);
    const giveUp = (): void => {
      body.destroy();
      end();
    };
    return { identity: identityOf(output, size), length: expected, pieces, giveUp };
  } catch (error) {
    end();
    throw s3Error(error, uri, limit.signal);
  }
}

function tooSlow(longestMs: number, uri: string): FreshetError {
  return new FreshetError("source-unavailable", "the service's answer takes longer than is waited for", {
    found: `more than ${longestMs / 1000} s`,
    uri,
  });
}

/** An empty object's identity. @param otherwise thrown where it is not empty. */
async function headOfEmpty(
  place: S3Place,
  { s3 = AWS, s3Keys, limits, signal }: S3ReaderOptions,
  otherwise: unknown,
): Promise<Answer> {
  try {
    const { sdk, client } = await openS3(s3, limits, s3Keys);
    const command = new sdk.HeadObjectCommand({ Bucket: place.bucket, Key: place.key });
    const output = await client.send(command, signal === undefined ? {} : { abortSignal: signal });
    if (output.ContentLength === 0) return { identity: identityOf(output, 0), bytes: new Uint8Array(0) };
  } catch (error) {
    throw s3Error(error, uriOf(place), signal);
  }
  throw otherwise;
}

/** Exactly `length` bytes. @throws FreshetError `source-unavailable` when it has more or fewer, breaks off or stalls. */
async function* piecesOf(
  body: Readable,
  {
    length,
    stallMs,
    uri,
    signal,
  }: { readonly length: number; readonly stallMs: number; readonly uri: string; readonly signal: AbortSignal },
  end: () => void,
): AsyncGenerator<Uint8Array, undefined> {
  let came = 0;
  const stalled = new FreshetError("source-unavailable", "the service stopped in the middle of its answer", { uri });
  const timer = setTimeout(() => body.destroy(stalled), stallMs);
  const stop = (): unknown => body.destroy(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      timer.refresh();
      came += piece.length;
      if (came > length) throw bodyError("more than was asked for", `${length} bytes`, uri);
      yield piece;
    }
    if (came < length) throw bodyError(`${came} bytes`, `${length}`, uri);
  } catch (error) {
    throw s3Error(error, uri, signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    body.destroy();
    end();
  }
}

function bodyError(found: string, expected: string, uri: string): FreshetError {
  return new FreshetError("source-unavailable", "the service's answer is not as long as it should be", { found, expected, uri });
}

function identityOf({ ETag, LastModified }: Pick<GetObjectCommandOutput, "ETag" | "LastModified">, size: number): SourceIdentity {
  return { etag: ETag, lastModifiedMs: LastModified?.getTime(), size };
}

function uriOf(place: S3Place): string {
  return s3Uri(place) ?? `s3://${place.bucket}/${place.key}`;
}
