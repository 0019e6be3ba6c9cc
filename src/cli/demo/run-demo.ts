import { appendFileSync } from "node:fs";
import { join, relative } from "node:path";
import { FreshetError } from "../../errors/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import { Announcer, applyDatasets, startWebhook } from "../../starters/index.ts";
import { type RunningWorker, readSettings, startWorker } from "../../worker/index.ts";
import type { GranuleView } from "../granule-view.ts";
import { readDatasetFiles } from "../read-dataset-files.ts";
import { shellWord } from "../shell-word.ts";
import { type Agency, startAgency } from "./agency.ts";
import type { AgencyRecord } from "./agency-day.ts";
import { commandLines, decisionLines, timeLines, versionLines } from "./closing.ts";
import { writeDatasetFiles } from "./dataset-files.ts";
import { clearMark, type DemoFolder, type DemoPorts, openDemoFolder, writeMark } from "./demo-folder.ts";
import { findTemporal, type Temporal } from "./find-temporal.ts";
import { freePort } from "./free-port.ts";
import { checkGranulesAreThere } from "./granules.ts";
import { createLiveView, type LiveView } from "./live-view.ts";
import { endOpenWorkflows, enterNamespace, guestNamespace } from "./namespace.ts";
import { decideLine, temporalLines } from "./temporal-lines.ts";
import { startTemporalServer } from "./temporal-server.ts";
import { watchDay } from "./watch-day.ts";

const PREFERRED_PORTS: DemoPorts = { temporal: 7233, ui: 8233, agency: 8280, webhook: 8281 };
/** What is under way in the worker when the demo stops is done again by the next one. */
const GRACE_MS = 1_000;

export interface DemoOptions {
  readonly folder: string;
  /** False: an earlier demo's state in the folder goes on. */
  readonly isFresh: boolean;
  /** Leaves everything running until `signal` is aborted. */
  readonly keep: boolean;
  readonly signal: AbortSignal;
}

/** Parts that run, in the order in which they were started; each knows how it is ended. */
type Closers = (() => Promise<unknown>)[];

/**
 * The demo from beginning to end: what it starts it ends, however it ends.
 * @throws FreshetError; what `signal` aborts with.
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const startedMs = Date.now();
  checkGranulesAreThere();
  const temporal = findTemporal();
  const folder = await openDemoFolder({ path: options.folder, isFresh: options.isFresh });
  const ports = await choosePorts(folder.ports ?? PREFERRED_PORTS);
  await writeMark(folder.path, ports);
  const view = createLiveView(startedMs);
  const closers: Closers = [() => clearMark(folder.path, ports)];
  let closing: string[] = [];
  try {
    const demo = await startParts({ options, temporal, folder, ports, view, closers });
    const { granules, records } = await watchDay({ ...demo, client: demo.worker.client }, options.signal, view);
    view.end();
    // The one that was announced before it was there has the most to tell.
    const example =
      granules.find(({ dataset, key }) => isEarly(records.get(`${dataset}/${key}`))) ?? (granules[0] as GranuleView);
    const history = temporalLines(
      temporal,
      options.keep || temporal.kind === "address",
      { folder: folder.path, address: demo.address, port: ports.temporal, namespace: demo.namespace },
      example,
    );
    console.log([...(await versionLines(demo.ledger)), ...timeLines(granules, records)].join("\n"));
    closing = await commandLines(demo.ledger, history);
    const drifted = granules.find(({ stage }) => stage === "quarantined");
    if (drifted !== undefined) {
      const home = `FRESHET_HOME=${shellWord(folder.path)}`;
      const isKept = options.keep || temporal.kind === "address";
      closing.push(
        ...decisionLines(granules, {
          home,
          running: environmentOf(demo, folder),
          again: isKept ? "" : `npm run demo -- --keep --folder ${shellWord(shortPath(folder.path))}`,
          temporal: decideLine(temporal, demo, drifted),
        }),
      );
    }
    if (options.keep) {
      console.log([...closing, ...keptLines(demo, folder)].join("\n"));
      closing = [];
      await demo.untilStopped;
    } else if (temporal.kind === "address") await endOpenWorkflows(demo.worker.client, "the demo has ended");
  } finally {
    view.end();
    for (const close of closers.reverse()) await close().catch(() => undefined);
  }
  if (closing.length > 0) console.log(closing.join("\n"));
}

/** The demo while it runs. */
interface Demo {
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl: string | undefined;
  readonly ledger: Ledger;
  readonly worker: RunningWorker;
  readonly agency: Agency;
  readonly webhookUrl: string;
  /** Rejects when the demo is stopped or one of its parts ends; never resolves. */
  readonly untilStopped: Promise<never>;
}

