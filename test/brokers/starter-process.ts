import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

const PATIENCE_MS = 60_000;

/** One line of a starter's log. */
export interface LogLine {
  /** pino's: 30 info, 40 warn, 50 error. */
  readonly level: number;
  readonly msg: string;
  readonly [fact: string]: unknown;
}

/** `freshet starter …` or `freshet worker --with-starters` in a process of its own, with what it logs. */
export class StarterProcess {
  readonly #child: ChildProcess;
  /** Lines of the log, as they come. */
  readonly log: LogLine[] = [];
  /** Lines of stderr that are none of the log. */
  readonly said: string[] = [];

  constructor(words: readonly string[], environment: Readonly<Record<string, string>>) {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...words], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#child = child;
    // A test that fails half-way leaves nothing behind.
    process.once("exit", () => child.kill("SIGKILL"));
    createInterface({ input: child.stderr as NonNullable<typeof child.stderr> }).on("line", (line) => {
      if (line.startsWith("{")) this.log.push(JSON.parse(line) as LogLine);
      else this.said.push(line);
    });
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Waits for a line of the log with these words. @throws Error with what was logged instead. */
  async says(words: string | RegExp): Promise<void> {
    const started = Date.now();
    while (!this.log.some(({ msg }) => (typeof words === "string" ? msg.includes(words) : words.test(msg)))) {
      if (Date.now() - started > PATIENCE_MS || !this.isRunning) {
        const said = [...this.log.map(({ msg }) => msg), ...this.said].join("\n");
        throw new Error(`the starter has not said ${words}, but:\n${said}`);
      }
      await sleep(50);
    }
  }

  /** The facts of the last line that has exactly these words. */
  facts(words: string): Readonly<Record<string, unknown>> {
    return this.log.findLast(({ msg }) => msg === words) ?? {};
  }

  /** Lines about something that went wrong. */
  get warnings(): readonly string[] {
    return this.log.filter(({ level }) => level > 30).map(({ msg }) => msg);
  }

  /** Ends it at once, whatever it is doing. */
  kill(): Promise<number | null> {
    return this.#end("SIGKILL");
  }

  /** As Ctrl-C does. Answers the exit code. */
  interrupt(): Promise<number | null> {
    return this.#end("SIGINT");
  }

  /** Waits until it ends by itself. */
  async ended(): Promise<number | null> {
    if (this.isRunning) await once(this.#child, "close");
    return this.#child.exitCode;
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    if (!this.isRunning) return this.#child.exitCode;
    const closed = once(this.#child, "close");
    this.#child.kill(signal);
    await closed;
    return this.#child.exitCode;
  }
}
