import type { ProductTrouble, PublicationPlan, PublicationResult } from "./dataset.ts";
import type { Announcement, DatasetReference } from "./granule.ts";

/** Which granule an activity is about. */
export interface GranuleReference {
  readonly dataset: DatasetReference;
  readonly key: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

export interface Downloaded {
  /** The revision's identity in the ledger's form. */
  readonly identity: string;
  /** Where references will point: the source itself, or our mirror's copy. */
  readonly uri: string;
  readonly size: number;
  /** Set when the ledger has this revision already: the state it ended in. */
  readonly known: string | undefined;
}

export interface Scanned {
  readonly identity: string;
  /** The scan artefact. It never travels through Temporal. */
  readonly scanUri: string;
  readonly scanSha256: string;
  readonly variables: { readonly referenced: number; readonly inlined: number; readonly refused: number };
  readonly references: number;
  /** Valid time of the first step, milliseconds since 1970. */
  readonly validMs: number;
  readonly steps: number;
}

/** How a revision ended, for the ledger. */
export type Verdict =
  | { readonly state: "ready"; readonly scanned: Scanned }
  | { readonly state: "quarantined"; readonly reason: string }
  | { readonly state: "skipped"; readonly reason: string };

export interface GranuleActivities {
  /** Resolves the announced bytes to a revision: waits until they are there, copies them where the source has a mirror, checks what was promised. */
  download(granule: GranuleReference, announcement: Announcement): Promise<Downloaded>;
  /** Finds the byte range of every chunk, keeps that as a scan artefact, and holds it against the dataset's schema. */
  scan(granule: GranuleReference, downloaded: Downloaded): Promise<Scanned>;
  /** Writes the verdict into the ledger and, when there is something to publish, wakes the dataset. */
  record(granule: GranuleReference, announcement: Announcement, identity: string, verdict: Verdict): Promise<void>;
}

export interface DatasetActivities {
  /** Reads the ledger and the stored layout: what would the next publication of each product change? */
  combine(dataset: DatasetReference): Promise<readonly (PublicationPlan | ProductTrouble)[]>;
  /** Writes one publication, verifies it and makes it visible by compare-and-swap; then tells the ledger. */
  append(dataset: DatasetReference, plan: PublicationPlan): Promise<PublicationResult>;
}
