import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Command } from "commander";
import { TASK_QUEUE } from "../../contract/index.ts";
import { type Dataset, datasetOfText } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import { queueShare } from "../../starters/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { type Check, examine, type Finding, type Found } from "../doctor/finding.ts";
import { writableFolder } from "../doctor/free-space.ts";
import { webhookCheck } from "../doctor/webhook-check.ts";
import { EXIT } from "../failure.ts";
import { hasLedger } from "../has-ledger.ts";
import { paint } from "../paint.ts";
import { readDatasetFiles } from "../read-dataset-files.ts";
import { type Session, withSession } from "../session.ts";
import { readSetUpRecord } from "../set-up-record.ts";

interface Options {
  readonly stage?: string;
  readonly sources: boolean;
  readonly json?: boolean;
  readonly home?: string;
}

const EXAMPLES = `
Examples:
  freshet doctor                          look at everything that Freshet needs, and say what to do about what is wrong
  freshet doctor ostia.yaml               with the sources and stores of a file that is not applied yet
  freshet doctor --no-sources             without sources, queues and stores
  freshet doctor --json                   the same for programs

Without files the applied datasets are looked at. Nothing is changed; a message of a broker's queue is looked at and given back.`;

export function configure(command: Command): void {
  command
    .argument("[file...]", "dataset files whose sources and stores are looked at")
    .option("--stage <name>", "the stage that is meant, for a file with stages")
    .option("--no-sources", "do not look at sources, queues and stores")
    .option("--json", "print one JSON object a part")
    .option("--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(files: readonly string[], options: Options): Promise<void> {
  const given = files.length === 0 ? undefined : await readDatasetFiles(files, options.stage);
  const settings = readSettings(options);
  await withSession(settings, async (session) => {
    const tell = async (check: Check): Promise<boolean> => {
      const finding = await examine(check);
      show(finding, options.json === true);
      return finding.ok;
    };
    for (const check of machineChecks(session)) await tell(check);
    const hasServer = await tell({ part: "temporal server", remedy: "Start one", look: () => temporalServer(session) });
    for (const [part, remedy, look] of SERVER_CHECKS) {
      if (hasServer) await tell({ part, remedy, look: () => look(session) });
      else show({ part, ok: false, found: "not looked at: no server", remedy: "" }, options.json === true);
    }
    await tell(webhookCheck());
    if (!options.sources) return;
    const datasets = given ?? (await appliedDatasets(session));
    const share = hasServer ? await queueShare(await session.client()) : "ID";
    const { datasetChecks } = await import("../doctor/source-checks.ts");
    for (const check of datasetChecks(datasets, share, { queues: true })) await tell(check);
  });
}

function machineChecks(session: Session): Check[] {
  const { home } = session.settings;
  return [
    { part: "node", remedy: "Run set-up (npm run demo) and start Freshet by bin/freshet", look: nodeVersion },
    { part: "icechunk", remedy: "See docs/set-up.md, «platforms»", look: icechunkBinding },
    { part: "home", remedy: "Name another folder (FRESHET_HOME), or make it writable", look: () => writableFolder(home) },
    { part: "ledger", remedy: "See the message; FRESHET_LEDGER names another", look: () => ledgerContent(session) },
    { part: "arrivals", remedy: "Ask the source; see freshet status and freshet unmatched", look: () => arrivals(session) },
    { part: "temporal cli", remedy: "Run set-up (npm run demo), or install the Temporal CLI", look: temporalCli },
  ];
}

type ServerCheck = readonly [part: string, remedy: string, look: (session: Session) => Promise<string>];

/** What only the server can tell about. */
const SERVER_CHECKS: readonly ServerCheck[] = [
  ["search attributes", "Apply a dataset file: freshet apply FILE", searchAttributes],
  ["workers", "Start one: freshet worker", workers],
];

/** Those in force; none where the ledger cannot be opened, which has been told. */
async function appliedDatasets(session: Session): Promise<Dataset[]> {
  if (!(await hasLedger(session.settings.ledgerUrl).catch(() => false))) return [];
  const ledger = await session.ledger().catch(() => undefined);
  return ((await ledger?.datasets()) ?? []).map(({ text }) => datasetOfText(text));
}

function show(finding: Finding, asJson: boolean): void {
  const { part, ok, found, remedy } = finding;
  if (!ok) process.exitCode = EXIT.failed;
  if (asJson) {
    console.log(JSON.stringify(finding));
    return;
  }
  const mark = ok ? (remedy === "" ? "ok     " : "note   ") : paint("bad", "WRONG  ");
  console.log(`${mark} ${part.padEnd(20)} ${found}${remedy === "" ? "" : `\n${" ".repeat(29)}→ ${remedy}`}`);
}

async function nodeVersion(): Promise<string> {
  if (Number(process.versions.node.split(".")[0]) < 24) throw new Error(`Node ${process.versions.node}, 24 or newer is needed`);
  return `${process.versions.node}, SQLite ${process.versions.sqlite}`;
}

async function icechunkBinding(): Promise<string> {
  const { loadIcechunk } = await import("../../writers/icechunk/index.ts");
  await loadIcechunk().Storage.newInMemory();
  return process.env.NAPI_RS_NATIVE_LIBRARY_PATH === undefined ? "loads" : "loads (copy for an older glibc)";
}

async function ledgerContent({ settings }: Session): Promise<Found> {
  const { describeLedger } = await import("../../ledger/index.ts");
  if (!(await hasLedger(settings.ledgerUrl))) {
    return { found: "none yet", note: "It is made by the first command that needs it: freshet apply FILE" };
  }
  const { uri, version, newestVersion, datasets } = await describeLedger(settings.ledgerUrl);
  if (version !== newestVersion) {
    throw new FreshetError("storage", "the ledger was written by another version of Freshet", {
      found: `version ${version}`,
      expected: `version ${newestVersion}`,
      uri,
      remedy: version < newestVersion ? "freshet ledger migrate" : "Use the newer Freshet, as the other processes do",
    });
  }
  return `${uri}, ${datasets.length === 0 ? "no granule yet" : datasets.map(({ name }) => name).join(", ")}`;
}

async function arrivals(session: Session): Promise<string> {
  if (!(await hasLedger(session.settings.ledgerUrl))) return "no ledger yet, so nobody waits";
  const alarms = await (await session.ledger()).alarms({ isOpen: true, limit: 20 });
  if (alarms.length > 0) throw new Error(alarms.map(({ dataset, text }) => `${dataset}: ${text}`).join("; "));
  return "no dataset waits for longer than its file says";
}

async function temporalCli(): Promise<string> {
  const { temporal } = readSetUpRecord();
  if (temporal?.kind === "address") return `not needed: TEMPORAL_ADDRESS was ${temporal.address}`;
  const path = temporal?.path ?? "temporal";
  const { stdout } = await promisify(execFile)(path, ["--version"]);
  return `${path}: ${stdout.trim()}`;
}

async function temporalServer(session: Session): Promise<string> {
  const client = await session.client();
  const { serverVersion } = await client.workflowService.getSystemInfo({});
  return `${session.settings.temporalAddress}, namespace ${session.settings.temporalNamespace}, server ${serverVersion}`;
}

async function searchAttributes(session: Session): Promise<string> {
  const { ensureSearchAttributes } = await import("../../starters/index.ts");
  const missing = await ensureSearchAttributes(await session.client(), { dryRun: true });
  if (missing.length > 0) throw new Error(`missing: ${missing.join(", ")}`);
  return "all there";
}

async function workers(session: Session): Promise<string> {
  const client = await session.client();
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: TASK_QUEUE },
    taskQueueType: 1,
  });
  if ((pollers?.length ?? 0) === 0) throw new Error(`nobody polls the task queue ${TASK_QUEUE}`);
  return `${pollers?.length} on task queue ${TASK_QUEUE}: ${pollers?.map(({ identity }) => identity).join(", ")}`;
}
