import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isFreshetError } from "../../src/errors/index.ts";
import { REVISION_STATES, type RevisionState } from "../../src/ledger/index.ts";
import { checkTransition, statesAfter } from "../../src/ledger/transitions.ts";

/** Rows: from; columns: to. */
const TABLE = `
             heard  ready  published  superseded  duplicate  skipped  quarantined  withdrawn
unknown      yes    -      -          -           -          -        -            -
heard        yes    yes    -          yes         yes        yes      yes          yes
ready        yes    yes    yes        yes         yes        yes      yes          yes
published    -      -      yes        yes         -          -        -            yes
superseded   yes    -      yes        yes         -          -        -            yes
duplicate    yes    -      -          -           yes        -        -            yes
skipped      yes    -      yes        -           -          yes      -            yes
quarantined  yes    yes    yes        yes         yes        yes      yes          yes
withdrawn    yes    -      yes        -           -          -        -            yes
`;
const [columns = [], ...rows] = TABLE.trim()
  .split("\n")
  .map((line) => line.trim().split(/\s+/));

describe("what may follow what", () => {
  for (const [from, ...cells] of rows) {
    test(`after ${from}`, () => {
      const state = from === "unknown" ? undefined : (from as RevisionState);
      const expected = columns.filter((_, index) => cells[index] === "yes");
      assert.deepEqual([...statesAfter(state)].sort(), expected.sort());
    });
  }

  test("covers every state", () => {
    assert.deepEqual(columns, REVISION_STATES);
    assert.deepEqual(
      rows.map(([from]) => from),
      ["unknown", ...REVISION_STATES],
    );
  });

  test("published never becomes unpublished by anything but a replacement or a withdrawal", () => {
    for (const to of ["heard", "ready", "duplicate", "skipped", "quarantined"] as const) {
      assert.throws(
        () => checkTransition("published", to, "d/k"),
        (error) => isFreshetError(error, "conflict"),
      );
    }
  });

  test("a refusal says what is, what may lead there, where, and what to do", () => {
    assert.throws(() => checkTransition("published", "ready", "ostia/20170605T120000Z (etag:1)"), {
      message:
        "a revision that is published cannot become ready: found published, expected one of heard, ready, quarantined" +
        " (ostia/20170605T120000Z (etag:1)). Look at its history (freshet status DATASET GRANULE): something else has decided in the meantime.",
    });
  });
});
