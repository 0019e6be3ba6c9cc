import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import type { Notification } from "../../src/contract/index.ts";
import { type ErrorKind, isFreshetError } from "../../src/errors/index.ts";
import { deliver } from "../../src/notify/index.ts";
import { Hook } from "./hook.ts";

const TOLD: Notification = {
  id: "ostia/timeseries#3",
  kind: "published",
  dataset: "ostia",
  subject: "timeseries #3",
  atMs: Date.UTC(2024, 0, 2, 3, 4, 5),
  data: { product: "timeseries", sequence: 3, version: "V3" },
};
const SECRET = "a very secret text";
const SECRET_NAME = `$\{TEST_NOTIFY_SECRET}`;
const HOOK_NAME = `$\{TEST_NOTIFY_HOOK}`;
const soon = (): AbortSignal => AbortSignal.timeout(10_000);

describe("a notification", () => {
  let hook: Hook;
  before(async () => {
    hook = await Hook.start();
    process.env.TEST_NOTIFY_SECRET = SECRET;
    process.env.TEST_NOTIFY_HOOK = `${hook.url}/secret-path`;
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test", AWS_EC2_METADATA_DISABLED: "true" });
  });
  after(() => hook.stop());
  beforeEach(() => {
    hook.calls.length = 0;
    hook.statuses = [204];
    hook.answer = "";
  });

  test("by webhook is a CloudEvent, with a token and a signature of exactly its bytes", async () => {
    const secret = SECRET_NAME;
    await deliver({ kind: "webhook", url: `${hook.url}/hook`, token: secret, hmac: secret }, TOLD, soon());
    const [{ path, headers, body } = assert.fail()] = hook.calls;
    assert.equal(path, "/hook");
    assert.equal(headers["content-type"], "application/cloudevents+json");
    assert.equal(headers.authorization, `Bearer ${SECRET}`);
    assert.equal(headers["x-hub-signature-256"], `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`);
    assert.deepEqual(JSON.parse(body), {
      specversion: "1.0",
      id: "ostia/timeseries#3",
      source: "/freshet/ostia",
      type: "freshet.published",
      subject: "timeseries #3",
      time: "2024-01-02T03:04:05.000Z",
      datacontenttype: "application/json",
      data: { dataset: "ostia", product: "timeseries", sequence: 3, version: "V3" },
    });
  });

  test("to GitHub is a repository dispatch", async () => {
    const channel = { kind: "github", repository: "me/forecast", event: "new-data", token: SECRET_NAME } as const;
    await deliver({ ...channel, endpoint: hook.url }, TOLD, soon());
    const [{ path, headers, body } = assert.fail()] = hook.calls;
    assert.equal(path, "/repos/me/forecast/dispatches");
    assert.equal(headers.authorization, `Bearer ${SECRET}`);
    assert.equal(headers.accept, "application/vnd.github+json");
    const { event_type: type, client_payload: payload } = JSON.parse(body);
    assert.equal(type, "new-data");
    assert.deepEqual([payload.id, payload.kind, payload.data.version], ["ostia/timeseries#3", "published", "V3"]);
    assert.ok(Object.keys(payload).length <= 10);
  });

  test("to SNS is published to the topic, with attributes that subscriptions can choose by", async () => {
    hook.statuses = [200];
    hook.answer =
      '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>';
    const topic = "arn:aws:sns:eu-west-2:123456789012:new-data.fifo";
    await deliver({ kind: "sns", topic, endpoint: hook.url }, TOLD, soon());
    const [{ headers, body } = assert.fail()] = hook.calls;
    const sent = new URLSearchParams(body);
    assert.equal(sent.get("Action"), "Publish");
    assert.equal(sent.get("TopicArn"), topic);
    assert.equal(JSON.parse(sent.get("Message") ?? "").id, "ostia/timeseries#3");
    assert.equal(sent.get("MessageDeduplicationId"), "ostia_timeseries_3");
    assert.match(body, /MessageAttributes\.entry\.1\.Name=kind/);
    assert.match(headers.authorization ?? "", /Credential=test\/\d+\/eu-west-2\/sns/);
  });

  const outcomes: readonly [what: string, status: number, kind: ErrorKind][] = [
    ["an address that is gone", 404, "source-refused"],
    ["a wrong token", 401, "source-refused"],
    ["a redirect", 302, "source-refused"],
    ["too many calls", 429, "unreachable"],
    ["a server in trouble", 503, "unreachable"],
  ];
  for (const [what, status, kind] of outcomes) {
    test(`ends at ${what} as ${kind}`, async () => {
      hook.statuses = [status];
      await assert.rejects(deliver({ kind: "webhook", url: hook.url }, TOLD, soon()), (error: unknown) =>
        isFreshetError(error, kind),
      );
      assert.equal(hook.calls.length, 1);
    });
  }

  test("whose address is a secret does not tell it when it fails", async () => {
    hook.statuses = [500];
    await assert.rejects(
      deliver({ kind: "webhook", url: HOOK_NAME, token: SECRET_NAME }, TOLD, soon()),
      (error: Error) => !`${error.message} ${JSON.stringify(error)}`.includes("secret-path") && !error.message.includes(SECRET),
    );
  });

  test("to nobody ends as unreachable", async () => {
    const gone = await Hook.start();
    const { url } = gone;
    await gone.stop();
    await assert.rejects(deliver({ kind: "webhook", url }, TOLD, soon()), (error: unknown) =>
      isFreshetError(error, "unreachable"),
    );
  });
});
