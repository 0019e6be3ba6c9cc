import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { bytesCodec } from "../../../src/codecs/index.ts";
import { arrayMetadata, groupMetadata, type StoreChange } from "../../../src/writers/icechunk/index.ts";
import { folderFiles, kerchunkParquet } from "../../../src/writers/kerchunk-parquet/index.ts";
import { Partition } from "../../../src/writers/kerchunk-parquet/partition.ts";
import { decodePartition, encodePartition } from "../../../src/writers/kerchunk-parquet/partition-file.ts";
import { oneByOne } from "../icechunk/made-changes.ts";

const RECORDS = 7;
const SOURCE = { size: 800 };
let root = "";
let folders = 0;
before(async () => {
  root = await mkdtemp(join(tmpdir(), "freshet-parquet-"));
});
after(() => rm(root, { recursive: true, force: true }));

/** Cells of a two-dimensional array by `row.column`: offsets of ranges, or a byte to be inlined, as a negative number. */
type Cells = ReadonlyMap<string, number>;

function changeOf(shape: readonly [number, number], set: Cells, erase: readonly string[]): StoreChange {
  const metadata = arrayMetadata({
    shape,
    chunkShape: [1, 1],
    dimensionNames: ["time", "x"],
    dataType: { kind: "number", name: "uint8" },
    codecs: [bytesCodec("little")],
    fillValue: 0,
    attributes: new Map(),
  });
  const indexOf = (key: string): number[] => key.split(".").map(Number);
  const ranges = [...set].filter(([, value]) => value >= 0);
  const inlined = [...set].filter(([, value]) => value < 0);
  return {
    groups: [{ path: "/", metadata: groupMetadata(new Map()) }],
    arrays: [
      {
        path: "/v",
        metadata,
        virtual: ranges.map(([key, offset]) => ({
          index: indexOf(key),
          uri: `s3://b/${offset % 3}`,
          offset,
          length: 5,
          source: SOURCE,
        })),
        native: inlined.map(([key, value]) => ({ index: indexOf(key), bytes: Uint8Array.of(-value) })),
        erase: erase.map(indexOf),
        patch: undefined,
      },
    ],
  };
}

async function write(changes: readonly StoreChange[], previous?: string): Promise<string> {
  const folder = join(root, `${folders++}`);
  await kerchunkParquet(oneByOne(changes), {
    folder,
    records: RECORDS,
    previous: previous === undefined ? undefined : folderFiles(previous),
  });
  return folder;
}

/** Everything that a reader sees, by path. */
async function contentOf(folder: string): Promise<Record<string, unknown>> {
  const content: Record<string, unknown> = {};
  for (const name of (await readdir(folder, { recursive: true })).toSorted()) {
    if (name.endsWith(".parq")) {
      const partition = await decodePartition(await readFile(join(folder, name)), RECORDS);
      content[name] = Array.from({ length: RECORDS }, (_, row) => partition.at(row));
    } else if (name.endsWith(".zmetadata") || name.endsWith(".json"))
      content[name] = JSON.parse(await readFile(join(folder, name), "utf8"));
  }
  return content;
}

describe("references as Parquet", () => {
  test("a version made from another is the one that is written anew: it grows, shrinks, loses and changes cells", async () => {
    const size = fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 4 }));
    const cells = fc.array(
      fc.tuple(
        fc.nat(8),
        fc.nat(3),
        fc.integer({ min: -200, max: 500 }).filter((value) => value !== 0),
      ),
      { maxLength: 20 },
    );
    const step = fc.record({ size, cells, erase: fc.array(fc.tuple(fc.nat(8), fc.nat(3)), { maxLength: 5 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 4 }), async (steps) => {
        let model = new Map<string, number>();
        let folder: string | undefined;
        for (const { size: shape, cells: drawn, erase: drawnErase } of steps) {
          const isInside = (row: number, column: number): boolean => row < shape[0] && column < shape[1];
          const erase = drawnErase.filter(([row, column]) => isInside(row, column)).map((index) => index.join("."));
          const set = new Map(
            drawn.filter(([row, column]) => isInside(row, column)).map(([row, column, value]) => [`${row}.${column}`, value]),
          );
          model = new Map(
            [...model].filter(([key]) => isInside(...(key.split(".").map(Number) as [number, number])) && !erase.includes(key)),
          );
          for (const [key, value] of set) model.set(key, value);
          folder = await write([changeOf(shape, set, erase)], folder);
          assert.deepEqual(await contentOf(folder), await contentOf(await write([changeOf(shape, model, [])])));
        }
      }),
      { numRuns: 25, seed: 7 },
    );
  });

  test("a partition that is not ours, cut off, or of another length is refused", async () => {
    const partition = new Partition(RECORDS);
    partition.set(2, { kind: "range", uri: "s3://b/k", offset: 2 ** 52, length: 3 });
    const bytes = encodePartition(partition);
    assert.deepEqual((await decodePartition(bytes, RECORDS)).at(2), {
      kind: "range",
      uri: "s3://b/k",
      offset: 2 ** 52,
      length: 3,
    });
    await assert.rejects(decodePartition(bytes, RECORDS + 1), /another length: found 7 rows, expected 8/);
    for (const bad of [bytes.subarray(0, bytes.length - 20), new Uint8Array(0), Buffer.from("PAR1 nonsense PAR1")])
      await assert.rejects(decodePartition(bad, RECORDS), { kind: "corrupt" });
  });
});
