import type { Dataset, TimeseriesProduct } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import type { Ledger, Revision } from "../ledger/index.ts";
import type { Arrival } from "../products/index.ts";

/** Revisions to a publication at most; what is left over comes with the next one. */
const MOST_ARRIVALS = 2_000;

/**
 * What the product has not taken up yet, in the order in which it became ready (so that it makes no difference which of it
 * goes into which publication): revisions that no publication of it has, and those withdrawn after `afterSeq`. Of the ledger's
 * events up to `upToSeq` (inclusive); what another product's publication has moved on meanwhile is still there.
 */
export async function readArrivals(
  ledger: Ledger,
  dataset: Dataset,
  product: TimeseriesProduct,
  { afterSeq, upToSeq }: { readonly afterSeq: number; readonly upToSeq: number },
): Promise<Revision[]> {
  const waiting = await ledger.unpublished(dataset.name, product.name, MOST_ARRIVALS);
  const withdrawn = (await ledger.readyAfter(dataset.name, afterSeq, MOST_ARRIVALS)).filter(({ state }) => state === "withdrawn");
  return [...waiting, ...withdrawn]
    .filter(({ changedSeq, state }) => changedSeq <= upToSeq || state === "published")
    .sort((a, b) => a.changedSeq - b.changedSeq)
    .slice(0, MOST_ARRIVALS);
}

/** @throws FreshetError `corrupt` for a ready revision without a time or a scan. */
export function arrivalOf({ key, identity, state, fields, scan }: Revision): Arrival {
  if (state === "withdrawn") return { state, key, identity };
  const validMs = fields?.valid;
  if (typeof validMs !== "number" || scan === undefined) {
    throw new FreshetError("corrupt", "the ledger says that a revision is ready, but not when it is valid or where its scan is", {
      found: `${key} ${identity}`,
    });
  }
  return { state: "ready", key, identity, validMs, scan };
}
