import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { MockActivityEnvironment } from "@temporalio/testing";
import { DefaultLogger } from "@temporalio/worker";
import { withHeartbeat } from "../../src/activities/heartbeat.ts";
import { createDatasetActivities, createGranuleActivities, DatasetFiles } from "../../src/activities/index.ts";
import type { Announcement, DatasetActivities, GranuleActivities, GranuleReference } from "../../src/contract/index.ts";
import { canonicalDataset, parseDatasetFile } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { type Ledger, openLedger } from "../../src/ledger/index.ts";
import { Forms, Operator, ProductStores, Publisher } from "../../src/publication/index.ts";
import { ScanStore } from "../../src/scan/index.ts";
import { granuleBytes } from "../products/made-granule.ts";

let home = "";
let ledger: Ledger;
let granules: GranuleActivities;
let datasets: DatasetActivities;
let granule: GranuleReference;
let woken: string[];
let path = "";
let announcement: Announcement;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "freshet-activities-"));
  ledger = await openLedger(join(home, "ledger.db"));
  const text = `
sources: { s: { at: in/ } }
---
name: d
from: { source: s }
match: "{valid:%Y%m%d%H}.nc"
products: [ { timeseries: { calendar: { every: 1d, at: "12:00Z" }, store: store } } ]`;
  const [dataset] = parseDatasetFile(text, { file: join(home, "d.yaml") }).datasets;
  assert.ok(dataset);
  const canonical = canonicalDataset(dataset);
  await ledger.putDataset(canonical);
  const scans = new ScanStore(home);
  const files = new DatasetFiles(ledger);
  woken = [];
  const notify = async (): Promise<void> => undefined;
  granules = createGranuleActivities({
    ...{ ledger, scans, files, notify },
    wake: async ({ name }) => void woken.push(name),
    tellRun: async () => undefined,
  });
  const parts = { ledger, scans, stores: new ProductStores(), now: Date.now };
  datasets = createDatasetActivities({
    publisher: new Publisher(parts),
    operator: new Operator(parts),
    forms: new Forms(parts),
    files,
    ledger,
    notify,
  });
  granule = {
    dataset: { name: "d", hash: canonical.hash },
    key: "20170605T120000Z",
    fields: { valid: Date.UTC(2017, 5, 5, 12) },
  };
  await mkdir(join(home, "in"));
  path = join(home, "in", "2017060512.nc");
  await writeFile(path, granuleBytes());
  announcement = { uri: pathToFileURL(path).href, by: "test", heardMs: 1 };
});
afterEach(async () => {
  await ledger.close();
  await rm(home, { recursive: true, force: true });
});

const run = <Result>(activity: () => Promise<Result>, environment = quiet()): Promise<Result> =>
  environment.run(activity) as Promise<Result>;

/** Activities that are meant to fail would say so on stderr. */
function quiet(): MockActivityEnvironment {
  return new MockActivityEnvironment(undefined, { logger: new DefaultLogger("ERROR") });
}

describe("the activities, one after the other", () => {
  test("take a granule from its announcement to a version, in five calls with small answers", async () => {
    const downloaded = await run(() => granules.download(granule, announcement));
    const scanned = await run(() => granules.scan(granule, downloaded, false));
    assert.ok("variables" in scanned);
    assert.deepEqual(scanned.variables, { referenced: 1, inlined: 5, refused: 0 });
    assert.deepEqual([scanned.references, scanned.validMs, scanned.steps], [1, Date.UTC(2017, 5, 5, 12), 1]);
    await run(() => granules.record(granule, announcement, downloaded.identity, { state: "ready", scanned }));
    assert.deepEqual(woken, ["d"]);
    const [plan, ...more] = await run(() => datasets.combine(granule.dataset));
    assert.ok(plan !== undefined && "sequence" in plan);
    assert.equal(more.length, 0);
    const result = await run(() => datasets.append(granule.dataset, plan));
    assert.deepEqual([result.sequence, result.granules], [1, 1]);
    for (const answer of [downloaded, scanned, plan, result]) assert.ok(JSON.stringify(answer).length < 1_000);
    assert.equal((await run(() => granules.download(granule, announcement))).known, "published");
    assert.deepEqual(await run(() => datasets.combine(granule.dataset)), []);
  });

  test("each of them twice is as good as once", async () => {
    for (let time = 0; time < 2; time++) {
      const downloaded = await run(() => granules.download(granule, announcement));
      if (time === 1) assert.equal(downloaded.known, "ready");
      const scanned = await run(() => granules.scan(granule, downloaded, false));
      assert.ok("variables" in scanned);
      await run(() => granules.record(granule, announcement, downloaded.identity, { state: "ready", scanned }));
    }
    const revisions = await ledger.revisionsOf("d", granule.key);
    assert.deepEqual(
      revisions.map(({ state }) => state),
      ["ready"],
    );
    assert.equal((await ledger.history("d", granule.key)).length, 2);
    assert.equal((await readdir(join(home, "scans"))).length, 1);
    assert.deepEqual(woken, ["d", "d"]);
  });

  test("a source that changed between download and scan is told, also where an announced checksum is its identity", async () => {
    const { createHash } = await import("node:crypto");
    const checksum = { algorithm: "sha256", value: createHash("sha256").update(granuleBytes()).digest("hex") } as const;
    for (const promise of [{}, { checksum }]) {
      await writeFile(path, granuleBytes());
      const downloaded = await run(() => granules.download(granule, { ...announcement, ...promise }));
      await writeFile(path, granuleBytes({ value: () => 99 }));
      const later = Date.now() / 1000 + 10;
      await utimes(path, later, later);
      await assert.rejects(
        run(() => granules.scan(granule, downloaded, false)),
        (error) => isFreshetError(error, "source-changed") && error.message.includes(downloaded.identity),
      );
    }
  });

  test("a verdict on a granule that never came is on record, and wakes nobody", async () => {
    await run(() => granules.record(granule, announcement, "unresolved", { state: "quarantined", reason: "it never came" }));
    const [revision] = await ledger.revisionsOf("d", granule.key);
    assert.deepEqual([revision?.state, revision?.reason], ["quarantined", "it never came"]);
    assert.deepEqual(woken, []);
  });

  test("a dataset file that the ledger has never seen is told with what to do", async () => {
    const other = { ...granule, dataset: { name: "d", hash: "0".repeat(64) } };
    await assert.rejects(
      run(() => granules.download(other, announcement)),
      (error) => isFreshetError(error, "unreachable") && /use the ledger that the file was applied to/.test(error.message),
    );
  });
});

describe("the heartbeat", () => {
  test("says what is being done, at once and now and then, and ends with the work", async () => {
    const environment = new MockActivityEnvironment();
    const told: unknown[] = [];
    environment.on("heartbeat", (details: unknown) => told.push(details));
    await environment.run(() =>
      withHeartbeat(async (tell) => {
        await sleep(5_200);
        tell("the second part");
      }),
    );
    assert.deepEqual(told, ["starting", "the second part"]);
  });
});
