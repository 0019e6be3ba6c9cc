import { ApplicationFailure, ApplicationFailureCategory, TemporalFailure } from "@temporalio/common";
import { type ErrorKind, type FreshetError, isFreshetError } from "../errors/index.ts";

/**
 * What an error means for Temporal: `retry` by the activity's own policy; `wait` the same, but expected, so that it is no
 * alarm; `give-up` at once, and let the workflow decide.
 */
type Meaning = "retry" | "wait" | "give-up";

/** The one place where that is said. */
const MEANING: Readonly<Record<ErrorKind, Meaning>> = {
  usage: "give-up",
  "dataset-file": "give-up",
  "source-missing": "wait",
  "source-unavailable": "retry",
  "source-refused": "give-up",
  "source-changed": "give-up",
  busy: "wait",
  truncated: "give-up",
  "unknown-format": "give-up",
  malformed: "give-up",
  unsupported: "give-up",
  drift: "give-up",
  held: "give-up",
  conflict: "give-up",
  storage: "retry",
  corrupt: "give-up",
  expired: "give-up",
  unreachable: "retry",
};

/** What is not one of ours is a defect of Freshet or of a library: it may be a mishap, so it is tried this often. */
const DEFECT_TRIES = 5;
/** However long a server asks us to stay away. */
const LONGEST_DELAY_MS = 3_600_000;

/**
 * A FreshetError as Temporal carries it: its kind is the failure's type, its sentence the message, its facts the details. An
 * error that is not one of ours is tried again a few times, then it is for people too.
 * @param attempt the activity's attempt, from 1.
 */
export function toFailure(error: unknown, attempt: number): unknown {
  if (!isFreshetError(error)) return isTemporals(error) || attempt < DEFECT_TRIES ? error : defect(error);
  const meaning = MEANING[error.kind];
  return ApplicationFailure.create({
    type: error.kind,
    message: error.message,
    nonRetryable: meaning === "give-up",
    details: [factsOf(error)],
    ...(meaning === "wait" ? { category: ApplicationFailureCategory.BENIGN } : {}),
    ...(error.facts.retryAfterMs === undefined ? {} : { nextRetryDelay: Math.min(error.facts.retryAfterMs, LONGEST_DELAY_MS) }),
  });
}

/** An error that is tried again for a time, when that time is over. */
export function finalFailure(error: FreshetError): ApplicationFailure {
  return ApplicationFailure.create({ type: error.kind, message: error.message, nonRetryable: true, details: [factsOf(error)] });
}

function isTemporals(error: unknown): boolean {
  return error instanceof TemporalFailure || (error instanceof Error && error.name === "AbortError");
}

function defect(error: unknown): ApplicationFailure {
  const message = error instanceof Error ? `unexpected ${error.name}: ${error.message}` : String(error);
  return ApplicationFailure.create({
    type: "defect",
    message,
    nonRetryable: true,
    ...(error instanceof Error ? { cause: error } : {}),
  });
}

function factsOf({ summary, facts }: FreshetError): Record<string, unknown> {
  const { cause: _, ...told } = facts;
  return { summary, ...told };
}
