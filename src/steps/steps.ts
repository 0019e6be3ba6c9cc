/**
 * The places at which a worker that dies leaves something half done, by name. Tests end the process at each of them in turn, and
 * fail when one is not reached, so a new place that matters gets a name here.
 */
export const STEPS = [
  "announce: held",
  "download: revision heard",
  "download: part copied",
  "download: copy in place",
  "scan: artefact kept",
  "scan: gate passed",
  "record: before the ledger",
  "record: half told",
  "record: before the wake",
  "publish: before flush",
  "publish: part flushed",
  "publish: after flush",
  "publish: verified",
  "publish: swapped",
  "publish: before the ledger",
  "publish: ledger half told",
  "publish: ledger told",
  "form: written",
  "form: document written",
  "form: pointer moved",
  "form: before removing",
  "change: products prepared",
  "change: products switched",
  "operate: before the answer",
  "upkeep: before removing",
  "upkeep: object removed",
  "upkeep: before the record",
] as const;
export type Step = (typeof STEPS)[number];

type Listener = (step: Step) => void;
let listener: Listener | undefined;

/** Says that a step has been reached. Costs nothing while nobody listens. */
export function reached(step: Step): void {
  listener?.(step);
}

/** Lets `next` hear of every step from now on; what it throws is thrown there. Answers how to stop. One listener to a process. */
export function onStep(next: Listener): () => void {
  listener = next;
  return () => {
    listener = undefined;
  };
}
