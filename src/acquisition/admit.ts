import type { DriftDone, GranuleReference } from "../contract/index.ts";
import type { Dataset } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import type { Ledger } from "../ledger/index.ts";
import type { ScanStore } from "../scan/index.ts";
import { reached } from "../steps/index.ts";
import { copyGranule } from "./copy-granule.ts";
import { type Passed, passGate } from "./gate.ts";
import { type ScannedRevision, scanRevision } from "./scan-revision.ts";

/** A revision that can be published, or that the dataset file refuses. */
export type Admission =
  | ({ readonly kind: "passed"; readonly passed: Passed; readonly drift?: DriftDone | undefined } & ScannedRevision)
  | { readonly kind: "refused"; readonly reason: string };

/** How often the product may get another form while a copy is made. */
const TRIES = 3;

/**
 * Scans a revision and holds it against its dataset; where the policy wants a copy, makes it.
 * @param uri where its bytes are: the source, or our mirror's copy.
 * @param options.accept as for `passGate`.
 * @throws FreshetError as `scanRevision`, `passGate` and `copyGranule`.
 */
export async function admitRevision(
  granule: GranuleReference,
  dataset: Dataset,
  { identity, uri }: { readonly identity: string; readonly uri: string },
  parts: {
    readonly ledger: Ledger;
    readonly scans: ScanStore;
    readonly signal: AbortSignal;
    readonly tell: (what: string) => void;
  },
  options: { readonly accept?: boolean } = {},
): Promise<Admission> {
  const revision = await parts.ledger.revision({ dataset: dataset.name, key: granule.key, identity });
  const original = await scanRevision(revision, uri, dataset, parts);
  let scanned = original;
  for (let attempt = 0; attempt <= TRIES; attempt++) {
    const answer = await passGate(granule, dataset, identity, scanned, parts, options);
    reached("scan: gate passed");
    if (answer.kind === "refused") return answer;
    if (answer.kind === "passed") {
      const { copy } = scanned.scan;
      const began = answer.began === undefined ? undefined : { action: "epoch" as const, because: answer.began };
      const drift = copy === undefined ? began : { action: "native" as const, ...copy };
      return { kind: "passed", passed: answer.passed, drift, ...scanned };
    }
    scanned = await copyGranule(original.scan, answer.plan, answer.because, dataset, parts);
  }
  throw new FreshetError("drift", "the granule's copy does not fit the product", {
    found: `${TRIES} copies`,
    remedy: "Try it again: the product's form has changed meanwhile",
  });
}
