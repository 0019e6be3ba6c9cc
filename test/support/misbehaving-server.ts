import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What one request gets. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that goes wrong as it is told, one answer after the other. */
export interface MisbehavingServer {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  /** The requests so far, with the range that each asked for. */
  readonly requests: readonly { readonly path: string; readonly range: string | undefined }[];
  /** Forgets its requests, and gives these answers from now on; the last one again and again. */
  script(...answers: readonly Answer[]): void;
  close(): void;
}

export async function startMisbehavingServer(): Promise<MisbehavingServer> {
  const requests: { path: string; range: string | undefined }[] = [];
  let answers: readonly Answer[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push({ path: request.url ?? "", range: request.headers.range });
    response.on("error", () => undefined);
    answer?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    script: (...given) => {
      answers = given;
      requests.length = 0;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** One state of a file, as a server says it. */
export interface State {
  readonly bytes: Buffer;
  readonly etag?: string;
  readonly modified?: string;
}

/** The range that is asked for, both ends inclusive; all of it without one. */
function rangeOf(request: IncomingMessage, size: number): readonly [from: number, to: number] {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  return [Number(from ?? 0), Math.min(to === undefined || to === "" ? size : Number(to), size - 1)];
}

function stateHeaders({ etag, modified }: State): Record<string, string> {
  return { ...(etag === undefined ? {} : { etag }), ...(modified === undefined ? {} : { "last-modified": modified }) };
}

/** As a good server does it: ranges, If-Match, 416. `more` headers are added; `ignoresIfMatch` as some have it; `delayMs` before each answer. */
export function wellBehaved(
  state: State,
  options: {
    readonly more?: Readonly<Record<string, string>>;
    readonly ignoresIfMatch?: boolean;
    readonly delayMs?: number | undefined;
  } = {},
): Answer {
  return (request, response) => {
    if (options.delayMs !== undefined)
      return setTimeout(() => wellBehaved(state, { ...options, delayMs: undefined })(request, response), options.delayMs);
    const { bytes, etag } = state;
    const wanted = request.headers["if-match"];
    if (options.ignoresIfMatch !== true && wanted !== undefined && wanted !== etag) return response.writeHead(412).end();
    const [from, to] = rangeOf(request, bytes.length);
    if (from >= bytes.length) return response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
    const headers = { "content-range": `bytes ${from}-${to}/${bytes.length}`, "content-length": `${to - from + 1}` };
    response.writeHead(206, { ...stateHeaders(state), ...headers, ...options.more });
    return response.end(bytes.subarray(from, to + 1));
  };
}

/** The whole file with status 200, whatever is asked for. `isWithoutLength`: in chunks, without Content-Length. */
export function withoutRanges(state: State, options: { readonly isWithoutLength?: boolean } = {}): Answer {
  return (_, response) => {
    const length = options.isWithoutLength === true ? {} : { "content-length": `${state.bytes.length}` };
    response.writeHead(200, { ...stateHeaders(state), ...length });
    response.end(state.bytes);
  };
}

/** An answer without a file. */
export function status(code: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return (_, response) => response.writeHead(code, headers).end();
}

/** The right headers, then so many bytes of the body, then `then`. */
export function breaking(state: State, bytes: number, then: (response: ServerResponse) => void): Answer {
  return (request, response) => {
    const [from, to] = rangeOf(request, state.bytes.length);
    const headers = { "content-range": `bytes ${from}-${to}/${state.bytes.length}`, "content-length": `${to - from + 1}` };
    response.writeHead(206, { ...stateHeaders(state), ...headers });
    response.write(state.bytes.subarray(from, Math.min(from + bytes, to + 1)), () => then(response));
  };
}

/** The connection is cut. */
export const cut = (response: ServerResponse): void => void response.destroy();

/** Nothing more is sent, and the connection stays. */
export const stall = (): void => undefined;

/** Status and headers never come. */
export const silence: Answer = () => undefined;

/** A byte now and then: faster than any limit of silence. */
export function drip(everyMs: number): (response: ServerResponse) => void {
  return (response) => {
    const timer = setInterval(() => response.write("."), everyMs);
    response.on("close", () => clearInterval(timer));
  };
}

/** A body that does not end, without a length. */
export function endless(state: State): Answer {
  return (_, response) => {
    response.writeHead(200, stateHeaders(state));
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536, "x")));
    };
    response.on("drain", more);
    more();
  };
}

/** A range's answer of bytes that nobody asked for. */
export function shifted(state: State, by: number): Answer {
  return (request, response) => {
    const [from, to] = rangeOf(request, state.bytes.length);
    const headers = {
      "content-range": `bytes ${from + by}-${to}/${state.bytes.length}`,
      "content-length": `${to - from - by + 1}`,
    };
    response.writeHead(206, { ...stateHeaders(state), ...headers });
    response.end(state.bytes.subarray(from + by, to + 1));
  };
}
