import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, test } from "node:test";
import type { Operation } from "../../src/contract/index.ts";
import { canonicalDataset, type TimeseriesProduct } from "../../src/dataset/index.ts";
import { type Ledger, openLedger } from "../../src/ledger/index.ts";
import {
  checkProduct,
  lookAtProduct,
  Operator,
  type ProductCheck,
  ProductStores,
  restoreLedger,
} from "../../src/publication/index.ts";
import { StaleSources } from "../../src/publication/stale-sources.ts";
import { ScanStore } from "../../src/scan/index.ts";
import { IcechunkStore } from "../../src/writers/icechunk/index.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { nameOf, noon, Workshop } from "./workshop.ts";

let workshop: Workshop;
afterEach(() => workshop?.stop());

const bytes = (day: number, value: number): Uint8Array => granuleBytes({ seconds: [noon(day) / 1000], value: () => value });
const deliver = (day: number, value: number) => workshop.deliver(nameOf(day), bytes(day, value));
const product = (): TimeseriesProduct => workshop.dataset.products[0] as TimeseriesProduct;
const KEY = (day: number): string => `201706${String(day).padStart(2, "0")}T120000Z`;

async function published(...days: readonly number[]): Promise<void> {
  workshop = await Workshop.start();
  for (const day of days) {
    await deliver(day, day * 10);
    await workshop.settle();
  }
}

async function operate(operation: Operation): Promise<void> {
  const { ledger, scans, dataset, reference } = workshop;
  const operator = new Operator({ ledger, scans, stores: new ProductStores(), now: Date.now });
  const request = { id: randomUUID(), reference, dataset, tick: () => undefined, signal: new AbortController().signal };
  await operator.carryOut(request, operation);
}

function check(options: { readonly sources?: number; readonly chunks?: number } = {}): Promise<ProductCheck> {
  const parts = { ledger: workshop.ledger, scans: new ScanStore(workshop.folder) };
  return checkProduct(workshop.dataset, product(), parts, { sources: 50, chunks: 8, ...options });
}

/** What was compared, and what disagrees: `layout KEY`. */
function summary({ compared, disagreements }: ProductCheck): { compared: string[]; wrong: string[] } {
  return {
    compared: compared.map(({ subject, count, of, note }) => `${subject} ${count} of ${of}${note === "" ? "" : `: ${note}`}`),
    wrong: disagreements.map(({ subject, where }) => `${subject} ${where.split(" ")[0]}`),
  };
}

/** Another ledger under the same dataset file. */
async function newLedger(): Promise<void> {
  await workshop.ledger.close();
  for (const end of ["", "-wal", "-shm"]) await rm(join(workshop.folder, `ledger.db${end}`), { force: true });
  (workshop as { ledger: Ledger }).ledger = await openLedger(join(workshop.folder, "ledger.db"));
  await workshop.ledger.putDataset(canonicalDataset(workshop.dataset));
}

describe("store, ledger and sources that say the same", () => {
  test("are compared in full, and nothing disagrees", async () => {
    await published(1, 2, 3);
    const checked = await check();
    assert.deepEqual(summary(checked), {
      compared: ["version 1 of 1", "layout 3 of 3", "source 3 of 3", "chunk 3 of 8"],
      wrong: [],
    });
    assert.equal(checked.sequence, 3);
    assert.deepEqual(summary(await check({ sources: 1, chunks: 1 })).compared.slice(2), ["source 1 of 3", "chunk 1 of 1"]);
  });

  test("with a granule that waits for the next publication", async () => {
    await published(1);
    await deliver(2, 20);
    const { compared, wrong } = summary(await check());
    assert.deepEqual([compared[1], wrong], ["layout 1 of 1: 1 more wait for the next publication", []]);
  });

  test("while an operator holds the product: it is compared with the version that is shown again", async () => {
    await published(1, 2);
    await operate({ kind: "rollback", to: 1, reason: "wrong", by: "anna" });
    const checked = await check();
    assert.deepEqual([checked.heldAt, summary(checked).compared[1]], [1, "layout 1 of 1: held: compared with #1"]);
    assert.deepEqual(checked.disagreements, []);
  });

  test("where nothing is published: it says that nothing was measured", async () => {
    workshop = await Workshop.start();
    assert.deepEqual(summary(await check()), { compared: ["version 0 of 0: nothing is published"], wrong: [] });
  });

  test("after the ledger was rebuilt from the store", async () => {
    await published(1, 2);
    await newLedger();
    assert.match((await check()).disagreements[0]?.remedy ?? "", /freshet ledger rebuild/);
    await restoreLedger(workshop.dataset, workshop);
    assert.deepEqual(summary(await check()).wrong, []);
  });
});

