import type { Agent, Dispatcher } from "undici";
import { FreshetError } from "../errors/index.ts";
import { GatheredBytes } from "./gathered-bytes.ts";
import { requestTurn } from "./host-turns.ts";
import type { HttpCredentials } from "./http-credentials.ts";
import { releaseBytes } from "./release-bytes.ts";
import { LIMITS, type SourceLimits } from "./source-limits.ts";
import { timeLimit } from "./time-limit.ts";

export interface HttpRequestOptions {
  /** Sent to the origin of the first URL only: a redirect to another origin does not get them. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly limits?: SourceLimits | undefined;
  /** Whether a redirect to another host is followed. Default: none is. The same host, also when it goes from http to https, always is. */
  readonly mayRedirectTo?: (url: URL) => boolean;
  /** Who asks: each address on the way is told what is for it. */
  readonly credentials?: HttpCredentials | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds from the request to the end of its body. Default: `limits.readMs`. */
  readonly longestMs?: number | undefined;
}

/** An answer whose body has not been read. Exactly one of `readBody`, `beginning`, `pieces` and `discard` is to be called. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Where it came from in the end. */
  readonly url: URL;
  /** The whole body. @throws FreshetError `source-unavailable` when it is longer than `limit` bytes, breaks off or stalls. */
  readBody(limit: number): Promise<Uint8Array>;
  /** The first `length` bytes of the body, or all of a shorter one; the rest is given up. @throws as `readBody`. */
  beginning(length: number): Promise<Uint8Array>;
  /** The body as it comes; ending the loop gives the rest up. @throws FreshetError `source-unavailable` when it breaks off or stalls. */
  pieces(): AsyncIterable<Uint8Array>;
  discard(): void;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** As many as curl's users need for Earthdata: to the login, back with a code, on to the signed URL, and some. */
const MAX_REDIRECTS = 8;

/** Of a body that is read as it comes, so much may wait here: with less the connection is stopped and begun again at every piece. */
const AHEAD_BYTES = 1024 * 1024;

const agents = new Map<number, Agent>();

/** Loaded with the first request: whoever reads local files only should not wait for it. */
const loadUndici = () => import("undici");

/** Connections are shared by all readers with the same limit; turns bound their number. They do not keep the process alive. */
function agentFor(connectMs: number, undici: Awaited<ReturnType<typeof loadUndici>>): Agent {
  let agent = agents.get(connectMs);
  if (agent === undefined) {
    agent = new undici.Agent({ connect: { timeout: connectMs }, keepAliveTimeout: 4_000 });
    agents.set(connectMs, agent);
  }
  return agent;
}

/** GET with redirects followed (never from https to http, to another host only where that is allowed). Any status is an answer; errors are those of the connection. */
export async function get(url: URL, own: Record<string, string>, options: HttpRequestOptions): Promise<HttpAnswer> {
  let at = url;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const told = (await options.credentials?.headersFor(at)) ?? {};
    const headers = { ...(at.origin === url.origin ? options.headers : {}), ...told, ...own };
    const response = await attempt(at, headers, options);
    const location = response.headers.location;
    options.credentials?.keep(at, [response.headers["set-cookie"] ?? []].flat());
    if (!REDIRECTS.has(response.statusCode) || typeof location !== "string") {
      if (options.credentials?.isLogin(at) === true) throw notLetIn(response, at, url);
      return answer(response, at);
    }
    discardBody(response.body);
    const next = redirectTarget(location, at);
    if (next.protocol !== at.protocol && next.protocol !== "https:")
      throw new FreshetError("source-refused", "the server redirects to an address that is not followed", {
        found: `${next.protocol}//${next.host}`,
        expected: "https:",
        uri: shownUrl(at),
      });
    const isOnTheWay = options.mayRedirectTo?.(next) === true || options.credentials?.mayRedirectTo(next) === true;
    if (!isSameHost(next, at) && !isSameHost(next, url) && !isOnTheWay)
      throw new FreshetError("source-refused", "the server redirects to another host, which is not allowed", {
        found: shownUrl(next),
        expected: url.host,
        uri: shownUrl(at),
        remedy: "If it is right, allow its prefix",
      });
    at = next;
  }
  throw new FreshetError("source-unavailable", "the server redirects without end", {
    found: `${MAX_REDIRECTS + 1} redirects`,
    uri: shownUrl(url),
  });
}

/** The way has ended at the login: what it says is a page for people, or that it does not know us. */
function notLetIn(response: Dispatcher.ResponseData, at: URL, url: URL): FreshetError {
  discardBody(response.body);
  if (response.statusCode >= 500 || response.statusCode === 429) {
    return new FreshetError("source-unavailable", "the login's server failed", {
      found: `status ${response.statusCode}`,
      uri: shownUrl(at),
    });
  }
  return new FreshetError("source-refused", "the login does not let us in", {
    found: `status ${response.statusCode} from ${at.host}`,
    uri: shownUrl(url),
    remedy:
      "Renew the token, or correct the login of this host in netrc; an archive may want to be approved once in the account's profile",
  });
}

