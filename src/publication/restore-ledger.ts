import type { Dataset, Product } from "../dataset/index.ts";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import { fieldsOfFile, type Ledger, type Member, type RevisionEvent, type RevisionFacts } from "../ledger/index.ts";
import { ForecastCells, granulesIn, isOfOne, type LayoutRow, type PublicationKind, type StoredState } from "../products/index.ts";
import type { ScanStore } from "../scan/index.ts";
import type { IcechunkStore } from "../writers/icechunk/index.ts";
import { nameFieldsOf } from "./name-fields-of.ts";
import { lookAtProduct, readState } from "./product-store.ts";
import type { Tick } from "./turn.ts";

/** Revisions to a transaction. */
const BATCH = 500;
/** Versions of a store that are read at most. */
const MOST_VERSIONS = 1_000_000;

/** What was brought back of one product. */
export interface RestoredProduct {
  readonly product: string;
  /** Versions that could be read, and those that could not: upkeep has let them go. */
  readonly versions: number;
  readonly expired: number;
  /** Publications that the ledger did not know. */
  readonly publications: number;
  /** The publication that an operator holds it at. */
  readonly heldAt: number | undefined;
}

export interface Restored {
  readonly products: readonly RestoredProduct[];
  /** Revisions that the ledger had not heard of. */
  readonly revisions: number;
  /** Of these: those of which only the scan said where their bytes are, and the scan is gone. */
  readonly placeless: number;
  /** Revisions that were published once and stand in no product any more. */
  readonly left: number;
}

/** One version of one product, as far as its commit tells. */
interface StoredVersion {
  readonly product: Product;
  readonly store: IcechunkStore;
  readonly id: string;
  readonly writtenMs: number;
  readonly message: string;
}

/** A row of a layout and the epoch that it stands in. */
interface EpochRow extends LayoutRow {
  readonly epoch: number;
  /** Of each granule of the epoch. */
  readonly steps: number;
  /** Of a forecast, milliseconds since 1970. */
  readonly runMs?: number | undefined;
}

/**
 * Rebuilds the published part of a ledger from what the stores say of themselves, oldest version first: revisions, publications with
 * their members, the templates of epochs. The dataset file has to be applied. May run twice; what the ledger knows stays.
 *
 * What no store tells stays lost: decisions, skipped and quarantined revisions, who announced what and when, publications that have
 * expired.
 * @throws FreshetError `corrupt` when the ledger knows publications that a store does not have, or another template: then nothing was
 *   written.
 */
export async function restoreLedger(
  dataset: Dataset,
  parts: { readonly ledger: Ledger; readonly scans: ScanStore },
  tick: Tick = () => undefined,
): Promise<Restored> {
  const versions: StoredVersion[] = [];
  const expired = new Map<string, number>();
  for (const product of dataset.products) {
    const state = await lookAtProduct(dataset, product);
    if (state === undefined) continue;
    const all = await state.store.versions(MOST_VERSIONS);
    await requireKnown(parts.ledger, dataset, product, new Set(all.map(({ id }) => id)), state.store);
    await requireSameTemplates(parts.ledger, dataset, product, state.stored);
    expired.set(product.name, all.filter((version) => version.expired).length);
    for (const version of all) if (!version.expired) versions.push({ product, store: state.store, ...version });
  }
  // Of one product as its store has them, oldest first; of several by their clocks.
  versions.reverse().sort((a, b) => (a.product === b.product ? 0 : a.writtenMs - b.writtenMs));
  const restorer = new Restorer(dataset, parts);
  for (const [index, version] of versions.entries()) {
    tick(`version ${index + 1} of ${versions.length}: ${version.product.name} ${version.id}`);
    await restorer.take(version);
  }
  const left = await restorer.release();
  const products = [...expired].map(
    ([product, count]): RestoredProduct => ({ product, expired: count, ...restorer.tellOf(product) }),
  );
  return { products, revisions: restorer.revisions, placeless: restorer.placeless, left };
}

interface ProductProgress {
  versions: number;
  publications: number;
  /** Sequences that were on record before. */
  known: ReadonlySet<number>;
  /** Of the newest version that was taken. */
  sequence: number;
  heldAt: number | undefined;
  /** What the version before showed, by key. */
  shown: ReadonlyMap<string, EpochRow>;
  /** What the ledger wants there: what was shown, holds aside. */
  wanted: ReadonlyMap<string, EpochRow>;
}

