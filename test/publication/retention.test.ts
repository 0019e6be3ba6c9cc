import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, describe, test } from "node:test";
import type { Operation, OperationResult } from "../../src/contract/index.ts";
import { checkProduct, Operator, ProductStores } from "../../src/publication/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { nameOf, noon, Workshop } from "./workshop.ts";

let workshop: Workshop;
afterEach(() => workshop?.stop());

const FILL = -32768;
const bytes = (day: number, value: number): Uint8Array => granuleBytes({ seconds: [noon(day) / 1000], value: () => value });
const deliver = (day: number, value = day * 10) => workshop.deliver(nameOf(day), bytes(day, value));

async function start(keep: string): Promise<void> {
  const products = `[ { timeseries: { calendar: { every: 1d, at: "12:00Z" }, keep: ${keep}, store: store } } ]`;
  workshop = await Workshop.start({ products });
}

async function operate(operation: Operation): Promise<OperationResult> {
  const { ledger, scans, dataset, reference } = workshop;
  const operator = new Operator({ ledger, scans, stores: new ProductStores(), now: () => workshop.now() });
  const request = { id: randomUUID(), reference, dataset, tick: () => undefined, signal: new AbortController().signal };
  const [result] = await operator.carryOut(request, operation);
  assert.ok(result);
  workshop.publisher = workshop.newPublisher();
  return result;
}

async function requireAgreement(): Promise<void> {
  const { dataset, ledger, scans } = workshop;
  const [product] = dataset.products;
  assert.ok(product);
  const check = await checkProduct(dataset, product, { ledger, scans }, { chunks: 8, sources: 10 });
  assert.deepEqual(check.disagreements, []);
}

const stateOf = async (day: number) => {
  const [first] = await workshop.ledger.revisionsOf("sst", `2017060${day}T120000Z`);
  return `${first?.state}: ${first?.reason}`;
};

describe("what a product keeps no longer", () => {
  test("expires by a decision in the ledger, leaves with the next version as a gap, and is refused when it comes late", async () => {
    await start("{ granules: 3, front: keep }");
    for (const day of [2, 3, 4, 5]) await deliver(day);
    await workshop.settle();
    const trial = await operate({ kind: "upkeep", dryRun: true });
    assert.equal(trial.notes[0], "1 granules would expire");
    assert.deepEqual(await workshop.settle(), []);

    const done = await operate({ kind: "upkeep" });
    assert.equal(done.notes[0], "1 granules expired");
    assert.match(await stateOf(2), /^withdrawn: expired: valid 2017-06-02T12:00:00Z, before what timeseries keeps/);
    assert.equal((await workshop.settle()).length, 1);
    assert.deepEqual(await workshop.steps(), [FILL, 30, 40, 50]);
    await requireAgreement();
    // Once more changes nothing.
    assert.doesNotMatch((await operate({ kind: "upkeep" })).notes[0] ?? "", /granules expire/);

    // The source still has it, and lists it again.
    const again = await workshop.deliver(nameOf(2), bytes(2, 20)).catch(() => undefined);
    assert.ok(again);
    await deliver(1);
    await workshop.settle();
    assert.match(await stateOf(1), /^skipped: expired: valid 2017-06-01T12:00:00Z/);
    assert.deepEqual(await workshop.steps(), [FILL, 30, 40, 50]);
    await requireAgreement();

    const back = await operate({ kind: "rollback", to: 1, reason: "to look at it", by: "anna" });
    assert.match(back.notes[0] ?? "", /1 granules of that version are left out/);
    assert.deepEqual(await workshop.steps(), [FILL, 30, 40, 50]);
    await requireAgreement();
    await operate({ kind: "release", reason: "seen", by: "anna" });
    assert.deepEqual(
      (await workshop.steps()).filter((value) => value !== FILL),
      [30, 40, 50],
    );

    await operate({ kind: "rebuild" });
    assert.deepEqual(await workshop.steps(), [30, 40, 50]);
    await requireAgreement();
  });

  test("is cut off once more has expired than is left, by age", async () => {
    await start("{ for: 3d }");
    workshop.now = () => noon(5);
    for (const day of [2, 3, 4, 5]) await deliver(day);
    await workshop.settle();
    assert.doesNotMatch((await operate({ kind: "upkeep" })).notes[0] ?? "", /granules expire/);
    workshop.now = () => noon(7);
    await operate({ kind: "upkeep" });
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [FILL, FILL, 40, 50]);
    workshop.now = () => noon(8);
    const cut = await operate({ kind: "upkeep" });
    assert.deepEqual(cut.notes.slice(0, 1), ["1 granules expired"]);
    await workshop.settle();
    const next = await operate({ kind: "upkeep" });
    assert.match(next.notes[0] ?? "", /positions of what has expired are cut off, 1 granules written anew/);
    assert.deepEqual(await workshop.steps(), [50]);
    await requireAgreement();
  });
});
