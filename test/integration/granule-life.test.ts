import assert from "node:assert/strict";
import { mkdir, readFile, rename, stat } from "node:fs/promises";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { WorkflowUpdateFailedError } from "@temporalio/client";
import type { DatasetStatus, GranuleResult } from "../../src/contract/index.ts";
import { parseDatasetFile, type TimeseriesProduct } from "../../src/dataset/index.ts";
import { lookAtProduct } from "../../src/publication/index.ts";
import { Announcer, applyDatasets } from "../../src/starters/index.ts";
import { loadIcechunk } from "../../src/writers/icechunk/index.ts";
import { datasetYaml, MOGREPS, OSTIA, type RealGranule } from "../support/granules.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { World } from "../support/world.ts";

const [ONE, TWO, THREE] = OSTIA as [RealGranule, RealGranule, RealGranule];

suite("the life of a granule on a real Temporal server", { skip: missingTemporal(), timeout: 240_000 }, () => {
  let world: World;
  before(async () => {
    world = await World.start();
  });
  after(() => world?.stop());

  const resultOf = (workflowId: string): Promise<GranuleResult> =>
    world.client.workflow.getHandle(workflowId).result() as Promise<GranuleResult>;
  const published = async (): Promise<number> =>
    ((await world.client.workflow.getHandle("dataset:ostia").query("status")) as DatasetStatus).published;
  /** The workflow counts a version once its activity has ended, a moment after the ledger knows. */
  const publishedIs = async (count: number): Promise<void> => {
    await world.until(async () => (await published()) >= count, `${count} versions`);
    assert.equal(await published(), count);
  };

  test("one that is announced before it is there is awaited, and says what it waits for", async () => {
    const { workflowId } = await world.announce(ONE.name);
    const status = await world.inStage(workflowId, "awaiting");
    assert.match(status.reason, /looking for http:\/\/127\.0\.0\.1/);
    await world.until(async () => {
      const { raw } = await world.client.workflow.getHandle(workflowId).describe();
      return /404/.test(raw.pendingActivities?.[0]?.lastFailure?.message ?? "");
    }, "the pending activity names the 404");
    await world.agency.publish(ONE.name, { copyOf: ONE.path });
    assert.equal((await resultOf(workflowId)).stage, "ready");
    await world.settled("ostia");
    await publishedIs(1);
  });

  test("a live granule costs three activities", async () => {
    const history = await world.client.workflow.getHandle(`granule:ostia:${ONE.key}`).fetchHistory();
    const scheduled = (history.events ?? []).flatMap(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? [],
    );
    assert.deepEqual(scheduled, ["download", "scan", "record"]);
  });

  test("scans do not travel through Temporal", async () => {
    const history = await world.client.workflow.getHandle(`granule:ostia:${ONE.key}`).fetchHistory();
    const payloads = (history.events ?? []).flatMap(
      (event) => event.activityTaskCompletedEventAttributes?.result?.payloads ?? [],
    );
    const bytes = payloads.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
    assert.ok(payloads.length >= 2 && bytes < 2_000, `${bytes} bytes in ${payloads.length} payloads`);
  });

  test("announced twice at once, it is published once", async () => {
    await world.agency.publish(TWO.name, { copyOf: TWO.path });
    const [first, second] = await Promise.all([world.announce(TWO.name), world.announce(TWO.name)]);
    assert.equal(first.workflowId, second.workflowId);
    await resultOf(first.workflowId);
    await world.settled("ostia");
    await publishedIs(2);
    const states = (await world.ledger.revisionsOf("ostia", TWO.key)).map(({ state }) => state);
    assert.deepEqual(states, ["published"]);
  });

  test("a text file waits in quarantine for a decision; skipped, it ends so, and the others are not held", async () => {
    const name = THREE.name.replace("20170607", "20170608");
    await world.agency.publish(name, Buffer.from("<html>Service unavailable</html>"));
    const { workflowId } = await world.announce(name);
    const status = await world.inStage(workflowId, "quarantined");
    assert.match(status.reason, /looks like HTML/);
    assert.equal((await world.ledger.revisionsOf("ostia", "20170608T120000Z"))[0]?.state, "quarantined");

    assert.equal((await world.deliver(THREE)).stage, "ready");
    await publishedIs(3);

    const handle = world.client.workflow.getHandle(workflowId);
    await assert.rejects(
      handle.executeUpdate("decide", { args: [{ action: "burn", reason: "", by: "" }] }),
      WorkflowUpdateFailedError,
    );
    const after = await handle.executeUpdate("decide", { args: [{ action: "skip", reason: "an error page", by: "tester" }] });
    assert.equal(after, "skipped");
    assert.deepEqual((await resultOf(workflowId)).reason, "tester: an error page");
    assert.equal((await world.ledger.revisionsOf("ostia", "20170608T120000Z"))[0]?.state, "skipped");
  });

  test("one that is not there in full is awaited; what is not what its name says waits in quarantine", async () => {
    const whole = await readFile(TWO.path);
    const name = TWO.name.replace("20170606", "20170609");
    await world.agency.publish(name, whole.subarray(0, 1_000_000), Date.now() - 60_000);
    const { workflowId } = await world.announce(name);
    await world.until(async () => {
      const { raw } = await world.client.workflow.getHandle(workflowId).describe();
      return /still being uploaded/.test(raw.pendingActivities?.[0]?.lastFailure?.message ?? "");
    }, "the pending activity says that the file is cut");
    // The right bytes, but of another day than the name says: that is found too.
    await world.agency.publish(name, whole);
    await world.until(async () => {
      const now = (await world.client.workflow.getHandle(workflowId).query("status")) as { reason: string };
      return /found 2017-06-06T12:00:00Z, expected 2017-06-09T12:00:00Z/.test(now.reason);
    }, "name and file disagree");
    await publishedIs(3);
  });

  test("a granule that is replaced at its source takes the place of the earlier revision", async () => {
    const bytes = await readFile(ONE.path);
    const changed = Buffer.from(bytes);
    // One value of analysed_sst; the record ends with the time.
    changed.writeInt16BE(1234, changed.length - 1_000);
    await sleep(1_100); // HTTP tells times of change in whole seconds.
    await world.agency.publish(ONE.name, changed);
    const { workflowId } = await world.announce(ONE.name);
    assert.equal((await resultOf(workflowId)).stage, "ready");
    await world.settled("ostia");
    await publishedIs(4);
    assert.deepEqual(
      (await world.ledger.revisionsOf("ostia", ONE.key)).map(({ state }) => state),
      ["superseded", "published"],
    );

    const dataset = world.dataset("ostia");
    const state = await lookAtProduct(dataset, dataset.products[0] as TimeseriesProduct);
    const [newest, before] = (await state?.store.versions(2)) ?? [];
    const chunk = async (version: string | undefined): Promise<Uint8Array | null | undefined> =>
      (await state?.store.reader(version as string))?.get("analysed_sst/c/0/0/0");
    const found = Buffer.from((await chunk(newest?.id)) ?? []);
    assert.equal(found.readInt16BE(found.length - 1_000 + 4), 1234, "the newest version reads the new bytes");
    await assert.rejects(chunk(before?.id), /checksum of the object owning the virtual chunk has changed/);
  });

  test("applying the same file again changes nothing; a changed one configures the running workflow", async () => {
    const again = await applyDatasets(world.client, world.ledger, world.datasets);
    assert.deepEqual(
      again.flatMap(({ changes }) => changes),
      [],
    );
    const changed = world.datasets.map((dataset) => ({ ...dataset, publish: { ...dataset.publish, coalesceMs: 75 } }));
    const planned = await applyDatasets(world.client, world.ledger, changed, { dryRun: true });
    assert.equal(planned.flatMap(({ changes }) => changes).length, 8);
    assert.deepEqual(
      (await applyDatasets(world.client, world.ledger, world.datasets)).flatMap(({ changes }) => changes),
      [],
    );
    await applyDatasets(world.client, world.ledger, changed);
    await world.until(
      async () => (await applyDatasets(world.client, world.ledger, changed)).every(({ changes }) => changes.length === 0),
      "the workflow runs with the new file",
    );
  });

  test("a store that somebody else wrote troubles its dataset, and says so; put away, the dataset goes on by itself", async () => {
    const text = datasetYaml({ at: world.agency.url, home: `${world.settings.home}/elsewhere` });
    const foreign = parseDatasetFile(text, { file: "elsewhere.yaml" })
      .datasets.filter(({ name }) => name === "mogreps-uk")
      .map((dataset) => ({ ...dataset, name: "foreign" }));
    const store = `${world.settings.home}/elsewhere/stores/mogreps-uk`;
    const { Repository, Storage } = loadIcechunk();
    await mkdir(store, { recursive: true });
    const repository = await Repository.create(await Storage.newLocalFilesystem(store));
    const session = await repository.writableSession("main");
    await session.store.set("zarr.json", Buffer.from('{"zarr_format":3,"node_type":"group","attributes":{}}'));
    const theirs = await session.commit("somebody else's");
    await applyDatasets(world.client, world.ledger, foreign);
    const [granule] = MOGREPS as [RealGranule];
    await world.agency.publish(granule.name, { copyOf: granule.path });
    await world.announce(granule.name);
    assert.equal((await resultOf(`granule:foreign:${granule.key}`)).stage, "ready");

    const handle = world.client.workflow.getHandle("dataset:foreign");
    await world.until(async () => {
      const { stage, troubles } = (await handle.query("status")) as DatasetStatus;
      return stage === "troubled" && /did not write/.test(troubles[0] ?? "");
    }, "the dataset is troubled");
    assert.equal(await repository.lookupBranch("main"), theirs, "nothing of theirs was touched");
    assert.equal((await world.ledger.revisionsOf("foreign", granule.key))[0]?.state, "ready");

    await rename(store, `${store}-put-away`);
    await handle.signal("wake");
    await world.settled("foreign");
    assert.deepEqual(((await handle.query("status")) as DatasetStatus).troubles, []);
  });

  test("operators find granules by search attributes, and read where one is from Temporal alone", async () => {
    await world.until(async () => {
      const found = await Array.fromAsync(
        world.client.workflow.list({ query: `FreshetDataset="ostia" AND FreshetGranule="${ONE.key}"` }),
      );
      return found.length > 0 && found.every(({ workflowId }) => workflowId === `granule:ostia:${ONE.key}`);
    }, "the granule is found");
    await world.until(async () => {
      const found = await Array.fromAsync(
        world.client.workflow.list({ query: `FreshetDataset="ostia" AND FreshetStage="quarantined"` }),
      );
      return found.length === 1;
    }, "the one in quarantine is found");
  });

  test("one that is announced anew with other bytes is looked at at once, whether it is awaited or does not fit", async () => {
    const { home } = world.settings;
    const yaml = datasetYaml({ at: world.agency.url, home }).replaceAll("ostia", "anew").replaceAll("every: 500ms", "every: 1h");
    const { datasets } = parseDatasetFile(yaml, { file: `${home}/anew.yaml` });
    await applyDatasets(
      world.client,
      world.ledger,
      datasets.filter(({ name }) => name === "anew"),
    );
    const announcer = new Announcer(world.client, world.ledger);
    const announce = async ({ name }: RealGranule, size: number): Promise<string> => {
      const uri = `${world.agency.url}${name}`;
      const [announced] = await announcer.announce({ uri, size, by: "test", heardMs: Date.now() }, { only: "anew" });
      return announced?.workflowId ?? "";
    };
    for (const [granule, wrong] of [
      // What is shorter than was said is awaited, what is longer is another file.
      [ONE, 1_000],
      [TWO, -1_000],
    ] as const) {
      await world.agency.publish(granule.name, { copyOf: granule.path });
      const { size } = await stat(granule.path);
      const workflowId = await announce(granule, size + wrong);
      await world.until(async () => {
        const { raw } = await world.client.workflow.getHandle(workflowId).describe();
        return wrong < 0 || (raw.pendingActivities?.[0]?.attempt ?? 0) > 3;
      }, "it is awaited");
      await announce(granule, size);
      assert.equal((await resultOf(workflowId)).stage, "ready");
      const { events } = await world.client.workflow.getHandle(workflowId).fetchHistory();
      const pauses = events?.filter(({ timerFiredEventAttributes }) => timerFiredEventAttributes) ?? [];
      assert.deepEqual(pauses, []);
      const revisions = await world.ledger.revisionsOf("anew", granule.key);
      assert.equal(revisions.length, 1);
    }
  });
});