/** Takes versions in, oldest first. */
class Restorer {
  revisions = 0;
  placeless = 0;
  readonly #dataset: Dataset;
  readonly #ledger: Ledger;
  readonly #scans: ScanStore;
  readonly #products = new Map<string, ProductProgress>();
  readonly #heard = new Set<string>();
  /** Which revision a scan is of, by its hash. */
  readonly #scanned = new Map<string, Member>();

  constructor(dataset: Dataset, { ledger, scans }: { readonly ledger: Ledger; readonly scans: ScanStore }) {
    this.#dataset = dataset;
    this.#ledger = ledger;
    this.#scans = scans;
  }

  tellOf(product: string): Omit<RestoredProduct, "product" | "expired"> {
    const { versions = 0, publications = 0, heldAt } = this.#products.get(product) ?? {};
    return { versions, publications, heldAt };
  }

  async take({ product, store, id, writtenMs, message }: StoredVersion): Promise<void> {
    const state = await readState(store, id);
    if (state === undefined) return;
    const { kind, sequence, parent, layoutHash, hold } = state.header;
    const rows = rowsOf(product, state);
    await this.#hear([...rows.values()]);
    await this.#establish(product, state);
    const before = this.#products.get(product.name);
    const known = before?.known ?? (await this.#knownOf(product));
    const granules = granulesIn(state.epochs);
    await this.#ledger.recordPublication(
      {
        ...{ dataset: this.#dataset.name, product: product.name, sequence, snapshot: id, parent, layoutHash, kind },
        ...{ atMs: writtenMs, granules, message },
      },
      membersOf(kind, rows, before),
    );
    this.#products.set(product.name, {
      versions: (before?.versions ?? 0) + 1,
      publications: (before?.publications ?? 0) + (known.has(sequence) ? 0 : 1),
      known,
      sequence,
      heldAt: hold?.sequence,
      shown: rows,
      wanted: kind === "rollback" ? (before?.wanted ?? rows) : rows,
    });
  }

  /**
   * Takes back what is published by the ledger and stands nowhere; answers how many. What a version has taken up that appeared
   * meanwhile is left alone.
   */
  async release(): Promise<number> {
    const standing = new Set<string>();
    const instants = new Set<number>();
    for (const { wanted } of this.#products.values()) {
      for (const row of wanted.values()) {
        standing.add(idOf(row));
        instants.add(row.place ?? row.validMs);
      }
    }
    const replaced = new Set(this.#dataset.products.filter(isOfOne).map(({ name }) => name));
    const events: RevisionEvent[] = [];
    let afterKey: string | undefined;
    for (;;) {
      const page = await this.#ledger.granules(this.#dataset.name, { state: "published", limit: BATCH, afterKey });
      for (const { dataset, key, identity, fields, published } of page) {
        if (standing.has(idOf({ key, identity }))) continue;
        const progress = published && this.#products.get(published.product);
        if (progress === undefined || (published?.sequence ?? 0) > progress.sequence) continue;
        const isDisplaced =
          replaced.has(published?.product ?? "") || (typeof fields?.valid === "number" && instants.has(fields.valid));
        events.push({
          ...{ dataset, key, identity },
          ...(isDisplaced
            ? { state: "superseded", reason: "another granule took its place" }
            : { state: "withdrawn", reason: "it has left the product, by what the store says" }),
        });
      }
      afterKey = page.at(-1)?.key;
      if (afterKey === undefined) break;
    }
    for (let start = 0; start < events.length; start += BATCH) await this.#ledger.recordAll(events.slice(start, start + BATCH));
    return events.length;
  }

  async #hear(rows: readonly EpochRow[]): Promise<void> {
    const fresh = rows.filter((row) => !this.#heard.has(idOf(row)));
    const { name } = this.#dataset;
    for (let start = 0; start < fresh.length; start += BATCH) {
      const batch = fresh.slice(start, start + BATCH);
      const facts: RevisionFacts[] = [];
      for (const row of batch) facts.push(await this.#factsOf(row));
      const answers = await this.#ledger.hearAll(
        batch.map(({ key, identity }, index) => ({ dataset: name, key, identity, ...facts[index], reason: "store" })),
      );
      const ready = batch.flatMap((row, index): RevisionEvent[] => {
        const { isNew, revision } = answers[index] as (typeof answers)[number];
        if (isNew) this.revisions++;
        if (isNew && facts[index]?.uri === undefined) this.placeless++;
        if (revision.state !== "heard") return [];
        const { key, identity, scan, epoch, validMs, steps, lastMs, runMs } = row;
        const fields = fieldsOfFile(revision.fields, { validMs, steps, lastMs, runMs });
        return [{ dataset: name, key, identity, state: "ready", scan, epoch, fields }];
      });
      await this.#ledger.recordAll(ready);
      for (const { key, identity, scan } of batch) {
        this.#heard.add(idOf({ key, identity }));
        this.#scanned.set(scan.sha256, { key, identity });
      }
    }
  }

  /** What the scan says of the source. Of a mirror's copy, which is not the source, only the size is its. */
  async #factsOf({ key, scan: address }: EpochRow): Promise<RevisionFacts> {
    try {
      const { uri, identity } = await this.#scans.get(address);
      const { size, etag, lastModifiedMs } = identity;
      const fields = nameFieldsOf(this.#dataset, uri, key);
      return this.#dataset.source.mirror === undefined ? { uri, size, etag, lastModifiedMs, fields } : { uri, size, fields };
    } catch (error) {
      if (isFreshetError(error, "corrupt")) return {};
      throw error;
    }
  }

  async #knownOf({ name }: Product): Promise<Set<number>> {
    const known = await this.#ledger.publications(this.#dataset.name, name, MOST_VERSIONS);
    return new Set(known.map(({ sequence }) => sequence));
  }

  async #establish(product: Product, { header, epochs }: StoredState): Promise<void> {
    for (const { epoch, template } of header.epochs) {
      const [first] = epochs.find((other) => other.header.epoch === epoch)?.layout.rows() ?? [];
      const member = this.#scanned.get(template.sha256) ?? first?.[1];
      if (member === undefined) continue;
      const { key, identity } = member;
      await this.#ledger.establishTemplate(this.#dataset.name, product.name, { key, identity, scan: template }, epoch);
    }
  }
}

