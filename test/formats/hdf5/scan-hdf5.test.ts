import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { scanHdf5 } from "../../../src/formats/hdf5/index.ts";
import { readVirtualArray } from "../../../src/scan/index.ts";
import { withCounters } from "../../../src/storage/index.ts";
import { type Attributes, arraysOf, describeDataType, type VirtualArray, type VirtualGroup } from "../../../src/virtual/index.ts";
import { memoryReader } from "../../storage/memory-reader.ts";
import { REFUSED } from "./refused.ts";

/** As expected.py writes it. */
interface Expected {
  readonly groups: Readonly<Record<string, readonly ExpectedAttribute[]>>;
  readonly total: number;
  readonly variables: readonly ExpectedVariable[];
}

interface ExpectedVariable {
  readonly path: string;
  readonly attributes: readonly ExpectedAttribute[];
  readonly type?: string;
  readonly shape?: readonly number[];
  readonly chunkShape?: readonly number[] | null;
  readonly dimensions?: readonly (string | null)[];
  readonly fill?: string | null;
  readonly count?: number | null;
  readonly chunks?: null | readonly (readonly [cell: number, offset: number, length: number])[];
  readonly values?: string;
}

type ExpectedAttribute = readonly [name: string, type: string, values: readonly string[], count: number];

const data = new URL("../../data/", import.meta.url);
const expectedFolder = new URL("expected/", import.meta.url);
const MOST_LISTED = 60;

async function bytesOf(name: string): Promise<Uint8Array> {
  // A Buffer\'s slice is no copy.
  return new Uint8Array(await readFile(new URL(`${/\.nc4?$|ref_groups/.test(name) ? "netcdf4" : "hdf5"}/${name}`, data)));
}

/** Attributes in the form of expected.py: by name, numbers as numbers, the first sixty values and how many there are. */
function plain(attributes: Attributes): unknown[] {
  return [...attributes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, attribute]) => {
      const type = attribute.type === "texts" ? "text" : attribute.type;
      const values = (attribute.type === "text" ? [attribute.value] : [...attribute.value]).map((value) =>
        typeof value === "string" ? value.replace(/\0.*| +$/gs, "") : Number(value),
      );
      return [name, type, values.slice(0, MOST_LISTED), values.length];
    });
}

function parsed(attributes: readonly ExpectedAttribute[]): unknown[] {
  return attributes.map(([name, type, values, count]) => [
    name,
    type,
    type === "text" ? values : values.map((value) => Number(value.replace("inf", "Infinity"))),
    count,
  ]);
}

/** Group attributes by path. */
function groupAttributes(group: VirtualGroup, path: string, into: Record<string, unknown>): Record<string, unknown> {
  into[path === "" ? "/" : path] = plain(group.attributes);
  for (const [name, child] of group.groups) groupAttributes(child, `${path}/${name}`, into);
  return into;
}

describe("real files are read as libhdf5 reads them", async () => {
  const names = (await readdir(expectedFolder)).filter((name) => name.endsWith(".json"));
  assert.equal(names.length, 45);
  for (const name of names.map((file) => file.replace(/\.json$/, ""))) {
    test(name, async () => {
      const expected = JSON.parse(await readFile(new URL(`${name}.json`, expectedFolder), "utf8")) as Expected;
      const reader = memoryReader(await bytesOf(name));
      const { root, outcomes } = await scanHdf5(reader);
      const groups = Object.entries(expected.groups).map(([path, attributes]) => [path, parsed(attributes)]);
      assert.deepEqual(groupAttributes(root, "", {}), Object.fromEntries(groups));

      const refused = outcomes.filter((outcome) => outcome.outcome === "refused").map(({ path, reason }) => [path, reason]);
      assert.deepEqual(refused, REFUSED[name] ?? []);
      const links = refused.filter(([, reason]) => reason?.startsWith("a link to")).length;
      assert.equal(outcomes.length, expected.total + links, "every variable once");

      const arrays = new Map(arraysOf(root));
      assert.equal(arrays.size, outcomes.length - refused.length);
      for (const variable of expected.variables) {
        const array = arrays.get(variable.path);
        if (array === undefined) {
          assert.ok(
            refused.some(([path]) => path === variable.path),
            variable.path,
          );
          continue;
        }
        assert.deepEqual(plain(array.attributes), parsed(variable.attributes), variable.path);
        await compare(array, variable, (_, offset, length) => reader.read(offset, length));
      }
    });
  }
});

