import { FreshetError } from "../errors/index.ts";
import type { SourceIdentity } from "./range-reader.ts";

/** By the etag where both have one: the machines behind one address need not agree on the date. */
export function isSameState(a: SourceIdentity, b: SourceIdentity): boolean {
  if (a.size !== b.size) return false;
  return a.etag !== undefined || b.etag !== undefined ? a.etag === b.etag : a.lastModifiedMs === b.lastModifiedMs;
}

/** An identity in words. */
export function describeState({ etag, lastModifiedMs, size }: SourceIdentity): string {
  const modified = lastModifiedMs === undefined ? "no date" : new Date(lastModifiedMs).toISOString();
  return `etag ${etag ?? "none"}, ${modified}, ${size} bytes`;
}

/** The error of a source that is not `expected` any more. */
export function stateChanged(found: string, expected: SourceIdentity, uri: string): FreshetError {
  return new FreshetError("source-changed", "the source changed while it was being read", {
    found,
    expected: describeState(expected),
    uri,
    remedy: "Scan it again from the start",
  });
}
