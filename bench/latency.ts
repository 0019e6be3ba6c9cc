import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from "@temporalio/worker";
import type { PublicationResult } from "../src/contract/index.ts";
import { datasetWorkflowId } from "../src/contract/index.ts";
import { onStep, type Step } from "../src/steps/index.ts";
import { openGrowing } from "../test/writers/icechunk/growing-store.ts";
import { round, summarize } from "./figures.ts";
import { type Activity, activitiesOf } from "./histories.ts";
import { PROTOTYPE_QUEUE, prototypeActivities } from "./prototype/activities.ts";
import { Whole } from "./whole.ts";

/** Granules before the ones that count: code is compiled, connections are open. */
const WARM_UP = 10;
const STEPS: readonly Step[] = [
  "publish: before flush",
  "publish: after flush",
  "publish: verified",
  "publish: swapped",
  "publish: ledger told",
];
const now = (): number => performance.timeOrigin + performance.now();

type Rows = Record<string, string | number>[];

/** Announcement → readable for so many granules a second: by part, and beside it the least that could be done. */
export async function latency(count: number, rate: number, say: (line: string) => void): Promise<Rows> {
  const whole = await Whole.start("0s");
  try {
    say(`the prototype: ${count} granules`);
    const [bare, bareCpu] = await withCpu(() => prototype(whole, count, rate));
    say(`Freshet: ${count} granules`);
    const [{ parts, readable }, cpu] = await withCpu(() => freshet(whole, count, rate));
    const rows: Rows = [...parts].map(([part, values]) => ({ what: "Freshet", part, ...summarize(values) }));
    const all = { what: "Freshet", part: "announcement → readable", ...summarize(readable) };
    const least = { what: "prototype", part: "announcement → readable", ...summarize(bare) };
    const ratios = { p50: ratio(all.p50, least.p50), p95: ratio(all.p95, least.p95), max: ratio(all.max, least.max) };
    return [
      ...rows,
      all,
      least,
      { what: "Freshet / prototype", part: "", count, ...ratios },
      { what: "Freshet", part: "CPU of this process, ms a granule", count, p50: round(cpu / (count + WARM_UP)) },
      { what: "prototype", part: "CPU of this process, ms a granule", count, p50: round(bareCpu / (count + WARM_UP)) },
    ];
  } finally {
    await whole.stop();
  }
}

const ratio = (one: number, other: number): number => Math.round((one / other) * 100) / 100;

/** What the work answers, and the milliseconds of processor time that this process spent meanwhile. */
async function withCpu<Answer>(work: () => Promise<Answer>): Promise<[Answer, number]> {
  const before = process.cpuUsage();
  const answer = await work();
  const { user, system } = process.cpuUsage(before);
  return [answer, (user + system) / 1000];
}

