import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { DatasetStatus } from "../../src/contract/index.ts";
import { parseDatasetFile } from "../../src/dataset/index.ts";
import { Announcer, applyDatasets, type RunningWebhook, startWebhook } from "../../src/starters/index.ts";
import { freshet } from "../cli/cli.ts";
import { MOGREPS, type RealGranule } from "../support/granules.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

const [FIRST, SECOND] = MOGREPS as [RealGranule, RealGranule];
/** As the agency names its files: nothing in the name says what is in them. */
const OPAQUE = "58d8ccc0b3c8a9d3ff9b5c4a21b9e5a0f1c2d3e4.nc";

suite("messages that say what a granule is, and alarms when none comes", { skip: missingTemporal(), timeout: 120_000 }, () => {
  let world: World;
  let webhook: RunningWebhook;
  let announcer: Announcer;
  let environment: NodeJS.ProcessEnv;
  before(async () => {
    world = await World.start();
    environment = { TEMPORAL_ADDRESS: world.server.address, FRESHET_HOME: world.settings.home };
    const text = `
sources: { aws-earth: { at: "${world.agency.url}" } }
---
name: told
from:
  source: aws-earth
  quiet: 4s
  message: { uri: "${world.agency.url.replace("127.0.0.1", "{host}")}{key}", run: "{forecast_reference_time}", lead: "{forecast_period}s" }
  select: { name: [air_temperature, surface_temperature] }
products: [ { timeseries: { calendar: { every: 1d, at: "15:00Z" }, store: stores/told } } ]
publish: { coalesce: 0s }
`;
    const { datasets } = parseDatasetFile(text, { file: join(world.settings.home, "told.yaml") });
    await applyDatasets(world.client, world.ledger, datasets);
    announcer = new Announcer(world.client, world.ledger);
    webhook = await startWebhook({ announcer, port: 0 });
  });
  after(async () => {
    await webhook?.close();
    await world?.stop();
  });

  const post = async (more: Record<string, string>) => {
    const said = {
      ...{ host: "127.0.0.1", model: "mo-atmospheric-mogreps-uk-prd", name: "air_temperature", key: OPAQUE },
      ...{ forecast_reference_time: "2017-06-02T03:00:00Z", forecast_period: "43200", ttl: "1550369304", ...more },
    };
    const response = await fetch(webhook.url, {
      method: "POST",
      body: JSON.stringify(said),
      headers: { "content-type": "application/json" },
    });
    const answer = (await response.json()) as Record<string, unknown>;
    return { ...answer, status: response.status } as Record<string, unknown>;
  };
  const status = (): Promise<DatasetStatus> => world.client.workflow.getHandle("dataset:told").query<DatasetStatus>("status");
  const alarms = async (): Promise<string[]> =>
    (await world.ledger.alarms({ dataset: "told", isOpen: true, limit: 10 })).map(({ kind }) => kind);

  test("the granule's key and fields come from the message; its file may have any name", async () => {
    await world.agency.publish(OPAQUE, { copyOf: FIRST.path });
    const answer = await post({});
    assert.deepEqual([answer.status, (answer.granules as { key: string }[]).map(({ key }) => key)], [202, [FIRST.key]]);
    await world.until(async () => (await world.ledger.counts("told")).published === 1, "it is published");
    const [revision] = await world.ledger.revisionsOf("told", FIRST.key);
    assert.equal(revision?.uri, `${world.agency.url}${OPAQUE}`);
    assert.deepEqual([revision?.fields?.run, revision?.fields?.lead], [Date.UTC(2017, 5, 2, 3), 12 * 3_600_000]);
  });

  test("a message that is not selected is passed over; one of another place, or without its fields, is told so", async () => {
    const other = await post({ name: "wind_speed" });
    assert.deepEqual(other.passedOver, ['no dataset selects a message with name "wind_speed"']);
    const elsewhere = await post({ host: "example.org" });
    assert.equal((elsewhere.uris as { note?: string }[])[0]?.note, "no dataset knows this name");
    const malformed = await post({ forecast_period: "soon" });
    assert.deepEqual([malformed.status, /lead is no duration/.test(String(malformed.error))], [400, true]);
  });

  test("the granule is announced again by its key alone, since the ledger has its fields", async () => {
    await world.agency.publish(OPAQUE, { copyOf: SECOND.path }, Date.now() - 60_000);
    const { stdout, stderr } = await freshet(["replay", "told", FIRST.key, "--json"], undefined, environment);
    assert.equal((JSON.parse(stdout) as { outcome: string }).outcome, "quarantined", stderr);
  });

  test("what matched, what matched nothing, and why, is counted and shown", async () => {
    await announcer.book.write();
    const { stdout } = await freshet(["unmatched", "--json"], undefined, environment);
    const said = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const brief = said.map(({ source, matched, unmatched, passedOver, malformed, name }) =>
      name === undefined ? [source, matched, unmatched, passedOver, malformed] : [source, name],
    );
    assert.deepEqual(brief, [
      ["aws-earth", 1, 0, 0, 0],
      ["none", 0, 1, 1, 1],
      ["none", `${world.agency.url.replace("127.0.0.1", "example.org")}${OPAQUE}`],
    ]);
  });

  test("nothing comes: after so long it is an alarm, in Temporal, in the ledger, in status and doctor; a new granule ends it", async () => {
    await world.until(async () => (await status()).stage === "quiet", "the dataset is quiet");
    assert.match((await status()).quiet.join(), /nothing new from the source aws-earth since /);
    assert.deepEqual(await alarms(), ["quiet"]);
    const { searchAttributes } = await world.client.workflow.getHandle("dataset:told").describe();
    assert.deepEqual(searchAttributes.FreshetStage, ["quiet"]);
    assert.match((await freshet(["status"], undefined, environment)).stdout, /told: nothing new from the source aws-earth/);
    const doctor = await freshet(["doctor", "--json"], undefined, environment);
    const arrivals = doctor.stdout.split("\n").find((line) => line.includes('"part":"arrivals"')) ?? "";
    assert.match(arrivals, /"ok":false,"found":"told: nothing new/);

    await world.agency.publish("another.nc", { copyOf: SECOND.path });
    await post({ key: "another.nc", forecast_reference_time: "2017-06-03T03:00:00Z" });
    await world.until(async () => (await alarms()).length === 0, "the alarm ends");
    const ended = await world.ledger.alarms({ dataset: "told", limit: 10 });
    assert.ok(ended.length > 0 && ended.every(({ endedMs }) => endedMs !== undefined), JSON.stringify(ended));
  });

  test("paused, the dataset publishes nothing and granules wait; resumed, it publishes them", async () => {
    const handle = world.client.workflow.getHandle("dataset:told");
    await handle.signal("pause");
    await world.until(async () => (await status()).stage === "paused", "it is paused");
    const { published } = await world.ledger.counts("told");
    await world.agency.publish("third.nc", { copyOf: (MOGREPS[2] as RealGranule).path });
    await post({ key: "third.nc", forecast_reference_time: "2017-06-04T03:00:00Z" });
    await world.until(async () => (await world.ledger.counts("told")).ready === 1, "it is ready");
    assert.deepEqual([(await status()).stage, (await world.ledger.counts("told")).published], ["paused", published]);
    await handle.signal("resume");
    await world.until(async () => (await world.ledger.counts("told")).published === published + 1, "it is published");
  });
});
