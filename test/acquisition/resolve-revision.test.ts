import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { recordVerdict, resolveRevision } from "../../src/acquisition/index.ts";
import type { Announcement, Downloaded, GranuleReference, Verdict } from "../../src/contract/index.ts";
import { type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { type Ledger, openLedger } from "../../src/ledger/index.ts";
import { onStep } from "../../src/steps/index.ts";

const ONE = Buffer.from("the first state");
const TWO = Buffer.from("another second state");
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** What the server has; undefined: nothing. */
interface Served {
  readonly bytes: Buffer;
  readonly etag?: string;
  readonly modified?: string;
  /** Answers with the whole, whatever range is asked for. */
  readonly withoutRanges?: boolean;
}
let served: Served | undefined;
let requests = 0;
let server: Server;
let origin = "";
let home = "";
let ledger: Ledger;

before(async () => {
  server = createServer((request, response) => {
    requests++;
    if (served === undefined) return response.writeHead(404).end();
    const { bytes, etag, modified } = served;
    if (etag !== undefined) response.setHeader("etag", etag);
    if (modified !== undefined) response.setHeader("last-modified", modified);
    if (served.withoutRanges === true) return response.writeHead(200, { "content-length": bytes.length }).end(bytes);
    const [, from = "0", to = "0"] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const end = Math.min(Number(to) + 1, bytes.length);
    response.writeHead(206, { "content-range": `bytes ${from}-${end - 1}/${bytes.length}` });
    return response.end(bytes.subarray(Number(from), end));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "freshet-resolve-"));
  ledger = await openLedger(join(home, "ledger.db"));
  served = first();
  requests = 0;
});
afterEach(async () => {
  await ledger.close();
  await rm(home, { recursive: true, force: true });
});

const first = (): Served => ({ bytes: ONE, etag: '"1"', modified: "Mon, 05 Jun 2017 12:00:00 GMT" });
const second = (): Served => ({ bytes: TWO, etag: '"2"', modified: "Tue, 06 Jun 2017 12:00:00 GMT" });

function dataset(mirror: boolean): Dataset {
  const text = `
sources: { s: { at: "${origin}/data/"${mirror ? `, mirror: "${home}/mirror"` : ""} } }
---
name: d
from: { source: s }
match: "{valid:%Y%m%d}.nc"
products: [ { timeseries: { calendar: { every: 1d }, store: store } } ]`;
  return parseDatasetFile(text, { file: join(home, "d.yaml") }).datasets[0] as Dataset;
}

const GRANULE: GranuleReference = { dataset: { name: "d", hash: "h" }, key: "20170605", fields: { valid: 0 } };

function announcement(promise: Partial<Announcement> = {}): Announcement {
  return { uri: `${origin}/data/20170605.nc`, by: "test", heardMs: 5, ...promise };
}

function resolve(promise: Partial<Announcement> = {}, options: { mirror?: boolean } = {}): Promise<Downloaded> {
  const context = { ledger, signal: new AbortController().signal, onProgress: () => undefined, now: Date.now };
  return resolveRevision(GRANULE, dataset(options.mirror ?? false), announcement(promise), context);
}

async function ready(identity: string): Promise<void> {
  const counts = { variables: { referenced: 1, inlined: 0, refused: 0 }, references: 1 };
  const scanned = { identity, scanUri: "scans/x", scanSha256: "x", epoch: 1, validMs: 0, steps: 1, ...counts };
  await recordVerdict(ledger, GRANULE, announcement(), identity, { state: "ready", scanned } satisfies Verdict);
}

async function published(identity: string, sequence: number): Promise<void> {
  await ready(identity);
  await publish(identity, sequence);
}

async function publish(identity: string, sequence: number): Promise<void> {
  await ledger.recordPublication(
    {
      dataset: "d",
      product: "timeseries",
      sequence,
      snapshot: `s${sequence}`,
      layoutHash: "l",
      atMs: 0,
      granules: 1,
      message: "",
    },
    [{ key: GRANULE.key, identity }],
  );
}

const states = async (): Promise<string[]> => (await ledger.revisionsOf("d", GRANULE.key)).map(({ state }) => state);

describe("resolving an announcement", () => {
  test("what is there becomes a revision by its etag, in the ledger with all that its source says", async () => {
    const resolved = await resolve({ size: ONE.length });
    const identity = `etag:"1":${ONE.length}`;
    assert.deepEqual(resolved, { identity, uri: `${origin}/data/20170605.nc`, size: ONE.length, known: undefined });
    const revision = await ledger.revision({ dataset: "d", key: GRANULE.key, identity });
    assert.deepEqual(
      [revision?.state, revision?.etag, revision?.lastModifiedMs, revision?.size, revision?.reason],
      ["heard", '"1"', Date.UTC(2017, 5, 5, 12), ONE.length, "test"],
    );
  });

  test("without an etag its size and time of change are its identity", async () => {
    served = { bytes: ONE, modified: "Mon, 05 Jun 2017 12:00:00 GMT" };
    assert.equal((await resolve()).identity, `size:${ONE.length}:2017-06-05T12:00:00.000Z`);
  });

  test("what is not there is missing, and the ledger hears nothing of it", async () => {
    served = undefined;
    await assert.rejects(resolve(), (error) => isFreshetError(error, "source-missing"));
    assert.deepEqual(await states(), []);
  });

  test("another length than announced is told with both, and the ledger hears nothing of it", async () => {
    await assert.rejects(
      resolve({ size: 4 }),
      (error) => isFreshetError(error, "source-changed") && /found 15 bytes, expected 4 bytes/.test(error.message),
    );
    assert.deepEqual(await states(), []);
  });

  test("a server that knows no ranges is refused with what to do, and serves all the same for our own copies", async () => {
    served = { ...first(), withoutRanges: true };
    await assert.rejects(
      resolve(),
      (error) => isFreshetError(error, "unsupported") && /no range requests.*mirror/.test(error.message),
    );
    assert.deepEqual(await states(), []);
    assert.match((await resolve({}, { mirror: true })).uri, /^file:/);
  });

  test("one that is shorter than announced is awaited: its upload has not ended", async () => {
    await assert.rejects(
      resolve({ size: 20 }),
      (error) => isFreshetError(error, "source-missing") && /found 15 bytes, expected 20 bytes/.test(error.message),
    );
    assert.deepEqual(await states(), []);
  });

  test("an announced sha256 is held against the bytes, upper or lower case", async () => {
    const checksum = { algorithm: "sha256", value: sha256(ONE).toUpperCase() } as const;
    assert.equal((await resolve({ checksum })).known, undefined);
  });

  for (const mirror of [false, true]) {
    test(`another sha256 than announced is told, and the revision waits for a decision${mirror ? "; it does not get into the mirror" : ""}`, async () => {
      const checksum = { algorithm: "sha256", value: sha256(TWO) } as const;
      await assert.rejects(
        resolve({ checksum }, { mirror }),
        (error) =>
          isFreshetError(error, "source-changed") && error.message.includes(sha256(ONE)) && error.message.includes(sha256(TWO)),
      );
      assert.deepEqual(await states(), ["quarantined"]);
      // What the source says now may be right: it is looked at again.
      assert.equal((await resolve({}, { mirror })).known, undefined);
    });
  }

  test("a source that does not say when it was changed cannot be referenced; a mirror helps", async () => {
    served = { bytes: ONE, etag: '"1"' };
    await assert.rejects(
      resolve(),
      (error) => isFreshetError(error, "unsupported") && /found only an ETag, expected Last-Modified.*mirror/.test(error.message),
    );
    served = { bytes: ONE };
    await assert.rejects(
      resolve(),
      (error) => isFreshetError(error, "unsupported") && /neither Last-Modified nor ETag/.test(error.message),
    );
    served = { bytes: ONE, etag: '"1"' };
    assert.match((await resolve({}, { mirror: true })).uri, /^file:\/\/\//);
  });

  test("a mirrored source that says nothing at all needs a checksum: its next state could not be told from this one", async () => {
    served = { bytes: ONE };
    await assert.rejects(
      resolve({}, { mirror: true }),
      (error) => isFreshetError(error, "unsupported") && /checksum/.test(error.message),
    );
    const checksum = { algorithm: "sha256", value: sha256(ONE) } as const;
    assert.equal((await resolve({ checksum }, { mirror: true })).identity, `sha256:${sha256(ONE)}:${ONE.length}`);
  });

  test("with a mirror the references will point to our copy, which is made once", async () => {
    const { uri, identity } = await resolve({}, { mirror: true });
    assert.deepEqual(await readFile(fileURLToPath(uri)), ONE);
    const before = requests;
    assert.deepEqual(await resolve({}, { mirror: true }), { uri, identity, size: ONE.length, known: undefined });
    assert.equal(requests, before + 1);
  });

  test("a place that the source may not name is refused before anybody is asked", async () => {
    await assert.rejects(resolve({ uri: `${origin}/other/20170605.nc` }), (error) => isFreshetError(error, "source-refused"));
    await assert.rejects(resolve({ uri: `${origin}/data/%2e%2e/other` }), (error) => isFreshetError(error, "source-refused"));
    assert.equal(requests, 0);
  });

  test("a revision that is ready or published is known, and nothing is read of it twice", async () => {
    const { identity } = await resolve();
    await ready(identity);
    assert.equal((await resolve()).known, "ready");
    await published(identity, 1);
    const checksum = { algorithm: "sha256", value: sha256(TWO) } as const;
    // The etag is the stronger word; an announcement with a wrong promise of a known revision is a duplicate.
    assert.equal((await resolve({ checksum })).known, "published");
    assert.deepEqual(await states(), ["published"]);
  });

  test("one that waits for a decision is looked at again", async () => {
    const { identity } = await resolve();
    await recordVerdict(ledger, GRANULE, announcement(), identity, { state: "quarantined", reason: "x" });
    assert.equal((await resolve()).known, undefined);
  });

  test("one that was skipped stays skipped", async () => {
    const { identity } = await resolve();
    await recordVerdict(ledger, GRANULE, announcement(), identity, { state: "skipped", reason: "x" });
    assert.equal((await resolve()).known, "skipped");
  });

  test("a superseded revision that the source has again is taken up again", async () => {
    const one = await resolve();
    await published(one.identity, 1);
    served = second();
    const two = await resolve();
    await published(two.identity, 2);
    assert.deepEqual(await states(), ["superseded", "published"]);
    served = first();
    assert.deepEqual(await resolve(), { ...one, known: undefined });
    assert.deepEqual(await states(), ["heard", "published"]);
  });

  test("one that gave way to another granule is not: they would change places with every listing", async () => {
    const { identity } = await resolve();
    await published(identity, 1);
    await ledger.record({
      dataset: "d",
      key: GRANULE.key,
      identity,
      state: "superseded",
      reason: "another granule of the same time",
    });
    assert.equal((await resolve()).known, "superseded");
  });

  test("a withdrawn revision that the source has again is taken up again", async () => {
    const { identity } = await resolve();
    await published(identity, 1);
    await ledger.record({ dataset: "d", key: GRANULE.key, identity, state: "withdrawn" });
    assert.equal((await resolve()).known, undefined);
    assert.deepEqual(await states(), ["heard"]);
  });
});

describe("the verdict on a revision", () => {
  test("what waited when a revision became ready is superseded, though the attempt died half way and it is published meanwhile", async () => {
    const one = await resolve();
    await recordVerdict(ledger, GRANULE, announcement(), one.identity, { state: "quarantined", reason: "x" });
    served = second();
    const two = await resolve();
    const stop = onStep((step) => {
      throw new Error(`died at ${step}`);
    });
    await assert.rejects(ready(two.identity), /died at record: half told/);
    stop();
    assert.deepEqual(await states(), ["quarantined", "ready"]);
    await publish(two.identity, 1);
    await ready(two.identity);
    assert.deepEqual(await states(), ["superseded", "published"]);
  });

  test("one that is ready supersedes what waits of its granule: unusable ones, one that never came, one not yet published", async () => {
    await recordVerdict(ledger, GRANULE, announcement(), "unresolved", { state: "quarantined", reason: "it never came" });
    const one = await resolve();
    await ready(one.identity);
    assert.deepEqual(await states(), ["superseded", "ready"]);
    served = second();
    const two = await resolve();
    await ready(two.identity);
    assert.deepEqual(await states(), ["superseded", "superseded", "ready"]);
  });

  test("a late twin of an earlier verdict does not turn against the successor", async () => {
    const one = await resolve();
    await ready(one.identity);
    served = second();
    const two = await resolve();
    await ready(two.identity);
    await ready(one.identity);
    assert.deepEqual(await states(), ["superseded", "ready"]);
  });

  test("one that is not ready touches no other", async () => {
    const one = await resolve();
    await ready(one.identity);
    served = second();
    const two = await resolve();
    await recordVerdict(ledger, GRANULE, announcement(), two.identity, { state: "quarantined", reason: "x" });
    assert.deepEqual(await states(), ["ready", "quarantined"]);
  });

  test("a published revision keeps its place whatever is said of it late", async () => {
    const { identity } = await resolve();
    await published(identity, 1);
    await recordVerdict(ledger, GRANULE, announcement(), identity, { state: "skipped", reason: "x" });
    assert.deepEqual(await states(), ["published"]);
  });
});

describe("one granule by several ways", () => {
  const byWay = (path: string, promise: Partial<Announcement> = {}) => resolve({ uri: `${origin}/data/${path}`, ...promise });

  test("announced with a checksum and without one, the same state of a source without tags is one revision", async () => {
    served = { bytes: ONE, modified: "Mon, 05 Jun 2017 12:00:00 GMT" };
    const checksum = { algorithm: "sha256", value: sha256(ONE) } as const;
    const one = await byWay("20170605.nc", { checksum });
    const other = await byWay("20170605.nc");
    assert.equal(other.identity, one.identity);
    assert.equal((await ledger.revisionsOf("d", GRANULE.key)).length, 1);
  });

  test("but another announced checksum is another revision, even where size and time are the same", async () => {
    served = { bytes: ONE, modified: "Mon, 05 Jun 2017 12:00:00 GMT" };
    await byWay("20170605.nc", { checksum: { algorithm: "sha256", value: sha256(ONE) } });
    const swapped = Buffer.from(ONE).reverse();
    served = { bytes: swapped, modified: "Mon, 05 Jun 2017 12:00:00 GMT" };
    await byWay("20170605.nc", { checksum: { algorithm: "sha256", value: sha256(swapped) } });
    assert.equal((await ledger.revisionsOf("d", GRANULE.key)).length, 2);
  });

  test("a copy elsewhere that lags behind never takes the place of what is published", async () => {
    served = second();
    await published((await byWay("new/20170605.nc")).identity, 1);
    served = first();
    const late = await byWay("old/20170605.nc");
    assert.equal(late.known, "superseded");
    const [, older] = await ledger.revisionsOf("d", GRANULE.key);
    assert.match(older?.reason ?? "", /older than .*new\/20170605\.nc/);
    assert.equal((await byWay("old/20170605.nc")).known, "superseded");
  });

  test("nor where the attempt that heard of it died, and another goes on", async () => {
    served = second();
    await published((await byWay("new/20170605.nc")).identity, 1);
    served = first();
    const stop = onStep((step) => {
      throw new Error(`died at ${step}`);
    });
    await assert.rejects(byWay("old/20170605.nc"), /died at download: revision heard/);
    stop();
    assert.equal((await byWay("old/20170605.nc")).known, "superseded");
  });

  test("a place that goes back to an earlier date has what it has; one whose clock is ahead by years proves nothing", async () => {
    served = second();
    await published((await byWay("20170605.nc")).identity, 1);
    served = { ...first(), etag: '"3"' };
    assert.equal((await byWay("20170605.nc")).known, undefined);
    served = { bytes: TWO, etag: '"4"', modified: "Tue, 06 Jun 2090 12:00:00 GMT" };
    await published((await byWay("ahead/20170605.nc")).identity, 2);
    served = { ...second(), etag: '"5"' };
    assert.equal((await byWay("right/20170605.nc")).known, undefined);
  });

  test("a source replaced in place is noted: references to the earlier revision fail from then on", async () => {
    await published((await byWay("20170605.nc")).identity, 1);
    served = second();
    await byWay("20170605.nc");
    const missing = await ledger.missingSources("d");
    assert.deepEqual(
      missing.map(({ state, found }) => [state, found]),
      [["changed", 'revision etag:"2":20']],
    );
  });
});
