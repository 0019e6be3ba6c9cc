import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Dataset, parseDatasetFile, type Runs } from "../../src/dataset/index.ts";
import type { RevisionState } from "../../src/ledger/index.ts";
import { countMembers, describeAwaited, forecastRun } from "../../src/products/index.ts";

const HOUR = 3_600_000;
const RUN = Date.UTC(2024, 8, 1, 6);

function runsOf(runs: string): Runs {
  const text = `
sources: { s: { at: /data } }
---
name: d
from: { source: s }
match: "{run:%Y%m%d%H}.{kind:n|f}{lead:3h}.nc"
runs: ${runs}
products: [ { forecast: { store: /store } } ]`;
  return (parseDatasetFile(text, { file: "/x.yaml" }).datasets[0] as Dataset).runs as Runs;
}

/** Nowcasts lie 2 h to 0 h before the run, forecasts 0 h to 5 h after it. */
const RUNS = runsOf("{ every: 6h, leads: 0h..5h/1h, nowcast: { kind: n, valid: run-3h+lead, leads: 1h..3h/1h }, deadline: 4h }");
const ALL = [...[1, 2, 3].map((lead) => ["n", lead] as const), ...[0, 1, 2, 3, 4, 5].map((lead) => ["f", lead] as const)];

const granule = (kind: "n" | "f", lead: number, state: RevisionState = "ready", heardMs = RUN + HOUR, steps = 1) => ({
  state,
  heardMs,
  fields: { run: RUN, kind, lead: lead * HOUR, ...(steps === 1 ? {} : { steps }) },
});

const statesOf = (granules: readonly ReturnType<typeof granule>[], nowMs: number): string =>
  forecastRun(RUNS, RUN, granules, nowMs)
    .members.map(({ state, isLate }) => (isLate ? "L" : state[0]))
    .join("");

describe("a run", () => {
  test("of which nothing is there is open until its deadline, then late, a week later given up", () => {
    const stateAt = (ms: number) => forecastRun(RUNS, RUN, [], ms).state;
    assert.equal(stateAt(RUN), "open");
    assert.equal(stateAt(RUN + 4 * HOUR), "open");
    assert.equal(stateAt(RUN + 4 * HOUR + 1), "late");
    assert.equal(stateAt(RUN + (4 + 168) * HOUR), "late");
    assert.equal(stateAt(RUN + (4 + 168) * HOUR + 1), "given up");
    assert.equal(forecastRun(RUNS, RUN, [], RUN).heardMs, undefined);
  });

  test("is complete once every cell has something, whatever the time, and what is missing is said by its leads", () => {
    const some = ALL.filter(([kind, lead]) => kind === "n" || (lead !== 1 && lead < 4));
    const part = forecastRun(
      RUNS,
      RUN,
      some.map(([kind, lead]) => granule(kind, lead)),
      RUN + 5 * HOUR,
    );
    assert.equal(part.state, "late");
    assert.equal(describeAwaited(part.members), "1h, 4h..5h");
    const whole = forecastRun(
      RUNS,
      RUN,
      ALL.map(([kind, lead]) => granule(kind, lead)),
      RUN + 900 * HOUR,
    );
    assert.equal(whole.state, "complete");
    assert.equal(describeAwaited(whole.members), "");
    const none = forecastRun(RUNS, RUN, [], RUN);
    assert.equal(describeAwaited(none.members), "nowcast -2h..0h, 0h..5h");
  });

  test("has one state a cell: published, ready, under way, quarantined, skipped, missing; late is what came after the deadline", () => {
    const granules = [
      granule("n", 1, "published"),
      granule("n", 2, "ready"),
      granule("n", 3, "heard"),
      granule("f", 0, "quarantined"),
      granule("f", 1, "skipped"),
      granule("f", 2, "withdrawn"),
      granule("f", 3, "published", RUN + 5 * HOUR),
    ];
    assert.equal(statesOf(granules, RUN + 6 * HOUR), "prhqsmLmm");
    assert.equal(statesOf(granules.slice(0, 6), RUN + HOUR), "prhqseeee");
    const counts = countMembers(forecastRun(RUNS, RUN, granules, RUN + 6 * HOUR).members);
    assert.deepEqual(counts, { published: 2, ready: 1, heard: 1, quarantined: 1, skipped: 1, missing: 3, expected: 0 });
  });

  test("takes of several revisions of a granule the one that is furthest", () => {
    for (const order of [
      [granule("f", 0, "published"), granule("f", 0, "quarantined")],
      [granule("f", 0, "superseded"), granule("f", 0, "published")],
    ])
      assert.equal(statesOf(order, RUN)[3], "p");
  });

  test("has as many cells of a granule as that has steps, none beyond its last", () => {
    assert.equal(statesOf([granule("f", 0, "ready", RUN, 3)], RUN), "eeerrreee");
    assert.equal(statesOf([granule("f", 4, "ready", RUN, 99)], RUN), "eeeeeeerr");
  });

  test("has nothing of other runs, nor of leads that no run has", () => {
    const other = { ...granule("f", 0), fields: { run: RUN + 6 * HOUR, kind: "f", lead: 0 } };
    assert.equal(statesOf([other as ReturnType<typeof granule>, granule("f", 77)], RUN), "e".repeat(9));
  });

  test("without a deadline is never late", () => {
    const runs = runsOf("{ every: 6h, leads: 0h..5h/1h }");
    assert.equal(forecastRun(runs, RUN, [], RUN + 100 * HOUR).state, "open");
    assert.equal(forecastRun(runs, RUN, [], RUN + 169 * HOUR).state, "given up");
  });
});
