import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { openSource } from "../../src/acquisition/index.ts";
import { copyToMirror } from "../../src/acquisition/mirror.ts";
import type { Source } from "../../src/dataset/index.ts";
import { type ErrorKind, isFreshetError } from "../../src/errors/index.ts";
import type { RangeReader } from "../../src/storage/index.ts";
import {
  type Answer,
  breaking,
  cut,
  drip,
  endless,
  type MisbehavingServer,
  type State,
  shifted,
  silence,
  stall,
  startMisbehavingServer,
  status,
  wellBehaved,
  withoutRanges,
} from "../support/misbehaving-server.ts";

const FIRST_BYTES = 100;
const RETRY = { times: 3, firstWaitMs: 1 };
const ONE: State = {
  bytes: Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 7 + (index >> 8)) % 251)),
  etag: '"one"',
  modified: "Tue, 14 Nov 2023 22:13:20 GMT",
};
const TWO: State = { bytes: Buffer.from(ONE.bytes).fill(1), etag: '"two"', modified: "Wed, 15 Nov 2023 22:13:20 GMT" };
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const ok = wellBehaved(ONE);

const never = new AbortController().signal;

/** What one test has for itself: most of them wait, so they wait together. */
interface Scene {
  readonly server: MisbehavingServer;
  readonly other: MisbehavingServer;
  readonly mirror: string;
}

async function withScene(look: (scene: Scene) => Promise<void>): Promise<void> {
  const [server, other] = await Promise.all([startMisbehavingServer(), startMisbehavingServer()]);
  const mirror = await mkdtemp(join(tmpdir(), "freshet-misbehaving-"));
  try {
    await look({ server, other, mirror });
  } finally {
    server.close();
    other.close();
    await rm(mirror, { recursive: true, force: true });
  }
}

function open({ server }: Scene, isForCopy: boolean): Promise<RangeReader> {
  const limits = { connectMs: 2_000, firstByteMs: 300, stallMs: 300, readMs: 1_500, wholeMs: 1_500 };
  const source: Source = { name: "s", at: `${server.origin}/`, allow: [], limits };
  return openSource(source, `${server.origin}/file.nc`, never, { firstBytes: FIRST_BYTES, retry: RETRY, isForCopy });
}

/** The whole file by ranges, where it is. */
async function readInPlace(scene: Scene): Promise<Buffer> {
  const reader = await open(scene, false);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < reader.size; at += 1_000_000) parts.push(await reader.read(at, Math.min(1_000_000, reader.size - at)));
  return Buffer.concat(parts);
}

/** The whole file as our own copy. */
async function copy(scene: Scene): Promise<Buffer> {
  const place = { mirror: `${pathToFileURL(scene.mirror).href}/`, dataset: "d", key: "k", identity: "i" };
  const checksum = { algorithm: "sha256", value: sha256(ONE.bytes) } as const;
  const options = { signal: never, onProgress: () => undefined, checksum };
  return readFile(await copyToMirror(await open(scene, true), place, options));
}

/** What comes of it: the right bytes, or an error of this kind whose sentence says so. */
type End = "right" | readonly [ErrorKind, RegExp];

interface Case {
  readonly what: string;
  readonly answers: (other: MisbehavingServer) => readonly Answer[];
  readonly inPlace: End;
  readonly copy: End;
  /** Milliseconds after which the error says that one should come back. */
  readonly retryAfterMs?: readonly [least: number, most: number];
}

const both = (end: End): Pick<Case, "inPlace" | "copy"> => ({ inPlace: end, copy: end });
const inTwoMinutes = (): string => new Date(Date.now() + 120_000).toUTCString();

