import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { ScheduleNotFoundError, ScheduleOverlapPolicy } from "@temporalio/client";
import type { BackfillStatus, CmrLook } from "../../src/contract/index.ts";
import { type Dataset, parseDatasetFile, type Source } from "../../src/dataset/index.ts";
import { Intake } from "../../src/starters/delivery/intake.ts";
import { Announcer, applyDatasets } from "../../src/starters/index.ts";
import { startWebhook } from "../../src/starters/webhook.ts";
import { freshet } from "../support/cli.ts";
import { type IngestedGranule, TestCmr } from "../support/cmr.ts";
import { OSTIA, type RealGranule } from "../support/granules.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

const [ONE, TWO, THREE] = OSTIA as [RealGranule, RealGranule, RealGranule];
const DAY_MS = 86_400_000;

suite("CMR on a real Temporal server", { skip: missingTemporal(), timeout: 240_000 }, () => {
  let world: World;
  let cmr: TestCmr;
  let collection: string;
  let other: string;

  function datasetWith(search: string, from = "OSTIA-TEST, granules: ['*OSTIAanom*']"): Dataset {
    const text = `sources:
  podaac: { at: "${world.agency.url}", cmr: { endpoint: "${cmr.url}"${search} } }
---
name: by-cmr
from: { source: podaac, collection: ${from} }
match: "{valid:%Y%m%d%H%M%S}-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc"
products: [ { timeseries: { calendar: { every: 1d, at: "12:00Z" }, store: stores/by-cmr } } ]
publish: { coalesce: 50ms }
await: { deadline: 60s, every: 200ms }
`;
    return parseDatasetFile(text, { file: join(world.settings.home, "by-cmr.yaml") }).datasets[0] as Dataset;
  }
  const apply = async (search: string, from?: string): Promise<readonly string[]> =>
    (await applyDatasets(world.client, world.ledger, [datasetWith(search, from)]))
      .flatMap(({ changes }) => changes)
      .filter((change) => change.startsWith("schedule cmr:"));
  const states = async (): Promise<string[]> =>
    (await world.ledger.granules("by-cmr", { limit: 100 })).map(({ key, state }) => `${key} ${state}`);
  const become = (wanted: readonly string[]): Promise<void> =>
    world.until(async () => (await states()).join() === wanted.join(), `${wanted.join(", ")}`);
  const granule = async ({ name, path }: RealGranule, promise: object = {}): Promise<IngestedGranule> => {
    const bytes = await readFile(path);
    const value = createHash("md5").update(bytes).digest("hex");
    return {
      // Some providers leave out what follows the last dot.
      name: name.replace(/\.nc$/, ""),
      links: [
        { url: `s3://elsewhere-protected/${name}`, type: "GET DATA VIA DIRECT ACCESS" },
        { url: `${world.agency.url}${name}` },
        { url: `${world.agency.url}${name}.md5`, type: "EXTENDED METADATA" },
      ],
      files: [{ Name: name, SizeInBytes: bytes.length, Checksum: { Value: value, Algorithm: "MD5" }, ...promise }],
    };
  };
  /** One look, started as an operator does, and its result. */
  const look = async (): Promise<CmrLook> => {
    const handle = world.client.schedule.getHandle("cmr:podaac");
    const before = (await handle.describe()).info.numActionsTaken;
    // What is started beside others (the default, and the first look) is none of the row that results are handed on in.
    await handle.trigger(ScheduleOverlapPolicy.BUFFER_ONE);
    await world.until(async () => (await handle.describe()).info.numActionsTaken > before, "a look began");
    return lastLook();
  };
  const lastLook = async (): Promise<CmrLook> => {
    const { recentActions } = (await world.client.schedule.getHandle("cmr:podaac").describe()).info;
    const { workflow } = (recentActions.at(-1) ?? assert.fail("no look yet")).action as {
      workflow: { workflowId: string; firstExecutionRunId: string };
    };
    return (await world.client.workflow.getHandle(workflow.workflowId, workflow.firstExecutionRunId).result()) as CmrLook;
  };

  before(async () => {
    [world, cmr] = await Promise.all([World.start(), TestCmr.start()]);
    collection = cmr.collection("OSTIA-TEST");
    other = cmr.collection("TWICE", "1");
    cmr.collection("TWICE", "2");
    cmr.pageSize = 2;
    for (const one of [ONE, TWO]) await world.agency.publish(one.name, { copyOf: one.path });
    for (const one of [ONE, TWO]) cmr.ingest(collection, await granule(one), Date.now() - DAY_MS);
    cmr.ingest(
      collection,
      { name: "a-readme-OSTIAanom", links: [{ url: `${world.agency.url}readme.txt` }] },
      Date.now() - DAY_MS,
    );
    cmr.ingest(collection, { name: "another stream", links: [{ url: `${world.agency.url}${THREE.name}` }] });
    cmr.ingest(collection, await granule(THREE), Date.now() - 30 * DAY_MS);
  });
  after(async () => {
    await world?.stop();
    await cmr?.close();
  });

  test("apply makes the schedule, and what CMR tells of is published, page by page, through 429", async () => {
    cmr.busy = { times: 2, retryAfter: "0" };
    assert.deepEqual(await apply(", every: 1h"), ["schedule cmr:podaac: created"]);
    assert.deepEqual(await apply(", every: 1h"), []);
    await become([`${ONE.key} published`, `${TWO.key} published`]);
    const first = await lastLook();
    assert.deepEqual(
      { ...first, since: Object.keys(first.since).length },
      { looked: 3, announced: 2, known: 0, foreign: 1, removed: 0, since: 1 },
      "what was revised long ago, and what no pattern fits, is not looked at",
    );
    assert.ok(cmr.asked.filter((path) => path.startsWith("/search/granules")).length >= 2);
    const [revision] = await world.ledger.granules("by-cmr", { limit: 1 });
    assert.match(revision?.identity ?? "", /^md5:/, "the checksum was a promise, and held");
    assert.equal(revision?.uri, `${world.agency.url}${ONE.name}`);
    assert.equal((await world.ledger.history("by-cmr", ONE.key))[0]?.reason, "cmr");
  });

  test("what is known is not announced again, what was revised replaces, what was deleted leaves", async () => {
    await look();
    const third = await look();
    assert.equal(third.announced, 0);
    const since = new URL(cmr.asked.findLast((path) => path.startsWith("/search/granules")) ?? "", cmr.url).searchParams;
    const sinceMs = Date.parse(since.get("revision_date[]")?.slice(0, -1) ?? "");
    assert.ok(Date.now() - sinceMs < 2 * 3_600_000, "a look begins an hour before the last one");
    const changed = await readFile(TWO.path);
    changed.writeInt16BE(1234, changed.length - 1_000);
    await world.agency.publish(TWO.name, changed);
    const { Checksum } = { Checksum: { Value: createHash("md5").update(changed).digest("hex"), Algorithm: "MD5" } };
    cmr.ingest(collection, await granule(TWO, { Checksum }));
    await world.agency.withdraw(ONE.name);
    cmr.delete(collection, ONE.name.replace(/\.nc$/, ""));
    const fourth = await look();
    assert.deepEqual([fourth.announced, fourth.removed], [1, 1]);
    await become([`${ONE.key} withdrawn`, `${TWO.key} superseded`, `${TWO.key} published`]);
  });

  test("a checksum that the bytes do not have ends in quarantine with both", async () => {
    await world.agency.publish(THREE.name, { copyOf: THREE.path });
    cmr.ingest(collection, await granule(THREE, { Checksum: { Value: "0".repeat(32), Algorithm: "MD5" } }));
    await look();
    await world.until(async () => (await states()).includes(`${THREE.key} quarantined`), "it is in quarantine");
    const [{ reason } = { reason: "" }] = await world.ledger.revisionsOf("by-cmr", THREE.key);
    assert.match(reason, /md5 is not the announced one: .* expected 0{32}/);
  });

  test("hostile answers end with a reason", async () => {
    const failure = async (): Promise<string> => {
      try {
        await look();
        return "none";
      } catch (error) {
        return ((error as Error).cause as Error).cause instanceof Error
          ? (((error as Error).cause as Error).cause as Error).message
          : String(error);
      }
    };
    const cases: readonly [body: string, RegExp, headers?: Record<string, string>][] = [
      ["<html>", /no JSON: found "<html>"/],
      ["[1, 2]", /what CMR answers cannot be read/],
      ['{"hits":1,"items":"all of them"}', /what CMR answers cannot be read/],
      ['{"hits":9,"items":[{"umm":7},{}]}', /pages have no end/, { "cmr-search-after": '["same"]' }],
    ];
    for (const [body, reason, headers = {}] of cases) {
      cmr.hostile = (path) => (path.startsWith("/search/granules") ? { body, headers } : undefined);
      assert.match(await failure(), reason);
    }
    cmr.hostile = undefined;
  });

  test("a collection that CMR does not know, or that several are called, is named", async () => {
    const reasonOf = async (from: string): Promise<string> => {
      await apply(", every: 1h", from);
      const error = (await look().catch((reason: unknown) => reason)) as { cause?: { cause?: { message?: string } } };
      return error.cause?.cause?.message ?? "none";
    };
    assert.match(await reasonOf("NO-SUCH"), /CMR does not know this collection: found NO-SUCH/);
    assert.match(await reasonOf("TWICE"), new RegExp(`several collections have this name: found ${other} \\(version 1\\)`));
    await apply(", every: 1h", collection);
    assert.equal((await look()).announced >= 0, true, "by its concept id");
  });

  test("a backfill takes what CMR, or a listing, tells of a span", async () => {
    const folder = join(world.settings.home, "listed");
    const old = cmr.collection("OLD");
    for (const one of OSTIA) {
      const day = `${one.name.slice(0, 4)}-${one.name.slice(4, 6)}-${one.name.slice(6, 8)}`;
      // A granule of noon holds what is from midnight to midnight: the end of a span finds the next one too.
      const temporal = [`${day}T00:00:00Z`, `${day}T23:59:59Z`] as const;
      cmr.ingest(old, { ...(await granule(one, { Checksum: undefined })), temporal }, Date.now() - 400 * DAY_MS);
      await world.agency.publish(one.name, { copyOf: one.path });
      await mkdir(join(folder, one.name.slice(0, 8)), { recursive: true });
      await copyFile(one.path, join(folder, one.name.slice(0, 8), one.name));
    }
    const common = (name: string): string => `match: "{valid:%Y%m%d%H%M%S}-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc"
products: [ { timeseries: { calendar: { every: 1d, at: "12:00Z" }, store: stores/${name} } } ]
`;
    const text = `sources:
  archive: { at: "${world.agency.url}", cmr: { endpoint: "${cmr.url}" } }
  folders: { at: "${folder}", listing: { every: 1d, below: ["{today:%Y%m%d}"], back: 0 } }
---
name: old-ones
from: { source: archive, collection: OLD }
${common("old-ones")}---
name: listed-ones
from: { source: folders }
${common("listed-ones")}`;
    const { datasets } = parseDatasetFile(text, { file: join(world.settings.home, "old.yaml") });
    await applyDatasets(world.client, world.ledger, datasets);
    const environment = { TEMPORAL_ADDRESS: world.server.address, FRESHET_HOME: world.settings.home };
    for (const [dataset, source] of [
      ["old-ones", "cmr"],
      ["listed-ones", "listing"],
    ] as const) {
      const words = ["backfill", dataset, "--from", "2017-06-05T06:00Z", "--to", "2017-06-07T06:00Z", "--source", source];
      const planned = await freshet([...words, "--dry-run"], environment);
      assert.match(
        planned.stdout,
        /^2 granules would be asked for:\n {2}\S+20170605120000-UKMO\S+\n {2}\S+20170606120000-UKMO/,
        planned.stderr,
      );
      const done = await freshet([...words, "--json"], environment);
      assert.equal(done.code, 0, done.stderr);
      const { counts, total } = JSON.parse(done.stdout) as BackfillStatus;
      assert.deepEqual([total, counts.ready, counts.foreign], [2, 2, 0]);
      await world.until(async () => (await world.ledger.counts(dataset)).published === 2, `${dataset} is published`);
    }
    const none = await freshet(["backfill", "ostia", "--source", "cmr"], environment);
    assert.deepEqual([none.code, /the dataset's source has no CMR/.test(none.stderr)], [2, true]);
  });

  test("a notification of CMR is resolved to the granule's link; one of nobody's CMR asks nobody", async () => {
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    const announcer = new Announcer(world.client, world.ledger);
    const isOf = async ({ name }: Source): Promise<boolean> => name === "podaac";
    const intake = new Intake({ announcer, name: "test", via: "sqs", sources: "podaac", serves: isOf, isOf, log });
    await world.agency.publish(THREE.name, { copyOf: THREE.path });
    const id = cmr.ingest(collection, await granule(THREE), Date.now());
    const notice = (location: string, attributes: Record<string, string> = { mode: "New" }) =>
      intake.take(
        { body: JSON.stringify({ "concept-id": id, "granule-ur": "a name", location }), attributes },
        AbortSignal.timeout(20_000),
      );
    const held = await notice(`${cmr.url}search/concepts/${id}/2`);
    assert.deepEqual([held.kind, held.kind === "held" && held.granules], ["held", 1], JSON.stringify(held));
    await world.until(async () => (await states()).includes(`${THREE.key} published`), "the one that was notified is published");
    assert.equal((await notice(`${cmr.url}search/concepts/${id}/3`, { mode: "Delete" })).kind, "passed-over");
    assert.equal((await notice("http://127.0.0.1:9/search/concepts/G1-EVIL/1")).kind, "nothing-matches");
    const gone = await notice(`${cmr.url}search/concepts/G99-NONE/1`);
    assert.ok(gone.kind === "malformed" && /there is no such file/.test(gone.reason), JSON.stringify(gone));
  });

  test("the webhook resolves them too, in an envelope of SNS", async () => {
    const webhook = await startWebhook({ announcer: new Announcer(world.client, world.ledger), port: 0 });
    const post = async (location: string, mode: string): Promise<{ status: number; body: string }> => {
      const Message = JSON.stringify({ "concept-id": "G1", "granule-ur": "a name", location });
      const MessageAttributes = { mode: { Type: "String", Value: mode } };
      const body = JSON.stringify({ Type: "Notification", TopicArn: "arn:aws:sns:us-west-2:1:cmr", Message, MessageAttributes });
      const headers = { "content-type": "text/plain", "x-amz-sns-message-type": "Notification" };
      const response = await fetch(webhook.url, { method: "POST", headers, body });
      return { status: response.status, body: await response.text() };
    };
    try {
      const id = cmr.ingest(collection, await granule(ONE), Date.now());
      const held = await post(`${cmr.url}search/concepts/${id}/2`, "Update");
      assert.equal(held.status, 202, held.body);
      const { granules } = JSON.parse(held.body) as { granules: { dataset: string; key: string }[] };
      assert.ok(
        granules.some(({ dataset, key }) => dataset === "by-cmr" && key === ONE.key),
        held.body,
      );
      assert.match((await post(`${cmr.url}search/concepts/${id}/3`, "Delete")).body, /"granules":\[\].*is deleted/);
      assert.match((await post("http://127.0.0.1:9/search/concepts/G1-EVIL/1", "New")).body, /no dataset knows/);
      const gone = await post(`${cmr.url}search/concepts/G99-NONE/1`, "New");
      assert.deepEqual([gone.status, /no such file/.test(gone.body)], [400, true], gone.body);
    } finally {
      await webhook.close();
    }
  });

  test("the schedule follows the file", async () => {
    assert.deepEqual(await apply(", every: 2h"), ["schedule cmr:podaac: changed"]);
    const text = `sources: { podaac: { at: "${world.agency.url}" } }
---
name: by-cmr
from: { source: podaac }
match: "{valid:%Y%m%d%H%M%S}-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc"
products: [ { timeseries: { calendar: { every: 1d, at: "12:00Z" }, store: stores/by-cmr } } ]
publish: { coalesce: 50ms }
`;
    const { datasets } = parseDatasetFile(text, { file: join(world.settings.home, "by-cmr.yaml") });
    const [applied] = await applyDatasets(world.client, world.ledger, datasets);
    assert.ok(applied?.changes.includes("schedule cmr:podaac: removed"), applied?.changes.join());
    await assert.rejects(world.client.schedule.getHandle("cmr:podaac").describe(), ScheduleNotFoundError);
  });
});