async function freshet(whole: Whole, count: number, rate: number) {
  const steps = new Map<Step, number[]>();
  const stop = onStep((step) => {
    if (STEPS.includes(step)) steps.set(step, [...(steps.get(step) ?? []), now()]);
  });
  const announced: { key: string; workflowId: string; atMs: number; heldMs: number }[] = [];
  const one = async (hour: number): Promise<void> => {
    const uri = await whole.put(hour);
    const atMs = now();
    announced.push({ ...(await whole.announce(uri)), atMs, heldMs: now() - atMs });
  };
  await atARate(count + WARM_UP, rate, one);
  await whole.published(count + WARM_UP);
  await sleep(500);
  stop();
  const { client, ledger } = whole.worker;
  const sequenceOf = new Map<string, number>();
  for (const { sequence } of await ledger.publications("bench", undefined, 10_000))
    for (const { key } of await ledger.membersOf("bench", "timeseries", sequence)) sequenceOf.set(key, sequence);
  const turns = turnsOf(await activitiesOf(client, datasetWorkflowId("bench")));
  const parts = new Map<string, number[]>();
  const add = (part: string, value: number): void => {
    parts.set(part, [...(parts.get(part) ?? []), value]);
  };
  const readable: number[] = [];
  for (const { key, workflowId, atMs, heldMs } of announced.slice(WARM_UP)) {
    const sequence = sequenceOf.get(key) ?? Number.NaN;
    const turn = turns.get(sequence);
    const [download, scan, record] = await activitiesOf(client, workflowId);
    const [before, flushed, verified, swapped, told] = STEPS.map((step) => steps.get(step)?.[sequence - 1] ?? Number.NaN) as [
      number,
      number,
      number,
      number,
      number,
    ];
    if (turn === undefined || download === undefined || scan === undefined || record === undefined)
      throw new Error(`${key} has no history`);
    add("announcement held by Temporal", heldMs);
    add("announcement → download begins", download.startedMs - atMs);
    add("download", download.completedMs - download.startedMs);
    add("→ scan begins", scan.startedMs - download.completedMs);
    add("scan, witness, gate", scan.completedMs - scan.startedMs);
    add("→ record begins", record.startedMs - scan.completedMs);
    add("record, wake → combine begins", turn.combine.startedMs - record.startedMs);
    add("combine", turn.combine.completedMs - turn.combine.startedMs);
    add("→ append begins", turn.append.startedMs - turn.combine.completedMs);
    add("append: plan again", before - turn.append.startedMs);
    add("append: read scans, write, flush", flushed - before);
    add("append: verify", verified - flushed);
    add("append: swap", swapped - verified);
    add("(after that) the ledger is told", told - swapped);
    readable.push(swapped - atMs);
  }
  return { parts, readable };
}

/** Each publication with the two activities that made it. */
function turnsOf(activities: readonly Activity[]): Map<number, { combine: Activity; append: Activity }> {
  const turns = new Map<number, { combine: Activity; append: Activity }>();
  let combine: Activity | undefined;
  for (const activity of activities) {
    if (activity.type === "combine") combine = activity;
    else if (activity.type === "append" && combine !== undefined)
      turns.set((activity.result as PublicationResult).sequence, { combine, append: activity });
  }
  return turns;
}

async function prototype({ worker, server }: Whole, count: number, rate: number): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), "freshet-prototype-"));
  const growing = { folder: join(folder, "store"), prefix: pathToFileURL(folder).href.concat("/"), arrays: 1, split: 1000 };
  const store = await openGrowing(growing);
  const begun = new Map<string, number>();
  const readable = new Map<string, number>();
  const { client } = worker;
  const connection = await NativeConnection.connect({ address: server.address });
  const bare = await Worker.create({
    connection,
    taskQueue: PROTOTYPE_QUEUE,
    workflowBundle: await bundleWorkflowCode({
      workflowsPath: fileURLToPath(new URL("./prototype/workflows.ts", import.meta.url)),
      logger: new DefaultLogger("ERROR"),
    }),
    activities: { ...prototypeActivities(client, store, growing, (key) => readable.set(key, now())) },
  });
  const done = bare.run();
  try {
    await atARate(count + WARM_UP, rate, async (index) => {
      const key = `granule ${index}`;
      begun.set(key, now());
      const workflowId = `prototype:${key}`;
      await client.workflow.start("prototypeGranule", { workflowId, taskQueue: PROTOTYPE_QUEUE, args: [key] });
    });
    while (readable.size < count + WARM_UP) await sleep(20);
  } finally {
    bare.shutdown();
    await done;
    await client.workflow.getHandle("prototype-dataset").terminate("the measurement is over");
    await connection.close();
    await rm(folder, { recursive: true, force: true });
  }
  return [...begun].slice(WARM_UP).map(([key, atMs]) => (readable.get(key) ?? Number.NaN) - atMs);
}

/** Begins so many a second, whether the ones before are done or not. */
async function atARate(count: number, rate: number, one: (index: number) => Promise<void>): Promise<void> {
  const started = now();
  const all: Promise<void>[] = [];
  for (let index = 0; index < count; index++) {
    await sleep(Math.max(0, started + (index * 1000) / rate - now()));
    all.push(one(index));
  }
  await Promise.all(all);
}
