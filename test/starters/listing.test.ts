import assert from "node:assert/strict";
import { copyFile, mkdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import fastifyStatic from "@fastify/static";
import { ScheduleNotFoundError } from "@temporalio/client";
import fastify from "fastify";
import { type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";
import { applyDatasets } from "../../src/starters/index.ts";
import { MOGREPS, OSTIA, type RealGranule } from "../support/granules.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { missingS3, TestS3 } from "../support/versitygw.ts";
import { World } from "../support/world.ts";

const [ONE, TWO, THREE] = OSTIA as [RealGranule, RealGranule, RealGranule];

/** A web server over a folder with an index such as nginx writes. */
async function startWebServer(root: string): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = fastify({ forceCloseConnections: true });
  const shown = (date: Date): string => {
    const [, month, day, year, time] = /^\w+ (\w+) (\d+) (\d+) (\d\d:\d\d)/.exec(date.toString().replace(/GMT.*/, "")) ?? [];
    return `${day}-${month}-${year} ${time}`;
  };
  await server.register(fastifyStatic, {
    root,
    cacheControl: false,
    index: false,
    list: {
      format: "html",
      render: (folders, files) => {
        const rows = [
          ...folders.map(({ name }) => `<a href="${encodeURIComponent(name ?? "")}/">${name}/</a>   -`),
          ...files.map(
            ({ name, stats }) => `<a href="${encodeURIComponent(name)}">${name}</a>   ${shown(stats.mtime)}   ${stats.size}`,
          ),
        ];
        return `<html><head><title>Index of /</title></head><body><h1>Index of /</h1><hr><pre><a href="../">../</a>\n${rows.join("\n")}\n</pre></body></html>`;
      },
      extendedFolderInfo: true,
    },
  });
  const url = `${await server.listen({ host: "127.0.0.1", port: 0 })}/`;
  return { url, close: () => server.close() };
}

suite("listings on a real Temporal server", { skip: missingTemporal() || missingS3(), timeout: 240_000 }, () => {
  let world: World;
  let s3: TestS3;
  let web: Awaited<ReturnType<typeof startWebServer>>;
  const folder = (name: string): string => join(world.settings.home, name);

  function datasetsWith(listing: string): readonly Dataset[] {
    const common = (
      name: string,
      at: string,
    ): string => `products: [ { timeseries: { calendar: { every: 1d, at: "${at}" }, store: "${folder(`stores/${name}`)}" } } ]
publish: { coalesce: 50ms }`;
    const ostia = `"{folder}/{valid:%Y%m%d%H%M%S}-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc"`;
    const text = `sources:
  objects: { at: "s3://listed/", s3: { endpoint: "${s3.endpoint}" }${listing} }
  web: { at: "${web.url}"${listing} }
  disk: { at: "${folder("disk")}"${listing} }
---
name: from-objects
from: { source: objects }
match: "{folder}/{run:%Y%m%dT%H%MZ}-PT{lead:4h}H-temperature_at_screen_level.nc"
${common("from-objects", "15:00Z")}
---
name: from-web
from: { source: web }
match: ${ostia}
${common("from-web", "12:00Z")}
---
name: from-disk
from: { source: disk }
match: ${ostia}
${common("from-disk", "12:00Z")}
`;
    return parseDatasetFile(text, { file: folder("listed.yaml") }).datasets;
  }
  const put = async (root: string, day: string, { path, name }: RealGranule, modifiedMs = Date.now()): Promise<void> => {
    await mkdir(join(folder(root), day), { recursive: true });
    const place = join(folder(root), day, name);
    await copyFile(path, `${place}.part`);
    await utimes(`${place}.part`, modifiedMs / 1000, modifiedMs / 1000);
    await copyFile(`${place}.part`, place);
    await utimes(place, modifiedMs / 1000, modifiedMs / 1000);
    await rm(`${place}.part`);
  };
  const apply = (listing: string, dryRun = false) => applyDatasets(world.client, world.ledger, datasetsWith(listing), { dryRun });
  const schedulesOf = (applied: Awaited<ReturnType<typeof apply>>): string[] =>
    applied.flatMap(({ changes }) => changes.filter((change) => change.startsWith("schedule listing:")));
  const states = async (dataset: string): Promise<string[]> =>
    (await world.ledger.granules(dataset, { limit: 100 })).map(
      ({ uri = "", state }) => `${uri.slice(uri.lastIndexOf("/") + 1)} ${state}`,
    );
  const become = (dataset: string, wanted: readonly string[]): Promise<void> =>
    world.until(async () => (await states(dataset)).join() === wanted.join(), `${dataset} is ${wanted.join(", ")}`);

  before(async () => {
    [world, s3] = await Promise.all([World.start(), TestS3.start()]);
    await s3.createBucket("listed");
    await mkdir(folder("web"));
    web = await startWebServer(folder("web"));
    await mkdir(folder("disk"));
  });
  after(async () => {
    await world?.stop();
    await web?.close();
    await s3?.stop();
  });

  const NAMES = ["objects", "web", "disk"];
  const today = new Date().toISOString().slice(0, 10).replace(/-/g, "");
  const listing = (every: string): string => `, listing: { every: ${every}, below: ["in.{today:%Y%m%d}"] }`;

  test("apply makes a schedule for each source, once", async () => {
    const planned = await apply(listing("2s"), true);
    assert.deepEqual(
      schedulesOf(planned),
      NAMES.map((name) => `schedule listing:${name}: created`),
    );
    await assert.rejects(world.client.schedule.getHandle("listing:web").describe(), ScheduleNotFoundError);
    assert.deepEqual(
      schedulesOf(await apply(listing("2s"))),
      NAMES.map((name) => `schedule listing:${name}: created`),
    );
    assert.deepEqual(
      (await apply(listing("2s"))).flatMap(({ changes }) => changes),
      [],
    );
  });

  test("granules that nobody announces are published from a bucket, a web server and a folder", async () => {
    const [first, second] = MOGREPS as [RealGranule, RealGranule];
    for (const { name, path } of [first, second]) await s3.put("listed", `in.${today}/${name}`, { copyOf: path });
    await s3.put("listed", `in.20000101/${second.name}`, { copyOf: second.path });
    for (const root of ["web", "disk"]) for (const granule of OSTIA) await put(root, `in.${today}`, granule);
    await writeFile(join(folder("web"), `in.${today}`, "README.html"), "<html>");
    await become(
      "from-objects",
      [first, second].map(({ name }) => `${name} published`),
    );
    for (const dataset of ["from-web", "from-disk"])
      await become(
        dataset,
        OSTIA.map(({ name }) => `${name} published`),
      );
    const [revision] = await world.ledger.granules("from-web", { limit: 1 });
    assert.equal(revision?.uri, `${web.url}in.${today}/${ONE.name}`);
    assert.equal((await world.ledger.history("from-web", revision?.key ?? ""))[0]?.reason, "listing");
  });

  test("what is known is not announced again", async () => {
    const runs = async (): Promise<number> => {
      let count = 0;
      for await (const _ of world.client.workflow.list({ query: "WorkflowType = 'granule'" })) count++;
      return count;
    };
    const looks = async (): Promise<number> =>
      (await world.client.schedule.getHandle("listing:web").describe()).info.numActionsTaken;
    const [before, looked] = [await runs(), await looks()];
    await world.until(async () => (await looks()) >= looked + 2, "two more looks");
    assert.equal(await runs(), before);
  });

  test("what is replaced becomes a new revision, what is deleted leaves", async () => {
    const [first, second] = MOGREPS as [RealGranule, RealGranule];
    const changed = await readFile(TWO.path);
    changed.writeInt16BE(1234, changed.length - 1_000);
    for (const root of ["web", "disk"]) {
      const place = join(folder(root), `in.${today}`, TWO.name);
      await writeFile(place, changed);
      const other = Date.now() - 7 * 60_000;
      await utimes(place, other / 1000, other / 1000);
      await rm(join(folder(root), `in.${today}`, THREE.name));
    }
    await s3.remove("listed", `in.${today}/${second.name}`);
    const left = [`${ONE.name} published`, `${TWO.name} superseded`, `${TWO.name} published`, `${THREE.name} withdrawn`];
    for (const dataset of ["from-web", "from-disk"]) await become(dataset, left);
    await become("from-objects", [`${first.name} published`, `${second.name} withdrawn`]);
  });

  test("apply follows a changed interval, and takes the schedules away with the listings", async () => {
    assert.deepEqual(
      schedulesOf(await apply(listing("1h"))),
      NAMES.map((name) => `schedule listing:${name}: changed`),
    );
    assert.deepEqual(
      schedulesOf(await apply("")),
      NAMES.map((name) => `schedule listing:${name}: removed`),
    );
    for (const name of NAMES) {
      await assert.rejects(world.client.schedule.getHandle(`listing:${name}`).describe(), ScheduleNotFoundError);
    }
    assert.deepEqual(
      (await apply("")).flatMap(({ changes }) => changes),
      [],
    );
  });

  test("a folder that cannot be understood is refused before anything is done", async () => {
    await assert.rejects(
      apply(', listing: { below: ["in.{today:%H}"] }'),
      /a folder of a listing cannot be read: found \{today:%H\}/,
    );
    assert.deepEqual(
      (await apply("")).flatMap(({ changes }) => changes),
      [],
    );
  });
});
