import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, describe, test } from "node:test";
import type { Operation, OperationResult } from "../../src/contract/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { Operator, ProductStores } from "../../src/publication/index.ts";
import { onStep, type Step } from "../../src/steps/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { nameOf, noon, Workshop, type WorkshopOptions } from "./workshop.ts";

// Found by the model (test/model), each told once more in plain words.

let workshop: Workshop;
afterEach(() => workshop?.stop());

const MATCH = "{valid:%Y%m%d%H%M%S}-{station:a|b}.nc";
const WHY = { reason: "the agency's file was wrong", by: "anna" };

async function start(options: WorkshopOptions = {}): Promise<void> {
  workshop = await Workshop.start({ match: MATCH, ...options });
}

/** One step on a day, at station a or b, in the first form or in another one that an operator has accepted. */
async function deliver(day: number, station: "a" | "b", value: number, isOtherForm = false) {
  const scale = isOtherForm ? 0.5 : 0.01;
  const sst = { scale_factor: ["scale_factor", "float32", [scale]] } as const;
  const bytes = granuleBytes({ seconds: [noon(day) / 1000], value: () => value, sst });
  return workshop.take(await workshop.put(nameOf(day, `-${station}`), bytes, `in/${value}`), isOtherForm);
}

async function operate(operation: Operation): Promise<OperationResult> {
  const { ledger, scans, dataset, reference } = workshop;
  const operator = new Operator({ ledger, scans, stores: new ProductStores(), now: Date.now });
  const signal = new AbortController().signal;
  const [result] = await operator.carryOut({ id: randomUUID(), reference, dataset, tick: () => undefined, signal }, operation);
  workshop.publisher = workshop.newPublisher();
  assert.ok(result);
  return result;
}

/** The work is done in a process that dies at a step. */
async function dying(at: Step, work: () => Promise<unknown>): Promise<void> {
  const stop = onStep((step) => {
    if (step === at) throw new Error(`died at ${step}`);
  });
  await assert.rejects(work(), /died at/);
  stop();
  workshop.publisher = workshop.newPublisher();
}

const epoch = async (number: number): Promise<number[]> =>
  (await workshop.read(number === 1 ? "sst" : `epoch_${number}/sst`)).filter((_, index) => index % 6 === 0);

describe("what leaves a product", () => {
  test("is superseded, though what took its place has lost it to another granule at once", async () => {
    await start();
    await deliver(4, "a", 1);
    await deliver(5, "a", 2, true);
    await workshop.settle();
    await deliver(5, "a", 3);
    await deliver(5, "b", 4);
    await workshop.settle();
    assert.deepEqual(await epoch(1), [1, 4]);
    assert.deepEqual(await epoch(2), [-32768]);
    assert.deepEqual(await workshop.states(), {
      "20170604T120000Z,a": "published",
      "20170605T120000Z,a": "superseded superseded",
      "20170605T120000Z,b": "published",
    });
  });

  test("is superseded also where its writer died before it said so, and upkeep let the version before go", async () => {
    await start({ maintenance: "{ grace: 1ms, keep: { versions: 1 } }" });
    await deliver(5, "a", 1);
    await workshop.settle();
    await deliver(5, "b", 2);
    await dying("publish: swapped", () => workshop.settle());
    await operate({ kind: "upkeep" });
    await workshop.settle();
    assert.deepEqual(await workshop.states(), { "20170605T120000Z,a": "superseded", "20170605T120000Z,b": "published" });
  });

  test("leaves the ledger too, when what took its place is withdrawn before the ledger hears of it", async () => {
    await start();
    await deliver(5, "a", 1);
    await workshop.settle();
    const second = await deliver(5, "a", 2);
    await dying("publish: swapped", () => workshop.settle());
    await workshop.ledger.record({ ...idOf(second), state: "withdrawn", reason: "gone" });
    await workshop.settle();
    assert.deepEqual(await workshop.states(), { "20170605T120000Z,a": "superseded withdrawn" });
    assert.deepEqual(await epoch(1), [-32768]);
  });
});

describe("a granule that has no place any more when it is published", () => {
  test("leaves its earlier revision where it stands, and can be announced again", async () => {
    await start();
    await deliver(4, "a", 1);
    await deliver(6, "a", 2);
    await workshop.settle();
    await deliver(6, "a", 3, true);
    workshop.use({ match: MATCH, calendar: '{ every: 1d, at: "12:00Z", to: "2017-06-05" }' });
    await workshop.settle();
    assert.deepEqual(await epoch(1), [1, -32768, 2]);
    assert.equal((await workshop.states())["20170606T120000Z,a"], "published quarantined");
    workshop.use({ match: MATCH });
    const [, uri] = (await workshop.ledger.revisionsOf("sst", "20170606T120000Z,a")).map((revision) => revision.uri as string);
    await workshop.take(uri as string, true);
    await workshop.settle();
    assert.equal((await workshop.states())["20170606T120000Z,a"], "superseded published");
    assert.deepEqual(await epoch(1), [1, -32768, -32768]);
    assert.deepEqual(await epoch(2), [3]);
  });

  test("is published, so that a release which would drop it is refused", async () => {
    await start();
    for (const day of [4, 6]) {
      await deliver(day, "a", day);
      await workshop.settle();
    }
    await operate({ kind: "rollback", to: 1, ...WHY });
    workshop.use({ match: MATCH, calendar: '{ every: 1d, at: "12:00Z", to: "2017-06-05" }' });
    await assert.rejects(operate({ kind: "release", ...WHY }), (error) => isFreshetError(error, "dataset-file"));
    workshop.use({ match: MATCH });
    await operate({ kind: "release", ...WHY });
    assert.deepEqual(await epoch(1), [4, -32768, 6]);
  });
});

describe("an operation that was given up when readers saw its version and the ledger did not", () => {
  test("is on record before the next one is carried out", async () => {
    await start();
    await deliver(4, "a", 1);
    await workshop.settle();
    await dying("publish: swapped", () => operate({ kind: "rollback", to: 1, ...WHY }));
    await assert.rejects(operate({ kind: "candidate" }), (error) => isFreshetError(error, "held"));
    await deliver(5, "a", 2);
    await dying("publish: swapped", () => operate({ kind: "release", ...WHY }));
    await operate({ kind: "rebuild", from: "2017-06-04T12:00:00Z", to: "2017-06-04T12:00:00Z", ...WHY });
    assert.deepEqual(await workshop.states(), { "20170604T120000Z,a": "published", "20170605T120000Z,a": "published" });
    const kinds = (await workshop.ledger.publications("sst", undefined, 10)).map(({ kind }) => kind);
    assert.deepEqual(kinds, ["overwrite", "release", "rollback", "publication"]);
  });
});

function idOf({ dataset, key, identity }: Awaited<ReturnType<typeof deliver>>) {
  return { dataset, key, identity };
}
