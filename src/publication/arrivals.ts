import type { CollectionProduct, ForecastProduct, Product } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import type { Ledger, Revision, RevisionState } from "../ledger/index.ts";
import {
  type Arrival,
  collectionFacts,
  ForecastCells,
  type ReadyArrival,
  type StoredState,
  standingRow,
} from "../products/index.ts";
import { type KeptBack, withoutKept } from "./kept-back.ts";

/** Revisions to a publication at most; what is left over comes with the next one. */
const MOST_ARRIVALS = 2_000;
const NEWS: readonly RevisionState[] = ["ready", "published", "withdrawn"];

/** An arrival with the epoch whose form it has. */
export interface EpochArrival {
  readonly arrival: Arrival;
  /** From 1; what is withdrawn has none. */
  readonly epoch: number | undefined;
}

/**
 * What the product has not taken up yet, in the order in which it became ready (so that it makes no difference which of it goes
 * into which publication): revisions that are ready, were taken back, or were published by another product first. Of the
 * ledger's events after `afterSeq` (exclusive) up to `upToSeq` (inclusive). `isCut`: there may be more of them.
 * @param kept those that wait for others; none where it is undefined.
 */
export async function readArrivals(
  ledger: Ledger,
  dataset: string,
  stored: StoredState | undefined,
  { afterSeq, upToSeq }: { readonly afterSeq: number; readonly upToSeq: number },
  kept?: KeptBack,
): Promise<{ readonly arrivals: Revision[]; readonly lastSeq: number; readonly isCut: boolean }> {
  let lastSeq = afterSeq;
  for (let after = afterSeq; ; ) {
    const changed = await ledger.changedAfter(dataset, after, NEWS, MOST_ARRIVALS);
    const reached = changed.filter(({ changedSeq, state }) => changedSeq <= upToSeq || state === "published");
    // What this product has published itself is no news to it.
    const news = reached.filter(
      ({ key, identity, state }) => state !== "published" || standingRow(stored, key)?.identity !== identity,
    );
    const arrivals = await withoutKept(news, kept);
    lastSeq = reached.reduce((last, { changedSeq }) => Math.max(last, changedSeq), lastSeq);
    // A publication leaves as many rows behind it as it had granules: news may begin after a page without any.
    const isCut = changed.length >= MOST_ARRIVALS;
    if (arrivals.length > 0 || !isCut) return { arrivals, lastSeq: Math.min(lastSeq, upToSeq), isCut };
    after = changed.at(-1)?.changedSeq ?? after;
  }
}

/**
 * Everything that the ledger wants in products, whenever it came: published revisions by their time, then ready ones in the order
 * in which they became so.
 */
export async function readStanding(ledger: Ledger, dataset: string, tick: () => void): Promise<Revision[]> {
  const published: Revision[] = [];
  const ready: Revision[] = [];
  let afterKey: string | undefined;
  for (;;) {
    const page = await ledger.standing(dataset, { limit: MOST_ARRIVALS, ...(afterKey === undefined ? {} : { afterKey }) });
    for (const revision of page) (revision.state === "published" ? published : ready).push(revision);
    const last = page.at(-1);
    if (last === undefined) break;
    afterKey = last.key;
    tick();
  }
  return [...published.sort((a, b) => a.changedSeq - b.changedSeq), ...ready.sort((a, b) => a.changedSeq - b.changedSeq)];
}

/** What a revision is to a product. @throws FreshetError `corrupt` for a ready revision without a time or a scan. */
export function arrivalOf(revision: Revision, product: Product): EpochArrival {
  const { key, identity, state, fields, scan, epoch } = revision;
  if (state === "withdrawn") return { arrival: { state, key, identity }, epoch: undefined };
  const validMs = fields?.valid;
  if (typeof validMs !== "number" || scan === undefined) {
    throw new FreshetError("corrupt", "the ledger says that a revision is ready, but not when it is valid or where its scan is", {
      found: `${key} ${identity}`,
    });
  }
  const row = { state: "ready", key, identity, validMs, scan } as const;
  if (product.kind === "collection") {
    // Where one granule is the whole product, it brings its own form.
    return { arrival: { ...row, ...orderIn(product, revision) }, epoch: product.along === "none" ? 1 : (epoch ?? 1) };
  }
  return { arrival: product.kind === "forecast" ? { ...row, ...placeIn(product, fields, validMs) } : row, epoch: epoch ?? 1 };
}

/** What gives a collection's granule its place. */
function orderIn(product: CollectionProduct, { fields = {}, uri }: Revision): Pick<ReadyArrival, "lastMs" | "fields" | "misfit"> {
  const facts = collectionFacts(product, fields, uri);
  return typeof facts === "string" ? { misfit: facts } : facts;
}

/** The cell of a forecast's granule by its run and its first valid time. */
function placeIn(
  { runs }: ForecastProduct,
  { run, kind }: NonNullable<Revision["fields"]> = {},
  validMs: number,
): Pick<ReadyArrival, "place" | "misfit"> {
  if (typeof run !== "number") return { misfit: "neither its name nor the file says its run" };
  const place = ForecastCells.of(runs).placeOf({ runMs: run, kind }, [validMs]);
  return typeof place === "number" ? { place } : { misfit: place };
}
