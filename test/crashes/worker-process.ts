import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Step } from "../../src/steps/index.ts";
import type { Instruction, Mishap, Order } from "./order.ts";

const PROGRAM = fileURLToPath(new URL("./crash-worker.ts", import.meta.url));
/** Of what it says of troubles, the end. */
const MOST_TROUBLE = 4_000;

export interface WorkerListeners {
  readonly onStep: (step: Step, worker: WorkerProcess) => void;
  /** What was ordered happens now: the process is about to die or to stand still. */
  readonly onMishap: (mishap: Mishap, worker: WorkerProcess) => void;
  /** It is gone. `null`, `SIGKILL`: as ordered, or by `kill`. */
  readonly onExit: (worker: WorkerProcess, code: number | null, signal: string | null) => void;
}

/** A worker in a process of its own, which dies or stands still when it is told to. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly running: Promise<void>;
  /** What it was told last. */
  ordered: Order | undefined;
  #trouble = "";

  constructor(environment: Readonly<Record<string, string>>, order: Order | undefined, listeners: WorkerListeners) {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", PROGRAM], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#child = child;
    child.stderr?.on("data", (data: Buffer) => {
      this.#trouble = `${this.#trouble}${data}`.slice(-MOST_TROUBLE);
    });
    const lines = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> });
    this.running = new Promise((resolve, reject) => {
      lines.on("line", (line) => {
        if (line === "! runs") resolve();
        else if (line.startsWith("! ")) listeners.onMishap(line.slice(2) as Mishap, this);
        else listeners.onStep(line as Step, this);
      });
      child.once("close", () => reject(new Error(`the worker ended before it ran: ${this.#trouble}`)));
    });
    // Whoever waits for it hears of it.
    this.running.catch(() => undefined);
    // Lines first: `close` comes when all that it wrote has been read.
    child.once("close", (code, signal) => listeners.onExit(this, code, signal));
    this.order(order);
  }

  /** What it said of troubles. */
  get trouble(): string {
    return this.#trouble;
  }

  order(order: Order | undefined): void {
    this.ordered = order;
    this.#tell({ order });
  }

  /** Lets it go on that stands still. */
  wake(): void {
    this.#child.kill("SIGCONT");
  }

  /** Lets what it does come to its end, then ends it. Answers how it ended. */
  async end(): Promise<{ readonly code: number | null; readonly signal: string | null }> {
    const ended = this.#ended();
    if (this.#child.connected) this.#tell({ end: true });
    return ended;
  }

  async kill(): Promise<void> {
    const ended = this.#ended();
    this.#child.kill("SIGKILL");
    await ended;
  }

  async #ended(): Promise<{ readonly code: number | null; readonly signal: string | null }> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return { code: exitCode, signal: signalCode };
    const [code, signal] = (await once(this.#child, "close")) as [number | null, string | null];
    return { code, signal };
  }

  #tell(instruction: Instruction): void {
    // One that has just died hears nothing any more.
    this.#child.send(instruction, () => undefined);
  }
}
