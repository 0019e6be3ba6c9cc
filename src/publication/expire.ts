import type { Dataset, Product } from "../dataset/index.ts";
import { isFreshetError } from "../errors/index.ts";
import { EXPIRED, type Ledger, type Revision } from "../ledger/index.ts";
import { calendarOf, firstKept, rowPlace } from "../products/index.ts";
import { arrivalOf, readStanding } from "./arrivals.ts";
import type { ProductState } from "./product-store.ts";
import type { Tick } from "./turn.ts";

/**
 * Lets go what the dataset file keeps no longer: published revisions are withdrawn, ready ones skipped, each with the reason, so that the
 * next publication takes them out of every product. What one product of the dataset keeps stays in all. May run twice.
 * @returns the revisions that have expired, or would.
 */
export async function expireGranules(
  { ledger, now }: { readonly ledger: Ledger; readonly now: () => number },
  dataset: Dataset,
  tick: Tick,
  isDryRun: boolean,
): Promise<readonly Revision[]> {
  if (dataset.products.some(({ keep }) => keep === undefined)) return [];
  const standing = await readStanding(ledger, dataset.name, () => tick("reading the ledger"));
  const nowMs = now();
  const reasons = dataset.products.map((product) => reasonsOf(product, standing, nowMs));
  const expired: Revision[] = [];
  for (const [index, revision] of standing.entries()) {
    const [reason] = reasons.map((each) => each[index]);
    if (reason === undefined || reasons.some((each) => each[index] === undefined)) continue;
    expired.push(revision);
    if (isDryRun) continue;
    const { key, identity, state } = revision;
    const event = { dataset: dataset.name, key, identity, reason } as const;
    await ledger.record({ ...event, state: state === "published" ? "withdrawn" : "skipped" }).catch((error: unknown) => {
      // Something else was decided of it meanwhile.
      if (!isFreshetError(error, "conflict")) throw error;
    });
    tick(`expiring: ${expired.length} granules`);
  }
  return expired;
}

/** Of each revision why the product keeps it no longer, or undefined. */
function reasonsOf(product: Product, revisions: readonly Revision[], nowMs: number): (string | undefined)[] {
  const places = revisions.map((revision) => placeOf(revision, product));
  const known = places.filter((place) => place !== undefined);
  const front = firstKept(product, known, nowMs);
  return places.map((place) => (place === undefined ? undefined : whyExpired(product, place, front)));
}

/** Why a place is not kept; undefined where it is. */
export function whyExpired(product: Product, place: number, front: number | undefined): string | undefined {
  if (front === undefined || place >= front) return undefined;
  const calendar = calendarOf(product);
  return `${EXPIRED}${calendar.describe(place)}, before what ${product.name} keeps, which begins with ${calendar.describe(front)}`;
}

function placeOf(revision: Revision, product: Product): number | undefined {
  const { arrival } = arrivalOf(revision, product);
  return arrival.state === "ready" && arrival.misfit === undefined ? rowPlace(arrival) : undefined;
}

/** The places of what stands in a product. */
export function* standingPlaces(stored: ProductState["stored"]): Generator<number> {
  for (const { layout } of stored?.epochs ?? []) for (const [, row] of layout.rows()) yield rowPlace(row);
}

/** Whether there are more slots before what stands than from there on: writing it anew costs less than what it cuts off. */
export function isFrontLong(stored: ProductState["stored"]): boolean {
  let [before, from] = [0, 0];
  for (const { layout } of stored?.epochs ?? []) {
    const [first] = layout.rows().take(1);
    if (first === undefined) continue;
    before += first[0];
    from += layout.slots - first[0];
  }
  return before > from;
}