const CASES: readonly Case[] = [
  { what: "nothing at all", answers: () => [ok], ...both("right") },
  { what: "404", answers: () => [status(404)], ...both(["source-missing", /no such file: found status 404/]) },
  { what: "403", answers: () => [status(403)], ...both(["source-refused", /refuses the file: found status 403/]) },
  {
    what: "429 with Retry-After in seconds",
    answers: () => [status(429, { "retry-after": "120" })],
    ...both(["source-unavailable", /asked too often: found status 429/]),
    retryAfterMs: [120_000, 120_000],
  },
  {
    what: "503 with Retry-After as a date",
    answers: () => [status(503, { "retry-after": inTwoMinutes() })],
    ...both(["source-unavailable", /the server failed: found status 503/]),
    retryAfterMs: [110_000, 120_000],
  },
  {
    what: "503 with a long Retry-After in the middle",
    answers: () => [ok, status(503, { "retry-after": "60" })],
    ...both(["source-unavailable", /status 503/]),
    retryAfterMs: [60_000, 60_000],
  },
  { what: "503 once in the middle", answers: () => [ok, status(503, { "retry-after": "0" }), ok], ...both("right") },
  { what: "a body that is cut once", answers: () => [ok, breaking(ONE, 500_000, cut), ok], ...both("right") },
  {
    what: "a body that is cut each time before anything comes",
    answers: () => [ok, breaking(ONE, 0, cut)],
    ...both(["source-unavailable", /broke the connection|ends early/]),
  },
  {
    what: "bodies that are cut again and again, each a little further",
    answers: () => [ok, ...Array.from({ length: 6 }, () => breaking(ONE, 400_000, cut)), ok],
    // A range that is cut is asked for as a whole, so it fails; a copy goes on behind what came.
    inPlace: ["source-unavailable", /broke the connection|ends early/],
    copy: "right",
  },
  {
    what: "fewer bytes than Content-Length says",
    answers: () => [ok, breaking(ONE, 1_000, (response) => response.socket?.end())],
    ...both(["source-unavailable", /broke the connection|ends early/]),
  },
  {
    what: "a shorter range than was asked for",
    answers: () => [
      ok,
      (_, response) => {
        const headers = { etag: '"one"', "content-range": `bytes 100-199/${ONE.bytes.length}`, "content-length": "100" };
        response.writeHead(206, headers).end(ONE.bytes.subarray(100, 200));
      },
    ],
    ...both(["unsupported", /does not say which bytes it holds/]),
  },
  {
    what: "a range of other bytes than were asked for",
    answers: () => [ok, shifted(ONE, 1)],
    ...both(["unsupported", /does not say which bytes it holds: found content-range bytes (1|101)-/]),
  },
  {
    what: "a range without Content-Range",
    answers: () => [(_, response) => response.writeHead(206, { etag: '"one"' }).end(ONE.bytes.subarray(0, 100))],
    ...both(["unsupported", /found content-range absent/]),
  },
  {
    what: "another state between two ranges",
    answers: () => [ok, wellBehaved(TWO)],
    ...both(["source-changed", /changed while it was being read/]),
  },
  {
    what: "another state between two ranges, of a server that looks at no condition",
    answers: () => [ok, wellBehaved(TWO, { ignoresIfMatch: true })],
    ...both(["source-changed", /found etag "two".*expected etag "one"/]),
  },
  {
    what: "another state after a body that was cut",
    answers: () => [ok, breaking(ONE, 500_000, cut), wellBehaved(TWO)],
    ...both(["source-changed", /changed while it was being read/]),
  },
  {
    what: "no ranges",
    answers: () => [withoutRanges(ONE)],
    inPlace: ["unsupported", /does not support range requests.*Mirror/],
    copy: "right",
  },
  {
    what: "no ranges any more in the middle",
    answers: () => [ok, withoutRanges(ONE)],
    inPlace: ["source-unavailable", /ignored a range request/],
    copy: "right",
  },
  {
    what: "no ranges, and another state the second time",
    answers: () => [withoutRanges(ONE), withoutRanges(TWO)],
    inPlace: ["unsupported", /does not support range requests/],
    copy: ["source-changed", /changed while it was being read/],
  },
  {
    what: "neither ranges nor a length",
    answers: () => [withoutRanges(ONE, { isWithoutLength: true })],
    inPlace: ["unsupported", /does not support range requests/],
    copy: ["unsupported", /does not say how long the file is/],
  },
  {
    what: "a body that does not end",
    answers: () => [endless(ONE)],
    inPlace: ["unsupported", /does not support range requests/],
    copy: ["unsupported", /does not say how long the file is/],
  },
  {
    what: "a body that does not end, in the middle",
    answers: () => [ok, endless(ONE)],
    inPlace: ["source-unavailable", /ignored a range request/],
    copy: ["source-unavailable", /sends more than the file has/],
  },
  {
    what: "silence before the answer",
    answers: () => [silence],
    ...both(["source-unavailable", /took the request and does not answer/]),
  },
  { what: "silence before the second answer, once", answers: () => [ok, silence, ok], ...both("right") },
  { what: "silence inside a body, once", answers: () => [ok, breaking(ONE, 300_000, stall), ok], ...both("right") },
  {
    what: "silence inside each body",
    answers: () => [ok, breaking(ONE, 0, stall)],
    ...both(["source-unavailable", /stopped in the middle of its answer/]),
  },
  {
    what: "a slow drip in the first answer",
    answers: () => [breaking(ONE, 1, drip(50))],
    ...both(["source-unavailable", /takes longer than is waited for: found more than 1.5 s/]),
  },
  {
    what: "a slow drip once",
    answers: () => [ok, breaking(ONE, 500_000, drip(50)), ok],
    inPlace: "right",
    // Bytes that are no bytes of the file came with the drip: the checksum tells.
    copy: ["source-changed", /sha256 is not the announced one/],
  },
  {
    what: "gzip on a range",
    answers: () => [wellBehaved(ONE, { more: { "content-encoding": "gzip" } })],
    ...both(["unsupported", /compresses the file on its way/]),
  },
  {
    what: "gzip of the whole",
    answers: () => [
      (_, response) =>
        response.writeHead(200, { "content-encoding": "gzip", "content-length": "50", etag: '"one"' }).end(gzipSync("x")),
    ],
    ...both(["unsupported", /compresses the file on its way/]),
  },
  {
    what: "a redirect to another host",
    answers: () => [status(302, { location: "http://127.0.0.2:1/file.nc" })],
    ...both(["source-refused", /redirects to another host.*found http:\/\/127\.0\.0\.2:1\/file\.nc/]),
  },
  {
    what: "a redirect to another port",
    answers: (other) => [(_, response) => response.writeHead(302, { location: `${other.origin}/file.nc` }).end()],
    ...both(["source-refused", /redirects to another host/]),
  },
  {
    what: "a redirect to a file of this machine",
    answers: () => [status(302, { location: "file:///etc/passwd" })],
    ...both(["source-refused", /an address that is not followed: found file:/]),
  },
  {
    what: "a redirect to itself without end",
    answers: () => [(request, response) => response.writeHead(302, { location: request.url }).end()],
    ...both(["source-unavailable", /redirects without end: found 9 redirects/]),
  },
  { what: "a redirect on the same host", answers: () => [status(302, { location: "/elsewhere.nc" }), ok], ...both("right") },
  {
    what: "a page in place of the file, with status 200",
    answers: () => [
      ok,
      (_, response) => response.writeHead(200, { "content-type": "text/html", "content-length": "9" }).end("<h1>Sorry"),
    ],
    ...both(["source-changed", /changed while it was being read/]),
  },
];

