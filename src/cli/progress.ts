import type { CountingReader } from "../storage/index.ts";
import { describeBytes } from "./table.ts";

/** A job of less than this needs no progress. */
const PATIENCE_MS = 1_000;
const REFRESH_MS = 200;

/**
 * Shows on stderr how far reading `name` is, once it has taken a second, and wipes it out at the end; nothing where stderr is
 * not a terminal. Call what it returns when the job is over.
 */
export function showProgress(name: string, reader: Pick<CountingReader, "requests" | "bytes">): () => void {
  const { stderr } = process;
  if (!stderr.isTTY) return () => {};
  const started = Date.now();
  let shown = false;
  const timer = setInterval(() => {
    const elapsed = Date.now() - started;
    if (elapsed < PATIENCE_MS) return;
    shown = true;
    const line = `${name}: ${reader.requests} reads, ${describeBytes(reader.bytes)}, ${Math.round(elapsed / 1000)} s`;
    stderr.write(`\r\u001b[K${line.slice(0, stderr.columns - 1)}`);
  }, REFRESH_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    if (shown) stderr.write("\r\u001b[K");
  };
}
