import { userInfo } from "node:os";
import { type Client, WorkflowUpdateFailedError } from "@temporalio/client";
import type { Command } from "commander";
import { type Decision, granuleWorkflowId } from "../../contract/index.ts";
import { FreshetError } from "../../errors/index.ts";
import type { Ledger, Revision } from "../../ledger/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { withSession } from "../session.ts";
import { count, table } from "../table.ts";

interface Options {
  readonly reason?: string;
  readonly json?: boolean;
  readonly limit?: number;
  readonly home?: string;
}

const EXAMPLES = `
Examples:
  freshet quarantine list                                        what waits for a decision, in every dataset
  freshet quarantine show ostia 20170608T120000Z                 why, in full
  freshet quarantine retry ostia 20170608T120000Z --reason "the agency has repaired it"
  freshet quarantine skip ostia 20170608T120000Z --reason "an error page under a granule's name"

The same from Temporal alone: temporal workflow update execute --name decide --workflow-id granule:ostia:20170608T120000Z \\
  --input '{"action": "skip", "reason": "…", "by": "…"}'`;

export function configure(command: Command): void {
  const home = ["--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)"] as const;
  command.addHelpText("after", EXAMPLES);
  command
    .command("list")
    .summary("what waits for a decision")
    .argument("[dataset]", "only of this dataset")
    .option("--limit <count>", "granules of a dataset at most", Number, 100)
    .option("--json", "print one JSON object a revision")
    .option(...home)
    .action(list);
  command
    .command("show")
    .summary("why a granule waits")
    .argument("<dataset>")
    .argument("<granule>", "its key, as `list` prints it")
    .option("--json", "print it as JSON")
    .option(...home)
    .action(show);
  for (const action of ["retry", "skip"] as const) {
    command
      .command(action)
      .summary(action === "retry" ? "look at it once more" : "leave it out")
      .argument("<dataset>")
      .argument("<granule>", "its key, as `list` prints it")
      .requiredOption("--reason <text>", "why; goes into the ledger")
      .option(...home)
      .action((dataset: string, key: string, options: Options) => decide(dataset, key, action, options));
  }
}

async function list(only: string | undefined, options: Options): Promise<void> {
  await withSession(readSettings(options), async (session) => {
    const ledger = await session.ledger();
    const names = only === undefined ? (await ledger.datasets()).map(({ name }) => name) : [only];
    const waiting: Revision[] = [];
    for (const name of names)
      waiting.push(...(await ledger.granules(name, { state: "quarantined", limit: options.limit ?? 100 })));
    if (options.json === true) {
      for (const revision of waiting) console.log(JSON.stringify(revision));
      return;
    }
    console.log(`${count(waiting.length, "revision")} in quarantine`);
    if (waiting.length === 0) return;
    const rows = waiting.map(({ dataset, key, changedMs, reason }) => [dataset, key, new Date(changedMs).toISOString(), reason]);
    for (const line of table([{ title: "dataset" }, { title: "granule" }, { title: "since" }, { title: "why" }], rows))
      console.log(line);
  });
}

async function show(dataset: string, key: string, options: Options): Promise<void> {
  await withSession(readSettings(options), async (session) => {
    const revision = await waitingRevision(await session.ledger(), dataset, key);
    if (options.json === true) {
      console.log(JSON.stringify(revision));
      return;
    }
    console.log(`${dataset} ${key}, revision ${revision.identity}`);
    console.log(`  from   ${revision.uri ?? "nowhere"}`);
    console.log(`  since  ${new Date(revision.changedMs).toISOString()}`);
    for (const [index, part] of revision.reason.split("; ").entries()) console.log(`  ${index === 0 ? "why" : "   "}    ${part}`);
    console.log(`\nDecide: freshet quarantine retry|skip ${dataset} ${key} --reason TEXT; or announce a corrected granule.`);
  });
}

async function decide(dataset: string, key: string, action: Decision["action"], options: Options): Promise<void> {
  await withSession(readSettings(options), async (session) => {
    await waitingRevision(await session.ledger(), dataset, key);
    const decision: Decision = { action, reason: options.reason ?? "", by: userInfo().username };
    const stage = await update(await session.client(), granuleWorkflowId(dataset, key), decision);
    console.log(`${dataset} ${key}: ${action === "skip" ? "skipped" : `tried again, now ${stage}`}`);
  });
}

async function update(client: Client, workflowId: string, decision: Decision): Promise<string> {
  try {
    return (await client.workflow.getHandle(workflowId).executeUpdate("decide", { args: [decision] })) as string;
  } catch (cause) {
    const found = cause instanceof WorkflowUpdateFailedError ? cause.cause?.message : (cause as Error).message;
    throw new FreshetError("conflict", "the decision was not taken", {
      found,
      path: workflowId,
      remedy: "Look where it is (freshet status DATASET GRANULE); without a workflow, announce it again (freshet ingest)",
      cause,
    });
  }
}

async function waitingRevision(ledger: Ledger, dataset: string, key: string): Promise<Revision> {
  const revisions = await ledger.revisionsOf(dataset, key);
  const waiting = revisions.findLast(({ state }) => state === "quarantined");
  if (waiting !== undefined) return waiting;
  throw new FreshetError("usage", "this granule is not in quarantine", {
    found: revisions.length === 0 ? `nobody has heard of ${dataset} ${key}` : `${dataset} ${key} is ${revisions.at(-1)?.state}`,
    remedy: "freshet quarantine list shows what is",
  });
}
