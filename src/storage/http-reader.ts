import { FreshetError } from "../errors/index.ts";
import { requireInside } from "./file-reader.ts";
import { firstReadOf } from "./first-read.ts";
import { get, type HttpAnswer, type HttpRequestOptions, shownUrl } from "./http-request.ts";
import { requireSuccess } from "./http-status.ts";
import type { RangeReader, SourceIdentity } from "./range-reader.ts";
import { releaseBytes } from "./release-bytes.ts";
import { anySignal, type Retry, retriedPieces, retriedRead } from "./retried-read.ts";
import { LIMITS } from "./source-limits.ts";
import { describeState, isSameState, stateChanged } from "./source-state.ts";

export interface HttpReaderOptions extends HttpRequestOptions {
  /** How much the opening request reads; reads inside it cost no request. Default: what is known of such sources (`firstReadOf`). */
  readonly firstBytes?: number;
  /** The source is to be copied whole (`stream`): a large one on a server without ranges will do. Default: it will not. */
  readonly isForCopy?: boolean;
  /** Of reads. The opening is not tried again: nothing is lost by then. */
  readonly retry?: Retry;
}

/**
 * Opens an http(s) URL for reading by ranges. The opening request reads the first bytes, and its answer tells size, etag and
 * modification time; every later answer must tell the same. `signal` ends the opening and every read.
 * @throws FreshetError `source-missing` (404, 410), `source-refused` (401, 403), `source-unavailable` (429, 5xx, connection
 *   and time limits; `retryAfterMs` where the server says so), `unsupported` (no range requests, compressed transfer).
 */
export async function openHttpReader(url: string, options: HttpReaderOptions = {}): Promise<RangeReader> {
  const source = new URL(url);
  const { username, password } = source;
  source.username = "";
  source.password = "";
  source.hash = "";
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64");
  const headers = username === "" ? options.headers : { ...options.headers, authorization: `Basic ${login}` };
  return HttpReader.open(source, { ...options, ...(headers === undefined ? {} : { headers }) });
}

class HttpReader implements RangeReader {
  readonly uri: string;
  readonly size: number;
  readonly identity: SourceIdentity;
  readonly #source: URL;
  readonly #options: HttpReaderOptions;
  readonly #head: Uint8Array;
  /** Where the last answer came from: a redirect is not asked for again with each read. */
  #location: URL;

  private constructor(source: URL, options: HttpReaderOptions, location: URL, identity: SourceIdentity, head: Uint8Array) {
    this.uri = source.href;
    this.size = identity.size;
    this.identity = identity;
    this.#source = source;
    this.#options = options;
    this.#location = location;
    this.#head = head;
  }

  static async open(source: URL, options: HttpReaderOptions): Promise<HttpReader> {
    const wanted = options.firstBytes ?? firstReadOf(source.href);
    const answer = await get(source, { range: `bytes=0-${wanted - 1}` }, options);
    // An empty file has no first byte: the range cannot be satisfied.
    if (answer.status === 416 && answer.headers["content-range"] === "bytes */0") {
      answer.discard();
      return new HttpReader(source, options, answer.url, identityOf(answer, 0), new Uint8Array(0));
    }
    requireSuccess(answer, source);
    if (answer.status === 206) {
      const { size } = contentRange(answer, source, 0);
      const head = await answer.readBody(Math.min(wanted, size));
      if (head.length < Math.min(wanted, size)) throw shortBody(source, head.length, Math.min(wanted, size));
      return new HttpReader(source, options, answer.url, identityOf(answer, size), head);
    }
    // A small file is all there even if the server does not know ranges.
    const length = Number(answer.headers["content-length"] ?? Number.NaN);
    if (length <= wanted) {
      const head = await answer.readBody(length);
      if (head.length < length) throw shortBody(source, head.length, length);
      const reader = new HttpReader(source, options, answer.url, identityOf(answer, length), head);
      return Object.assign(reader, { isWithoutRanges: true });
    }
    if (options.isForCopy === true) return HttpReader.#withoutRanges(source, options, answer, length, wanted);
    answer.discard();
    throw new FreshetError("unsupported", "the server does not support range requests", {
      found: `status ${answer.status} and the whole file`,
      expected: "status 206",
      uri: shownUrl(source),
      remedy: "Mirror the file to a store that has them",
    });
  }