/** By name and port; a server may send from its http port to its https port. */
function isSameHost(a: URL, b: URL): boolean {
  return a.host === b.host || (a.hostname === b.hostname && a.port === "" && b.port === "");
}

/** A URL as messages show it: without user, password and the values of its query, which may be a signature. */
export function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname}${url.search === "" ? "" : "?…"}`;
}

/** The request's turn at its host, and its time, last until its body has ended. */
async function attempt(url: URL, headers: Record<string, string>, options: HttpRequestOptions) {
  const { connectMs = LIMITS.connectMs, firstByteMs = LIMITS.firstByteMs, stallMs = LIMITS.stallMs } = options.limits ?? {};
  const longestMs = options.longestMs ?? options.limits?.readMs ?? LIMITS.readMs;
  const undici = await loadUndici();
  const release = await requestTurn(url.host, options.limits, options.signal);
  const limit = timeLimit(longestMs, options.signal, () => tooSlow(longestMs, url));
  const end = (): void => {
    limit.clear();
    release();
  };
  try {
    const response = await undici.request(url, {
      headers: { "accept-encoding": "identity", "user-agent": "freshet", ...headers },
      dispatcher: agentFor(connectMs, undici),
      headersTimeout: firstByteMs,
      bodyTimeout: stallMs,
      highWaterMark: AHEAD_BYTES,
      signal: limit.signal,
    });
    response.body.once("close", end);
    return { ...response, signal: limit.signal };
  } catch (error) {
    end();
    throw connectionError(error, url, limit.signal);
  }
}

function tooSlow(longestMs: number, url: URL): FreshetError {
  return new FreshetError("source-unavailable", "the server's answer takes longer than is waited for", {
    found: `more than ${longestMs / 1000} s`,
    uri: shownUrl(url),
  });
}

function answer(response: Awaited<ReturnType<typeof attempt>>, url: URL): HttpAnswer {
  const headers = Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]),
  );
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      yield* response.body as AsyncIterable<Uint8Array>;
    } catch (error) {
      throw connectionError(error, url, response.signal);
    }
  }
  return {
    status: response.statusCode,
    headers,
    url,
    pieces,
    discard: () => discardBody(response.body),
    async beginning(length) {
      const gathered = new GatheredBytes(length);
      for await (const piece of pieces()) {
        gathered.add(piece.subarray(0, length - gathered.length));
        if (gathered.length >= length) break;
      }
      return gathered.bytes();
    },
    async readBody(limit) {
      const gathered = new GatheredBytes(Math.min(limit, Number(headers["content-length"] ?? 0)));
      for await (const piece of pieces()) {
        if (gathered.length + piece.length > limit)
          throw new FreshetError("source-unavailable", "the server sends more than was asked for", {
            found: `more than ${limit} bytes`,
            uri: shownUrl(url),
          });
        gathered.add(piece);
        releaseBytes(piece);
      }
      return gathered.bytes();
    },
  };
}

/** Reads a short body to its end, so that the connection can be used again; gives up a long one. Its errors matter to nobody. */
function discardBody(body: Dispatcher.ResponseData["body"]): void {
  body.on("error", () => {});
  body.dump({ limit: 16 * 1024 }).catch(() => {});
}

function redirectTarget(location: string, from: URL): URL {
  try {
    return new URL(location, from);
  } catch (cause) {
    throw new FreshetError("source-unavailable", "the server redirects to no address", { uri: shownUrl(from), cause });
  }
}

function connectionError(error: unknown, url: URL, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (error instanceof FreshetError || !(error instanceof Error)) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const known: Readonly<Record<string, string>> = {
    UND_ERR_CONNECT_TIMEOUT: "the server does not take the connection",
    UND_ERR_HEADERS_TIMEOUT: "the server took the request and does not answer",
    UND_ERR_BODY_TIMEOUT: "the server stopped in the middle of its answer",
    UND_ERR_SOCKET: "the server broke the connection",
    UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "the server broke the connection",
    ECONNRESET: "the server broke the connection",
    ECONNREFUSED: "nothing listens at this address",
    ENOTFOUND: "the server's name is not known",
    EAI_AGAIN: "the server's name cannot be looked up now",
  };
  return new FreshetError("source-unavailable", known[code] ?? "the server cannot be reached", {
    found: known[code] === undefined ? error.message : undefined,
    uri: shownUrl(url),
    cause: error,
  });
}
