import { Context } from "@temporalio/activity";

const MOST_EVERY_MS = 5_000;
/** Beats to a timeout, so that one that is missed is no death. */
const BEATS = 3;

/** Runs long work with a heartbeat that says what is being done; the signal ends when Temporal cancels. */
export async function withHeartbeat<T>(work: (tell: (what: string) => void, signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  let doing = "starting";
  const everyMs = Math.min(MOST_EVERY_MS, (context.info.heartbeatTimeoutMs ?? Number.POSITIVE_INFINITY) / BEATS);
  const timer = setInterval(() => context.heartbeat(doing), everyMs);
  const tell = (what: string): void => {
    doing = what;
    context.heartbeat(what);
  };
  try {
    return await work(tell, context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}
