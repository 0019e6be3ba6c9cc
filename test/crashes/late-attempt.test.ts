import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Operation, OperationResult } from "../../src/contract/index.ts";
import { Operator, ProductStores } from "../../src/publication/index.ts";
import { nameOf, Workshop } from "../publication/workshop.ts";
import { bytesOf } from "./scenario.ts";

let workshop: Workshop;
after(() => workshop?.stop());

test("an attempt at a rollback that comes when it was made, and released, long ago changes nothing", async () => {
  workshop = await Workshop.start();
  const { ledger, scans, dataset, reference } = workshop;
  const operate = async (id: string, operation: Operation): Promise<OperationResult> => {
    const operator = new Operator({ ledger, scans, stores: new ProductStores(), now: Date.now });
    const request = { id, reference, dataset, tick: () => undefined, signal: new AbortController().signal };
    const [result] = await operator.carryOut(request, operation);
    assert.ok(result);
    return result;
  };
  for (const day of [1, 2]) {
    await workshop.deliver(nameOf(day), bytesOf(day, day));
    await workshop.settle();
  }
  const why = { reason: "the agency's file was wrong", by: "anna" };
  const rollback = { kind: "rollback", to: 1, ...why } as const;
  const made = await operate("first", rollback);
  await operate("second", { kind: "release", ...why });
  const late = await operate("first", rollback);
  assert.deepEqual([late.version, late.sequence, late.granules], [made.version, 3, 1]);
  assert.equal((await ledger.publications("sst", undefined, 10)).length, 4);
  assert.deepEqual(await workshop.steps(), [1, 2]);
});
