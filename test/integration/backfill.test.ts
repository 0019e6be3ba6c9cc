import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { BackfillStatus } from "../../src/contract/index.ts";
import { type Dataset, parseDatasetFile, urisBetween } from "../../src/dataset/index.ts";
import { applyDatasets, startBackfill } from "../../src/starters/index.ts";
import { freshet } from "../cli/cli.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

const START_MS = Date.UTC(2020, 0, 1);
const HOUR_MS = 3_600_000;
const HOURS = 40;
/** Hours that the agency does not have. */
const GAPS = [7, 8, 21];

suite("a backfill on a real Temporal server", { skip: missingTemporal(), timeout: 180_000 }, () => {
  let world: World;
  let dataset: Dataset;
  let environment: NodeJS.ProcessEnv;
  let reference: { name: string; hash: string };
  before(async () => {
    world = await World.start();
    for (let hour = 0; hour < HOURS; hour++) {
      if (GAPS.includes(hour)) continue;
      const validMs = START_MS + hour * HOUR_MS;
      const name = `${new Date(validMs).toISOString().replace(/[-:T]/g, "").slice(0, 10)}.nc`;
      await world.agency.publish(name, granuleBytes({ seconds: [validMs / 1000], value: () => hour }));
    }
    const text = `
sources: { s: { at: "${world.agency.url}" } }
---
name: hours
from: { source: s }
match: "{valid:%Y%m%d%H}.nc"
products: [ { timeseries: { calendar: { every: 1h }, store: stores/hours } } ]
publish: { coalesce: 0s }
`;
    dataset = parseDatasetFile(text, { file: join(world.settings.home, "hours.yaml") }).datasets[0] as Dataset;
    const [applied] = await applyDatasets(world.client, world.ledger, [dataset]);
    reference = { name: "hours", hash: applied?.hash as string };
    environment = { TEMPORAL_ADDRESS: world.server.address, FRESHET_HOME: world.settings.home };
  });
  after(() => world?.stop());

  const span = ["--from", "2020-01-01", "--to", "2020-01-02T15:00Z"] as const;

  test("a dry run shows which granules, and starts nothing", async () => {
    const { code, stdout } = await freshet(["backfill", "hours", ...span, "--dry-run"], undefined, environment);
    assert.equal(code, 0);
    assert.match(stdout, /^40 granules would be asked for; the first 10:\n {2}http:\/\/127\.0\.0\.1:\d+\/2020010100\.nc\n/);
    assert.equal((await world.ledger.newest("hours", 1)).length, 0);
  });

  test("announces what is there, a window at a time, and publishes each window once", async () => {
    const { code, stdout } = await freshet(["backfill", "hours", ...span, "--window", "10", "--json"], undefined, environment);
    assert.equal(code, 0);
    const { counts, done, total } = JSON.parse(stdout) as BackfillStatus;
    assert.deepEqual({ ready: counts.ready, absent: counts.absent, done, total }, { ready: 37, absent: 3, done: 40, total: 40 });
    await world.until(async () => (await world.ledger.counts("hours")).published === 37, "all are published");
    const versions = (await world.ledger.publications("hours", undefined, 100)).length;
    assert.ok(versions <= 5, `${versions} versions of 37 granules, 10 to a window`);
    const workflows = await Array.fromAsync(
      world.client.workflow.list({ query: 'WorkflowType="granule" AND FreshetDataset="hours"' }),
    );
    assert.deepEqual(workflows, [], "nothing stood in the way of any");
  });

  test("again, it passes over what the ledger has", async () => {
    const { stdout } = await freshet(["backfill", "hours", ...span, "--json"], undefined, environment);
    assert.deepEqual((JSON.parse(stdout) as BackfillStatus).counts, {
      announced: 0,
      known: 37,
      absent: 3,
      foreign: 0,
      held: 0,
      ready: 0,
      quarantined: 0,
      others: 0,
    });
  });

  test("of a list: what is foreign is counted, and a bad granule ends in quarantine without holding the others", async () => {
    const bad = "2020010307.nc";
    await world.agency.publish(bad, Buffer.from("an error page"));
    const list = join(world.settings.home, "list.txt");
    await writeFile(list, `${bad}\n\nhttps://elsewhere.example/2020010100.nc\n2020010100.nc\nreadme.txt\n`);
    const { code, stdout } = await freshet(["backfill", "hours", "--source", list, "--again", "--json"], undefined, environment);
    assert.equal(code, 1, "something waits for a decision");
    const { counts } = JSON.parse(stdout) as BackfillStatus;
    assert.deepEqual([counts.foreign, counts.quarantined, counts.ready, counts.announced], [2, 1, 1, 2]);
  });

  test("paused it begins nothing; a worker that is gone does not lose its place; resumed it ends", async () => {
    for (let hour = HOURS; hour < HOURS + 12; hour++) {
      const validMs = START_MS + hour * HOUR_MS;
      const name = `${new Date(validMs).toISOString().replace(/[-:T]/g, "").slice(0, 10)}.nc`;
      await world.agency.publish(name, granuleBytes({ seconds: [validMs / 1000], value: () => hour }));
    }
    const uris = [...urisBetween(dataset, START_MS + HOURS * HOUR_MS, START_MS + (HOURS + 11) * HOUR_MS)];
    assert.equal(uris.length, 12);
    const list = join(world.settings.home, "paused.txt");
    await writeFile(list, uris.map((uri) => `${uri}\n`).join(""));
    const input = { dataset: reference, list: pathToFileURL(list).href, total: uris.length, window: 2, again: false };
    const handle = await startBackfill(world.client, "paused", input);
    const status = (): Promise<BackfillStatus> => handle.query<BackfillStatus>("status");
    // At once: it would be done before a command has started.
    await handle.signal("pause");
    assert.equal((await freshet(["backfill", "pause", "hours"], undefined, environment)).code, 0);
    await world.until(async () => (await status()).isPaused && (await status()).underWay === 0, "it is paused");
    const { done } = await status();
    assert.ok(done < 12, `${done} of 12`);

    await world.changeWorker("hours");
    const listed = await freshet(["backfill", "status", "hours", "--json"], undefined, environment);
    const states = listed.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { workflowId: string; status: BackfillStatus });
    assert.equal(states.find(({ workflowId }) => workflowId.endsWith(":paused"))?.status.done, done);
    const same = world.client.workflow.getHandle(handle.workflowId);
    assert.equal((await freshet(["backfill", "resume", "hours"], undefined, environment)).code, 0);
    assert.deepEqual(((await same.result()) as BackfillStatus).counts.ready, 12);
  });

  test("replay asks the source of one granule once more", async () => {
    const key = "20200101T030000Z";
    const same = await freshet(["replay", "hours", key], undefined, environment);
    assert.deepEqual([same.code, /: duplicate in version \w+ /.test(same.stdout)], [0, true], same.stdout + same.stderr);
    await world.agency.publish("2020010103.nc", granuleBytes({ seconds: [START_MS / 1000 + 3 * 3600], value: () => 333 }));
    const other = await freshet(["replay", "hours", key, "--json"], undefined, environment);
    assert.equal(JSON.parse(other.stdout).outcome, "published", other.stderr);
    const unknown = await freshet(["replay", "hours", "20300101T000000Z"], undefined, environment);
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /has not heard of this granule: found 20300101T000000Z/);
  });

  test("names that say more than a time cannot be made up", async () => {
    const { code, stderr } = await freshet(["backfill", "mogreps-uk", ...span], undefined, environment);
    assert.equal(code, 2);
    assert.match(stderr, /cannot be made up: found the fields .*lead/);
  });
});
