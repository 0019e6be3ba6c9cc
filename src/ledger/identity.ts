import type { SourceIdentity } from "../storage/range-reader.ts";

/**
 * The identity of a revision in the ledger's form, from the strongest thing that the source states: a strong etag, else an
 * announced checksum, else size and time of change (with a weak etag, where there is one). The size is always part of it.
 *
 * Two states of a source that the source itself cannot tell apart have the same identity.
 */
export function revisionIdentity(
  source: SourceIdentity & { readonly checksum?: { readonly algorithm: string; readonly value: string } | undefined },
): string {
  if (source.etag !== undefined && !source.etag.startsWith("W/")) return `etag:${source.etag}:${source.size}`;
  if (source.checksum !== undefined) return `${source.checksum.algorithm}:${source.checksum.value.toLowerCase()}:${source.size}`;
  const modified = source.lastModifiedMs === undefined ? "" : `:${new Date(source.lastModifiedMs).toISOString()}`;
  const weak = source.etag === undefined ? "" : `:${source.etag}`;
  return `size:${source.size}${modified}${weak}`;
}
