import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Context } from "@temporalio/activity";
import type { Client } from "@temporalio/client";
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, Next } from "@temporalio/worker";
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from "@temporalio/worker";
import {
  createBackfillActivities,
  createCmrActivities,
  createDatasetActivities,
  createErrandActivities,
  createGranuleActivities,
  createListingActivities,
  createMaintenanceActivities,
  createNotificationActivities,
  createReconcileActivities,
  createRunActivities,
  DatasetFiles,
  toFailure,
} from "../activities/index.ts";
import { type Announcement, type DatasetReference, type Notification, TASK_QUEUE } from "../contract/index.ts";
import { type Ledger, openLedger } from "../ledger/index.ts";
import { Forms, Operator, ProductStores, Publisher, type PublisherParts } from "../publication/index.ts";
import { ScanStore } from "../scan/index.ts";
import {
  Announcer,
  beginBackfill,
  connectTemporal,
  datasetInput,
  noServer,
  notify,
  signalDataset,
  tellRun,
} from "../starters/index.ts";
import type { Settings } from "./settings.ts";

/** Cached workflows are counted, not weighed; a few hundred stay far from the heap's limit (reference: temporal, section 4). */
const CACHED_WORKFLOWS = 300;

/** Behind everything that arrives: Temporal knows priorities 1 to 5. */
const LAST = 5;

/** A worker that runs until it is told to stop. */
export interface RunningWorker {
  /** Resolves when the worker has stopped; rejects when it failed. */
  readonly done: Promise<void>;
  readonly client: Client;
  readonly ledger: Ledger;
  /** Lets running activities end (for `graceMs`), then stops. Resolves when everything is closed. */
  stop(): Promise<void>;
}

export interface WorkerStart {
  readonly onLog?: (level: string, message: string, facts: unknown) => void;
  /** How long running activities may go on after `stop`. Default: 10 s. */
  readonly graceMs?: number;
  /**
   * Workflows that were bundled before, instead of a bundle made now; how long a workflow waits for a worker that is gone; how many
   * questions for work are open at once, each of which a worker that stands still may leave without an answer.
   */
  readonly temporal?: Pick<
    WorkerOptions,
    "workflowBundle" | "stickyQueueScheduleToStartTimeout" | "maxConcurrentActivityTaskPolls" | "maxConcurrentWorkflowTaskPolls"
  >;
}

/**
 * Puts a worker of all roles together and starts it.
 * @throws FreshetError `unreachable` without a Temporal server, `storage` when the ledger cannot be opened.
 */
export async function startWorker(settings: Settings, options: WorkerStart = {}): Promise<RunningWorker> {
  installLogger(options.onLog);
  const client = await connectTemporal(settings.temporalAddress, settings.temporalNamespace);
  const ledger = await openLedger(settings.ledgerUrl);
  const connection = await NativeConnection.connect({ address: settings.temporalAddress }).catch((cause: unknown) => {
    throw noServer(settings.temporalAddress, cause);
  });
  const files = new DatasetFiles(ledger);
  const scans = new ScanStore(settings.scanFolder);
  const announcer = new Announcer(client, ledger);
  const announce = async (only: string, announcement: Announcement): Promise<void> => {
    await announcer.announce(announcement, { only });
  };
  const announceLast = async (only: string, announcement: Announcement): Promise<boolean> =>
    (await announcer.announce(announcement, { only, priority: LAST })).length > 0;
  const parts = { ledger, scans, stores: new ProductStores(), now: Date.now };
  const announceAgain: PublisherParts["announceAgain"] = (only, uri, fields) =>
    announce(only, { uri, fields, by: "publication", heardMs: Date.now() });
  const publisher = new Publisher({ ...parts, announceAgain });
  const operator = new Operator(parts);
  const forms = new Forms(parts);
  const wake = async (reference: { name: string; hash: string }): Promise<void> => {
    await signalDataset(client, datasetInput(await files.get(reference), reference.hash), { name: "wake" });
  };
  const tell = async (reference: DatasetReference, notification: Notification): Promise<void> =>
    notify(client, await files.get(reference), reference, notification);
  const tellTheRun = async (reference: DatasetReference, runMs: number): Promise<void> => {
    await tellRun(client, reference, await files.get(reference), runMs);
  };
  const announceTo = async (only: string, announcement: Announcement): Promise<string[]> =>
    (await announcer.announce(announcement, { only })).map(({ workflowId }) => workflowId);
  const startBackfill: Parameters<typeof createErrandActivities>[0]["startBackfill"] = (reference, uris, how) =>
    beginBackfill(client, settings.home, reference, uris, how);
  const granuleParts = { ledger, scans, files, wake, notify: tell, tellRun: tellTheRun };
  const worker = await Worker.create({
    connection,
    namespace: settings.temporalNamespace,
    taskQueue: TASK_QUEUE,
    ...options.temporal,
    workflowBundle: options.temporal?.workflowBundle ?? (await workflowBundle()),
    activities: {
      ...createGranuleActivities(granuleParts),
      ...createDatasetActivities({ publisher, operator, forms, files, ledger, notify: tell }),
      ...createBackfillActivities({ ...granuleParts, announceLast }),
      ...createListingActivities({ ledger, announce, routes: (uri) => announcer.routes(uri) }),
      ...createCmrActivities({ ledger, announce }),
      ...createErrandActivities({ ledger, files, announceTo, startBackfill }),
      ...createNotificationActivities({ files }),
      ...createMaintenanceActivities({ ledger, files, announce, wake }),
      ...createRunActivities({ ledger, files, wake, tellRun: tellTheRun }),
      ...createReconcileActivities({ ledger, scans, files, announce, wake, reports: join(settings.home, "reports") }),
    },
    maxCachedWorkflows: CACHED_WORKFLOWS,
    shutdownGraceTime: options.graceMs ?? 10_000,
    shutdownForceTime: (options.graceMs ?? 10_000) + 5_000,
    interceptors: { activity: [() => ({ inbound: errorInterceptor })] },
  });
  const done = worker.run();
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    if (worker.getState() === "RUNNING") worker.shutdown();
    await done.catch(() => undefined);
    await connection.close();
    await client.connection.close();
    await ledger.close();
  };
  return {
    done,
    client,
    ledger,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

let bundle: ReturnType<typeof bundleWorkflowCode> | undefined;

/** The workflows, bundled once in a process. */
function workflowBundle(): ReturnType<typeof bundleWorkflowCode> {
  bundle ??= bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL("../workflows/index.ts", import.meta.url)),
    logger: new DefaultLogger("ERROR"),
  });
  return bundle;
}

const errorInterceptor: ActivityInboundCallsInterceptor = {
  async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, "execute">): Promise<unknown> {
    try {
      return await next(input);
    } catch (error) {
      throw toFailure(error, Context.current().info.attempt);
    }
  },
};

function installLogger(onLog: ((level: string, message: string, facts: unknown) => void) | undefined): void {
  try {
    Runtime.install({
      logger: new DefaultLogger("WARN", ({ level, message, meta }) => onLog?.(level, message, meta)),
      shutdownSignals: [],
    });
  } catch {
    // Another worker of this process has installed it.
  }
}
