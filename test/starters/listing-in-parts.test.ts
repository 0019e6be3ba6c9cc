import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { DefaultLogger, NativeConnection, Runtime, Worker } from "@temporalio/worker";
import type { Listed, ListingActivities, ListingPlace, ListingSums } from "../../src/contract/index.ts";
import { connectTemporal } from "../../src/starters/index.ts";
import { missingTemporal, startTemporalServer, type TestServer } from "../support/temporal-server.ts";

const PARTS = 120;

suite("a listing of many parts, on a real Temporal server", { skip: missingTemporal(), timeout: 120_000 }, () => {
  let server: TestServer;
  before(async () => {
    Runtime.install({ logger: new DefaultLogger("ERROR"), shutdownSignals: [] });
    server = await startTemporalServer();
  });
  after(() => server?.stop());

  test("goes on in a new run with its place and its counts", async () => {
    const places: (ListingPlace | undefined)[] = [];
    const activities: ListingActivities = {
      list: async (source, at): Promise<Listed> => {
        assert.equal(source, "agency");
        places.push(at);
        const next = places.length < PARTS ? { folders: ["s3://bucket/"], after: `${places.length}` } : undefined;
        return { looked: 10, announced: 1, known: 8, foreign: 1, removed: 2, absent: 0, notes: ["a note"], next };
      },
    };
    const client = await connectTemporal(server.address, "default");
    const connection = await NativeConnection.connect({ address: server.address });
    const taskQueue = "listing-in-parts";
    const workflowsPath = fileURLToPath(new URL("../../src/workflows/index.ts", import.meta.url));
    const worker = await Worker.create({ connection, taskQueue, workflowsPath, activities: { ...activities } });
    const sums = await worker.runUntil(
      client.workflow.execute("listing", { workflowId: "listing:agency", taskQueue, args: [{ source: "agency" }] }),
    );
    const expected: ListingSums = { looked: 1_200, announced: 120, known: 960, foreign: 120, removed: 240, absent: 0 };
    assert.deepEqual(sums, expected);
    assert.deepEqual(
      places.map((place) => place?.after),
      [undefined, ...Array.from({ length: PARTS - 1 }, (_, part) => `${part + 1}`)],
    );
    const runs = await Array.fromAsync(client.workflow.list({ query: 'WorkflowId="listing:agency"' }));
    assert.equal(runs.filter(({ status }) => status.name === "CONTINUED_AS_NEW").length, 1);
    await connection.close();
    await client.connection.close();
  });
});
