import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as zarr from "zarrita";
import { admitRevision, recordVerdict, resolveRevision } from "../../src/acquisition/index.ts";
import type { Announcement, GranuleReference, Operation, OperationResult, PublicationPlan } from "../../src/contract/index.ts";
import {
  canonicalDataset,
  compileNames,
  type Dataset,
  parseDatasetFile,
  type TimeseriesProduct,
} from "../../src/dataset/index.ts";
import { type Ledger, openLedger, revisionIdentity } from "../../src/ledger/index.ts";
import { Operator, ProductStores, Publisher } from "../../src/publication/index.ts";
import { ScanStore } from "../../src/scan/index.ts";
import { reached } from "../../src/steps/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import type { Bounds, Bytes } from "./model.ts";

/** How sources keep their bytes: copied by us; under a new name for each; under one name, read in place. */
export type Keeping = "mirror" | "other names" | "in place";

const SCALES = [0.01, 0.5, 0.25, 0.125];
/** Versions that upkeep keeps readable. */
export const KEPT_VERSIONS = 3;
export const GAP = -32_768;
const dayMs = (day: number): number => Date.UTC(2017, 5, day, 12);

/** An announcement on its way through the granule's activities. */
export interface Journey {
  readonly granule: GranuleReference;
  readonly announcement: Announcement;
  readonly isAccepted: boolean;
  readonly bytes: Bytes;
  /** It was announced with the checksum of something else. */
  readonly isWrong: boolean;
}

/** What a reader finds in one epoch: the days of its steps, and for each the number, or why it cannot be read. */
export interface Reading {
  readonly days: readonly number[];
  readonly values: readonly (number | Error)[];
}

/** The real parts below Temporal, over one folder. Files are in memory where the system has a place for that. */
export class System {
  readonly folder: string;
  readonly keeping: Keeping;
  ledger: Ledger;
  dataset: Dataset;
  #scans: ScanStore;
  #stores: ProductStores;
  #publisher: Publisher;
  #operator: Operator;
  #clock = 0;

  private constructor(folder: string, keeping: Keeping, ledger: Ledger) {
    this.folder = folder;
    this.keeping = keeping;
    this.ledger = ledger;
    this.dataset = this.datasetWith({ from: undefined, to: undefined });
    ({
      scans: this.#scans,
      stores: this.#stores,
      publisher: this.#publisher,
      operator: this.#operator,
    } = partsOver(folder, ledger));
  }

