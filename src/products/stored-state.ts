import { FreshetError } from "../errors/index.ts";
import { EMPTY_LAYOUT, type Layout, type LayoutRow, layoutHash, readPage } from "./layout.ts";

/** The group in which a store keeps what it is made of. Readers of the data need not know of it. */
export const STATE_GROUP = "/_freshet";
export const LAYOUT_ARRAY = `${STATE_GROUP}/layout`;

/** What a product's store says of itself, beside the layout's rows; the attribute `freshet` of `_freshet`. */
export interface StateHeader {
  readonly format: 1;
  readonly product: string;
  readonly dataset: { readonly name: string; readonly hash: string };
  /** Number of this publication, from 1. */
  readonly sequence: number;
  /** The version it was made from. */
  readonly parent: string;
  readonly layoutHash: string;
  /** The ledger's sequence number up to which the layout accounts for everything. */
  readonly cursor: number;
  readonly originMs: number | null;
  readonly slots: number;
  readonly steps: number;
  /** The calendar's steps, bounds aside: gaps have times by it alone. */
  readonly calendar: string;
  /** Where references may point, all that ever was: the store's own list of it cannot be read back through the binding. */
  readonly prefixes: readonly string[];
  /** The scan that gives the arrays their types and attributes. */
  readonly template: { readonly uri: string; readonly sha256: string };
  /** By path ("/" is the root): attributes of the template that differ between granules, and so are not the product's. */
  readonly dropped: Readonly<Record<string, readonly string[]>>;
  /** Arrays in which some granule left a chunk unwritten. */
  readonly sparse: readonly string[];
}

export interface StoredState {
  readonly header: StateHeader;
  readonly layout: Layout;
  readonly pages: readonly string[];
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
  const pages: string[] = [];
  const rows: (LayoutRow | null)[] = [];
  while (rows.length < header.slots) {
    const chunk = await get(`${LAYOUT_ARRAY.slice(1)}/c/${pages.length}`);
    const page = chunk === undefined ? undefined : firstText(chunk, decodeTexts);
    if (page === undefined)
      throw new FreshetError("corrupt", "a page of the stored layout is missing", { found: `page ${pages.length}` });
    pages.push(page);
    rows.push(...readPage(page));
  }
  if (rows.length !== header.slots || layoutHash(header.originMs, pages) !== header.layoutHash) {
    throw new FreshetError("corrupt", "the stored layout is not the one that the store says it is", {
      found: `${rows.length} slots, hash ${layoutHash(header.originMs, pages)}`,
      expected: `${header.slots} slots, hash ${header.layoutHash}`,
    });
  }
  const layout: Layout = header.slots === 0 ? EMPTY_LAYOUT : { originMs: header.originMs, rows };
  return { header, layout, pages };
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
  if (header?.format !== 1) {
    throw new FreshetError("corrupt", "the store's state is not of a form that this version of Freshet reads", {
      found: `format ${header?.format}`,
      expected: "format 1",
      remedy: "Use the version of Freshet that wrote it, or a newer one",
    });
  }
  return header;
}
