import { openSource } from "../acquisition/index.ts";
import type { Product } from "../dataset/index.ts";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import { type LayoutRow, type PlacedGranule, type StoredEpoch, shapeFor, withoutDropped } from "../products/index.ts";
import type { Sample, Samples, Scan } from "../scan/index.ts";
import { type ChunkStore, hashOfChunk, RememberedReads, takeSamples } from "../witness/index.ts";
import { storeError } from "../writers/icechunk/index.ts";
import type { CheckContext, Checked, Disagreement } from "./check.ts";
import { lostSource } from "./check-sources.ts";
import { placeOf } from "./verify-staged.ts";
import { placesInViews, type StepPlace } from "./view-parts.ts";

interface Asked {
  readonly epoch: number;
  readonly slot: number;
  readonly row: LayoutRow;
  /** Of a forecast: where its steps are shown. */
  readonly places: ReadonlyMap<number, StepPlace> | undefined;
}

/** Chunks as readers get them, against what another decoder reads in the sources now: of granules that are evenly chosen. */
export async function checkChunks(context: CheckContext): Promise<Checked> {
  const { stored, state, chunks, tick, signal } = context;
  const asked = evenly(
    stored.epochs.flatMap((each) => granulesOf(each, context.product)),
    chunks,
  );
  const most = Math.ceil(chunks / Math.max(1, asked.length));
  const store = (await state.store.reader(state.head)) as unknown as ChunkStore;
  const disagreements: Disagreement[] = [];
  let count = 0;
  let silence = "";
  for (const [number, each] of asked.entries()) {
    signal?.throwIfAborted();
    tick(`chunks: granule ${number + 1} of ${asked.length}, ${each.row.key}`);
    const heard = await testimonyOf(context, each, most);
    if (heard.kind === "silent") silence = heard.reason;
    if (heard.kind === "differs") {
      if (heard.disagreement.subject === "chunk") count++;
      else silence = "their sources are not what was scanned";
      disagreements.push(heard.disagreement);
    }
    if (heard.kind !== "heard") continue;
    if (heard.samples.taken.length === 0) silence = heard.samples.passedOver[0]?.reason ?? "nothing of it is written";
    for (const sample of heard.samples.taken) {
      const place = sample.isUnwritten ? undefined : placeOf(sample, { ...each, granule: heard.granule });
      if (place === undefined || count >= chunks) continue;
      count++;
      const wrong = await compare(context, store, place, sample, each.row, heard.samples.by);
      if (wrong !== undefined) disagreements.push(wrong);
    }
  }
  const note = count > 0 || asked.length === 0 ? "" : `no chunk could be compared: ${silence || "none is kept by reference"}`;
  return { compared: { subject: "chunk", count, of: chunks, note }, disagreements };
}

function granulesOf({ header, layout }: StoredEpoch, product: Product): Asked[] {
  const shown = product.kind === "forecast" ? placesInViews(product, { header, layout }) : undefined;
  return [...layout.rows()].map(([slot, row]) => {
    const places = shown === undefined ? undefined : (shown.get(row.key) ?? new Map());
    return { epoch: header.epoch, slot, row, places };
  });
}

type Heard =
  | { readonly kind: "heard"; readonly granule: PlacedGranule; readonly samples: Samples }
  | { readonly kind: "silent"; readonly reason: string }
  | { readonly kind: "differs"; readonly disagreement: Disagreement };

async function testimonyOf(
  { dataset, product, scans, signal }: CheckContext,
  { slot, row }: Asked,
  chunks: number,
): Promise<Heard> {
  let scan: Scan;
  try {
    scan = await scans.get(row.scan);
  } catch (error) {
    if (!isFreshetError(error, "corrupt")) throw error;
    return { kind: "silent", reason: error.message };
  }
  try {
    const reader = await openSource(dataset.source, scan.uri, signal);
    try {
      const options = signal === undefined ? { chunks } : { chunks, signal };
      const samples = await takeSamples(new RememberedReads(reader), scan, options);
      const root = withoutDropped(scan.root, dataset.scan.drop);
      const shape = shapeFor(product, root, row);
      return { kind: "heard", samples, granule: { slot, root, shape, source: scan.identity } };
    } finally {
      await reader.close();
    }
  } catch (error) {
    if (isFreshetError(error, "corrupt")) return { kind: "differs", disagreement: otherScan(row, error) };
    if (isFreshetError(error, "source-missing")) return { kind: "differs", disagreement: lostSource(row, scan, "nothing there") };
    if (isFreshetError(error, "source-changed"))
      return { kind: "differs", disagreement: lostSource(row, scan, error.facts.found ?? error.message) };
    if (isFreshetError(error)) return { kind: "silent", reason: error.message };
    throw error;
  }
}

/** The source says the same of itself as when it was scanned, and holds something else. */
function otherScan({ key }: LayoutRow, { facts, message }: FreshetError): Disagreement {
  const found = facts.found === undefined ? message : `the scan has ${facts.found}`;
  const remedy = "Its bytes were changed, or a decoder is wrong: scan it again (freshet ingest) and report it with the file";
  return {
    subject: "chunk",
    where: `${key} ${facts.path ?? ""}`.trim(),
    found,
    expected: facts.expected ?? "what was scanned",
    remedy,
  };
}

async function compare(
  { state, signal }: CheckContext,
  store: ChunkStore,
  { path, index, extent }: { readonly path: string; readonly index: readonly number[]; readonly extent: readonly number[] },
  { sha256 }: Sample,
  { key, validMs }: LayoutRow,
  by: string,
): Promise<Disagreement | undefined> {
  const at = new Date(validMs).toISOString();
  const remedy = `Readers do not get what the source has: freshet rebuild DATASET --from ${at} --to ${at}`;
  const told = { subject: "chunk", where: `${path} chunk [${index}], ${key}`, remedy } as const;
  const expected = `values with sha256 ${sha256.slice(0, 16)}…, as ${by} reads the source`;
  try {
    const found = await hashOfChunk(store, path, index, extent, signal);
    return found.sha256 === sha256 ? undefined : { ...told, found: `sha256 ${found.sha256.slice(0, 16)}…`, expected };
  } catch (error) {
    signal?.throwIfAborted();
    const failure = error instanceof FreshetError ? error : storeError(error, state.store.folder);
    return { ...told, found: failure.message, expected };
  }
}

/** At most `most` of them, evenly, with the last one. */
function evenly<Item>(items: readonly Item[], most: number): Item[] {
  const count = Math.min(most, items.length);
  return Array.from({ length: count }, (_, index) => items[Math.floor(((index + 1) * items.length) / count) - 1] as Item);
}
