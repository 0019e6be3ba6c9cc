import assert from "node:assert/strict";
import { test } from "node:test";
import { RememberedReads } from "../../src/witness/index.ts";
import { memoryReader } from "../storage/memory-reader.ts";

const BYTES = Uint8Array.from({ length: 100 }, (_, at) => at);
const slice = (offset: number, length: number): Uint8Array => BYTES.slice(offset, offset + length);

test("bytes that were read are not asked for again, also across reads and as parts", async () => {
  const reader = new RememberedReads(memoryReader(BYTES));
  assert.deepEqual(await reader.read(10, 20), slice(10, 20));
  assert.deepEqual(await reader.read(30, 20), slice(30, 20));
  assert.deepEqual([reader.requests, reader.bytes], [2, 40]);
  for (const [offset, length] of [
    [10, 40],
    [15, 3],
    [29, 2],
    [49, 1],
  ] as const) {
    assert.ok(reader.has(offset, length));
    assert.deepEqual(await reader.read(offset, length), slice(offset, length));
  }
  assert.equal(reader.requests, 2);
  assert.equal(reader.has(9, 2), false);
  assert.deepEqual(await reader.read(5, 50), slice(5, 50));
  assert.equal(reader.requests, 3);
});

test("who writes into what it got does not change what others get", async () => {
  const reader = new RememberedReads(memoryReader(BYTES));
  (await reader.read(0, 10)).fill(0);
  assert.deepEqual(await reader.read(0, 10), slice(0, 10));
  (await reader.read(2, 5)).fill(0);
  assert.deepEqual(await reader.read(0, 10), slice(0, 10));
});

test("of more than it may remember, the oldest goes; a read of more than half is not kept", async () => {
  const reader = new RememberedReads(memoryReader(BYTES), 40);
  for (const offset of [0, 20, 40]) await reader.read(offset, 20);
  assert.deepEqual([reader.has(0, 1), reader.has(20, 20), reader.has(40, 20)], [false, true, true]);
  await reader.read(60, 21);
  assert.equal(reader.has(60, 1), false);
});

test("reads beyond the end fail as the source does, and a signal ends them", async () => {
  const reader = new RememberedReads(memoryReader(BYTES));
  await assert.rejects(reader.read(90, 20), /the source ends before the bytes/);
  await reader.read(0, 10);
  await assert.rejects(reader.read(0, 10, AbortSignal.abort(new Error("enough"))), /^Error: enough$/);
});
