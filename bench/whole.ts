import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DEV_SERVER_SETTINGS } from "../src/cli/demo/temporal-server.ts";
import { type Dataset, parseDatasetFile } from "../src/dataset/index.ts";
import { Announcer, applyDatasets } from "../src/starters/index.ts";
import { type RunningWorker, readSettings, startWorker } from "../src/worker/index.ts";
import { granuleBytes } from "../test/products/made-granule.ts";
import { startTestAgency, type TestAgency } from "../test/support/agency.ts";
import { startTemporalServer, type TestServer } from "../test/support/temporal-server.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2020, 0, 1);

/** A whole Freshet on a real Temporal server, with one dataset that is published as soon as something is ready. */
export class Whole {
  readonly server: TestServer;
  readonly agency: TestAgency;
  readonly worker: RunningWorker;
  readonly dataset: Dataset;
  readonly home: string;
  readonly #announcer: Announcer;

  private constructor(parts: Pick<Whole, "server" | "agency" | "worker" | "dataset" | "home">) {
    this.server = parts.server;
    this.agency = parts.agency;
    this.worker = parts.worker;
    this.dataset = parts.dataset;
    this.home = parts.home;
    this.#announcer = new Announcer(parts.worker.client, parts.worker.ledger);
  }

  static async start(coalesce: string): Promise<Whole> {
    const home = await mkdtemp(join(tmpdir(), "freshet-bench-"));
    const server = await startTemporalServer(["--db-filename", join(home, "temporal.db"), ...DEV_SERVER_SETTINGS]);
    const agency = await startTestAgency(join(home, "agency"));
    const worker = await startWorker(readSettings({ home }, { TEMPORAL_ADDRESS: server.address }), { graceMs: 500 });
    const text = `
sources: { s: { at: "${agency.url}" } }
---
name: bench
from: { source: s }
match: "{valid:%Y%m%d%H}.nc"
products: [ { timeseries: { calendar: { every: 1h }, store: store } } ]
publish: { coalesce: ${coalesce} }
`;
    const { datasets } = parseDatasetFile(text, { file: join(home, "bench.yaml") });
    await applyDatasets(worker.client, worker.ledger, datasets);
    return new Whole({ server, agency, worker, dataset: datasets[0] as Dataset, home });
  }

  /** The granule of an hour is there; answers its uri. */
  async put(hour: number): Promise<string> {
    const validMs = START_MS + hour * HOUR_MS;
    const name = `${new Date(validMs).toISOString().replace(/[-:T]/g, "").slice(0, 10)}.nc`;
    await this.agency.publish(name, granuleBytes({ seconds: [validMs / 1000], value: () => hour % 30_000 }));
    return `${this.agency.url}${name}`;
  }

  /** When it resolves, Temporal holds the announcement. */
  async announce(uri: string): Promise<{ readonly key: string; readonly workflowId: string }> {
    const [announced] = await this.#announcer.announce({ uri, by: "bench", heardMs: Date.now() });
    if (announced === undefined) throw new Error(`no dataset knows ${uri}`);
    return announced;
  }

  async published(granules: number): Promise<void> {
    while ((await this.worker.ledger.counts(this.dataset.name)).published < granules) await sleep(20);
  }

  async stop(): Promise<void> {
    await this.worker.stop();
    await this.agency.close();
    await this.server.stop();
    await rm(this.home, { recursive: true, force: true });
  }
}
