import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { granuleBytes } from "../products/made-granule.ts";
import { type CliEnd, freshet } from "../support/cli.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

const NOON_MS = Date.UTC(2017, 5, 1, 12);
const NAME = "20170601120000.nc";

suite("freshet promote", { skip: missingTemporal(), timeout: 300_000 }, () => {
  let world: World;
  let file: string;
  const run = (...words: readonly string[]): Promise<CliEnd> =>
    freshet(words, { FRESHET_HOME: world.settings.home, TEMPORAL_ADDRESS: world.server.address });
  const promote = async (code: number, ...words: readonly string[]): Promise<string> => {
    const end = await run("promote", file, "--from", "dev", "--to", "prod", ...words);
    assert.equal(end.code, code, end.stdout + end.stderr);
    return end.stdout + end.stderr;
  };
  const applied = async (): Promise<string[]> =>
    (await world.ledger.datasets()).map(({ name }) => name).filter((name) => name.startsWith("sst"));

  before(async () => {
    world = await World.start();
    file = join(world.settings.home, "sst.yaml");
    await writeFile(
      file,
      `
sources: { s: { at: "${world.agency.url}" } }
---
name: sst
from: { source: s }
match: "{valid:%Y%m%d%H%M%S}.nc"
products: [ { timeseries: { calendar: { every: 1d, at: "12:00Z" }, store: "stores/{stage}/sst" } } ]
publish: { coalesce: 20ms }
stages:
  dev: {}
  prod: { name: sst, maintenance: { sweep: 1h } }
`,
    );
  });
  after(() => world?.stop());

  test("a dataset goes to the next stage when it is applied, healthy, published and verified, and not before", async () => {
    assert.match(await promote(1), /sst\.dev → sst: not fit\n {2}FAILED applied {4}it is not applied\. Apply the file/);
    const alone = await run("apply", file);
    assert.equal(alone.code, 2);
    assert.match(alone.stderr, /has stages, and none is named: expected dev, prod/);

    assert.equal((await run("apply", file, "--stage", "dev")).code, 0);
    const early = await promote(1);
    assert.match(
      early,
      /ok {5}applied {4}sst\.dev@[0-9a-f]{12}\n {2}ok {5}healthy {4}idle\n {2}FAILED published {2}timeseries has no version/,
    );
    assert.doesNotMatch(early, /verified/);

    await world.agency.publish(NAME, granuleBytes({ seconds: [NOON_MS / 1000], value: () => 7 }), NOON_MS);
    assert.equal((await run("ingest", `${world.agency.url}${NAME}`, "--dataset", "sst.dev")).code, 0);
    const looked = await promote(0, "--dry-run");
    assert.match(looked, /sst\.dev → sst: would change/);
    assert.match(looked, /ok {5}verified {3}\d+ comparisons agree/);
    assert.match(looked, /differs {2}maintenance\.sweepMs: 21600000 → 3600000/);
    assert.match(looked, /differs {2}products\[0\]\.store: ".*stores\/dev\/sst" → ".*stores\/prod\/sst"/);
    assert.match(looked, /would be dataset file: new/);
    assert.deepEqual(await applied(), ["sst.dev"]);

    assert.match(await promote(0), /sst\.dev → sst: applied/);
    assert.deepEqual(await applied(), ["sst", "sst.dev"]);
    const [again] = (await promote(0, "--json"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual([again.outcome, again.changes], ["applied", []]);
  });

  test("one that an operator holds does not go on, nor one whose file has changed since", async () => {
    await world.agency.publish(
      "20170602120000.nc",
      granuleBytes({ seconds: [NOON_MS / 1000 + 86_400], value: () => 8 }),
      NOON_MS,
    );
    await run("ingest", `${world.agency.url}20170602120000.nc`, "--dataset", "sst.dev");
    assert.equal((await run("rollback", "sst.dev", "1", "--reason", "wrong", "--yes")).code, 0);
    await world.until(async () => /FAILED healthy {4}.*shows publication #1 again/.test(await promote(1)), "the hold is seen");
    await writeFile(file, (await readFile(file, "utf8")).replace("dev: {}", "dev: { hold: 1d }"));
    assert.match(await promote(1), /FAILED applied {4}another file runs, sst\.dev@/);
  });
});
