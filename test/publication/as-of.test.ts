import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { Dataset } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { buildAsOf, lookAtProduct, ProductStores, publicationAsOf } from "../../src/publication/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { nameOf, noon, Workshop } from "./workshop.ts";

describe("a dataset as it was known", () => {
  let workshop: Workshop;
  const moments: number[] = [];
  const bytes = (day: number, value: number): Uint8Array => granuleBytes({ seconds: [noon(day) / 1000], value: () => value });
  before(async () => {
    workshop = await Workshop.start();
    const settle = async (): Promise<void> => {
      await workshop.settle();
      await sleep(2);
      moments.push(Date.now());
      await sleep(2);
    };
    moments.push(Date.now() - 1);
    await workshop.deliver(nameOf(1), bytes(1, 10));
    await workshop.take(await workshop.put(nameOf(2), bytes(2, 20), "in/first"));
    await settle();
    // Another place of the same granule: the first bytes stay where they are.
    await workshop.take(await workshop.put(nameOf(2), bytes(2, 25), "in/second"));
    const three = await workshop.deliver(nameOf(3), bytes(3, 30));
    await settle();
    await workshop.ledger.record({ ...three, state: "withdrawn", reason: "gone" });
    await settle();
    await rm(join(workshop.folder, "in", nameOf(1)));
  });
  after(() => workshop?.stop());

  async function build(moment: number, name: string) {
    const { ledger, scans, reference, folder } = workshop;
    const [declared] = workshop.dataset.products;
    assert.ok(declared);
    const product = { ...declared, store: pathToFileURL(join(folder, name)).href };
    const dataset: Dataset = { ...workshop.dataset, products: [product] };
    const parts = { ledger, scans, stores: new ProductStores(), now: Date.now };
    const asked = { tick: () => undefined, signal: new AbortController().signal };
    const built = await buildAsOf(parts, { reference, dataset, product }, moments[moment] as number, asked);
    const state = await lookAtProduct(dataset, product);
    assert.equal(state?.head, built.version);
    const values = new Set(await workshop.read("sst", product));
    return { ...built, sequence: state?.stored?.header.sequence, values: [...values] };
  }

  test("is the version that readers saw then", async () => {
    const numbers = moments.map(async (ms) => (await publicationAsOf(workshop.ledger, "sst", "timeseries", ms))?.sequence);
    assert.deepEqual(await Promise.all(numbers), [undefined, 1, 2, 3]);
  });

  test("is built anew from the ledger, without what its source has no more, into a store of its own", async () => {
    const head = (await lookAtProduct(workshop.dataset, workshop.dataset.products[0] as never))?.head;
    const first = await build(1, "then-1");
    assert.deepEqual([first.sequence, first.granules, first.gone, first.values], [1, 1, ["20170601T120000Z"], [20]]);
    const second = await build(2, "then-2");
    assert.deepEqual([second.sequence, second.granules, second.values], [2, 2, [25, 30]]);
    assert.equal((await lookAtProduct(workshop.dataset, workshop.dataset.products[0] as never))?.head, head);
    assert.deepEqual(await workshop.settle(), []);
    await assert.rejects(build(2, "then-2"), (error) => isFreshetError(error, "usage") && /holds something/.test(error.message));
    await assert.rejects(build(0, "then-0"), (error) => isFreshetError(error, "usage"));
  });
});
