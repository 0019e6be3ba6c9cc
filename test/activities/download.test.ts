import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ApplicationFailure } from "@temporalio/common";
import { MockActivityEnvironment } from "@temporalio/testing";
import { DefaultLogger } from "@temporalio/worker";
import { createGranuleActivities, DatasetFiles } from "../../src/activities/index.ts";
import type { Announcement, Downloaded } from "../../src/contract/index.ts";
import { canonicalDataset, parseDatasetFile } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { type Ledger, openLedger } from "../../src/ledger/index.ts";
import { ScanStore } from "../../src/scan/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import {
  breaking,
  cut,
  type MisbehavingServer,
  type State,
  startMisbehavingServer,
  status,
  wellBehaved,
} from "../support/misbehaving-server.ts";

const LARGE: State = {
  bytes: Buffer.from(Array.from({ length: 6 * 2 ** 20 }, (_, index) => (index ^ (index >> 10)) % 253)),
  etag: '"large"',
  modified: "Tue, 14 Nov 2023 22:13:20 GMT",
};
/** The same bytes on another server, whose tags and dates are its own. */
const ELSEWHERE: State = { bytes: LARGE.bytes, etag: '"copy"', modified: "Wed, 15 Nov 2023 22:13:20 GMT" };
const CHECKSUM = { algorithm: "sha256", value: createHash("sha256").update(LARGE.bytes).digest("hex") } as const;
const HOUR_MS = 3_600_000;

let home = "";
let ledger: Ledger;
let server: MisbehavingServer;
let other: MisbehavingServer;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "freshet-download-"));
  ledger = await openLedger(join(home, "ledger.db"));
  [server, other] = await Promise.all([startMisbehavingServer(), startMisbehavingServer()]);
});
afterEach(async () => {
  server.close();
  other.close();
  await ledger.close();
  await rm(home, { recursive: true, force: true });
});

/** The activity `download` as a worker runs it; `source` and `more` are of the dataset file. */
async function download(
  options: {
    readonly source?: string;
    readonly more?: string;
    readonly promise?: Partial<Announcement>;
    readonly info?: Partial<MockActivityEnvironment["context"]["info"]>;
    readonly onHeartbeat?: (details: unknown) => void;
  } = {},
): Promise<Downloaded> {
  const text = `
sources: { s: { at: "${server.origin}/data/"${options.source ?? ', mirror: "mirror"'} } }
---
name: d
from: { source: s }
match: "{valid:%Y%m%d%H}.nc"
${options.more ?? ""}
products: [ { timeseries: { calendar: { every: 1d }, store: store } } ]`;
  const [dataset] = parseDatasetFile(text, { file: join(home, "d.yaml") }).datasets;
  assert.ok(dataset);
  const canonical = canonicalDataset(dataset);
  await ledger.putDataset(canonical);
  const scans = new ScanStore(home);
  const { download } = createGranuleActivities({
    ledger,
    scans,
    files: new DatasetFiles(ledger),
    wake: async () => undefined,
    notify: async () => undefined,
    tellRun: async () => undefined,
  });
  const environment = new MockActivityEnvironment(
    { scheduledTimestampMs: Date.now(), ...options.info },
    { logger: new DefaultLogger("ERROR") },
  );
  environment.on("heartbeat", (details: unknown) => options.onHeartbeat?.(details));
  const granule = { dataset: { name: "d", hash: canonical.hash }, key: "20170605T120000Z", fields: { valid: 0 } };
  const announcement = { uri: `${server.origin}/data/2017060512.nc`, by: "test", heardMs: 1, ...options.promise };
  return environment.run(() => download(granule, announcement)) as Promise<Downloaded>;
}

const copied = ({ uri }: Downloaded): Promise<Buffer> => readFile(fileURLToPath(uri));
const failure = (thrown: Promise<unknown>): Promise<unknown> =>
  thrown.then(
    () => assert.fail("it went well"),
    (error: unknown) => error,
  );