describe("the version that readers see disagrees with the ledger", () => {
  const onlyVersion = async (): Promise<string> => {
    const { disagreements, compared } = await check();
    assert.deepEqual([...new Set(disagreements.map(({ subject }) => subject))], ["version"]);
    if (compared[1] !== undefined) assert.match(compared[1].note, /not compared/);
    const [{ found, remedy } = { found: "", remedy: "" }] = disagreements;
    return `${found}; ${remedy}`;
  };

  test("because main was moved back", async () => {
    await published(1, 2);
    const [second, first] = await workshop.ledger.publications("sst", undefined, 2);
    const { store } = await new ProductStores().open(workshop.dataset, product());
    await store.publish(second?.snapshot as string, first?.snapshot as string);
    assert.match(await onlyVersion(), /#1, .*older; Somebody moved main back/);
  });

  test("because somebody else committed to it", async () => {
    await published(1);
    const state = await lookAtProduct(workshop.dataset, product());
    const { store, head } = state as NonNullable<typeof state>;
    const metadata = JSON.stringify({ zarr_format: 3, node_type: "group", attributes: {} });
    await store.publish(head, await store.stage(head, { groups: [{ path: "/theirs", metadata }], arrays: [] }, "theirs"));
    assert.match(await onlyVersion(), /made from it; Somebody else has written/);
  });

  test("because the store is gone", async () => {
    await published(1);
    await rm(join(workshop.folder, "store"), { recursive: true });
    assert.match(await onlyVersion(), /an empty store; Bring the store back/);
  });

  test("because the store is somebody else's", async () => {
    await published(1);
    await rm(join(workshop.folder, "store"), { recursive: true });
    const split = { dimension: "time", chunks: 50 };
    const store = await IcechunkStore.openOrCreate({ folder: join(workshop.folder, "store"), prefixes: [], split });
    const metadata = JSON.stringify({ zarr_format: 3, node_type: "group", attributes: {} });
    const head = await store.head();
    await store.publish(head, await store.stage(head, { groups: [{ path: "/", metadata }], arrays: [] }, "theirs"));
    assert.match(await onlyVersion(), /did not write/);
  });

  test("because its writer died before it told the ledger", async () => {
    await published(1);
    await deliver(2, 20);
    const dead = new Proxy(workshop.ledger, {
      get: (target, name) => {
        if (name === "recordPublication") return () => Promise.reject(new Error("died"));
        const member = Reflect.get(target, name) as unknown;
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
    await assert.rejects(workshop.settle(workshop.newPublisher(dead)), /died/);
    assert.match(await onlyVersion(), /#2, .*the next turn does/);
  });
});

describe("the layout disagrees with the ledger", () => {
  test("that says that a granule has given way, and one is published that does not stand there", async () => {
    await published(1, 2);
    // In another ledger, whose numbers have not reached those of the first.
    for (let day = 10; day < 20; day++) await workshop.ledger.hear({ dataset: "sst", key: `other-${day}`, identity: "one" });
    await deliver(3, 30);
    await workshop.settle();
    const rows = await workshop.ledger.granules("sst", { state: "published", limit: 10 });
    const [latest] = await workshop.ledger.publications("sst", undefined, 1);
    await newLedger();
    const members = [...rows.map(({ key, identity }) => ({ key, identity })), { key: KEY(9), identity: "lost" }].slice(1);
    for (const { key, identity } of members) await workshop.ledger.hear({ dataset: "sst", key, identity });
    for (const { key, identity } of members) await workshop.ledger.record({ dataset: "sst", key, identity, state: "ready" });
    await workshop.ledger.recordPublication({ ...latest, parent: undefined } as never, members);
    await workshop.ledger.record({ dataset: "sst", ...(members[0] as (typeof members)[0]), state: "superseded", reason: "told" });
    for (let day = 0; day < 40; day++) await workshop.ledger.hear({ dataset: "sst", key: `more-${day}`, identity: "one" });
    const { disagreements } = await check();
    assert.deepEqual(disagreements.map(({ subject, where }) => `${subject} ${where}`).sort(), [
      `layout ${KEY(1)}`,
      `layout ${KEY(2)}`,
      `layout ${KEY(9)}`,
    ]);
    const expected = new Map(disagreements.map((each) => [each.where, `${each.found} / ${each.expected}`]));
    assert.match(expected.get(KEY(1)) ?? "", /shown \/ a revision that the ledger has heard of/);
    assert.match(expected.get(KEY(2)) ?? "", /shown \/ not there: the ledger says superseded \(told\)/);
    assert.match(expected.get(KEY(9)) ?? "", /not in the product \/ lost/);
  });
});

describe("a source disagrees with what references expect", () => {
  test("because it was replaced, or is gone; readers of the chunks are told too, beyond the newest as well", async () => {
    await published(1, 2, 3);
    await workshop.put(nameOf(1), bytes(1, 99));
    await rm(join(workshop.folder, "in", nameOf(2)));
    const all = await check();
    assert.deepEqual(summary(all).wrong.sort(), [`source ${KEY(1)}`, `source ${KEY(2)}`]);
    assert.match(all.disagreements.find(({ where }) => where.startsWith(KEY(2)))?.found ?? "", /nothing there/);
    assert.match(all.disagreements[0]?.remedy ?? "", /freshet ingest file:/);
    const newest = await check({ sources: 1 });
    assert.deepEqual(summary(newest).wrong.sort(), [`source ${KEY(1)}`, `source ${KEY(2)}`]);
    assert.deepEqual(summary(newest).compared.slice(2), ["source 1 of 3", "chunk 1 of 8"]);
  });

  test("because its scan is lost: nothing could be made of it again", async () => {
    await published(1);
    await rm(join(workshop.folder, "scans"), { recursive: true });
    const { compared, wrong } = summary(await check());
    assert.deepEqual(wrong, [`source ${KEY(1)}`]);
    assert.match(compared[3] ?? "", /^chunk 0 of 8: no chunk could be compared: a scan cannot be read/);
  });
});

describe("a chunk disagrees with the source", () => {
  test("because the store has something else there", async () => {
    await published(1);
    const state = await lookAtProduct(workshop.dataset, product());
    const { store, head } = state as NonNullable<typeof state>;
    const metadata = Buffer.from((await store.get(head, "sst/zarr.json")) as Uint8Array).toString("utf8");
    const native = [{ index: [0, 0, 0], bytes: new Uint8Array(12) }];
    const arrays = [{ path: "/sst", metadata, virtual: [], native, erase: [], patch: undefined }];
    await store.publish(head, await store.stage(head, { groups: [], arrays }, "theirs"));
    const { disagreements } = await check();
    assert.deepEqual(
      disagreements.map(({ subject }) => subject),
      ["version", "chunk"],
    );
    const [, { where, expected, remedy } = { where: "", expected: "", remedy: "" }] = disagreements;
    assert.equal(where, `/sst chunk [0,0,0], ${KEY(1)}`);
    assert.match(expected, /as netcdfjs .* reads the source/);
    assert.match(remedy, /freshet rebuild DATASET --from 2017-06-01T12:00:00.000Z/);
  });

  test("because the source holds other coordinates under an unchanged size and time", async () => {
    await published(1);
    const path = join(workshop.folder, "in", nameOf(1));
    const { mtime } = await stat(path);
    await writeFile(path, granuleBytes({ seconds: [noon(1) / 1000], value: () => 10, latitudes: [11, 21] }));
    await utimes(path, mtime, mtime);
    const { disagreements } = await check();
    assert.deepEqual(
      disagreements.map(({ subject, where }) => `${subject} ${where}`),
      [`chunk ${KEY(1)} /lat`],
    );
    assert.match(disagreements[0]?.found ?? "", /the scan has 10 as element 0/);
  });
});

describe("sources that the ledger knows to be stale", () => {
  test("are those that another revision has replaced in place, and those that a sweep missed", async () => {
    await published(1, 2);
    const rows = await workshop.ledger.granules("sst", { limit: 10 });
    assert.equal((await StaleSources.of(workshop.ledger, workshop.dataset)).count(rows), 0);
    await deliver(1, 11);
    await workshop.settle();
    const two = rows.find(({ key }) => key === KEY(2));
    assert.ok(two);
    await workshop.ledger.noteSource(two, { state: "gone", found: "404", atMs: 1 });
    const stale = await StaleSources.of(workshop.ledger, workshop.dataset);
    assert.equal(stale.count(rows), 2);
    assert.match(stale.why(rows[0] as never) ?? "", /^(replaced in place|changed since)/);
    assert.match(stale.why(two) ?? "", /^gone since .*: 404$/);
    const [now] = await workshop.ledger.granules("sst", { state: "published", limit: 1 });
    assert.equal(stale.why(now as never), undefined);
  });
});
