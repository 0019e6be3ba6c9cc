import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ApplicationFailure, ApplicationFailureCategory, CancelledFailure } from "@temporalio/common";
import { toFailure } from "../../src/activities/index.ts";
import { type ErrorKind, FreshetError } from "../../src/errors/index.ts";

/** What each kind means; the type makes sure that none is forgotten. */
const MEANINGS = {
  usage: "give up",
  "dataset-file": "give up",
  "source-missing": "wait",
  "source-unavailable": "retry",
  "source-refused": "give up",
  "source-changed": "give up",
  busy: "wait",
  truncated: "give up",
  "unknown-format": "give up",
  malformed: "give up",
  unsupported: "give up",
  drift: "give up",
  held: "give up",
  conflict: "give up",
  storage: "retry",
  corrupt: "give up",
  expired: "give up",
  unreachable: "retry",
} as const satisfies Record<ErrorKind, "retry" | "wait" | "give up">;

function failureOf(error: unknown, attempt = 1): ApplicationFailure {
  const failure = toFailure(error, attempt);
  assert.ok(failure instanceof ApplicationFailure);
  return failure;
}

describe("what an error means for Temporal", () => {
  for (const [kind, meaning] of Object.entries(MEANINGS)) {
    test(`${kind}: ${meaning}`, () => {
      const failure = failureOf(
        new FreshetError(kind as ErrorKind, "it failed", { found: "x", uri: "https://h/a", remedy: "Do that" }),
      );
      assert.equal(failure.type, kind);
      assert.equal(failure.nonRetryable, meaning === "give up");
      assert.equal(failure.category === ApplicationFailureCategory.BENIGN, meaning === "wait");
      assert.equal(failure.message, "it failed: found x (https://h/a). Do that");
    });
  }

  test("the facts go along, the cause does not: it may hold anything", () => {
    const failure = failureOf(
      new FreshetError("drift", "no", { found: "a", expected: "b", path: "/v", cause: new Error("secret") }),
    );
    assert.deepEqual(failure.details, [{ summary: "no", found: "a", expected: "b", path: "/v" }]);
    assert.ok(!JSON.stringify(failure).includes("secret"));
  });

  test("a server that says when to come back is believed, but for an hour at most", () => {
    const delayOf = (retryAfterMs: number) =>
      failureOf(new FreshetError("source-unavailable", "later", { retryAfterMs })).nextRetryDelay;
    assert.equal(delayOf(7_000), 7_000);
    assert.equal(delayOf(10 * 365 * 86_400_000), 3_600_000);
    assert.equal(failureOf(new FreshetError("source-unavailable", "later")).nextRetryDelay, undefined);
  });

  test("what is not ours is tried again a few times, then it is a defect, with its cause", () => {
    const error = new TypeError("x is not a function");
    for (const attempt of [1, 4]) assert.equal(toFailure(error, attempt), error);
    const failure = failureOf(error, 5);
    assert.deepEqual([failure.type, failure.nonRetryable], ["defect", true]);
    assert.match(failure.message, /TypeError: x is not a function/);
    assert.equal(failure.cause, error);
    assert.match(failureOf("a string", 9).message, /a string/);
  });

  test("Temporal's own failures and a cancelled read pass as they are, whatever the attempt", () => {
    const abort = new DOMException("stopped", "AbortError");
    for (const error of [new CancelledFailure("stop"), abort]) assert.equal(toFailure(error, 99), error);
  });
});
