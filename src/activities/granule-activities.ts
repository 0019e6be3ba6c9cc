import { passGate, recordVerdict, resolveRevision } from "../acquisition/index.ts";
import type { GranuleActivities } from "../contract/index.ts";
import { FreshetError } from "../errors/index.ts";
import { type Ledger, type Revision, revisionIdentity } from "../ledger/index.ts";
import { type ScanStore, scan as scanSource } from "../scan/index.ts";
import { openReader, type SourceIdentity } from "../storage/index.ts";
import { countReferences } from "../virtual/index.ts";
import type { DatasetFiles } from "./dataset-files.ts";
import { withHeartbeat } from "./heartbeat.ts";

export interface GranuleActivityParts {
  readonly ledger: Ledger;
  readonly scans: ScanStore;
  readonly files: DatasetFiles;
  /** Tells the dataset's workflow that there may be something to publish, and starts it if it does not run. */
  readonly wake: (dataset: { readonly name: string; readonly hash: string }) => Promise<void>;
}

/** The activities of the granule workflow; the contract of each stands at `GranuleActivities`. */
export function createGranuleActivities({ ledger, scans, files, wake }: GranuleActivityParts): GranuleActivities {
  return {
    async download(granule, announcement) {
      const dataset = await files.get(granule.dataset);
      return withHeartbeat((onProgress, signal) =>
        resolveRevision(granule, dataset, announcement, { ledger, signal, onProgress }),
      );
    },

    async scan(granule, { identity, uri }) {
      const dataset = await files.get(granule.dataset);
      return withHeartbeat(async (tell, signal) => {
        const reader = await openReader(uri, { signal });
        try {
          const revision = await ledger.revision({ dataset: dataset.name, key: granule.key, identity });
          if (dataset.source.mirror === undefined && !isSource(revision, reader.identity)) {
            throw new FreshetError("source-changed", "the source changed between its announcement and its scan", {
              found: revisionIdentity(reader.identity),
              expected: identity,
              uri,
            });
          }
          tell("scanning");
          const scan = await scanSource(reader, { drop: dataset.scan.drop, signal });
          tell("keeping the scan");
          const address = await scans.put(scan);
          const passed = await passGate(granule, dataset, identity, { scan, address }, { ledger, scans });
          const count = (outcome: string): number => scan.outcomes.filter((variable) => variable.outcome === outcome).length;
          return {
            identity,
            scanUri: address.uri,
            scanSha256: address.sha256,
            variables: { referenced: count("referenced"), inlined: count("inlined"), refused: count("refused") },
            references: countReferences(scan.root),
            ...passed,
          };
        } finally {
          await reader.close();
        }
      });
    },

    async record(granule, announcement, identity, verdict) {
      await recordVerdict(ledger, granule, announcement, identity, verdict);
      if (verdict.state === "ready") await wake(granule.dataset);
    },
  };
}

/** Whether the source still is what the ledger heard of. Its identity alone does not say: an announced checksum may stand for it. */
function isSource(revision: Revision | undefined, { etag, lastModifiedMs, size }: SourceIdentity): boolean {
  return revision?.size === size && revision.etag === etag && revision.lastModifiedMs === lastModifiedMs;
}
