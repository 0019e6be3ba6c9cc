import type { Command } from "commander";
import type { Traffic, UnmatchedName } from "../../ledger/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { withSession } from "../session.ts";
import { instant } from "../status/report.ts";
import { table } from "../table.ts";

interface Options {
  readonly limit: number;
  readonly json?: boolean;
  readonly home?: string;
}

const EXAMPLES = `
Examples:
  freshet unmatched              what every source has brought, and the last names that no dataset knows
  freshet unmatched ofs          only of the source ofs
  freshet dataset try ofs.yaml NAME     what the name grammars of a file make of a name

Of each source the last hundred names are kept, for a fortnight. Counts are written every five seconds; a process that dies takes
the last of them with it. What comes by the webhook from a place of no source is counted for the source «none».`;

export function configure(command: Command): void {
  command
    .argument("[source]", "name of a source")
    .option("--limit <count>", "names at most", Number, 20)
    .option("--json", "print one JSON object a name, after one for each source")
    .option("--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(source: string | undefined, { limit, json, ...options }: Options): Promise<void> {
  await withSession(readSettings(options), async (session) => {
    const ledger = await session.ledger();
    const all = await ledger.traffic();
    const traffic = source === undefined ? all : all.filter((each) => each.source.split(",").includes(source));
    const names = (await ledger.unmatchedNames()).filter((name) => traffic.some((each) => each.source === name.source));
    if (json === true) {
      for (const each of [...traffic, ...names.slice(0, limit)]) console.log(JSON.stringify(each));
      return;
    }
    if (traffic.length === 0) {
      console.log(source === undefined ? "no message has come yet" : `no message of ${source} has come yet`);
      return;
    }
    for (const line of table(TRAFFIC, traffic.map(trafficRow))) console.log(line);
    console.log("");
    if (names.length === 0) console.log("  every name was known to a dataset");
    else for (const line of table(NAMES, names.slice(0, limit).map(nameRow))) console.log(line);
    if (names.length > limit) console.log(`  and ${names.length - limit} more: --limit ${names.length}`);
  });
}

function trafficRow({ source, via, matched, unmatched, passedOver, malformed, matchedMs, unmatchedMs }: Traffic): string[] {
  const last = (ms: number | undefined): string => (ms === undefined ? "" : instant(ms));
  return [source, via, `${matched}`, last(matchedMs), `${unmatched}`, last(unmatchedMs), `${passedOver}`, `${malformed}`];
}

const TRAFFIC = [
  { title: "source" },
  { title: "by" },
  { title: "matched", align: "right" },
  { title: "last" },
  { title: "unmatched", align: "right" },
  { title: "last" },
  { title: "passed over", align: "right" },
  { title: "malformed", align: "right" },
] as const;

function nameRow({ source, name, count, lastMs, reason }: UnmatchedName): string[] {
  return [source, `${count}`, instant(lastMs), name, reason];
}

const NAMES = [
  { title: "source" },
  { title: "times", align: "right" },
  { title: "last" },
  { title: "name" },
  { title: "why", cut: true },
] as const;
