import { type FreshetError, isFreshetError } from "../../errors/index.ts";

/**
 * The error if it is about this part of the file and the rest can go on without it. What the source did (it is gone, changed, does not
 * answer) and defects of our own concern the whole scan: they are thrown on.
 */
export function refusalOf(error: unknown): FreshetError {
  if (isFreshetError(error, "malformed", "truncated", "unsupported")) return error;
  throw error;
}
