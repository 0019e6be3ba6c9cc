import { setTimeout as sleep } from "node:timers/promises";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import { requireInside } from "./file-reader.ts";
import { firstReadOf } from "./first-read.ts";
import { get, type HttpAnswer, type HttpRequestOptions, shownUrl } from "./http-request.ts";
import { requireSuccess } from "./http-status.ts";
import type { RangeReader, SourceIdentity } from "./range-reader.ts";

export type { HttpLimits } from "./http-request.ts";

export interface HttpReaderOptions extends HttpRequestOptions {
  /** How much the opening request reads; reads inside it cost no request. Default: what is known of such sources (`firstReadOf`). */
  readonly firstBytes?: number;
  /**
   * A read that fails with `source-unavailable` is tried again so many times, the wait doubling from `firstWaitMs` on; where the server
   * says when, it waits so long, but not longer than `LONGEST_WAIT_MS`. Default 3 times from 250 ms on. The opening is not tried again:
   * nothing is lost by then.
   */
  readonly retry?: { readonly times: number; readonly firstWaitMs: number };
}

/** Whoever is told to come back later than this comes back with everything: other work should not wait for it. */
const LONGEST_WAIT_MS = 10_000;
const RETRY = { times: 3, firstWaitMs: 250 };

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
    answer.discard();
    throw new FreshetError("unsupported", "the server does not support range requests", {
      found: `status ${answer.status} and the whole file`,
      expected: "status 206",
      uri: shownUrl(source),
      remedy: "Mirror the file to a store that has them",
    });
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    requireInside(this, offset, length);
    const both = signal === undefined ? this.#options.signal : anySignal(signal, this.#options.signal);
    both?.throwIfAborted();
    if (offset + length <= this.#head.length) return this.#head.slice(offset, offset + length);
    if (length === 0) return new Uint8Array(0);
    const { times, firstWaitMs } = this.#options.retry ?? RETRY;
    for (let failures = 0; ; failures++) {
      try {
        return await this.#readOnce(offset, length, both);
      } catch (error) {
        if (failures >= times || !isFreshetError(error, "source-unavailable")) throw error;
        // Not all at the same moment: reads that failed together would come back together.
        const waitMs = error.facts.retryAfterMs ?? Math.min(LONGEST_WAIT_MS, firstWaitMs * 2 ** failures * (0.5 + Math.random()));
        if (waitMs > LONGEST_WAIT_MS) throw error;
        await sleep(waitMs, undefined, both === undefined ? {} : { signal: both }).catch((cause: unknown) => {
          throw both?.reason ?? cause;
        });
      }
    }
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

  async close(): Promise<void> {}

  async #ask(offset: number, length: number, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    const headers = { range: `bytes=${offset}-${offset + length - 1}`, ...this.#condition() };
    const redirected = this.#location.href !== this.#source.href;
    const credentials = this.#location.origin === this.#source.origin ? this.#options : { ...this.#options, headers: {} };
    const answer = await get(this.#location, headers, { ...credentials, signal });
    // The address that it redirected to may have been signed for a while only.
    if (!redirected || answer.status < 400 || answer.status === 412) return answer;
    answer.discard();
    const again = await get(this.#source, headers, { ...this.#options, signal });
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
      throw this.#changed("status 412", describe(this.identity));
    }
    if (answer.status !== 200 && answer.status !== 206) return;
    const size = answer.status === 206 ? Number(answer.headers["content-range"]?.split("/")[1]) : this.size;
    const now = identityOf(answer, size);
    if (sameState(now, this.identity)) return;
    answer.discard();
    throw this.#changed(describe(now), describe(this.identity));
  }

  #changed(found: string, expected: string): FreshetError {
    return new FreshetError("source-changed", "the source changed while it was being read", {
      found,
      expected,
      uri: shownUrl(this.#source),
      remedy: "Scan it again from the start",
    });
  }
}

function identityOf(answer: HttpAnswer, size: number): SourceIdentity {
  const lastModified = Date.parse(answer.headers["last-modified"] ?? "");
  return { etag: answer.headers.etag, lastModifiedMs: Number.isNaN(lastModified) ? undefined : lastModified, size };
}

/** By the etag where both have one: the machines behind one address need not agree on the date. */
function sameState(a: SourceIdentity, b: SourceIdentity): boolean {
  if (a.size !== b.size) return false;
  return a.etag !== undefined || b.etag !== undefined ? a.etag === b.etag : a.lastModifiedMs === b.lastModifiedMs;
}

function describe({ etag, lastModifiedMs, size }: SourceIdentity): string {
  const modified = lastModifiedMs === undefined ? "no date" : new Date(lastModifiedMs).toISOString();
  return `etag ${etag ?? "none"}, ${modified}, ${size} bytes`;
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

function anySignal(a: AbortSignal, b: AbortSignal | undefined): AbortSignal {
  return b === undefined ? a : AbortSignal.any([a, b]);
}
