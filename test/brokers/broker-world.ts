import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DEV_SERVER_SETTINGS } from "../../src/cli/demo/temporal-server.ts";
import { type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";
import { applyDatasets } from "../../src/starters/index.ts";
import { type RunningWorker, readSettings, startWorker } from "../../src/worker/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { startTestAgency, type TestAgency } from "../support/agency.ts";
import { startTemporalServer, type TestServer } from "../support/temporal-server.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2020, 0, 1);
const DATASET = "brokered";

/** A Freshet with one dataset of hourly granules, whose source is announced by a broker; starters run in processes of their own. */
export class BrokerWorld {
  readonly server: TestServer;
  readonly agency: TestAgency;
  readonly worker: RunningWorker;
  readonly home: string;

  private constructor(parts: Pick<BrokerWorld, "server" | "agency" | "worker" | "home">) {
    this.server = parts.server;
    this.agency = parts.agency;
    this.worker = parts.worker;
    this.home = parts.home;
  }

  static async start(options: { readonly temporal?: () => Promise<TestServer> } = {}): Promise<BrokerWorld> {
    const home = await mkdtemp(join(tmpdir(), "freshet-brokers-"));
    const database = ["--db-filename", join(home, "temporal.db"), ...DEV_SERVER_SETTINGS];
    const server = await (options.temporal?.() ?? startTemporalServer(database));
    const agency = await startTestAgency(join(home, "agency"));
    const worker = await startWorker(readSettings({ home }, { TEMPORAL_ADDRESS: server.address }), { graceMs: 500 });
    return new BrokerWorld({ server, agency, worker, home });
  }

  /** Applies the dataset; `delivery` is what its source has beside its place: `sqs: { … }`. */
  async apply(delivery: string, dataset = DATASET): Promise<Dataset> {
    const text = `
sources: { agency: { at: "${this.agency.url}", ${delivery} } }
---
name: ${dataset}
from: { source: agency }
match: "{valid:%Y%m%d%H}.nc"
products: [ { timeseries: { calendar: { every: 1h }, store: ${dataset} } } ]
publish: { coalesce: 2s, verify: { chunks: 1 } }
`;
    const { datasets } = parseDatasetFile(text, { file: join(this.home, `${dataset}.yaml`) });
    await applyDatasets(this.worker.client, this.worker.ledger, datasets);
    return datasets[0] as Dataset;
  }

  /** What a process needs to be a starter of this world. */
  get environment(): Record<string, string> {
    return { TEMPORAL_ADDRESS: this.server.address, FRESHET_HOME: this.home };
  }

  /** The granules of the first hours are there; answers their names. */
  async putAll(granules: number): Promise<string[]> {
    const names = Array.from({ length: granules }, (_, hour) => nameOf(hour));
    for (const [hour, name] of names.entries()) await this.agency.publish(name, granuleOf(hour));
    return names;
  }

  /** Revisions that the ledger has heard of. */
  async heard(): Promise<number> {
    const counts = await this.worker.ledger.counts(DATASET);
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  }

  async published(): Promise<number> {
    return (await this.worker.ledger.counts(DATASET)).published;
  }

  /** What the ledger says at the end: `KEY: heard → ready → published` for each revision. */
  async endState(granules: number): Promise<string[]> {
    const lines: string[] = [];
    for (const revision of await this.worker.ledger.granules(DATASET, { limit: granules + 1 })) {
      const history = await this.worker.ledger.history(DATASET, revision.key);
      lines.push(`${revision.key}: ${history.map(({ state }) => state).join(" → ")}`);
    }
    return lines;
  }

  async stop(): Promise<void> {
    await this.worker.stop();
    await this.agency.close();
    await this.server.stop();
    await rm(this.home, { recursive: true, force: true });
  }
}

/** The whole of it: each granule announced is recorded and published once, and nothing else is there. */
export function expectedEnd(granules: number): string[] {
  return Array.from({ length: granules }, (_, hour) => `${keyOf(hour)}: heard → ready → published`);
}

/** Each name twice, in an order of no meaning; always the same. */
export function shuffledTwice<T>(names: readonly T[]): T[] {
  const twice = [...names, ...names];
  // 7 919 is a prime that no number of announcements here is divided by: every index once.
  return twice.map((_, index) => twice[(index * 7_919) % twice.length] as T);
}

/** Waits until something holds. @throws Error after the time. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, patienceMs = 60_000): Promise<void> {
  const started = Date.now();
  while (!(await holds())) {
    if (Date.now() - started > patienceMs) throw new Error(`gave up waiting: ${what}`);
    await sleep(100);
  }
}

function nameOf(hour: number): string {
  return `${new Date(START_MS + hour * HOUR_MS).toISOString().replace(/[-:T]/g, "").slice(0, 10)}.nc`;
}

function keyOf(hour: number): string {
  return new Date(START_MS + hour * HOUR_MS).toISOString().replace(/[-:]/g, "").replace(/\.\d+/, "");
}

function granuleOf(hour: number): Uint8Array {
  return granuleBytes({ seconds: [(START_MS + hour * HOUR_MS) / 1000], value: () => hour % 30_000 });
}
