import { isDeepStrictEqual } from "node:util";
import { COLLECTION, stacCollection, stacItem } from "../../catalog/index.ts";
import type { FormState } from "../../contract/index.ts";
import { type Dataset, type Form, formsOf, namedView, type Product, type StacForm, type XredsForm } from "../../dataset/index.ts";
import { FreshetError, isFreshetError } from "../../errors/index.ts";
import { canonicalJson, type Ledger } from "../../ledger/index.ts";
import { groupOfView, type StoredState } from "../../products/index.ts";
import type { ScanStore } from "../../scan/index.ts";
import { reached } from "../../steps/index.ts";
import { writeWhole } from "../../storage/index.ts";
import type { WrittenReferences } from "../../writers/kerchunk-json/index.ts";
import { type FormFiles, isParquetForm } from "../../writers/kerchunk-parquet/index.ts";
import { lookAtProduct, type ProductState, readState } from "../product-store.ts";
import type { Tick } from "../turn.ts";
import { catalogFacts } from "./catalog-facts.ts";
import { canFollow, contentOf, oneViewOf } from "./form-content.ts";
import type { Alias, FormPlace } from "./form-place.ts";
import type { FormPointer } from "./form-pointer.ts";
import { INDEX, writeDocuments } from "./granule-documents.ts";
import { placeOf } from "./place-of.ts";
import { latestName, nameOfVersion, sequenceOf, type VersionedForm, writeVersion } from "./write-version.ts";
import { XredsFile } from "./xreds-file.ts";

/** A form that could not be written is tried again after this, or with the next version that is due. */
const AGAIN_MS = 60_000;
/** Refused arrays that a pointer names. */
const MOST_REFUSED = 100;

/** Forms with a folder and a pointer of their own. */
type PlacedForm = Exclude<Form, XredsForm>;

export interface FormParts {
  readonly ledger: Ledger;
  readonly scans: ScanStore;
  readonly now: () => number;
}

interface Work {
  readonly dataset: Dataset;
  readonly product: Product;
  readonly state: ProductState;
  readonly stored: StoredState;
  readonly tick: Tick;
  readonly signal: AbortSignal;
}

/**
 * Keeps the forms of products up that are published beside their stores. A form is made from a published version and says which one
 * it shows; an older version never takes the place of a newer one. What goes wrong with one form keeps nothing else back.
 */
export class Forms {
  readonly #parts: FormParts;

  constructor(parts: FormParts) {
    this.#parts = parts;
  }

