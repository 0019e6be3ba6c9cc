import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, isGrpcServiceError, ServiceError, WorkflowUpdateRPCTimeoutOrCancelledError } from "@temporalio/client";
import {
  type DatasetStage,
  type DatasetStatus,
  datasetWorkflowId,
  type GranuleResult,
  type GranuleStage,
  type GranuleStatus,
  granuleWorkflowId,
} from "../../src/contract/index.ts";
import { type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { type Ledger, openLedger } from "../../src/ledger/index.ts";
import { Announcer, applyDatasets, connectTemporal } from "../../src/starters/index.ts";
import type { Step } from "../../src/steps/index.ts";
import { startTestAgency, type TestAgency } from "../support/agency.ts";
import type { TestPostgres } from "../support/postgres.ts";
import { startTemporalServer, type TestServer } from "../support/temporal-server.ts";
import { DurableTemporal } from "./durable-temporal.ts";
import { impatientWorkflows } from "./impatient-workflows.ts";
import type { Mishap, Order } from "./order.ts";
import { WorkerProcess } from "./worker-process.ts";

/** How long no worker may reach a step before a wait is given up. */
const PATIENCE_MS = 300_000;
const LOOK_MS = 50;
/** A question to a workflow whose worker has just died is given up after this long, and asked again. */
const QUESTION_MS = 3_000;
const FIRST_MODIFIED_MS = 1_700_000_000_000;

export interface CrashWorldOptions {
  /** Workers to begin with. Default 1. */
  readonly workers?: number;
  /** The Temporal server keeps what it knows in a file, and may be killed. */
  readonly isDurable?: boolean;
  /** The ledger is a new database of this server; default an SQLite file. */
  readonly postgres?: TestPostgres | undefined;
}

/**
 * A whole Freshet whose workers are processes of their own that die when they are told to: Temporal server, agency, ledger, one dataset
 * with a mirror. A worker that died is followed by another one, as its supervisor would see to it.
 */
export class CrashWorld {
  readonly home: string;
  readonly agency: TestAgency;
  readonly client: Client;
  readonly ledger: Ledger;
  dataset: Dataset;
  /** How often each step was reached. */
  readonly reached = new Map<Step, number>();
  /** What was ordered and has happened, in order. */
  readonly happened: Order[] = [];
  readonly #server: TestServer | DurableTemporal;
  readonly #postgres: TestPostgres | undefined;
  /** What a process of this world finds its parts by. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #workers = new Set<WorkerProcess>();
  readonly #busyWorkers = new Set<WorkerProcess>();
  readonly #sleeping: { readonly worker: WorkerProcess; readonly wakesAfter: string | undefined }[] = [];
  #orders: Order[] = [];
  #failure: Error | undefined;
  #busy: Promise<void> = Promise.resolve();
  #published = 0;
  #movedMs = Date.now();

  private constructor(
    parts: Pick<CrashWorld, "home" | "agency" | "client" | "ledger" | "dataset"> & {
      readonly server: TestServer | DurableTemporal;
      readonly postgres: TestPostgres | undefined;
      readonly environment: Readonly<Record<string, string>>;
    },
  ) {
    this.home = parts.home;
    this.agency = parts.agency;
    this.client = parts.client;
    this.ledger = parts.ledger;
    this.dataset = parts.dataset;
    this.#server = parts.server;
    this.#postgres = parts.postgres;
    this.environment = parts.environment;
  }

  static async start({ workers = 1, isDurable = false, postgres }: CrashWorldOptions = {}): Promise<CrashWorld> {
    const home = await mkdtemp(join(tmpdir(), "freshet-crash-"));
    const [server, agency, workflows] = await Promise.all([
      isDurable ? DurableTemporal.start(join(home, "temporal.db")) : startTemporalServer(),
      startTestAgency(join(home, "agency")),
      impatientWorkflows(),
    ]);
    const ledgerUrl = postgres === undefined ? `sqlite:${join(home, "ledger.db")}` : await postgres.createDatabase();
    const ledger = await openLedger(ledgerUrl);
    const client = await connectTemporal(server.address, "default");
    const dataset = datasetIn(home, agency.url, 4);
    await applyDatasets(client, ledger, [dataset]);
    const environment = {
      FRESHET_HOME: home,
      FRESHET_LEDGER: ledgerUrl,
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: "default",
      FRESHET_TEST_WORKFLOWS: workflows,
      NODE_COMPILE_CACHE: join(tmpdir(), "freshet-crash-compiled"),
    };
    const world = new CrashWorld({ home, agency, client, ledger, dataset, server, postgres, environment });
    for (let count = 0; count < workers; count++) world.#startWorker();
    await Promise.all([...world.#workers].map(({ running }) => running));
    return world;
  }

  /** The dataset with another number of chunks to a manifest, which takes a rebuild. */
  datasetSplitBy(split: number): Dataset {
    return datasetIn(this.home, this.agency.url, split);
  }

  /** Workers, living and dead, that have reached a step. */
  get busyWorkers(): number {
    return this.#busyWorkers.size;
  }

  /** Orders what is to happen next, one after the other; each to the worker that is there then. */
  order(orders: readonly Order[]): void {
    this.#orders = [...orders];
    const [worker] = this.#workers;
    worker?.order(this.#orders.shift());
  }

  /** True when a worker sleeps that wakes at the end of this act. */
  hasSleepers(act: string): boolean {
    return this.#sleeping.some(({ wakesAfter }) => (wakesAfter ?? act) === act);
  }

  /** Wakes the workers that sleep until the end of this act, waits until what they had begun has ended, and ends them. */
  async wakeSleepers(act: string): Promise<void> {
    const ends = this.#sleeping.filter(({ wakesAfter }) => (wakesAfter ?? act) === act);
    for (const one of ends) {
      this.#sleeping.splice(this.#sleeping.indexOf(one), 1);
      one.worker.wake();
      const { code, signal } = await one.worker.end();
      if (code !== 0) throw new Error(`a worker that had slept ended with ${code ?? signal}: ${one.worker.trouble}`);
    }
  }

  /** Puts bytes where the agency has its granules; the n-th change has the n-th second as its time. */
  put(name: string, bytes: Uint8Array): Promise<void> {
    return this.agency.publish(name, bytes, FIRST_MODIFIED_MS + this.#published++ * 1_000);
  }

  /** Announces a name, and answers its workflow. */
  async announce(name: string): Promise<string> {
    const announcer = new Announcer(this.client, this.ledger);
    const announcement = { uri: `${this.agency.url}${name}`, by: "test", heardMs: Date.now() };
    const [announced] = await this.patiently(() => announcer.announce(announcement));
    if (announced === undefined) throw new Error(`no dataset knows ${name}`);
    return granuleWorkflowId(announced.dataset, announced.key);
  }

  resultOf(workflowId: string): Promise<GranuleResult> {
    return this.patiently(() => this.client.workflow.getHandle(workflowId).result() as Promise<GranuleResult>);
  }

  /** Asks a workflow to do something, once: `id` is the request's. */
  update<T>(workflowId: string, name: string, args: unknown, id: string): Promise<T> {
    const handle = this.client.workflow.getHandle(workflowId);
    return this.patiently(() => handle.executeUpdate<T, [unknown]>(name, { args: [args], updateId: id }));
  }

  operate<T>(name: string, args: unknown, id = name): Promise<T> {
    return this.update(datasetWorkflowId(this.dataset.name), name, args, id);
  }

  granuleIs(workflowId: string, stage: GranuleStage): Promise<void> {
    return this.until(async () => (await this.#ask<GranuleStatus>(workflowId))?.stage === stage, `${workflowId} is ${stage}`);
  }

  /** Waits until the dataset has published so many versions and has nothing to do. */
  async rests(sequence: number, stage: DatasetStage = "idle"): Promise<void> {
    const { name } = this.dataset;
    await this.until(async () => {
      const [latest] = await this.ledger.publications(name, undefined, 1);
      if ((latest?.sequence ?? 0) < sequence) return false;
      if (stage === "idle" && (await this.ledger.unpublished(name, "timeseries")).length > 0) return false;
      return (await this.#ask<DatasetStatus>(datasetWorkflowId(name)))?.stage === stage;
    }, `${name} is ${stage} with version ${sequence}`);
    const [latest] = await this.ledger.publications(name, undefined, 1);
    if (latest?.sequence !== sequence) throw new Error(`version ${latest?.sequence}, where ${sequence} is the last one expected`);
    await this.#busy;
  }

  async until(holds: () => Promise<boolean>, what: string): Promise<void> {
    this.#movedMs = Date.now();
    while (!(await this.#again(holds))) {
      if (this.#failure !== undefined) throw this.#failure;
      if (Date.now() - this.#movedMs > PATIENCE_MS) throw new Error(`gave up waiting: ${what}`);
      await sleep(LOOK_MS);
    }
  }

  /** Asks again where a server was not there. */
  async patiently<T>(ask: () => Promise<T>): Promise<T> {
    this.#movedMs = Date.now();
    return this.#again(ask);
  }

  async #again<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        const isPassing = isSilence(error) || isFreshetError(error, "unreachable");
        if (this.#failure !== undefined) throw this.#failure;
        if (!isPassing || Date.now() - this.#movedMs > PATIENCE_MS) throw error;
        await sleep(LOOK_MS);
      }
    }
  }

  async stop(): Promise<void> {
    await this.#busy.catch(() => undefined);
    const workers = [...this.#workers, ...this.#sleeping.map(({ worker }) => worker)];
    this.#workers.clear();
    await Promise.all(workers.map((worker) => worker.kill()));
    await this.agency.close();
    await this.client.connection.close();
    await this.ledger.close();
    await this.#server.stop();
    await rm(this.home, { recursive: true, force: true });
  }

  #ask<T>(workflowId: string): Promise<T | undefined> {
    const handle = this.client.workflow.getHandle(workflowId);
    return this.client
      .withDeadline(Date.now() + QUESTION_MS, () => handle.query("status") as Promise<T>)
      .catch((error: unknown) => {
        if (isSilence(error)) return undefined;
        throw error;
      });
  }

  #startWorker(): void {
    const worker = new WorkerProcess(this.environment, this.#orders.shift(), {
      onStep: (step, of) => {
        this.#movedMs = Date.now();
        this.#busyWorkers.add(of);
        this.reached.set(step, (this.reached.get(step) ?? 0) + 1);
      },
      onMishap: (mishap, of) => {
        if (of.ordered !== undefined) this.happened.push(of.ordered);
        this.#busy = this.#busy.then(() => this.#befall(mishap, of)).catch((error: unknown) => this.#fail(error as Error));
      },
      onExit: (of, code, signal) => {
        if (!this.#workers.delete(of)) return;
        if (signal === "SIGKILL") this.#startWorker();
        else this.#fail(new Error(`a worker ended by itself with ${code ?? signal}: ${of.trouble}`));
      },
    });
    this.#workers.add(worker);
  }

  async #befall(mishap: Mishap, worker: WorkerProcess): Promise<void> {
    switch (mishap) {
      case "dies":
        return;
      case "sleeps":
        this.#workers.delete(worker);
        this.#sleeping.push({ worker, wakesAfter: worker.ordered?.wakesAfter });
        this.#startWorker();
        return;
      case "temporal dies": {
        if (!(this.#server instanceof DurableTemporal)) throw new Error("this Temporal server cannot be killed");
        await this.#server.kill();
        await this.#server.start();
        break;
      }
      case "postgres dies": {
        if (this.#postgres === undefined) throw new Error("there is no PostgreSQL server to kill");
        await this.#postgres.kill();
        await this.#postgres.startServer();
      }
    }
    worker.wake();
    worker.order(this.#orders.shift());
  }

  #fail(error: Error): void {
    this.#failure ??= error;
  }
}

/** gRPC's CANCELLED (a connection broke), UNKNOWN, DEADLINE_EXCEEDED, FAILED_PRECONDITION (no worker) and UNAVAILABLE. */
const SILENT_CODES: readonly number[] = [1, 2, 4, 9, 14];

/** Nobody answered, or the connection broke: not a refusal. */
function isSilence(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  if (isGrpcServiceError(error)) return SILENT_CODES.includes(error.code);
  return error instanceof ServiceError && isSilence(error.cause);
}

function datasetIn(home: string, at: string, split: number): Dataset {
  const text = `
sources: { agency: { at: "${at}", mirror: "${home}/mirror" } }
---
name: sst
from: { source: agency }
match: "{valid:%Y%m%d%H%M%S}.nc"
products: [ { timeseries: { calendar: { every: 1d, at: "12:00Z" }, store: "${home}/store", split: ${split} } } ]
publish: { coalesce: 20ms }
await: { deadline: 10m, every: 500ms }
maintenance: { grace: 1s, keep: { versions: 3 } }
`;
  const [dataset] = parseDatasetFile(text, { file: join(home, "datasets.yaml") }).datasets;
  if (dataset === undefined) throw new Error("no dataset");
  return dataset;
}
