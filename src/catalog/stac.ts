import { datacubeOf } from "./datacube.ts";
import { type Box, boxOf, geometryOf, spanOf } from "./extent.ts";
import type { FormFacts, ProductFacts } from "./facts.ts";
import { icechunkCode, referencesCode, storageOptions } from "./open-with.ts";

/** STAC 1.1.0 and the extensions that are spoken. */
const STAC_VERSION = "1.1.0";
const EXTENSIONS = [
  "https://stac-extensions.github.io/datacube/v2.2.0/schema.json",
  "https://stac-extensions.github.io/file/v2.1.0/schema.json",
  "https://stac-extensions.github.io/xarray-assets/v1.0.0/schema.json",
  "https://stac-extensions.github.io/version/v1.2.0/schema.json",
];
/** The name of the collection, beside its items. */
export const COLLECTION = "collection.json";
/** STAC asks for a box of every collection: where nobody knows one, it is the earth. */
const EARTH: Box = [-180, -90, 180, 90];
/** Multihash: sha2-256, 32 bytes. */
const SHA256_PREFIX = "1220";

type Json = Record<string, unknown>;

/** Id of the collection of a product. */
function collectionId({ dataset, product }: ProductFacts): string {
  return dataset.products.length === 1 ? dataset.name : `${dataset.name}-${product.name}`;
}

/** The item of a published version. Addresses are relative to its own folder, where they lie in it. */
export function stacItem(facts: ProductFacts): Json {
  const { about, sequence, version, layoutHash, granules, publishedMs, previousItem, dataset } = facts;
  const box = boxOf(facts);
  const published = instant(publishedMs);
  // An item needs an instant: what holds no step yet has that of its publication.
  const [first, last] = spanOf(facts) ?? [publishedMs, publishedMs];
  const [principal] = facts.groups;
  const predecessor = previousItem === undefined ? [] : [link("predecessor-version", `./${previousItem}`)];
  return {
    type: "Feature",
    stac_version: STAC_VERSION,
    stac_extensions: EXTENSIONS,
    id: `${collectionId(facts)}-v${sequence}`,
    collection: collectionId(facts),
    geometry: box === undefined ? null : geometryOf(box),
    ...(box === undefined ? {} : { bbox: box }),
    properties: {
      title: about.title ?? dataset.name,
      ...(about.description === undefined ? {} : { description: about.description }),
      datetime: null,
      start_datetime: instant(first),
      end_datetime: instant(last),
      created: published,
      updated: published,
      license: about.license,
      version: String(sequence),
      "freshet:version": version,
      "freshet:granules": granules,
      // Over every granule's place, identity and scan: equal hashes are equal contents.
      "freshet:layout_sha256": layoutHash,
      ...(principal === undefined ? { "cube:dimensions": {} } : datacubeOf(principal)),
    },
    links: [
      link("root", `./${COLLECTION}`),
      link("parent", `./${COLLECTION}`),
      link("collection", `./${COLLECTION}`),
      ...predecessor,
      ...linksOf(facts),
    ],
    assets: assetsOf(facts),
  };
}

/** The collection of a product as of the version of an item. @param itemName the item, in the same folder. */
export function stacCollection(item: Json, itemName: string, facts: Pick<ProductFacts, "about">): Json {
  const { about } = facts;
  const properties = item.properties as Json;
  const {
    title,
    start_datetime: start,
    end_datetime: end,
    "cube:dimensions": dimensions,
    "cube:variables": variables,
  } = properties;
  return {
    type: "Collection",
    stac_version: STAC_VERSION,
    stac_extensions: EXTENSIONS,
    id: item.collection,
    title,
    description: about.description ?? `${title}, kept up to date by Freshet`,
    license: about.license,
    ...(about.keywords === undefined ? {} : { keywords: about.keywords }),
    ...(about.providers === undefined ? {} : { providers: about.providers }),
    extent: { spatial: { bbox: [item.bbox ?? EARTH] }, temporal: { interval: [[start, end]] } },
    version: properties.version,
    "freshet:version": properties["freshet:version"],
    "freshet:granules": properties["freshet:granules"],
    "cube:dimensions": dimensions,
    ...(variables === undefined ? {} : { "cube:variables": variables }),
    links: [
      link("root", `./${COLLECTION}`),
      { ...link("item", `./${itemName}`), type: "application/geo+json" },
      ...(item.links as readonly { readonly rel: string }[]).filter(({ rel }) => rel === "via" || rel === "license"),
    ],
    assets: item.assets,
  };
}

/** One asset for each group of the store, and one for each form. */
function assetsOf(facts: ProductFacts): Json {
  const { product, groups, forms } = facts;
  const assets: Json = {};
  for (const [at, group] of groups.entries()) {
    assets[group.group === "" ? "icechunk" : `icechunk-${group.group.replaceAll("/", "-")}`] = {
      href: product.store,
      title: group.group === "" ? "Icechunk repository" : `Icechunk repository, group ${group.group}`,
      type: "application/vnd.zarr; version=3",
      roles: ["data", "virtual"],
      "xarray:open_kwargs": {
        engine: "zarr",
        consolidated: false,
        ...(group.group === "" ? {} : { group: group.group }),
      },
      "freshet:python": icechunkCode(facts, group.group),
      ...(at === 0 ? {} : datacubeOf(group)),
    };
  }
  for (const form of forms.filter(({ sequence }) => sequence === facts.sequence))
    assets[nameOf(form, Object.keys(assets))] = formAsset(form);
  return assets;
}

function formAsset(form: FormFacts): Json {
  const isJson = form.kind === "kerchunk-json";
  return {
    href: form.href,
    title: `kerchunk references${form.view === undefined ? "" : ` of ${form.view}`}${isJson ? "" : ", as Parquet"}`,
    type: form.isZstd ? "application/zstd" : isJson ? "application/json" : "application/vnd.apache.parquet",
    roles: ["references"],
    ...(form.sha256 === undefined ? {} : { "file:checksum": `${SHA256_PREFIX}${form.sha256}` }),
    ...(form.bytes === undefined ? {} : { "file:size": form.bytes }),
    "xarray:open_kwargs": { engine: "kerchunk", chunks: {} },
    "xarray:storage_options": storageOptions(form),
    "freshet:sequence": form.sequence,
    "freshet:references": form.references,
    ...(form.latest === undefined ? {} : { "freshet:latest": form.latest }),
    "freshet:python": referencesCode(form),
  };
}

function nameOf({ kind, view }: FormFacts, taken: readonly string[]): string {
  const name = view === undefined ? kind : `${kind}-${view.replaceAll("/", "-")}`;
  for (let number = 1; ; number++) {
    const numbered = number === 1 ? name : `${name}-${number}`;
    if (!taken.includes(numbered)) return numbered;
  }
}

/** Where its granules are from, and the licence's text where SPDX has one. */
function linksOf({ dataset, about }: ProductFacts): readonly Json[] {
  const { at } = dataset.source;
  const via = at.startsWith("file:") ? [] : [{ ...link("via", at), title: "the granules" }];
  const license =
    about.license === "other" ? [] : [link("license", `https://spdx.org/licenses/${about.license}.html`, "text/html")];
  return [...via, ...license];
}

function link(rel: string, href: string, type = "application/json"): Json {
  return { rel, href, ...(rel === "via" ? {} : { type }) };
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
