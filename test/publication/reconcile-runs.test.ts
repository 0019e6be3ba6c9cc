import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { namesOf } from "../../src/dataset/index.ts";
import { expireGranules } from "../../src/publication/expire.ts";
import { type ComparedPart, reconcilePart } from "../../src/publication/reconcile/reconcile-part.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { Workshop } from "./workshop.ts";

const DAY = 86_400_000;
const JUNE = Date.UTC(2017, 5, 1);
/** Run 0 begins on 1 June, run 1 on 4 June; three days each, due after two. */
const runMs = (run: number): number => JUNE + run * 3 * DAY;

let workshop: Workshop;
afterEach(() => workshop?.stop());

const start = async (keep = "", deadline = ", deadline: 2d"): Promise<void> => {
  workshop = await Workshop.start({
    match: "{run:%Y%m%d}f{lead:1d}.nc",
    runs: `{ every: 3d, at: "2017-06-01T00:00Z", leads: 0d..2d/1d${deadline} }`,
    products: `[ { forecast: { views: [fmrc], store: "store"${keep} } } ]`,
  });
};

async function deliver(run: number, ...leads: readonly number[]): Promise<void> {
  const day = new Date(runMs(run)).toISOString().slice(0, 10).replaceAll("-", "");
  for (const lead of leads)
    await workshop.deliver(`${day}f${lead}.nc`, granuleBytes({ seconds: [runMs(run) / 1000 + lead * 86_400] }));
}

function compare(nowMs: number, span: { readonly fromMs?: number; readonly toMs?: number } = {}, fromMs?: number) {
  const { ledger, scans, dataset } = workshop;
  return reconcilePart(
    { step: "runs", fromMs },
    {
      ...{ ledger, scans, dataset, names: namesOf(dataset), act: false, signal: new AbortController().signal },
      ...{ span: { fromMs: span.fromMs, toMs: span.toMs }, onProgress: () => undefined, now: () => nowMs },
      announce: () => assert.fail("nothing is announced"),
    },
  );
}
const told = ({ deviations }: ComparedPart): string[] => deviations.map(({ kind, where, found }) => `${kind} ${where}: ${found}`);

describe("a reconciliation, of the runs of a forecast", () => {
  test("tells the cells that are due and that nobody has heard of, by run; also of runs of which there is nothing", async () => {
    await start();
    await deliver(0, 1);
    await deliver(2, 0, 1, 2);
    await workshop.settle();
    const part = await compare(runMs(3) + DAY);
    assert.deepEqual(told(part), [
      "overdue run 20170601T0000Z: 1 of 3 cells; nobody has heard of 0h, 48h",
      "overdue run 20170604T0000Z: 0 of 3 cells; nobody has heard of 0h..48h",
    ]);
    assert.match(part.deviations[0]?.expected ?? "", /since 2017-06-03T00:00:00.000Z/);
    assert.deepEqual([part.compared, part.next], [12, { step: "ledger" }]);
    const later = await compare(runMs(3) + 2 * DAY + 1);
    assert.equal(later.counts.overdue, 3, "the fourth is due now");
  });

  test("what is heard of, or was decided by somebody, is not overdue", async () => {
    await start();
    await deliver(0, 0, 1);
    const fields = { run: runMs(0), lead: 2 * DAY };
    const key = namesOf(workshop.dataset).key(fields);
    await workshop.ledger.hear({ dataset: "sst", key, identity: "size:1:x", fields });
    await workshop.ledger.giveUpRun("sst", { runMs: runMs(1), reason: "the model failed", by: "anna", leave: false });
    assert.deepEqual(told(await compare(runMs(1) + 2 * DAY + 1)), []);
  });

  test("without a deadline a run is due once granules are awaited no longer", async () => {
    await start("", "");
    await deliver(0, 0, 1);
    const dueMs = runMs(0) + workshop.dataset.await.deadlineMs;
    assert.deepEqual(told(await compare(dueMs)), []);
    assert.deepEqual(told(await compare(dueMs + 1)), ["overdue run 20170601T0000Z: 2 of 3 cells; nobody has heard of 48h"]);
  });

  test("a span of valid times takes the cells in it, of every run that has some", async () => {
    await start();
    await deliver(1, 0);
    const part = await compare(runMs(9), { fromMs: runMs(1) - DAY, toMs: runMs(1) + DAY });
    assert.deepEqual(told(part), [
      "overdue run 20170601T0000Z: 0 of 1 cells; nobody has heard of 48h",
      "overdue run 20170604T0000Z: 1 of 2 cells; nobody has heard of 24h",
    ]);
  });

  test("runs that are kept no longer are not looked at", async () => {
    await start(", keep: { runs: 2 }");
    await deliver(0, 0);
    await deliver(2, 0);
    await deliver(3, 0, 1, 2);
    const nowMs = runMs(4) - 1;
    workshop.now = () => nowMs;
    await workshop.settle();
    const { ledger, dataset } = workshop;
    const expired = await expireGranules({ ledger, now: () => nowMs }, dataset, () => undefined, false);
    assert.equal(expired.length, 1);
    await workshop.settle();
    assert.deepEqual(told(await compare(nowMs)), ["overdue run 20170607T0000Z: 1 of 3 cells; nobody has heard of 24h..48h"]);
  });

  test("goes on part by part to the last run that has begun", async () => {
    await start();
    await deliver(0, 0, 1, 2);
    const first = await compare(runMs(600));
    assert.deepEqual(first.next, { step: "runs", fromMs: runMs(500) });
    const second = await compare(runMs(600), {}, runMs(500));
    assert.deepEqual([first.counts.overdue, second.counts.overdue, second.next], [499, 100, { step: "ledger" }]);
  });
});
