import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, test } from "node:test";
import type { Operation, OperationResult } from "../../src/contract/index.ts";
import { canonicalDataset } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { type Ledger, openLedger, type Publication } from "../../src/ledger/index.ts";
import { Operator, ProductStores } from "../../src/publication/index.ts";
import { restoreLedger } from "../../src/publication/restore-ledger.ts";
import { ScanStore } from "../../src/scan/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { nameOf, noon, Workshop, type WorkshopOptions } from "./workshop.ts";

let workshop: Workshop;
afterEach(() => workshop?.stop());

const scale = { scale_factor: ["scale_factor", "float32", [0.5]] } as const;
const bytes = (day: number, value: number, sst = {}): Uint8Array =>
  granuleBytes({ seconds: [noon(day) / 1000], value: () => value, sst });
const deliver = (day: number, value: number, suffix = "") => workshop.deliver(nameOf(day, suffix), bytes(day, value));
const restore = () => restoreLedger(workshop.dataset, workshop);

async function start(options: WorkshopOptions = {}): Promise<void> {
  workshop = await Workshop.start(options);
}

async function operate(operation: Operation): Promise<OperationResult> {
  const { ledger, scans, dataset, reference } = workshop;
  const operator = new Operator({ ledger, scans, stores: new ProductStores(), now: Date.now });
  const request = { id: randomUUID(), reference, dataset, tick: () => undefined, signal: new AbortController().signal };
  const [result] = await operator.carryOut(request, operation);
  assert.ok(result);
  workshop.publisher = workshop.newPublisher();
  return result;
}

/** A new, empty ledger to which the dataset file is applied. */
async function loseLedger(): Promise<void> {
  await workshop.ledger.close();
  for (const end of ["", "-wal", "-shm"]) await rm(join(workshop.folder, `ledger.db${end}`), { force: true });
  const ledger = await openLedger(join(workshop.folder, "ledger.db"));
  await ledger.putDataset(canonicalDataset(workshop.dataset));
  (workshop as { ledger: Ledger }).ledger = ledger;
  workshop.publisher = workshop.newPublisher();
}

/** What a ledger says of what is published; times of the clock aside. */
async function published(): Promise<unknown> {
  const { ledger, dataset } = workshop;
  const publications = (await ledger.publications(dataset.name, undefined, 1_000)).map(
    ({ atMs: _, ...publication }: Publication) => publication,
  );
  const members = [];
  for (const { product, sequence } of publications) members.push(await ledger.membersOf(dataset.name, product, sequence));
  const revisions = (await ledger.granules(dataset.name, { limit: 1_000 })).map(
    ({ key, identity, state, uri, size, etag, lastModifiedMs, scan, epoch, fields, published: by }) => ({
      ...{ key, identity, state, uri, size, etag, lastModifiedMs, scan, epoch, fields, by },
    }),
  );
  return { publications, members, revisions, templates: await ledger.templates(dataset.name) };
}

