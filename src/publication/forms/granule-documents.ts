import { z } from "zod";
import { compileNames, type Dataset, fieldsAt, type GranuleReferencesForm, granulePath } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import { type LayoutRow, type StoredState, withoutDropped } from "../../products/index.ts";
import type { ScanStore } from "../../scan/index.ts";
import { reached } from "../../steps/index.ts";
import { countReferences } from "../../virtual/index.ts";
import { kerchunkJson, type WrittenReferences } from "../../writers/kerchunk-json/index.ts";
import { mappedUri } from "../../writers/uri-mapping.ts";
import type { Tick } from "../turn.ts";
import type { FormPlace } from "./form-place.ts";

/** Which documents are there: [path, granule key, the scan that each was made from, references]. */
export const INDEX = "documents.json";
const indexSchema = z.array(z.tuple([z.string(), z.string(), z.string(), z.int()]));

/** Documents to a note of what is there: what a writer that dies leaves unnoted is written again. */
const NOTED_EVERY = 100;

interface Document {
  readonly key: string;
  /** Of the scan; "" while it may or may not be written. */
  readonly sha256: string;
  readonly references: number;
}

interface Documents {
  readonly ledger: Ledger;
  readonly scans: ScanStore;
  readonly dataset: Dataset;
  readonly form: GranuleReferencesForm;
  readonly place: FormPlace;
  readonly stored: StoredState;
  readonly tick: Tick;
  readonly signal: AbortSignal;
}

/**
 * Makes the documents below the form's folder those of the granules in a version: one for each, under the path that the template
 * gives it. What has not changed is not touched; documents of granules that have left are removed. May run twice.
 * @param isAnew all are written, whatever is there.
 * @throws FreshetError `dataset-file` when two granules would have one path.
 */
export async function writeDocuments(what: Documents, isAnew: boolean): Promise<WrittenReferences> {
  const { form, place, tick, signal } = what;
  const present = new Map<string, Document>(
    (await readIndex(place, form.to)).map(([path, key, sha256, references]) => [path, { key, sha256, references }]),
  );
  const wanted = await wantedPaths(what, isAnew ? new Map() : present);
  const note = (): Promise<void> => {
    const rows = [...present].map(([path, { key, sha256, references }]) => [path, key, sha256, references]);
    return place.write(INDEX, Buffer.from(JSON.stringify(rows)));
  };
  const missing = [...wanted].filter(([path, row]) => isAnew || !isOf(row, present.get(path)));
  // Whoever comes after a death knows every path that may have been written.
  for (const [path, { key }] of missing) if (!present.has(path)) present.set(path, { key, sha256: "", references: 0 });
  await note();
  let done = 0;
  for (const [path, row] of missing) {
    signal.throwIfAborted();
    const references = await writeDocument(what, path, row);
    present.set(path, { key: row.key, sha256: row.scan.sha256, references });
    reached("form: document written");
    tick(`references: ${++done} of ${missing.length} granules`);
    if (done % NOTED_EVERY === 0) await note();
  }
  for (const path of present.keys()) {
    if (wanted.has(path)) continue;
    await place.remove(path);
    present.delete(path);
  }
  await note();
  const references = [...present.values()].reduce((sum, document) => sum + document.references, 0);
  return { references, inlined: 0, refused: new Map() };
}

/** @param present documents whose paths need not be asked for: a path is the granule's name, and a scan is of one granule's bytes. */
async function wantedPaths(
  { ledger, dataset, form, stored }: Documents,
  present: ReadonlyMap<string, Document>,
): Promise<Map<string, LayoutRow>> {
  const known = new Map([...present].map(([path, { key, sha256 }]) => [`${key} ${sha256}`, path]));
  const names = compileNames(dataset.match);
  const wanted = new Map<string, LayoutRow>();
  for (const { layout } of stored.epochs) {
    for (const [, row] of layout.rows()) {
      let path = known.get(`${row.key} ${row.scan.sha256}`);
      if (path === undefined) {
        const revision = await ledger.revision({ dataset: dataset.name, key: row.key, identity: row.identity });
        const uri = revision?.uri ?? "";
        const file = decodeURIComponent(uri.slice(uri.lastIndexOf("/") + 1));
        const fields = revision?.fields ?? fieldsAt(dataset.source, names, uri) ?? {};
        path = granulePath(form.each, { key: row.key, file, fields });
      }
      const other = wanted.get(path);
      if (other !== undefined || path === INDEX || path === "pointer.json") {
        throw new FreshetError("dataset-file", "two documents of references would have one path", {
          found: `${path} for ${row.key}${other === undefined ? "" : ` and for ${other.key}`}`,
          expected: "a path for each granule",
          remedy: "Name more fields in `each`, or {key}",
        });
      }
      wanted.set(path, row);
    }
  }
  return wanted;
}

function isOf({ key, scan }: LayoutRow, document: Document | undefined): boolean {
  return document?.key === key && document.sha256 === scan.sha256;
}

async function writeDocument({ scans, dataset, form, place }: Documents, path: string, { scan }: LayoutRow): Promise<number> {
  const root = withoutDropped((await scans.get(scan)).root, dataset.scan.drop);
  const { pieces } = kerchunkJson(root, { uri: mappedUri(form.map) });
  await place.write(path, Buffer.concat(Array.from(pieces, (piece) => Buffer.from(piece))));
  return countReferences(root);
}

async function readIndex(place: FormPlace, to: string): Promise<z.infer<typeof indexSchema>> {
  const text = Buffer.from((await place.read(INDEX)) ?? Buffer.from("[]")).toString();
  try {
    return indexSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new FreshetError("corrupt", "the list of documents of references cannot be read", {
      found: text.slice(0, 80),
      uri: `${to}/${INDEX}`,
      remedy: "Give the form a folder of its own, or move that one away",
      cause,
    });
  }
}
