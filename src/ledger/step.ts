import { digestOf } from "./digest.ts";
import type {
  EventDetail,
  HeardRevision,
  HistoryEntry,
  Revision,
  RevisionEvent,
  RevisionFacts,
  RevisionState,
} from "./revision.ts";
import { factsOf } from "./revision.ts";
import { checkTransition } from "./transitions.ts";

/** An event that is about to be recorded, with the repeat mark that it will carry. */
export interface Step {
  readonly state: RevisionState;
  readonly reason: string;
  readonly facts: RevisionFacts;
  readonly detail: EventDetail;
  readonly once: string | undefined;
  readonly publication: { readonly product: string; readonly sequence: number } | undefined;
  readonly digest: string;
}

/** What a step is compared with: an event that the revision already has. */
export interface EarlierStep {
  readonly seq: number;
  readonly state: RevisionState;
  readonly digest: string;
  readonly once: string | null;
}

export function stepOf(event: RevisionEvent | (HeardRevision & { readonly state: "heard"; readonly once?: undefined })): Step {
  return completeStep({
    state: event.state,
    reason: event.reason ?? "",
    facts: factsOf(event),
    detail: event.detail ?? {},
    once: event.once,
    publication: undefined,
  });
}

export function completeStep(step: Omit<Step, "digest">): Step {
  const { state, reason, facts, detail, publication } = step;
  return { ...step, digest: digestOf({ state, reason, facts, detail, publication }) };
}

/**
 * Whether the step has to be appended, or is a repeat of an earlier one (the answer: its number).
 *
 * A repeat is found among the events since the revision was last `heard`, because after that everything may rightly
 * happen again; `heard` itself, and a step that says by `once` who it is, repeats only while nothing has followed it.
 * @param earlier every event of the revision, oldest first
 * @throws FreshetError `conflict` when the step is new and its state may not follow the current one.
 */
export function findRepeat(
  path: string,
  current: RevisionState | undefined,
  earlier: readonly EarlierStep[],
  step: Step,
): number | undefined {
  const marked = step.once === undefined ? undefined : earlier.find((event) => event.once === step.once);
  if (marked !== undefined) return marked.seq;
  const opened = earlier.findLastIndex((event) => event.state === "heard");
  const onlyLast = step.state === "heard" || step.once !== undefined;
  const open = onlyLast ? earlier.slice(-1) : earlier.slice(Math.max(opened, 0));
  const twin = open.findLast((event) => event.digest === step.digest);
  if (twin !== undefined) return twin.seq;
  checkTransition(current, step.state, path);
  return undefined;
}

/** The revision after an event; undefined before its first one. */
export function applyEntry(current: Revision | undefined, entry: HistoryEntry): Revision {
  const { dataset, key, identity, state, reason, seq, atMs } = entry;
  const facts = { ...factsOf(current ?? {}), ...factsOf(entry.facts) };
  const published = entry.publication ?? current?.published;
  return {
    dataset,
    key,
    identity,
    ...facts,
    state,
    reason,
    heardMs: current?.heardMs ?? atMs,
    heardSeq: current?.heardSeq ?? seq,
    changedMs: atMs,
    changedSeq: seq,
    ...(published === undefined ? {} : { published }),
  };
}

/** The revisions that the events lead to, in the order in which they were heard of. Events: oldest first. */
export function foldEntries(entries: readonly HistoryEntry[]): Revision[] {
  const revisions = new Map<string, Revision>();
  for (const entry of entries) {
    const id = JSON.stringify([entry.key, entry.identity]);
    revisions.set(id, applyEntry(revisions.get(id), entry));
  }
  return [...revisions.values()];
}
