import { setTimeout as sleep } from "node:timers/promises";
import type { Dataset, Product } from "../dataset/index.ts";
import { isFreshetError } from "../errors/index.ts";
import type { Ledger, Publication } from "../ledger/index.ts";
import { granulesIn, type StoredState } from "../products/index.ts";
import type { ScanStore } from "../scan/index.ts";
import type { CheckContext, Checked, CheckOptions, Disagreement, ProductCheck } from "./check.ts";
import { checkChunks } from "./check-chunks.ts";
import { checkLayout } from "./check-layout.ts";
import { checkSources } from "./check-sources.ts";
import { lookAtProduct, type ProductState } from "./product-store.ts";

/** A publication that is under way is looked at again, so often. */
const TRIES = 4;
const PAUSE_MS = 500;

/**
 * Compares a product's store, the ledger and the sources, and changes nothing. What is published meanwhile begins the comparison anew.
 * @throws FreshetError `storage`, `unreachable` when one of them cannot be read at all.
 */
export async function checkProduct(
  dataset: Dataset,
  product: Product,
  parts: { readonly ledger: Ledger; readonly scans: ScanStore },
  options: CheckOptions,
): Promise<ProductCheck> {
  for (let left = TRIES - 1; ; left--) {
    const before = await stand(dataset, product, parts.ledger);
    const check = await checkOnce(dataset, product, parts, before, options);
    const after = await stand(dataset, product, parts.ledger);
    const isSettled = before.latest?.snapshot === after.latest?.snapshot && before.state?.head === after.state?.head;
    const isMidway = check.disagreements.some(({ subject }) => subject === "version");
    if (left === 0 || (isSettled && !(isMidway && left === TRIES - 1))) return check;
    await sleep(PAUSE_MS, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
}

interface Stand {
  readonly latest: Publication | undefined;
  readonly state: ProductState | undefined;
  /** Why the store cannot be understood. */
  readonly trouble: string | undefined;
}

async function stand(dataset: Dataset, product: Product, ledger: Ledger): Promise<Stand> {
  const [latest] = await ledger.publications(dataset.name, product.name, 1);
  try {
    return { latest, state: await lookAtProduct(dataset, product, { isForChunks: true }), trouble: undefined };
  } catch (error) {
    if (!isFreshetError(error, "corrupt")) throw error;
    return { latest, state: undefined, trouble: error.message };
  }
}

async function checkOnce(
  dataset: Dataset,
  product: Product,
  { ledger, scans }: { readonly ledger: Ledger; readonly scans: ScanStore },
  { latest, state, trouble }: Stand,
  options: CheckOptions,
): Promise<ProductCheck> {
  const stored = state?.stored;
  const wrong = trouble === undefined ? await versionTrouble(product, state, latest) : unreadable(product, latest, trouble);
  const isThere = stored !== undefined || latest !== undefined || trouble !== undefined;
  const checks: Checked[] = [
    {
      compared: {
        subject: "version",
        count: isThere ? 1 : 0,
        of: isThere ? 1 : 0,
        note: isThere ? "" : "nothing is published",
      },
      disagreements: wrong === undefined ? [] : [wrong],
    },
  ];
  if (state !== undefined && stored !== undefined) {
    const context: CheckContext = { dataset, product, state, stored, ledger, scans, tick: () => undefined, ...options };
    checks.push(wrong === undefined ? await checkLayout(context) : layoutNotCompared(stored));
    checks.push(await checkSources(context));
    checks.push(await checkChunks(context));
  }
  return {
    product: product.name,
    version: stored === undefined ? undefined : state?.head,
    sequence: stored?.header.sequence,
    heldAt: stored?.header.hold?.sequence,
    compared: checks.map(({ compared }) => compared),
    disagreements: once(checks.flatMap(({ disagreements }) => disagreements)),
  };
}

/** Two comparisons may come upon the same. */
function once(disagreements: readonly Disagreement[]): Disagreement[] {
  return [...Map.groupBy(disagreements, ({ subject, where }) => `${subject}\n${where}`).values()].map(
    ([first]) => first as Disagreement,
  );
}

function layoutNotCompared({ epochs }: StoredState): Checked {
  const note = "not compared: readers see another version than the ledger's newest";
  return { compared: { subject: "layout", count: 0, of: granulesIn(epochs), note }, disagreements: [] };
}

function unreadable(product: Product, latest: Publication | undefined, trouble: string): Disagreement {
  return {
    ...{ subject: "version", where: product.store, found: trouble },
    expected: latest === undefined ? "a store of this product, or none" : versionText(latest.sequence, latest.snapshot),
    remedy: "See who writes there; give the product a store of its own, or move that one away",
  };
}

async function versionTrouble(
  product: Product,
  state: ProductState | undefined,
  latest: Publication | undefined,
): Promise<Disagreement | undefined> {
  const header = state?.stored?.header;
  const expected = latest === undefined ? "nothing, says the ledger" : versionText(latest.sequence, latest.snapshot);
  const told = { subject: "version", where: product.store, expected } as const;
  if (state === undefined || header === undefined) {
    if (latest === undefined) return undefined;
    const remedy = "Bring the store back, or write it anew from the ledger: freshet rebuild DATASET";
    return { ...told, found: "an empty store", remedy };
  }
  const { head, store } = state;
  const found = versionText(header.sequence, head);
  if (latest?.snapshot === head) return recordTrouble(state, header, latest, found);
  if (header.sequence === (latest?.sequence ?? 0) + 1 && (latest === undefined || header.parent === latest.snapshot))
    return { ...told, found, remedy: "Its writer died before it told the ledger; the next turn does: freshet publish DATASET" };
  if (latest === undefined) return { ...told, found, remedy: REBUILD_LEDGER };
  if (await store.isAncestor(head, latest.snapshot)) {
    const remedy = "Somebody moved main back. Write the product anew over it: freshet rebuild DATASET";
    return { ...told, found: `${found}, which is older`, remedy };
  }
  if (!(await store.isAncestor(latest.snapshot, head))) {
    const remedy = "Somebody moved main to another line of versions. Write the product anew over it: freshet rebuild DATASET";
    return { ...told, found: `${found}, which was not made from it`, remedy };
  }
  if (header.sequence > latest.sequence) return { ...told, found, remedy: REBUILD_LEDGER };
  const remedy = "Somebody else has written to the store. Write the product anew over it: freshet rebuild DATASET";
  return { ...told, found: `${found}, which was made from it`, remedy };
}

const REBUILD_LEDGER = "Restore the ledger's backup, or rebuild its published part: freshet ledger rebuild DATASET";

/** The same version on both sides, told otherwise. */
function recordTrouble(
  { stored }: ProductState,
  { sequence, layoutHash }: StoredState["header"],
  latest: Publication,
  where: string,
): Disagreement | undefined {
  const granules = granulesIn(stored?.epochs ?? []);
  const shown = (number: number, hash: string, count: number): string =>
    `#${number}, ${count} granules, layout ${hash.slice(0, 12)}`;
  const found = shown(sequence, layoutHash, granules);
  const expected = shown(latest.sequence, latest.layoutHash, latest.granules);
  if (found === expected) return undefined;
  return {
    subject: "version",
    where,
    found,
    expected,
    remedy: "Report this: the ledger's record of a version is not the version",
  };
}

function versionText(sequence: number, version: string): string {
  return `#${sequence}, version ${version}`;
}
