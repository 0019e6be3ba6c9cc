import type { Command } from "commander";
import { endOf, startOf } from "../../acquisition/index.ts";
import type { Deviation, Reconciled } from "../../contract/index.ts";
import { startReconciliation } from "../../starters/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { appliedDataset } from "../applied-dataset.ts";
import { EXIT } from "../failure.ts";
import { followWorkflow } from "../follow-workflow.ts";
import { requireWorker } from "../has-worker.ts";
import { paint } from "../paint.ts";
import { withSession } from "../session.ts";
import { count, table } from "../table.ts";

interface Options {
  readonly from?: string;
  readonly to?: string;
  readonly act?: boolean;
  readonly follow: boolean;
  readonly json?: boolean;
  readonly home?: string;
}

const EXAMPLES = `
Examples:
  freshet reconcile ostia                                       compare source, ledger and store; changes nothing
  freshet reconcile ostia --act                                 and announce, withdraw, publish, as the policies say
  freshet reconcile ostia --from 2017-06-01 --to 2017-06-30     only granules valid then

  missing    the source has it, the ledger has not heard of it       --act announces it
  overdue    the calendar, or a run, expects it, nobody has it       nothing to do but to ask the agency
  late       heard of, and not published for longer than it is awaited   --act announces it, or asks for a publication
  replaced   the source has other bytes                              --act announces them
  duplicate  the source has it in a second place                     --act announces that; the newest is taken
  withdrawn  the source has it no more                               --act announces that; policies.withdrawn decides
  orphaned   the store shows what the ledger does not know, or not what it calls published   --act asks for a publication

The source is known by its listing, where it has one; else the place of each granule is asked. It runs in the worker, behind live work,
and goes on when this command ends. Exit code 1: something differs, and nothing was done about it. By itself: maintenance.reconcile
in the dataset file.`;

export function configure(command: Command): void {
  command
    .argument("<dataset>", "name of an applied dataset")
    .option("--from <instant>", "only granules valid from then on (inclusive, UTC)")
    .option("--to <instant>", "only granules valid until then (inclusive; a date stands for its whole day)")
    .option("--act", "do something about what differs, as the dataset's policies say")
    .option("--no-follow", "start it, and do not wait")
    .option("--json", "print the end as JSON")
    .option("--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(name: string, options: Options): Promise<void> {
  const { from, to, act = false, follow, json = false } = options;
  const span = {
    ...(from !== undefined && { fromMs: startOf("--from", from) }),
    ...(to !== undefined && { toMs: endOf("--to", to) }),
  };
  await withSession(readSettings(options), async (session) => {
    const { hash } = await appliedDataset(await session.ledger(), name);
    const client = await session.client();
    await requireWorker(client);
    const { workflowId } = await startReconciliation(client, { dataset: { name, hash }, ...span, act });
    if (!follow) {
      console.log(json ? JSON.stringify({ workflowId }) : workflowId);
      return;
    }
    const end = await followWorkflow<Reconciled>(client, workflowId, {
      what: "the reconciliation",
      describe: ({ compared, shown }) => `${name}: ${compared} compared, ${shown.length === 0 ? "all agree" : "some differ"}`,
      goesOn: `it goes on: temporal workflow query --type status --workflow-id ${workflowId}`,
      remedy: "See its history in the Temporal UI, and start it again",
    });
    if (total(end) > end.acted) process.exitCode = EXIT.failed;
    if (json) console.log(JSON.stringify({ dataset: name, ...end }));
    else for (const line of linesOf(name, end)) console.log(line);
  });
}

function total({ counts }: Reconciled): number {
  return Object.values(counts).reduce((sum, each) => sum + each, 0);
}

function linesOf(name: string, end: Reconciled): string[] {
  const { counts, compared, silent, acted, shown, notes, report } = end;
  const all = total(end);
  const kinds = Object.entries(counts).flatMap(([kind, number]) => (number === 0 ? [] : [`${number} ${kind}`]));
  const verdict = all === 0 ? "all agree" : paint("bad", kinds.join(", "));
  const lines = [`${name}: ${compared} compared, ${verdict}${acted === 0 ? "" : `; ${acted} acted upon`}`];
  if (silent > 0) lines.push(`  ${paint("waiting", `${count(silent, "place")} did not answer`)}`);
  lines.push(...notes.map((note) => `  ${paint("waiting", note)}`));
  if (all === 0) return lines;
  lines.push("", ...table(COLUMNS, shown.map(row)));
  lines.push("", all > shown.length ? `  and ${all - shown.length} more: all of them are in ${report}` : `  also in ${report}`);
  return lines;
}

function row({ kind, where, found, expected, done }: Deviation): string[] {
  return [kind, where, done ?? "", found, expected];
}

const COLUMNS = [
  { title: "what" },
  { title: "where" },
  { title: "done" },
  { title: "found" },
  { title: "expected", cut: true },
] as const;
