import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connect } from "amqplib";
import type { Notification } from "../../src/contract/index.ts";
import { isFreshetError } from "../../src/errors/index.ts";
import { deliver } from "../../src/notify/index.ts";
import { missingElasticMq, SQS_ENVIRONMENT, TestElasticMq } from "../support/elasticmq.ts";
import { missingRabbitMq, TestRabbitMq } from "../support/rabbitmq.ts";

const TOLD: Notification = {
  id: "ostia/timeseries#3",
  kind: "published",
  dataset: "ostia",
  subject: "timeseries #3",
  atMs: 0,
  data: { version: "V3" },
};
const soon = (): AbortSignal => AbortSignal.timeout(20_000);

describe("notifications to a queue of ElasticMQ", { skip: missingElasticMq() }, () => {
  let sqs: TestElasticMq;
  before(async () => {
    Object.assign(process.env, SQS_ENVIRONMENT);
    sqs = await TestElasticMq.start();
  });
  after(() => sqs?.stop());

  test("arrive as CloudEvents", async () => {
    const queue = await sqs.createQueue("told");
    await deliver({ kind: "sqs", queue }, TOLD, soon());
    const [message] = await sqs.receive(queue);
    assert.equal(JSON.parse(message?.Body ?? "").id, TOLD.id);
  });

  test("are refused where there is no such queue, and wait where nobody answers", async () => {
    const queue = await sqs.createQueue("gone");
    await assert.rejects(deliver({ kind: "sqs", queue: `${queue}-not` }, TOLD, soon()), (error: unknown) =>
      isFreshetError(error, "source-refused"),
    );
    const silent = { kind: "sqs", queue, endpoint: "http://127.0.0.1:9" } as const;
    await assert.rejects(deliver(silent, TOLD, soon()), (error: unknown) => isFreshetError(error, "unreachable"));
  });
});

describe("notifications to an exchange of RabbitMQ", { skip: missingRabbitMq() }, () => {
  let rabbit: TestRabbitMq;
  before(async () => {
    rabbit = await TestRabbitMq.start();
  });
  after(() => rabbit?.stop());

  test("are confirmed by the broker, persistent, under a key that bindings choose by", async () => {
    const connection = await connect(rabbit.url.replace("://", "://guest:guest@"));
    const channel = await connection.createChannel();
    await channel.assertExchange("told", "topic", { durable: true });
    const { queue } = await channel.assertQueue("hears");
    await channel.bindQueue(queue, "told", "freshet.*.published");
    Object.assign(process.env, { TEST_NOTIFY_USER: "guest", TEST_NOTIFY_PASSWORD: "guest" });
    const origin = rabbit.url;
    const secret = { user: `$\{TEST_NOTIFY_USER}`, password: `$\{TEST_NOTIFY_PASSWORD}` };
    await deliver({ kind: "amqp", broker: origin, exchange: "told", ...secret }, TOLD, soon());
    const message = await channel.get(queue, { noAck: true });
    assert.ok(message !== false);
    assert.equal(JSON.parse(message.content.toString()).id, TOLD.id);
    assert.deepEqual([message.properties.messageId, message.properties.deliveryMode], [TOLD.id, 2]);
    await assert.rejects(
      deliver({ kind: "amqp", broker: origin, exchange: "not-there", ...secret }, TOLD, soon()),
      (error: unknown) => isFreshetError(error, "source-refused"),
    );
    await connection.close();
  });
});
