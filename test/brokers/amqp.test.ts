import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { missingRabbitMq, TestRabbitMq } from "../support/rabbitmq.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { BrokerWorld, expectedEnd, shuffledTwice, until } from "./broker-world.ts";
import { StarterProcess } from "./starter-process.ts";

const GRANULES = 150;
/** The starter dies when the ledger has heard of so many. */
const DEATHS_AT = [20, 50, 80];
const EXCHANGE = "xpublic";
const QUEUE = "q_guest.freshet.tests";

describe("AMQP", { skip: missingTemporal() || missingRabbitMq() }, () => {
  let broker: TestRabbitMq;
  let world: BrokerWorld;

  before(async () => {
    [broker, world] = await Promise.all([TestRabbitMq.start(), BrokerWorld.start()]);
    await broker.withChannel(async (channel) => {
      await channel.assertExchange(EXCHANGE, "topic", { durable: true });
      await channel.assertExchange("dead", "fanout", { durable: true });
      await channel.assertQueue("dead-letters", { durable: true });
      await channel.bindQueue("dead-letters", "dead", "");
      // One that somebody has made with other arguments than ours.
      await channel.assertQueue(QUEUE, { durable: true, deadLetterExchange: "dead" });
    });
    await world.apply(delivery());
  });
  after(async () => {
    await broker?.stop();
    await world?.stop();
  });

  const delivery = (changes: { readonly queue?: string; readonly more?: string } = {}): string => {
    const { queue = `queue: ${QUEUE}, `, more = "" } = changes;
    const who = `broker: "${broker.url}", user: "\${TEST_USER}", password: "\${TEST_PASSWORD}"`;
    return `amqp: { ${who}, ${queue}topics: ["v03.granules.#", "v02.post.granules.#"], reject: ["[.]txt$"]${more} }`;
  };
  const environment = (changes: Readonly<Record<string, string>> = {}): Record<string, string> => ({
    ...world.environment,
    TEST_USER: "guest",
    TEST_PASSWORD: "guest",
    ...changes,
  });
  const start = (changes = {}): StarterProcess => new StarterProcess(["starter", "amqp"], environment(changes));
  const inV03 = (name: string) => ({
    topic: "v03.granules.made",
    body: JSON.stringify({ pubTime: "20200101T000000.0", baseUrl: world.agency.url, relPath: name }),
  });
  const inV02 = (name: string) => ({
    topic: "v02.post.granules.made",
    body: `20200101000000.0 ${world.agency.url} ${name}`,
    headers: { sum: "0,0" },
  });
  const left = (queue: string): Promise<number> =>
    broker.withChannel(async (channel) => (await channel.checkQueue(queue)).messageCount);

  test("300 announcements, doubled and in no order, with deaths of the starter and of the broker: each granule is recorded once", async () => {
    const names = await world.putAll(GRANULES);
    const messages = shuffledTwice(names).map((name, index) => (index % 2 === 0 ? inV03(name) : inV02(name)));
    let starter = start();
    await starter.says("messages are taken");
    await broker.publish(EXCHANGE, messages.slice(0, GRANULES));
    for (const heard of DEATHS_AT) {
      await until(async () => (await world.heard()) >= heard, `${heard} are heard of`);
      await starter.kill();
      starter = start();
    }
    await starter.says("messages are taken");
    await broker.publish(EXCHANGE, messages.slice(GRANULES));
    await broker.kill();
    await starter.says("the broker does not answer");
    await broker.startServer();
    await starter.says("the broker answers again");
    await until(async () => (await world.published()) === GRANULES, "all are published");
    await until(async () => (await left(QUEUE)) === 0, "the queue is empty");
    assert.equal(await starter.interrupt(), 130);
    assert.deepEqual(await world.endState(GRANULES), expectedEnd(GRANULES));
    assert.equal(await left(QUEUE), 0);
    assert.equal(starter.warnings.length, 1, "one line when the broker goes");
  });

  test("malformed messages go to the dead-letter queue, their reasons to the log, and hold nobody up", async () => {
    const starter = start();
    await starter.says("messages are taken");
    await broker.publish(EXCHANGE, [
      { topic: "v03.granules.bad", body: "no JSON" },
      inV03("readme.txt"),
      inV03("nothing-like-it.nc"),
      inV03("2020010100.nc"),
      { topic: "v03.elsewhere", body: "nobody has asked for it" },
    ]);
    await until(async () => (await left("dead-letters")) === 1, "one is set aside");
    await starter.says(/a malformed message is rejected: .*no JSON/);
    await until(async () => (await left(QUEUE)) === 0, "the queue is empty");
    await starter.interrupt();
    const { messages, held, malformed, nothingMatches, passedOver, unknownNames } = starter.facts("amqp:agency: stopped");
    assert.deepEqual(
      { messages, held, malformed, nothingMatches, passedOver, unknownNames },
      { messages: 4, held: 1, malformed: 1, nothingMatches: 1, passedOver: 1, unknownNames: 1 },
    );
    const dead = await broker.withChannel((channel) => channel.get("dead-letters", { noAck: true }));
    assert.ok(dead !== false);
    assert.equal(dead.content.toString(), "no JSON");
    assert.equal(dead.properties.headers?.["x-death"]?.[0]?.reason, "rejected");
  });

  test("a wrong password, an exchange that is not there: one line with the remedy", async () => {
    const stranger = start({ TEST_PASSWORD: "not-the-password" });
    assert.equal(await stranger.ended(), 1);
    assert.equal(stranger.said.length, 1);
    assert.match(
      stranger.said[0] ?? "",
      /^freshet: the broker does not let us in: .*403.*Correct `amqp\.user` and `amqp\.password`/,
    );
    assert.doesNotMatch(stranger.said[0] ?? "", /not-the-password/);

    await world.apply(delivery({ more: ", exchange: xnowhere" }));
    const lost = start();
    assert.equal(await lost.ended(), 1);
    assert.equal(lost.said.length, 1);
    assert.match(lost.said[0] ?? "", /^freshet: the broker does not have it: .*xnowhere.*Correct `amqp\.exchange`/);
  });

  test("a host that does not answer is waited for: one line with the remedy, and Ctrl-C ends it", async () => {
    await world.apply(`amqp: { broker: "amqp://127.0.0.1:9/", topics: ["#"] }`);
    const starter = start();
    await starter.says(/the broker does not answer: .*ECONNREFUSED.*See that the host of `amqp\.broker`/);
    assert.equal(await starter.interrupt(), 130);
    assert.equal(starter.warnings.length, 1);
  });

  test("the queue is made by Sarracenia's convention, expires unused, and a dataset that is applied meanwhile is heard of", async () => {
    await world.apply(delivery({ queue: "", more: ", prefetch: 1" }));
    const starter = start();
    await starter.says("messages are taken");
    const { queue } = starter.facts("amqp:agency: messages are taken");
    assert.match(String(queue), /^q_guest\.freshet\.agency\.[0-9a-f]{8}$/);
    await assert.rejects(
      broker.withChannel((channel) => channel.assertQueue(String(queue), { durable: true, expires: 1_000 })),
      /x-expires.*259200000/s,
    );
    await broker.publish(EXCHANGE, [{ topic: "v03.granules.bad", body: "no JSON" }, inV03("2020010100.nc")]);
    await starter.says(/a malformed message is rejected: "no JSON"/);
    await until(async () => (await left(String(queue))) === 0, "nobody keeps it");
    await world.apply(delivery({ queue: "queue: q_guest.another, " }));
    await starter.says("amqp:agency: stopped");
    assert.equal(starter.facts("amqp:agency: stopped").malformed, 1);
    assert.equal(starter.facts("amqp:agency: stopped").held, 1);
    await until(
      async () => starter.facts("amqp:agency: messages are taken").queue === "q_guest.another",
      "the other queue is taken",
    );
    assert.equal(await starter.interrupt(), 130);
  });
});
