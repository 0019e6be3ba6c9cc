/**
 * Where a revision stands. What may follow what is one table, `transitions.ts`.
 *
 * - `heard`: announced and identified; nothing is decided yet.
 * - `ready`: scanned and through the gate; waits to be published.
 * - `published`: in the newest version of at least one product.
 * - `superseded`: a newer revision of the granule has taken its place, or will.
 * - `duplicate`: another revision has its place for good: the same bytes under another identity, or another granule at its position.
 * - `skipped`: left out by a rule of the dataset file or by an operator.
 * - `quarantined`: waits for a decision.
 * - `withdrawn`: its source has taken it back; products drop it.
 */
export type RevisionState =
  | "heard"
  | "ready"
  | "published"
  | "superseded"
  | "duplicate"
  | "skipped"
  | "quarantined"
  | "withdrawn";

export const REVISION_STATES: readonly RevisionState[] = [
  "heard",
  "ready",
  "published",
  "superseded",
  "duplicate",
  "skipped",
  "quarantined",
  "withdrawn",
];

/** What names a revision. */
export interface RevisionId {
  /** The dataset's name. */
  readonly dataset: string;
  /** The granule key that the name grammar gives. */
  readonly key: string;
  /** One state of the granule's bytes: see `revisionIdentity`. */
  readonly identity: string;
}

/** The typed fields of the granule's name. Instants (`valid`, `run`, …) are milliseconds since 1970 UTC. */
export type NameFields = Readonly<Record<string, string | number>>;

/**
 * The fields of a granule's name once its file has been read: `valid` is the file's first valid time, milliseconds since 1970, and `steps` how
 * many it has and `lastValid` the last of them, where that is not one. Of a forecast, `run` is its forecast reference time.
 */
export function fieldsOfFile(
  fields: NameFields | undefined,
  {
    validMs,
    steps,
    lastMs,
    runMs,
  }: {
    readonly validMs: number;
    readonly steps: number;
    readonly lastMs?: number | undefined;
    readonly runMs?: number | undefined;
  },
): NameFields {
  return {
    ...fields,
    valid: validMs,
    ...(steps === 1 ? {} : { steps }),
    ...(lastMs === undefined ? {} : { lastValid: lastMs }),
    ...(runMs === undefined ? {} : { run: runMs }),
  };
}

/** A scan as it lies in the object store. */
export interface ScanReference {
  readonly uri: string;
  /** Hex SHA-256 of the stored scan's bytes. */
  readonly sha256: string;
}

/** What is known about a revision. An event may bring any of them; those it does not bring stay as they are. */
export interface RevisionFacts {
  /** Where its bytes are, as references name them. */
  readonly uri?: string | undefined;
  /** Bytes. */
  readonly size?: number | undefined;
  readonly etag?: string | undefined;
  readonly lastModifiedMs?: number | undefined;
  readonly fields?: NameFields | undefined;
  readonly scan?: ScanReference | undefined;
  /** The epoch of the dataset whose form the revision has, counted from 1. */
  readonly epoch?: number | undefined;
}

/** The current state of a revision: its events, folded. */
export interface Revision extends RevisionId, RevisionFacts {
  readonly state: RevisionState;
  /** Why it is in this state; "" where the state says it all. */
  readonly reason: string;
  /** Ledger time of its first event, milliseconds since 1970. */
  readonly heardMs: number;
  /** Ledger time of its last event. */
  readonly changedMs: number;
  /** Sequence number of its first event: the order in which the ledger heard of revisions. */
  readonly heardSeq: number;
  /** Sequence number of its last event. */
  readonly changedSeq: number;
  /** The newest publication that has it as a member; undefined if none ever had. */
  readonly published?: { readonly product: string; readonly sequence: number } | undefined;
}

/** JSON that an event carries for people and for later questions; the ledger never reads it. */
export type EventDetail = Readonly<Record<string, unknown>>;

/**
 * A step in the life of a revision, as the caller reports it. `published` is not among the states: only
 * `recordPublication` says it.
 */
export interface RevisionEvent extends RevisionId, RevisionFacts {
  readonly state: Exclude<RevisionState, "published">;
  /** One line for people. Default "". */
  readonly reason?: string | undefined;
  readonly detail?: EventDetail | undefined;
  /**
   * The caller's own id of this step (workflow run and activity). A second event of the revision with the same `once`
   * is a repeat whatever else it says. Needed only where a late twin would otherwise be a legal new step.
   */
  readonly once?: string | undefined;
}

/** A revision that somebody announced, identified at its source. */
export interface HeardRevision extends RevisionId, RevisionFacts {
  /** How we know: `listing`, `webhook`, `cli`, … */
  readonly reason?: string | undefined;
  readonly detail?: EventDetail | undefined;
}

/** An event as the ledger keeps it. Never changed, never removed. */
export interface HistoryEntry extends RevisionId {
  /** Position in the dataset's history: ascending, in the order of commits, without gaps, from 1. */
  readonly seq: number;
  readonly state: RevisionState;
  readonly reason: string;
  /** Ledger time in milliseconds since 1970; never smaller than that of a lower `seq`. */
  readonly atMs: number;
  /** The facts that this event brought. */
  readonly facts: RevisionFacts;
  readonly detail: EventDetail;
  /** Set on `published` events. */
  readonly publication?: { readonly product: string; readonly sequence: number } | undefined;
}

/** How the reason of a revision begins that a product keeps no longer: it is `withdrawn`, or, where it never was published, `skipped`. */
export const EXPIRED = "expired: ";

/** Whether a revision left because it is no longer kept, and not because of its source. */
export function isExpired({ state, reason }: Pick<Revision, "state" | "reason">): boolean {
  return (state === "withdrawn" || state === "skipped") && reason.startsWith(EXPIRED);
}

/** The facts that are set, and no other members. */
export function factsOf(facts: RevisionFacts): RevisionFacts {
  const { uri, size, etag, lastModifiedMs, fields, scan, epoch } = facts;
  return {
    ...(uri === undefined ? {} : { uri }),
    ...(size === undefined ? {} : { size }),
    ...(etag === undefined ? {} : { etag }),
    ...(lastModifiedMs === undefined ? {} : { lastModifiedMs }),
    ...(fields === undefined ? {} : { fields }),
    ...(scan === undefined ? {} : { scan }),
    ...(epoch === undefined ? {} : { epoch }),
  };
}
