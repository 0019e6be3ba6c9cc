import assert from "node:assert/strict";
import { test } from "node:test";
import type { VirtualArray } from "../../src/virtual/index.ts";
import { chooseChunks } from "../../src/witness/choose-chunks.ts";
import { anArray, range } from "../scan/virtual-arrays.ts";

/** An array of 10 x 10 chunks whose last row is cut; cells of `missing` are not written. */
function grid(missing: readonly number[] = [], fillValue: VirtualArray["fillValue"] = 0): VirtualArray {
  const chunks = Array.from({ length: 100 }, (_, cell) => (missing.includes(cell) ? undefined : range("u", cell, 1)));
  return anArray({ shape: [19, 20], chunkShape: [2, 2], chunks, fillValue });
}

const chosen = (arrays: readonly (readonly [string, VirtualArray])[], seed: string, count: number) =>
  chooseChunks(arrays, seed).take(count).toArray();

test("every array once before any twice, no chunk twice, all of them in the end", () => {
  const arrays = ["/a", "/b", "/c"].map((path) => [path, grid()] as const);
  const first = chosen(arrays, "seed", 3);
  assert.deepEqual(new Set(first.map(({ path }) => path)), new Set(["/a", "/b", "/c"]));
  const all = chosen(arrays, "seed", 1000);
  assert.equal(all.length, 300);
  assert.equal(new Set(all.map(({ path, index }) => `${path} ${index}`)).size, 300);
  for (const { index, cell } of all) assert.equal((index[0] as number) * 10 + (index[1] as number), cell);
});

test("the same seed, the same choice; another seed, another", () => {
  const arrays = [["/a", grid()]] as const;
  const cells = (seed: string) => chosen(arrays, seed, 5).map(({ cell }) => cell);
  assert.deepEqual(cells("x"), cells("x"));
  assert.notDeepEqual(cells("x"), cells("y"));
});

test("the last chunk, those at the edge and unwritten ones come more often than their number says", () => {
  const counts = { last: 0, edge: 0, missing: 0 };
  for (let seed = 0; seed < 400; seed++) {
    const [choice] = chosen([["/a", grid([42])]], `${seed}`, 1);
    assert.ok(choice !== undefined);
    if (choice.cell === 99) counts.last++;
    if (choice.index[0] === 9) counts.edge++;
    if (choice.cell === 42) counts.missing++;
  }
  // Evenly drawn they would be about 4, 40 and 4.
  assert.ok(counts.last > 40 && counts.edge > 100 && counts.missing > 40, JSON.stringify(counts));
});

test("unwritten chunks are left out where no fill is said, and arrays without any chunk give none", () => {
  const cells = chosen([["/a", grid([0, 42, 99], null)]], "seed", 1000).map(({ cell }) => cell);
  assert.equal(cells.length, 97);
  assert.ok(![0, 42, 99].some((cell) => cells.includes(cell)));
  assert.deepEqual(
    chosen([["/scalar", anArray({ chunks: [range("u", 0, 2)] })]], "seed", 9).map(({ index }) => index),
    [[]],
  );
  assert.deepEqual(chosen([["/nothing", anArray({ shape: [3], fillValue: null })]], "seed", 9), []);
});