  static async start(keeping: Keeping): Promise<System> {
    const folder = await mkdtemp(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "freshet-model-"));
    return new System(folder, keeping, await openLedger(join(folder, "ledger.db")));
  }

  /** As in a new process: nothing is remembered. */
  async restart({ ledger = false } = {}): Promise<void> {
    if (ledger) {
      await this.ledger.close();
      this.ledger = await openLedger(join(this.folder, "ledger.db"));
    }
    ({
      scans: this.#scans,
      stores: this.#stores,
      publisher: this.#publisher,
      operator: this.#operator,
    } = partsOver(this.folder, this.ledger));
  }

  datasetWith({ from, to }: Bounds): Dataset {
    const bound = (name: string, day: number | undefined): string =>
      day === undefined ? "" : `, ${name}: "${new Date(dayMs(day)).toISOString().slice(0, 16)}Z"`;
    const mirror = this.keeping === "mirror" ? `, mirror: "mirror"` : "";
    const text = `
sources: { s: { at: "in/"${mirror} } }
---
name: sst
from: { source: s }
match: "{valid:%Y%m%d%H%M%S}-{station}.nc"
products:
  - timeseries:
      calendar: { every: 1d, at: "12:00Z"${bound("from", from)}${bound("to", to)} }
      store: store
      split: 4
maintenance: { grace: 1ms, keep: { versions: ${KEPT_VERSIONS} } }
`;
    return parseDatasetFile(text, { file: join(this.folder, "dataset.yaml") }).datasets[0] as Dataset;
  }

  get product(): TimeseriesProduct {
    return this.dataset.products[0] as TimeseriesProduct;
  }

  referenceTo(dataset = this.dataset) {
    return { name: dataset.name, hash: canonicalDataset(dataset).hash };
  }

  uriOf(place: string, station: string, day: number): string {
    const name = `201706${String(day).padStart(2, "0")}120000-${station}.nc`;
    return pathToFileURL(join(this.folder, "in", place, name)).href;
  }

  /** Puts a file where its uri says; each is a second younger than the one before. */
  async put(bytes: Bytes): Promise<void> {
    const path = fileURLToPath(bytes.uri);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.part`, contentOf(bytes));
    const seconds = 1_700_000_000 + this.#clock++;
    await utimes(`${path}.part`, seconds, seconds);
    await rename(`${path}.part`, path);
  }

  journey(bytes: Bytes, checksum: "none" | "right" | "wrong"): Journey {
    const { uri } = bytes;
    const names = compileNames(this.dataset.match);
    const fields = names.match(decodeURIComponent(uri.slice(uri.lastIndexOf("/") + 1))) ?? {};
    const value = checksum === "wrong" ? createHash("sha256").update(`not ${bytes.value}`).digest("hex") : sha256Of(bytes);
    const promise = checksum === "none" ? {} : { checksum: { algorithm: "sha256" as const, value } };
    return {
      granule: { dataset: this.referenceTo(), key: names.key(fields), fields },
      announcement: { uri, by: "model", heardMs: 0, ...promise },
      isAccepted: false,
      bytes,
      isWrong: checksum === "wrong",
    };
  }

  /** What the revision will be called that is there now. */
  async identityOf({ announcement: { uri, checksum } }: Journey): Promise<string> {
    const { size, mtimeMs: lastModifiedMs } = await stat(new URL(uri));
    return revisionIdentity({ size, lastModifiedMs, ...(checksum === undefined ? {} : { checksum }) });
  }

  /** The three activities of a granule, as the granule workflow calls them. */
  download({ granule, announcement }: Journey) {
    const context = { ledger: this.ledger, signal: new AbortController().signal, onProgress: () => undefined, now: Date.now };
    return resolveRevision(granule, this.dataset, announcement, context);
  }

  async scan({ granule, isAccepted }: Journey, { identity, uri }: { readonly identity: string; readonly uri: string }) {
    const { dataset, ledger } = this;
    const scans = this.#scans;
    const signal = new AbortController().signal;
    const parts = { ledger, scans, signal, tell: () => undefined };
    const admission = await admitRevision(granule, dataset, { identity, uri }, parts, { accept: isAccepted });
    if (admission.kind === "refused") throw new Error(admission.reason);
    const { passed } = admission;
    const { uri: scanUri, sha256: scanSha256 } = admission.address;
    const counts = { variables: { referenced: 1, inlined: 0, refused: 0 }, references: 1 };
    return { identity, scanUri, scanSha256, ...counts, ...passed };
  }

  async record(
    { granule, announcement }: Journey,
    identity: string,
    verdict: Parameters<typeof recordVerdict>[4],
  ): Promise<void> {
    reached("record: before the ledger");
    await recordVerdict(this.ledger, granule, announcement, identity, verdict);
    reached("record: before the wake");
  }

  plan() {
    return this.#publisher.plan(this.dataset);
  }

  publish(plan: PublicationPlan) {
    return this.#publisher.publish(this.referenceTo(), this.dataset, plan, () => undefined);
  }

  async operate(id: string, operation: Operation, dataset = this.dataset): Promise<OperationResult> {
    const request = {
      id,
      reference: this.referenceTo(dataset),
      dataset,
      tick: () => undefined,
      signal: new AbortController().signal,
    };
    const [result] = await this.#operator.carryOut(request, operation);
    if (result === undefined) throw new Error("an operation without a result");
    return result;
  }

  async head(): Promise<string> {
    return (await this.#stores.open(this.dataset, this.product)).head;
  }

  /**
   * One version, through the store that publishes or through one that is opened for it. An epoch without days may have no arrays.
   * @throws FreshetError as the store does for a version that is not there.
   */
  async read(version: string, epochs: number, isFresh: boolean): Promise<Reading[]> {
    const stores = isFresh ? new ProductStores() : this.#stores;
    const { store } = await stores.open(this.dataset, this.product);
    const reader = (await store.reader(version)) as unknown as zarr.AsyncReadable;
    const readings: Reading[] = [];
    for (let epoch = 1; epoch <= epochs; epoch++) readings.push(await readEpoch(reader, epoch === 1 ? "" : `epoch_${epoch}/`));
    return readings;
  }

  /** Sequence and version of everything on record, the newest first. */
  async onRecord(): Promise<string[]> {
    const all = await this.ledger.publications("sst", undefined, 1000);
    return all.map(({ sequence, snapshot }) => `#${sequence} ${snapshot}`);
  }

  /** `key identity state` of every revision of these granules, sorted. @throws Error when there are others. */
  async states(keys: ReadonlySet<string>): Promise<string[]> {
    const states: string[] = [];
    for (const key of keys)
      for (const { identity, state } of await this.ledger.revisionsOf("sst", key)) states.push(`${key} ${identity} ${state}`);
    const counts = Object.values(await this.ledger.counts("sst"));
    const all = counts.reduce((sum, count) => sum + count, 0);
    if (all !== states.length) throw new Error(`the ledger has ${all} revisions, ${states.length} of them are known`);
    return states.sort();
  }

  async stop(): Promise<void> {
    await this.ledger.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function partsOver(folder: string, ledger: Ledger) {
  const parts = { ledger, scans: new ScanStore(folder), stores: new ProductStores(), now: Date.now };
  return { ...parts, publisher: new Publisher(parts), operator: new Operator(parts) };
}

async function readEpoch(reader: zarr.AsyncReadable, group: string): Promise<Reading> {
  const root = zarr.root(reader);
  const opened = await zarr.open(root.resolve(`${group}time`), { kind: "array" }).catch((error: unknown) => {
    if (zarr.isZarritaError(error, "NotFoundError")) return undefined;
    throw error;
  });
  if (opened === undefined || opened.shape[0] === 0) return { days: [], values: [] };
  const { data: times } = await zarr.get(opened);
  const days = Array.from(times as Iterable<number>, (seconds) => (seconds * 1000 - dayMs(0)) / 86_400_000);
  const sst = await zarr.open(root.resolve(`${group}sst`), { kind: "array" });
  const values: (number | Error)[] = [];
  for (let step = 0; step < days.length; step++) {
    try {
      const cells = Array.from((await zarr.get(sst, [step, null, null])).data as Iterable<number>);
      const [first = Number.NaN] = cells;
      values.push(cells.length === 6 && cells.every((cell) => cell === first) ? first : Number.NaN);
    } catch (error) {
      values.push(error as Error);
    }
  }
  const { data: latitudes } = await zarr.get(await zarr.open(root.resolve(`${group}lat`), { kind: "array" }));
  if (Array.from(latitudes as Iterable<number>).join() !== "10,20") throw new Error(`the latitudes are ${latitudes}`);
  return { days, values };
}

function contentOf({ day, value, form }: Bytes): Uint8Array {
  return granuleBytes({
    seconds: [dayMs(day) / 1000],
    value: () => value,
    sst: { scale_factor: ["scale_factor", "float32", [SCALES[form] as number]] },
  });
}

function sha256Of(bytes: Bytes): string {
  return createHash("sha256").update(contentOf(bytes)).digest("hex");
}
