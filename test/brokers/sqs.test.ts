import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { missingElasticMq, SQS_ENVIRONMENT, TestElasticMq } from "../support/elasticmq.ts";
import { missingTemporal } from "../support/temporal-server.ts";
import { BrokerWorld, expectedEnd, shuffledTwice, until } from "./broker-world.ts";
import { StarterProcess } from "./starter-process.ts";

const GRANULES = 150;
/** The starter dies when the ledger has heard of so many. */
const DEATHS_AT = [20, 50, 80];
/** What a killed process had comes again after this time. */
const VISIBILITY = "4s";

describe("SQS", { skip: missingTemporal() || missingElasticMq() }, () => {
  let sqs: TestElasticMq;
  let world: BrokerWorld;
  let queue: string;
  let deadLetters: string;

  before(async () => {
    [sqs, world] = await Promise.all([TestElasticMq.start(), BrokerWorld.start()]);
    deadLetters = await sqs.createQueue("announced-dead");
    queue = await sqs.createQueue("announced", { name: "announced-dead", maxReceiveCount: 50 });
    await world.apply(delivery);
  });
  after(async () => {
    await sqs?.stop();
    await world?.stop();
  });

  const delivery = `sqs: { queue: "\${TEST_QUEUE}", visibility: ${VISIBILITY} }`;
  const environment = (): Record<string, string> => ({ ...world.environment, ...SQS_ENVIRONMENT, TEST_QUEUE: queue });
  const start = (words = ["starter", "sqs"]): StarterProcess => new StarterProcess(words, environment());
  const bodyOf = (name: string): string => JSON.stringify({ uri: `${world.agency.url}${name}` });

  test("300 announcements, doubled and in no order, with deaths of the starter and of the broker: each granule is recorded once", async () => {
    const names = await world.putAll(GRANULES);
    const bodies = shuffledTwice(names).map((name, index) => (index % 2 === 0 ? bodyOf(name) : inNotification(bodyOf(name))));
    const [first, second] = [bodies.slice(0, GRANULES), bodies.slice(GRANULES)];
    await sqs.send(queue, first);
    let starter = start();
    for (const heard of DEATHS_AT) {
      await until(async () => (await world.heard()) >= heard, `${heard} are heard of`);
      await starter.kill();
      starter = start();
    }
    await starter.says("messages are taken");
    await sqs.kill();
    await starter.says("the queue does not answer");
    await sqs.startServer();
    await starter.says("the queue answers again");
    // This broker writes what it has taken to its disk some time later: what it may have lost is announced again.
    await sqs.send(queue, [...second, ...first]);
    await until(async () => (await world.published()) === GRANULES, "all are published");
    await until(async () => {
      const { visible, underWay } = await sqs.sizes(queue);
      return visible + underWay === 0;
    }, "the queue is empty");
    assert.equal(await starter.interrupt(), 130);
    assert.deepEqual(await world.endState(GRANULES), expectedEnd(GRANULES));
    assert.deepEqual((await sqs.sizes(deadLetters)).visible, 0);
    assert.equal(starter.warnings.length, 1, "one line when the queue goes");
  });

  test("malformed messages go to the dead-letter queue with their reason, and hold nobody up", async () => {
    await sqs.send(queue, [
      "no JSON",
      '{"uri":7}',
      bodyOf("nothing-like-it.txt"),
      '{"Event":"s3:TestEvent","Bucket":"b"}',
      bodyOf("2020010100.nc"),
    ]);
    const starter = start();
    await until(async () => (await sqs.sizes(deadLetters)).visible === 2, "two are set aside");
    await until(async () => {
      const { visible, underWay } = await sqs.sizes(queue);
      return visible + underWay === 0;
    }, "the queue is empty");
    await starter.interrupt();
    const { messages, held, malformed, nothingMatches, passedOver, lastUnknown } = starter.facts("sqs:agency: stopped");
    assert.deepEqual(
      { messages, held, malformed, nothingMatches, passedOver, lastUnknown },
      {
        messages: 5,
        held: 1,
        malformed: 2,
        nothingMatches: 1,
        passedOver: 1,
        lastUnknown: [`${world.agency.url}nothing-like-it.txt`],
      },
    );
    const dead = await sqs.receive(deadLetters);
    const reasons = dead.map(
      ({ Body, MessageAttributes }) => [Body, MessageAttributes?.FreshetReason?.StringValue ?? ""] as const,
    );
    const byBody = new Map(reasons);
    assert.match(byBody.get("no JSON") ?? "", /^"no JSON"; expected /);
    assert.match(byBody.get('{"uri":7}') ?? "", /uri/);
  });

  test("without a dead-letter queue a malformed message stays, comes again and is counted; the others go on", async () => {
    const open = await sqs.createQueue("open");
    await sqs.send(open, ["no JSON", bodyOf("2020010100.nc")]);
    const starter = new StarterProcess(["starter", "sqs"], { ...environment(), TEST_QUEUE: open });
    await starter.says(/a malformed message is left in the queue: "no JSON"/);
    // Longer than its visibility: by then it has come a second time.
    await sleep(7_000);
    await starter.interrupt();
    const { held, malformed } = starter.facts("sqs:agency: stopped");
    assert.equal(held, 1);
    assert.ok(Number(malformed) >= 2, `${malformed}`);
    assert.equal(starter.warnings.length, 1, "one line for one message");
    const { visible, underWay } = await sqs.sizes(open);
    assert.equal(visible + underWay, 1);
  });

  test("without a source that has a queue it says what to declare", async () => {
    const starter = new StarterProcess(["starter", "sqs"], { ...environment(), FRESHET_LEDGER: `sqlite:${world.home}/other.db` });
    assert.equal(await starter.ended(), 2);
    assert.match(starter.said.join("\n"), /^freshet: no applied dataset has a source with sqs\. Declare sources\.NAME\.sqs/);
    const another = new StarterProcess(["starter", "sqs", "agencies"], environment());
    assert.equal(await another.ended(), 2);
    assert.match(
      another.said.join("\n"),
      /^freshet: no applied dataset has a source with sqs: found agencies, expected agency\./,
    );
  });

  test("a queue that is not there, a variable that is not set: one line with the remedy", async () => {
    const missing = new StarterProcess(["starter", "sqs"], {
      ...environment(),
      TEST_QUEUE: `${sqs.endpoint}/000000000000/nowhere`,
    });
    assert.equal(await missing.ended(), 1);
    assert.equal(missing.said.length, 1);
    assert.match(missing.said[0] ?? "", /^freshet: there is no such queue: .*\$\{TEST_QUEUE\}.*Correct `sqs\.queue`/);
    assert.doesNotMatch(missing.said[0] ?? "", /nowhere|127\.0\.0\.1/, "the value of a variable is not shown");

    const { TEST_QUEUE: _, ...without } = environment();
    const unset = new StarterProcess(["starter", "sqs", "agency"], without);
    assert.equal(await unset.ended(), 2);
    assert.deepEqual(unset.said.length, 1);
    assert.match(unset.said[0] ?? "", /^freshet: the secret \$\{TEST_QUEUE\} is not set.*Set TEST_QUEUE in the environment/);
  });

  test("a host that does not answer is waited for: one line with the remedy, and Ctrl-C ends it", async () => {
    const starter = new StarterProcess(["starter", "sqs"], { ...environment(), TEST_QUEUE: "http://127.0.0.1:9/000000000000/q" });
    await starter.says(/the queue does not answer: .*ECONNREFUSED.*See that the host/);
    assert.equal(await starter.interrupt(), 130);
    assert.equal(starter.warnings.length, 1);
  });

  test("a worker with starters listens too", async () => {
    const before = await world.worker.ledger.history("brokered", "20200101T000000Z");
    const worker = start(["worker", "--with-starters"]);
    await worker.says("messages are taken");
    await sqs.send(queue, [bodyOf("2020010100.nc")]);
    await until(async () => (await sqs.sizes(queue)).visible === 0 && (await sqs.sizes(queue)).underWay === 0, "it is taken");
    assert.equal(await worker.interrupt(), 130);
    assert.equal(worker.facts("sqs:agency: stopped").held, 1);
    assert.deepEqual(await world.worker.ledger.history("brokered", "20200101T000000Z"), before, "a duplicate changes nothing");
  });

  // The last one: Temporal does not come back.
  test("while Temporal is away a message is kept from others; a starter that stops gives it back at once", async () => {
    const starter = start();
    await starter.says("messages are taken");
    await world.server.stop();
    await sqs.send(queue, [bodyOf("2020010100.nc"), bodyOf("2020010101.nc")]);
    await starter.says(/Temporal, or the ledger, does not answer/);
    // Longer than twice the visibility.
    await sleep(10_000);
    assert.deepEqual(await sqs.sizes(queue), { visible: 0, underWay: 2 });
    assert.equal(await starter.interrupt(), 130);
    assert.deepEqual(await sqs.sizes(queue), { visible: 2, underWay: 0 });
    assert.equal(starter.facts("sqs:agency: stopped").notTaken, 2);
    assert.equal(starter.warnings.length, 1, "one line, however many wait");
    for (const { Attributes } of await sqs.receive(queue)) assert.equal(Attributes?.ApproximateReceiveCount, "2");
  });
});

function inNotification(body: string): string {
  return JSON.stringify({
    Type: "Notification",
    MessageId: "0",
    TopicArn: "arn:aws:sns:us-east-1:000000000000:announced",
    Message: body,
    Timestamp: "2020-01-01T00:00:00.000Z",
  });
}
