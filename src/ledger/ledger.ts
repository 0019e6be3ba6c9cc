import type {
  HeardRevision,
  HistoryEntry,
  Revision,
  RevisionEvent,
  RevisionId,
  RevisionState,
  ScanReference,
} from "./revision.ts";

/** The answer to `record`. */
export interface Recorded {
  /** Sequence number of the event; of the earlier one where this was a repeat. */
  readonly seq: number;
  /** False for a repeat: nothing was written. */
  readonly appended: boolean;
}

/** The answer to `hear`. */
export interface Heard {
  /** False if the ledger already knew the revision; then nothing was written. */
  readonly isNew: boolean;
  /** The revision as it stands now. */
  readonly revision: Revision;
}

/**
 * Why a version was made: from arrivals; as an earlier layout again, and the end of that; from everything there is; by
 * somebody who overwrote it.
 */
export const PUBLICATION_KINDS = ["publication", "rollback", "release", "rebuild", "overwrite"] as const;
export type PublicationKind = (typeof PUBLICATION_KINDS)[number];

/** One version of one product, as its writer made it. */
export interface Publication {
  readonly dataset: string;
  readonly product: string;
  /** 1 for the first; ascending by product. */
  readonly sequence: number;
  /** The store's name of the version: an Icechunk snapshot id. */
  readonly snapshot: string;
  /** The version it was made from; undefined for the first. */
  readonly parent?: string | undefined;
  /** Hex SHA-256 of the layout. */
  readonly layoutHash: string;
  /** When it became visible, milliseconds since 1970, by the writer's clock. */
  readonly atMs: number;
  /** Granules in the whole layout. */
  readonly granules: number;
  readonly message: string;
  /** Default, where a publication is recorded: `publication`. Always set in answers. */
  readonly kind?: PublicationKind | undefined;
}

/** A granule's revision inside one dataset. */
export type Member = Pick<RevisionId, "key" | "identity">;

/** A dataset file's canonical form, kept by its hash. */
export interface StoredDataset {
  readonly name: string;
  /** Hex SHA-256 of the canonical form. */
  readonly hash: string;
  /** The canonical form, JSON. */
  readonly text: string;
  /** When it last became the current one, milliseconds since 1970. */
  readonly appliedMs: number;
}

/** The granule whose scan every other granule of a product is held against, within an epoch of the dataset. */
export interface Template extends Member {
  readonly product: string;
  /** Counted from 1. */
  readonly epoch: number;
  readonly scan: ScanReference;
}

/** What somebody who looked at a revision's source saw. */
export interface SourceObservation {
  /** `gone`: the bytes are not there; `changed`: others are; `back`: they are where references point. */
  readonly state: "gone" | "changed" | "back";
  /** What was found, for people: `404`, another etag. */
  readonly found: string;
  /** When it was seen, milliseconds since 1970 by the observer's clock. */
  readonly atMs: number;
}

/** A revision whose bytes are not where references point. */
export interface MissingSource extends Member {
  readonly state: "gone" | "changed";
  /** What was found last, for people. */
  readonly found: string;
  /** Ledger time since which it has been in this state, milliseconds since 1970. */
  readonly sinceMs: number;
}

/** What a source has brought in one way, counted. */
export interface Traffic {
  /** Name of the source; of a queue that several share, all of them. */
  readonly source: string;
  /** `sqs`, `amqp`, `webhook`. */
  readonly via: string;
  /** Announced granules that a dataset knew, names that none knew, parts of messages that announce nothing, malformed messages. */
  readonly matched: number;
  readonly unmatched: number;
  readonly passedOver: number;
  readonly malformed: number;
  /** When the last of them came, milliseconds since 1970; undefined: none yet. */
  readonly matchedMs?: number | undefined;
  readonly unmatchedMs?: number | undefined;
}