describe("a copy that an attempt has left unfinished", () => {
  test("is gone on with by the next one: what was told with the last heartbeat is not fetched again", async () => {
    const good = wellBehaved(LARGE);
    // Cut at 4 MiB, and refused until the attempt gives up.
    server.script(good, breaking(LARGE, 3 * 2 ** 20, cut), status(503, { "retry-after": "600" }));
    let details: unknown;
    const error = await failure(
      download({
        promise: { checksum: CHECKSUM },
        onHeartbeat: (told) => {
          details = told;
        },
      }),
    );
    assert.ok(isFreshetError(error, "source-unavailable"), String(error));
    const { kept } = details as { kept: { bytes: number } };
    assert.ok(kept.bytes > 2 ** 20 && kept.bytes <= 4 * 2 ** 20, `${kept.bytes}`);

    server.script(good);
    const info = { attempt: 2, heartbeatDetails: JSON.parse(JSON.stringify(details)) };
    const downloaded = await download({ promise: { checksum: CHECKSUM }, info });
    assert.ok((await copied(downloaded)).equals(LARGE.bytes));
    assert.deepEqual(
      server.requests.map(({ range }) => range),
      [`bytes=0-${2 ** 20 - 1}`, `bytes=${kept.bytes}-`],
    );
  });

  test("of another state is begun anew", async () => {
    server.script(wellBehaved(LARGE), breaking(LARGE, 3 * 2 ** 20, cut), status(503, { "retry-after": "600" }));
    let details: unknown;
    await failure(
      download({
        onHeartbeat: (told) => {
          details = told;
        },
      }),
    );
    const next: State = { bytes: Buffer.alloc(LARGE.bytes.length, "n"), etag: '"next"', modified: LARGE.modified as string };
    server.script(wellBehaved(next));
    const downloaded = await download({ info: { attempt: 2, heartbeatDetails: JSON.parse(JSON.stringify(details)) } });
    assert.ok((await copied(downloaded)).equals(next.bytes));
    assert.equal(server.requests[1]?.range, `bytes=${2 ** 20}-`);
  });
});

describe("waiting for a source", () => {
  const wait = "await: { deadline: 1h }";

  for (const [what, answer, kind] of [
    ["is not there", status(404), "source-missing"],
    ["does not answer", status(503, { "retry-after": "7200" }), "source-unavailable"],
  ] as const) {
    test(`that ${what} is tried again until the deadline, and is a failure for good then`, async () => {
      server.script(answer);
      const before = await failure(download({ more: wait, info: { scheduledTimestampMs: Date.now() - HOUR_MS + 60_000 } }));
      assert.ok(isFreshetError(before, kind), String(before));
      // The last look is at the deadline, whenever the server would rather be asked.
      if (kind === "source-unavailable") assert.ok((before.facts.retryAfterMs ?? 0) <= 60_000);
      const after = await failure(download({ more: wait, info: { scheduledTimestampMs: Date.now() - HOUR_MS } }));
      assert.ok(after instanceof ApplicationFailure);
      assert.deepEqual([after.nonRetryable, after.type], [true, kind]);
    });
  }

  test("that says forbidden of what is not there is given up at once, or awaited where the dataset file says so", async () => {
    server.script(status(403));
    assert.ok(isFreshetError(await failure(download()), "source-refused"));
    assert.ok(isFreshetError(await failure(download({ more: "await: { forbidden: await }" })), "source-missing"));
  });

  test("does not end a copy that only waits for its turn", async () => {
    server.script(wellBehaved(LARGE, { delayMs: 1_000 }));
    const source = ', mirror: "mirror", limits: { concurrency: 2 }';
    const long = { scheduledTimestampMs: Date.now() - 5 * HOUR_MS };
    const ends = await Promise.allSettled(Array.from({ length: 5 }, () => download({ source, more: wait, info: long })));
    const busy = ends.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
    // One is under way, one waits, and three are told at once to come back.
    assert.equal(busy.length, 3);
    for (const { reason } of busy) assert.ok(isFreshetError(reason, "busy"), String(reason));
  });
});

