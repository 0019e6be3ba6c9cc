import { SQS_ENVIRONMENT, TestElasticMq } from "../support/elasticmq.ts";
import { TestRabbitMq } from "../support/rabbitmq.ts";

const EXCHANGE = "xpublic";
const SQS_QUEUE = "announced";
const AMQP_QUEUE = "q_guest.freshet.announced";

/** A broker that brings announcements of names at an agency. */
export interface TestBroker {
  /** What the source has beside its place. */
  readonly delivery: string;
  /** What a starter must have in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Announces granules; when it resolves, the broker has them. */
  announce(agency: string, names: readonly string[]): Promise<void>;
  /** Messages that are still there. */
  left(): Promise<number>;
  /** Whether a death may lose what it has confirmed: then it has to be announced again. */
  readonly forgets: boolean;
  kill(): Promise<void>;
  startAgain(): Promise<void>;
  stop(): Promise<void>;
}

/** Brokers by the kind of starter that listens to them. */
export const BROKERS: Readonly<Record<"sqs" | "amqp", () => Promise<TestBroker>>> = { sqs: startSqs, amqp: startAmqp };

async function startSqs(): Promise<TestBroker> {
  const server = await TestElasticMq.start();
  const queue = await server.createQueue(SQS_QUEUE);
  return {
    delivery: `sqs: { queue: "${queue}", visibility: 10s }`,
    environment: SQS_ENVIRONMENT,
    announce: (agency, names) =>
      server.send(
        queue,
        names.map((name) => JSON.stringify({ uri: `${agency}${name}` })),
      ),
    left: async () => {
      const { visible, underWay } = await server.sizes(queue);
      return visible + underWay;
    },
    // It writes to its disk some time after it has answered.
    forgets: true,
    kill: () => server.kill(),
    startAgain: () => server.startServer(),
    stop: () => server.stop(),
  };
}

async function startAmqp(): Promise<TestBroker> {
  const server = await TestRabbitMq.start();
  await server.withChannel(async (channel) => {
    await channel.assertExchange(EXCHANGE, "topic", { durable: true });
    await channel.assertQueue(AMQP_QUEUE, { durable: true });
    await channel.bindQueue(AMQP_QUEUE, EXCHANGE, "v03.granules.#");
  });
  const who = `user: "\${TEST_USER}", password: "\${TEST_USER}"`;
  return {
    delivery: `amqp: { broker: "${server.url}", ${who}, queue: ${AMQP_QUEUE}, topics: ["v03.granules.#"] }`,
    environment: { TEST_USER: "guest" },
    announce: (baseUrl, names) =>
      server.publish(
        EXCHANGE,
        names.map((relPath) => ({
          topic: "v03.granules.made",
          body: JSON.stringify({ pubTime: "20200101T000000.0", baseUrl, relPath }),
        })),
      ),
    left: () => server.withChannel(async (channel) => (await channel.checkQueue(AMQP_QUEUE)).messageCount),
    forgets: false,
    kill: () => server.kill(),
    startAgain: () => server.startServer(),
    stop: () => server.stop(),
  };
}
