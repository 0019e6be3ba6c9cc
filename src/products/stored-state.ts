import { createHash } from "node:crypto";
import { FreshetError } from "../errors/index.ts";
import type { S3Connection } from "../storage/index.ts";
import type { ToldAttributes } from "./attribute-tally.ts";
import { Layout, type LayoutRow, readPage } from "./layout.ts";

/** The group in which a store keeps what it is made of. Readers of the data need not know of it. */
export const STATE_GROUP = "/_freshet";

/** True for what Freshet keeps of itself beside the data. */
export function isStatePath(path: string): boolean {
  return path === STATE_GROUP || path.startsWith(`${STATE_GROUP}/`);
}

/** What a publication is: the next granules, or what an operator asked for. */
export type PublicationKind = "publication" | "rollback" | "release" | "rebuild" | "overwrite";

/** A product that shows an earlier layout on an operator's word: nothing is published until it is released. */
export interface Hold {
  /** The publication whose layout is shown again. */
  readonly sequence: number;
  readonly reason: string;
  readonly by: string;
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
}

/**
 * Granules of one form: same shapes, types, codecs, units, grid. A granule of another form that an operator accepted begins the
 * next epoch, in a group of its own, so that no array ever mixes two forms.
 */
export interface EpochHeader {
  /** From 1. */
  readonly epoch: number;
  readonly layoutHash: string;
  readonly originMs: number | null;
  readonly slots: number;
  /** Steps of the axis in one granule. */
  readonly steps: number;
  /** The calendar's steps and the rule for gaps, bounds aside: what a slot stands for. */
  readonly calendar: string;
  /** The scan that gives the arrays their types and attributes. */
  readonly template: { readonly uri: string; readonly sha256: string };
  /** By path in the granule ("/" is the root): attributes of the template that differ between granules, and so are not the product's. */
  readonly dropped: Readonly<Record<string, readonly string[]>>;
  /** Arrays in which some granule left a chunk unwritten. */
  readonly sparse: readonly string[];
  /** Attributes for which the dataset file has a rule; absent where it has none that needs to be remembered. */
  readonly told?: ToldAttributes | undefined;
}

/** What a product's store says of itself, beside the layouts' rows; the attribute `freshet` of `_freshet`. */
export interface StateHeader {
  readonly format: 2;
  readonly product: string;
  readonly dataset: { readonly name: string; readonly hash: string };
  /** Number of this publication, from 1. */
  readonly sequence: number;
  /** The version it was made from. */
  readonly parent: string;
  readonly kind: PublicationKind;
  /** The operator's request that it answers. */
  readonly request?: string | undefined;
  /** Over the epochs' own hashes. */
  readonly layoutHash: string;
  /** The ledger's sequence number up to which the layout accounts for everything. */
  readonly cursor: number;
  /** Where references may point, all that ever was: the store's own list of it cannot be read back through the binding. */
  readonly prefixes: readonly string[];
  /** How those of `s3:` are reached, as the store's own list has it. */
  readonly s3?: S3Connection | undefined;
  readonly hold?: Hold | undefined;
  /** Ascending; at least one. */
  readonly epochs: readonly EpochHeader[];
}

export interface StoredEpoch {
  readonly header: EpochHeader;
  readonly layout: Layout;
}

export interface StoredState {
  readonly header: StateHeader;
  readonly epochs: readonly StoredEpoch[];
}

/** The group of an epoch's arrays, as a prefix of their paths: "" for the first. */
export function epochGroup(epoch: number): string {
  return epoch === 1 ? "" : `/epoch_${epoch}`;
}

/** The array that holds an epoch's layout. */
export function layoutArray(epoch: number): string {
  return epoch === 1 ? `${STATE_GROUP}/layout` : `${STATE_GROUP}/layout_${epoch}`;
}

/** The hash of a product's whole layout. */
export function productHash(epochs: readonly { readonly epoch: number; readonly layoutHash: string }[]): string {
  const hash = createHash("sha256");
  for (const { epoch, layoutHash } of epochs) hash.update(`${epoch} ${layoutHash}\n`);
  return hash.digest("hex");
}

