import { admitRevision, recordVerdict, resolveRevision } from "../acquisition/index.ts";
import type {
  Announcement,
  DatasetReference,
  Downloaded,
  GranuleReference,
  Notification,
  Refused,
  Scanned,
  Verdict,
} from "../contract/index.ts";
import type { Dataset } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import type { Ledger } from "../ledger/index.ts";
import { quarantinedNotification } from "../publication/index.ts";
import type { ScanStore } from "../scan/index.ts";
import { reached } from "../steps/index.ts";
import { countReferences } from "../virtual/index.ts";
import type { DatasetFiles } from "./dataset-files.ts";
import type { Kept } from "./heartbeat.ts";

export interface GranuleParts {
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

/** How a step tells what it does, and what ends it. */
export interface StepContext {
  readonly tell: (what: string) => void;
  readonly signal: AbortSignal;
  readonly kept?: Kept;
}

/** What is done with a granule, step by step: each may be done twice. The contract of each stands at `GranuleActivities`. */
export class GranuleSteps {
  readonly #parts: GranuleParts;

  constructor(parts: GranuleParts) {
    this.#parts = parts;
  }

  download(
    granule: GranuleReference,
    dataset: Dataset,
    announcement: Announcement,
    { tell, signal, kept }: StepContext,
  ): Promise<Downloaded> {
    const context = { ledger: this.#parts.ledger, signal, onProgress: tell, now: Date.now };
    return resolveRevision(granule, dataset, announcement, kept === undefined ? context : { ...context, kept });
  }

  async scan(
    granule: GranuleReference,
    dataset: Dataset,
    { identity, uri }: Downloaded,
    isAccepted: boolean,
    { tell, signal }: StepContext,
  ): Promise<Scanned | Refused> {
    const { ledger, scans } = this.#parts;
    const admission = await admitRevision(
      granule,
      dataset,
      { identity, uri },
      { ledger, scans, signal, tell },
      { accept: isAccepted },
    );
    if (admission.kind === "refused") return { identity, refused: admission.reason };
    const { scan, address, passed, drift } = admission;
    const count = (outcome: string): number => scan.outcomes.filter((variable) => variable.outcome === outcome).length;
    return {
      identity,
      scanUri: address.uri,
      scanSha256: address.sha256,
      variables: { referenced: count("referenced"), inlined: count("inlined"), refused: count("refused") },
      references: countReferences(scan.root),
      ...passed,
      ...(drift === undefined ? {} : { drift }),
    };
  }

  async record(granule: GranuleReference, announcement: Announcement, identity: string, verdict: Verdict): Promise<void> {
    const { ledger, notify, wake } = this.#parts;
    reached("record: before the ledger");
    await recordVerdict(ledger, granule, announcement, identity, verdict);
    if (verdict.state === "quarantined") {
      const subject = { key: granule.key, identity, uri: announcement.uri };
      await notify(granule.dataset, quarantinedNotification(granule.dataset.name, subject, verdict.reason, Date.now()));
    }
    reached("record: before the wake");
    if (verdict.state === "ready" && announcement.isQuiet !== true) await wake(granule.dataset);
    await this.tellItsRun(granule);
  }

  async tellItsRun({ dataset, fields: { run } }: GranuleReference): Promise<void> {
    if (typeof run === "number") await this.#parts.tellRun(dataset, run);
  }

  /**
   * All steps one after the other, where nothing stands in the way. False: something does (its bytes are known, or cannot be used, or its source
   * wants to be asked later), and a workflow of its own has to see to it, which does each step again.
   * @throws what `signal` ends with, and FreshetError `source-missing`.
   */
  async takeIn(granule: GranuleReference, dataset: Dataset, announcement: Announcement, signal: AbortSignal): Promise<boolean> {
    const context = { tell: () => undefined, signal };
    try {
      const downloaded = await this.download(granule, dataset, announcement, context);
      if (downloaded.known !== undefined) return false;
      const scanned = await this.scan(granule, dataset, downloaded, false, context);
      if ("refused" in scanned) return false;
      await this.record(granule, announcement, downloaded.identity, { state: "ready", scanned });
      return true;
    } catch (error) {
      signal.throwIfAborted();
      // Whatever else it is, the workflow meets it again, and says it where people look. A defect of ours stays one.
      if (!(error instanceof FreshetError) || error.kind === "source-missing") throw error;
      return false;
    }
  }
}
