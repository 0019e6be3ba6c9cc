import type { Command } from "commander";
import type { CheckSubject, ProductCheck } from "../../publication/index.ts";
import { readSettings } from "../../worker/settings.ts";
import { appliedDataset, namedProducts } from "../applied-dataset.ts";
import { EXIT } from "../failure.ts";
import { interruptSignal } from "../interrupt.ts";
import { atLeastOne } from "../operations/options.ts";
import { paint } from "../paint.ts";
import { showLine } from "../progress.ts";
import { withSession } from "../session.ts";
import { count, table } from "../table.ts";

interface Options {
  readonly product?: string;
  readonly chunks: number;
  readonly sources?: boolean;
  readonly json?: boolean;
  readonly home?: string;
}

const NEWEST_SOURCES = 50;
const EXAMPLES = `
Examples:
  freshet verify ostia                     store, ledger, the newest ${NEWEST_SOURCES} sources, 8 chunks
  freshet verify ostia --sources           every source
  freshet verify ostia --chunks 200        more chunks, each read through the store and by another decoder in the source

It changes nothing, and needs no Temporal server. Where two disagree it says what to do, and ends with exit code 1.`;

export function configure(command: Command): void {
  command
    .argument("<dataset>", "name of an applied dataset")
    .option("--product <name>", "only this product")
    .option("--chunks <count>", "chunks to compare with the sources", atLeastOne, 8)
    .option("--sources", `look at every source, not only the newest ${NEWEST_SOURCES}`)
    .option("--json", "print one JSON object a product")
    .option("--home <folder>", "where the ledger and the scans are (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(name: string, options: Options): Promise<void> {
  const settings = readSettings(options);
  await withSession(settings, async (session) => {
    const ledger = await session.ledger();
    const { dataset } = await appliedDataset(ledger, name);
    const products = namedProducts(dataset, options.product);
    const [{ checkProduct }, { ScanStore }] = await Promise.all([
      import("../../publication/index.ts"),
      import("../../scan/index.ts"),
    ]);
    const line = showLine();
    const scans = new ScanStore(settings.scanFolder);
    const sources = options.sources === true ? Number.POSITIVE_INFINITY : NEWEST_SOURCES;
    for (const product of products) {
      const tick = (what: string): void => line.show(`${name}/${product.name}: ${what}`);
      const asked = { chunks: options.chunks, sources, tick, signal: interruptSignal() };
      const check = await checkProduct(dataset, product, { ledger, scans }, asked).finally(line.end);
      if (check.disagreements.length > 0) process.exitCode = EXIT.failed;
      if (options.json === true) console.log(JSON.stringify({ dataset: name, ...check }));
      else for (const text of linesOf(name, check)) console.log(text);
    }
  });
}

const WHAT: Readonly<Record<CheckSubject, string>> = {
  version: "the version readers see, with the ledger's newest",
  layout: "the granules in it, with the ledger",
  source: "their sources, with what references expect",
  chunk: "chunks through the store, with another decoder's reading",
};

function linesOf(dataset: string, { product, version, sequence, heldAt, compared, disagreements }: ProductCheck): string[] {
  const held = heldAt === undefined ? "" : `, held at #${heldAt}`;
  const head = version === undefined ? "no version" : `#${sequence}, version ${version}${held}`;
  const rows = compared.map(({ subject, count: done, of, note }) => {
    const wrong = disagreements.filter((each) => each.subject === subject).length;
    const verdict = wrong > 0 ? paint("bad", count(wrong, "disagreement")) : done === 0 ? "nothing measured" : "agrees";
    return [WHAT[subject], `${done} of ${of}`, verdict, note];
  });
  const lines = [`${dataset}/${product}: ${head}`, ...table(COLUMNS, rows)];
  for (const { where, found, expected, remedy } of disagreements) {
    lines.push("", `  ${paint("bad", where)}`, `    found     ${found}`, `    expected  ${expected}`);
    lines.push(`    do        ${remedy.replaceAll("DATASET", dataset)}`);
  }
  return lines;
}

const COLUMNS = [{ title: "compared" }, { title: "how many", align: "right" }, { title: "" }, { title: "", cut: true }] as const;
