import { lookAtSource } from "../acquisition/index.ts";
import type { Dataset } from "../dataset/index.ts";
import { FreshetError, isFreshetError } from "../errors/index.ts";
import type { Ledger, NameFields, Revision } from "../ledger/index.ts";
import type { Turn } from "./turn.ts";

/** Announces again what a source has now in place of what was to be published. */
export type AnnounceAgain = (dataset: string, uri: string, fields: NameFields | undefined) => Promise<void>;

/**
 * What one granule is to blame for must not keep the others back: it goes into quarantine, and the next turn is made without it.
 * Where its source has changed since its scan, what is there now is announced. Of several that changed all are found at once.
 * @returns the error that makes a new plan, or undefined where nobody is to blame, or it stands in the product already.
 */
export async function setAside(
  error: unknown,
  turn: Turn,
  dataset: Dataset,
  parts: { readonly ledger: Ledger; readonly now: () => number; readonly announceAgain?: AnnounceAgain | undefined },
): Promise<FreshetError | undefined> {
  if (!(error instanceof FreshetError) || turn.plan.kind !== "publication") return undefined;
  const { message } = error;
  const ready = turn.arrivals.filter(({ state }) => state === "ready");
  const blamed = ready.find(({ key }) => key === error.facts.granule);
  if (blamed === undefined) return undefined;
  const aside = new Map<Revision, string>();
  if (dataset.source.mirror === undefined && isFreshetError(error, "source-changed", "source-missing", "storage")) {
    for (const revision of ready) {
      const finding = await lookAtSource(revision, dataset.source, AbortSignal.timeout(60_000));
      if (finding.kind !== "changed" && finding.kind !== "gone") continue;
      aside.set(
        revision,
        `its source ${finding.kind === "gone" ? "went away" : "changed"} before it was published: ${finding.found}`,
      );
      const { key, identity } = revision;
      const seen = { state: finding.kind, found: finding.found, atMs: parts.now() };
      await parts.ledger.noteSource({ dataset: dataset.name, key, identity }, seen);
      if (finding.kind === "changed" && revision.uri !== undefined)
        await parts.announceAgain?.(dataset.name, revision.uri, revision.fields);
    }
  } else if (!isFreshetError(error, "storage", "unreachable")) aside.set(blamed, message);
  if (aside.size === 0) return undefined;
  for (const [{ key, identity }, reason] of aside)
    await parts.ledger.record({ dataset: dataset.name, key, identity, state: "quarantined", reason });
  const keys = [...aside.keys()].map(({ key }) => key).join(", ");
  return new FreshetError("conflict", "the plan is void: granules went into quarantine before they were published", {
    found: keys,
  });
}
