import type { Command } from "commander";
import { newestRevision } from "../../acquisition/index.ts";
import { parseDuration } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import type { Revision } from "../../ledger/index.ts";
import { Announcer } from "../../starters/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { appliedDataset } from "../applied-dataset.ts";
import { EXIT } from "../failure.ts";
import { followGranule } from "../follow-granule.ts";
import { interruptSignal } from "../interrupt.ts";
import { withSession } from "../session.ts";

interface Options {
  readonly wait: string | false;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly home?: string;
}

const EXAMPLES = `
Examples:
  freshet replay ostia 20170605T120000Z             announce it again, from where it came last
  freshet replay ostia 20170605T120000Z --dry-run   from where that is

The source is asked anew: other bytes are a new revision, the same ones a duplicate, one in quarantine is tried once more.
Published granules are scanned again by freshet rebuild DATASET --from … --to ….`;

export function configure(command: Command): void {
  command
    .argument("<dataset>", "name of an applied dataset")
    .argument("<granule...>", "keys, as freshet status DATASET prints them")
    .option("--wait <duration>", "how long to wait until readers see each", "2m")
    .option("--no-wait", "announce only")
    .option("--dry-run", "show what would be announced")
    .option("--json", "print one JSON object a granule")
    .option("--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(name: string, keys: readonly string[], options: Options): Promise<void> {
  const waitMs = options.wait === false ? 0 : parseDuration(options.wait);
  if (waitMs === undefined)
    throw new FreshetError("usage", "--wait takes a duration", { found: String(options.wait), expected: "30s, 2m, 1h" });
  const signal = interruptSignal();
  await withSession(readSettings(options), async (session) => {
    const ledger = await session.ledger();
    await appliedDataset(ledger, name);
    // All of them are found before the first is announced.
    const chosen: (Revision & { readonly uri: string })[] = [];
    for (const key of keys) chosen.push(await newestRevision(ledger, name, key));
    const client = options.dryRun === true ? undefined : await session.client();
    for (const { key, uri, identity, fields } of chosen) {
      const told = { dataset: name, key, uri };
      if (client === undefined) {
        say({ ...told, outcome: "would be announced", reason: identity }, options);
        continue;
      }
      const [announced] = await new Announcer(client, ledger).announce(
        { uri, fields, by: "replay", heardMs: Date.now() },
        { only: name },
      );
      if (announced === undefined) {
        process.exitCode = EXIT.failed;
        say(
          { ...told, outcome: "unknown", reason: "the dataset file that is in force does not know this place and name" },
          options,
        );
        continue;
      }
      if (waitMs === 0) {
        say({ ...told, outcome: "announced", reason: "" }, options);
        continue;
      }
      const end = await followGranule(client, ledger, announced, { waitMs, signal });
      if (["quarantined", "waiting", "failed"].includes(end.outcome)) process.exitCode = EXIT.failed;
      say({ ...told, ...end }, options);
    }
  });
}

interface Line {
  readonly dataset: string;
  readonly key: string;
  readonly uri: string;
  readonly outcome: string;
  readonly reason: string;
  readonly version?: string | undefined;
}

function say(line: Line, { json }: Options): void {
  if (json === true) console.log(JSON.stringify(line));
  else {
    const version = line.version === undefined ? "" : ` in version ${line.version}`;
    console.log(`${line.dataset} ${line.key}: ${line.outcome}${version}${line.reason === "" ? "" : ` (${line.reason})`}`);
  }
}
