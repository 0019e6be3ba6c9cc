import assert from "node:assert/strict";
import { join } from "node:path";
import { afterEach, describe, test } from "node:test";
import type { PublicationPlan } from "../../src/contract/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { lookAtProduct, type Publisher } from "../../src/publication/index.ts";
import { IcechunkStore } from "../../src/writers/icechunk/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { rootChange, storeIn } from "../writers/icechunk/a-store.ts";
import { datasetIn, dyingAt, nameOf, noon, Workshop, type WorkshopOptions } from "./workshop.ts";

let workshop: Workshop;
afterEach(() => workshop?.stop());

async function start(options: WorkshopOptions = {}): Promise<void> {
  workshop = await Workshop.start(options);
}

const deliver = (day: number, value: number, suffix = "") =>
  workshop.deliver(nameOf(day, suffix), granuleBytes({ seconds: [noon(day) / 1000], value: () => value }));

async function onlyPlan(publisher: Publisher = workshop.publisher): Promise<PublicationPlan> {
  const plans = await workshop.plan(publisher);
  assert.equal(plans.length, 1);
  return plans[0] as PublicationPlan;
}

const publish = (plan: PublicationPlan, publisher = workshop.publisher) =>
  publisher.publish(workshop.reference, workshop.dataset, plan, () => undefined);

async function versions(): Promise<string[]> {
  const [product] = workshop.dataset.products;
  const state = product && (await lookAtProduct(workshop.dataset, product));
  return ((await state?.store.versions(100)) ?? []).map(({ message }) => message.split("\n")[0] as string);
}

const sequences = async (): Promise<number[]> =>
  (await workshop.ledger.publications("sst", undefined, 100)).map(({ sequence }) => sequence);

const isConflict = (error: unknown): boolean => isFreshetError(error, "conflict");
const died = (error: unknown): boolean => isFreshetError(error, "storage") && /died here/.test(error.message);

describe("a publication that is done twice", () => {
  test("is one version, and the second attempt answers like the first", async () => {
    await start();
    await deliver(5, 50);
    const plan = await onlyPlan();
    const first = await publish(plan);
    const second = await publish(plan, workshop.newPublisher());
    assert.deepEqual({ ...second, atMs: 0 }, { ...first, atMs: 0 });
    assert.equal((await versions()).length, 1);
    assert.deepEqual(await sequences(), [1]);
  });

  test("at once, is one version; the loser is told that the plan is void, or that it is done", async () => {
    await start();
    await deliver(5, 50);
    const plan = await onlyPlan();
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => publish(plan, workshop.newPublisher())));
    for (const outcome of outcomes)
      if (outcome.status === "rejected") assert.ok(isConflict(outcome.reason), String(outcome.reason));
    assert.ok(outcomes.some(({ status }) => status === "fulfilled"));
    await workshop.settle();
    assert.equal((await versions()).length, 1);
    assert.deepEqual(await workshop.steps(), [50]);
    assert.deepEqual(await workshop.states(), { "20170605T120000Z": "published" });
  });

  test("with a plan that another publication overtook, is a conflict and writes nothing", async () => {
    await start();
    await deliver(5, 50);
    await workshop.settle();
    await deliver(6, 60);
    const stale = await onlyPlan();
    await deliver(5, 55);
    const [fresh] = await workshop.settle();
    assert.equal(fresh?.sequence, stale.sequence);
    await assert.rejects(publish(stale, workshop.newPublisher()), isConflict);
    await assert.rejects(publish({ ...stale, product: "gone" }), isConflict);
    assert.equal((await versions()).length, 2);
    assert.deepEqual(await workshop.steps(), [55, 60]);
  });
});

