import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { findTemporal } from "../../src/cli/demo/find-temporal.ts";
import { freePort } from "../../src/cli/demo/free-port.ts";
import { connectTemporal } from "../../src/starters/index.ts";
import { endChild, missingTemporal } from "../support/temporal-server.ts";

const START_MS = 60_000;

/** Why there is no Temporal server that tests may kill, for skipping by name. */
export function missingOwnTemporal(): string | false {
  const missing = missingTemporal();
  if (missing !== false) return missing;
  return findTemporal().kind === "address" ? "TEMPORAL_ADDRESS names a server that others use: it cannot be killed" : false;
}

/** A Temporal server of a test's own that keeps what it knows in a file, so that it can be killed and started again. */
export class DurableTemporal {
  readonly address: string;
  readonly #path: string;
  readonly #port: number;
  readonly #file: string;
  #child: ChildProcess | undefined;

  private constructor(path: string, port: number, file: string) {
    this.#path = path;
    this.#port = port;
    this.#file = file;
    this.address = `127.0.0.1:${port}`;
  }

  static async start(file: string): Promise<DurableTemporal> {
    const temporal = findTemporal();
    if (temporal.kind === "address") throw new Error("a server that others use cannot be killed");
    const server = new DurableTemporal(temporal.path, await freePort(0), file);
    await server.start();
    return server;
  }

  /** Starts the server that `kill` has ended. */
  async start(): Promise<void> {
    const where = ["--ip", "127.0.0.1", "--port", String(this.#port), "--db-filename", this.#file];
    const child = spawn(this.#path, ["server", "start-dev", "--headless", "--log-level", "error", ...where], { stdio: "ignore" });
    this.#child = child;
    const started = Date.now();
    while (Date.now() - started < START_MS) {
      if (child.exitCode !== null) throw new Error(`the Temporal server ended with ${child.exitCode}`);
      try {
        const client = await connectTemporal(this.address, "default");
        await client.workflowService.describeNamespace({ namespace: "default" });
        await client.connection.close();
        return;
      } catch {
        await sleep(100);
      }
    }
    throw new Error(`the Temporal server did not answer within ${START_MS} ms`);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  async stop(): Promise<void> {
    if (this.#child !== undefined) await endChild(this.#child);
  }
}
