import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Client, Connection } from "@temporalio/client";
import { canonicalDataset, type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { type Ledger, openLedger } from "../../src/ledger/index.ts";
import { Announcer, applyDatasets, connectTemporal, type RunningWebhook, startWebhook } from "../../src/starters/index.ts";
import { missingTemporal, startTemporalServer, type TestServer } from "../support/temporal-server.ts";

const FILE = `
sources: { s: { at: https://host/a/ } }
---
name: days
from: { source: s }
match: "{valid:%Y%m%d}.nc"
products: [ { timeseries: { calendar: { every: 1d }, store: /s/days } } ]
`;
const GRANULE = "https://host/a/20170605.nc";
const TOKEN = "a token";

let home = "";
let ledger: Ledger;
let dataset: Dataset;
before(async () => {
  home = await mkdtemp(join(tmpdir(), "freshet-webhook-"));
  ledger = await openLedger(join(home, "ledger.db"));
  dataset = parseDatasetFile(FILE, { file: join(home, "d.yaml") }).datasets[0] as Dataset;
});
after(async () => {
  await ledger.close();
  await rm(home, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly body: {
    readonly error?: string;
    readonly message?: string;
    readonly granules?: readonly unknown[];
    readonly uris?: readonly unknown[];
    readonly passedOver?: readonly string[];
  };
  readonly retryAfter: string | null;
}

async function post(webhook: RunningWebhook, body: string, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(webhook.url, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });
  return {
    status: response.status,
    body: (await response.json()) as Answer["body"],
    retryAfter: response.headers.get("retry-after"),
  };
}

const announce = (webhook: RunningWebhook, announcement: unknown, headers?: Record<string, string>): Promise<Answer> =>
  post(webhook, JSON.stringify(announcement), headers);

describe("the webhook, with no Temporal server behind it", () => {
  let webhook: RunningWebhook;
  let guarded: RunningWebhook;
  let connection: Connection;
  before(async () => {
    await ledger.putDataset(canonicalDataset(dataset));
    // A port on which nobody listens.
    connection = Connection.lazy({ address: "127.0.0.1:1", connectTimeout: 500 });
    const announcer = new Announcer(new Client({ connection }), ledger);
    webhook = await startWebhook({ announcer, port: 0 });
    guarded = await startWebhook({ announcer, port: 0, token: TOKEN });
  });
  after(async () => {
    await webhook.close();
    await guarded.close();
    await connection.close();
  });

  test("listens on this machine alone unless it is told otherwise", () => {
    assert.equal(new URL(webhook.url).hostname, "127.0.0.1");
  });

  for (const [what, body] of [
    ["no JSON", "{uri:"],
    ["nothing", ""],
    ["a list", "[]"],
    ["no uri", "{}"],
    ["an empty uri", '{"uri":""}'],
    ["a uri that is no text", '{"uri":1}'],
    ["an endless uri", JSON.stringify({ uri: `https://host/a/${"x".repeat(5_000)}` })],
    ["a negative size", JSON.stringify({ uri: GRANULE, size: -1 })],
    ["half a byte", JSON.stringify({ uri: GRANULE, size: 1.5 })],
    ["an unknown algorithm", JSON.stringify({ uri: GRANULE, checksum: { algorithm: "crc32", value: "0".repeat(32) } })],
    ["a checksum that is none", JSON.stringify({ uri: GRANULE, checksum: { algorithm: "md5", value: "x" } })],
    ["something more than an announcement", JSON.stringify({ uri: GRANULE, by: "somebody" })],
    ["a form of somebody else's", JSON.stringify({ href: GRANULE })],
    ["a prototype", `{"uri":"${GRANULE}","__proto__":{"x":1}}`],
  ] as const) {
    test(`${what} is answered with 400 and a reason`, async () => {
      const { status, body: answer } = await post(webhook, body);
      assert.equal(status, 400);
      assert.ok((answer.error ?? "").length > 0);
    });
  }

  test("an oversized body is answered with 413, another type of content with 415", async () => {
    assert.equal((await announce(webhook, { uri: GRANULE, more: "x".repeat(300_000) })).status, 413);
    assert.equal((await post(webhook, "<xml/>", { "content-type": "application/xml" })).status, 415);
  });

  test("what a web page can make a browser send without asking is not taken", async () => {
    const body = JSON.stringify({ uri: "https://host/a/readme.txt" });
    for (const type of [
      "text/plain",
      "TEXT/plain;charset=UTF-8",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
    ]) {
      assert.equal((await post(webhook, body, { "content-type": type })).status, 415, type);
    }
    const untyped = await fetch(webhook.url, { method: "POST", body: new Blob([body]) });
    assert.equal(untyped.status, 415);
    const bySns = { "content-type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": "Notification" };
    assert.equal((await post(webhook, body, bySns)).status, 202);
  });

  test("a name that no dataset knows is taken, with an empty list, and Temporal is not asked", async () => {
    for (const uri of ["https://host/a/readme.txt", "https://elsewhere/20170605.nc"]) {
      const uris = [{ uri, granules: [], note: "no dataset knows this name" }];
      assert.deepEqual(await announce(webhook, { uri }), {
        status: 202,
        body: { granules: [], uris, passedOver: [] },
        retryAfter: null,
      });
    }
  });

  test("what is no announcement is passed over, and the answer says why, without what may be a secret", async () => {
    assert.deepEqual(await announce(webhook, { uri: `${GRANULE}?sig=secret` }), {
      status: 202,
      body: { granules: [], uris: [], passedOver: [`"${GRANULE}?…" has a query or a fragment, which may hold a secret`] },
      retryAfter: null,
    });
    const { body } = await announce(webhook, { Service: "Amazon S3", Event: "s3:TestEvent" });
    assert.deepEqual(body.passedOver, ["S3's test event"]);
  });

  test("where Temporal does not take it the sender is asked to come back: 503 with Retry-After", async () => {
    const started = Date.now();
    const { status, body, retryAfter } = await announce(webhook, { uri: GRANULE });
    assert.ok(Date.now() - started < 9_000, "before the sender gives up waiting");
    assert.equal(status, 503);
    assert.match(body.error ?? "", /^not taken: /);
    assert.equal(retryAfter, "5");
  });

  test("without the token nobody gets further, whatever they send", async () => {
    for (const headers of [
      {},
      { authorization: TOKEN },
      { authorization: "Bearer " },
      { authorization: "Bearer A token" },
      { authorization: `Bearer ${TOKEN} x` },
      { authorization: `Basic ${TOKEN}` },
    ] as Record<string, string>[]) {
      assert.equal((await announce(guarded, { uri: "https://host/a/readme.txt" }, headers)).status, 401);
      assert.equal((await post(guarded, "{uri:", headers)).status, 401);
      assert.equal((await post(guarded, "x".repeat(100_000), headers)).status, 401);
    }
    const accepted = await announce(guarded, { uri: "https://host/a/readme.txt" }, { authorization: `Bearer ${TOKEN}` });
    assert.equal(accepted.status, 202);
  });

  test("health is answered without a token; other paths and methods are not", async () => {
    const base = new URL("/", guarded.url).href;
    assert.deepEqual(await (await fetch(`${base}healthz`)).json(), { ok: true });
    assert.equal((await fetch(guarded.url)).status, 404);
    assert.equal((await fetch(`${base}other`, { method: "POST" })).status, 404);
  });

  test("a port in use is told with what to do", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as AddressInfo;
    const announcer = new Announcer(new Client({ connection }), ledger);
    await assert.rejects(
      startWebhook({ announcer, port }),
      (error) =>
        isFreshetError(error, "usage") &&
        error.message.includes(`127.0.0.1:${port}`) &&
        /Choose another port/.test(error.message),
    );
    taken.close();
  });

  test("connecting to a Temporal server that is not there fails within seconds, with its address", async () => {
    const started = Date.now();
    await assert.rejects(
      connectTemporal("127.0.0.1:1", "default"),
      (error) => isFreshetError(error, "unreachable") && /127\.0\.0\.1:1\).*TEMPORAL_ADDRESS/.test(error.message),
    );
    assert.ok(Date.now() - started < 8_000);
  });
});

