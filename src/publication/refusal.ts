import { FreshetError } from "../errors/index.ts";
import type { IcechunkStore } from "../writers/icechunk/index.ts";

/** A version as readers get it. */
export type Reader = Awaited<ReturnType<IcechunkStore["reader"]>>;

/** An instant as it is told in a refusal. */
export function time(ms: number | undefined): string {
  return ms === undefined || !Number.isFinite(ms) ? "no time" : new Date(ms).toISOString();
}

/** Why a staged version is not published. */
export function refusal(found: string, expected: string, path: string): FreshetError {
  return new FreshetError("corrupt", "the new version does not hold what it should, so it is not published", {
    found,
    expected,
    path,
    remedy: "Report this, with the granules concerned: it must not happen",
  });
}
