import { copyGranule, placeOf, type ScannedRevision, scanRevision } from "../acquisition/index.ts";
import type { Rebuild } from "../contract/index.ts";
import { datesOf, fromReal, type Product } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import {
  compareSchemas,
  describeDrifts,
  type LayoutRow,
  planCopy,
  schemaOf,
  shapeFor,
  templateFor,
  withoutDropped,
} from "../products/index.ts";
import type { ScanAddress, ScanStore } from "../scan/index.ts";
import type { Request } from "./operation-request.ts";
import type { Turn } from "./turn.ts";
import type { TurnMaker, TurnParts } from "./turn-maker.ts";

/**
 * The turn that writes the granules of a range of valid times again, each from a scan that is made anew of its source.
 * @throws FreshetError `source-changed` when a source is not the published revision any more: announce it instead.
 */
export async function rangeAnew(
  maker: TurnMaker,
  { ledger, scans }: TurnParts,
  request: Request,
  product: Product,
  asked: Rebuild,
): Promise<{ readonly turn: Turn | undefined; readonly notes: readonly string[] }> {
  const { dataset, tick, signal } = request;
  const dates = datesOf(product);
  const from = fromReal(dates, instantOf(asked.from, Number.NEGATIVE_INFINITY)) ?? Number.NEGATIVE_INFINITY;
  const to = fromReal(dates, instantOf(asked.to, Number.POSITIVE_INFINITY)) ?? Number.POSITIVE_INFINITY;
  const state = await maker.stateOf(dataset, product);
  const hold = state.stored?.header.hold;
  if (hold !== undefined) {
    throw new FreshetError("held", "the product is held at an earlier version", {
      found: `#${hold.sequence}`,
      remedy: "Release it first (freshet release DATASET)",
    });
  }
  const rows: { epoch: number; slot: number; row: LayoutRow }[] = [];
  for (const { header, layout } of state.stored?.epochs ?? []) {
    for (const [slot, row] of layout.rows()) {
      if (row.validMs >= from && row.validMs <= to) rows.push({ epoch: header.epoch, slot, row });
    }
  }
  rows.sort((a, b) => a.row.validMs - b.row.validMs);
  const chosen = rows.slice(0, asked.limit ?? rows.length);
  if (chosen.length === 0) return { turn: undefined, notes: ["no granule of the product is valid in this range"] };
  const fresh = new Map<number, Map<number, LayoutRow>>();
  for (const [index, { epoch, slot, row }] of chosen.entries()) {
    tick(`scanning ${index + 1} of ${chosen.length}: ${row.key}`);
    const revision = await ledger.revision({ dataset: dataset.name, key: row.key, identity: row.identity });
    const place = revision && placeOf(revision, dataset);
    if (revision === undefined || place === undefined) {
      throw new FreshetError("corrupt", "the ledger does not know where a published granule came from", { found: row.key });
    }
    const scanned = await scanRevision(revision, place, dataset, { scans, signal, tell: tick });
    const template = state.stored?.epochs.find(({ header }) => header.epoch === epoch)?.header.template;
    const address = await inForm(scanned, template as ScanAddress, row, request, product, scans);
    const slots = fresh.get(epoch) ?? new Map<number, LayoutRow>();
    fresh.set(epoch, slots.set(slot, { ...row, scan: address }));
  }
  const left = rows.length - chosen.length;
  const notes = left === 0 ? [] : [`${left} more granules of the range were left as they are (--limit)`];
  return { turn: await maker.overwrite(dataset, product, fresh), notes };
}

/** The scan, or that of a copy where the granule stands in the product as one. */
async function inForm(
  { scan, address }: ScannedRevision,
  template: ScanAddress,
  row: LayoutRow,
  { dataset, tick, signal }: Request,
  product: Product,
  scans: ScanStore,
): Promise<ScanAddress> {
  const expected = withoutDropped((await scans.get(template)).root, dataset.scan.drop);
  const root = withoutDropped(scan.root, dataset.scan.drop);
  const [form, found] = [templateFor(product, expected), shapeFor(product, root, row)];
  const drifts = compareSchemas(schemaOf(form, expected, dataset.attributes), schemaOf(found, root, dataset.attributes));
  const plan = drifts.length === 0 ? "" : planCopy(form, found, drifts);
  // What no copy mends is told when it is written.
  if (typeof plan === "string") return address;
  return (await copyGranule(scan, plan, describeDrifts(drifts), dataset, { scans, signal, tell: tick })).address;
}

function instantOf(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const ms = Date.parse(text);
  if (Number.isFinite(ms)) return ms;
  throw new FreshetError("usage", "this is not an instant", { found: text, expected: "2017-06-05T12:00:00Z" });
}
