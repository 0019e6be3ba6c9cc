import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, describe, test } from "node:test";
import type { Operation, OperationResult } from "../../src/contract/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { Operator, ProductStores } from "../../src/publication/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { nameOf, noon, Workshop, type WorkshopOptions } from "./workshop.ts";

let workshop: Workshop;
afterEach(() => workshop?.stop());

async function start(options: WorkshopOptions = {}): Promise<void> {
  workshop = await Workshop.start(options);
}

const bytes = (day: number, value: number): Uint8Array => granuleBytes({ seconds: [noon(day) / 1000], value: () => value });
const deliver = (day: number, value: number) => workshop.deliver(nameOf(day), bytes(day, value));

async function operate(operation: Operation, id: string = randomUUID()): Promise<OperationResult> {
  const { ledger, scans, dataset, reference } = workshop;
  const operator = new Operator({ ledger, scans, stores: new ProductStores(), now: Date.now });
  const request = { id, reference, dataset, tick: () => undefined, signal: new AbortController().signal };
  const [result] = await operator.carryOut(request, operation);
  assert.ok(result);
  workshop.publisher = workshop.newPublisher();
  return result;
}

const why = { reason: "the agency's file was wrong", by: "anna" };

describe("a rollback", () => {
  test("shows an earlier version again, forward, and holds until it is released", async () => {
    await start();
    for (const day of [1, 2, 3]) {
      await deliver(day, day * 10);
      await workshop.settle();
    }
    assert.deepEqual(await workshop.steps(), [10, 20, 30]);
    const back = await operate({ kind: "rollback", to: 2, ...why });
    assert.deepEqual([back.sequence, back.granules, back.isPublished], [4, 2, true]);
    assert.deepEqual(await workshop.steps(), [10, 20]);

    await deliver(4, 40);
    const [held, ...others] = await workshop.publisher.plan(workshop.dataset);
    assert.equal(others.length, 0);
    assert.ok(held !== undefined && "trouble" in held);
    assert.equal(held.kind, "held");
    assert.match(held.trouble, /#2 again .*anna: the agency's file was wrong/);
    await assert.rejects(operate({ kind: "rebuild" }), (error) => isFreshetError(error, "held"));
    const range = { from: "2017-06-01T00:00:00Z" };
    await assert.rejects(operate({ kind: "rebuild", ...range }), (error) => isFreshetError(error, "held"));

    const released = await operate({ kind: "release", ...why });
    assert.deepEqual([released.sequence, released.granules], [5, 4]);
    assert.deepEqual(await workshop.steps(), [10, 20, 30, 40]);
    assert.deepEqual(await workshop.settle(), []);
    assert.deepEqual(Object.values(await workshop.states()).sort(), ["published", "published", "published", "published"]);
    const kinds = (await workshop.ledger.publications("sst", undefined, 10)).map(({ kind }) => kind);
    assert.deepEqual(kinds, ["release", "rollback", "publication", "publication", "publication"]);
  });

  test("to a version with a granule that its source has replaced in place is refused: nobody could read it", async () => {
    await start();
    for (const day of [1, 2]) {
      await deliver(day, day * 10);
      await workshop.settle();
    }
    await deliver(2, 25);
    await workshop.settle();
    await assert.rejects(operate({ kind: "rollback", to: 2, ...why }), (error) => isFreshetError(error, "source-changed"));
    assert.deepEqual(await workshop.steps(), [10, 25]);
  });

  test("to a version of another calendar is refused: its slots stand for other times now", async () => {
    await start();
    await deliver(1, 10);
    await workshop.settle();
    workshop.use({ calendar: '{ every: 12h, at: "12:00Z" }' });
    await operate({ kind: "rebuild" });
    await assert.rejects(operate({ kind: "rollback", to: 1, ...why }), (error) => isFreshetError(error, "usage"));
    await operate({ kind: "rollback", to: 2, ...why });
  });

  test("what was withdrawn meanwhile does not come back with the release", async () => {
    await start();
    const one = await deliver(1, 10);
    await deliver(2, 20);
    await workshop.settle();
    await deliver(3, 30);
    await workshop.settle();
    await operate({ kind: "rollback", to: 1, ...why });
    await workshop.ledger.record({ dataset: "sst", key: one.key, identity: one.identity, state: "withdrawn", reason: "gone" });
    assert.deepEqual(await workshop.steps(), [10, 20]);
    await operate({ kind: "release", ...why });
    assert.deepEqual(await workshop.steps(), [-32768, 20, 30].slice(1));
  });

  test("to what is not a version of the product says which there are; of what nobody holds there is no release", async () => {
    await start();
    await deliver(1, 10);
    await workshop.settle();
    await assert.rejects(
      operate({ kind: "rollback", to: 7, ...why }),
      (error) => isFreshetError(error, "usage") && /found 7, expected #1 to #1/.test(error.message),
    );
    await assert.rejects(operate({ kind: "release", ...why }), (error) => isFreshetError(error, "usage"));
  });

  test("asked for twice by the same request is one version", async () => {
    await start();
    for (const day of [1, 2]) {
      await deliver(day, day * 10);
      await workshop.settle();
    }
    const first = await operate({ kind: "rollback", to: 1, ...why }, "request");
    const second = await operate({ kind: "rollback", to: 1, ...why }, "request");
    assert.equal(second.version, first.version);
    assert.equal((await workshop.ledger.publications("sst", undefined, 10)).length, 3);
  });
});

describe("a rebuild", () => {
  test("of the whole writes everything anew from the ledger, and readers see the same", async () => {
    await start();
    for (const day of [1, 3]) {
      await deliver(day, day * 10);
      await workshop.settle();
    }
    const rebuilt = await operate({ kind: "rebuild", ...why });
    assert.deepEqual([rebuilt.sequence, rebuilt.granules, rebuilt.changed, rebuilt.isPublished], [3, 2, 2, true]);
    assert.deepEqual(await workshop.steps(), [10, -32768, 30]);
    await deliver(2, 20);
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [10, 20, 30]);
  });

  test("with a limit is a trial that nobody sees but who opens it", async () => {
    await start();
    for (const day of [1, 2, 3]) await deliver(day, day * 10);
    await workshop.settle();
    const trial = await operate({ kind: "rebuild", limit: 2, ...why });
    assert.deepEqual([trial.isPublished, trial.granules], [false, 2]);
    assert.deepEqual(await workshop.steps(trial.version), [10, 20]);
    assert.deepEqual(await workshop.steps(), [10, 20, 30]);
  });

  test("of a range writes its granules again from new scans, and no others", async () => {
    await start();
    for (const day of [1, 2, 3]) await deliver(day, day * 10);
    await workshop.settle();
    const range = { from: new Date(noon(2)).toISOString(), to: new Date(noon(3)).toISOString() };
    const written = await operate({ kind: "rebuild", ...range, limit: 1, ...why });
    assert.deepEqual([written.changed, written.isPublished], [1, true]);
    assert.match(written.notes[0] ?? "", /1 more granules/);
    assert.deepEqual(await workshop.steps(), [10, 20, 30]);
    const none = await operate({ kind: "rebuild", from: "2030-01-01T00:00:00Z", ...why });
    assert.equal(none.version, undefined);
  });

  test("of a range whose source has changed is refused, and nothing changes", async () => {
    await start();
    for (const day of [1, 2]) await deliver(day, day * 10);
    await workshop.settle();
    await workshop.put(nameOf(2), bytes(2, 99));
    await assert.rejects(operate({ kind: "rebuild", from: "2017-06-01T00:00:00Z", ...why }), (error) =>
      isFreshetError(error, "source-changed"),
    );
    assert.equal((await workshop.ledger.publications("sst", undefined, 10)).length, 1);
  });

  test("writes over a branch that somebody moved by hand, which is told before", async () => {
    await start();
    for (const day of [1, 2]) {
      await deliver(day, day * 10);
      await workshop.settle();
    }
    const [second, first] = await workshop.ledger.publications("sst", undefined, 2);
    const { store } = await new ProductStores().open(workshop.dataset, workshop.dataset.products[0] as never);
    await store.publish(second?.snapshot as string, first?.snapshot as string);
    await deliver(3, 30);
    workshop.publisher = workshop.newPublisher();
    await assert.rejects(
      workshop.settle(),
      (error) => isFreshetError(error, "corrupt") && /moved the store's branch main/.test(error.message),
    );
    const rebuilt = await operate({ kind: "rebuild", ...why });
    assert.equal(rebuilt.sequence, 3);
    assert.deepEqual(await workshop.steps(), [10, 20, 30]);
    assert.deepEqual(await workshop.settle(), []);
  });
});