async function compare(
  array: VirtualArray,
  expected: ExpectedVariable,
  read: Parameters<typeof readVirtualArray>[1],
): Promise<void> {
  const { path } = expected;
  if (expected.type === undefined) return;
  const described = describeDataType(array.dataType);
  assert.equal(described, expected.type, path);
  const rank = expected.shape?.length ?? 0;
  const whole = (expected.shape ?? []).map((length) => Math.max(1, length));
  assert.deepEqual(array.shape.slice(0, rank), expected.shape, path);
  assert.deepEqual(array.chunkShape.slice(0, rank), expected.chunkShape ?? whole, path);
  assert.deepEqual(array.dimensionNames.slice(0, rank), expected.dimensions, path);
  const { ranges, inlined } = array.manifest.counts();
  if (array.dataType.kind !== "string") {
    // Numbers that were converted are little-endian, whatever the file's are.
    const fills = inlined > 0 && expected.fill ? [expected.fill, reversed(expected.fill)] : [expected.fill ?? null];
    assert.ok(fills.includes(fillHex(array)), `fill of ${path}`);
  }
  if (inlined === 0 && expected.chunks !== null) {
    assert.equal(ranges, expected.count, path);
    for (const [cell, offset, length] of expected.chunks ?? []) {
      assert.deepEqual(array.manifest.at(cell), { kind: "range", uri: "memory:test", offset, length }, path);
    }
  }
  // Where each chunk is has been compared; reading thousands of them one by one would take seconds.
  if (array.manifest.cells > 500) return;
  const values = array.dataType.kind === "string" ? inlinedText(array) : await readVirtualArray(array, read);
  if (array.dataType.kind === "fixed-string") zeroBehindNul(values, array.dataType.length);
  assert.equal(createHash("sha256").update(values).digest("hex"), expected.values, `values of ${path}`);
}

/** What is behind the NUL of a fixed text is nobody's. */
function zeroBehindNul(values: Uint8Array, length: number): void {
  for (let at = 0; at < values.length; at += length) {
    const text = values.subarray(at, at + length);
    if (text.includes(0)) text.fill(0, text.indexOf(0));
  }
}

function reversed(hex: string): string {
  return Buffer.from(hex, "hex").reverse().toString("hex");
}

/** The fill value as the bytes that the file has for it. */
function fillHex(array: VirtualArray): string | null {
  const { fillValue, dataType, codecs } = array;
  if (fillValue === null) return null;
  if (fillValue instanceof Uint8Array) return Buffer.from(fillValue).toString("hex");
  assert.ok(dataType.kind === "number");
  const little = codecs[0]?.configuration.endian === "little";
  const view = new DataView(new ArrayBuffer(8));
  const size = Number(/\d+$/.exec(dataType.name)?.[0] ?? 8) / 8;
  if (dataType.name === "float32") view.setFloat32(0, Number(fillValue), little);
  else if (dataType.name === "float64") view.setFloat64(0, Number(fillValue), little);
  else if (size === 8) view.setBigInt64(0, BigInt(fillValue as bigint), little);
  else if (size === 4) view.setInt32(0, Number(fillValue), little);
  else if (size === 2) view.setInt16(0, Number(fillValue), little);
  else view.setInt8(0, Number(fillValue));
  return Buffer.from(view.buffer, 0, size).toString("hex");
}

/** The texts of an array of at most one chunk a row, joined by line feeds. */
function inlinedText(array: VirtualArray): Buffer {
  assert.deepEqual(array.codecs, [{ name: "vlen-utf8", configuration: {} }]);
  assert.equal(array.manifest.cells, 1);
  const chunk = array.manifest.at(0);
  assert.ok(chunk.kind === "inline");
  const bytes = Buffer.from(chunk.bytes);
  const texts: string[] = [];
  for (let at = 4; at < bytes.length; at += 4 + bytes.readUInt32LE(at)) {
    texts.push(bytes.toString("utf8", at + 4, at + 4 + bytes.readUInt32LE(at)).replace(/ +$/, ""));
  }
  assert.equal(texts.length, bytes.readUInt32LE(0));
  return Buffer.from(texts.join("\n"));
}

describe("what is read", () => {
  const granule = "20170602T0300Z-PT0012H-temperature_at_screen_level.nc";

  test("is a small part of a granule, in few reads", async () => {
    const reader = withCounters(memoryReader(await bytesOf(granule)));
    await scanHdf5(reader);
    assert.ok(reader.requests < 100, `${reader.requests} requests`);
    assert.ok(reader.bytes < 130_000, `${reader.bytes} bytes of ${reader.size}`);
  });

  test("stops when it is told to", async () => {
    const reason = new Error("enough");
    await assert.rejects(scanHdf5(memoryReader(await bytesOf(granule)), { signal: AbortSignal.abort(reason) }), reason);
  });

  test("what the source does ends the scan, and is no refusal of a variable", async () => {
    const reader = memoryReader(await bytesOf(granule));
    const changed = new Error("the source changed");
    let reads = 0;
    const failing = {
      ...reader,
      read: async (offset: number, length: number) => (++reads > 20 ? Promise.reject(changed) : reader.read(offset, length)),
    };
    await assert.rejects(scanHdf5(failing), changed);
  });
});