  static async #withoutRanges(source: URL, options: HttpReaderOptions, answer: HttpAnswer, length: number, wanted: number) {
    if (Number.isNaN(length)) {
      answer.discard();
      throw new FreshetError(
        "unsupported",
        "the server does not say how long the file is, so nobody would notice that its end is missing",
        {
          found: "neither ranges nor Content-Length",
          expected: "one of them",
          uri: shownUrl(source),
        },
      );
    }
    const head = await answer.beginning(wanted);
    if (head.length < wanted) throw shortBody(source, head.length, length);
    const reader = new HttpReader(source, options, answer.url, identityOf(answer, length), head);
    return Object.assign(reader, { isWithoutRanges: true });
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    requireInside(this, offset, length);
    const both = anySignal(signal, this.#options.signal);
    both?.throwIfAborted();
    if (offset + length <= this.#head.length) return this.#head.slice(offset, offset + length);
    if (length === 0) return new Uint8Array(0);
    return retriedRead(() => this.#readOnce(offset, length, both), this.#options.retry, both);
  }

  async #readOnce(offset: number, length: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const answer = await this.#ask(offset, length, signal);
    this.#requireSame(answer);
    requireSuccess(answer, this.#source);
    // Same state, whole file: a server that knows ranges only sometimes.
    if (answer.status !== 206) {
      answer.discard();
      throw new FreshetError("source-unavailable", "the server ignored a range request", { uri: shownUrl(this.#source), offset });
    }
    contentRange(answer, this.#source, offset);
    const bytes = await answer.readBody(length);
    if (bytes.length < length) throw shortBody(this.#source, bytes.length, length);
    return bytes;
  }

  stream(offset: number, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    requireInside(this, offset, 0);
    const both = anySignal(signal, this.#options.signal);
    return retriedPieces((at) => this.#piecesFrom(at, both), offset, this.#options.retry, both);
  }

  async *#piecesFrom(offset: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    let at = offset;
    if (at < this.#head.length) {
      yield this.#head.subarray(at);
      at = this.#head.length;
    }
    if (at === this.size) return;
    const answer = await this.#ask(at, undefined, signal);
    this.#requireSame(answer);
    requireSuccess(answer, this.#source);
    // The whole of the same state: what is there already is passed over.
    let surplus = answer.status === 206 ? 0 : at;
    if (answer.status === 206) contentRange(answer, this.#source, at);
    for await (const piece of answer.pieces()) {
      const wanted = piece.subarray(Math.min(surplus, piece.length));
      surplus -= piece.length - wanted.length;
      if (wanted.length > this.size - at) {
        throw new FreshetError("source-unavailable", "the server sends more than the file has", {
          found: `more than ${this.size} bytes`,
          uri: shownUrl(this.#source),
        });
      }
      at += wanted.length;
      if (wanted.length > 0) yield wanted;
      releaseBytes(piece);
    }
    if (at < this.size) throw shortBody(this.#source, at - offset, this.size - offset);
  }

  async close(): Promise<void> {}

  /** @param length undefined: to the end, which may take as long as a copy. */
  async #ask(offset: number, length: number | undefined, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    const last = length === undefined ? "" : offset + length - 1;
    const headers = { range: `bytes=${offset}-${last}`, ...this.#condition() };
    const longestMs = length === undefined ? (this.#options.limits?.wholeMs ?? LIMITS.wholeMs) : undefined;
    const redirected = this.#location.href !== this.#source.href;
    const credentials = this.#location.origin === this.#source.origin ? this.#options : { ...this.#options, headers: {} };
    const answer = await get(this.#location, headers, { ...credentials, signal, longestMs });
    // The address that it redirected to may have been signed for a while only.
    if (!redirected || answer.status < 400 || answer.status === 412) return answer;
    answer.discard();
    const again = await get(this.#source, headers, { ...this.#options, signal, longestMs });
    this.#location = again.url;
    return again;
  }

  /** The server is asked not to answer for another state; what it answers is compared all the same, since not every server looks. */
  #condition(): Record<string, string> {
    const { etag, lastModifiedMs } = this.identity;
    // A weak etag never matches here (RFC 9110, 13.1.1).
    if (etag !== undefined && !etag.startsWith("W/")) return { "if-match": etag };
    return lastModifiedMs === undefined ? {} : { "if-unmodified-since": new Date(lastModifiedMs).toUTCString() };
  }

  #requireSame(answer: HttpAnswer): void {
    if (answer.status === 412) {
      answer.discard();
      throw stateChanged("status 412", this.identity, shownUrl(this.#source));
    }
    if (answer.status !== 200 && answer.status !== 206) return;
    const size = answer.status === 206 ? Number(answer.headers["content-range"]?.split("/")[1]) : this.size;
    const now = identityOf(answer, size);
    if (isSameState(now, this.identity)) return;
    answer.discard();
    throw stateChanged(describeState(now), this.identity, shownUrl(this.#source));
  }
}

function identityOf(answer: HttpAnswer, size: number): SourceIdentity {
  const lastModified = Date.parse(answer.headers["last-modified"] ?? "");
  return { etag: answer.headers.etag, lastModifiedMs: Number.isNaN(lastModified) ? undefined : lastModified, size };
}

function contentRange(answer: HttpAnswer, source: URL, offset: number): { readonly size: number } {
  const found = answer.headers["content-range"];
  const match = /^bytes (\d+)-\d+\/(\d+)$/.exec(found ?? "");
  if (match !== null && Number(match[1]) === offset) return { size: Number(match[2]) };
  answer.discard();
  throw new FreshetError("unsupported", "the server's answer does not say which bytes it holds", {
    found: `content-range ${found ?? "absent"}`,
    expected: `bytes ${offset}-…/size`,
    uri: shownUrl(source),
  });
}

function shortBody(source: URL, found: number, expected: number): FreshetError {
  return new FreshetError("source-unavailable", "the server's answer ends early", {
    found: `${found} bytes`,
    expected: `${expected}`,
    uri: shownUrl(source),
  });
}
