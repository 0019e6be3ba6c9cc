import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { missingS3, TestS3 } from "../support/versitygw.ts";
import { type Ended, freshet } from "./cli.ts";

const AIR = fileURLToPath(new URL("../data/netcdf4/air.nc", import.meta.url));

describe("freshet scan of objects", { skip: missingS3() }, () => {
  let s3: TestS3;
  before(async () => {
    s3 = await TestS3.start();
    await s3.createBucket("private");
    await s3.createBucket("public", { isPublic: true });
    for (const bucket of ["private", "public"]) await s3.put(bucket, "day/air.nc", { copyOf: AIR });
  });
  after(() => s3.stop());

  const scan = (args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Ended> =>
    freshet(["scan", ...args], undefined, { AWS_EC2_METADATA_DISABLED: "true", ...environment });

  test("with the credentials of the environment", async () => {
    const { code, stdout, stderr } = await scan(["s3://private/day/air.nc"], { FRESHET_S3_ENDPOINT: s3.endpoint });
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^s3:\/\/private\/day\/air\.nc\nHDF5, 75\.8 kB; 4 variables: 4 referenced; 1 read, /);
  });

  test("without any, of a public bucket", async () => {
    const none = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    const open = await scan(["s3://public/day/air.nc", "--endpoint", s3.endpoint, "--anonymous", "--json"], none);
    assert.deepEqual([open.code, open.stderr], [0, ""]);
    const closed = await scan(["s3://private/day/air.nc", "--endpoint", s3.endpoint, "--anonymous"], none);
    assert.equal(closed.code, 1);
    assert.match(closed.stderr, /^freshet: the service refuses the object: found status 403, AccessDenied/);
    const unsigned = await scan(["s3://public/day/air.nc", "--endpoint", s3.endpoint], none);
    assert.match(unsigned.stderr, /there are no credentials for the service.*AWS_ACCESS_KEY_ID/);
  });

  test("says what is wrong with an endpoint or an address", async () => {
    const wrong = await scan(["s3://public/x", "--endpoint", "https://a:secret@s3.example.org"]);
    assert.deepEqual([wrong.code, /URL without credentials/.test(wrong.stderr)], [2, true]);
    const inEnvironment = await scan(["s3://public/x"], { FRESHET_S3_ENDPOINT: "nonsense" });
    assert.deepEqual([inEnvironment.code, /FRESHET_S3_ENDPOINT is no endpoint/.test(inEnvironment.stderr)], [2, true]);
    const bucket = await scan(["s3://public/", "--endpoint", s3.endpoint]);
    assert.deepEqual([bucket.code, /expected s3:\/\/bucket\/key/.test(bucket.stderr)], [2, true]);
  });
});