describe("a server that answers with", { concurrency: 16 }, () => {
  const ways = [
    ["in place", readInPlace, "inPlace"],
    ["as a copy", copy, "copy"],
  ] as const;
  for (const { what, answers, retryAfterMs, ...ends } of CASES) {
    for (const [way, read, name] of ways) {
      const end = ends[name];
      test(`${what}, read ${way}: ${end === "right" ? "ends right" : end[0]}`, { timeout: 30_000 }, () =>
        withScene(async (scene) => {
          scene.server.script(...answers(scene.other));
          scene.other.script(ok);
          if (end === "right") {
            assert.equal(sha256(await read(scene)), sha256(ONE.bytes));
            return;
          }
          const [kind, message] = end;
          const error = await read(scene).then(
            () => assert.fail("it was read"),
            (thrown: unknown) => thrown,
          );
          assert.ok(isFreshetError(error), String(error));
          assert.equal(error.kind, kind, error.message);
          assert.match(error.message, message);
          if (retryAfterMs !== undefined) {
            const [least, most] = retryAfterMs;
            const said = error.facts.retryAfterMs ?? Number.NaN;
            assert.ok(said >= least && said <= most, `${said} ms`);
          }
          assert.equal(scene.other.requests.length, 0, "nobody else was asked");
          assert.deepEqual(await readdir(join(scene.mirror, "d")).catch(() => []), [], "no copy is left that is not right");
        }),
      );
    }
  }
});
