import { createHash } from "node:crypto";
import * as zarr from "zarrita";
import { type ArrayFacts, type FormFacts, type GroupFacts, isTime, type ProductFacts } from "../../catalog/index.ts";
import type { CatalogAbout, Dataset, Form, Product } from "../../dataset/index.ts";
import { isFreshetError } from "../../errors/index.ts";
import { decodeTime, granulesIn, groupOfView, isStatePath, readTimeEncoding, type StoredState } from "../../products/index.ts";
import { isOfReference, ownContent } from "../../writers/icechunk/index.ts";
import { mappedUri } from "../../writers/uri-mapping.ts";
import type { ProductState } from "../product-store.ts";
import { placeOf } from "./place-of.ts";

/** Coordinates with more elements are not read for their range: 32 MiB of float64. */
const MOST_ELEMENTS = 4_194_304;
/** Forms with more references are not hashed: a document is read whole for it. */
const MOST_HASHED = 1_000_000;

/** A version that a product shows. */
export interface Published {
  readonly dataset: Dataset;
  readonly product: Product;
  readonly about: CatalogAbout;
  readonly state: ProductState;
  readonly stored: StoredState;
  readonly previousItem: string | undefined;
}

/** What a catalogue says of the version that a product shows. Coordinates are read from the store; no granule is. */
export async function catalogFacts({ dataset, product, about, state, stored, previousItem }: Published): Promise<ProductFacts> {
  const { sequence, layoutHash } = stored.header;
  const commit = await state.store.version(state.head);
  return {
    dataset,
    product,
    about,
    sequence,
    version: state.head,
    layoutHash,
    granules: granulesIn(stored.epochs),
    publishedMs: commit?.writtenMs ?? 0,
    prefixes: state.prefixes,
    groups: await groupsOf(state, product),
    forms: await formFacts(dataset, product),
    previousItem,
  };
}

