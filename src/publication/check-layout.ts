import type { Revision } from "../ledger/index.ts";
import { granulesIn, isOfOne, type LayoutRow, type StoredState } from "../products/index.ts";
import type { CheckContext, Checked, Disagreement } from "./check.ts";
import { readState } from "./product-store.ts";
import { goneFrom } from "./without-gone.ts";

/** Revisions to a page of the ledger. */
const PAGE = 2_000;
const REBUILD = "Write what the ledger says: freshet rebuild DATASET";

interface EpochRow extends LayoutRow {
  readonly epoch: number;
}

/** The stored layout against what the ledger says is published; while an operator holds the product, against the version shown. */
export async function checkLayout(context: CheckContext): Promise<Checked> {
  return context.stored.header.hold === undefined ? againstLedger(context) : againstShown(context);
}

async function againstLedger({ dataset, product, stored, ledger, tick }: CheckContext): Promise<Checked> {
  const left = rowsOf(stored);
  const of = left.size;
  const disagreements: Disagreement[] = [];
  let waiting = 0;
  // A cursor beyond the ledger's end counts the events of another ledger: then the next turn looks at everything.
  const cursor = (await ledger.lastSeq(dataset.name)) < stored.header.cursor ? 0 : stored.header.cursor;
  const isWaiting = ({ state, changedSeq }: Revision): boolean => state === "ready" || changedSeq > cursor;
  let afterKey: string | undefined;
  for (;;) {
    const page = await ledger.standing(dataset.name, { limit: PAGE, afterKey });
    for (const revision of page) {
      const row = left.get(revision.key);
      if (row?.identity === revision.identity) {
        left.delete(revision.key);
        if (isOfOne(product) || row.epoch === (revision.epoch ?? 1)) continue;
        const [found, expected] = [`epoch ${row.epoch}`, `epoch ${revision.epoch ?? 1}`];
        disagreements.push({ subject: "layout", where: row.key, found, expected, remedy: REBUILD });
      } else if (isWaiting(revision)) waiting++;
      else {
        const found = row === undefined ? "not in the product" : row.identity;
        disagreements.push({ subject: "layout", where: revision.key, found, expected: revision.identity, remedy: REBUILD });
      }
    }
    afterKey = page.at(-1)?.key;
    if (afterKey === undefined) break;
    tick(`layout: ${of - left.size} of ${of} granules`);
  }
  for (const { key, identity } of left.values()) {
    const revision = await ledger.revision({ dataset: dataset.name, key, identity });
    if (revision !== undefined && revision.state !== "published" && isWaiting(revision)) waiting++;
    else disagreements.push(strangeRow(key, identity, revision));
  }
  const note = waiting === 0 ? "" : `${waiting} more wait for the next publication`;
  return { compared: { subject: "layout", count: of, of, note }, disagreements };
}

function strangeRow(key: string, identity: string, revision: Revision | undefined): Disagreement {
  const told = { subject: "layout", where: key, found: `${identity} is shown` } as const;
  if (revision === undefined)
    return {
      ...told,
      expected: "a revision that the ledger has heard of",
      remedy: "Rebuild its record: freshet ledger rebuild DATASET",
    };
  const reason = revision.reason === "" ? "" : ` (${revision.reason})`;
  return { ...told, expected: `not there: the ledger says ${revision.state}${reason}`, remedy: REBUILD };
}

async function againstShown({ dataset, product, state, stored, ledger }: CheckContext): Promise<Checked> {
  const of = granulesIn(stored.epochs);
  const shown = stored.header.hold?.sequence;
  const known = await ledger.publications(dataset.name, product.name, 100_000);
  const target = known.find(({ sequence }) => sequence === shown);
  const nothing = (note: string): Checked => ({ compared: { subject: "layout", count: 0, of, note }, disagreements: [] });
  if (target === undefined) return nothing(`not compared: the ledger does not know #${shown}, which is shown again`);
  if ((await state.store.version(target.snapshot))?.expired !== false)
    return nothing(`not compared: #${shown}, which is shown again, has expired`);
  const wanted = rowsOf(await readState(state.store, target.snapshot));
  const disagreements: Disagreement[] = [];
  const add = (where: string, found: string, expected: string): void => {
    const remedy = "End the hold (freshet release DATASET), and hold it again if need be";
    disagreements.push({ subject: "layout", where, found, expected: `${expected}, as in #${shown}`, remedy });
  };
  for (const { key, identity } of rowsOf(stored).values()) {
    const row = wanted.get(key);
    if (row?.identity !== identity) add(key, identity, row?.identity ?? "not there");
    wanted.delete(key);
  }
  const isGone = await goneFrom(ledger, dataset.name);
  for (const row of wanted.values()) if (!(await isGone(row))) add(row.key, "not there", row.identity);
  return { compared: { subject: "layout", count: of, of, note: `held: compared with #${shown}` }, disagreements };
}

function rowsOf(state: StoredState | undefined): Map<string, EpochRow> {
  const rows = new Map<string, EpochRow>();
  for (const { header, layout } of state?.epochs ?? []) {
    for (const [, row] of layout.rows()) rows.set(row.key, { ...row, epoch: header.epoch });
  }
  return rows;
}
