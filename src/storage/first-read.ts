/** What a source is read with at first while nothing is known of its like: see docs/scanning.md, "Over the network". */
const UNKNOWN_BYTES = 256 * 1024;
const LEAST_BYTES = 16 * 1024;
const MOST_BYTES = 4 * 1024 * 1024;
/** Of a beginning that is read at once, so much has to be needed: beyond, asking again is the smaller price. */
const NEEDED = 2 / 3;
/** Kinds of sources that are remembered; the one not met for longest goes first. */
const KINDS = 1_000;

/** Kind of source → bytes. */
const learned = new Map<string, number>();

/** How many bytes from its beginning a source is worth reading at once: what the last one of its kind would have needed. */
export function firstReadOf(uri: string): number {
  return learned.get(kindOf(uri)) ?? UNKNOWN_BYTES;
}

/**
 * Learns from a scan: the first read of the next source of this kind is the longest beginning of which two thirds were needed here,
 * 16 KiB to 4 MiB.
 * @param used what was needed, by offset, ascending, without overlaps.
 */
export function learnFirstRead(uri: string, used: readonly { readonly offset: number; readonly length: number }[]): void {
  let needed = 0;
  let best = 0;
  for (const { offset, length } of used) {
    const end = offset + length;
    if (end > MOST_BYTES) break;
    needed += length;
    if (needed >= NEEDED * end) best = end;
  }
  const kind = kindOf(uri);
  learned.delete(kind);
  learned.set(kind, Math.max(LEAST_BYTES, best));
  if (learned.size > KINDS) learned.delete(learned.keys().next().value as string);
}

/** Sources of one kind have the same name but for its numbers: dates, hours, cycles. A query is not part of a name. */
function kindOf(uri: string): string {
  return uri.replace(/[?#].*$/, "").replace(/\d+/g, "0");
}