async function startParts(parts: {
  readonly options: DemoOptions;
  readonly temporal: Temporal;
  readonly folder: DemoFolder;
  readonly ports: DemoPorts;
  readonly view: LiveView;
  readonly closers: Closers;
}): Promise<Demo> {
  const { options, temporal, folder, ports, view, closers } = parts;
  const { signal } = options;
  const shown = shortPath(folder.path);
  view.tell("folder", `${shown}, ${folder.isContinued ? "goes on where an earlier demo ended" : "made afresh"}`);

  const isGuest = temporal.kind === "address";
  const namespace = isGuest ? guestNamespace(folder.path) : "default";
  let address = isGuest ? temporal.address : "";
  let uiUrl: string | undefined;
  let serverDied: Promise<never> = new Promise(() => {});
  if (temporal.kind === "cli") {
    view.doing("starting the Temporal server");
    const place = { cli: temporal.path, folder: folder.path, port: ports.temporal, uiPort: ports.ui };
    const server = await startTemporalServer(place, signal);
    closers.push(server.stop);
    ({ address, uiUrl, died: serverDied } = server);
  }
  await enterNamespace(address, namespace, isGuest, signal);
  view.tell("temporal", `${address}${isGuest ? `, namespace ${namespace}` : `, its UI: ${uiUrl}`}`);

  view.doing("starting a worker");
  const settings = readSettings({ home: folder.path }, { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace });
  const logFile = join(folder.path, "worker.log");
  appendFileSync(logFile, "");
  const onLog = (level: string, message: string, facts: unknown): void =>
    appendFileSync(logFile, `${new Date().toISOString()} ${level} ${message} ${JSON.stringify(facts)}\n`);
  const starting = startWorker(settings, { onLog, graceMs: GRACE_MS });
  const stopped = rejectsOn(signal);
  // One that is only starting when the demo is stopped has done nothing yet, and ends with the process.
  const worker = await Promise.race([starting, stopped, serverDied]);
  closers.push(worker.stop);
  view.tell("worker", `runs; its log: ${join(shown, "worker.log")}`);

  const agency = await startAgency({ folder: join(folder.path, "agency"), port: ports.agency });
  closers.push(agency.close);
  const files = await writeDatasetFiles(folder.path, agency);
  await applyDatasets(worker.client, worker.ledger, await readDatasetFiles(files));
  view.tell("datasets", files.map(shortPath).join(", "));

  const announcer = new Announcer(worker.client, worker.ledger);
  const webhook = await startWebhook({ announcer, port: ports.webhook });
  closers.push(webhook.close);
  view.tell("agency", `publishes at ${new URL("..", agency.at("ostia"))}, announces to ${webhook.url}`);

  const workerDied = worker.done.then((): never => {
    throw new FreshetError("unreachable", "the worker ended", {
      path: join(shown, "worker.log"),
      remedy: "Start the demo again",
    });
  });
  const untilStopped = Promise.race([stopped, serverDied, workerDied]);
  untilStopped.catch(() => {});
  return { address, namespace, uiUrl, ledger: worker.ledger, worker, agency, webhookUrl: webhook.url, untilStopped };
}

function isEarly(record: AgencyRecord | undefined): boolean {
  return (record?.publishedMs ?? 0) > (record?.firstAnnouncedMs ?? 0);
}

function keptLines(demo: Demo, folder: DemoFolder): string[] {
  const environment = environmentOf(demo, folder);
  const rows = [
    ["Temporal UI", demo.uiUrl ?? "the server's own"],
    ["Temporal", demo.address],
    ["webhook", `${demo.webhookUrl}  (POST {"uri": "…"})`],
    ["agency", `${new URL("..", demo.agency.at("ostia"))}`],
    ["ledger", demo.ledger.uri],
    ["stores", join(folder.path, "stores")],
    ["status", `${environment} bin/freshet status`],
  ];
  return ["", "Everything runs until Ctrl-C:", ...rows.map(([name = "", where]) => `  ${name.padEnd(12)} ${where}`)];
}

/** What a command needs to find the demo. */
function environmentOf({ address, namespace }: Demo, folder: DemoFolder): string {
  const found = `FRESHET_HOME=${shellWord(folder.path)} TEMPORAL_ADDRESS=${address}`;
  return namespace === "default" ? found : `${found} TEMPORAL_NAMESPACE=${namespace}`;
}

/** A path as one would type it here. */
function shortPath(path: string): string {
  const inside = relative(process.cwd(), path);
  return inside.startsWith("..") ? path : inside || ".";
}

async function choosePorts(preferred: DemoPorts): Promise<DemoPorts> {
  return {
    temporal: await freePort(preferred.temporal),
    ui: await freePort(preferred.ui),
    agency: await freePort(preferred.agency),
    webhook: await freePort(preferred.webhook),
  };
}

function rejectsOn(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(signal.reason);
  signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  promise.catch(() => {});
  return promise;
}
