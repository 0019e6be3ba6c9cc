import { passGate, recordVerdict, resolveRevision, scanRevision, withdrawAnnounced } from "../acquisition/index.ts";
import type { DatasetReference, GranuleActivities, GranuleReference, Notification } from "../contract/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { quarantinedNotification } from "../publication/index.ts";
import type { ScanStore } from "../scan/index.ts";
import { reached } from "../steps/index.ts";
import { countReferences } from "../virtual/index.ts";
import { awaited } from "./awaited.ts";
import type { DatasetFiles } from "./dataset-files.ts";
import { withHeartbeat } from "./heartbeat.ts";

export interface GranuleActivityParts {
  readonly ledger: Ledger;
  readonly scans: ScanStore;
  readonly files: DatasetFiles;
  /** Tells the dataset's workflow that there may be something to publish, and starts it if it does not run. */
  readonly wake: (dataset: { readonly name: string; readonly hash: string }) => Promise<void>;
  /** Tells those whom the dataset file names. */
  readonly notify: (dataset: DatasetReference, notification: Notification) => Promise<void>;
  /** Tells the workflow of a run that something of it may be there. */
  readonly tellRun: (dataset: DatasetReference, runMs: number) => Promise<void>;
}

/** The activities of the granule workflow; the contract of each stands at `GranuleActivities`. */
export function createGranuleActivities(parts: GranuleActivityParts): GranuleActivities {
  const { ledger, scans, files, wake, notify, tellRun } = parts;
  const tellItsRun = async ({ dataset, fields: { run } }: GranuleReference): Promise<void> => {
    if (typeof run === "number") await tellRun(dataset, run);
  };
  return {
    async download(granule, announcement) {
      const dataset = await files.get(granule.dataset);
      return awaited(dataset.await, () =>
        withHeartbeat((onProgress, signal, kept) =>
          resolveRevision(granule, dataset, announcement, { ledger, signal, onProgress, now: Date.now, kept }),
        ),
      );
    },

    async scan(granule, { identity, uri }, isAccepted) {
      const dataset = await files.get(granule.dataset);
      return withHeartbeat(async (tell, signal) => {
        const revision = await ledger.revision({ dataset: dataset.name, key: granule.key, identity });
        const { scan, address } = await scanRevision(revision, uri, dataset, { scans, signal, tell });
        const options = { accept: isAccepted };
        const passed = await passGate(granule, dataset, identity, { scan, address }, { ledger, scans }, options);
        reached("scan: gate passed");
        const count = (outcome: string): number => scan.outcomes.filter((variable) => variable.outcome === outcome).length;
        return {
          identity,
          scanUri: address.uri,
          scanSha256: address.sha256,
          variables: { referenced: count("referenced"), inlined: count("inlined"), refused: count("refused") },
          references: countReferences(scan.root),
          ...passed,
        };
      });
    },

    async record(granule, announcement, identity, verdict) {
      reached("record: before the ledger");
      await recordVerdict(ledger, granule, announcement, identity, verdict);
      if (verdict.state === "quarantined") {
        const subject = { key: granule.key, identity, uri: announcement.uri };
        await notify(granule.dataset, quarantinedNotification(granule.dataset.name, subject, verdict.reason, Date.now()));
      }
      reached("record: before the wake");
      if (verdict.state === "ready" && announcement.isQuiet !== true) await wake(granule.dataset);
      await tellItsRun(granule);
    },

    async withdraw(granule, announcement) {
      const dataset = await files.get(granule.dataset);
      const withdrawal = await withHeartbeat((_onProgress, signal) =>
        withdrawAnnounced(granule, dataset, announcement, { ledger, signal, now: Date.now }),
      );
      if (withdrawal.kind === "withdrawn") {
        await wake(granule.dataset);
        await tellItsRun(granule);
      }
      return withdrawal;
    },
  };
}