describe("a file that is not there in full", () => {
  const granule = Buffer.from(granuleBytes());
  const hdf5 = () => readFile(new URL("../data/hdf5/deflate.h5", import.meta.url));
  const grib = Buffer.concat([Buffer.from("GRIB"), Buffer.alloc(2_000, 1), Buffer.from("7777")]);

  for (const [what, whole] of [
    ["NetCDF classic", async () => granule],
    ["HDF5", hdf5],
    ["GRIB", async () => grib],
  ] as const) {
    for (const source of [', mirror: "mirror"', ""]) {
      test(`${what}, ${source === "" ? "in place" : "with a mirror"}: awaited, and no revision until it is whole`, async () => {
        const bytes = await whole();
        const state = (size: number): State => ({
          bytes: bytes.subarray(0, size),
          etag: `"${size}"`,
          modified: LARGE.modified as string,
        });
        server.script(wellBehaved(state(bytes.length - 8)));
        const error = await failure(download({ source }));
        assert.ok(isFreshetError(error, "source-missing"), String(error));
        assert.match(error.message, /not there in full: it is still being uploaded, or was cut: found \d+ bytes/);
        assert.deepEqual(await ledger.revisionsOf("d", "20170605T120000Z"), []);
        server.script(wellBehaved(state(bytes.length)));
        assert.equal((await download({ source })).size, bytes.length);
      });
    }
  }
});

describe("another server with the same files", () => {
  const source = (): string => `, mirror: "mirror", alternatives: ["${other.origin}/copies/"]`;

  test("is asked where the first does not answer, at the same path; references in place point there", async () => {
    server.script(status(503));
    other.script(wellBehaved(ELSEWHERE));
    assert.ok((await copied(await download({ source: source() }))).equals(LARGE.bytes));
    assert.equal(other.requests[0]?.path, "/copies/2017060512.nc");
    const [revision] = await ledger.revisionsOf("d", "20170605T120000Z");
    assert.equal(revision?.uri, `${other.origin}/copies/2017060512.nc`);
    const inPlace = `, alternatives: ["${other.origin}/copies/"]`;
    assert.equal((await download({ source: inPlace })).uri, `${other.origin}/copies/2017060512.nc`);
  });

  test("goes on where the copy breaks off, from its beginning, and it is the same revision", async () => {
    server.script(wellBehaved(LARGE), breaking(LARGE, 2 ** 20, cut), status(503, { "retry-after": "60" }));
    other.script(wellBehaved(ELSEWHERE));
    const downloaded = await download({ source: source(), promise: { checksum: CHECKSUM } });
    assert.ok((await copied(downloaded)).equals(LARGE.bytes));
    const revisions = await ledger.revisionsOf("d", "20170605T120000Z");
    assert.deepEqual(
      revisions.map(({ uri }) => uri),
      [`${server.origin}/data/2017060512.nc`],
    );
  });

  test("that has another length, or other bytes than announced, is not believed, and the reason is said", async () => {
    const refused = [wellBehaved(LARGE), breaking(LARGE, 2 ** 20, cut), status(503, { "retry-after": "60" })];
    server.script(...refused);
    other.script(wellBehaved({ ...ELSEWHERE, bytes: LARGE.bytes.subarray(0, -1) }));
    const shorter = await failure(download({ source: source() }));
    assert.ok(isFreshetError(shorter, "source-unavailable"));
    assert.match(
      shorter.message,
      /status 503.*Its other servers: it has another length there: found 6291455 bytes, expected 6291456/,
    );
    server.script(...refused);
    other.script(wellBehaved({ ...ELSEWHERE, bytes: Buffer.alloc(LARGE.bytes.length) }));
    const wrong = await failure(download({ source: source(), promise: { checksum: CHECKSUM } }));
    assert.ok(isFreshetError(wrong, "source-unavailable"), String(wrong));
    assert.match(wrong.message, /Its other servers: the source's sha256 is not the announced one/);
  });

  test("is not asked for what the first does not have, unless a checksum proves what it has", async () => {
    server.script(status(404));
    other.script(wellBehaved(ELSEWHERE));
    assert.ok(isFreshetError(await failure(download({ source: source() })), "source-missing"));
    assert.equal(other.requests.length, 0);
    assert.ok((await copied(await download({ source: source(), promise: { checksum: CHECKSUM } }))).equals(LARGE.bytes));
  });

  test("where none answers, all of them are named", async () => {
    server.script(status(503));
    other.script(status(500));
    const error = await failure(download({ source: source() }));
    assert.ok(isFreshetError(error, "source-unavailable"));
    assert.match(error.message, /status 503.*Its other servers: the server failed: found status 500/);
  });
});
