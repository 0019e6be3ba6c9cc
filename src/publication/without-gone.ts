import { isExpired, type Ledger } from "../ledger/index.ts";
import type { LayoutRow, StoredState } from "../products/index.ts";

/** An earlier state of a product without the granules that are known to be readable no more; `left`: what is to be said of them. */
export async function withoutGone(
  ledger: Ledger,
  dataset: string,
  earlier: StoredState,
): Promise<{ readonly shown: StoredState; readonly left: readonly string[] }> {
  const isGone = await goneFrom(ledger, dataset);
  let count = 0;
  const epochs: StoredState["epochs"][number][] = [];
  for (const { header, layout } of earlier.epochs) {
    const gaps = new Map<number, null>();
    for (const [slot, row] of layout.rows()) if (await isGone(row)) gaps.set(slot, null);
    count += gaps.size;
    epochs.push({ header, layout: gaps.size === 0 ? layout : layout.with(gaps, layout.slots) });
  }
  const left = count === 0 ? [] : [`${count} granules of that version are left out: they have expired, or their source is gone`];
  return { shown: { ...earlier, epochs }, left };
}

/** Whether a revision has expired, or its source is known to be gone. */
export async function goneFrom(
  ledger: Ledger,
  dataset: string,
): Promise<(row: Pick<LayoutRow, "key" | "identity">) => Promise<boolean>> {
  const idOf = ({ key, identity }: Pick<LayoutRow, "key" | "identity">): string => `${key}\n${identity}`;
  const missing = new Set((await ledger.missingSources(dataset)).filter(({ state }) => state === "gone").map(idOf));
  return async (row) => {
    if (missing.has(idOf(row))) return true;
    const revision = await ledger.revision({ dataset, key: row.key, identity: row.identity });
    return revision !== undefined && isExpired(revision);
  };
}