describe("a candidate", () => {
  test("is the next version, readable and unpublished", async () => {
    await start();
    await deliver(1, 10);
    await workshop.settle();
    await deliver(2, 20);
    const candidate = await operate({ kind: "candidate" });
    assert.equal(candidate.isPublished, false);
    assert.deepEqual(await workshop.steps(candidate.version), [10, 20]);
    assert.deepEqual(await workshop.steps(), [10]);
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [10, 20]);
    assert.equal((await operate({ kind: "candidate" })).version, undefined);
  });
});

describe("a granule of another form that was accepted", () => {
  const wider = (day: number, value: number): Uint8Array =>
    granuleBytes({ seconds: [noon(day) / 1000], value: () => value, sst: { scale_factor: ["scale_factor", "float32", [0.5]] } });

  test("begins an epoch in a group of its own; each granule goes where its form is", async () => {
    await start();
    await deliver(1, 10);
    await assert.rejects(workshop.deliver(nameOf(2), wider(2, 20)), (error) => isFreshetError(error, "drift"));
    await workshop.deliver(nameOf(2), wider(2, 20), true);
    await deliver(3, 30);
    await workshop.deliver(nameOf(4), wider(4, 40));
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [10, -32768, 30]);
    assert.deepEqual(
      (await workshop.read("epoch_2/sst")).filter((_, index) => index % 6 === 0),
      [20, -32768, 40],
    );
    // The first form again: it leaves the second epoch.
    await deliver(2, 22);
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [10, 22, 30]);
    assert.deepEqual(
      (await workshop.read("epoch_2/sst")).filter((_, index) => index % 6 === 0),
      [-32768, -32768, 40],
    );
    await operate({ kind: "rebuild", ...why });
    assert.deepEqual(await workshop.steps(), [10, 22, 30]);
    assert.deepEqual(
      (await workshop.read("epoch_2/sst")).filter((_, index) => index % 6 === 0),
      [40],
    );
  });
});
