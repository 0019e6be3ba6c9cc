import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Client, defaultPayloadConverter } from "@temporalio/client";
import type { Announcement } from "../../src/contract/index.ts";
import { canonicalDataset, type Dataset, parseDatasetFile } from "../../src/dataset/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { type Ledger, openLedger } from "../../src/ledger/index.ts";
import { Announcer, applyDatasets, connectTemporal, type RunningWebhook, startWebhook } from "../../src/starters/index.ts";
import { missingTemporal, startTemporalServer, type TestServer } from "../support/temporal-server.ts";

const FILE = `
sources: { s: { at: https://host/a/, allow: [s3://bucket/a/] } }
---
name: days
from: { source: s }
match: "{valid:%Y%m%d}.nc"
products: [ { timeseries: { calendar: { every: 1d }, store: /s/days } } ]
`;
const TOKEN = "a token";
const SECRET = "a secret";

interface Answer {
  readonly status: number;
  readonly body: {
    readonly error?: string;
    readonly granules?: readonly { readonly key: string }[];
    readonly uris?: readonly { readonly uri: string; readonly granules: readonly unknown[]; readonly note?: string }[];
    readonly passedOver?: readonly string[];
  };
}

async function post(webhook: RunningWebhook, said: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const body = typeof said === "string" ? said : JSON.stringify(said);
  const response = await fetch(webhook.url, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

const sign = (body: string, secret = SECRET): string => `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
const record = (eventName: string, key: string, size?: number) => ({
  eventName,
  s3: { bucket: { name: "bucket" }, object: { key, size } },
});

describe("the webhook, before a real Temporal server", { skip: missingTemporal() }, () => {
  let home = "";
  let ledger: Ledger;
  let server: TestServer;
  let client: Client;
  let announcer: Announcer;
  let webhook: RunningWebhook;
  before(async () => {
    home = await mkdtemp(join(tmpdir(), "freshet-webhook-forms-"));
    ledger = await openLedger(join(home, "ledger.db"));
    server = await startTemporalServer();
    client = await connectTemporal(server.address, "default");
    const dataset = parseDatasetFile(FILE, { file: join(home, "d.yaml") }).datasets[0] as Dataset;
    await applyDatasets(client, ledger, [dataset]);
    await ledger.putDataset(canonicalDataset(dataset));
    announcer = new Announcer(client, ledger);
    webhook = await startWebhook({ announcer, port: 0 });
  });
  after(async () => {
    await webhook?.close();
    await client?.connection.close();
    await server?.stop();
    await ledger?.close();
    await rm(home, { recursive: true, force: true });
  });

  /** The announcements that Temporal holds for a day's granule, in their order. */
  async function heldOf(day: string): Promise<Announcement[]> {
    const { events } = await client.workflow.getHandle(`granule:days:${day}T000000Z`).fetchHistory();
    return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => {
      const payload = signal?.input?.payloads?.[0];
      return payload ? [defaultPayloadConverter.fromPayload<Announcement>(payload)] : [];
    });
  }
  const facts = (announcements: readonly Announcement[]) => announcements.map(({ heardMs: _, ...rest }) => rest);

  test("an event of S3 by SNS, as text: every record is answered for, one after the other of the same uri", async () => {
    const uri = "s3://bucket/a/20200101.nc";
    const Message = JSON.stringify({
      Records: [
        record("ObjectCreated:Put", "a/20200101.nc", 5),
        record("ObjectCreated:Put", "a/20200102.nc", 6),
        record("ObjectRemoved:Delete", "a/20200101.nc"),
        record("ObjectCreated:Put", "a/readme.txt", 7),
        record("ObjectTagging:Put", "a/20200101.nc"),
      ],
    });
    const { status, body } = await post(
      webhook,
      { Type: "Notification", TopicArn: "arn:aws:sns:us-east-1:1:t", Message },
      { "content-type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": "Notification" },
    );
    assert.equal(status, 202);
    assert.deepEqual(
      body.granules?.map(({ key }) => key),
      ["20200101T000000Z", "20200102T000000Z"],
    );
    assert.deepEqual(
      body.uris?.map((one) => [one.uri, one.granules.length, one.note]),
      [
        [uri, 1, undefined],
        ["s3://bucket/a/20200102.nc", 1, undefined],
        ["s3://bucket/a/readme.txt", 0, "no dataset knows this name"],
      ],
    );
    assert.deepEqual(body.passedOver, ['an event "ObjectTagging:Put", which neither makes nor removes an object']);
    assert.deepEqual(facts(await heldOf("20200101")), [
      { uri, size: 5, by: "webhook" },
      { uri, removed: true, by: "webhook" },
    ]);
  });

  test("CloudEvents in structured and in binary mode", async () => {
    const uri = "https://host/a/20200103.nc";
    const attributes = { specversion: "1.0", id: "1", source: "/s", type: "granule.ready" };
    const structured = { ...attributes, data: { uri, size: 1 } };
    assert.equal(
      (await post(webhook, structured, { "content-type": "application/cloudevents+json; charset=utf-8" })).status,
      202,
    );
    const headers = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value]));
    assert.equal((await post(webhook, { uri, size: 2 }, headers)).status, 202);
    const batch = [{ ...attributes, data: { uri, size: 3 } }];
    assert.equal((await post(webhook, batch, { "content-type": "application/cloudevents-batch+json" })).status, 202);
    assert.deepEqual(
      (await heldOf("20200103")).map(({ size }) => size),
      [1, 2, 3],
    );
    const { "ce-type": _, ...withoutType } = headers;
    assert.equal((await post(webhook, { uri }, withoutType)).status, 400);
  });

  test("under an idempotency key the same announcement is made once, also when it comes twice at once", async () => {
    const said = { uri: "https://host/a/20200104.nc" };
    const headers = { "idempotency-key": "one" };
    const [first, beside] = await Promise.all([post(webhook, said, headers), post(webhook, said, headers)]);
    assert.equal(first?.status, 202);
    assert.deepEqual(beside, first);
    assert.deepEqual(await post(webhook, said, headers), first);
    assert.equal((await heldOf("20200104")).length, 1);

    const other = await post(webhook, { ...said, size: 5 }, headers);
    assert.deepEqual([other.status, other.body], [422, { error: "this Idempotency-Key was used for another announcement" }]);
    assert.equal((await heldOf("20200104")).length, 1);
    assert.equal((await post(webhook, said, { "idempotency-key": "two" })).status, 202);
    assert.equal((await heldOf("20200104")).length, 2);
    assert.equal((await post(webhook, said, { "idempotency-key": "x".repeat(256) })).status, 400);
  });

  test("a signed body needs no token; another body, another secret, no signature are refused", async () => {
    const guarded = await startWebhook({ announcer, port: 0, token: TOKEN, hmac: SECRET });
    try {
      const body = JSON.stringify({ uri: "https://host/a/20200105.nc" });
      const refused: Record<string, string>[] = [
        {},
        { "x-hub-signature-256": "" },
        { "x-hub-signature-256": "sha256=" },
        { "x-hub-signature-256": sign(body).slice("sha256=".length) },
        { "x-hub-signature-256": sign(`${body} `) },
        { "x-hub-signature-256": sign(body, "another") },
        { "x-hub-signature-256": sign(body, "") },
        { authorization: "Bearer another" },
      ];
      for (const headers of refused) {
        const { status, body: answer } = await post(guarded, body, headers);
        assert.equal(status, 401, JSON.stringify(headers));
        assert.equal(answer.error, "a bearer token or a signature in X-Hub-Signature-256 is needed");
      }
      await assert.rejects(heldOf("20200105"), "nothing was announced");
      assert.equal((await post(guarded, body, { "x-hub-signature-256": sign(body) })).status, 202);
      assert.equal((await post(guarded, body, { authorization: `Bearer ${TOKEN}` })).status, 202);
      assert.equal((await heldOf("20200105")).length, 2);
    } finally {
      await guarded.close();
    }
  });

  test("a refused request leaves nothing under its idempotency key", async () => {
    const guarded = await startWebhook({ announcer, port: 0, hmac: SECRET });
    try {
      const body = JSON.stringify({ uri: "https://host/a/20200106.nc" });
      const headers = { "idempotency-key": "k" };
      assert.equal(
        (await post(guarded, '{"uri":"https://host/a/x"}', { ...headers, "x-hub-signature-256": sign(body) })).status,
        401,
      );
      assert.equal((await post(guarded, body, { ...headers, "x-hub-signature-256": sign(body) })).status, 202);
    } finally {
      await guarded.close();
    }
  });

  test("secrets may be kept in a file; one that is not there is named at the start", async () => {
    const path = join(home, "token");
    const named = `\${file:${path}}`;
    await assert.rejects(
      startWebhook({ announcer, port: 0, token: named }),
      (error) => isFreshetError(error, "usage") && error.message.includes(named),
    );
    await writeFile(path, `${TOKEN}\n`);
    const guarded = await startWebhook({ announcer, port: 0, token: named });
    try {
      const said = { uri: "https://host/a/20200107.nc" };
      assert.equal((await post(guarded, said, { authorization: `Bearer ${named}` })).status, 401);
      assert.equal((await post(guarded, said, { authorization: `Bearer ${TOKEN}` })).status, 202);
    } finally {
      await guarded.close();
    }
  });

  test("an empty secret, which would let everybody in, is refused at the start", async () => {
    for (const secrets of [{ hmac: "" }, { token: "" }]) {
      await assert.rejects(startWebhook({ announcer, port: 0, ...secrets }), (error) => isFreshetError(error, "usage"));
    }
  });
});
