import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parse } from "yaml";
import { findTemporal } from "../../src/cli/demo/find-temporal.ts";
import { DEV_SERVER_SETTINGS } from "../../src/cli/demo/temporal-server.ts";
import { connectTemporal, ensureSearchAttributes } from "../../src/starters/index.ts";
import { missingTemporal, startTemporalServer, type TestServer } from "../support/temporal-server.ts";

const infra = fileURLToPath(new URL("../../infra/temporal/", import.meta.url));
const NAMESPACE = "freshet-bootstrap";

describe("infra/temporal", { skip: missingTemporal() }, () => {
  let server: TestServer;
  let home: string;
  before(async () => {
    server = await startTemporalServer();
    home = await mkdtemp(join(tmpdir(), "freshet-bootstrap-"));
  });
  after(async () => {
    await server?.stop();
    await rm(home, { recursive: true, force: true });
  });

  test("bootstrap.sh makes a namespace ready for Freshet; the second time it finds everything there", async () => {
    const temporal = findTemporal();
    const env = {
      ...process.env,
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: NAMESPACE,
      TEMPORAL_CLI: temporal.kind === "cli" ? temporal.path : "temporal",
      FRESHET_HOME: home,
    };
    const run = async () => (await promisify(execFile)(join(infra, "bootstrap.sh"), [], { env })).stdout;
    assert.match(await run(), /^namespace freshet-bootstrap: made\n(search attribute Freshet\w+: made\n){3}$/);
    const client = await connectTemporal(server.address, NAMESPACE);
    try {
      assert.deepEqual(await ensureSearchAttributes(client, { dryRun: true }), []);
    } finally {
      await client.connection.close();
    }
    assert.match(await run(), /^namespace freshet-bootstrap: is there\n(search attribute Freshet\w+: is there\n){3}$/);
  });

  test("the dynamic configuration is that of the demo's server", async () => {
    const written = parse(await readFile(join(infra, "dynamic-config.yaml"), "utf8")) as Record<string, { value: unknown }[]>;
    const given = DEV_SERVER_SETTINGS.filter((_, index) => DEV_SERVER_SETTINGS[index - 1] === "--dynamic-config-value");
    assert.deepEqual(
      Object.entries(written).map(([name, [first]]) => `${name}=${first?.value}`),
      given,
    );
  });
});
