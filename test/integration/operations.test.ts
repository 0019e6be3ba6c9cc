import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import * as zarr from "zarrita";
import { withMistake } from "../../src/cli/demo/mistakes.ts";
import { datasetWorkflowId, maintenanceWorkflowId, type OperationResult } from "../../src/contract/index.ts";
import type { Dataset } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { lookAtProduct } from "../../src/publication/index.ts";
import { applyDatasets } from "../../src/starters/index.ts";
import { OSTIA, type RealGranule } from "../support/granules.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

const PATIENCE = { timeout: 240_000 };
const [FIRST, SECOND, THIRD] = OSTIA as [RealGranule, RealGranule, RealGranule];

describe("operators and a dataset that runs", { skip: missingTemporal() }, () => {
  let world: World;
  let dataset: Dataset;

  before(async () => {
    world = await World.start({ mirror: true });
    dataset = world.dataset("ostia");
    for (const granule of [FIRST, SECOND]) await world.deliver(granule);
  }, PATIENCE);
  after(() => world.stop(), PATIENCE);

  async function ask(name: string, asked: object): Promise<OperationResult> {
    const handle = world.client.workflow.getHandle(datasetWorkflowId("ostia"));
    const [result] = (await handle.executeUpdate(name, { args: [asked] })) as OperationResult[];
    return result as OperationResult;
  }

  async function shapeOf(path: string): Promise<readonly number[]> {
    const current = (await world.ledger.currentDataset("ostia")) as { text: string };
    const { products } = JSON.parse(current.text) as Dataset;
    const state = await lookAtProduct(dataset, products[0] as Dataset["products"][number]);
    assert.ok(state);
    const store = (await state.store.reader(state.head)) as unknown as zarr.AsyncReadable;
    return (await zarr.open(zarr.root(store).resolve(path), { kind: "array" })).shape;
  }

  const why = { reason: "a look back", by: "anna" };

  test("roll back, hold and release by updates, while granules go on arriving", PATIENCE, async () => {
    const back = await ask("rollback", { to: 1, ...why });
    assert.deepEqual([back.isPublished, back.granules], [true, 1]);
    await world.agency.publish(THIRD.name, { copyOf: THIRD.path });
    const { workflowId } = await world.announce(THIRD.name);
    await world.client.workflow.getHandle(workflowId).result();
    const status = () =>
      world.client.workflow.getHandle(datasetWorkflowId("ostia")).query<{ stage: string; held: string[] }>("status");
    await world.until(async () => (await status()).stage === "held", "the dataset says that it is held");
    assert.match((await status()).held[0] ?? "", /#1 again .*anna: a look back/);
    assert.deepEqual((await shapeOf("/time"))[0], 1);
    const released = await ask("release", why);
    assert.equal(released.granules, 3);
    assert.deepEqual((await shapeOf("/time"))[0], 3);
  });

  test("what cannot be done is refused with the reason, and nothing changes", PATIENCE, async () => {
    const newest = await world.ledger.publications("ostia", undefined, 1);
    for (const [name, asked, reason] of [
      ["rollback", { to: 99, ...why }, /no such version: found 99, expected #\d+ to #\d+/],
      ["rollback", { to: 1 }, /reason says why/],
      ["release", why, /nobody holds this product/],
      ["rebuild", { limit: 0 }, /limit is a whole number from 1/],
      ["rebuild", { product: "other" }, /no such product: found other, expected timeseries/],
    ] as const) {
      await assert.rejects(ask(name, asked), (error: Error) => {
        assert.match(String((error.cause as Error | undefined)?.message ?? error.message), reason);
        return true;
      });
    }
    assert.deepEqual(await world.ledger.publications("ostia", undefined, 1), newest);
  });

  test("a changed dataset file is built aside and switched; one that is refused changes nothing", PATIENCE, async () => {
    const without: Dataset = { ...dataset, scan: { drop: ["sst_anomaly"] } };
    const planned = await applyDatasets(world.client, world.ledger, [without], { dryRun: true });
    assert.deepEqual(
      planned.map(({ kind }) => kind),
      ["rebuild"],
    );
    const before = (await world.ledger.publications("ostia", undefined, 1))[0];
    const [applied] = await applyDatasets(world.client, world.ledger, [without], { by: "anna" });
    assert.match(applied?.changes.join("\n") ?? "", /timeseries: rebuilt, version \w+, 3 granules/);
    const [after] = await world.ledger.publications("ostia", undefined, 1);
    assert.deepEqual([after?.sequence, after?.kind], [(before?.sequence ?? 0) + 1, "rebuild"]);
    await assert.rejects(shapeOf("/sst_anomaly"));
    assert.deepEqual((await shapeOf("/analysed_sst"))[0], 3);
    const current = (await world.ledger.currentDataset("ostia"))?.hash;
    assert.equal(current, applied?.hash);
    assert.deepEqual((await applyDatasets(world.client, world.ledger, [without]))[0]?.changes, []);

    await assert.rejects(
      applyDatasets(world.client, world.ledger, [dataset]),
      (error) => isFreshetError(error, "dataset-file") && /sst_anomaly would come back/.test(error.message),
    );
    const [product] = without.products;
    const odd: Dataset = {
      ...without,
      products: [
        { ...product, calendar: { kind: "fixed", everyMs: 2 * 86_400_000, anchorMs: Date.UTC(2017, 5, 5, 12) } } as never,
      ],
    };
    await assert.rejects(
      applyDatasets(world.client, world.ledger, [odd]),
      (error) => isFreshetError(error, "dataset-file") && /no place in the rebuilt product.*20170606/s.test(error.message),
    );
    assert.equal((await world.ledger.currentDataset("ostia"))?.hash, current);
  });

  test("another dataset with the same store is refused", PATIENCE, async () => {
    const twin: Dataset = { ...dataset, name: "twin" };
    await assert.rejects(
      applyDatasets(world.client, world.ledger, [twin]),
      (error) => isFreshetError(error, "dataset-file") && /two products have one store/.test(error.message),
    );
  });

  test("a granule of another form is accepted by an update, and begins an epoch", PATIENCE, async () => {
    const name = THIRD.name.replace("20170607", "20170608");
    await world.agency.publish(name, withMistake(await readFile(THIRD.path), "rescaled"));
    const { workflowId } = await world.announce(name);
    const { reason } = await world.inStage(workflowId, "quarantined");
    assert.match(reason, /analysed_sst scale_factor: found 0\.01999.*, expected 0\.0099/);
    const handle = world.client.workflow.getHandle(workflowId);
    await handle.executeUpdate("decide", { args: [{ action: "accept", reason: "a new product", by: "anna" }] });
    await handle.result();
    await world.settled("ostia");
    await world.until(
      async () => (await world.ledger.revisionsOf("ostia", "20170608T120000Z"))[0]?.state === "published",
      "published",
    );
    assert.deepEqual((await shapeOf("/epoch_2/analysed_sst"))[0], 1);
    assert.deepEqual((await shapeOf("/analysed_sst"))[0], 3);
  });

  test("a sweep finds what was replaced without a word; its schedule is the dataset file's", PATIENCE, async () => {
    const schedule = world.client.schedule.getHandle(maintenanceWorkflowId("ostia"));
    const description = await schedule.describe();
    assert.equal(Number(description.spec.intervals?.[0]?.every), 6 * 3_600_000);
    await world.agency.publish(SECOND.name, withMistake(await readFile(SECOND.path), "recalibrated"));
    await schedule.trigger();
    await world.until(async () => {
      const revisions = await world.ledger.revisionsOf("ostia", SECOND.key);
      return revisions.length === 2 && revisions.at(-1)?.state === "published";
    }, "the replaced granule is published");
  });

  test("upkeep tidies the store, and its versions stay readable", PATIENCE, async () => {
    const tidied = await ask("upkeep", {});
    assert.match(tidied.notes.at(-1) ?? "", /bytes before, .* versions readable, 0 expired/);
    assert.deepEqual((await shapeOf("/time"))[0], 3);
  });
});
