import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Command, InvalidArgumentError } from "commander";
import { endOf } from "../../acquisition/index.ts";
import { type Dataset, INSTANT_FORM, type Product } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import { readSettings, type Settings } from "../../worker/settings.ts";
import { appliedDataset, namedProducts, oneProduct } from "../applied-dataset.ts";
import { interruptSignal } from "../interrupt.ts";
import { showLine } from "../progress.ts";
import { withSession } from "../session.ts";
import { instant } from "../status/report.ts";
import { openingLines } from "../versions/opening-lines.ts";

interface Options {
  readonly at: string;
  readonly product?: string;
  readonly store?: string;
  readonly json?: boolean;
  readonly home?: string;
}

const EXAMPLES = `
Examples:
  freshet as-of dbofs --at 2024-09-01T12:00Z                    which version readers saw then, and how to open it
  freshet as-of dbofs --at 2024-09-01 --store /data/dbofs-then  built anew from the ledger, where that version has expired

What was published then, is taken as it was then: replaced, withdrawn and expired granules too, as long as their source still has the bytes.`;

export function configure(command: Command): void {
  command
    .argument("<dataset>", "name of an applied dataset")
    .requiredOption("--at <instant>", `the moment, ${INSTANT_FORM}; a date is its end`)
    .option("--product <name>", "only this product")
    .option("--store <folder>", "build it there, in a store that is not there yet", folderOf)
    .option("--json", "print one JSON object a product")
    .option("--home <folder>", "where the ledger is (FRESHET_HOME, default .freshet)")
    .addHelpText("after", EXAMPLES)
    .action(run);
}

async function run(name: string, options: Options): Promise<void> {
  const settings = readSettings(options);
  await withSession(settings, async (session) => {
    const ledger = await session.ledger();
    const { dataset, hash } = await appliedDataset(ledger, name);
    const atMs = endOf("--at", options.at);
    if (atMs > Date.now() && options.store !== undefined)
      throw new FreshetError("usage", "this moment is still to come", { found: new Date(atMs).toISOString() });
    if (options.store !== undefined) return build(ledger, settings, { dataset, hash }, atMs, options);
    for (const product of namedProducts(dataset, options.product)) await find(ledger, dataset, product, atMs, options);
  });
}

async function find(ledger: Ledger, dataset: Dataset, product: Product, atMs: number, { json }: Options): Promise<void> {
  const { lookAtProduct, publicationAsOf } = await import("../../publication/index.ts");
  const publication = await publicationAsOf(ledger, dataset.name, product.name, atMs);
  const state = await lookAtProduct(dataset, product);
  const { snapshot } = publication ?? {};
  const isReadable = snapshot !== undefined && (await state?.store.version(snapshot))?.expired === false;
  const name = `${dataset.name}/${product.name}`;
  if (json === true) {
    const told = { dataset: dataset.name, product: product.name, store: product.store, atMs };
    console.log(JSON.stringify({ ...told, sequence: publication?.sequence ?? null, version: snapshot ?? null, isReadable }));
  } else if (publication === undefined) console.log(`${name}: nothing was published yet at ${instant(atMs)}`);
  else {
    const { sequence, atMs: sinceMs } = publication;
    console.log(`${name}: #${sequence}, version ${snapshot}, since ${instant(sinceMs)}`);
    if (isReadable) for (const line of await openingLines(dataset, product, snapshot)) console.log(line);
    else console.log("It has expired. Build it from the ledger: add --store FOLDER");
  }
}

async function build(
  ledger: Ledger,
  settings: Settings,
  { dataset, hash }: { readonly dataset: Dataset; readonly hash: string },
  atMs: number,
  options: Options,
): Promise<void> {
  const { also: _, ...declared } = oneProduct(dataset, options.product);
  const product: Product = { ...declared, store: options.store as string };
  const copy: Dataset = { ...dataset, products: [product] };
  const [{ buildAsOf, ProductStores }, { ScanStore }] = await Promise.all([
    import("../../publication/index.ts"),
    import("../../scan/index.ts"),
  ]);
  const parts = { ledger, scans: new ScanStore(settings.scanFolder), stores: new ProductStores(), now: Date.now };
  const line = showLine();
  const reference = { name: dataset.name, hash };
  const asked = { tick: line.show, signal: interruptSignal() };
  const built = await buildAsOf(parts, { reference, dataset: copy, product }, atMs, asked).finally(() => line.end());
  if (options.json === true) {
    console.log(JSON.stringify({ dataset: dataset.name, product: product.name, store: product.store, atMs, ...built }));
    return;
  }
  const { granules, gone } = built;
  console.log(`${dataset.name}/${product.name} as of ${instant(atMs)}: ${granules} granules in ${product.store}`);
  if (gone.length > 0) console.log(`${gone.length} are gaps: their sources have them no more, the first ${gone[0]}`);
  for (const each of await openingLines(copy, product)) console.log(each);
}

function folderOf(text: string): string {
  if (text === "" || (/^[a-z0-9]+:/i.test(text) && !text.startsWith("file:///")))
    throw new InvalidArgumentError("A folder, or file:///…");
  return text.startsWith("file:") ? text.replace(/\/$/, "") : pathToFileURL(resolve(text)).href;
}
