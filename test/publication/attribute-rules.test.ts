import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import * as zarr from "zarrita";
import { isFreshetError } from "../../src/errors/index.ts";
import type { RevisionId } from "../../src/ledger/index.ts";
import { lookAtProduct } from "../../src/publication/index.ts";
import type { Attribute } from "../formats/netcdf3/netcdf3-bytes.ts";
import { granuleBytes } from "../products/made-granule.ts";
import { nameOf, noon, Workshop } from "./workshop.ts";

let workshop: Workshop;
beforeEach(async () => {
  workshop = await Workshop.start({
    attributes:
      "{ history: drop, begin: min, end: max, count: max, created: latest, comment: first, source: list, ':title': must-equal, long_name: must-equal }",
  });
});
afterEach(() => workshop.stop());

const words = (name: string, text: string): Attribute => [name, "char", text];

function deliver(day: number, source: string, version = 1, title = "made for tests"): Promise<RevisionId> {
  const date = `201706${String(day).padStart(2, "0")}T120000Z`;
  const sst = {
    begin: words("begin", date),
    end: words("end", date),
    count: ["count", "int16", [day]] as Attribute,
    created: words("created", `${date} v${version}`),
    comment: words("comment", `of day ${day}`),
    source: words("source", source),
    history: words("history", "made"),
  };
  return workshop.deliver(nameOf(day), granuleBytes({ seconds: [noon(day) / 1000], value: () => version, sst, title }));
}

async function attributes(): Promise<Record<string, unknown>> {
  const state = await lookAtProduct(workshop.dataset, workshop.dataset.products[0] as never);
  const store = (await state?.store.reader(state.head)) as unknown as zarr.AsyncReadable;
  const { attrs } = await zarr.open(zarr.root(store).resolve("sst"), { kind: "array" });
  const { begin, end, count, created, comment, source, history } = attrs;
  return { begin, end, count, created, comment, source, history };
}

const of = (begin: number, end: number, source: unknown, version = 1): Record<string, unknown> => {
  const date = (day: number): string => `201706${String(day).padStart(2, "0")}T120000Z`;
  const created = `${date(end)} v${version}`;
  return { begin: date(begin), end: date(end), count: end, created, comment: `of day ${begin}`, source, history: undefined };
};

describe("attributes in which granules differ, by rule", () => {
  test("say what is true of those that stand: in any order, replaced, withdrawn, written anew", async () => {
    await deliver(3, "A");
    await workshop.settle();
    assert.deepEqual(await attributes(), of(3, 3, "A"));
    const fifth = await deliver(5, "B");
    await deliver(2, "A");
    await workshop.settle();
    assert.deepEqual(await attributes(), of(2, 5, ["A", "B"]));
    await deliver(5, "C", 2);
    await workshop.settle();
    assert.deepEqual(await attributes(), of(2, 5, ["A", "C"], 2));

    const [latest] = (await workshop.ledger.revisionsOf("sst", fifth.key)).filter(({ state }) => state === "published");
    assert.ok(latest !== undefined);
    const { key, identity } = latest;
    await workshop.ledger.record({ dataset: "sst", key, identity, state: "withdrawn", reason: "gone" });
    await workshop.settle();
    const left = of(2, 3, "A");
    assert.deepEqual(await attributes(), left);

    workshop.publisher = workshop.newPublisher();
    await deliver(4, "A");
    await workshop.settle();
    assert.deepEqual(await attributes(), of(2, 4, "A"));
  });

  test("one that must be equal and is not is drift", async () => {
    await deliver(1, "A");
    await assert.rejects(
      deliver(2, "A", 1, "another dataset"),
      (error) =>
        isFreshetError(error, "drift") &&
        /\/ attribute title: found another dataset, expected made for tests/.test(error.message),
    );
  });
});
