import { type Dataset, datesOf, type Product, writtenInstant } from "../../dataset/index.ts";
import { FreshetError } from "../../errors/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import { calendarOf, epochGroup, gapsOf, granulesIn, type LayoutRow } from "../../products/index.ts";
import { lookAtProduct, readState, StaleSources } from "../../publication/index.ts";
import { paint } from "../paint.ts";
import { instant } from "../status/report.ts";
import { count, table } from "../table.ts";
import { openingLines } from "./opening-lines.ts";

/** A granule that stands in a version. */
interface Standing extends LayoutRow {
  readonly epoch: number;
  /** Why its bytes are not where references point any more; "" where nothing is known. */
  readonly stale: string;
}

interface Options {
  /** Granules that are shown, the newest by valid time. */
  readonly limit: number;
  readonly json: boolean;
}

/**
 * Prints one version: its header, its granules by valid time, its gaps, how to open it.
 * @throws FreshetError `expired` when upkeep has let it go, `usage` when there is none.
 */
export async function showVersion(
  ledger: Ledger,
  dataset: Dataset,
  product: Product,
  id: string,
  { limit, json }: Options,
): Promise<void> {
  const state = await lookAtProduct(dataset, product);
  const stored = state && (await readState(state.store, id));
  const commit = await state?.store.version(id);
  if (state === undefined || stored === undefined) {
    throw new FreshetError("usage", "the store has no such version", { found: id, uri: product.store });
  }
  const stale = await StaleSources.of(ledger, dataset);
  const rows = stored.epochs.flatMap(({ header: { epoch }, layout }) =>
    [...layout.rows()].map(([, row]): Standing => ({ ...row, epoch, stale: stale.why(row) ?? "" })),
  );
  rows.sort((a, b) => b.validMs - a.validMs);
  const gaps = gapsOf(product, stored.epochs);
  const { header } = stored;
  if (json) {
    console.log(
      JSON.stringify({
        dataset: dataset.name,
        version: id,
        header,
        granules: rows,
        gaps: gaps.map((place) => calendarOf(product).describe(place).replace("valid ", "")),
      }),
    );
    return;
  }
  const { sequence, kind, parent, hold } = header;
  const written = commit === undefined ? "" : `, written ${instant(commit.writtenMs)}`;
  console.log(`${paint("strong", `${dataset.name}/${product.name} #${sequence}`)}: version ${id}, a ${kind}${written}`);
  if (id === state.head) console.log("  this is what readers see now");
  if (hold !== undefined)
    console.log(`  shows #${hold.sequence} again, held since ${instant(hold.sinceMs)} (${hold.by}: ${hold.reason})`);
  console.log(`  made from ${parent} by the dataset file ${header.dataset.hash.slice(0, 12)}`);
  for (const { header: epoch, layout } of stored.epochs) {
    const group = epochGroup(epoch.epoch);
    const place = placeOf(product, group);
    console.log(`  epoch ${epoch.epoch}, in ${place}: ${count(layout.granules, "granule")} in ${count(epoch.slots, "slot")}`);
  }
  const staleCount = rows.filter((row) => row.stale !== "").length;
  if (staleCount > 0) console.log(`  ${paint("bad", `${count(staleCount, "granule")} cannot be read: see stale`)}`);
  console.log("");
  const shown = rows.slice(0, limit).reverse();
  const cells = shown.map((row) => [
    writtenInstant(datesOf(product), row.validMs),
    row.key,
    row.identity,
    `${row.epoch}`,
    row.stale && paint("bad", row.stale),
  ]);
  for (const line of table(COLUMNS, cells)) console.log(line);
  if (rows.length > shown.length) console.log(`  and ${rows.length - shown.length} earlier ones: --all`);
  if (gaps.length > 0)
    console.log(
      `\n  ${count(gaps.length, "gap")} in ${product.kind === "forecast" ? "its runs" : "the calendar"}: ${ranges(product, gaps)}`,
    );
  for (const line of await openingLines(dataset, product, id)) console.log(line);
  if (granulesIn(stored.epochs) === 0) console.log("  It holds no granule.");
}

const COLUMNS = [
  { title: "valid" },
  { title: "granule" },
  { title: "revision", cut: true },
  { title: "epoch", align: "right" },
  { title: "stale", cut: true },
] as const;

/** Where an epoch's arrays are. */
function placeOf({ kind }: Product, group: string): string {
  if (kind === "forecast") return group === "" ? "the groups of its views" : `the groups of its views in ${group.slice(1)}`;
  return group === "" ? "the root group" : `the group ${group.slice(1)}`;
}

const MOST_RANGES = 10;

/** Gaps one after the other as one range. */
function ranges(product: Product, gaps: readonly number[]): string {
  const calendar = calendarOf(product);
  const runs: [first: number, last: number][] = [];
  for (const ms of gaps) {
    const run = runs.at(-1);
    if (run !== undefined && calendar.positionOf(ms, run[1]) === 1) run[1] = ms;
    else runs.push([ms, ms]);
  }
  const shown = runs
    .slice(0, MOST_RANGES)
    .map(([first, last]) =>
      [...new Set([first, last])].map((place) => calendar.describe(place).replace("valid ", "")).join(" to "),
    );
  return `${shown.join(", ")}${runs.length > MOST_RANGES ? `, and ${runs.length - MOST_RANGES} more ranges` : ""}`;
}