describe("a lost ledger, rebuilt from the store", () => {
  test("has its publications, members, revisions and templates as before, plans nothing, and goes on", async () => {
    await start({ match: "{valid:%Y%m%d%H%M%S}{suffix}.nc" });
    const deliverAs = (day: number, value: number) => deliver(day, value, "a");
    await deliverAs(2, 20);
    await deliverAs(3, 30);
    await workshop.settle();
    await deliverAs(1, 10);
    await workshop.settle();
    await deliverAs(3, 33);
    await workshop.settle();
    await workshop.deliver(nameOf(4, "a"), bytes(4, 40, scale), true);
    await workshop.settle();
    await deliver(2, 22, "b");
    await workshop.settle();
    const gone = await deliverAs(5, 50);
    await workshop.settle();
    const why = { reason: "to see", by: "anna" };
    await operate({ kind: "rollback", to: 6, ...why });
    await operate({ kind: "release", ...why });
    await operate({ kind: "rebuild", from: new Date(noon(1)).toISOString(), to: new Date(noon(1)).toISOString(), ...why });
    await workshop.ledger.record({ ...idOf(gone), state: "withdrawn", reason: "gone" });
    await workshop.settle();
    await operate({ kind: "rebuild", ...why });
    await deliverAs(6, 60);
    await workshop.settle();
    const before = await published();
    const steps = await workshop.steps();

    await loseLedger();
    const restored = await restore();
    assert.deepEqual(await published(), before);
    const [product] = restored.products;
    assert.deepEqual([product?.publications, product?.expired, product?.heldAt], [12, 0, undefined]);
    assert.deepEqual([restored.revisions, restored.placeless, restored.left], [8, 0, 2]);
    assert.deepEqual(await workshop.plan(), []);

    const again = await restore();
    assert.deepEqual([again.revisions, again.products[0]?.publications, again.left], [0, 0, 0]);
    assert.deepEqual(await published(), before);

    await deliverAs(7, 70);
    await workshop.deliver(nameOf(8, "a"), bytes(8, 80, scale));
    await deliverAs(1, 11);
    const [next] = await workshop.settle();
    assert.deepEqual([next?.sequence, next?.changed], [13, 3]);
    assert.deepEqual(await workshop.steps(), [11, ...steps.slice(1), 70]);
    assert.deepEqual(
      (await workshop.read("epoch_2/sst")).filter((_, index) => index % 6 === 0),
      [40, -32768, -32768, -32768, 80],
    );
    assert.deepEqual(await workshop.plan(), []);
  });

  test("of a product that is held leaves it held; its release brings back what the ledger had", async () => {
    await start();
    for (const day of [1, 2, 3]) {
      await deliver(day, day * 10);
      await workshop.settle();
    }
    await operate({ kind: "rollback", to: 1, reason: "wrong", by: "anna" });
    const before = await published();
    await loseLedger();
    const { products, left } = await restore();
    assert.deepEqual([products[0]?.heldAt, left], [1, 0]);
    assert.deepEqual(await published(), before);
    await operate({ kind: "release", reason: "right again", by: "anna" });
    assert.deepEqual(await workshop.steps(), [10, 20, 30]);
  });

  test("knows of every granule that stands, also where the first versions have expired", async () => {
    await start();
    for (const value of [1, 2, 3, 4, 5, 10]) {
      await deliver(1, value);
      await workshop.settle();
    }
    for (const day of [2, 3]) {
      await deliver(day, day * 10);
      await workshop.settle();
    }
    const { store } = await new ProductStores().open(workshop.dataset, workshop.dataset.products[0] as never);
    await store.upkeep({ retain: { newest: 1 }, graceMs: 0 });
    await loseLedger();
    const { products, revisions } = await restore();
    assert.deepEqual([products[0]?.versions, products[0]?.expired, revisions], [1, 7, 3]);
    assert.deepEqual(await workshop.states(), {
      "20170601T120000Z": "published",
      "20170602T120000Z": "published",
      "20170603T120000Z": "published",
    });
    assert.deepEqual(await workshop.plan(), []);
    // The store's cursor counts the events of the lost ledger: more than this one will have with the next granule.
    const { stored } = await new ProductStores().open(workshop.dataset, workshop.dataset.products[0] as never);
    assert.ok((stored?.header.cursor ?? 0) > (await workshop.ledger.lastSeq("sst")) + 2);
    await deliver(4, 40);
    await workshop.settle();
    assert.deepEqual(await workshop.steps(), [10, 20, 30, 40]);
  });

  test("says of which granules the scan is gone, and knows them all the same", async () => {
    await start();
    await deliver(1, 10);
    await workshop.settle();
    await loseLedger();
    await rm(join(workshop.folder, "scans"), { recursive: true });
    const { revisions, placeless } = await restoreLedger(workshop.dataset, {
      ledger: workshop.ledger,
      scans: new ScanStore(workshop.folder),
    });
    assert.deepEqual([revisions, placeless], [1, 1]);
    assert.deepEqual(await workshop.plan(), []);
  });

  test("is refused where the ledger knows other publications, or has measured granules by another one", async () => {
    await start();
    await deliver(1, 10);
    await workshop.settle();
    await loseLedger();
    await deliver(2, 20);
    await assert.rejects(restore(), (error) => isFreshetError(error, "corrupt") && /held against another/.test(error.message));
    await loseLedger();
    await workshop.ledger.recordPublication(
      {
        dataset: "sst",
        product: "timeseries",
        sequence: 1,
        snapshot: "ELSE",
        layoutHash: "0",
        atMs: 0,
        granules: 0,
        message: "",
      },
      [],
    );
    await assert.rejects(restore(), (error) => isFreshetError(error, "corrupt") && /#1, version ELSE/.test(error.message));
    assert.deepEqual(await workshop.states(), {});
  });
});

function idOf({ dataset, key, identity }: { dataset: string; key: string; identity: string }) {
  return { dataset, key, identity };
}