describe("a writer that dies", () => {
  test("after it wrote a version and before it published it: nobody sees it, and the next turn publishes", async () => {
    await start();
    await deliver(5, 50);
    await workshop.settle();
    await deliver(6, 60);
    const plan = await onlyPlan();
    const publish0 = IcechunkStore.prototype.publish;
    IcechunkStore.prototype.publish = () => Promise.reject(new Error("the process died here"));
    try {
      await assert.rejects(publish(plan, workshop.newPublisher()), /died here/);
    } finally {
      IcechunkStore.prototype.publish = publish0;
    }
    assert.deepEqual(await workshop.steps(), [50]);
    await publish(plan, workshop.newPublisher());
    assert.deepEqual(await workshop.steps(), [50, 60]);
    assert.equal((await versions()).length, 2);
  });

  test("after it published and before it told the ledger: its next attempt finds its own version and finishes", async () => {
    await start();
    await deliver(5, 50);
    const plan = await onlyPlan();
    await assert.rejects(publish(plan, workshop.newPublisher(dyingAt(workshop.ledger, "recordPublication"))), died);
    assert.deepEqual(await workshop.steps(), [50]);
    assert.deepEqual(await workshop.states(), { "20170605T120000Z": "ready" });
    const result = await publish(plan, workshop.newPublisher());
    assert.deepEqual([result.sequence, result.granules, result.changed], [1, 1, 1]);
    assert.deepEqual(await workshop.states(), { "20170605T120000Z": "published" });
    assert.equal((await versions()).length, 1);
    const [publication] = await workshop.ledger.publications("sst", undefined, 1);
    assert.equal(publication?.snapshot, result.version);
    assert.equal(publication?.parent, plan.parent);
    assert.match(publication?.message ?? "", /^sst\/timeseries #1: 1 added/);
  });

  test("there, and nobody comes back to it: the next turn records it first, then what has come since", async () => {
    await start({ match: "{valid:%Y%m%d%H%M%S}{version}.nc" });
    await deliver(5, 1, "v1");
    await workshop.settle();
    await deliver(5, 2, "v2");
    await deliver(6, 60, "v1");
    await deliver(6, 61, "v2");
    const dying = workshop.newPublisher(dyingAt(workshop.ledger, "recordPublication"));
    await assert.rejects(publish(await onlyPlan(dying), dying), died);
    await deliver(7, 70, "v1");
    const results = await workshop.settle(workshop.newPublisher());
    assert.deepEqual(
      results.map(({ sequence, changed }) => [sequence, changed]),
      [
        [2, 0],
        [3, 1],
      ],
    );
    assert.deepEqual(await workshop.steps(), [2, 61, 70]);
    assert.deepEqual(await sequences(), [3, 2, 1]);
    // The two that gave way are told so, also the one that gave way to another granule in the version nobody recorded.
    assert.deepEqual(Object.values(await workshop.states()), ["superseded", "published", "superseded", "published", "published"]);
    assert.deepEqual(await workshop.settle(workshop.newPublisher()), []);
  });

  test("before it told the ledger who gave way: the next turn says it, and nothing is published twice", async () => {
    await start({ match: "{valid:%Y%m%d%H%M%S}{version}.nc" });
    await deliver(5, 1, "v1");
    await workshop.settle();
    await deliver(5, 2, "v2");
    const dying = workshop.newPublisher(dyingAt(workshop.ledger, "record"));
    await assert.rejects(publish(await onlyPlan(dying), dying), died);
    await workshop.settle(workshop.newPublisher());
    assert.deepEqual(Object.values(await workshop.states()), ["superseded", "published"]);
    assert.equal((await versions()).length, 2);
  });

  test("with the ledger lost, the store's publication gets on record again and granules are not doubled", async () => {
    await start();
    await deliver(5, 50);
    await workshop.settle();
    const { openLedger } = await import("../../src/ledger/index.ts");
    const empty = await openLedger(join(workshop.folder, "other.db"));
    const [result, ...more] = await workshop.settle(workshop.newPublisher(empty));
    assert.deepEqual([result?.sequence, more.length], [1, 0]);
    assert.equal((await empty.publications("sst", "timeseries", 1))[0]?.sequence, 1);
    assert.equal((await versions()).length, 1);
    await empty.close();
  });
});

describe("a store that is not the product's own", () => {
  test("written by somebody else: refused, and not touched", async () => {
    await start();
    const store = await storeIn(join(workshop.folder, "store"));
    const parent = await store.head();
    const theirs = await store.stage(parent, rootChange({ mine: true }), "theirs");
    await store.publish(parent, theirs);
    await deliver(5, 50);
    await assert.rejects(
      workshop.settle(),
      (error) =>
        isFreshetError(error, "corrupt") &&
        /did not write.*Choose another store/.test(error.message) &&
        error.message.includes("/store"),
    );
    assert.equal(await store.head(), theirs);
  });

  test("of another product: refused with both names, whichever of them looks first, and also when it is remembered", async () => {
    await start();
    const other = datasetIn(workshop.folder, { name: "other" });
    await deliver(5, 50);
    const { publisher } = workshop;
    await workshop.settle(publisher);
    const refused = (error: unknown): boolean =>
      isFreshetError(error, "corrupt") && /found sst\/timeseries, expected other\/timeseries/.test(error.message);
    const mine = workshop.dataset;
    workshop.dataset = other;
    await assert.rejects(workshop.plan(publisher), refused);
    await assert.rejects(workshop.plan(workshop.newPublisher()), refused);
    workshop.dataset = mine;
    assert.deepEqual(await workshop.steps(), [50]);
  });

  test("both with an empty one: the second to publish gets a conflict, then the refusal", async () => {
    await start();
    const other = await Workshop.start({ name: "other", store: join(workshop.folder, "store") });
    try {
      await deliver(5, 50);
      await other.deliver(nameOf(6), granuleBytes({ seconds: [noon(6) / 1000] }));
      const [late] = await other.plan();
      assert.ok(late);
      await workshop.settle();
      await assert.rejects(
        other.publisher.publish(other.reference, other.dataset, late, () => undefined),
        (error) => isFreshetError(error, "conflict", "corrupt"),
      );
      await assert.rejects(other.settle(), (error) => isFreshetError(error, "corrupt"));
      assert.deepEqual(await workshop.steps(), [50]);
    } finally {
      await other.stop();
    }
  });

  test("of which a page was changed: its layout is not believed", async () => {
    await start();
    await deliver(5, 50);
    await workshop.settle();
    const store = await storeIn(join(workshop.folder, "store"));
    const head = await store.head();
    const group = JSON.parse(Buffer.from((await store.get(head, "_freshet/zarr.json")) as Uint8Array).toString());
    group.attributes.freshet.layoutHash = "0".repeat(64);
    const change = { groups: [{ path: "/_freshet", metadata: JSON.stringify(group) }], arrays: [] };
    await store.publish(head, await store.stage(head, change, "tampered"));
    await assert.rejects(
      workshop.plan(workshop.newPublisher()),
      (error) => isFreshetError(error, "corrupt") && /stored layout is not the one/.test(error.message),
    );
  });
});

describe("two products of one dataset", () => {
  test("both take up every granule, also when the first one's publication comes between", async () => {
    await start({
      products: `
  - timeseries: { name: a, calendar: { every: 1d, at: "12:00Z" }, store: store-a }
  - timeseries: { name: b, calendar: { every: 1d, at: "12:00Z" }, store: store-b }`,
    });
    await deliver(5, 50);
    await deliver(7, 70);
    const results = await workshop.settle();
    assert.deepEqual(
      results.map(({ product, sequence, granules }) => [product, sequence, granules]),
      [
        ["a", 1, 2],
        ["b", 1, 2],
      ],
    );
    await deliver(7, 71);
    await workshop.settle();
    for (const product of workshop.dataset.products)
      assert.deepEqual(
        (await workshop.read("sst", product)).filter((_, index) => index % 6 === 0),
        [50, -32768, 71],
      );
    assert.deepEqual(await workshop.publisher.plan(workshop.dataset), []);
  });
});
