import { execFile } from "node:child_process";
import { access, constants, mkdir, statfs } from "node:fs/promises";
import { promisify } from "node:util";
import type { Command } from "commander";
import { TASK_QUEUE } from "../../contract/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { EXIT } from "../failure.ts";
import { type Session, withSession } from "../session.ts";
import { readSetUpRecord } from "../set-up-record.ts";
import { describeBytes } from "../table.ts";

/** One thing that Freshet needs, looked at. */
interface Finding {
  readonly part: string;
  readonly ok: boolean;
  /** What was found. */
  readonly found: string;
  /** What to do; empty when all is well. */
  readonly remedy: string;
}

const EXAMPLES = `
Examples:
  freshet doctor            look at everything that Freshet needs, and say what to do about what is missing
  freshet doctor --json     the same for programs`;

export function configure(command: Command): void {
  command
    .option("--json", "print one JSON object a part")
    .option("--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(options: { readonly json?: boolean; readonly home?: string }): Promise<void> {
  const settings = readSettings(options);
  await withSession(settings, async (session) => {
    const checks: readonly [part: string, remedy: string, look: () => Promise<string>][] = [
      ["node", "Run set-up (npm run demo) and start Freshet by bin/freshet", nodeVersion],
      ["icechunk", "See docs/set-up.md, «platforms»", icechunkBinding],
      ["home", "Name another folder (FRESHET_HOME), or make it writable", () => writableFolder(settings.home)],
      ["ledger", "See the message; FRESHET_LEDGER names another", () => ledgerContent(session)],
      ["temporal cli", "Run set-up (npm run demo), or install the Temporal CLI", temporalCli],
      ["temporal server", "Start one: temporal server start-dev; or set TEMPORAL_ADDRESS", () => temporalServer(session)],
      ["search attributes", "Apply a dataset file: freshet apply FILE", () => searchAttributes(session)],
      ["workers", "Start one: freshet worker", () => workers(session)],
    ];
    let hasServer = true;
    for (const [part, remedy, look] of checks) {
      const isAsked: boolean = hasServer || !NEEDS_SERVER.has(part);
      const finding: Finding = isAsked
        ? await examine(part, remedy, look)
        : { part, ok: false, found: "not looked at: no server", remedy: "" };
      if (part === "temporal server") hasServer = finding.ok;
      show(finding, options.json === true);
    }
  });
}

/** Parts that only the server can tell about. */
const NEEDS_SERVER: ReadonlySet<string> = new Set(["search attributes", "workers"]);

async function examine(part: string, remedy: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { part, ok: true, found: await look(), remedy: "" };
  } catch (error) {
    return { part, ok: false, found: (error as Error).message.split("\n")[0] as string, remedy };
  }
}

function show(finding: Finding, asJson: boolean): void {
  if (!finding.ok) process.exitCode = EXIT.failed;
  if (asJson) console.log(JSON.stringify(finding));
  else
    console.log(
      `${finding.ok ? "ok     " : "MISSING"} ${finding.part.padEnd(18)} ${finding.found}${finding.remedy === "" ? "" : `\n${" ".repeat(27)}→ ${finding.remedy}`}`,
    );
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

async function writableFolder(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await access(folder, constants.W_OK);
  const { bavail, bsize } = await statfs(folder);
  return `${folder}, ${describeBytes(bavail * bsize)} free`;
}

async function ledgerContent(session: Session): Promise<string> {
  const ledger = await session.ledger();
  const datasets = await ledger.datasets();
  return `${ledger.uri}, ${datasets.length === 0 ? "no dataset yet" : datasets.map(({ name }) => name).join(", ")}`;
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
