/** A store as a product's publications make it grow: arrays of references, a packed coordinate, pages of a layout. */
import { mkdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bytesCodec } from "../../../src/codecs/index.ts";
import type { NumericType } from "../../../src/virtual/index.ts";
import {
  type ArrayChange,
  arrayMetadata,
  encodeTexts,
  groupMetadata,
  IcechunkStore,
  type StoreChange,
} from "../../../src/writers/icechunk/index.ts";

/** Slots to a page of the layout; a row of one is about 240 bytes of JSON. */
const PAGE_SLOTS = 128;
const ROWS_PER_CHUNK = 1024;

export interface GrowingStore {
  readonly folder: string;
  /** Where the references lie: a folder's uri, ending in a slash. */
  readonly prefix: string;
  readonly arrays: number;
  /** References to a manifest. */
  readonly split: number;
  /** One file under `prefix` that all references lead into, eight bytes to a slot; else each slot has a file that is not there. */
  readonly source?: { readonly name: string; readonly lastModifiedMs: number };
}

export function openGrowing({ folder, prefix, split }: GrowingStore): Promise<IcechunkStore> {
  return IcechunkStore.openOrCreate({ folder, prefixes: [prefix], split: { dimension: "time", chunks: split } });
}

/** The change that adds the slots `from` (inclusive) to `to` (exclusive). */
export function growth(store: GrowingStore, from: number, to: number): StoreChange {
  const arrays: ArrayChange[] = [];
  for (let array = 0; array < store.arrays; array++) {
    const virtual = range(from, to).map((slot) => ({
      index: [slot, 0],
      uri: `${store.prefix}${store.source?.name ?? `granule-${String(slot).padStart(8, "0")}-of-some-product-with-a-name.nc`}`,
      offset: store.source === undefined ? 4096 + array * 8 : slot * 8,
      length: 8,
      source: { size: 100_000, lastModifiedMs: store.source?.lastModifiedMs ?? Date.UTC(2024, 0, 1) },
    }));
    arrays.push(arrayOf(`/v${array}`, [to, 2], [1, 2], ["time", "x"], "int32", { virtual }));
  }
  const rows = new Map(range(from, to).map((slot) => [slot, int64(slot)]));
  const patch = { rowsPerChunk: ROWS_PER_CHUNK, fill: int64(0), rows, trailing: 0 };
  arrays.push(arrayOf("/time", [to], [ROWS_PER_CHUNK], ["time"], "int64", { patch }));
  const firstPage = Math.floor(from / PAGE_SLOTS);
  const native = range(firstPage, Math.ceil(to / PAGE_SLOTS)).map((page) => ({ index: [page], bytes: pageOf(page, to) }));
  arrays.push({
    path: "/_freshet/layout",
    metadata: arrayMetadata({
      shape: [Math.ceil(to / PAGE_SLOTS)],
      chunkShape: [1],
      dimensionNames: ["page"],
      dataType: { kind: "string" },
      codecs: [{ name: "vlen-utf8", configuration: {} }],
      fillValue: "",
      attributes: new Map(),
    }),
    virtual: [],
    native,
    erase: [],
    patch: undefined,
  });
  const slots = { type: "int64" as const, scalar: true, value: [BigInt(to)] };
  return {
    groups: [
      { path: "/", metadata: groupMetadata(new Map()) },
      { path: "/_freshet", metadata: groupMetadata(new Map([["slots", slots]])) },
    ],
    arrays,
  };
}

/** A file that the references of a store may lead into: room for a thousand slots of two numbers that tell their place. */
export async function makeSource(folder: string): Promise<{ readonly name: string; readonly lastModifiedMs: number }> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, "all.bin");
  await writeFile(
    path,
    Int32Array.from({ length: 2000 }, (_, index) => index * 3),
  );
  const lastModifiedMs = Date.UTC(2024, 0, 2);
  await utimes(path, lastModifiedMs / 1000, lastModifiedMs / 1000);
  return { name: "all.bin", lastModifiedMs };
}

/** Stages and publishes one change on the published version, and answers the new one. */
export async function publishChange(store: IcechunkStore, change: StoreChange, message: string): Promise<string> {
  const parent = await store.head();
  const version = await store.stage(parent, change, message);
  await store.publish(parent, version);
  return version;
}

function pageOf(page: number, end: number): Uint8Array {
  const slots = range(page * PAGE_SLOTS, Math.min(end, (page + 1) * PAGE_SLOTS));
  const rows = slots.map((slot) => ({
    slot,
    key: `granule-${String(slot).padStart(8, "0")}`,
    identity: hexOf(slot, 64),
    scan: { uri: `file:///scans/${hexOf(slot + 7, 32)}.json`, sha256: hexOf(slot + 3, 64) },
  }));
  return encodeTexts([JSON.stringify(rows)]);
}

/** Digits that compress as badly as a hash does. */
function hexOf(seed: number, digits: number): string {
  let text = "";
  for (let state = seed + 1; text.length < digits; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    text += (state >>> 8).toString(16).padStart(6, "0");
  }
  return text.slice(0, digits);
}

function arrayOf(
  path: string,
  shape: readonly number[],
  chunkShape: readonly number[],
  dimensionNames: readonly string[],
  name: NumericType,
  content: Partial<ArrayChange>,
): ArrayChange {
  const metadata = arrayMetadata({
    shape,
    chunkShape,
    dimensionNames,
    dataType: { kind: "number", name },
    codecs: [bytesCodec("little")],
    fillValue: 0,
    attributes: new Map(),
  });
  return { path, metadata, virtual: [], native: [], erase: [], patch: undefined, ...content };
}

function int64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}
