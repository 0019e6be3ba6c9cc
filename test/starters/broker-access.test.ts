import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { amqpAccess, amqpRefusal, sqsAccess, sqsRefusal } from "../../src/brokers/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { Redaction } from "../../src/secrets/index.ts";

const VARIABLES = { TEST_ACCESS: "amqps://me:p%40ss@broker.example.org/forecasts", TEST_USER: "someone", TEST_PASSWORD: "w%rd" };

before(() => Object.assign(process.env, VARIABLES));
after(() => {
  for (const name of Object.keys(VARIABLES)) delete process.env[name];
});

test("a broker is public and ours is the user anonymous, unless the source or the variable says otherwise", async () => {
  const { redaction: _, ...open } = await amqpAccess({ broker: "amqps://example.org/" });
  assert.deepEqual(open, {
    protocol: "amqps",
    hostname: "example.org",
    port: 5671,
    vhost: "/",
    user: "anonymous",
    password: "anonymous",
    shown: "amqps://example.org/",
  });
  const { redaction: __, ...own } = await amqpAccess({ broker: `\${TEST_ACCESS}` });
  assert.deepEqual(own, {
    protocol: "amqps",
    hostname: "broker.example.org",
    port: 5671,
    vhost: "forecasts",
    user: "me",
    password: "p@ss",
    shown: `\${TEST_ACCESS}`,
  });
  const named = await amqpAccess({ broker: "amqp://[::1]:5673/%2F", user: `\${TEST_USER}`, password: `\${TEST_PASSWORD}` });
  assert.deepEqual([named.hostname, named.port, named.vhost, named.user, named.password], ["::1", 5673, "/", "someone", "w%rd"]);
});

test("what a variable holds is shown nowhere, also when it is no URL", async () => {
  await assert.rejects(
    amqpAccess({ broker: `\${TEST_USER}` }),
    (error) =>
      isFreshetError(error, "usage") &&
      !error.message.includes("someone") &&
      error.message.includes(`amqp.broker: \${TEST_USER}`),
  );
  await assert.rejects(
    sqsAccess({ queue: `\${TEST_USER}`, visibilityMs: 1_000 }),
    (error) => isFreshetError(error, "usage") && !error.message.includes("someone"),
  );
  const access = await amqpAccess({ broker: `\${TEST_ACCESS}` });
  const error = new Error("me:p@ss at broker.example.org:5671 (amqps://me:p%40ss@broker.example.org/forecasts)\nrefused");
  assert.equal(access.redaction.of(error), "me:*** at ***:5671 (***) refused");
});

test("an error is told in one line, with its code, and of several addresses the first", () => {
  const refused = Object.assign(new Error("connect 127.0.0.1:1"), { code: "ECONNREFUSED" });
  const redaction = new Redaction(["ab", undefined]);
  assert.equal(redaction.of(new AggregateError([refused, new Error("other")])), "ECONNREFUSED: connect 127.0.0.1:1");
  assert.equal(redaction.of(new Error("about ab")), "about ab");
});

test("what is refused for good is told from what is worth another attempt", async () => {
  const sqs = await sqsAccess({ queue: "https://sqs.eu-west-2.amazonaws.com/1/q", visibilityMs: 1_000 });
  const named = (name: string): Error => Object.assign(new Error("said the service"), { name });
  assert.match(sqsRefusal(named("QueueDoesNotExist"), sqs)?.message ?? "", /no such queue: found said the service/);
  assert.match(sqsRefusal(named("AccessDeniedException"), sqs)?.message ?? "", /refuses us.*Allow sqs:GetQueueAttributes/);
  assert.match(sqsRefusal(named("CredentialsProviderError"), sqs)?.message ?? "", /AWS_ACCESS_KEY_ID/);
  assert.equal(sqsRefusal(named("TimeoutError"), sqs), undefined);
  assert.equal(sqsRefusal(named("RequestThrottled"), sqs), undefined);

  const amqp = await amqpAccess({ broker: "amqp://example.org/" });
  const coded = (code: number): Error => Object.assign(new Error("said the broker"), { code });
  assert.match(
    amqpRefusal(coded(403), amqp)?.message ?? "",
    /refuses us the queue: found said the broker \(amqp:\/\/example\.org\/\)/,
  );
  assert.match(amqpRefusal(coded(530), amqp)?.message ?? "", /virtual host/);
  assert.equal(amqpRefusal(coded(320), amqp), undefined, "it is shutting down");
  assert.equal(amqpRefusal(Object.assign(new Error("x"), { code: "ECONNRESET" }), amqp), undefined);
});

test("the region is the one that the queue's URL names", async () => {
  for (const [queue, region] of [
    ["https://sqs.eu-west-2.amazonaws.com/1/q", "eu-west-2"],
    ["https://ap-south-1.queue.amazonaws.com/1/q", "ap-south-1"],
    ["https://sqs.cn-north-1.amazonaws.com.cn/1/q", "cn-north-1"],
  ] as const) {
    const { client } = await sqsAccess({ queue, visibilityMs: 1_000 });
    assert.equal(await client.config.region(), region);
  }
});
