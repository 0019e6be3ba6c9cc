import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { promisify } from "node:util";
import { openingLines } from "../../src/cli/versions/opening-lines.ts";
import type { GranuleResult } from "../../src/contract/index.ts";
import { type Dataset, parseDatasetFile, type TimeseriesProduct } from "../../src/dataset/index.ts";
import { lookAtProduct } from "../../src/publication/index.ts";
import { Announcer, applyDatasets } from "../../src/starters/index.ts";
import { freshet } from "../support/cli.ts";
import { MOGREPS, OSTIA, type RealGranule } from "../support/granules.ts";
import { compareInPython, missingPython } from "../support/python.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { missingS3, TestS3 } from "../support/versitygw.ts";
import { World } from "../support/world.ts";

const BUCKET = "agency-data";
const COPIES = "our-copies";

suite("granules in S3, on a real Temporal server", { skip: missingTemporal() || missingS3(), timeout: 600_000 }, () => {
  let world: World;
  let s3: TestS3;
  let datasets: readonly Dataset[];
  const datasetOf = (name: string): Dataset => datasets.find((dataset) => dataset.name === name) as Dataset;

  before(async () => {
    [world, s3] = await Promise.all([World.start(), TestS3.start()]);
    await s3.createBucket(BUCKET);
    await s3.createBucket(COPIES);
    process.env.TEST_S3_ENDPOINT = s3.endpoint;
    const { home } = world.settings;
    const timeseries = (name: string, at: string): string =>
      `products: [ { timeseries: { calendar: { every: 1d, at: "${at}" }, store: "${home}/stores/${name}" } } ]
publish: { coalesce: 50ms }
await: { deadline: 60s, every: 500ms }`;
    const source = `at: "s3://${BUCKET}/in/", s3: { endpoint: "\${TEST_S3_ENDPOINT}" }`;
    ({ datasets } = parseDatasetFile(
      `sources:
  objects: { ${source} }
  mirrored: { ${source}, mirror: "${home}/mirror" }
  copied: { ${source}, mirror: { at: "s3://${COPIES}/mirror/", endpoint: "\${TEST_S3_ENDPOINT}" } }
---
name: s3-ostia
from: { source: objects }
match: "{valid:%Y%m%d%H%M%S}-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc"
${timeseries("s3-ostia", "12:00Z")}
maintenance: { sweep: 2s }
---
name: s3-mogreps
from: { source: objects }
match: "{run:%Y%m%dT%H%MZ}-PT{lead:4h}H-temperature_at_screen_level.nc"
${timeseries("s3-mogreps", "15:00Z")}
---
name: s3-mirrored
from: { source: mirrored }
match: "{run:%Y%m%dT%H%MZ}-PT{lead:4h}H-temperature_at_screen_level.nc"
${timeseries("s3-mirrored", "15:00Z")}
---
name: s3-copied
from: { source: copied }
match: "{run:%Y%m%dT%H%MZ}-PT{lead:4h}H-temperature_at_screen_level.nc"
${timeseries("s3-copied", "15:00Z")}
`,
      { file: join(home, "s3.yaml") },
    ));
    await applyDatasets(world.client, world.ledger, datasets);
  });
  after(async () => {
    await world?.stop();
    await s3?.stop();
    delete process.env.TEST_S3_ENDPOINT;
  });
  const put = (granule: RealGranule, content: Uint8Array | { readonly copyOf: string } = { copyOf: granule.path }) =>
    s3.put(BUCKET, `in/${granule.name}`, content);
  async function announce(granule: RealGranule): Promise<readonly GranuleResult[]> {
    const announcer = new Announcer(world.client, world.ledger);
    const uri = `s3://${BUCKET}/in/${granule.name}`;
    const announced = await announcer.announce({ uri, by: "test", heardMs: Date.now() });
    return Promise.all(
      announced.map(({ workflowId }) => world.client.workflow.getHandle(workflowId).result() as Promise<GranuleResult>),
    );
  }
  /** Readers in Python see these files and nothing else. */
  async function assertReads(dataset: string, files: readonly (readonly [slot: number, path: string])[]): Promise<void> {
    await world.settled(dataset);
    const [product] = datasetOf(dataset).products;
    const state = product && (await lookAtProduct(datasetOf(dataset), product));
    assert.ok(state !== undefined);
    const { wrong, compared, gaps, sizes } = await compareInPython(state.store.folder, state.head, new Map(files));
    assert.deepEqual(wrong, []);
    assert.ok(compared > 0);
    assert.equal((sizes.time ?? 0) - gaps.length, files.length);
  }
  const states = async (granule: RealGranule): Promise<string[]> =>
    (await world.ledger.revisionsOf("s3-ostia", granule.key)).map(({ state }) => state);
  const pathOf = (granules: readonly RealGranule[]) => granules.map(({ path }, slot) => [slot, path] as const);

  test("objects that are announced are published, and Python reads their chunks from the bucket", {
    skip: missingPython(),
  }, async () => {
    for (const granule of [...OSTIA, ...MOGREPS.slice(0, 2)]) {
      await put(granule);
      for (const { stage } of await announce(granule)) assert.equal(stage, "ready");
    }
    await assertReads("s3-ostia", pathOf(OSTIA));
    await assertReads("s3-mogreps", pathOf(MOGREPS.slice(0, 2)));
  });

  test("the lines that are printed for readers open it", { skip: missingPython() }, async () => {
    const dataset = datasetOf("s3-ostia");
    const lines = await openingLines(dataset, dataset.products[0] as TimeseriesProduct);
    const [xarray = "", zarrita = ""] = lines.filter((line) => line !== "" && !line.startsWith("#"));
    const run = promisify(execFile);
    assert.match((await run("sh", ["-c", xarray])).stdout, /mean of the last step of analysed_sst: \d+\.\d+/);
    assert.match((await run("sh", ["-c", zarrita])).stdout, /analysed_sst \[ 3, \d+, \d+ \] last values: Int16Array/);
  });

  test("freshet verify asks the bucket, and finds all as it should be", async () => {
    const { code, stdout, stderr } = await freshet(["verify", "s3-ostia"], {
      FRESHET_HOME: world.settings.home,
      TEMPORAL_ADDRESS: world.settings.temporalAddress,
    });
    assert.deepEqual([code, stderr], [0, ""], stdout);
    assert.match(stdout, /their sources, with what references expect\s+3 of 3 {2}agrees/);
    assert.match(stdout, /chunks through the store, with another decoder's reading\s+[1-8] of 8 {2}agrees/);
  });

  test("with a mirror the copies are read", { skip: missingPython() }, async () => {
    await assertReads("s3-mirrored", pathOf(MOGREPS.slice(0, 2)));
    const [revision] = await world.ledger.revisionsOf("s3-mirrored", (MOGREPS[0] as RealGranule).key);
    assert.match(revision?.identity ?? "", /^etag:"[0-9a-f]{32}":/);
  });

  test("with a mirror in another bucket references point at the copies, with their etags, also when the source is gone", {
    skip: missingPython(),
  }, async () => {
    const [first, second] = MOGREPS as [RealGranule, RealGranule];
    await s3.remove(BUCKET, `in/${second.name}`);
    await assertReads("s3-copied", pathOf([first, second]));
    const dataset = datasetOf("s3-copied");
    const state = await lookAtProduct(dataset, dataset.products[0] as TimeseriesProduct);
    assert.deepEqual(state?.prefixes, [`s3://${COPIES}/mirror/`]);
    assert.equal(state.s3?.endpoint, s3.endpoint);
    const copies = await readdir(join(s3.folder, COPIES, "mirror", "s3-copied"));
    assert.equal(copies.length, 2);
    for (const name of copies) assert.match(name, /^[0-9a-f]{16}-/);
    // What stands there is not what the references say any more: readers are told so, and get no other numbers.
    const [copy] = copies as [string];
    await s3.put(COPIES, `mirror/s3-copied/${copy}`, { copyOf: first.path });
    await s3.put(COPIES, `mirror/s3-copied/${copies[1]}`, { copyOf: first.path });
    const { code, stdout } = await freshet(["verify", "s3-copied"], {
      FRESHET_HOME: world.settings.home,
      TEMPORAL_ADDRESS: world.settings.temporalAddress,
    });
    assert.equal(code, 1, stdout);
  });

  test("an object that is replaced becomes a new revision, within the same second too", { skip: missingPython() }, async () => {
    const [first, second, third] = OSTIA as [RealGranule, RealGranule, RealGranule];
    const changed = await readFile(second.path);
    // One value of analysed_sst; the record ends with the time.
    changed.writeInt16BE(1234, changed.length - 1_000);
    const copy = join(world.settings.home, "changed.nc");
    await writeFile(copy, changed);
    await put(second, changed);
    assert.deepEqual(
      (await announce(second)).map(({ stage }) => stage),
      ["ready"],
    );
    await assertReads("s3-ostia", [
      [0, first.path],
      [1, copy],
      [2, third.path],
    ]);
    assert.deepEqual(await states(second), ["superseded", "published"]);
  });

  test("an object that is deleted leaves with the sweep", { skip: missingPython() }, async () => {
    const [first, second] = OSTIA as [RealGranule, RealGranule];
    await s3.remove(BUCKET, `in/${first.name}`);
    await world.until(async () => (await states(first)).includes("withdrawn"), "the sweep has withdrawn it");
    const copy = join(world.settings.home, "changed.nc");
    await world.until(async () => {
      const [last] = await world.ledger.publications("s3-ostia", "timeseries", 1);
      return last?.granules === 2;
    }, "a version without it");
    assert.deepEqual(await states(second), ["superseded", "published"]);
    const state = await lookAtProduct(datasetOf("s3-ostia"), datasetOf("s3-ostia").products[0] as TimeseriesProduct);
    assert.deepEqual(state?.prefixes, [`s3://${BUCKET}/in/`]);
    const { wrong } = await compareInPython(
      state.store.folder,
      state.head,
      new Map([
        [1, copy],
        [2, (OSTIA[2] as RealGranule).path],
      ]),
    );
    assert.deepEqual(wrong, []);
  });
});
