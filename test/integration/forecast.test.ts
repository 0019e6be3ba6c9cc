import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";
import { applyDatasets } from "../../src/starters/index.ts";
import { missingPython, runPython } from "../support/python.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

const HOUR = 3600;
const DAY = Date.UTC(2024, 8, 1) / 1000;

/** A granule of the test: a nowcast or a forecast, as NOS names them. */
interface Made {
  readonly name: string;
  readonly run: number;
  readonly valid: readonly number[];
  readonly isNowcast: boolean;
  readonly bias?: number;
}

/** A file of one step; nowcasts n001 to n003 lie in the three hours before the run. */
function made(cycle: number, kind: "n" | "f", lead: number, bias = 0): Made {
  const run = DAY + cycle * HOUR;
  const valid = run + (kind === "n" ? lead - 3 : lead) * HOUR;
  const two = String(cycle).padStart(2, "0");
  const name = `dbofs.t${two}z.20240901.fields.${kind}${String(lead).padStart(3, "0")}.nc`;
  return { name, run, valid: [valid], isNowcast: kind === "n", bias };
}

/** What stands in the views, said as simply as can be. */
function expectedViews(standing: readonly Made[], folder: string): unknown {
  const runs: number[] = [];
  for (let run = Math.min(...standing.map((g) => g.run)); run <= Math.max(...standing.map((g) => g.run)); run += 6 * HOUR)
    runs.push(run);
  const leads = [-2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((lead) => lead * HOUR);
  const at = (run: number, lead: number): Made | undefined =>
    standing.find((g) => g.run === run && g.valid[0] === run + lead && g.isNowcast) ??
    standing.find((g) => g.run === run && g.valid[0] === run + lead);
  const path = (g: Made): string => join(folder, g.name);
  const line = (run: number): unknown => {
    const found = leads.map((lead) => at(run, lead));
    return {
      dims: ["ocean_time"],
      shape: [leads.length],
      valid: leads.map((lead) => run + lead),
      run: found.map((g) => g?.run ?? null),
      lead: found.map((g, index) => (g === undefined ? null : leads[index])),
      cells: found.flatMap((g, index) => (g === undefined ? [] : [[index, path(g), 0]])),
    };
  };
  const valids = standing.map((g) => g.valid[0] as number);
  const bestTimes: number[] = [];
  for (let ms = Math.min(...valids); ms <= Math.max(...valids); ms += HOUR) bestTimes.push(ms);
  const best = bestTimes.map((ms) => {
    const all = standing.filter((g) => g.valid[0] === ms).sort((a, b) => b.run - a.run);
    return all.find((g) => g.isNowcast) ?? all[0];
  });
  const newest = Math.max(...standing.map((g) => g.run));
  const having = runs.filter((run) => leads.includes(DAY + 9 * HOUR - run));
  return {
    fmrc: {
      dims: ["run", "lead"],
      shape: [runs.length, leads.length],
      valid: runs.flatMap((run) => leads.map((lead) => run + lead)),
      run: runs,
      lead: leads,
      cells: runs.flatMap((run, row) =>
        leads.flatMap((lead, column) => {
          const g = at(run, lead);
          return g === undefined ? [] : [[row, column, path(g), 0]];
        }),
      ),
    },
    best: {
      dims: ["ocean_time"],
      shape: [bestTimes.length],
      valid: bestTimes,
      run: best.map((g) => g?.run ?? null),
      lead: best.map((g) => (g === undefined ? null : (g.valid[0] as number) - g.run)),
      cells: best.flatMap((g, index) => (g === undefined ? [] : [[index, path(g), 0]])),
    },
    latest: line(newest),
    "valid/20240901T0900Z": {
      dims: ["run"],
      shape: [having.length],
      valid: having.map(() => DAY + 9 * HOUR),
      run: having,
      lead: having.map((run) => DAY + 9 * HOUR - run),
      cells: having.flatMap((run, index) => {
        const g = at(run, DAY + 9 * HOUR - run);
        return g === undefined ? [] : [[index, path(g), 0]];
      }),
    },
    [`run/20240901T${String(((runs[0] as number) - DAY) / HOUR).padStart(2, "0")}00Z`]: line(runs[0] as number),
    "offset/2h": {
      dims: ["ocean_time"],
      shape: [runs.length],
      valid: runs.map((run) => run + 2 * HOUR),
      run: runs.map((run) => at(run, 2 * HOUR)?.run ?? null),
      lead: runs.map((run) => (at(run, 2 * HOUR) === undefined ? null : 2 * HOUR)),
      cells: runs.flatMap((run, index) => {
        const g = at(run, 2 * HOUR);
        return g === undefined ? [] : [[index, path(g), 0]];
      }),
    },
  };
}

suite("a forecast, on a real Temporal server", { skip: missingTemporal() || missingPython(), timeout: 300_000 }, () => {
  let world: World;
  let dataset: Dataset;
  const standing: Made[] = [];
  before(async () => {
    world = await World.start();
    const yaml = `
sources: { s: { at: "${world.agency.url}" } }
---
name: dbofs
from: { source: s }
match: "dbofs.t{run:%H}z.{run:%Y%m%d}.fields.{kind:n|f}{lead:3h}.nc"
runs: { every: 6h, leads: 0h..9h/1h, nowcast: { kind: n, valid: run-3h+lead, leads: 1h..3h/1h } }
scan: { load: [h] }
products: [ { forecast: { axis: ocean_time, views: [best, latest, fmrc, run, { offset: 2h }, { valid: 2024-09-01T09:00Z }], store: "stores/dbofs" } } ]
publish: { coalesce: 50ms }
`;
    dataset = parseDatasetFile(yaml, { file: join(world.settings.home, "d.yaml") }).datasets[0] as Dataset;
    await applyDatasets(world.client, world.ledger, [dataset]);
  });
  after(() => world?.stop());

  async function deliver(granules: readonly Made[]): Promise<void> {
    await runPython("forecast_granules.py", [world.agency.folder], granules);
    const started = await Promise.all(granules.map(({ name }) => world.announce(name)));
    for (const { workflowId } of started) await world.inStage(workflowId, "ready");
    await world.until(async () => (await world.ledger.unpublished("dbofs", "forecast")).length === 0, "all of it is published");
    for (const granule of granules) {
      const before = standing.findIndex(({ name }) => name === granule.name);
      standing.splice(before < 0 ? standing.length : before, before < 0 ? 0 : 1, granule);
    }
  }

  async function compare(): Promise<void> {
    const [publication] = await world.ledger.publications("dbofs", "forecast", 1);
    const store = join(world.settings.home, "stores", "dbofs");
    const output = await runPython(
      "compare_forecast.py",
      [store, publication?.snapshot as string],
      expectedViews(standing, world.agency.folder),
    );
    const { wrong, compared } = JSON.parse(output) as { wrong: string[]; compared: number };
    assert.deepEqual(wrong, []);
    assert.ok(compared > 50, `${compared} compared`);
  }

  test("the files of a run come in any order, with holes", async () => {
    await deliver([made(6, "f", 3), made(6, "n", 1), made(6, "f", 1), made(6, "n", 3)]);
    await compare();
  });

  test("the next run takes over what is best; an older one comes late", async () => {
    await deliver([made(12, "n", 1), made(12, "n", 2), made(12, "n", 3), made(12, "f", 1), made(12, "f", 2), made(12, "f", 9)]);
    await compare();
    await deliver([made(0, "f", 2), made(0, "f", 9), made(0, "f", 0), made(0, "n", 3)]);
    await compare();
  });

  test("a replaced file changes every view that shows it", async () => {
    await deliver([made(12, "f", 1, 1000)]);
    await compare();
  });
});
