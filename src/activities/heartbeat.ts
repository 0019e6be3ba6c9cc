import { Context } from "@temporalio/activity";

/** Well below the shortest heartbeat timeout (30 s), so that one missed beat is no death. */
const EVERY_MS = 5_000;

/** Runs long work with a heartbeat that says what is being done; the signal ends when Temporal cancels. */
export async function withHeartbeat<T>(work: (tell: (what: string) => void, signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  let doing = "starting";
  const timer = setInterval(() => context.heartbeat(doing), EVERY_MS);
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
