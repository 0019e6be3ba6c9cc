// `combine-process.ts FOLDER COUNT WAY`: scans so many granules of a folder, says "ready", and combines them once for each line that it reads: a JSON line
// with the seconds, how many references there are, and the process's memory before and its peak.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { canonicalDataset, type Dataset, type Product, parseDatasetFile } from "../src/dataset/index.ts";
import { openLedger, revisionIdentity } from "../src/ledger/index.ts";
import { ChangeParts } from "../src/publication/change-parts.ts";
import { ProductStores, Publisher } from "../src/publication/index.ts";
import { wantedProduct } from "../src/publication/wanted.ts";
import { type Scan, type ScanAddress, ScanStore, scan } from "../src/scan/index.ts";
import { openReader } from "../src/storage/index.ts";
import type { StoreChange } from "../src/writers/icechunk/index.ts";

const START_MS = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;
const PAGE = 1_000;

interface Scanned {
  readonly key: string;
  readonly validMs: number;
  readonly uri: string;
  readonly scan: ScanAddress;
  readonly identity: string;
}

const [folder = "", count = "0", way = ""] = process.argv.slice(2);
const root = await mkdtemp(join(tmpdir(), "freshet-bench-combine-"));
const text = `
sources: { s: { at: "${pathToFileURL(folder).href}/" } }
---
name: combined
from: { source: s }
match: "{valid:%Y%m%d%H}.nc"
products: [ { timeseries: { calendar: { every: 1h, from: "2026-01-01" }, store: store } } ]
`;
const held = new Map<string, Scan>();
const granules = await scanAll();
const ways: Readonly<Record<string, () => Promise<number>>> = { memory: inMemory, disk: fromDisk, store: published };
const combine = ways[way];
if (combine === undefined) throw new Error(`no way ${way}: ${Object.keys(ways).join(", ")}`);
console.log("ready");
for await (const _ of createInterface({ input: process.stdin })) {
  global.gc?.();
  const before = process.memoryUsage().rss;
  const used = process.cpuUsage();
  const started = performance.now();
  const references = await combine();
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(used);
  const peak = process.resourceUsage().maxRSS * 1024;
  console.log(
    JSON.stringify({
      seconds,
      cpuSeconds: (user + system) / 1e6,
      references,
      beforeMiB: mebibytes(before),
      peakMiB: mebibytes(peak),
    }),
  );
}
await rm(root, { recursive: true, force: true });
process.exit(0);

function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

async function scanAll(): Promise<Scanned[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".nc")).sort();
  const store = new ScanStore(root);
  const all: Scanned[] = [];
  for (const [step, name] of names.slice(0, Number(count)).entries()) {
    const reader = await openReader(join(folder, name));
    const found = await scan(reader);
    await reader.close();
    const address = await store.put(found);
    if (way === "memory") held.set(address.sha256, found);
    all.push({
      key: name,
      validMs: START_MS + step * HOUR_MS,
      uri: found.uri,
      scan: address,
      identity: revisionIdentity(found.identity),
    });
  }
  return all;
}

function datasetIn(place: string): { readonly dataset: Dataset; readonly product: Product } {
  const [dataset] = parseDatasetFile(text, { file: join(place, "dataset.yaml") }).datasets;
  return { dataset: dataset as Dataset, product: dataset?.products[0] as Product };
}

/** What readers would find: every reference at its place. */
async function* changes(scans: Pick<ScanStore, "get">): AsyncGenerator<StoreChange> {
  const { dataset, product } = datasetIn(root);
  const arrivals = granules.map((granule) => ({ arrival: { state: "ready" as const, ...granule }, epoch: 1 }));
  const template = (granules[0] as Scanned).scan;
  const { epochs } = await wantedProduct(undefined, arrivals, { dataset, product }, async () => ({ template, steps: 1 }));
  const header = {
    format: 2,
    product: product.name,
    dataset: { name: dataset.name, hash: canonicalDataset(dataset).hash },
    sequence: 1,
    parent: "",
    kind: "publication",
    cursor: 0,
    prefixes: [],
  } as const;
  yield* new ChangeParts({ scans: scans as ScanStore, dataset, product, epochs, header, isFresh: true, tick: () => undefined });
}

function referencesOf({ arrays }: StoreChange): number {
  return arrays.reduce((sum, { virtual }) => sum + virtual.length, 0);
}

/** From scans in memory to all references in memory, as the peers do. */
async function inMemory(): Promise<number> {
  const all = await Array.fromAsync(changes({ get: async ({ sha256 }) => held.get(sha256) as Scan }));
  return all.reduce((sum, change) => sum + referencesOf(change), 0);
}

/** From kept scans, read anew, part by part: what is in memory does not grow. */
async function fromDisk(): Promise<number> {
  let references = 0;
  for await (const change of changes(new ScanStore(root))) references += referencesOf(change);
  return references;
}

/** The whole publication: from the ledger's rows to a version in Icechunk that is verified and visible. */
async function published(): Promise<number> {
  const place = await mkdtemp(join(root, "publish-"));
  const { dataset } = datasetIn(place);
  const ledger = await openLedger(join(place, "ledger.db"));
  for (let at = 0; at < granules.length; at += PAGE) {
    const rows = granules.slice(at, at + PAGE).map(({ key, validMs, uri, scan: address, identity }) => ({
      dataset: dataset.name,
      key,
      identity,
      uri,
      size: 0,
      scan: address,
      fields: { valid: validMs },
    }));
    await ledger.hearAll(rows);
    await ledger.recordAll(rows.map((row) => ({ ...row, state: "ready" as const, epoch: 1 })));
  }
  const publisher = new Publisher({ ledger, scans: new ScanStore(root), stores: new ProductStores(), now: Date.now });
  const reference = { name: dataset.name, hash: canonicalDataset(dataset).hash };
  let published = 0;
  for (;;) {
    const [plan] = await publisher.plan(dataset);
    if (plan === undefined) break;
    if ("trouble" in plan) throw new Error(plan.trouble);
    published = (await publisher.publish(reference, dataset, plan, () => undefined)).granules;
  }
  await ledger.close();
  await rm(place, { recursive: true, force: true });
  if (published !== granules.length) throw new Error(`${published} of ${granules.length} granules were published`);
  return 0;
}
