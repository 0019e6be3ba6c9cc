import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";
import type { Announcement, Downloaded, GranuleReference } from "../contract/index.ts";
import type { Dataset } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import { type Ledger, type Revision, type RevisionId, revisionIdentity } from "../ledger/index.ts";
import { openReader, type RangeReader } from "../storage/index.ts";
import { allowedUri } from "./allowed.ts";
import { copyToMirror } from "./mirror.ts";

const PART_BYTES = 4 * 1024 * 1024;

export interface AcquisitionContext {
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
  /** Called now and then with how far it is. */
  readonly onProgress: (done: string) => void;
}

/**
 * Resolves an announcement to a revision: opens what it names, checks it against what was promised, asks the ledger whether it
 * is known, and copies it where the source keeps a mirror.
 * @throws FreshetError `source-missing` while it is not there; `source-changed` when it is not what was announced;
 *   `source-refused` for a place that the source may not name; `unsupported` for a source that states nothing by which a
 *   reader could notice a change.
 */
export async function resolveRevision(
  granule: GranuleReference,
  dataset: Dataset,
  announcement: Announcement,
  context: AcquisitionContext,
): Promise<Downloaded> {
  const uri = allowedUri(dataset.source, announcement.uri);
  const reader = await openReader(uri, { signal: context.signal });
  try {
    checkPromise(announcement, reader);
    if (dataset.source.mirror === undefined) checkReferable(reader);
    const { checksum } = announcement;
    const identity = revisionIdentity({ ...reader.identity, ...(checksum === undefined ? {} : { checksum }) });
    const { revision } = await context.ledger.hear({
      dataset: dataset.name,
      key: granule.key,
      identity,
      uri,
      size: reader.size,
      etag: reader.identity.etag,
      lastModifiedMs: reader.identity.lastModifiedMs,
      fields: granule.fields,
      reason: announcement.by,
      detail: { announcedMs: announcement.heardMs },
    });
    // The source has these bytes now: one that had given way, or was taken back, is taken up again.
    const isBack = revision.state === "superseded" || revision.state === "withdrawn";
    if (isBack) await context.ledger.record({ ...revisionId(revision), state: "heard", reason: "the source has it again" });
    const isOpen = isBack || revision.state === "heard" || revision.state === "quarantined";
    const known = isOpen ? undefined : revision.state;
    if (known !== undefined) return { identity, uri, size: reader.size, known };
    if (checksum !== undefined) await verifyChecksum(reader, checksum, context);
    if (dataset.source.mirror === undefined) return { identity, uri, size: reader.size, known };
    const place = { mirror: dataset.source.mirror, dataset: dataset.name, key: granule.key, identity };
    const copy = await copyToMirror(reader, place, {
      signal: context.signal,
      onProgress: (bytes) => context.onProgress(`${bytes} of ${reader.size} bytes`),
    });
    return { identity, uri: pathToFileURL(copy).href, size: reader.size, known };
  } finally {
    await reader.close();
  }
}

function revisionId({ dataset, key, identity }: Revision): RevisionId {
  return { dataset, key, identity };
}

function checkPromise({ size }: Announcement, reader: RangeReader): void {
  if (size === undefined || size === reader.size) return;
  throw new FreshetError("source-changed", "the source is not as long as was announced", {
    found: `${reader.size} bytes`,
    expected: `${size} bytes`,
    uri: reader.uri,
  });
}

/** Icechunk's readers hold an HTTP source against Last-Modified alone: they send an entity tag in a form that servers refuse. */
function checkReferable(reader: RangeReader): void {
  if (reader.identity.lastModifiedMs !== undefined) return;
  throw new FreshetError("unsupported", "the source does not say when it was changed, so readers could not notice a change", {
    found: reader.identity.etag === undefined ? "neither Last-Modified nor ETag" : "only an ETag",
    expected: "Last-Modified",
    uri: reader.uri,
    remedy: "Let the source keep our own copies (mirror) in the dataset file",
  });
}

async function verifyChecksum(
  reader: RangeReader,
  checksum: NonNullable<Announcement["checksum"]>,
  context: AcquisitionContext,
): Promise<void> {
  const hash = createHash(checksum.algorithm);
  for (let offset = 0; offset < reader.size; offset += PART_BYTES) {
    hash.update(await reader.read(offset, Math.min(PART_BYTES, reader.size - offset), context.signal));
    context.onProgress(`checked ${offset} of ${reader.size} bytes`);
  }
  const found = hash.digest("hex");
  if (found === checksum.value.toLowerCase()) return;
  throw new FreshetError("source-changed", `the source's ${checksum.algorithm} is not the announced one`, {
    found,
    expected: checksum.value,
    uri: reader.uri,
  });
}