type Reader = Awaited<ReturnType<ProductState["store"]["reader"]>>;
interface Node {
  readonly node_type: string;
  readonly shape?: readonly number[];
  readonly dimension_names?: readonly (string | null)[];
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** The groups with arrays in them, what people want first before the others. */
async function groupsOf({ store, head }: ProductState, product: Product): Promise<GroupFacts[]> {
  const reader = await ownContent(store, head);
  const groups: GroupFacts[] = [];
  const visit = async (group: string, attributes: GroupFacts["attributes"]): Promise<void> => {
    const arrays: ArrayFacts[] = [];
    for (const entry of (await reader.listDir(group === "" ? "" : `${group}/`)).toSorted()) {
      const name = entry.replace(/\/$/, "");
      const path = group === "" ? name : `${group}/${name}`;
      if (name === "zarr.json" || isStatePath(`/${path}`)) continue;
      const node = await nodeAt(reader, path);
      if (node === undefined) continue;
      if (node.node_type === "group") await visit(path, node.attributes ?? {});
      else arrays.push(await arrayFacts(reader, path, name, node));
    }
    if (arrays.length > 0) groups.push({ group, attributes, arrays });
  };
  await visit("", (await nodeAt(reader, ""))?.attributes ?? {});
  const first = product.kind === "forecast" ? product.views.map((view) => groupOfView(view).slice(1)) : [""];
  const rank = ({ group }: GroupFacts): number => {
    const at = first.findIndex((wanted) => group === wanted || group.startsWith(`${wanted}/`));
    return at < 0 ? first.length : at;
  };
  return groups.sort((a, b) => rank(a) - rank(b));
}

async function nodeAt(reader: Reader, path: string): Promise<Node | undefined> {
  const bytes = await reader.get(path === "" ? "zarr.json" : `${path}/zarr.json`);
  return bytes === null ? undefined : JSON.parse(Buffer.from(bytes).toString());
}

async function arrayFacts(reader: Reader, path: string, name: string, node: Node): Promise<ArrayFacts> {
  const { shape = [], dimension_names: names = [], attributes = {} } = node;
  const facts = { name, dimensions: names.map((dimension, at) => dimension ?? `dim_${at}`), shape, attributes };
  const range = await rangeOf(reader, path, facts);
  return range === undefined ? facts : { ...facts, range };
}

/** Of coordinates, which the store itself keeps: one dimension of their own name, or latitude and longitude on any grid, or time. */
async function rangeOf(reader: Reader, path: string, array: ArrayFacts): Promise<readonly [number, number] | undefined> {
  const { name, dimensions, shape, attributes } = array;
  const isIndex = dimensions.length === 1 && dimensions[0] === name;
  const isPlace = attributes.standard_name === "latitude" || attributes.standard_name === "longitude";
  const elements = shape.reduce((product, length) => product * length, 1);
  if (!(isIndex || isPlace || isTime(array)) || elements === 0 || elements > MOST_ELEMENTS) return undefined;
  const opened = await zarr.open(zarr.root(reader as unknown as zarr.AsyncReadable).resolve(path), { kind: "array" });
  const data = await zarr.get(opened).then(
    (chunk) => chunk.data,
    (error: unknown) => {
      // Swaths have their latitudes, longitudes and times in the granules.
      if (isOfReference(error)) return undefined;
      throw error;
    },
  );
  if (data === undefined) return undefined;
  if (typeof (data as ArrayLike<unknown>)[0] === "string") return undefined;
  const encoding = timeEncoding(array);
  if (isTime(array) && encoding === undefined) return undefined;
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const missing = Number(attributes._FillValue);
  const { scale_factor: scale = 1, add_offset: offset = 0 } = attributes as { scale_factor?: number; add_offset?: number };
  for (const raw of data as Iterable<number | bigint>) {
    const packed = Number(raw);
    if (!Number.isFinite(packed) || packed === missing) continue;
    const value = encoding === undefined ? packed * scale + offset : decodeTime(encoding, raw);
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return least <= most ? [least, most] : undefined;
}

/** Undefined for what is no time, or time that no calendar of ours reads. */
function timeEncoding({ attributes }: ArrayFacts): ReturnType<typeof readTimeEncoding> | undefined {
  const { units, calendar } = attributes as { units?: string; calendar?: string };
  if (units === undefined || !isTime({ attributes })) return undefined;
  try {
    return readTimeEncoding(units, calendar);
  } catch (error) {
    if (isFreshetError(error, "unsupported")) return undefined;
    throw error;
  }
}

/** The references that are there. A form that cannot be reached is told of with a later version. */
async function formFacts(dataset: Dataset, product: Product): Promise<FormFacts[]> {
  const facts: FormFacts[] = [];
  for (const form of product.also ?? []) {
    if (form.kind !== "kerchunk-json" && form.kind !== "kerchunk-parquet") continue;
    const place = await placeOf(form);
    const pointer = await place.pointer().catch((error: unknown) => {
      if (isFreshetError(error)) return undefined;
      throw error;
    });
    if (pointer === undefined) continue;
    const isHashed = form.kind === "kerchunk-json" && pointer.references <= MOST_HASHED;
    const bytes = isHashed ? await place.read(pointer.path) : undefined;
    const isZstd = form.kind === "kerchunk-json" && form.compress === "zstd";
    facts.push({
      kind: form.kind,
      href: `${form.to}/${pointer.path}`,
      latest: form.kind === "kerchunk-json" ? `${form.to}/latest.json${isZstd ? ".zst" : ""}` : undefined,
      sequence: pointer.sequence,
      references: pointer.references,
      view: form.view,
      sha256: bytes && createHash("sha256").update(bytes).digest("hex"),
      bytes: bytes?.length,
      isZstd,
      protocol: protocolOf(form, dataset.source),
    });
  }
  return facts;
}

/** What references name granules by. */
function protocolOf({ map }: Pick<Form, "map">, { mirror, at }: Dataset["source"]): string {
  const uri = mappedUri(map)(mirror ?? at);
  return uri.slice(0, uri.indexOf(":"));
}
