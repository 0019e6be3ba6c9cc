import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { canonicalDataset } from "../../src/dataset/index.ts";
import { FormBucket } from "../../src/publication/forms/form-bucket.ts";
import { S3Folder } from "../../src/storage/index.ts";
import { PYTHON } from "../support/python.ts";
import { missingS3, TestS3 } from "../support/versitygw.ts";
import { deliver, publishForms, withForms } from "./form-shop.ts";
import { nameOf, Workshop } from "./workshop.ts";

const BUCKET = "forms";
const PROGRAM = fileURLToPath(new URL("./form-process.ts", import.meta.url));
const READER = fileURLToPath(new URL("../python/read_references.py", import.meta.url));

describe("forms in S3", { skip: missingS3(), timeout: 240_000 }, () => {
  let s3: TestS3;
  let workshop: Workshop;
  let day = 0;
  const folder = (path: string): S3Folder => new S3Folder(`s3://${BUCKET}/${path}`, s3.connection);
  const json = async (form: string, path: string) =>
    JSON.parse(Buffer.from((await folder(form).read(path))?.bytes ?? []).toString());
  const names = async (form: string, isFlat = false): Promise<string[]> =>
    (await Array.fromAsync(folder(form).list("", { isFlat }), ({ path }) => path)).toSorted();

  before(async () => {
    s3 = await TestS3.start();
    await s3.createBucket(BUCKET, { isPublic: true });
    await s3.createBucket("granules", { isPublic: true });
    process.env.TEST_S3_ENDPOINT = s3.endpoint;
    const place = (to: string): string => `to: "s3://${BUCKET}/${to}", s3: { endpoint: "\${TEST_S3_ENDPOINT}" }, every: 0s`;
    const granules = { "in/": "s3://granules/in/" };
    workshop = await Workshop.start({
      products: withForms(
        `{ kerchunk-json: { ${place("json")}, map: ${JSON.stringify(granules)} } }`,
        `{ kerchunk-json: { ${place("https")}, map: { "in/": "${s3.endpoint}/granules/in/" } } }`,
        `{ kerchunk-parquet: { ${place("parquet")}, records: 100, map: ${JSON.stringify(granules)} } }`,
        `{ references: { ${place("each")}, each: "{valid:%Y}/{file}.json", map: ${JSON.stringify(granules)} } }`,
      ),
      maintenance: "{ grace: 1s, keep: { versions: 2 } }",
    });
  });
  after(async () => {
    await workshop?.stop();
    await s3?.stop();
    delete process.env.TEST_S3_ENDPOINT;
  });

  /** One more granule, in its bucket too, and one more version. */
  async function next(): Promise<void> {
    day++;
    await deliver(workshop, day, day);
    await s3.put("granules", `in/${nameOf(day)}`, { copyOf: join(workshop.folder, "in", nameOf(day)) });
    await workshop.settle();
  }
  const later = (): number => Date.now() + 3_600_000;

  test("show each version; partitions that have not changed are copied inside the store", async () => {
    await next();
    await next();
    await publishForms(workshop);
    const first = await json("parquet", "pointer.json");
    await next();
    const states = await publishForms(workshop);
    assert.deepEqual(
      states.map(({ shows, trouble }) => [shows, trouble]),
      [1, 2, 3, 4].map(() => [3, ""]),
    );
    const second = await json("parquet", "pointer.json");
    assert.notEqual(first.path, second.path);
    const etag = async (path: string): Promise<string | undefined> => (await folder("parquet").facts(path))?.etag;
    assert.equal(await etag(`${first.path}/lat/refs.0.parq`), await etag(`${second.path}/lat/refs.0.parq`));
    assert.notEqual(await etag(`${first.path}/sst/refs.0.parq`), await etag(`${second.path}/sst/refs.0.parq`));
    assert.deepEqual((await folder("json").facts("latest.json"))?.told, {
      "freshet-path": (await json("json", "pointer.json")).path,
    });
    assert.deepEqual(
      await names("each"),
      [1, 2, 3].map((at) => `2017/${nameOf(at)}.json`).concat(["documents.json", "pointer.json"]),
    );
  });

  test("are opened where they lie: xarray and GDAL read granules in S3 and over HTTP", {
    skip: PYTHON === undefined,
  }, async () => {
    const expected = await workshop.read("sst");
    const parquet = `parquet/${(await json("parquet", "pointer.json")).path}`;
    const places = ["json/latest.json", "https/latest.json", parquet, `each/2017/${nameOf(2)}.json`];
    const { stdout } = await promisify(execFile)(PYTHON as string, [READER, s3.endpoint, BUCKET, "sst", ...places]);
    const read = JSON.parse(stdout);
    for (const place of places) {
      const values = place.startsWith("each") ? expected.slice(6, 12) : expected;
      assert.deepEqual(read[place].xarray, values, place);
      if (place !== parquet) assert.deepEqual(read[place].gdal, values, `${place}, GDAL`);
    }
  });

  test("never go back, whoever writes last; all who meet end with the newest", async () => {
    const pointer = await json("json", "pointer.json");
    const race = (sequence: number) => {
      const path = `v${sequence}-00000000.json`;
      const bucket = new FormBucket(`s3://${BUCKET}/race`, s3.connection);
      return folder("race")
        .write(path, Buffer.from(`{"sequence":${sequence}}`))
        .then(() => bucket.show({ ...pointer, sequence, path }, { name: "latest.json" }));
    };
    const shown = await Promise.all([3, 1, 5, 2, 4].map(race));
    assert.ok(shown.every(({ sequence }, at) => sequence >= ([3, 1, 5, 2, 4][at] as number)));
    assert.equal((await race(2)).sequence, 5);
    assert.equal((await json("race", "pointer.json")).sequence, 5);
    assert.deepEqual(await json("race", "latest.json"), { sequence: 5 });
  });

  for (const [step, time] of [
    ["form: written", 3],
    ["form: pointer moved", 3],
  ] as const) {
    test(`that a writer left when it died at "${step}" are finished by the next one`, async () => {
      await next();
      const { text } = canonicalDataset(workshop.dataset);
      const program = ["--disable-warning=ExperimentalWarning", PROGRAM, workshop.folder, text, step, `${time}`];
      const child = spawn(process.execPath, program, { stdio: ["ignore", "inherit", "inherit"] });
      assert.equal((await once(child, "close"))[1], "SIGKILL");
      const { path } = await json("parquet", "pointer.json");
      assert.equal((await json("parquet", `${path}/.zmetadata`)).record_size, 100);
      const states = await publishForms(workshop, later);
      assert.ok(
        states.every(({ shows, newest, trouble }) => shows === newest && trouble === ""),
        JSON.stringify(states),
      );
      for (const form of ["json", "parquet"]) {
        const versions = new Set(
          (await names(form, true)).filter((name) => name.startsWith("v")).map((name) => name.split("-")[0]),
        );
        assert.deepEqual([...versions].toSorted(), [`v${day - 1}`, `v${day}`].toSorted(), form);
      }
      assert.deepEqual(await json("json", "latest.json"), await json("json", (await json("json", "pointer.json")).path));
    });
  }

  test("whose bucket is not there say so, and keep no other back", async () => {
    const also = `{ kerchunk-json: { to: "s3://no-such-bucket/json", s3: { endpoint: "${s3.endpoint}" }, every: 0s } }`;
    workshop.use({ products: withForms(also, "{ kerchunk-json: { to: forms/json, every: 0s } }") });
    const [absent, present] = await publishForms(workshop);
    assert.match(absent?.trouble ?? "", /there is no such bucket/);
    assert.deepEqual([absent?.shows, present?.trouble], [undefined, ""]);
  });
});
