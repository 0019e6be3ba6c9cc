import { type Dataset, isOfSwaths } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import { type Revision, revisionIdentity } from "../ledger/index.ts";
import { type Scan, type ScanAddress, type ScanOptions, type ScanStore, scan as scanSource, withSamples } from "../scan/index.ts";
import { reached } from "../steps/index.ts";
import type { SourceIdentity } from "../storage/index.ts";
import { RememberedReads, takeSamples } from "../witness/index.ts";
import { openSource } from "./open-source.ts";
import { ourCopyUri } from "./our-copy.ts";

export interface ScannedRevision {
  readonly scan: Scan;
  readonly address: ScanAddress;
}

/**
 * Scans a revision where its bytes are, asks another decoder about a few of its chunks, and keeps both.
 * @param uri the source, or our mirror's copy.
 * @throws FreshetError `source-changed` when the source is not that revision any more.
 */
export async function scanRevision(
  revision: Pick<Revision, "identity" | "size" | "etag" | "lastModifiedMs"> | undefined,
  uri: string,
  dataset: Dataset,
  parts: { readonly scans: ScanStore; readonly signal: AbortSignal; readonly tell: (what: string) => void },
): Promise<ScannedRevision> {
  const { scans, signal, tell } = parts;
  const reader = await openSource(dataset.source, uri, signal);
  try {
    if (dataset.source.mirror === undefined && !isSource(revision, reader.identity)) {
      throw new FreshetError("source-changed", "the source changed between its announcement and its scan", {
        found: revisionIdentity(reader.identity),
        expected: revision?.identity ?? "a revision that the ledger knows",
        uri,
      });
    }
    tell("scanning");
    // What the scan has read of the metadata need not be fetched for the other decoder again.
    const remembered = new RememberedReads(reader);
    const native = dataset.scan.unreferenceable === "native" ? { inlineBytes: Number.POSITIVE_INFINITY } : {};
    const found = await scanSource(remembered, { ...dropAndLoad(dataset), signal, ...native });
    tell("asking another decoder");
    const scan = withSamples(found, await takeSamples(remembered, found, { chunks: dataset.publish.verify.chunks, signal }));
    tell("keeping the scan");
    const address = await scans.put(scan);
    reached("scan: artefact kept");
    return { scan, address };
  } finally {
    await reader.close();
  }
}

function dropAndLoad(dataset: Dataset): Pick<ScanOptions, "drop" | "load" | "alsoLoad" | "loadWithout"> {
  const { drop, load } = dataset.scan;
  return {
    drop,
    loadWithout: dataset.products.map(({ axis }) => axis),
    ...(isOfSwaths(dataset) ? { load: "dimensions" } : {}),
    ...(load === undefined ? {} : { alsoLoad: load }),
  };
}

/** Where a revision's bytes are that references point at: the source, or our mirror's copy. */
export function placeOf(revision: Pick<Revision, "key" | "identity" | "uri">, { name, source }: Dataset): string | undefined {
  const { mirror } = source;
  if (mirror === undefined) return revision.uri;
  return ourCopyUri(mirror, { dataset: name, key: revision.key, identity: revision.identity });
}

/** Whether the source still is what the ledger heard of. Its identity alone does not say: an announced checksum may stand for it. */
function isSource(
  revision: Pick<Revision, "size" | "etag" | "lastModifiedMs"> | undefined,
  { etag, lastModifiedMs, size }: SourceIdentity,
): boolean {
  return revision?.size === size && revision.etag === etag && revision.lastModifiedMs === lastModifiedMs;
}
