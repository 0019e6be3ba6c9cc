import { mkdir, mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as zarr from "zarrita";
import { admitRevision, recordVerdict, resolveRevision } from "../../src/acquisition/index.ts";
import type { GranuleReference, PublicationPlan, PublicationResult } from "../../src/contract/index.ts";
import { canonicalDataset, compileNames, type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";
import { type ErrorKind, FreshetError } from "../../src/errors/index.ts";
import { type Ledger, openLedger, type RevisionId } from "../../src/ledger/index.ts";
import { lookAtProduct, ProductStores, Publisher } from "../../src/publication/index.ts";
import { ScanStore } from "../../src/scan/index.ts";

const NOON_MS = Date.UTC(2017, 5, 1, 12);

/** The day of June 2017 as instants and as a name. */
export const noon = (day: number): number => NOON_MS + (day - 1) * 86_400_000;
export const nameOf = (day: number, suffix = ""): string => `201706${String(day).padStart(2, "0")}120000${suffix}.nc`;

export interface WorkshopOptions {
  readonly name?: string;
  readonly store?: string;
  readonly at?: string;
  readonly calendar?: string;
  readonly missing?: "gap" | "omit";
  readonly match?: string;
  readonly maintenance?: string;
  readonly runs?: string;
  /** What stands behind `drift:` of the policies. */
  readonly drift?: string;
  readonly attributes?: string;
  readonly catalog?: string;
  /** Whole entries of `products`, instead of the one. */
  readonly products?: string;
}

/** Everything between a file and a published version, without Temporal: real files, ledger, scans and stores. */
export class Workshop {
  readonly folder: string;
  readonly ledger: Ledger;
  readonly scans: ScanStore;
  dataset: Dataset;
  publisher: Publisher;
  /** The publishers' clock. */
  now: () => number = Date.now;
  #clock = 0;

  private constructor(folder: string, ledger: Ledger, dataset: Dataset) {
    this.folder = folder;
    this.ledger = ledger;
    this.scans = new ScanStore(folder);
    this.dataset = dataset;
    this.publisher = this.newPublisher();
  }

  static async start(options: WorkshopOptions = {}): Promise<Workshop> {
    const folder = await mkdtemp(join(tmpdir(), "freshet-workshop-"));
    await mkdir(join(folder, "in"));
    return new Workshop(folder, await openLedger(join(folder, "ledger.db")), datasetIn(folder, options));
  }

  /** The same folder under another dataset file. */
  use(options: WorkshopOptions): void {
    this.dataset = datasetIn(this.folder, options);
    this.publisher = this.newPublisher();
  }

  /** As in another process, or after a crash: nothing is remembered. `ledger` may be one that fails. */
  newPublisher(ledger: Ledger = this.ledger): Publisher {
    return new Publisher({ ledger, scans: new ScanStore(this.folder), stores: new ProductStores(), now: () => this.now() });
  }

  get reference() {
    return { name: this.dataset.name, hash: canonicalDataset(this.dataset).hash };
  }

  /** Puts a file where the source is; each is a second younger than the one before. */
  async put(name: string, bytes: Uint8Array, folder = "in"): Promise<string> {
    const path = join(this.folder, folder, name);
    await mkdir(join(this.folder, folder), { recursive: true });
    await writeFile(`${path}.part`, bytes);
    const seconds = 1_700_000_000 + this.#clock++;
    await utimes(`${path}.part`, seconds, seconds);
    await rename(`${path}.part`, path);
    return pathToFileURL(path).href;
  }

  /** Announces, resolves, scans and gates a file; answers its revision, which is ready, or what the ledger knows of it. */
  async take(uri: string, accept = false): Promise<RevisionId & { readonly known: string | undefined }> {
    const { dataset, ledger, scans } = this;
    const names = compileNames(dataset.match);
    const fields = names.match(decodeURIComponent(uri.slice(uri.lastIndexOf("/") + 1)));
    if (fields === undefined) throw new Error(`no grammar for ${uri}`);
    const granule: GranuleReference = { dataset: this.reference, key: names.key(fields), fields };
    const signal = new AbortController().signal;
    const announcement = { uri, by: "test", heardMs: 0 };
    const context = { ledger, signal, onProgress: () => undefined, now: Date.now };
    const { identity, uri: place, known } = await resolveRevision(granule, dataset, announcement, context);
    const id = { dataset: dataset.name, key: granule.key, identity };
    if (known !== undefined) return { ...id, known };
    const parts = { ledger, scans, signal, tell: () => undefined };
    const admission = await admitRevision(granule, dataset, { identity, uri: place }, parts, { accept });
    if (admission.kind === "refused") {
      await recordVerdict(ledger, granule, announcement, identity, { state: "skipped", reason: admission.reason });
      return { ...id, known };
    }
    const { address, passed, drift } = admission;
    const counts = { variables: { referenced: 0, inlined: 0, refused: 0 }, references: 0, drift };
    const scanned = { identity, scanUri: address.uri, scanSha256: address.sha256, ...counts, ...passed };
    await recordVerdict(ledger, granule, announcement, identity, { state: "ready", scanned });
    return { ...id, known };
  }

  async deliver(name: string, bytes: Uint8Array, accept = false): Promise<RevisionId> {
    return this.take(await this.put(name, bytes), accept);
  }

  /** The plans of the next turn. @throws FreshetError for a product that cannot go on. */
  async plan(publisher = this.publisher): Promise<PublicationPlan[]> {
    const plans: PublicationPlan[] = [];
    for (const plan of await publisher.plan(this.dataset)) {
      if ("trouble" in plan) throw new FreshetError(plan.kind as ErrorKind, plan.trouble);
      plans.push(plan);
    }
    return plans;
  }

  /** Plans and publishes until nothing is left to do; the results. */
  async settle(publisher = this.publisher): Promise<PublicationResult[]> {
    const results: PublicationResult[] = [];
    for (let turn = 0; turn < 10; turn++) {
      const plans = await this.plan(publisher);
      if (plans.length === 0) return results;
      for (const plan of plans) results.push(await publisher.publish(this.reference, this.dataset, plan, () => undefined));
    }
    throw new Error("it does not come to rest");
  }

  /** The state of every revision, by key: `published`, or `superseded published`, in the order of hearing. */
  async states(): Promise<Record<string, string>> {
    const states: Record<string, string> = {};
    for (const { key, state } of await this.ledger.granules(this.dataset.name, { limit: 1000 }))
      states[key] = states[key] === undefined ? state : `${states[key]} ${state}`;
    return states;
  }

  async read(variable: string, product = this.dataset.products[0], version?: string): Promise<number[]> {
    if (product === undefined) throw new Error("no product");
    const state = await lookAtProduct(this.dataset, product);
    if (state === undefined) throw new Error("no store");
    const store = (await state.store.reader(version ?? state.head)) as unknown as zarr.AsyncReadable;
    const array = await zarr.open(zarr.root(store).resolve(variable), { kind: "array" });
    // zarrita has no answer for an array without elements.
    if (array.shape.includes(0)) return [];
    const { data } = await zarr.get(array);
    return Array.from(data as Iterable<number | bigint>, Number);
  }

  /** What every step of `sst` holds, one number each; a step whose cells differ is NaN. */
  async steps(version?: string): Promise<number[]> {
    const cells = await this.read("sst", this.dataset.products[0], version);
    return Array.from({ length: cells.length / 6 }, (_, step) => {
      const [first, ...others] = cells.slice(step * 6, step * 6 + 6) as [number, ...number[]];
      return others.every((value) => value === first) ? first : Number.NaN;
    });
  }

  async stop(): Promise<void> {
    await this.ledger.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export function datasetIn(folder: string, options: WorkshopOptions): Dataset {
  const { name = "sst", store = "store", at = "in/", calendar = '{ every: 1d, at: "12:00Z" }', missing = "gap" } = options;
  const match = options.match ?? "{valid:%Y%m%d%H%M%S}.nc";
  const products = options.products ?? `[ { timeseries: { calendar: ${calendar}, store: "${store}", split: 50 } } ]`;
  const text = `
sources: { s: { at: "${at}" } }
---
name: ${name}
from: { source: s }
match: "${match}"
products: ${products}
policies: { missing: ${missing}, drift: ${options.drift ?? "quarantine"} }
${options.attributes === undefined ? "" : `attributes: ${options.attributes}`}
${options.runs === undefined ? "" : `runs: ${options.runs}`}
${options.catalog === undefined ? "" : `catalog: ${options.catalog}`}
${options.maintenance === undefined ? "" : `maintenance: ${options.maintenance}`}
`;
  const [dataset] = parseDatasetFile(text, { file: join(folder, "dataset.yaml") }).datasets;
  if (dataset === undefined) throw new Error("no dataset");
  return dataset;
}

/** The ledger, but one of its operations fails as if the process died there. */
export function dyingAt(ledger: Ledger, operation: "recordPublication" | "record"): Ledger {
  return new Proxy(ledger, {
    get: (target, name) => {
      if (name === operation) return () => Promise.reject(new FreshetError("storage", "the process died here"));
      const member = Reflect.get(target, name) as unknown;
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}
