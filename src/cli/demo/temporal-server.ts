import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FreshetError } from "../../errors/index.ts";
import { isListening } from "../is-listening.ts";

/** Under a second here; on a machine that is busy it takes long. */
const READY_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 100;
/** How long the server gets to end itself before it is killed. */
const END_WITHIN_MS = 10_000;

/**
 * The server is a child of a shell that ends it when our end of its input closes: however this process dies, no server stays
 * behind. It is in a session of its own, since Ctrl-C in a terminal would otherwise reach it before the worker has stopped.
 */
const KEEPER =
  'exec 3<&0; "$@" </dev/null 3<&- & server=$!; (read -r _ <&3; kill "$server" 2>/dev/null) & exec 3<&-; wait "$server"';

export interface ServerPlace {
  readonly cli: string;
  /** The database and the log are in it. */
  readonly folder: string;
  readonly port: number;
  readonly uiPort: number;
}

export interface TemporalServer {
  readonly address: string;
  readonly uiUrl: string;
  /** Rejects when the server ends although nobody stopped it. Never resolves. */
  readonly died: Promise<never>;
  /** Resolves when the process is gone. */
  stop(): Promise<void>;
}

/**
 * What lets the dev server hand work over in some 30 ms instead of 85 (`npm run bench -- latency`): it does not wait for the disk at
 * every step; its single shard looks for work more often than the default of 20 times a second, which two granules a second use up;
 * a workflow's answer brings the next activity with it. For other servers: docs/operate.md.
 */
export const DEV_SERVER_SETTINGS: readonly string[] = [
  ...["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"],
  ...["--dynamic-config-value", "history.transferProcessorMaxPollRPS=200"],
  ...["--dynamic-config-value", "system.enableActivityEagerExecution=true"],
];

/** What starts a server on a demo's database; also to be pasted. */
export function serverArguments({ folder, port }: Pick<ServerPlace, "folder" | "port">): string[] {
  return [
    ...["server", "start-dev", "--ip", "127.0.0.1", "--port", `${port}`, "--log-level", "error"],
    ...["--db-filename", join(folder, "temporal.db")],
    ...DEV_SERVER_SETTINGS,
  ];
}

/**
 * Starts the Temporal dev server with its UI, on a database in the demo's folder, and waits until it answers.
 * @throws FreshetError `unreachable` with the server's own last words when it ends or does not answer; what `signal` aborts with.
 */
export async function startTemporalServer(place: ServerPlace, signal: AbortSignal): Promise<TemporalServer> {
  const logFile = join(place.folder, "temporal.log");
  const log = openSync(logFile, "a");
  const server = [place.cli, ...serverArguments(place), "--ui-port", `${place.uiPort}`];
  const child = spawn("/bin/sh", ["-c", KEEPER, "sh", ...server], { stdio: ["pipe", log, log], detached: true });
  closeSync(log);
  child.stdin?.on("error", () => {});
  let isStopping = false;
  const ended = once(child, "exit").then(() => child.stdin?.end());
  const died = ended.then((): Promise<never> => {
    if (isStopping) return new Promise(() => {});
    throw new FreshetError("unreachable", "the Temporal server ended", {
      found: lastLine(logFile),
      path: logFile,
      remedy: "Start the demo again",
    });
  });
  died.catch(() => {});
  const stop = async (): Promise<void> => {
    isStopping = true;
    child.stdin?.end();
    const late = setTimeout(() => child.pid !== undefined && killGroup(child.pid), END_WITHIN_MS);
    await ended;
    clearTimeout(late);
  };
  try {
    await Promise.race([answers(place.port, logFile, signal), died]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address: `127.0.0.1:${place.port}`, uiUrl: `http://127.0.0.1:${place.uiPort}`, died, stop };
}

async function answers(port: number, logFile: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!(await isListening(`127.0.0.1:${port}`))) {
    signal.throwIfAborted();
    if (Date.now() > deadline) {
      throw new FreshetError("unreachable", "the Temporal server does not answer", {
        found: `nothing on port ${port} after ${READY_WITHIN_MS / 1000} s`,
        path: logFile,
      });
    }
    await sleep(LOOK_EVERY_MS);
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // It has just ended.
  }
}

function lastLine(file: string): string {
  const text = readFileSync(file, "utf8").trim();
  return text.slice(text.lastIndexOf("\n") + 1).slice(-300) || "nothing in its log";
}
