import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { isFreshetError } from "../../src/errors/index.ts";
import { ProductStores, Publisher } from "../../src/publication/index.ts";
import { ScanStore, withSamples } from "../../src/scan/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { nameOf, noon, Workshop } from "./workshop.ts";

let workshop: Workshop;
let announced: string[];
let publisher: Publisher;
beforeEach(async () => {
  workshop = await Workshop.start();
  announced = [];
  const { ledger, scans } = workshop;
  const announceAgain = async (_dataset: string, uri: string): Promise<void> => void announced.push(uri);
  publisher = new Publisher({ ledger, scans, stores: new ProductStores(), now: Date.now, announceAgain });
});
afterEach(() => workshop.stop());

const bytes = (day: number, value: number): Uint8Array => granuleBytes({ seconds: [noon(day) / 1000], value: () => value });
const deliver = (day: number, value: number) => workshop.deliver(nameOf(day), bytes(day, value));

/** Publishes as the dataset workflow does: a void plan is followed by another. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    try {
      await workshop.settle(publisher);
      return;
    } catch (error) {
      if (!isFreshetError(error, "conflict")) throw error;
    }
  }
  throw new Error("it does not come to rest");
}

describe("one granule that cannot be published keeps no other back", () => {
  test("its source changed between scan and publication: it is announced again, the others are published", async () => {
    for (const day of [1, 2, 3]) await deliver(day, day * 10);
    const uri = await workshop.put(nameOf(2), bytes(2, 99));
    await settle();
    assert.deepEqual(await workshop.steps(), [10, -32768, 30]);
    assert.deepEqual(announced, [uri]);
    assert.equal((await workshop.states())["20170602T120000Z"], "quarantined");
    await workshop.take(uri);
    await settle();
    assert.deepEqual(await workshop.steps(), [10, 99, 30]);
  });

  test("its source went away between scan and publication", async () => {
    for (const day of [1, 2, 3]) await deliver(day, day * 10);
    await rm(join(workshop.folder, "in", nameOf(2)));
    await settle();
    assert.deepEqual(await workshop.steps(), [10, -32768, 30]);
    const [revision] = await workshop.ledger.revisionsOf("sst", "20170602T120000Z");
    assert.match(revision?.reason ?? "", /went away before it was published/);
  });

  test("its chunks do not decode to what another decoder read: quarantined with both, the others are published", async () => {
    for (const day of [1, 2, 3]) await deliver(day, day * 10);
    const [revision] = await workshop.ledger.revisionsOf("sst", "20170602T120000Z");
    const scans = new ScanStore(workshop.folder);
    const scan = await scans.get(revision?.scan as { uri: string; sha256: string });
    assert.ok(scan.samples !== undefined && scan.samples.taken.length > 0);
    const taken = scan.samples.taken.map((sample) => ({ ...sample, sha256: "0".repeat(64) }));
    const address = await scans.put(withSamples(scan, { ...scan.samples, taken }));
    const id = { dataset: "sst", key: "20170602T120000Z", identity: revision?.identity as string };
    await workshop.ledger.record({ ...id, state: "ready", scan: address });
    await settle();
    assert.deepEqual(await workshop.steps(), [10, -32768, 30]);
    const [after] = await workshop.ledger.revisionsOf("sst", "20170602T120000Z");
    assert.equal(after?.state, "quarantined");
    assert.match(after?.reason ?? "", /expected 0000000000000000…, as another decoder reads the source/);
    assert.deepEqual(announced, []);
  });
});
