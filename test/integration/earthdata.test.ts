import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { parseDatasetFile } from "../../src/dataset/index.ts";
import { applyDatasets } from "../../src/starters/index.ts";
import { TestCmr } from "../support/cmr.ts";
import { TestEarthdata } from "../support/earthdata.ts";
import { OSTIA, type RealGranule } from "../support/granules.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { missingS3, TestS3 } from "../support/versitygw.ts";
import { World } from "../support/world.ts";

const [ONE, TWO] = OSTIA as [RealGranule, RealGranule];
const KEYS = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

suite("Earthdata on a real Temporal server", { skip: missingTemporal() || missingS3(), timeout: 240_000 }, () => {
  let world: World;
  let s3: TestS3;
  let cmr: TestCmr;
  let earthdata: TestEarthdata;

  before(async () => {
    [world, s3, cmr, earthdata] = await Promise.all([World.start(), TestS3.start(), TestCmr.start(), TestEarthdata.start()]);
    await s3.createBucket("protected");
    // Without a session token: this S3 knows no sessions.
    const accessKeyId = process.env.AWS_ACCESS_KEY_ID as string;
    earthdata.keys = { accessKeyId, secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY as string, lifeMs: 3_600_000 };
    // Whatever is read now is read with keys that the archive gave.
    for (const name of KEYS) delete process.env[name];
    process.env.EARTHDATA_TOKEN = earthdata.token;
    await s3.put("protected", ONE.name, { copyOf: ONE.path });
    earthdata.files.set(`data/${TWO.name}`, await readFile(TWO.path));
    const collection = cmr.collection("OSTIA-TEST");
    for (const { name } of [ONE, TWO]) {
      const links = [
        { url: `s3://protected/${name}`, type: "GET DATA VIA DIRECT ACCESS" },
        { url: `${earthdata.archive}data/${name}` },
      ];
      cmr.ingest(collection, { name, links });
    }
    const text = `sources:
  cloud:
    at: s3://protected/
    s3: { endpoint: "${s3.endpoint}", region: us-east-1 }
    cmr: { endpoint: "${cmr.url}" }
    credentials: { earthdata: { login: "${earthdata.login}", s3: "${earthdata.archive}s3credentials" } }
  web:
    at: "${earthdata.archive}data/"
    allow: ["${earthdata.bytes}"]
    mirror: mirror
    cmr: { endpoint: "${cmr.url}" }
    credentials: { earthdata: { login: "${earthdata.login}" } }
${["cloud", "web"]
  .map(
    (name) => `---
name: by-${name}
from: { source: ${name}, collection: OSTIA-TEST }
match: "{valid:%Y%m%d%H%M%S}-UKMO-L4_GHRSST-SSTfnd-OSTIAanom-GLOB-v02.0-fv02.0.nc"
products: [ { timeseries: { calendar: { every: 1d, at: "12:00Z" }, store: stores/by-${name} } } ]
publish: { coalesce: 50ms }
await: { deadline: 60s, every: 200ms }
`,
  )
  .join("")}`;
    const { datasets } = parseDatasetFile(text, { file: join(world.settings.home, "earthdata.yaml") });
    await applyDatasets(world.client, world.ledger, datasets);
  });
  after(async () => {
    delete process.env.EARTHDATA_TOKEN;
    await world?.stop();
    await s3?.stop();
    await cmr?.close();
    await earthdata?.close();
  });

  const becomes = (dataset: string, { key }: RealGranule): Promise<void> =>
    world.until(
      async () =>
        (await world.ledger.granules(dataset, { limit: 10 })).some((one) => one.key === key && one.state === "published"),
      `${key} of ${dataset} is published`,
    );

  test("a protected bucket is read in place with keys that the archive gave, once", async () => {
    await becomes("by-cloud", ONE);
    assert.equal(earthdata.asked.filter(({ url }) => url === "/s3credentials").length, 1);
  });

  test("a protected archive is copied with the token", async () => {
    await becomes("by-web", TWO);
  });

  test("no secret is in Temporal, the ledger or the stores", async () => {
    const secrets = [earthdata.token, earthdata.keys.secretAccessKey];
    const found: string[] = [];
    const search = (where: string, text: string): void => {
      for (const secret of secrets) if (text.includes(secret)) found.push(`${secret} in ${where}`);
    };
    let histories = 0;
    for await (const { workflowId, runId } of world.client.workflow.list()) {
      search(workflowId, JSON.stringify(await world.client.workflow.getHandle(workflowId, runId).fetchHistory()));
      histories++;
    }
    assert.ok(histories > 4, `${histories} histories`);
    for (const { text, name } of await world.ledger.datasets()) search(name, text);
    const { readdir } = await import("node:fs/promises");
    const files = (await readdir(world.settings.home, { recursive: true, withFileTypes: true })).filter((entry) =>
      entry.isFile(),
    );
    for (const file of files) search(file.name, await readFile(join(file.parentPath, file.name), "latin1"));
    assert.ok(files.length > 10);
    assert.deepEqual(found, []);
  });
});
