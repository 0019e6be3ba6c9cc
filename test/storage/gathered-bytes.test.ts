import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { GatheredBytes } from "../../src/storage/gathered-bytes.ts";
import { releaseBytes } from "../../src/storage/release-bytes.ts";

suite("pieces of an answer", () => {
  for (const expected of [0, Number.NaN, 3, 6, 100]) {
    test(`are put together in their order, ${expected} bytes expected`, () => {
      const gathered = new GatheredBytes(expected);
      for (const piece of [[1, 2, 3], [], [4], [5, 6]]) gathered.add(Uint8Array.from(piece));
      assert.equal(gathered.length, 6);
      const bytes = gathered.bytes();
      assert.deepEqual([...bytes], [1, 2, 3, 4, 5, 6]);
      assert.equal(bytes.buffer.byteLength, 6);
    });
  }

  test("give their memory back where they are all of it, and leave that of others alone", () => {
    const whole = new Uint8Array(64);
    releaseBytes(whole);
    assert.equal(whole.length, 0);
    const shared = new Uint8Array(64).fill(7);
    releaseBytes(shared.subarray(1));
    releaseBytes(shared.subarray(0, 63));
    assert.deepEqual([...shared], new Array(64).fill(7));
  });
});
