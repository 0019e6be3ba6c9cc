import type { Command } from "commander";
import type { BackupSummary, LedgerDescription } from "../../ledger/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { appliedDataset } from "../applied-dataset.ts";
import { showLine } from "../progress.ts";
import { withSession } from "../session.ts";
import { count, describeBytes, table } from "../table.ts";

interface Options {
  readonly json?: boolean;
  readonly dryRun?: boolean;
  readonly home?: string;
}

const EXAMPLES = `
Examples:
  freshet ledger info                          kind, version, size, and how many revisions each dataset has
  freshet ledger migrate --dry-run             from which version to which it would be brought
  freshet ledger backup 2017-06-05.ledger.gz   the ledger as it is now, in one file; writers go on meanwhile
  FRESHET_LEDGER=postgres://me@host/freshet freshet ledger restore 2017-06-05.ledger.gz
                                               into an empty ledger, of the same kind or the other
  freshet ledger rebuild ostia                 a lost ledger's published part, from the dataset's stores

To rebuild a lost ledger: apply the dataset files again with no worker running, then rebuild each dataset, then start the worker.`;

export function configure(command: Command): void {
  const home = ["--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)"] as const;
  const json = ["--json", "print it as JSON"] as const;
  command.addHelpText("after", EXAMPLES);
  command
    .command("info")
    .summary("kind, version, size, revisions of each dataset")
    .option(...json)
    .option(...home)
    .action(info);
  command
    .command("migrate")
    .summary("bring it to the version that this Freshet writes")
    .option("--dry-run", "say what would be done, and do nothing")
    .option(...json)
    .option(...home)
    .action(migrate);
  command
    .command("backup")
    .summary("write all of it into one file")
    .argument("<file>", "gzip of JSON lines; nothing is overwritten")
    .option(...json)
    .option(...home)
    .action(backup);
  command
    .command("restore")
    .summary("fill an empty ledger from a backup")
    .argument("<file>", "what `backup` has written, from a ledger of either kind")
    .option(...json)
    .option(...home)
    .action(restore);
  command
    .command("rebuild")
    .summary("bring back what is published, from the stores of a dataset")
    .argument("<dataset>", "its file has to be applied")
    .option(...json)
    .option(...home)
    .action(rebuild);
}

async function info(options: Options): Promise<void> {
  const { describeLedger } = await import("../../ledger/index.ts");
  const description = await describeLedger(readSettings(options).ledgerUrl);
  if (options.json === true) console.log(JSON.stringify(description));
  else for (const line of describe(description)) console.log(line);
}

function describe({ uri, kind, version, newestVersion, bytes, datasets }: LedgerDescription): string[] {
  const age = version === newestVersion ? "" : `, this Freshet writes ${newestVersion}: freshet ledger migrate`;
  const head = [
    uri,
    `  kind     ${kind === "sqlite" ? "SQLite" : "PostgreSQL"}`,
    `  version  ${version === 0 ? "none, the database is empty" : `${version}${age}`}`,
    `  size     ${describeBytes(bytes)}`,
    "",
  ];
  if (datasets.length === 0) return [...head, "  no dataset yet"];
  const rows = datasets.map(({ name, events, revisions }) => {
    const states = Object.entries(revisions).filter(([, number]) => number > 0);
    const all = states.reduce((sum, [, number]) => sum + number, 0);
    return [name, `${events}`, `${all}`, states.map(([state, number]) => `${number} ${state}`).join(", ")];
  });
  return [...head, ...table(COLUMNS, rows)];
}

const COLUMNS = [
  { title: "dataset" },
  { title: "events", align: "right" },
  { title: "revisions", align: "right" },
  { title: "of these" },
] as const;

async function migrate(options: Options): Promise<void> {
  const { migrateLedger } = await import("../../ledger/index.ts");
  const dryRun = options.dryRun === true;
  const { uri, from, to } = await migrateLedger(readSettings(options).ledgerUrl, { dryRun });
  if (options.json === true) console.log(JSON.stringify({ uri, from, to, dryRun }));
  else if (from === to) console.log(`${uri} is of version ${to} already`);
  else console.log(`${uri}: ${dryRun ? "would be brought" : "brought"} from version ${from} to version ${to}`);
}

async function backup(file: string, options: Options): Promise<void> {
  const { backUpLedger } = await import("../../ledger/index.ts");
  const summary = await backUpLedger(readSettings(options).ledgerUrl, file);
  say(summary, options, `${summary.uri} is in ${summary.path}: ${contentOf(summary)}`);
}

async function restore(file: string, options: Options): Promise<void> {
  const { restoreLedger } = await import("../../ledger/index.ts");
  const summary = await restoreLedger(readSettings(options).ledgerUrl, file);
  const written = new Date(summary.writtenMs).toISOString();
  say(summary, options, `${summary.uri} has what was in the ledger at ${written}: ${contentOf(summary)}`);
}

async function rebuild(name: string, options: Options): Promise<void> {
  const settings = readSettings(options);
  const [{ restoreLedger }, { ScanStore }] = await Promise.all([
    import("../../publication/index.ts"),
    import("../../scan/index.ts"),
  ]);
  await withSession(settings, async (session) => {
    const ledger = await session.ledger();
    const { dataset } = await appliedDataset(ledger, name);
    const line = showLine();
    const parts = { ledger, scans: new ScanStore(settings.scanFolder) };
    const restored = await restoreLedger(dataset, parts, line.show).finally(line.end);
    if (options.json === true) {
      console.log(JSON.stringify({ dataset: name, ...restored }));
      return;
    }
    for (const { product, versions, expired, publications, heldAt } of restored.products) {
      const held = heldAt === undefined ? "" : `; held at #${heldAt}`;
      console.log(
        `${name}/${product}: ${count(publications, "publication")} brought back from ${count(versions, "version")}, ${expired} expired${held}`,
      );
    }
    const { revisions, placeless, left } = restored;
    console.log(`  ${count(revisions, "revision")} brought back; ${left} that were published once stand in no product any more`);
    if (placeless > 0) console.log(`  of ${placeless} the scan is gone: nothing says where their bytes are; announce them again`);
    console.log("  decisions, quarantine and who announced what are not in the stores: they need the ledger's backup");
  });
}

function contentOf({ rows, schema, bytes }: BackupSummary): string {
  return `${count(rows, "row")} of version ${schema}, ${describeBytes(bytes)}`;
}

function say(summary: BackupSummary, options: Options, text: string): void {
  console.log(options.json === true ? JSON.stringify(summary) : text);
}