  /**
   * Writes the forms that are due, one after the other, and says how far each is. May run twice, beside its own zombie too.
   * @throws only what ends everything: the signal's reason, and what is no FreshetError.
   */
  async publish(dataset: Dataset, tick: Tick, signal: AbortSignal): Promise<FormState[]> {
    const states: FormState[] = [];
    for (const product of dataset.products) {
      const forms = formsOf(dataset, product);
      if (forms.length === 0) continue;
      const state = await lookAtProduct(dataset, product);
      const stored = state?.stored;
      for (const form of forms) {
        signal.throwIfAborted();
        if (state === undefined || stored === undefined)
          states.push({ ...aboutForm(product, form), newest: 0, dueMs: undefined });
        else states.push(await this.#keepUp({ dataset, product, state, stored, tick, signal }, form));
      }
    }
    return states;
  }

  async #keepUp(work: Work, form: Form): Promise<FormState> {
    const { product, stored } = work;
    const newest = stored.header.sequence;
    const about = { ...aboutForm(product, form), newest };
    let shows: number | undefined;
    try {
      if (form.kind === "xreds") return { ...about, ...(await this.#keepXreds(work, form)) };
      const place = await placeOf(form);
      const pointer = await place.pointer();
      requireOwn(pointer, work, form);
      shows = pointer?.sequence;
      const nowMs = this.#parts.now();
      const isAsked = pointer !== undefined && pointer.settings === settingsOf(form);
      if (isAsked && shows === newest) {
        await this.#show(work, form, place, pointer);
        return { ...about, shows, dueMs: undefined };
      }
      // A clock that was ahead must not keep a form waiting.
      const dueMs = isAsked ? Math.min(pointer.writtenMs, nowMs) + form.everyMs : nowMs;
      if (dueMs > nowMs) return { ...about, shows, dueMs };
      work.tick(`${form.kind} of ${product.name} #${newest}`);
      const next = await this.#write(work, form, place, pointer);
      reached("form: written");
      shows = await this.#show(work, form, place, next);
      return { ...about, shows, dueMs: undefined };
    } catch (error) {
      const trouble = troubleOf(error, form);
      if (trouble === undefined) throw error;
      return { ...about, shows, trouble, dueMs: this.#parts.now() + AGAIN_MS };
    }
  }

  async #keepXreds(
    { dataset, product, state, stored, tick }: Work,
    form: XredsForm,
  ): Promise<Pick<FormState, "shows" | "dueMs">> {
    const { sequence } = stored.header;
    const file = await XredsFile.at(form);
    const mark = await file.mark(dataset, product);
    if (mark?.sequence === sequence) return { shows: sequence, dueMs: undefined };
    const nowMs = this.#parts.now();
    const dueMs = mark === undefined ? nowMs : Math.min(mark.writtenMs, nowMs) + form.everyMs;
    if (dueMs > nowMs) return { shows: mark?.sequence, dueMs };
    tick(`xreds of ${product.name} #${sequence}`);
    const about = dataset.catalog?.about ?? { license: "other" };
    await file.write({ dataset, product, about, state, stored, previousItem: undefined }, nowMs);
    return { shows: sequence, dueMs: undefined };
  }

  /** Lets readers see it, and removes what nobody needs any more; also what is left of that when a writer died over it. */
  async #show({ dataset }: Work, form: PlacedForm, place: FormPlace, pointer: FormPointer): Promise<number> {
    const { sequence } = await place.show(pointer, aliasOf(form, place));
    const { keep, graceMs } = dataset.maintenance;
    const kept = keep ?? { versions: Number.MAX_SAFE_INTEGER, forMs: 0 };
    await place.tidy(sequenceOf, { ...kept, graceMs, nowMs: this.#parts.now() });
    return sequence;
  }

  async #write(work: Work, form: PlacedForm, place: FormPlace, pointer: FormPointer | undefined): Promise<FormPointer> {
    const { dataset, product, state, stored, tick, signal } = work;
    const { sequence } = stored.header;
    let path: string;
    let written: WrittenReferences;
    if (form.kind === "references") {
      path = INDEX;
      const isAnew = pointer?.settings !== settingsOf(form);
      written = await writeDocuments({ ...this.#parts, dataset, form, place, stored, tick, signal }, isAnew);
    } else if (form.kind === "stac") {
      path = nameOfVersion(form, sequence, [dataset.name, product.name, state.head, settingsOf(form), ...place.attempt]);
      const previousItem = pointer !== undefined && pointer.path !== path ? pointer.path : undefined;
      const item = stacItem(await catalogFacts({ dataset, product, about: form.about, state, stored, previousItem }));
      const draft = await place.draft();
      await writeWhole(draft, Buffer.from(`${JSON.stringify(item, undefined, 2)}\n`));
      await place.keep(draft, path);
      written = { references: 0, inlined: 0, refused: new Map() };
    } else {
      path = nameOfVersion(form, sequence, [dataset.name, product.name, state.head, settingsOf(form), ...place.attempt]);
      const base = await baseOf(work, form, place, pointer);
      const whole = contentOf({ scans: this.#parts.scans, dataset, product, stored, from: base?.stored, tick });
      const view = form.view === undefined ? undefined : namedView(product, form.view);
      const changes = view === undefined ? whole : oneViewOf(whole, groupOfView(view));
      const draft = await place.draft();
      written = await writeVersion(form, draft, changes, base?.files, signal);
      await place.keep(draft, path, base?.files);
    }
    return {
      format: 1,
      form: form.kind,
      dataset: dataset.name,
      product: product.name,
      sequence,
      version: state.head,
      path,
      settings: settingsOf(form),
      writtenMs: this.#parts.now(),
      references: written.references,
      inlined: written.inlined,
      refused: Object.fromEntries([...written.refused].slice(0, MOST_REFUSED)),
    };
  }
}

/** What a Parquet version can be made from: the one that is shown, if its layout can still be read and only slots have changed. */
async function baseOf(
  { product, state, stored }: Work,
  form: VersionedForm,
  place: FormPlace,
  pointer: FormPointer | undefined,
): Promise<{ readonly files: FormFiles; readonly stored: StoredState } | undefined> {
  if (form.kind !== "kerchunk-parquet" || pointer === undefined || pointer.settings !== settingsOf(form)) return undefined;
  const files = place.files(pointer.path);
  if (!(await isParquetForm(files, form.records))) return undefined;
  try {
    const before = await readState(state.store, pointer.version);
    return before !== undefined && canFollow(product, before, stored) ? { files, stored: before } : undefined;
  } catch (error) {
    if (isFreshetError(error, "expired", "usage")) return undefined;
    throw error;
  }
}

/** The address that the newest version has too; of STAC, the collection that names its item. */
function aliasOf(form: PlacedForm, place: FormPlace): Alias | undefined {
  if (form.kind === "references") return undefined;
  if (form.kind === "stac") return { name: COLLECTION, content: (path) => collectionOf(form, place, path) };
  const name = latestName(form);
  return name === undefined ? undefined : { name };
}

async function collectionOf({ about }: StacForm, place: FormPlace, path: string): Promise<Uint8Array | undefined> {
  const item = await place.read(path);
  if (item === undefined) return undefined;
  return Buffer.from(
    `${JSON.stringify(stacCollection(JSON.parse(Buffer.from(item).toString()), path, { about }), undefined, 2)}\n`,
  );
}

function requireOwn(pointer: FormPointer | undefined, { dataset, product, state, stored }: Work, form: Form): void {
  if (pointer === undefined) return;
  const nameOf = (one: { form: string; dataset: string; product: string; sequence: number; version: string }): string =>
    `${one.form} of ${one.dataset}/${one.product} #${one.sequence}, version ${one.version}`;
  const { sequence } = stored.header;
  const own = { form: form.kind, dataset: dataset.name, product: product.name, sequence, version: state.head };
  const isOwn = isDeepStrictEqual([pointer.form, pointer.dataset, pointer.product], [own.form, own.dataset, own.product]);
  if (isOwn && (pointer.sequence < sequence || (pointer.sequence === sequence && pointer.version === state.head))) return;
  throw new FreshetError("conflict", isOwn ? "the form shows another history of the product" : "the folder holds another form", {
    found: nameOf(pointer),
    expected: `${nameOf(own)}, or an earlier one`,
    uri: form.to,
    remedy: "Give the form a folder of its own, or move that one away",
  });
}

/** What of a form's declaration makes its content what it is. */
function settingsOf(form: Form): string {
  const { to: _, everyMs: __, s3: ___, ...settings } = form;
  return canonicalJson(settings);
}

function aboutForm(product: Product, { kind, to }: Form): Pick<FormState, "product" | "form" | "shows" | "trouble"> {
  return { product: product.name, form: `${kind} ${to}`, shows: undefined, trouble: "" };
}

/** In words, for what is to be told and tried again; undefined for a defect, or the end. */
function troubleOf(error: unknown, form: Form): string | undefined {
  if (error instanceof FreshetError) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  return code !== undefined && /^E[A-Z]+$/.test(code) ? `${form.kind}: it could not be written: ${message}` : undefined;
}
