import { Context } from "@temporalio/activity";

const MOST_EVERY_MS = 5_000;
/** Beats to a timeout, so that one that is missed is no death. */
const BEATS = 3;

/** What a heartbeat tells where the next attempt is to know more than what was being done. */
interface Resumable {
  readonly doing: string;
  readonly kept: unknown;
}

/** What is left of an attempt for the next one, across a crash of this process too. */
export interface Kept {
  /** What the attempt before has kept, as it comes back from Temporal: unchecked. Undefined at the first. */
  readonly earlier: unknown;
  /** From now on this is kept. */
  keep(kept: object): void;
}

/** Runs long work with a heartbeat that says what is being done; the signal ends when Temporal cancels. */
export async function withHeartbeat<T>(
  work: (tell: (what: string) => void, signal: AbortSignal, kept: Kept) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  let doing = "starting";
  const earlier = (context.info.heartbeatDetails as Partial<Resumable> | null | undefined)?.kept;
  let kept = earlier;
  const beat = (): void => context.heartbeat(kept === undefined ? doing : ({ doing, kept } satisfies Resumable));
  const everyMs = Math.min(MOST_EVERY_MS, (context.info.heartbeatTimeoutMs ?? Number.POSITIVE_INFINITY) / BEATS);
  const timer = setInterval(beat, everyMs);
  const tell = (what: string): void => {
    doing = what;
    beat();
  };
  const keep = (given: object): void => {
    kept = given;
    beat();
  };
  try {
    return await work(tell, context.cancellationSignal, { earlier, keep });
  } finally {
    clearInterval(timer);
  }
}
