import { FreshetError } from "../errors/index.ts";
import type { Ledger, Revision } from "../ledger/index.ts";

/** The revision of a granule that changed last, and where it came from. @throws FreshetError `usage` for a granule that the ledger has not heard of. */
export async function newestRevision(ledger: Ledger, dataset: string, key: string): Promise<Revision & { readonly uri: string }> {
  const [newest] = (await ledger.revisionsOf(dataset, key)).toSorted((a, b) => b.changedSeq - a.changedSeq);
  if (newest?.uri !== undefined) return { ...newest, uri: newest.uri };
  throw new FreshetError("usage", "the ledger has not heard of this granule", {
    found: key,
    path: dataset,
    remedy: "freshet status DATASET lists the newest; freshet ingest announces one by its place",
  });
}
