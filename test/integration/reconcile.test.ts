import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Deviation, Reconciled } from "../../src/contract/index.ts";
import { parseDatasetFile } from "../../src/dataset/index.ts";
import { applyDatasets } from "../../src/starters/index.ts";
import { freshet } from "../cli/cli.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2020, 0, 1);
const nameOf = (hour: number): string =>
  `${new Date(START_MS + hour * HOUR_MS).toISOString().replace(/[-:T]/g, "").slice(0, 10)}.nc`;
const keyOf = (hour: number): string => `20200101T${String(hour).padStart(2, "0")}0000Z`;
const bytes = (hour: number, value = hour): Uint8Array =>
  granuleBytes({ seconds: [(START_MS + hour * HOUR_MS) / 1000], value: () => value });
const SPAN = ["--from", "2020-01-01", "--to", "2020-01-01T09:00Z"] as const;

suite("a reconciliation on a real Temporal server", { skip: missingTemporal(), timeout: 240_000 }, () => {
  let world: World;
  let environment: NodeJS.ProcessEnv;
  const datasetOf = (name: string, source: string, more: string) => `
sources: { ${name}: { ${source} } }
---
name: ${name}
from: { source: ${name} }
match: "{valid:%Y%m%d%H}.nc"
products: [ { timeseries: { calendar: { every: 1h }, store: stores/${name} } } ]
publish: { coalesce: 0s }
await: { deadline: 1s, every: 100ms }
${more}
`;
  const apply = async (name: string, source: string, more = "") => {
    const { datasets } = parseDatasetFile(datasetOf(name, source, more), { file: join(world.settings.home, `${name}.yaml`) });
    return (await applyDatasets(world.client, world.ledger, datasets)).flatMap(({ changes }) => changes);
  };
  before(async () => {
    world = await World.start();
    environment = { TEMPORAL_ADDRESS: world.server.address, FRESHET_HOME: world.settings.home };
    await apply("asked", `at: "${world.agency.url}"`);
    await apply("listed", `at: "${world.agency.folder}", listing: { every: 1d }`);
    await world.client.schedule.getHandle("listing:listed").pause("the reconciliation is what is tried");
    for (const hour of [0, 1, 2, 3, 4]) await world.agency.publish(nameOf(hour), bytes(hour));
    for (const name of ["asked", "listed"]) {
      const list = [0, 1, 2, 3, 4].map(nameOf).join("\n");
      const file = join(world.settings.home, `${name}.txt`);
      await writeFile(file, list);
      const end = await freshet(["backfill", name, "--source", file], undefined, environment);
      assert.equal(end.code, 0, end.stderr);
      await world.until(async () => (await world.ledger.counts(name)).published === 5, `${name} is published`);
    }
    await world.agency.publish(nameOf(6), bytes(6));
  });
  after(() => world?.stop());

  const reconcile = async (
    name: string,
    ...words: readonly string[]
  ): Promise<{ readonly code: number | null; readonly said: Reconciled }> => {
    const end = await freshet(["reconcile", name, ...SPAN, "--json", ...words], undefined, environment);
    assert.ok(end.stdout.startsWith("{"), end.stderr);
    return { code: end.code, said: JSON.parse(end.stdout) as Reconciled };
  };
  const told = ({ shown }: Reconciled): string[] => shown.map(({ kind, where }) => `${kind} ${where}`).sort();

  test("where the source has no listing: every granule's place, every name that the calendar tells of", async () => {
    await world.agency.publish(nameOf(1), bytes(1, 100), Date.now() - 60_000);
    await world.agency.withdraw(nameOf(2));
    const { code, said } = await reconcile("asked");
    assert.equal(code, 1, "something differs, and nothing was done");
    const overdue = [5, 7, 8, 9].map((hour) => `overdue ${keyOf(hour)}`);
    const differing = [...overdue, `missing ${keyOf(6)}`, `replaced ${keyOf(1)}`, `withdrawn ${keyOf(2)}`].sort();
    assert.deepEqual(told(said), differing);
    assert.equal(said.acted, 0);
    assert.equal((await world.ledger.counts("asked")).published, 5, "nothing was changed");
    const folder = fileURLToPath(said.report);
    const lines = (await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), "utf8")))).join("");
    const written = lines
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Deviation);
    assert.deepEqual(told({ ...said, shown: written }), differing);
  });

  test("where it has one: the same, by the listing", async () => {
    const { said } = await reconcile("listed");
    const overdue = [5, 7, 8, 9].map((hour) => `overdue ${keyOf(hour)}`);
    assert.deepEqual(told(said), [...overdue, `missing ${keyOf(6)}`, `replaced ${keyOf(1)}`, `withdrawn ${keyOf(2)}`].sort());
  });

  test("acting, it announces, withdraws and publishes; afterwards only what nobody has is left", async () => {
    for (const name of ["asked", "listed"]) {
      const { said } = await reconcile(name, "--act");
      assert.equal(said.acted, 3);
      await world.until(async () => {
        const { published, withdrawn, superseded } = await world.ledger.counts(name);
        return published === 5 && withdrawn === 1 && superseded === 1;
      }, `${name} is what its source is`);
      await world.until(async () => (await reconcile(name)).said.counts.withdrawn === 0, "it is settled");
      const { said: left } = await reconcile(name);
      assert.deepEqual(
        Object.entries(left.counts).filter(([, number]) => number > 0),
        [["overdue", 4]],
      );
    }
  });

  test("what the ledger has of a granule that no version has is late, what only the store has is orphaned", async () => {
    await world.ledger.hear({
      dataset: "asked",
      key: keyOf(9),
      identity: "size:1:x",
      uri: `${world.agency.url}${nameOf(9)}`,
      size: 1,
    });
    await world.client.workflow.getHandle("dataset:asked").terminate("nobody publishes meanwhile");
    const [last] = await world.ledger.publications("asked", "timeseries", 1);
    assert.ok(last);
    await world.ledger.recordPublication({ ...last, sequence: last.sequence + 1, snapshot: "NOWHERE", message: "by hand" }, []);
    await sleep(1_100);
    const { said } = await reconcile("asked", "--from", "2020-01-01T03:00Z");
    assert.ok(told(said).includes(`late ${keyOf(9)}`), JSON.stringify(said.shown));
    assert.match(said.shown.find(({ kind }) => kind === "orphaned")?.expected ?? "", /NOWHERE/);
  });

  test("one at a time; on a schedule where the dataset file says so", async () => {
    const changes = await apply("asked", `at: "${world.agency.url}"`, "maintenance: { reconcile: { every: 12h, act: true } }");
    assert.ok(changes.includes("schedule reconcile:asked: created"), changes.join());
    const { action } = await world.client.schedule.getHandle("reconcile:asked").describe();
    assert.deepEqual((action.args as readonly { act: boolean }[])[0]?.act, true);
    assert.ok((await apply("asked", `at: "${world.agency.url}"`)).includes("schedule reconcile:asked: removed"));
    const wrong = await freshet(["reconcile", "asked", "--from", "yesterday"], undefined, environment);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /--from takes an instant: found yesterday/);
  });
});
