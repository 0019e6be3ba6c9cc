import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "@temporalio/client";
import {
  type DatasetStatus,
  datasetWorkflowId,
  type GranuleResult,
  type GranuleStage,
  type GranuleStatus,
} from "../../src/contract/index.ts";
import { type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";
import type { Ledger } from "../../src/ledger/index.ts";
import { Announcer, applyDatasets } from "../../src/starters/index.ts";
import { type RunningWorker, readSettings, type Settings, startWorker } from "../../src/worker/index.ts";
import { startTestAgency, type TestAgency } from "./agency.ts";
import { datasetYaml, type RealGranule } from "./granules.ts";
import { startTemporalServer, type TestServer } from "./temporal-server.ts";

const PATIENCE_MS = 60_000;

/** A Freshet of its own: Temporal server, worker, ledger, agency, both example datasets applied. */
export class World {
  readonly server: TestServer;
  readonly settings: Settings;
  readonly agency: TestAgency;
  worker: RunningWorker;
  readonly datasets: readonly Dataset[];

  private constructor(parts: Pick<World, "server" | "settings" | "agency" | "worker" | "datasets">) {
    this.server = parts.server;
    this.settings = parts.settings;
    this.agency = parts.agency;
    this.worker = parts.worker;
    this.datasets = parts.datasets;
  }

  static async start(
    options: { readonly mirror?: boolean; readonly more?: string; readonly serverArguments?: readonly string[] } = {},
  ): Promise<World> {
    const home = await mkdtemp(join(tmpdir(), "freshet-test-"));
    const [server, agency] = await Promise.all([
      startTemporalServer(options.serverArguments),
      startTestAgency(join(home, "agency")),
    ]);
    const settings = readSettings({ home }, { TEMPORAL_ADDRESS: server.address });
    const worker = await startWorker(settings, { graceMs: 500 });
    const { datasets } = parseDatasetFile(
      datasetYaml({ at: agency.url, home, mirror: options.mirror ?? false, more: options.more ?? "" }),
      {
        file: join(home, "datasets.yaml"),
      },
    );
    await applyDatasets(worker.client, worker.ledger, datasets);
    return new World({ server, settings, agency, worker, datasets });
  }

  get client(): Client {
    return this.worker.client;
  }

  get ledger(): Ledger {
    return this.worker.ledger;
  }

  dataset(name: string): Dataset {
    return this.datasets.find((dataset) => dataset.name === name) as Dataset;
  }

  /** Announces a name at the agency. */
  async announce(
    name: string,
    promise: { readonly size?: number; readonly removed?: true } = {},
  ): Promise<{ dataset: string; key: string; workflowId: string }> {
    const announcer = new Announcer(this.client, this.ledger);
    const [announced] = await announcer.announce({
      uri: `${this.agency.url}${name}`,
      by: "test",
      heardMs: Date.now(),
      ...promise,
    });
    if (announced === undefined) throw new Error(`no dataset knows ${name}`);
    return announced;
  }

  /** Publishes a real granule at the agency, announces it, and waits until it is in a version. */
  async deliver(granule: RealGranule): Promise<GranuleResult> {
    await this.agency.publish(granule.name, { copyOf: granule.path });
    const { workflowId, dataset } = await this.announce(granule.name);
    const result = (await this.client.workflow.getHandle(workflowId).result()) as GranuleResult;
    await this.settled(dataset);
    return result;
  }

  /** Waits until everything that is ready is published. */
  async settled(dataset: string): Promise<void> {
    await this.until(async () => (await this.ledger.unpublished(dataset, "timeseries")).length === 0, `${dataset} is published`);
  }

  /**
   * Puts another worker in the place of this one, once nothing of a dataset is published any more: what Temporal hands to a worker in the
   * moment in which it stops waits for its timeout, up to a minute.
   */
  async changeWorker(dataset: string): Promise<void> {
    const handle = this.client.workflow.getHandle(datasetWorkflowId(dataset));
    await this.until(async () => {
      const { stage } = await handle.query<DatasetStatus>("status");
      return stage === "idle" || stage === "quiet";
    }, `${dataset} is at rest`);
    await this.worker.stop();
    this.worker = await startWorker(this.settings, { graceMs: 500 });
  }

  /** Waits until a granule's workflow is in a stage. */
  async inStage(workflowId: string, stage: GranuleStage): Promise<GranuleStatus> {
    let status: GranuleStatus | undefined;
    await this.until(async () => {
      status = (await this.client.workflow.getHandle(workflowId).query("status")) as GranuleStatus;
      return status.stage === stage;
    }, `${workflowId} is ${stage}`);
    return status as GranuleStatus;
  }

  async until(holds: () => Promise<boolean>, what: string): Promise<void> {
    const started = Date.now();
    while (!(await holds())) {
      if (Date.now() - started > PATIENCE_MS) throw new Error(`gave up waiting: ${what}`);
      await sleep(50);
    }
  }

  async stop(): Promise<void> {
    await this.worker.stop();
    await this.agency.close();
    await this.server.stop();
    await rm(this.settings.home, { recursive: true, force: true });
  }
}
