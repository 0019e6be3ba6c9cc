import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { subdivide } from "../../src/formats/subdivision.ts";

const MB = 2 ** 20;

describe("an array stored in one piece is cut", () => {
  const cases: readonly (readonly [shape: number[], elementBytes: number, wanted: number, chunk: number[]])[] = [
    // Not at all while it is small, has no elements, or is a scalar.
    [[10, 10], 4, MB, [10, 10]],
    [[0, 10_000_000], 8, MB, [1, 10_000_000]],
    [[], 8, 1, []],
    // On the slow axis alone, in steps that divide it.
    [[73, 1000, 1000], 4, 16 * MB, [1, 1000, 1000]],
    [[48, 1000, 1000], 4, 16 * MB, [4, 1000, 1000]],
    [[12, 1000, 1000], 2, 16 * MB, [6, 1000, 1000]],
    // On the next one where a step is still too large.
    [[3, 40, 1000, 1000], 4, 16 * MB, [1, 4, 1000, 1000]],
    // Where only a far smaller divisor would fit, a larger chunk is better; a prime length stays whole.
    [[104_729, 1000], 8, 16 * MB, [104_729, 1000]],
    [[10_007 * 2, 1000], 8, 16 * MB, [10_007, 1000]],
    // Into no more than 65 536 chunks.
    [[2 ** 40], 8, 1, [2 ** 24]],
    [[2 ** 26, 2 ** 20], 8, MB, [2 ** 10, 2 ** 20]],
  ];
  for (const [shape, elementBytes, wanted, chunk] of cases) {
    test(`${JSON.stringify(shape)} of ${elementBytes} bytes, wanted ${wanted}`, () => {
      assert.deepEqual(subdivide(shape, elementBytes, wanted), chunk);
      for (const [axis, length] of chunk.entries()) assert.equal((shape[axis] as number) % length, 0);
    });
  }

  test("not at all where no size is wanted", () => {
    assert.deepEqual(subdivide([1000, 1000, 1000], 8, Number.POSITIVE_INFINITY), [1000, 1000, 1000]);
  });
});
