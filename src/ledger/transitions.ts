import { FreshetError } from "../errors/index.ts";
import type { RevisionState } from "./revision.ts";

/**
 * Which states may follow which. A state may also follow itself with other facts, except `published`, which only
 * publications say again.
 *
 * `published` can follow what a layout may contain: `ready`; `superseded` and `withdrawn`, when an earlier layout is
 * published again; `skipped` and `quarantined`, when a decision came while the publication was already on its way.
 * It never goes back to `ready` or `heard`: what readers see is only replaced or taken away.
 */
const NEXT: Readonly<Record<RevisionState, readonly RevisionState[]>> = {
  heard: ["ready", "superseded", "duplicate", "skipped", "quarantined", "withdrawn"],
  ready: ["heard", "published", "superseded", "duplicate", "skipped", "quarantined", "withdrawn"],
  published: ["superseded", "withdrawn"],
  superseded: ["heard", "published", "withdrawn"],
  duplicate: ["heard", "withdrawn"],
  skipped: ["heard", "published", "withdrawn"],
  quarantined: ["heard", "ready", "published", "superseded", "duplicate", "skipped", "withdrawn"],
  withdrawn: ["heard", "published"],
};

/** The states that may follow `from`, itself included; a revision that nobody has heard of (undefined) can only be heard. */
export function statesAfter(from: RevisionState | undefined): readonly RevisionState[] {
  return from === undefined ? ["heard"] : [from, ...NEXT[from]];
}

/**
 * Nothing if `to` may follow `from`.
 * @throws FreshetError `conflict`, naming the revision as `path`, otherwise.
 */
export function checkTransition(from: RevisionState | undefined, to: RevisionState, path: string): void {
  if (statesAfter(from).includes(to)) return;
  throw new FreshetError("conflict", `a revision that is ${from ?? "unknown"} cannot become ${to}`, {
    found: from ?? "no such revision",
    expected: `one of ${(Object.keys(NEXT) as RevisionState[]).filter((state) => statesAfter(state).includes(to)).join(", ")}`,
    path,
    remedy:
      from === undefined
        ? "Announce the granule first (freshet ingest)."
        : "Look at its history (freshet status DATASET GRANULE): something else has decided in the meantime.",
  });
}
