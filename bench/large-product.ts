import { createHash } from "node:crypto";
import { link, mkdir, mkdtemp, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { canonicalDataset, type Dataset, type Product, parseDatasetFile } from "../src/dataset/index.ts";
import { type Ledger, openLedger, type RevisionId, revisionIdentity } from "../src/ledger/index.ts";
import { ProductStores, Publisher } from "../src/publication/index.ts";
import { type Scan, ScanStore, scan, withSamples, writeScan } from "../src/scan/index.ts";
import { openReader } from "../src/storage/index.ts";
import { ChunkManifest, type VirtualArray } from "../src/virtual/index.ts";
import { takeSamples } from "../src/witness/index.ts";
import { granuleBytes } from "../test/products/made-granule.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2000, 0, 1);
const MODIFIED_MS = Date.UTC(2001, 0, 1);
/** Arrays along the axis, one chunk each to a granule. */
export const REFERENCES = 10;
/** Every such slot is left free, so that something can come late. */
export const GAP_EVERY = 50;
const PAGE = 5_000;
/** ext4 allows a file 65 000 names. */
const NAMES_OF_A_FILE = 50_000;
/** Of the forecast: hours from run to run, and granules of each run, one for every hour from 0. */
const CYCLE_HOURS = 6;
export const LEADS = 49;

/** What a large product is: its dataset file, and what stands in its slots. */
interface Kind {
  readonly file: string;
  readonly fieldsOf: (slot: number) => { readonly valid: number; readonly run?: number };
}

const KINDS = {
  timeseries: {
    file: `
sources: { s: { at: "in/" } }
---
name: large
from: { source: s }
match: "{valid:%Y%m%d%H}-{revision}.nc"
products: [ { timeseries: { calendar: { every: 1h, from: "2000-01-01" }, store: store } } ]
`,
    fieldsOf: (slot) => ({ valid: START_MS + slot * HOUR_MS }),
  },
  forecast: {
    file: `
sources: { s: { at: "in/" } }
---
name: large
from: { source: s }
match: "{run:%Y%m%d%H}-{lead:2h}-{revision}.nc"
runs: { every: ${CYCLE_HOURS}h, leads: 0h..${LEADS - 1}h/1h }
products: [ { forecast: { views: [best, latest, run, fmrc, { offset: [0h, 24h] }], store: store } } ]
`,
    fieldsOf: (slot) => {
      const run = START_MS + Math.floor(slot / LEADS) * CYCLE_HOURS * HOUR_MS;
      return { run, valid: run + (slot % LEADS) * HOUR_MS };
    },
  },
} as const satisfies Readonly<Record<string, Kind>>;

/**
 * A product with many granules, made without their files being scanned one by one: every granule has a file of its own by name (a
 * hard link) and a scan as the scanner makes it, of which only the name and the time differ.
 */
export class LargeProduct {
  readonly folder: string;
  readonly dataset: Dataset;
  readonly #kind: Kind;
  readonly #template: Scan;
  readonly #bytes: Uint8Array;
  #base = "";
  ledger: Ledger;
  publisher: Publisher;
  #revisions = 0;

  private constructor(kind: Kind, folder: string, ledger: Ledger, template: Scan, bytes: Uint8Array) {
    this.folder = folder;
    this.dataset = parseDatasetFile(kind.file, { file: join(folder, "dataset.yaml") }).datasets[0] as Dataset;
    this.#kind = kind;
    this.ledger = ledger;
    this.#template = template;
    this.#bytes = bytes;
    this.publisher = this.newPublisher();
  }

  /** An empty product in a folder of its own, or the one that is in `folder` already. */
  static async start(kind: keyof typeof KINDS = "timeseries", folder?: string): Promise<LargeProduct> {
    const root = folder ?? (await mkdtemp(join(tmpdir(), "freshet-bench-")));
    await mkdir(join(root, "in"), { recursive: true });
    const more = Array.from({ length: REFERENCES - 1 }, (_, index) => ({
      name: `v${index}`,
      type: "int16" as const,
      dimensions: [0, 1, 2],
      recordValues: [[1, 2, 3, 4, 5, index]],
    }));
    const bytes = granuleBytes({ seconds: [START_MS / 1000], value: () => 7, more });
    const path = join(root, "in", "template.nc");
    await writeBytes(path, bytes);
    const reader = await openReader(pathToFileURL(path).href);
    const found = await scan(reader);
    const template = withSamples(found, await takeSamples(reader, found));
    await reader.close();
    return new LargeProduct(KINDS[kind], root, await openLedger(join(root, "ledger.db")), template, bytes);
  }

  /** As in a process that has just begun. */
  newPublisher(): Publisher {
    return new Publisher({ ledger: this.ledger, scans: new ScanStore(this.folder), stores: new ProductStores(), now: Date.now });
  }

  get reference() {
    return { name: this.dataset.name, hash: canonicalDataset(this.dataset).hash };
  }

  get product(): Product {
    return this.dataset.products[0] as Product;
  }

  /** Makes granules ready for these slots, many to a transaction. */
  async makeReady(slots: readonly number[]): Promise<RevisionId[]> {
    const ids: RevisionId[] = [];
    for (let at = 0; at < slots.length; at += PAGE) {
      const made = [];
      for (const slot of slots.slice(at, at + PAGE)) made.push(await this.#make(slot));
      await this.ledger.hearAll(made.map(({ id, facts }) => ({ ...id, ...facts })));
      await this.ledger.recordAll(made.map(({ id, facts }) => ({ ...id, ...facts, state: "ready", epoch: 1 })));
      ids.push(...made.map(({ id }) => id));
    }
    return ids;
  }

  /** Publishes until nothing is left to do. */
  async settle(tick: (granules: number) => void = () => undefined): Promise<void> {
    for (;;) {
      const [plan] = await this.publisher.plan(this.dataset);
      if (plan === undefined) return;
      if ("trouble" in plan) throw new Error(plan.trouble);
      tick((await this.publisher.publish(this.reference, this.dataset, plan, () => undefined)).granules);
    }
  }

  async #make(slot: number) {
    const fields = this.#kind.fieldsOf(slot);
    const revision = this.#revisions++;
    const times = [fields.run, fields.valid].filter((ms) => ms !== undefined).map((ms) => new Date(ms).toISOString());
    const key = times.join("_").replace(/[-:]|\.000/g, "");
    const path = join(this.folder, "in", `${key}-${process.pid}-${revision}.nc`);
    if (revision % NAMES_OF_A_FILE === 0) {
      this.#base = join(this.folder, "in", `base-${process.pid}-${revision}.nc`);
      await writeBytes(this.#base, this.#bytes);
    }
    await link(this.#base, path);
    const { size, mtimeMs: lastModifiedMs } = await stat(path);
    const uri = pathToFileURL(path).href;
    const bytes = writeScan(scanAt(this.#template, uri, fields.valid));
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const address = { uri: `scans/${sha256.slice(0, 2)}/${sha256}`, sha256 };
    await mkdir(join(this.folder, "scans", sha256.slice(0, 2)), { recursive: true });
    await writeFile(join(this.folder, address.uri), bytes);
    const identity = `${revisionIdentity({ size, lastModifiedMs })}:${revision}`;
    const facts = { uri, size, lastModifiedMs, scan: address, fields };
    return { id: { dataset: this.dataset.name, key, identity }, facts };
  }
}

async function writeBytes(path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(path, bytes);
  await utimes(path, MODIFIED_MS / 1000, MODIFIED_MS / 1000);
}

/** The scan of the same file under another name, with another time in it. */
function scanAt(template: Scan, uri: string, validMs: number): Scan {
  const arrays = new Map<string, VirtualArray>();
  for (const [name, array] of template.root.arrays) {
    const { manifest } = array;
    const inlined = name === "time" ? new Map([[0, littleEndian(validMs / 1000)]]) : manifest.inlined;
    arrays.set(name, {
      ...array,
      manifest: new ChunkManifest({ ...columnsOf(manifest), uris: manifest.uris.map(() => uri), inlined }),
    });
  }
  return { ...template, uri, root: { ...template.root, arrays } };
}

function columnsOf({ grid, uriIndex, offsets, lengths }: ChunkManifest) {
  return { grid, uriIndex, offsets, lengths };
}

function littleEndian(seconds: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(seconds);
  return new Uint8Array(bytes);
}
