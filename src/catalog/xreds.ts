import { fileURLToPath } from "node:url";
import type { FormFacts, ProductFacts } from "./facts.ts";
import { storageOptions } from "./open-with.ts";

/** A dataset map of xreds: what it serves, by id. Other tools may have entries there too. */
export type XredsMap = Record<string, unknown>;

/** Which entries are whose. */
interface Mark {
  readonly dataset: string;
  readonly product: string;
  readonly sequence: number;
  readonly writtenMs: number;
}

/**
 * The entries of a product: each form of kerchunk JSON that is one dataset, or else the store itself, where xreds can read it. xreds
 * (its README, "Dataset Type Schema", and dataset_utils.py) opens `kerchunk` by xarray's engine of that name, and `virtual-icechunk` at
 * the root, with one container of anonymous S3.
 */
export function xredsEntries(facts: ProductFacts, writtenMs: number): XredsMap {
  const { dataset, product, sequence, about } = facts;
  const own = dataset.products.length === 1 ? dataset.name : `${dataset.name}-${product.name}`;
  const mark: { readonly freshet: Mark } = { freshet: { dataset: dataset.name, product: product.name, sequence, writtenMs } };
  const titled = { additional_attrs: { ...(about.title === undefined ? {} : { title: about.title }) } };
  const readable = facts.forms.filter(
    ({ kind, view, isZstd }) => kind === "kerchunk-json" && !isZstd && (product.kind !== "forecast" || view !== undefined),
  );
  const entries: XredsMap = {};
  for (const form of readable) {
    const id = form.view === undefined || form.view === "best" ? own : `${own}-${form.view.replaceAll("/", "-")}`;
    entries[id] ??= { ...kerchunkEntry(form, facts), ...titled, ...mark };
  }
  const icechunk = readable.length === 0 ? icechunkEntry(facts) : undefined;
  if (icechunk !== undefined) entries[own] = { ...icechunk, ...titled, ...mark };
  return entries;
}

/** A map in which a product has these entries and no others. What is not ours stays. */
export function withEntries(
  map: XredsMap,
  { dataset, product }: Pick<ProductFacts, "dataset" | "product">,
  entries: XredsMap,
): XredsMap {
  const others = Object.entries(map).filter(([, entry]) => {
    const mark = markOf(entry);
    return mark?.dataset !== dataset.name || mark.product !== product.name;
  });
  return Object.fromEntries([...others, ...Object.entries(entries)].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Of which publication a product's entries are, and when they were written; undefined where it has none. */
export function markIn(map: XredsMap, dataset: string, product: string): Pick<Mark, "sequence" | "writtenMs"> | undefined {
  return Object.values(map)
    .map(markOf)
    .find((mark) => mark?.dataset === dataset && mark.product === product);
}

function markOf(entry: unknown): Mark | undefined {
  return (entry as { freshet?: Mark } | null)?.freshet;
}

function kerchunkEntry(form: FormFacts, { dataset }: ProductFacts): Record<string, unknown> {
  const { latest = form.href } = form;
  const anonymous = { anon: dataset.source.s3?.anonymous === true };
  const path = latest.startsWith("file:") ? fileURLToPath(latest) : latest;
  return {
    path,
    type: "kerchunk",
    chunks: {},
    storage_options: {
      ...storageOptions({ ...form, isZstd: false }),
      ...(latest.startsWith("s3:") ? { target_options: { anon: false } } : {}),
      remote_options: form.protocol === "s3" ? anonymous : {},
    },
  };
}

function icechunkEntry({ product, prefixes, dataset }: ProductFacts): Record<string, unknown> | undefined {
  const [prefix, ...others] = prefixes;
  const { s3 } = dataset.source;
  const isReadable =
    prefix?.startsWith("s3:") === true && others.length === 0 && s3?.anonymous === true && s3.endpoint === undefined;
  if (!isReadable || product.kind === "forecast") return undefined;
  const container = { type: "s3", store: { path: prefix, region: s3.region, anonymous: true } };
  return {
    path: fileURLToPath(product.store),
    type: "virtual-icechunk",
    chunks: {},
    storage_options: { type: "local", virtual_chunk_container: container },
  };
}
