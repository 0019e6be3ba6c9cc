/**
 * The one family of errors. Everything that can go wrong in a way that somebody has to know about is a
 * `FreshetError` of one of these kinds; anything else that is thrown is a defect of Freshet itself.
 *
 * What each kind means for a retry stands in one table, `activities/error-table.ts`.
 */
export type ErrorKind =
  /** The person at the command line, or a dataset file, said something that does not fit. */
  | "usage"
  | "dataset-file"
  /** The bytes are not there (yet): 404, no such file. */
  | "source-missing"
  /** The source answered, but not with the bytes: 5xx, a stall, a broken connection. `retryAfterMs` where it said when. */
  | "source-unavailable"
  /** The source will not give us the bytes: 401, 403, a host or prefix that is not allowed. */
  | "source-refused"
  /** The bytes changed while they were being read, or are not those that were announced. */
  | "source-changed"
  /** Our own limits for a host are reached: it is asked later. `retryAfterMs` says when. */
  | "busy"
  /** The bytes end before the structure that they promise. */
  | "truncated"
  /** Not a format that Freshet reads. */
  | "unknown-format"
  /** The format's own rules are broken: bad magic, a size beyond its limit, a cycle. */
  | "malformed"
  /** Legal, but not (yet) expressible or not implemented. */
  | "unsupported"
  /** The granule does not fit the dataset: shape, codec, units, grid, calendar. */
  | "drift"
  /** An operator holds the product at an earlier version. */
  | "held"
  /** Somebody else published first. */
  | "conflict"
  /** The store or the ledger did not take the bytes: full, read-only, permission, busy. */
  | "storage"
  /** A stored thing of ours is not what we wrote. */
  | "corrupt"
  /** The version was published once; upkeep has removed what only it used. */
  | "expired"
  /** Temporal, or another server that Freshet needs, does not answer. */
  | "unreachable";

/** What an error carries beside its sentence. All of it is for people first; programs read `kind`. */
export interface ErrorFacts {
  /** What was found, as it would be shown: a value, a status, a short quotation. */
  readonly found?: string | undefined;
  /** What would have been right. */
  readonly expected?: string | undefined;
  /** The file, URL or store it is about. Never carries credentials. */
  readonly uri?: string | undefined;
  /** The place inside it: a group/variable path, a YAML path with its line. */
  readonly path?: string | undefined;
  /** The key of the one granule that is at fault, where it is one. */
  readonly granule?: string | undefined;
  /** Absolute byte offset inside `uri`. */
  readonly offset?: number | undefined;
  /** What the person can do about it: one sentence in the imperative. */
  readonly remedy?: string | undefined;
  /** Milliseconds after which a retry makes sense, where the other side said so. */
  readonly retryAfterMs?: number | undefined;
  /** The status of the answer, where an HTTP server gave one. */
  readonly status?: number | undefined;
  readonly cause?: unknown;
}

/**
 * One error of the family. `message` is the whole sentence: what failed, found / expected, where, what to do.
 * `summary` is the first part alone.
 */
export class FreshetError extends Error {
  override readonly name = "FreshetError";
  readonly kind: ErrorKind;
  readonly summary: string;
  readonly facts: ErrorFacts;

  constructor(kind: ErrorKind, summary: string, facts: ErrorFacts = {}) {
    super(sentence(summary, facts), facts.cause === undefined ? undefined : { cause: facts.cause });
    this.kind = kind;
    this.summary = summary;
    this.facts = facts;
  }

  /** The same error with more facts about where it happened; facts that are already there stay. */
  at(facts: ErrorFacts): FreshetError {
    return new FreshetError(this.kind, this.summary, { ...facts, ...defined(this.facts), cause: this.facts.cause ?? this });
  }
}

/** True for a FreshetError, and, where kinds are named, only for one of these. */
export function isFreshetError(error: unknown, ...kinds: ErrorKind[]): error is FreshetError {
  return error instanceof FreshetError && (kinds.length === 0 || kinds.includes(error.kind));
}

function sentence(summary: string, facts: ErrorFacts): string {
  const parts = [summary];
  if (facts.found !== undefined && facts.expected !== undefined) parts.push(`: found ${facts.found}, expected ${facts.expected}`);
  else if (facts.found !== undefined) parts.push(`: found ${facts.found}`);
  else if (facts.expected !== undefined) parts.push(`: expected ${facts.expected}`);
  const where = [
    facts.granule === undefined ? undefined : `granule ${facts.granule}`,
    facts.uri,
    facts.path,
    facts.offset === undefined ? undefined : `byte ${facts.offset}`,
  ].filter((part) => part !== undefined);
  if (where.length > 0) parts.push(` (${where.join(", ")})`);
  if (facts.remedy !== undefined) parts.push(`. ${facts.remedy}`);
  return parts.join("");
}

function defined(facts: ErrorFacts): ErrorFacts {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}