/** The revision of a granule that stands in the product, and where. */
export function standingRow(state: StoredState | undefined, key: string): LayoutRow | undefined {
  for (const { layout } of state?.epochs ?? []) {
    const row = layout.standing(key);
    if (row !== undefined) return row;
  }
  return undefined;
}

/** Granules in the product. */
export function granulesIn(epochs: readonly { readonly layout: Layout }[]): number {
  return epochs.reduce((sum, { layout }) => sum + layout.granules, 0);
}

/**
 * Reads a product's state from one version of its store.
 * @param get the bytes of a key, undefined where there is none.
 * @param decodeTexts decodes a chunk of `vlen-utf8`.
 * @returns undefined for a store that holds nothing yet.
 * @throws FreshetError `corrupt` for a store that somebody else wrote, or a state that is not whole.
 */
export async function readStoredState(
  get: (key: string) => Promise<Uint8Array | undefined>,
  decodeTexts: (bytes: Uint8Array) => readonly string[],
): Promise<StoredState | undefined> {
  const group = await get(`${STATE_GROUP.slice(1)}/zarr.json`);
  if (group === undefined) {
    if ((await get("zarr.json")) === undefined) return undefined;
    throw new FreshetError("corrupt", "the store holds a dataset that Freshet did not write", {
      remedy: "Choose another store, or move that one away",
    });
  }
  const header = readHeader(Buffer.from(group).toString("utf8"));
  if (productHash(header.epochs) !== header.layoutHash) {
    throw new FreshetError("corrupt", "the stored layout is not the one that the store says it is", {
      found: `hash ${productHash(header.epochs)}`,
      expected: `hash ${header.layoutHash}`,
    });
  }
  const epochs: StoredEpoch[] = [];
  for (const epoch of header.epochs) epochs.push({ header: epoch, layout: await readLayout(epoch, get, decodeTexts) });
  return { header, epochs };
}

async function readLayout(
  { epoch, slots, originMs, layoutHash }: EpochHeader,
  get: (key: string) => Promise<Uint8Array | undefined>,
  decodeTexts: (bytes: Uint8Array) => readonly string[],
): Promise<Layout> {
  const rows: (LayoutRow | null)[] = [];
  for (let page = 0; rows.length < slots; page++) {
    const chunk = await get(`${layoutArray(epoch).slice(1)}/c/${page}`);
    const text = chunk === undefined ? undefined : firstText(chunk, decodeTexts);
    if (text === undefined)
      throw new FreshetError("corrupt", "a page of the stored layout is missing", { found: `page ${page} of epoch ${epoch}` });
    const read = readPage(text);
    if (read.length === 0) break;
    rows.push(...read);
  }
  const layout = Layout.of(originMs, rows);
  if (rows.length !== slots || layout.hash !== layoutHash) {
    throw new FreshetError("corrupt", "the stored layout is not the one that the store says it is", {
      found: `${rows.length} slots, hash ${layout.hash}`,
      expected: `${slots} slots, hash ${layoutHash}`,
    });
  }
  return layout;
}

function firstText(chunk: Uint8Array, decodeTexts: (bytes: Uint8Array) => readonly string[]): string | undefined {
  try {
    return decodeTexts(chunk)[0];
  } catch (cause) {
    throw new FreshetError("corrupt", "a page of the stored layout cannot be read", { found: (cause as Error).message, cause });
  }
}

function readHeader(text: string): StateHeader {
  let header: StateHeader | undefined;
  try {
    header = (JSON.parse(text) as { attributes?: { freshet?: StateHeader } }).attributes?.freshet;
  } catch (cause) {
    throw new FreshetError("corrupt", "the store's state is not JSON", { found: text.slice(0, 80), cause });
  }
  if (header?.format !== 2 || !Array.isArray(header.epochs)) {
    throw new FreshetError("corrupt", "the store's state is not of a form that this version of Freshet reads", {
      found: `format ${header?.format}`,
      expected: "format 2",
      remedy: "Use the version of Freshet that wrote it, or a newer one",
    });
  }
  return header;
}
