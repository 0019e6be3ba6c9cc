import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type Channel, type ChannelModel, connect } from "amqplib";
import { findRabbitMq, RABBITMQ_COMMAND } from "../../set-up/rabbitmq.mjs";

const START_MS = 90_000;

/** Why there is no RabbitMQ, for skipping by name; where REQUIRE_BROKERS=1 or CI is set, that is a failure instead. */
export function missingRabbitMq(): string | false {
  if (findRabbitMq() !== undefined) return false;
  const why = `no RabbitMQ was found: ${RABBITMQ_COMMAND} (as root), or name the folder of its scripts in FRESHET_RABBITMQ_BIN`;
  if (process.env.REQUIRE_BROKERS === "1" || process.env.CI === "true") throw new Error(why);
  return why;
}

/** A RabbitMQ of a test file's own, on three ports of 127.0.0.1 and nowhere else; its user is `guest`. */
export class TestRabbitMq {
  /** `amqp://127.0.0.1:PORT/`, without credentials. */
  readonly url: string;
  readonly #folder: string;
  readonly #port: number;
  #script: ChildProcess | undefined;
  #epmd: ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.url = `amqp://127.0.0.1:${port}/`;
  }

  static async start(): Promise<TestRabbitMq> {
    const folder = await mkdtemp(join(tmpdir(), "freshet-rabbitmq-"));
    const port = await threeFreePorts();
    for (const name of ["home", "mnesia", "log"]) await mkdir(join(folder, name));
    await writeFile(join(folder, "enabled_plugins"), "[].");
    const settings = [
      `listeners.tcp.1 = 127.0.0.1:${port}`,
      "log.console = true",
      "log.console.level = warning",
      "log.file = false",
    ];
    await writeFile(join(folder, "rabbitmq.conf"), `${settings.join("\n")}\n`);
    const broker = new TestRabbitMq(folder, port);
    await broker.startServer();
    return broker;
  }

  /** Starts the broker that `kill` has ended, and waits until it answers. */
  async startServer(): Promise<void> {
    const script = findRabbitMq();
    if (script === undefined) throw new Error("no RabbitMQ was found");
    const epmdPort = `${this.#port + 1}`;
    // A child of ours: one that the broker starts by itself outlives it and has no parent.
    this.#epmd ??= spawn("epmd", ["-port", epmdPort, "-address", "127.0.0.1"], { stdio: "ignore" });
    const log = join(this.#folder, "log", "console");
    const started = Date.now();
    while (Date.now() - started < START_MS) {
      const child = spawn("/bin/sh", ["-c", 'exec "$1" >>"$0" 2>&1', log, script], {
        cwd: this.#folder,
        stdio: "ignore",
        env: { ...process.env, ...this.#environment(epmdPort) },
      });
      this.#script = child;
      while (child.exitCode === null && Date.now() - started < START_MS) {
        if (await this.#answers()) return;
        await sleep(200);
      }
      // The name of the one before is still taken for a moment after a kill.
      await sleep(500);
    }
    throw new Error(`RabbitMQ does not answer: ${(await readFile(log, "utf8").catch(() => "")).slice(-2_000)}`);
  }

  /** Ends the broker as a power cut would. */
  async kill(): Promise<void> {
    const script = this.#script;
    if (script === undefined || script.exitCode !== null || script.signalCode !== null) return;
    const ended = once(script, "exit");
    const pid = Number((await readFile(join(this.#folder, "pid"), "utf8")).trim());
    for (const one of [pid, script.pid]) killIfThere(one);
    await ended;
  }

  /** What an operator does by `rabbitmqctl`: `add_user anna secret`. */
  async control(...words: readonly string[]): Promise<void> {
    const program = join(dirname(findRabbitMq() as string), "rabbitmqctl");
    const env = { ...process.env, ...this.#environment(`${this.#port + 1}`) };
    await promisify(execFile)(program, ["--node", `t${this.#port}@localhost`, ...words], { env });
  }

  async stop(): Promise<void> {
    await this.kill();
    const epmd = this.#epmd;
    if (epmd !== undefined && epmd.exitCode === null) {
      const ended = once(epmd, "exit");
      epmd.kill("SIGKILL");
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** A connection as the broker's own user. Close it. */
  async connect(): Promise<ChannelModel> {
    const connection = await connect({ hostname: "127.0.0.1", port: this.#port, username: "guest", password: "guest" });
    connection.on("error", () => undefined);
    return connection;
  }

  /** Works with a channel of its own. */
  async withChannel<T>(work: (channel: Channel) => Promise<T>): Promise<T> {
    const connection = await this.connect();
    try {
      const channel = await connection.createChannel();
      channel.on("error", () => undefined);
      return await work(channel);
    } finally {
      await connection.close().catch(() => undefined);
    }
  }

  /** Publishes persistent messages in the order given; when it resolves, the broker has confirmed all of them. */
  async publish(
    exchange: string,
    messages: readonly { readonly topic: string; readonly body: string; readonly headers?: Readonly<Record<string, string>> }[],
  ): Promise<void> {
    const connection = await this.connect();
    try {
      const channel = await connection.createConfirmChannel();
      for (const { topic, body, headers } of messages) {
        channel.publish(exchange, topic, Buffer.from(body), { persistent: true, ...(headers && { headers: { ...headers } }) });
      }
      await channel.waitForConfirms();
    } finally {
      await connection.close().catch(() => undefined);
    }
  }

  async #answers(): Promise<boolean> {
    try {
      const connection = await this.connect();
      await connection.close();
      return true;
    } catch {
      return false;
    }
  }

  #environment(epmdPort: string): Record<string, string> {
    const at = (name: string): string => join(this.#folder, name);
    return {
      HOME: at("home"),
      ERL_EPMD_ADDRESS: "127.0.0.1",
      ERL_EPMD_PORT: epmdPort,
      RABBITMQ_DIST_PORT: `${this.#port + 2}`,
      RABBITMQ_NODENAME: `t${this.#port}@localhost`,
      RABBITMQ_CONFIG_FILE: at("rabbitmq"),
      RABBITMQ_CONF_ENV_FILE: "/dev/null",
      RABBITMQ_MNESIA_BASE: at("mnesia"),
      RABBITMQ_LOG_BASE: at("log"),
      RABBITMQ_PID_FILE: at("pid"),
      RABBITMQ_ENABLED_PLUGINS_FILE: at("enabled_plugins"),
      RABBITMQ_FEATURE_FLAGS_FILE: at("feature_flags"),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +S 1:1",
    };
  }
}

/** The first of three ports in a row that nobody listens on. */
async function threeFreePorts(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await Promise.all([first, first + 1, first + 2].map(isFree));
    if (free.every(Boolean)) return first;
  }
  throw new Error("no three free ports in a row were found");
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1" }, () => server.close(() => resolve(true)));
  });
}

function killIfThere(pid: number | undefined): void {
  try {
    if (pid !== undefined && pid > 1) process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
