import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DEV_SERVER_SETTINGS } from "../src/cli/demo/temporal-server.ts";
import { parseDatasetFile } from "../src/dataset/index.ts";
import { type Ledger, openLedger } from "../src/ledger/index.ts";
import { Announcer, applyDatasets, connectTemporal, Starters, startWebhook } from "../src/starters/index.ts";
import { SQS_ENVIRONMENT, TestElasticMq } from "../test/support/elasticmq.ts";
import { TestRabbitMq } from "../test/support/rabbitmq.ts";
import { startTemporalServer } from "../test/support/temporal-server.ts";
import { round } from "./figures.ts";

/** Announcements under way at once, in every row. */
const AT_ONCE = 16;
const HOUR_MS = 3_600_000;
const EXCHANGE = "xpublic";

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

type Client = Awaited<ReturnType<typeof connectTemporal>>;
type Row = Record<string, string | number>;

/**
 * How many announcements a second get into Temporal by each starter, beside the same signals with start from this process with nothing
 * around them. Nobody works on the granules: what is measured ends when Temporal holds them.
 */
export async function starters(count: number, say: (line: string) => void): Promise<readonly Row[]> {
  Object.assign(process.env, SQS_ENVIRONMENT, { TEST_USER: "guest", TEST_PASSWORD: "guest" });
  const home = await mkdtemp(join(tmpdir(), "freshet-bench-"));
  const server = await startTemporalServer(["--db-filename", join(home, "temporal.db"), ...DEV_SERVER_SETTINGS]);
  const [sqs, rabbit] = await Promise.all([TestElasticMq.start(), TestRabbitMq.start()]);
  const ledger = await openLedger(join(home, "ledger.db"));
  const client = await connectTemporal(server.address, "default");
  try {
    const rows: Row[] = [];
    const measured = async (way: string, begin: (dataset: string) => Promise<() => Promise<void>>): Promise<void> => {
      say(`${way}: ${count} announcements`);
      const rate = await rateOf(client, way, count, await begin(way));
      const bare = Number(rows[0]?.["a second"] ?? rate);
      rows.push({ way, announcements: count, "a second": round(rate), "of bare": round((100 * rate) / bare) });
    };
    await measured("bare", async (dataset) => () => bareSignals(client, dataset, count));
    await measured("webhook", async (dataset) => {
      await apply(client, ledger, dataset, "", home);
      const webhook = await startWebhook({ announcer: new Announcer(client, ledger), port: 0 });
      return async () => {
        await inTurns(count, (number) => post(webhook.url, dataset, number));
        await webhook.close();
      };
    });
    await measured("sqs", async (dataset) => {
      const queue = await sqs.createQueue("bench");
      await apply(client, ledger, dataset, `sqs: { queue: "${queue}" }`, home);
      await sqs.send(
        queue,
        uris(dataset, count).map((uri) => JSON.stringify({ uri })),
      );
      return () => untilHeld(client, ledger, dataset, count, "sqs");
    });
    await measured("amqp", async (dataset) => {
      await rabbit.withChannel((channel) => channel.assertExchange(EXCHANGE, "topic", { durable: true }));
      const who = `broker: "${rabbit.url}", user: "\${TEST_USER}", password: "\${TEST_PASSWORD}"`;
      await apply(client, ledger, dataset, `amqp: { ${who}, queue: bench, topics: ["v03.#"] }`, home);
      await rabbit.withChannel(async (channel) => {
        await channel.assertQueue("bench", { durable: true });
        await channel.bindQueue("bench", EXCHANGE, "v03.#");
      });
      await rabbit.publish(
        EXCHANGE,
        uris(dataset, count).map((uri) => ({ topic: "v03.made", body: v03(uri) })),
      );
      return () => untilHeld(client, ledger, dataset, count, "amqp");
    });
    return rows;
  } finally {
    await client.connection.close();
    await ledger.close();
    await Promise.all([sqs.stop(), rabbit.stop()]);
    await server.stop();
    await rm(home, { recursive: true, force: true });
  }
}

/** Announcements a second from the beginning of the work until Temporal holds all. */
async function rateOf(client: Client, dataset: string, count: number, work: () => Promise<void>): Promise<number> {
  const from = performance.now();
  await work();
  const seconds = (performance.now() - from) / 1000;
  const query = `WorkflowId STARTS_WITH "granule:${dataset}:"`;
  while ((await client.workflow.count(query)).count < count) await sleep(100);
  return count / seconds;
}

async function bareSignals(client: Client, dataset: string, count: number): Promise<void> {
  await inTurns(count, async (number) => {
    await client.workflow.signalWithStart("granule", {
      workflowId: `granule:${dataset}:${number}`,
      taskQueue: "freshet",
      args: [{ dataset: { name: dataset, hash: "0" }, key: `${number}`, fields: {}, waiting: [] }],
      signal: "announce",
      signalArgs: [{ uri: `https://agency.example/${number}`, by: "bench", heardMs: 0 }],
    });
  });
}

/** Runs the starter until it says that Temporal holds as many. */
async function untilHeld(client: Client, ledger: Ledger, dataset: string, count: number, kind: "sqs" | "amqp"): Promise<void> {
  const stop = new AbortController();
  const all = new Starters({ client, ledger, log: SILENT, kind, sources: [dataset] });
  const running = all.run(stop.signal);
  const held = (): number => [...all.counts.values()].reduce((sum, { granules }) => sum + granules, 0);
  while (held() < count) await sleep(5);
  stop.abort();
  // What it does on its way out is not what is measured; it is waited for all the same.
  await running;
}

async function apply(client: Client, ledger: Ledger, dataset: string, delivery: string, home: string): Promise<void> {
  const text = `
sources: { ${dataset}: { at: "https://agency.example/${dataset}/", ${delivery} } }
---
name: ${dataset}
from: { source: ${dataset} }
match: "{valid:%Y%m%d%H}.nc"
products: [ { timeseries: { calendar: { every: 1h }, store: ${dataset} } } ]
`;
  await applyDatasets(client, ledger, parseDatasetFile(text, { file: join(home, `${dataset}.yaml`) }).datasets);
}

function uris(dataset: string, count: number): string[] {
  return Array.from({ length: count }, (_, number) => uriOf(dataset, number));
}

function uriOf(dataset: string, number: number): string {
  const hour = new Date(Date.UTC(2020, 0, 1) + number * HOUR_MS).toISOString().slice(0, 13).replace(/[-T]/g, "");
  return `https://agency.example/${dataset}/${hour}.nc`;
}

/** Sarracenia's form. */
function v03(uri: string): string {
  const { origin, pathname } = new URL(uri);
  return JSON.stringify({ pubTime: "20200101T000000.0", baseUrl: `${origin}/`, relPath: pathname.slice(1) });
}

async function post(url: string, dataset: string, number: number): Promise<void> {
  const body = JSON.stringify({ uri: uriOf(dataset, number) });
  const answer = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
  if (answer.status !== 202) throw new Error(`${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
}

async function inTurns(count: number, work: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  const turn = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, turn));
}