/** A name that no dataset knew. */
export interface UnmatchedName {
  readonly source: string;
  /** A uri without what may be secret, or what a message said. */
  readonly name: string;
  readonly via: string;
  readonly reason: string;
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Something that people should know of although nothing has happened. */
export interface Alarm {
  /** `quiet`: nothing new came; `unmatched`: what came matches nothing; `unseen`: one of several patterns did not come. */
  readonly kind: string;
  /** What it is about, within the dataset: its source, a pattern. */
  readonly subject: string;
  readonly text: string;
  /** Since when it holds, milliseconds since 1970. */
  readonly sinceMs: number;
}

export interface RaisedAlarm extends Alarm {
  readonly dataset: string;
  /** Ledger time. */
  readonly raisedMs: number;
  /** Undefined while it is open. */
  readonly endedMs: number | undefined;
}

/** A run of a model that nobody waits for any more, because somebody said so. */
export interface GivenUpRun {
  /** Forecast reference time, milliseconds since 1970. */
  readonly runMs: number;
  readonly reason: string;
  /** Who said so. */
  readonly by: string;
  /** What has come of it and is not published stays out; false: it is published. */
  readonly leave: boolean;
  /** Ledger time. */
  readonly atMs: number;
}

export interface GranuleQuery {
  /** Only revisions in this state (after `asOfMs`, where given). */
  readonly state?: RevisionState | undefined;
  /** Granules (keys) at most, at least 1; a granule's revisions are never divided over two pages. */
  readonly limit: number;
  /** Keys strictly after this one, in the order of their UTF-8 bytes. Default: from the first. */
  readonly afterKey?: string | undefined;
  /** The state at this moment of ledger time (inclusive) instead of now. */
  readonly asOfMs?: number | undefined;
}

/**
 * The record of every revision ever heard of: its state, why, its scan, where it was published. Events are appended
 * and never change; the current state is their fold. Several processes use one ledger at once.
 *
 * Every operation is atomic, and every writing one may run twice, also beside its own twin: the second changes nothing.
 * When a writing operation resolves, its rows are on disk.
 *
 * All operations throw FreshetError `storage` when the ledger cannot be read or written (full, read-only, busy beyond
 * its timeout), `unreachable` when its server does not answer or the connection broke (ask again: what was acknowledged is
 * there), `malformed` for a text that the database cannot hold, and `corrupt` when what is stored is not what the ledger writes.
 */
export interface Ledger {
  /** Where it is, without credentials: for messages. */
  readonly uri: string;

  /**
   * Takes note of an announced revision. One that is already known stays exactly as it is, whatever its state;
   * its state tells the caller what to do: `heard` is an interrupted beginning, anything else means a duplicate announcement.
   */
  hear(revision: HeardRevision): Promise<Heard>;
  /** Many at once, of one dataset, in one transaction; answers in the order asked. */
  hearAll(revisions: readonly HeardRevision[]): Promise<readonly Heard[]>;

  /**
   * Appends a step and moves the revision. A repeat of a step (same state, reason, detail and facts, since the revision
   * was last `heard`) appends nothing and answers with the earlier one's number, also when the revision has moved on.
   * `heard` on a known revision opens it again (an operator's retry; the source took an old state back up).
   * @throws FreshetError `conflict` when the state may not follow the current one, or nobody has heard of the revision.
   */
  record(event: RevisionEvent): Promise<Recorded>;
  /** Many at once, of one dataset, in their order, in one transaction: all or none. */
  recordAll(events: readonly RevisionEvent[]): Promise<readonly Recorded[]>;

  /**
   * The dataset workflow's queue: revisions that are now `ready` or `withdrawn` and became so (or got new facts) after
   * `afterSeq` (exclusive), ascending by `changedSeq`. 0 reads from the beginning. At most `limit`.
   */
  readyAfter(dataset: string, afterSeq: number, limit: number): Promise<readonly Revision[]>;
  /**
   * Revisions that are now in one of `states` and became so (or got new facts) after `afterSeq` (exclusive), ascending by
   * `changedSeq`, at most `limit`. Costs as much as its answer is long. Nothing that was committed before is missed: the
   * next page begins after the last `changedSeq`.
   */
  changedAfter(dataset: string, afterSeq: number, states: readonly RevisionState[], limit: number): Promise<readonly Revision[]>;
  /**
   * What may stand in products: revisions that are `ready` or `published`, by ascending key (UTF-8 bytes), and within a key as
   * heard. At most `limit` granules (keys), those after `afterKey`; a granule's revisions are never divided over two pages.
   */
  standing(
    dataset: string,
    page: { readonly afterKey?: string | undefined; readonly limit: number },
  ): Promise<readonly Revision[]>;
  /** The revisions that changed last, the newest first, at most `limit`. */
  newest(dataset: string, limit: number): Promise<readonly Revision[]>;
  /**
   * Revisions that are `ready`; with `product`, also the `published` ones that no publication of that product has as a
   * member (another product was first). Ascending by `changedSeq`, at most `limit`.
   */
  unpublished(dataset: string, product?: string, limit?: number): Promise<readonly Revision[]>;

