import type { Announcement, Downloaded, GranuleReference } from "../contract/index.ts";
import type { Dataset, Source } from "../dataset/index.ts";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import { isExpired, type Ledger, type Revision, type RevisionId, revisionIdentity } from "../ledger/index.ts";
import { requireWholeFile } from "../scan/index.ts";
import { reached } from "../steps/index.ts";
import { type RangeReader, type Release, type SourceIdentity, turnToCopy } from "../storage/index.ts";
import { allowedUri } from "./allowed.ts";
import { type Checksum, verifyChecksum } from "./checksum.ts";
import { accessOf, openSource } from "./open-source.ts";
import { firstThatAnswers, placesOf } from "./other-servers.ts";
import { type CopiedRevision, makeOurCopy, type OurCopyOptions } from "./our-copy.ts";

/** A granule of usual size comes with the opening request. */
const FOR_COPY = { isForCopy: true, firstBytes: 1024 * 1024 } as const;

export interface AcquisitionContext {
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
  /** Called now and then with how far it is. */
  readonly onProgress: (done: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** What the attempt before has kept of its copy, unchecked, and where this one's goes. */
  readonly kept?: { readonly earlier: unknown; keep(part: object): void };
}

/**
 * Resolves an announcement to a revision: opens what it names, or the same on another server of the source where that does not answer; checks
 * it against what was promised, asks the ledger whether it is known, and copies it where the source keeps a mirror.
 * @throws FreshetError `source-missing` while it is not there in full; `source-changed` when it is not what was announced;
 *   `source-refused` for a place that the source may not name; `unsupported` for a source that states nothing by which a
 *   reader could notice a change; `busy` while as much is being copied from its host as the source allows.
 */
export async function resolveRevision(
  granule: GranuleReference,
  dataset: Dataset,
  announcement: Announcement,
  context: AcquisitionContext,
): Promise<Downloaded> {
  const places = placesOf(dataset.source, allowedUri(dataset.source, announcement.uri));
  const { uri, reader, release } = await firstThatAnswers(places, announcement, (place) =>
    openAnnounced(place, dataset.source, announcement, context.signal),
  );
  try {
    const heard = await hear(uri, reader, granule, dataset, announcement, context);
    if (heard.known !== undefined) return heard;
    const id = { dataset: dataset.name, key: granule.key, identity: heard.identity };
    try {
      const kept = await keep(reader, id, dataset.source, announcement.checksum, context, release);
      return { ...heard, uri: kept ?? uri };
    } catch (error) {
      // It is in the ledger under this identity, and must not stay there as if it were still to come.
      if (isFreshetError(error, "source-changed"))
        await context.ledger.record({ ...id, state: "quarantined", reason: error.message });
      throw error;
    }
  } finally {
    release();
    await reader.close();
  }
}

/** What is announced, open, and as it was announced as far as one can tell without reading all of it. */
interface Opened {
  readonly uri: string;
  readonly reader: RangeReader;
  /** Gives back the turn of whoever reads all of it. */
  readonly release: Release;
}

async function openAnnounced(uri: string, source: Source, announcement: Announcement, signal: AbortSignal): Promise<Opened> {
  const { checksum } = announcement;
  const isForCopy = source.mirror !== undefined;
  // Whoever reads all of it takes a turn before anything is opened: while many wait, each costs nothing.
  const isReadWhole = isForCopy || checksum !== undefined;
  const release = isReadWhole ? await turnToCopy(uri, await accessOf(source, uri, signal)) : () => undefined;
  try {
    const reader = await openSource(source, uri, signal, isForCopy ? FOR_COPY : {});
    try {
      checkPromise(announcement, reader);
      if (isForCopy) checkRecognisable(reader, checksum);
      else checkReferable(reader);
      await requireWholeFile(reader, signal);
      return { uri, reader, release };
    } catch (error) {
      await reader.close();
      throw error;
    }
  } catch (error) {
    release();
    throw error;
  }
}

/** Tells the ledger of the revision that a reader has opened. Answers with `known` where nothing more is to be done. */
async function hear(
  uri: string,
  { identity: source, size }: RangeReader,
  granule: GranuleReference,
  dataset: Dataset,
  { checksum, by, heardMs }: Announcement,
  context: AcquisitionContext,
): Promise<Downloaded> {
  const { ledger } = context;
  const earlier = await ledger.revisionsOf(dataset.name, granule.key);
  const same = earlier.find((revision) => isSameState(revision, uri, source, checksum));
  const identity = same?.identity ?? revisionIdentity({ ...source, ...(checksum === undefined ? {} : { checksum }) });
  const { revision } = await ledger.hear({
    dataset: dataset.name,
    key: granule.key,
    identity,
    uri,
    size,
    etag: source.etag,
    lastModifiedMs: source.lastModifiedMs,
    fields: granule.fields,
    reason: by,
    detail: { announcedMs: heardMs },
  });
  reached("download: revision heard");
  const newer = earlier.find((other) => isNewerElsewhere(other, uri, source, context.now()));
  // An attempt that died has heard of it, and did no more.
  if (revision.state === "heard") {
    if (newer !== undefined) return giveWay(ledger, revision, newer, { uri, size });
    if (dataset.source.mirror === undefined) await noteReplaced(context, earlier, uri, identity);
  }
  const isBack = newer === undefined && (await isTakenUpAgain(ledger, revision));
  if (isBack) await ledger.record({ ...revisionId(revision), state: "heard", reason: "the source has it again" });
  // The second verdict may be word for word the first one, and is a step all the same.
  else if (revision.state === "quarantined")
    await ledger.record({ ...revisionId(revision), state: "heard", reason: "it is looked at again" });
  const isOpen = isBack || revision.state === "heard" || revision.state === "quarantined";
  return { identity, uri, size, known: isOpen ? undefined : revision.state };
}

/**
 * Checks the bytes, and copies them where there is a mirror: once through, whichever it is. Answers the copy's uri. Where the copy breaks off for
 * now, another server of the source may have the same bytes: as many, and of the announced checksum where there is one.
 */
async function keep(
  reader: RangeReader,
  revision: CopiedRevision,
  source: Source,
  checksum: Checksum | undefined,
  { signal, onProgress, kept }: AcquisitionContext,
  release: Release,
): Promise<string | undefined> {
  const { mirror } = source;
  if (mirror === undefined) {
    if (checksum !== undefined) await verifyChecksum(reader, checksum, { signal, onProgress });
    return undefined;
  }
  const options = {
    signal,
    checksum,
    onProgress: (bytes: number): void => onProgress(`${bytes} of ${reader.size} bytes`),
    earlier: kept?.earlier,
    onPart: (part: object): void => kept?.keep(part),
  };
  const mirrored = { ...source, mirror };
  return makeOurCopy(reader, mirrored, revision, options).catch((error: unknown) => {
    // A turn at another host is not waited for with one in hand.
    release();
    return copyFromAnother(error, reader, revision, mirrored, { ...options, onPart: () => undefined });
  });
}

async function copyFromAnother(
  error: unknown,
  { uri, size }: RangeReader,
  revision: CopiedRevision,
  source: Source & { readonly mirror: string },
  options: OurCopyOptions,
): Promise<string> {
  const [, ...others] = placesOf(source, uri);
  if (others.length === 0 || !isFreshetError(error, "source-unavailable")) throw error;
  const access = await accessOf(source, uri, options.signal);
  return firstThatAnswers(
    others,
    {},
    async (other) => {
      const release = await turnToCopy(other, access);
      try {
        const reader = await openSource(source, other, options.signal, FOR_COPY);
        try {
          if (reader.size !== size) {
            throw new FreshetError("source-unavailable", "it has another length there", {
              found: `${reader.size} bytes`,
              expected: `${size} bytes`,
              uri: other,
            });
          }
          return await makeOurCopy(reader, source, revision, options);
        } finally {
          await reader.close();
        }
      } finally {
        release();
      }
    },
    error,
  );
}

/**
 * The source has these bytes now. A revision that had given way to another one of its granule, or was taken back, is taken up
 * again; one that has expired is not, nor is one that gave way to another granule of the same time is not, or the two would change places with every listing.
 */
async function isTakenUpAgain(ledger: Ledger, revision: Revision): Promise<boolean> {
  if (revision.state === "withdrawn") return !isExpired(revision);
  if (revision.state !== "superseded") return false;
  const all = await ledger.revisionsOf(revision.dataset, revision.key);
  return all.some(({ identity, state }) => identity !== revision.identity && state !== "superseded");
}

/**
 * True when the ledger knows this state of this source: announced with a checksum once and without one another time, it is one
 * revision all the same.
 */
function isSameState(revision: Revision, uri: string, source: SourceIdentity, checksum: Checksum | undefined): boolean {
  if (revision.uri !== uri || revision.size !== source.size || revision.etag !== source.etag) return false;
  if (revision.lastModifiedMs === undefined || revision.lastModifiedMs !== source.lastModifiedMs) return false;
  if (checksum === undefined || !revision.identity.startsWith(`${checksum.algorithm}:`)) return true;
  return revision.identity.startsWith(`${checksum.algorithm}:${checksum.value.toLowerCase()}:`);
}

/** A clock that is ahead by more than this says nothing about what is newer. */
const CLOCK_SKEW_MS = 5 * 60_000;

/**
 * True for a revision that came by another way and was changed later than this one: a copy that lags behind must not take the place
 * of what it will become. What the same place has now is always the newest, whatever its date says.
 */
function isNewerElsewhere(other: Revision, uri: string, { lastModifiedMs }: SourceIdentity, nowMs: number): boolean {
  if (other.uri === uri || (other.state !== "ready" && other.state !== "published")) return false;
  if (lastModifiedMs === undefined || other.lastModifiedMs === undefined) return false;
  return other.lastModifiedMs > lastModifiedMs && other.lastModifiedMs <= nowMs + CLOCK_SKEW_MS;
}

async function giveWay(
  ledger: Ledger,
  revision: Revision,
  newer: Revision,
  found: { readonly uri: string; readonly size: number },
): Promise<Downloaded> {
  const changed = (ms: number | undefined): string => new Date(ms ?? 0).toISOString();
  const reason = `changed ${changed(revision.lastModifiedMs)}, older than ${newer.uri}, changed ${changed(newer.lastModifiedMs)}`;
  await ledger.record({ ...revisionId(revision), state: "superseded", reason });
  return { identity: revision.identity, ...found, known: "superseded" };
}

/** The place has other bytes now: references to the earlier ones fail from here on, and versions that have them say so. */
async function noteReplaced(
  { ledger, now }: AcquisitionContext,
  earlier: readonly Revision[],
  uri: string,
  identity: string,
): Promise<void> {
  for (const revision of earlier) {
    if (revision.uri !== uri || revision.identity === identity) continue;
    await ledger.noteSource(revisionId(revision), { state: "changed", found: `revision ${identity}`, atMs: now() });
  }
}

function revisionId({ dataset, key, identity }: Revision): RevisionId {
  return { dataset, key, identity };
}

function checkPromise({ size }: Announcement, reader: RangeReader): void {
  if (size === undefined || size === reader.size) return;
  // Shorter is most often an upload that has not ended: it is awaited like a source that is not there.
  const isUnderway = reader.size < size;
  throw new FreshetError(isUnderway ? "source-missing" : "source-changed", "the source is not as long as was announced", {
    found: `${reader.size} bytes`,
    expected: `${size} bytes`,
    uri: reader.uri,
  });
}

/**
 * By what Icechunk's readers notice a change: of an object of S3 the entity tag; of an HTTP source Last-Modified alone, since they send
 * an entity tag in a form that servers refuse.
 */
function checkReferable(reader: RangeReader): void {
  if (reader.isWithoutRanges === true) {
    throw new FreshetError("unsupported", "the server knows no range requests, so readers could not read a part of the source", {
      found: "status 200 to a request for a range",
      expected: "status 206",
      uri: reader.uri,
      remedy: "Let the source keep our own copies (mirror) in the dataset file",
    });
  }
  const { etag, lastModifiedMs } = reader.identity;
  if (lastModifiedMs !== undefined || (reader.uri.startsWith("s3:") && etag !== undefined)) return;
  throw new FreshetError("unsupported", "the source does not say when it was changed, so readers could not notice a change", {
    found: etag === undefined ? "neither Last-Modified nor ETag" : "only an ETag",
    expected: "Last-Modified",
    uri: reader.uri,
    remedy: "Let the source keep our own copies (mirror) in the dataset file",
  });
}

/** Two states of a source that has neither a tag nor a date are told apart by a promised checksum alone. */
function checkRecognisable(reader: RangeReader, checksum: Checksum | undefined): void {
  if (reader.identity.lastModifiedMs !== undefined || reader.identity.etag !== undefined || checksum !== undefined) return;
  throw new FreshetError("unsupported", "the source says nothing by which a replaced granule could be told from this one", {
    found: "neither Last-Modified nor ETag",
    expected: "one of them, or an announced checksum",
    uri: reader.uri,
    remedy: "Announce the granule with its checksum",
  });
}
