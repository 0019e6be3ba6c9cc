import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Announcement, ReconcileActivities } from "../contract/index.ts";
import { namesOf } from "../dataset/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { reconcilePart } from "../publication/index.ts";
import type { ScanStore } from "../scan/index.ts";
import { writeWhole } from "../storage/index.ts";
import type { DatasetFiles } from "./dataset-files.ts";
import { withHeartbeat } from "./heartbeat.ts";

/** Deviations of a part that travel through Temporal. */
const MOST_SHOWN = 50;

export interface ReconcileParts {
  readonly ledger: Ledger;
  readonly scans: ScanStore;
  readonly files: DatasetFiles;
  /** Folder for reports. */
  readonly reports: string;
  /** Announces a granule to one dataset. */
  readonly announce: (dataset: string, announcement: Announcement) => Promise<void>;
  readonly wake: (dataset: { readonly name: string; readonly hash: string }) => Promise<void>;
}

/** The activities of the reconcile workflow; the contract of each stands at `ReconcileActivities`. */
export function createReconcileActivities(parts: ReconcileParts): ReconcileActivities {
  const { ledger, scans, files, reports, announce, wake } = parts;
  return {
    async reconcilePart({ dataset: reference, fromMs, toMs, act }, id, part, place) {
      const dataset = await files.get(reference);
      const found = await withHeartbeat((onProgress, signal) =>
        reconcilePart(place, {
          ...{ ledger, scans, dataset, names: namesOf(dataset), span: { fromMs, toMs }, act, signal, onProgress },
          announce: (announcement) => announce(dataset.name, announcement),
          now: Date.now,
        }),
      );
      const folder = join(reports, "reconcile", dataset.name, id);
      const { deviations, ...told } = found;
      const lines = deviations.map((deviation) => `${JSON.stringify(deviation)}\n`);
      if (lines.length > 0) await writeWhole(join(folder, `${String(part).padStart(6, "0")}.jsonl`), Buffer.from(lines.join("")));
      const acted = deviations.filter(({ done }) => done !== undefined).length;
      return { ...told, acted, shown: deviations.slice(0, MOST_SHOWN), report: pathToFileURL(folder).href };
    },
    publishReconciled: wake,
  };
}
