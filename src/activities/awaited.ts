import { Context } from "@temporalio/activity";
import type { Dataset } from "../dataset/index.ts";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import { finalFailure } from "./error-table.ts";

const FORBIDDEN = 403;

/**
 * Does work that waits for a source: what is not there, or fails for now, is a failure for good once the deadline is over, counted from when the
 * activity was asked for. What takes its time because much is under way, or because there is much of it, has no deadline.
 */
export async function awaited<Result>({ deadlineMs, forbidden }: Dataset["await"], work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (thrown) {
    const error = forbidden === "await" ? asAbsent(thrown) : thrown;
    if (!isFreshetError(error, "source-missing", "source-unavailable")) throw error;
    const leftMs = Context.current().info.scheduledTimestampMs + deadlineMs - Date.now();
    if (leftMs <= 0) throw finalFailure(error);
    const { retryAfterMs } = error.facts;
    if (retryAfterMs === undefined || retryAfterMs <= leftMs) throw error;
    // The last look is at the deadline, even where the server would rather be asked later.
    throw new FreshetError(error.kind, error.summary, { ...error.facts, retryAfterMs: leftMs });
  }
}

/** Some services say forbidden of what is not there: S3 where listing is not allowed. */
function asAbsent(error: unknown): unknown {
  if (!isFreshetError(error, "source-refused") || error.facts.status !== FORBIDDEN) return error;
  return new FreshetError("source-missing", error.summary, { ...error.facts, cause: error });
}
