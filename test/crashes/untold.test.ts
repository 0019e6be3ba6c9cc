import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Operator, ProductStores } from "../../src/publication/index.ts";
import { dyingAt, nameOf, Workshop } from "../publication/workshop.ts";
import { bytesOf } from "./scenario.ts";

let workshop: Workshop;
afterEach(() => workshop?.stop());

const keysOf = async (product: string, sequence: number): Promise<string[]> =>
  (await workshop.ledger.membersOf("sst", product, sequence)).map(({ key }) => key);

const A = '{ timeseries: { name: a, calendar: { every: 1d, at: "12:00Z" }, store: store-a } }';
const B = '{ timeseries: { name: b, calendar: { every: 1d, at: "12:00Z" }, store: store-b } }';

test("a publication that nobody told the ledger of has the same members afterwards, though another product was first with them", async () => {
  workshop = await Workshop.start({ products: `[ ${A} ]` });
  for (const day of [1, 2]) await workshop.deliver(nameOf(day), bytesOf(day, day));
  await workshop.settle();
  workshop.use({ products: `[ ${A}, ${B} ]` });
  await assert.rejects(workshop.settle(workshop.newPublisher(dyingAt(workshop.ledger, "recordPublication"))), /died here/);
  await workshop.settle(workshop.newPublisher());
  assert.deepEqual(await keysOf("b", 1), ["20170601T120000Z", "20170602T120000Z"]);
  assert.deepEqual(await workshop.ledger.unpublished("sst", "b"), []);
  await workshop.deliver(nameOf(3), bytesOf(3, 3));
  await workshop.settle();
  assert.deepEqual([await keysOf("a", 2), await keysOf("b", 2)], [["20170603T120000Z"], ["20170603T120000Z"]]);
});

test("neither does a rebuild lose its members, nor does an overwritten range get any", async () => {
  workshop = await Workshop.start();
  for (const day of [1, 2]) await workshop.deliver(nameOf(day), bytesOf(day, day));
  await workshop.settle();
  const rebuild = (asked: { readonly from?: string }, ledger = workshop.ledger): Promise<unknown> => {
    const operator = new Operator({ ledger, scans: workshop.scans, stores: new ProductStores(), now: Date.now });
    const { reference, dataset } = workshop;
    const id = JSON.stringify(asked);
    const request = { id, reference, dataset, tick: () => undefined, signal: new AbortController().signal };
    return operator.carryOut(request, { kind: "rebuild", ...asked });
  };
  for (const [asked, sequence, members] of [
    [{}, 2, ["20170601T120000Z", "20170602T120000Z"]],
    [{ from: "2017-06-02T00:00:00Z" }, 3, []],
  ] as const) {
    await assert.rejects(rebuild(asked, dyingAt(workshop.ledger, "recordPublication")), /died here/);
    await rebuild(asked);
    assert.deepEqual(await keysOf("timeseries", sequence), members);
  }
});
