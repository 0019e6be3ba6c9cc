import { isDeepStrictEqual } from "node:util";
import type { FormState } from "../../contract/index.ts";
import { type Dataset, type Form, namedView, type Product } from "../../dataset/index.ts";
import { FreshetError, isFreshetError } from "../../errors/index.ts";
import { canonicalJson, type Ledger } from "../../ledger/index.ts";
import { groupOfView, type StoredState } from "../../products/index.ts";
import type { ScanStore } from "../../scan/index.ts";
import { reached } from "../../steps/index.ts";
import type { WrittenReferences } from "../../writers/kerchunk-json/index.ts";
import { type FormFiles, isParquetForm } from "../../writers/kerchunk-parquet/index.ts";
import { lookAtProduct, type ProductState, readState } from "../product-store.ts";
import type { Tick } from "../turn.ts";
import { canFollow, contentOf, oneViewOf } from "./form-content.ts";
import type { Alias, FormPlace } from "./form-place.ts";
import type { FormPointer } from "./form-pointer.ts";
import { INDEX, writeDocuments } from "./granule-documents.ts";
import { placeOf } from "./place-of.ts";
import { latestName, nameOfVersion, sequenceOf, type VersionedForm, writeVersion } from "./write-version.ts";

/** A form that could not be written is tried again after this, or with the next version that is due. */
const AGAIN_MS = 60_000;
/** Refused arrays that a pointer names. */
const MOST_REFUSED = 100;

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
      if (product.also === undefined) continue;
      const state = await lookAtProduct(dataset, product);
      const stored = state?.stored;
      for (const form of product.also) {
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

  /** Lets readers see it, and removes what nobody needs any more; also what is left of that when a writer died over it. */
  async #show({ dataset }: Work, form: Form, place: FormPlace, pointer: FormPointer): Promise<number> {
    const { sequence } = await place.show(pointer, aliasOf(form));
    const { keep, graceMs } = dataset.maintenance;
    const kept = keep ?? { versions: Number.MAX_SAFE_INTEGER, forMs: 0 };
    await place.tidy(sequenceOf, { ...kept, graceMs, nowMs: this.#parts.now() });
    return sequence;
  }

  async #write(work: Work, form: Form, place: FormPlace, pointer: FormPointer | undefined): Promise<FormPointer> {
    const { dataset, product, state, stored, tick, signal } = work;
    const { sequence } = stored.header;
    let path: string;
    let written: WrittenReferences;
    if (form.kind === "references") {
      path = INDEX;
      const isAnew = pointer?.settings !== settingsOf(form);
      written = await writeDocuments({ ...this.#parts, dataset, form, place, stored, tick, signal }, isAnew);
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

/** The name that the newest version has too. */
function aliasOf(form: Form): Alias | undefined {
  const name = form.kind === "references" ? undefined : latestName(form);
  return name === undefined ? undefined : { name };
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
