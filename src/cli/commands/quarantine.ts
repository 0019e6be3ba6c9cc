import type { Command } from "commander";
import type { Decision } from "../../contract/index.ts";
import { parseDuration } from "../../dataset/index.ts";
import { FreshetError, isFreshetError } from "../../errors/index.ts";
import type { Revision } from "../../ledger/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { EXIT, failureText } from "../failure.ts";
import { chooseGranules, waitingRevision } from "../quarantine/choose-granules.ts";
import { decide } from "../quarantine/decide.ts";
import { readDrifts } from "../quarantine/drift-table.ts";
import { withSession } from "../session.ts";
import { count, table } from "../table.ts";
import { userName } from "../user-name.ts";

interface Options {
  readonly reason?: string;
  readonly by?: string;
  readonly all?: boolean;
  readonly matching?: string;
  readonly dryRun?: boolean;
  readonly wait?: string;
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
  freshet quarantine skip ostia --all --matching "looks like text" --reason "error pages" --dry-run
  freshet quarantine accept ostia 20170609T120000Z --reason "new scaling from 9 June on"
                                                                 its form is right, and begins the next epoch: a group of its own

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
  for (const [action, summary] of Object.entries(ACTIONS)) {
    const decision = command
      .command(action)
      .summary(summary)
      .argument("<dataset>")
      .argument("[granule...]", "their keys, as `list` prints them")
      .requiredOption("--reason <text>", "why; goes into the ledger")
      .option("--all", "every granule of the dataset that waits")
      .option("--matching <text>", "with --all: only those whose key or reason has this text")
      .option("--dry-run", "say which these are, and decide nothing")
      .option("--by <name>", "who decides (default: the user's name)")
      .option("--json", "print one JSON object a granule")
      .option(...home)
      .action((dataset: string, keys: readonly string[], options: Options) =>
        decideAll(dataset, keys, action as Decision["action"], options),
      );
    if (action === "accept") decision.option("--wait <duration>", "how long to wait until readers see each", "2m");
  }
}

const ACTIONS: Readonly<Record<Decision["action"], string>> = {
  retry: "look at them once more",
  skip: "leave them out",
  accept: "their form is right: it is an epoch of the dataset, or begins the next one",
};

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
    for (const line of table([{ title: "dataset" }, { title: "granule" }, { title: "since" }, { title: "why", cut: true }], rows))
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
    for (const line of whyLines(revision)) console.log(line);
    console.log(
      `\nDecide: freshet quarantine retry|skip|accept ${dataset} ${key} --reason TEXT; or announce a corrected granule.`,
    );
  });
}

function whyLines({ reason }: Revision): string[] {
  const told = readDrifts(reason);
  if (told === undefined) return reason.split("; ").map((part, index) => `  ${index === 0 ? "why" : "   "}    ${part}`);
  const rows = told.drifts.map(({ path, fact, found, expected }) => [path, fact, found, expected]);
  return ["  why    it does not fit the dataset", "", ...table(DRIFT_COLUMNS, rows), "", ...told.rest.map((text) => `  ${text}`)];
}

const DRIFT_COLUMNS = [
  { title: "variable" },
  { title: "fact" },
  { title: "found", cut: true },
  { title: "expected", cut: true },
] as const;

async function decideAll(dataset: string, keys: readonly string[], action: Decision["action"], options: Options): Promise<void> {
  const { reason = "", by = userName(), wait = "2m", json = false } = options;
  const waitMs = parseDuration(wait);
  if (waitMs === undefined) throw new FreshetError("usage", "--wait takes a duration", { found: wait, expected: "30s, 2m, 1h" });
  await withSession(readSettings(options), async (session) => {
    const ledger = await session.ledger();
    const chosen = await chooseGranules(ledger, dataset, keys, options);
    if (chosen.length === 0 && !json) console.log("no granule in quarantine matches");
    if (options.dryRun === true) {
      for (const { key, reason: why } of chosen) {
        const line = { dataset, key, action, outcome: "would be decided", why };
        console.log(json ? JSON.stringify(line) : `${dataset} ${key}: would ${action} it (${why})`);
      }
      return;
    }
    const client = await session.client();
    for (const revision of chosen) {
      try {
        const decided = await decide(client, ledger, revision, { action, reason, by }, waitMs);
        if (!decided.isSettled) process.exitCode = EXIT.failed;
        console.log(json ? JSON.stringify(decided) : `${dataset} ${revision.key}: ${decided.outcome}`);
      } catch (error) {
        // One that cannot be decided does not keep the others back.
        if (chosen.length === 1 || !isFreshetError(error, "conflict")) throw error;
        process.exitCode = EXIT.failed;
        process.stderr.write(failureText(error, false));
      }
    }
  });
}
