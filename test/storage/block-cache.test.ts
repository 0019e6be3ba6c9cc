import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FreshetError } from "../../src/errors/index.ts";
import { type RangeReader, withBlockCache, withCounters } from "../../src/storage/index.ts";
import { memoryReader } from "./memory-reader.ts";

const BYTES = Uint8Array.from({ length: 100 }, (_, index) => index);

/** A source of 100 bytes that writes down what it is asked for. */
function recorded(): { readonly reader: RangeReader; readonly asked: string[] } {
  const asked: string[] = [];
  const memory = memoryReader(BYTES);
  const reader: RangeReader = {
    ...memory,
    read: (offset, length, signal) => {
      asked.push(`${offset}+${length}`);
      return memory.read(offset, length, signal);
    },
  };
  return { reader, asked };
}

describe("the block cache", () => {
  test("gives exactly the bytes asked for, whatever the blocks", async () => {
    for (const blockBytes of [1, 7, 10, 100, 1000]) {
      const cache = withBlockCache(memoryReader(BYTES), { blockBytes, maxBytes: 400 });
      for (let offset = 0; offset <= 100; offset += 9) {
        for (const length of [0, 1, 10, 31, 100 - offset]) {
          if (offset + length > 100) continue;
          assert.deepEqual(
            await cache.read(offset, length),
            BYTES.slice(offset, offset + length),
            `${offset}+${length} by ${blockBytes}`,
          );
        }
      }
    }
  });

  test("asks for aligned blocks, each once", async () => {
    const { reader, asked } = recorded();
    const cache = withBlockCache(reader, { blockBytes: 16, maxBytes: 1000 });
    await cache.read(20, 4);
    await cache.read(17, 2);
    await cache.read(30, 4);
    await cache.read(96, 4);
    assert.deepEqual(asked, ["16+16", "32+16", "96+4"]);
  });

  test("fetches neighbouring misses by one read, around what it has", async () => {
    const { reader, asked } = recorded();
    const cache = withBlockCache(reader, { blockBytes: 10, maxBytes: 1000 });
    await cache.read(45, 1);
    await cache.read(10, 80);
    assert.deepEqual(asked, ["40+10", "10+30", "50+40"]);
  });

  test("does not ask twice for a block that is on its way", async () => {
    const { reader, asked } = recorded();
    const cache = withBlockCache(reader, { blockBytes: 50 });
    const [a, b] = await Promise.all([cache.read(0, 5), cache.read(10, 5)]);
    assert.deepEqual([a?.[0], b?.[0], asked], [0, 10, ["0+50"]]);
  });

  test("drops the block not used for longest", async () => {
    const { reader, asked } = recorded();
    const cache = withBlockCache(reader, { blockBytes: 10, maxBytes: 20 });
    for (const offset of [0, 10, 0, 20, 0, 10]) await cache.read(offset, 1);
    assert.deepEqual(asked, ["0+10", "10+10", "20+10", "10+10"]);
  });

  test("lets a large read through without keeping it", async () => {
    const { reader, asked } = recorded();
    const cache = withBlockCache(reader, { blockBytes: 10, maxBytes: 40 });
    await cache.read(5, 30);
    await cache.read(5, 1);
    assert.deepEqual(asked, ["5+30", "0+10"]);
  });

  test("does not keep a failure", async () => {
    let failures = 1;
    const memory = memoryReader(BYTES);
    const cache = withBlockCache({
      ...memory,
      read: (offset, length) =>
        failures-- > 0 ? Promise.reject(new FreshetError("source-unavailable", "not now")) : memory.read(offset, length),
    });
    await assert.rejects(cache.read(3, 2), /not now/);
    assert.deepEqual(await cache.read(3, 2), Uint8Array.of(3, 4));
  });

  test("reads more at first, and what lies between neighbours", async () => {
    const { reader, asked } = recorded();
    const cache = withBlockCache(reader, { blockBytes: 5, firstBytes: 18, gapBytes: 5 });
    await cache.read(0, 1);
    await cache.read(19, 1);
    await Promise.all([cache.read(30, 1), cache.read(40, 1), cache.read(55, 1)]);
    await cache.read(37, 1);
    assert.deepEqual(asked, ["0+20", "30+15", "55+5"]);
  });

  test("reads ahead behind what was read before, as far as its credit goes, which grows by what is used", async () => {
    const { reader, asked } = recorded();
    const cache = withBlockCache(reader, { blockBytes: 5, aheadBytes: 10 });
    for (let offset = 0; offset < 100; offset += 5) assert.equal((await cache.read(offset, 1))[0], offset);
    assert.deepEqual(asked, ["0+5", "5+10", "15+20", "35+35", "70+30"]);
    const jumping = recorded();
    const elsewhere = withBlockCache(jumping.reader, { blockBytes: 5, aheadBytes: 10 });
    for (const offset of [0, 20, 25, 60, 65, 70, 90]) await elsewhere.read(offset, 1);
    assert.deepEqual(jumping.asked, ["0+5", "20+5", "25+10", "60+5", "65+10", "90+10"]);
  });

  test("brings more with every read after a few, once reading ahead has been worth it", async () => {
    const { reader, asked } = recorded();
    const cache = withBlockCache(reader, { blockBytes: 2, aheadBytes: 4 });
    for (const offset of [0, 2, 4, 6, 8, 10, 12, 20, 40, 60]) await cache.read(offset, 1);
    assert.deepEqual(asked, ["0+2", "2+4", "6+8", "20+2", "40+14", "60+2"]);
  });

  test("fetches the rest of a small source as soon as its beginning is not enough", async () => {
    const { reader, asked } = recorded();
    const cache = withBlockCache(reader, { blockBytes: 10, firstBytes: 20, wholeBytes: 100 });
    await cache.read(5, 10);
    assert.deepEqual(asked, ["0+20"]);
    await cache.read(50, 1);
    await cache.read(25, 70);
    assert.deepEqual(asked, ["0+20", "20+80"]);
  });

  test("lets the event loop turn though everything is there", async () => {
    const cache = withBlockCache(memoryReader(BYTES), { blockBytes: 100 });
    await cache.read(0, 1);
    let turns = 0;
    const turning = setInterval(() => turns++);
    for (const end = performance.now() + 60; performance.now() < end; ) await cache.read(1, 1);
    clearInterval(turning);
    assert.ok(turns > 0);
  });

  test("knows what was asked for", async () => {
    const cache = withBlockCache(memoryReader(BYTES), { blockBytes: 30, firstBytes: 60 });
    await cache.read(95, 1);
    await cache.read(3, 1);
    assert.deepEqual(cache.usedBlocks(), [
      { offset: 0, length: 30 },
      { offset: 90, length: 10 },
    ]);
  });

  test("refuses what lies beyond the end without asking", async () => {
    const { reader, asked } = recorded();
    await assert.rejects(withBlockCache(reader).read(99, 2), /found 100 bytes in all, expected 2 bytes from 99/);
    await assert.rejects(withBlockCache(reader).read(-1, 2), /truncated|expected 2 bytes from -1/);
    assert.deepEqual(asked, []);
  });
});

test("counters count reads and the bytes that they brought", async () => {
  const counted = withCounters(memoryReader(BYTES));
  await counted.read(0, 10);
  await counted.read(90, 10);
  await assert.rejects(counted.read(99, 10));
  assert.deepEqual([counted.requests, counted.bytes, counted.size, counted.uri], [3, 20, 100, "memory:test"]);
});

test("counters count round trips: reads that waited for one another", async () => {
  const counted = withCounters(memoryReader(BYTES));
  await Promise.all([counted.read(0, 1), counted.read(1, 1), counted.read(2, 1)]);
  await counted.read(3, 1);
  assert.deepEqual([counted.requests, counted.roundTrips], [4, 2]);
});