/** Which revisions a publication wrote, as its writer told the ledger. Of the oldest version that there is, all that stand. */
function membersOf(
  kind: PublicationKind,
  rows: ReadonlyMap<string, EpochRow>,
  before: Pick<ProductProgress, "shown"> | undefined,
): Member[] {
  const all = [...rows.values()].map(({ key, identity }) => ({ key, identity }));
  if (before === undefined) return all;
  switch (kind) {
    case "rebuild":
    case "release":
      return all;
    case "rollback":
    case "overwrite":
      return [];
    case "publication":
      return all.filter(({ key, identity }) => before.shown.get(key)?.identity !== identity);
  }
}

function rowsOf(product: Product, { epochs }: StoredState): Map<string, EpochRow> {
  const rows = new Map<string, EpochRow>();
  const cells = product.kind === "forecast" ? ForecastCells.of(product.runs) : undefined;
  for (const { header, layout } of epochs) {
    for (const [, row] of layout.rows()) {
      const runMs = row.place === undefined ? undefined : cells?.at(row.place).runMs;
      rows.set(row.key, { ...row, epoch: header.epoch, steps: header.steps, runMs });
    }
  }
  return rows;
}

function idOf({ key, identity }: Member): string {
  return `${key}\n${identity}`;
}

async function requireKnown(
  ledger: Ledger,
  dataset: Dataset,
  product: Product,
  versions: ReadonlySet<string>,
  store: IcechunkStore,
): Promise<void> {
  const known = await ledger.publications(dataset.name, product.name, MOST_VERSIONS);
  const strange = known.find(({ snapshot }) => !versions.has(snapshot));
  if (strange === undefined) return;
  throw new FreshetError(
    "corrupt",
    "the ledger knows a publication that the store does not have, so it is not the store's ledger",
    {
      found: `#${strange.sequence}, version ${strange.snapshot}`,
      expected: "one of the store's versions",
      uri: store.folder,
      remedy: "Compare them (freshet verify DATASET); a ledger is rebuilt from its own store, or into an empty one",
    },
  );
}

async function requireSameTemplates(
  ledger: Ledger,
  dataset: Dataset,
  product: Product,
  stored: StoredState | undefined,
): Promise<void> {
  // Where one granule is the whole product, its arrays have the newest one's form, whatever others are held against.
  if (isOfOne(product)) return;
  for (const { epoch, key, scan } of (await ledger.templates(dataset.name)).filter((known) => known.product === product.name)) {
    const template = stored?.header.epochs.find((header) => header.epoch === epoch)?.template;
    if (template === undefined || template.sha256 === scan.sha256) continue;
    throw new FreshetError("corrupt", "granules have been scanned since, and are held against another one than the store's", {
      found: `${key} in epoch ${epoch}`,
      path: `${dataset.name}/${product.name}`,
      remedy: "Take this ledger away, apply the dataset file without a worker, and rebuild before anything is announced",
    });
  }
}
