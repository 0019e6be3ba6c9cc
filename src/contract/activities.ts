import type { FormState, ProductTrouble, PublicationPlan, PublicationResult } from "./dataset.ts";
import type { Announcement, DatasetReference } from "./granule.ts";
import type { Operation, OperationResult } from "./operation.ts";

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
  /** Valid time of the last step, where there are several. */
  readonly lastMs?: number | undefined;
  /** Of a forecast: its forecast reference time, milliseconds since 1970. */
  readonly runMs?: number | undefined;
  /** The epoch whose form it has, from 1. */
  readonly epoch: number;
  /** Absent for one that has the dataset's form. */
  readonly drift?: DriftDone | undefined;
}

/** What was done about a granule of another form, by the policy of its dataset. */
export interface DriftDone {
  /** `epoch`: it began a new one. `native`: it is kept as a copy in the dataset's own form. */
  readonly action: "epoch" | "native";
  /** In what it differs, in words. */
  readonly because: string;
  /** Of a copy, paths of arrays: decoded and written anew; absent in the source, and missing values in the copy; not taken over. */
  readonly encoded?: readonly string[] | undefined;
  readonly filled?: readonly string[] | undefined;
  readonly leftOut?: readonly string[] | undefined;
}

/** The dataset file wants nothing to do with a granule of this form. */
export interface Refused {
  readonly identity: string;
  readonly refused: string;
}

/** How a revision ended, for the ledger. */
export type Verdict =
  | { readonly state: "ready"; readonly scanned: Scanned }
  | { readonly state: "quarantined"; readonly reason: string }
  | { readonly state: "skipped"; readonly reason: string };

/** What came of a source's word that a granule is gone. */
export type Withdrawal =
  | { readonly kind: "withdrawn" | "kept"; readonly identity: string; readonly reason: string }
  /** `there`: the source has it, or has it again. `unknown`: nothing from that place stands in the ledger. */
  | { readonly kind: "there" | "unknown"; readonly reason: string };

export interface GranuleActivities {
  /** Resolves the announced bytes to a revision: waits until they are there, copies them where the source has a mirror, checks what was promised. */
  download(granule: GranuleReference, announcement: Announcement): Promise<Downloaded>;
  /**
   * Finds the byte range of every chunk, keeps that as a scan artefact, and holds it against the dataset's schema. `isAccepted`: an
   * operator has accepted its form, so where it fits no epoch it begins the next one.
   */
  scan(granule: GranuleReference, downloaded: Downloaded, isAccepted: boolean): Promise<Scanned | Refused>;
  /** Writes the verdict into the ledger and, when there is something to publish, wakes the dataset. */
  record(granule: GranuleReference, announcement: Announcement, identity: string, verdict: Verdict): Promise<void>;
  /** Asks the source whether a granule that it called gone is, withdraws it by policy, and wakes the dataset. */
  withdraw(granule: GranuleReference, announcement: Announcement): Promise<Withdrawal>;
}

export interface DatasetActivities {
  /** Reads the ledger and the stored layout: what would the next publication of each product change? */
  combine(dataset: DatasetReference): Promise<readonly (PublicationPlan | ProductTrouble)[]>;
  /** Writes one publication, verifies it and makes it visible by compare-and-swap; then tells the ledger. */
  append(dataset: DatasetReference, plan: PublicationPlan): Promise<PublicationResult>;
  /** Writes the forms that are due beside the products' stores; what goes wrong with one is said in its state. */
  publishForms(dataset: DatasetReference): Promise<readonly FormState[]>;
  /** Carries out what an operator asked for. `id` names the request: an attempt that got through is not made again. */
  operate(dataset: DatasetReference, id: string, operation: Operation): Promise<readonly OperationResult[]>;
}

/** What a sweep found. */
export interface Swept {
  /** Granules whose sources were looked at. */
  readonly looked: number;
  /** Of these: changed or gone at the source, and announced again. */
  readonly changed: number;
  readonly gone: number;
  /** Sources that did not answer. */
  readonly silent: number;
  /** Granules that leave, since their source took them back. */
  readonly withdrawn: number;
  /** Where the next page begins; undefined at the end. */
  readonly afterKey: string | undefined;
}

export interface MaintenanceActivities {
  /**
   * Looks at the sources of published granules, a page of them from `afterKey` (exclusive) on. One that is not what references
   * say is noted in the ledger and announced again, so that its new revision takes its place, or it leaves by policy.
   */
  sweep(dataset: DatasetReference, afterKey: string | undefined): Promise<Swept>;
}
