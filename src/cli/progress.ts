import type { CountingReader } from "../storage/index.ts";
import { describeBytes } from "./table.ts";

/** A job of less than this needs no progress. */
const PATIENCE_MS = 1_000;
const REFRESH_MS = 200;

/**
 * Shows on stderr how far reading `name` is, once it has taken a second, and wipes it out at the end; nothing where stderr is
 * not a terminal. `reader` gives the open reader, or undefined while it is being opened. Call what this returns when the job
 * is over.
 */
export function showProgress(name: string, reader: () => CountingReader | undefined): () => void {
  const { stderr } = process;
  if (!stderr.isTTY) return () => {};
  const started = Date.now();
  let shown = false;
  const timer = setInterval(() => {
    const elapsed = Date.now() - started;
    if (elapsed < PATIENCE_MS) return;
    shown = true;
    const counted = reader();
    const state = counted === undefined ? "opening" : `${counted.requests} reads, ${describeBytes(counted.bytes)}`;
    const line = `${Math.round(elapsed / 1000)} s, ${state}: ${name}`;
    stderr.write(`\r\u001b[K${line.slice(0, (stderr.columns || 80) - 1)}`);
  }, REFRESH_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    if (shown) stderr.write("\r\u001b[K");
  };
}

/**
 * Shows on stderr, where that is a terminal, how many of `total` are done. `one` counts one and prints what its callback
 * prints, above the progress line.
 */
export function showCount(what: string, total: number): { one(print: () => void): void; end(): void } {
  const { stderr } = process;
  let done = 0;
  const wipe = (): void => {
    if (stderr.isTTY) stderr.write("\r\u001b[K");
  };
  const draw = (): void => {
    if (stderr.isTTY && total > 1) stderr.write(`\r\u001b[K${done} of ${total} ${what}`);
  };
  draw();
  return {
    one: (print) => {
      done++;
      wipe();
      print();
      draw();
    },
    end: wipe,
  };
}

/** One line on stderr that says what is being done, where that is a terminal; it is wiped out at the end. */
export function showLine(): { show(text: string): void; above(text: string): void; end(): void } {
  const { stderr } = process;
  let shown = "";
  const wipe = (): void => {
    if (stderr.isTTY && shown !== "") stderr.write("\r\u001b[K");
    shown = "";
  };
  const show = (text: string): void => {
    if (!stderr.isTTY) return;
    wipe();
    shown = text;
    stderr.write(text.slice(0, (stderr.columns || 80) - 1));
  };
  return {
    show,
    /** A line that stays, also where no terminal is. */
    above: (text) => {
      const before = shown;
      wipe();
      stderr.write(`${text}\n`);
      if (before !== "") show(before);
    },
    end: wipe,
  };
}