describe("starters on a real Temporal server", { skip: missingTemporal() }, () => {
  let server: TestServer;
  let client: Client;
  before(async () => {
    server = await startTemporalServer();
    client = await connectTemporal(server.address, "default");
  });
  after(async () => {
    await client?.connection.close();
    await server?.stop();
  });

  test("apply: a dry run changes nothing, the first time everything, the second time nothing; together they agree", async () => {
    const [planned] = await applyDatasets(client, ledger, [dataset], { dryRun: true });
    assert.equal(planned?.changes.filter((change) => change.startsWith("search attribute")).length, 3);
    await assert.rejects(client.workflow.getHandle("dataset:days").describe());
    const both = await Promise.all([1, 2].map(() => applyDatasets(client, ledger, [dataset])));
    assert.ok(both.flat().every(({ name }) => name === "days"));
    const { status, memo: _, searchAttributes: __ } = await client.workflow.getHandle("dataset:days").describe();
    assert.equal(status.name, "RUNNING");
    const [again] = await applyDatasets(client, ledger, [dataset]);
    // Nobody runs the workflow here, so its settings cannot be asked for and are sent once more.
    assert.deepEqual(again?.changes, ["workflow dataset:days: configured"]);
  });

  test("an announcement is held by Temporal when the answer comes; twice is the same workflow", async () => {
    const webhook = await startWebhook({ announcer: new Announcer(client, ledger), port: 0 });
    try {
      const granules = [{ dataset: "days", key: "20170605T000000Z", workflowId: "granule:days:20170605T000000Z" }];
      const expected = { granules, uris: [{ uri: GRANULE, granules }], passedOver: [] };
      for (let time = 0; time < 2; time++) {
        const { status, body } = await announce(webhook, { uri: GRANULE, size: 5 });
        assert.deepEqual([status, body], [202, expected]);
      }
      const handle = client.workflow.getHandle("granule:days:20170605T000000Z");
      const { events } = await handle.fetchHistory();
      const signals = (events ?? []).filter(
        ({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName === "announce",
      );
      assert.equal(signals.length, 2);
      const { typedSearchAttributes } = await handle.describe();
      assert.deepEqual(Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value])), {
        FreshetDataset: "days",
        FreshetGranule: "20170605T000000Z",
        FreshetStage: "announced",
      });
    } finally {
      await webhook.close();
    }
  });
});
