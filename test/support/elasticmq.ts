import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ListQueuesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { ELASTICMQ_COMMAND, findElasticMq } from "../../set-up/elasticmq.mjs";
import { freePort } from "../../src/cli/demo/free-port.ts";

const START_MS = 60_000;
/** Something must be given; this server accepts any. */
const CREDENTIALS = { accessKeyId: "test", secretAccessKey: "test" };

/** What a process must have in its environment to speak with the test's server. */
export const SQS_ENVIRONMENT = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test", AWS_EC2_METADATA_DISABLED: "true" };

/** Why there is no ElasticMQ, for skipping by name; where REQUIRE_BROKERS=1 or CI is set, that is a failure instead. */
export function missingElasticMq(): string | false {
  if (findElasticMq() !== undefined) return false;
  const why = `no ElasticMQ was found: ${ELASTICMQ_COMMAND} (as root), or have java and mvn in PATH`;
  if (process.env.REQUIRE_BROKERS === "1" || process.env.CI === "true") throw new Error(why);
  return why;
}

/** A server of a test file's own that speaks as SQS does, on 127.0.0.1 only; queues and messages outlive its death. */
export class TestElasticMq {
  readonly endpoint: string;
  readonly client: SQSClient;
  readonly #folder: string;
  readonly #java: string;
  readonly #jars: string;
  #server: ChildProcess | undefined;

  private constructor(place: { java: string; jars: string }, folder: string, port: number) {
    this.#java = place.java;
    this.#jars = place.jars;
    this.#folder = folder;
    this.endpoint = `http://127.0.0.1:${port}`;
    this.client = new SQSClient({ region: "us-east-1", endpoint: this.endpoint, credentials: CREDENTIALS });
  }

  static async start(): Promise<TestElasticMq> {
    const place = findElasticMq();
    if (place === undefined) throw new Error("no ElasticMQ was found");
    const folder = await mkdtemp(join(tmpdir(), "freshet-elasticmq-"));
    const port = await freePort(0);
    await writeFile(join(folder, "sqs.conf"), configuration(folder, port));
    const server = new TestElasticMq(place, folder, port);
    await server.startServer();
    return server;
  }

  /** Starts the server that `kill` has ended. */
  async startServer(): Promise<void> {
    const log = join(this.#folder, "log");
    const words = ["-Xmx160m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", `-Dconfig.file=${join(this.#folder, "sqs.conf")}`];
    const server = spawn("/bin/sh", ["-c", 'exec "$@" >"$0" 2>&1', log, this.#java, ...words, "-cp", `${this.#jars}/*`, MAIN], {
      cwd: this.#folder,
      stdio: "ignore",
    });
    this.#server = server;
    const started = Date.now();
    while (server.exitCode === null && Date.now() - started < START_MS) {
      try {
        await this.client.send(new ListQueuesCommand({}));
        return;
      } catch {
        await sleep(100);
      }
    }
    throw new Error(`ElasticMQ does not answer: ${(await readFile(log, "utf8")).slice(-2_000)}`);
  }

  /** Ends the server as a power cut would. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    this.client.destroy();
    await this.#end("SIGTERM");
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Makes a queue, with a dead-letter queue where one is named. Answers its url. */
  async createQueue(name: string, deadLetters?: { readonly name: string; readonly maxReceiveCount: number }): Promise<string> {
    const redrive = deadLetters && {
      deadLetterTargetArn: `arn:aws:sqs:elasticmq:000000000000:${deadLetters.name}`,
      maxReceiveCount: deadLetters.maxReceiveCount,
    };
    const { QueueUrl } = await this.client.send(
      new CreateQueueCommand({
        QueueName: name,
        Attributes: { VisibilityTimeout: "30", ...(redrive && { RedrivePolicy: JSON.stringify(redrive) }) },
      }),
    );
    return QueueUrl as string;
  }

  /** Sends bodies in the order given, ten to a request. */
  async send(queue: string, bodies: readonly string[]): Promise<void> {
    for (let from = 0; from < bodies.length; from += 10) {
      const Entries = bodies.slice(from, from + 10).map((MessageBody, index) => ({ Id: `${index}`, MessageBody }));
      const { Failed = [] } = await this.client.send(new SendMessageBatchCommand({ QueueUrl: queue, Entries }));
      if (Failed.length > 0) throw new Error(`not sent: ${JSON.stringify(Failed)}`);
    }
  }

  /** Messages in a queue: those that may be received, and those that somebody has. */
  async sizes(queue: string): Promise<{ readonly visible: number; readonly underWay: number }> {
    const { Attributes = {} } = await this.client.send(
      new GetQueueAttributesCommand({
        QueueUrl: queue,
        AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
      }),
    );
    return {
      visible: Number(Attributes.ApproximateNumberOfMessages),
      underWay: Number(Attributes.ApproximateNumberOfMessagesNotVisible),
    };
  }

  /** Takes what is in a queue, at most ten, with the attributes. */
  async receive(queue: string): Promise<readonly Message[]> {
    const { Messages = [] } = await this.client.send(
      new ReceiveMessageCommand({
        QueueUrl: queue,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ["All"],
        MessageSystemAttributeNames: ["All"],
        WaitTimeSeconds: 1,
      }),
    );
    return Messages;
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const server = this.#server;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, "exit");
    server.kill(signal);
    const late = setTimeout(() => server.kill("SIGKILL"), 5_000);
    await ended;
    clearTimeout(late);
  }
}

const MAIN = "org.elasticmq.server.Main";

function configuration(folder: string, port: number): string {
  const database = (name: string): string => `{ enabled = true, uri = "jdbc:h2:${folder}/${name}" }`;
  return `
include classpath("application.conf")
node-address { protocol = http, host = 127.0.0.1, port = ${port}, context-path = "" }
rest-sqs { enabled = true, bind-hostname = "127.0.0.1", bind-port = ${port}, sqs-limits = strict }
rest-stats { enabled = false }
queues-storage { enabled = true, path = "${folder}/queues.conf" }
messages-storage ${database("messages")}
`;
}
