/** What is done about a granule that differs from the product's form. */
export type DriftAction = "quarantine" | "epoch" | "native" | "refuse";

/** In what a granule may differ; docs/drift.md says which facts each is about. */
export const DRIFT_KINDS = [
  "chunks",
  "codecs",
  "variables",
  "fill",
  "types",
  "units",
  "packing",
  "meaning",
  "grid",
  "steps",
  "attributes",
  "place",
] as const;

export type DriftKind = (typeof DRIFT_KINDS)[number];

/** Kinds that a copy in the product's own form can mend. */
export const MENDED_BY_COPY: readonly DriftKind[] = ["chunks", "codecs", "variables", "fill"];

/** One action for all kinds, or one for each kind that is named, and `default` for the others (`quarantine` where it is not said). */
export type DriftPolicy = DriftAction | { readonly [kind in DriftKind | "default"]?: DriftAction | undefined };

/**
 * The action for a kind. What is said of all kinds together is not done to one that it cannot help: a copy cannot mend other units, and what has no place
 * on the axis has none in a new epoch either. Those go into quarantine.
 */
export function driftAction(policy: DriftPolicy, kind: DriftKind): DriftAction {
  const said = typeof policy === "string" ? undefined : policy[kind];
  if (said !== undefined) return said;
  const general = typeof policy === "string" ? policy : (policy.default ?? "quarantine");
  if (general === "native" && !MENDED_BY_COPY.includes(kind)) return "quarantine";
  if (general === "epoch" && kind === "place") return "quarantine";
  return general;
}