  revision(id: RevisionId): Promise<Revision | undefined>;
  /** Every revision of a granule, in the order in which they were heard of. */
  revisionsOf(dataset: string, key: string): Promise<readonly Revision[]>;
  /** The same as it was at a moment of ledger time (inclusive). */
  revisionsAsOf(dataset: string, key: string, atMs: number): Promise<readonly Revision[]>;
  /** Revisions by ascending key, and within a key as heard. For the next page, pass the last key. */
  granules(dataset: string, query: GranuleQuery): Promise<readonly Revision[]>;
  /** Every event of a granule, oldest first. */
  history(dataset: string, key: string): Promise<readonly HistoryEntry[]>;
  /** Number of revisions in each state; states without any are 0. */
  counts(dataset: string): Promise<Readonly<Record<RevisionState, number>>>;
  /** Sequence number of the dataset's last event; 0 if it has none. */
  lastSeq(dataset: string): Promise<number>;

  /**
   * Notes that a publication happened: `members` are the revisions whose cells it wrote. They become `published`, earlier
   * published revisions of the same granules in the same product `superseded`. Members for which a later publication of
   * the product is already on record do not move back.
   * @throws FreshetError `conflict` when the same product and sequence is on record with another snapshot, or a member's
   *   state may not become `published`; `corrupt` when nobody has heard of a member.
   */
  recordPublication(publication: Publication, members: readonly Member[]): Promise<void>;
  /** By descending sequence, at most `limit`; of one product, or of all. */
  publications(dataset: string, product: string | undefined, limit: number): Promise<readonly Publication[]>;
  /** The members of one publication, by key. */
  membersOf(dataset: string, product: string, sequence: number): Promise<readonly Member[]>;

  /** Keeps a dataset file by its hash and makes it the current one of its name. Answers whether that changed anything. */
  putDataset(dataset: { readonly name: string; readonly hash: string; readonly text: string }): Promise<boolean>;
  /** Keeps a dataset file by its hash; which one is current stays as it is. */
  keepDataset(dataset: { readonly name: string; readonly hash: string; readonly text: string }): Promise<void>;
  currentDataset(name: string): Promise<StoredDataset | undefined>;
  /** The text of one revision of a dataset file, current or not: what `name@hash` in a workflow stands for. */
  datasetText(name: string, hash: string): Promise<string | undefined>;
  /** The current ones, by name. */
  datasets(): Promise<readonly StoredDataset[]>;

  /**
   * The template of a product in an epoch. Where there is none yet, `candidate` becomes it: of several at once exactly one does,
   * and all get the same answer.
   */
  establishTemplate(
    dataset: string,
    product: string,
    candidate: Member & { readonly scan: ScanReference },
    epoch?: number,
  ): Promise<Template>;
  /** Every template of the dataset, by product and epoch. */
  templates(dataset: string): Promise<readonly Template[]>;

  /**
   * Notes what somebody saw where a revision's bytes should be. The newest observation holds: an older one, and the same one
   * again, change nothing.
   * @throws FreshetError `conflict` when nobody has heard of the revision.
   */
  noteSource(id: RevisionId, observation: SourceObservation): Promise<void>;
  /** The revisions whose newest observation is not `back`, by key. */
  missingSources(dataset: string): Promise<readonly MissingSource[]>;

  /** Adds to what is counted. Of names the last hundred of each source are kept, for a fortnight. Not idempotent: a count is for people. */
  noteTraffic(traffic: readonly Traffic[], names: readonly UnmatchedName[]): Promise<void>;
  /** By source and way. */
  traffic(): Promise<readonly Traffic[]>;
  /** Of one source, or of all; the newest first. */
  unmatchedNames(source?: string): Promise<readonly UnmatchedName[]>;

  /**
   * From now on exactly these alarms of the dataset are open: new ones are raised, those that are open and not among them end. Answers
   * whether that changed anything.
   */
  settleAlarms(dataset: string, alarms: readonly Alarm[]): Promise<boolean>;
  /** Those raised last first; of one dataset, or of all; the open ones, or all. */
  alarms(query: {
    readonly dataset?: string | undefined;
    readonly isOpen?: boolean | undefined;
    readonly limit: number;
  }): Promise<readonly RaisedAlarm[]>;

  /** Notes that a run is given up. One that is already stays as it was given up first. */
  giveUpRun(dataset: string, run: Omit<GivenUpRun, "atMs">): Promise<void>;
  /** By run. */
  givenUpRuns(dataset: string): Promise<readonly GivenUpRun[]>;

  close(): Promise<void>;
}
