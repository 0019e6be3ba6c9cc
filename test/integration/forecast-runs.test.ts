import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type RunStatus, runsScheduleId, runWorkflowId } from "../../src/contract/index.ts";
import { canonicalDataset, type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";
import { runName } from "../../src/products/index.ts";
import { applyDatasets, giveUpRun } from "../../src/starters/index.ts";
import { missingPython, PYTHON } from "../support/python.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

const HOUR = 3_600_000;
const granulesScript = fileURLToPath(new URL("../python/forecast_granules.py", import.meta.url));

suite("the runs of a forecast, on a real Temporal server", {
  skip: missingTemporal() || missingPython(),
  timeout: 300_000,
}, () => {
  let world: World;
  /** The run that began last, of an hourly cycle; its deadline is not over for a day. */
  const current = Math.floor(Date.now() / HOUR) * HOUR;
  before(async () => {
    world = await World.start();
  });
  after(() => world?.stop());

  function datasetOf(name: string, runs: string): Dataset {
    const yaml = `
sources: { s: { at: "${world.agency.url}" } }
---
name: ${name}
from: { source: s }
match: "${name}.{run:%Y%m%dT%H}.f{lead:3h}.nc"
runs: { every: 1h, leads: 0h..2h/1h, ${runs} }
scan: { load: [h] }
products: [ { forecast: { axis: ocean_time, views: [fmrc], store: "stores/${name}" } } ]
publish: { coalesce: 50ms }
`;
    return parseDatasetFile(yaml, { file: join(world.settings.home, "d.yaml") }).datasets[0] as Dataset;
  }

  const apply = (dataset: Dataset) => applyDatasets(world.client, world.ledger, [dataset]);

  async function deliver(dataset: string, runMs: number, leads: readonly number[]): Promise<void> {
    const hour = new Date(runMs).toISOString().slice(0, 13).replaceAll("-", "");
    const made = leads.map((lead) => ({
      name: `${dataset}.${hour}.f${String(lead).padStart(3, "0")}.nc`,
      run: runMs / 1000,
      valid: [(runMs + lead * HOUR) / 1000],
    }));
    const child = spawn(PYTHON as string, [granulesScript, world.agency.folder], { stdio: ["pipe", "inherit", "inherit"] });
    child.stdin.end(JSON.stringify(made));
    assert.deepEqual(await once(child, "exit"), [0, null]);
    const started = await Promise.all(made.map(({ name }) => world.announce(name)));
    for (const { workflowId } of started) await world.inStage(workflowId, "ready");
  }

  const handleOf = (dataset: string, runMs: number) => world.client.workflow.getHandle(runWorkflowId(dataset, runName(runMs)));

  async function statusOf(dataset: string, runMs: number, holds: (status: RunStatus) => boolean): Promise<RunStatus> {
    let status: RunStatus | undefined;
    await world.until(
      async () => {
        status = await handleOf(dataset, runMs)
          .query<RunStatus | undefined>("status")
          .catch(() => undefined);
        return status !== undefined && holds(status);
      },
      `run ${runName(runMs)} of ${dataset}: ${JSON.stringify(status)}`,
    );
    return status as RunStatus;
  }

  const versionsOf = async (dataset: string) => (await world.ledger.publications(dataset, "forecast", 10)).length;

  test("one that is published when complete: open, kept back over a change of workers, then complete in one version", async () => {
    await apply(datasetOf("whole", "deadline: 24h, publish: when-complete"));
    await deliver("whole", current, [0, 2]);
    const open = await statusOf("whole", current, ({ there }) => there === 2);
    assert.deepEqual([open.stage, open.cells, open.awaited, open.dueMs], ["open", 3, "1h", current + 24 * HOUR]);
    assert.equal(await versionsOf("whole"), 0);
    // The worker goes; what it knew is in the ledger and in Temporal.
    await world.changeWorker("whole");
    await deliver("whole", current, [1]);
    const ended = (await handleOf("whole", current).result()) as RunStatus;
    assert.deepEqual([ended.stage, ended.there, ended.awaited, ended.late], ["complete", 3, "", 0]);
    await world.until(async () => (await world.ledger.unpublished("whole", "forecast")).length === 0, "the run is published");
    assert.equal(await versionsOf("whole"), 1);
  });

  test("one that an operator gives up is waited for no longer; its workflow need not be there", async () => {
    const dataset = datasetOf("givenup", "deadline: 24h, publish: when-complete");
    const reference = { name: dataset.name, hash: canonicalDataset(dataset).hash };
    await apply(dataset);
    await deliver("givenup", current, [0]);
    await statusOf("givenup", current, ({ there }) => there === 1);
    await handleOf("givenup", current).terminate("lost");
    const asked = { reason: "the model failed", by: "anna" };
    const status = await giveUpRun(world.client, reference, current, asked);
    assert.deepEqual([status.stage, status.there, status.givenUp], ["given up", 1, "anna: the model failed"]);
    await world.until(async () => (await versionsOf("givenup")) === 1, "what is there is published");
    // Another one, and what has come of it stays out.
    await deliver("givenup", current - HOUR, [0]);
    await giveUpRun(world.client, reference, current - HOUR, { ...asked, leave: true });
    await deliver("givenup", current - HOUR, [1]);
    await world.until(async () => (await world.ledger.counts("givenup")).skipped === 2, "both are left out");
    assert.equal(await versionsOf("givenup"), 1);
    await assert.rejects(giveUpRun(world.client, reference, current, { reason: "" }));
  });

  test("one that is overdue is late, says what is missing, and is amended by what comes late", async () => {
    await apply(datasetOf("slow", "deadline: 1s"));
    const run = current - 2 * HOUR;
    await deliver("slow", run, [1]);
    const late = await statusOf("slow", run, ({ stage, there }) => stage === "late" && there === 1);
    assert.deepEqual([late.awaited, late.late], ["0h, 2h", 1]);
    const { searchAttributes } = await handleOf("slow", run).describe();
    assert.deepEqual(searchAttributes?.FreshetStage, ["late"]);
    const alarms = () => world.ledger.alarms({ dataset: "slow", isOpen: true, limit: 10 });
    await world.until(async () => (await alarms()).length > 0, "an alarm");
    const [alarm] = await alarms();
    assert.deepEqual([alarm?.kind, alarm?.subject, alarm?.sinceMs], ["overdue", runName(run), run + 1_000]);
    assert.match(alarm?.text ?? "", /was due .*: freshet runs slow$/);
    await deliver("slow", run, [0, 2]);
    const ended = (await handleOf("slow", run).result()) as RunStatus;
    assert.deepEqual([ended.stage, ended.there, ended.late], ["complete", 3, 3]);
    await world.until(async () => !(await alarms()).some(({ subject }) => subject === runName(run)), "the alarm is over");
  });

  test("one of which nothing comes is there all the same, by a schedule that goes when the deadline goes", async () => {
    const before = Math.floor(Date.now() / HOUR) * HOUR;
    const dataset = datasetOf("silent", "deadline: 2s");
    await apply(dataset);
    assert.deepEqual((await apply(dataset))[0]?.changes, []);
    // It has been there for some hours.
    await deliver("silent", before - 2 * HOUR, [0]);
    const schedule = world.client.schedule.getHandle(runsScheduleId("silent"));
    const { spec } = await schedule.describe();
    assert.equal(Number(spec.intervals?.[0]?.every), HOUR);
    await schedule.trigger();
    const silent = await statusOf("silent", before - HOUR, ({ stage }) => stage === "late");
    assert.deepEqual([silent.there, silent.awaited, silent.heardMs], [0, "0h..2h", undefined]);
    await statusOf("silent", before, ({ there }) => there === 0);
    const [changed] = await apply(datasetOf("silent", "publish: as-they-come"));
    assert.ok(changed?.changes.includes("schedule runs:silent: removed"), changed?.changes.join("; "));
    await assert.rejects(schedule.describe());
  });
});
