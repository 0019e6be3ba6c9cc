import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { findTemporal } from "../../src/cli/demo/find-temporal.ts";
import { freePort } from "../../src/cli/demo/free-port.ts";
import { connectTemporal } from "../../src/starters/index.ts";

const START_MS = 60_000;

/** A real Temporal server for one test file. */
export interface TestServer {
  readonly address: string;
  stop(): Promise<void>;
}

/** Why there is no server, for skipping by name; where REQUIRE_TEMPORAL=1 or CI is set, a missing one is a failure instead. */
export function missingTemporal(): string | false {
  try {
    findTemporal();
    return false;
  } catch (error) {
    if (process.env.REQUIRE_TEMPORAL === "1" || process.env.CI === "true") throw error;
    return (error as Error).message;
  }
}

/** Starts a server in memory on a free port of 127.0.0.1, or takes the one that TEMPORAL_ADDRESS names. */
export async function startTemporalServer(extraArguments: readonly string[] = []): Promise<TestServer> {
  const temporal = findTemporal();
  if (temporal.kind === "address") return { address: temporal.address, stop: async () => {} };
  const port = await freePort(0);
  const address = `127.0.0.1:${port}`;
  const child = spawn(
    temporal.path,
    ["server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", String(port), "--log-level", "error", ...extraArguments],
    { stdio: "ignore" },
  );
  const stop = () => endChild(child);
  const started = Date.now();
  while (Date.now() - started < START_MS) {
    if (child.exitCode !== null) throw new Error(`the Temporal server ended with ${child.exitCode}`);
    try {
      const client = await connectTemporal(address, "default");
      await client.workflowService.describeNamespace({ namespace: "default" });
      await client.connection.close();
      return { address, stop };
    } catch {
      await sleep(100);
    }
  }
  await stop();
  throw new Error(`the Temporal server did not answer within ${START_MS} ms`);
}

/** Ends a child that a test started, by its id, and waits until it is gone. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await ended;
  clearTimeout(late);
}
