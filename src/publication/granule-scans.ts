import type { TimeseriesProduct } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import {
  compareSchemas,
  describeDrifts,
  type GranuleSchema,
  type LayoutDifference,
  type PlacedGranule,
  schemaOf,
  shapeGranule,
  shapeTemplate,
} from "../products/index.ts";
import type { ScanAddress, ScanStore } from "../scan/index.ts";
import type { Tick } from "./turn.ts";

export interface GranuleScans {
  /** The granule whose scan gives the arrays their types and attributes. */
  readonly template: PlacedGranule;
  readonly templateAddress: ScanAddress;
  /** The granules of the changed slots. */
  readonly bySlot: ReadonlyMap<number, PlacedGranule>;
}

/**
 * Reads the scans that a publication needs and holds each against the template once more: the gate did so too, but what is
 * published is this room's word.
 * @throws FreshetError `drift`, `corrupt`.
 */
export async function granuleScans(
  scans: ScanStore,
  templateAddress: ScanAddress,
  difference: LayoutDifference,
  product: TimeseriesProduct,
  tick: Tick,
): Promise<GranuleScans> {
  const axis = { name: product.axis, dimension: product.dimension };
  const bySlot = new Map<number, PlacedGranule>();
  for (const { slot, row } of difference.changes) {
    if (row !== null) {
      const { root, identity: source } = await scans.get(row.scan);
      bySlot.set(slot, { slot, root, source, shape: shapeGranule(root, axis, row.validMs) });
    }
    tick("reading scans");
  }
  const { root, identity: source } = await scans.get(templateAddress);
  const template = { slot: 0, root, source, shape: shapeTemplate(root, axis) };
  const expected = schemaOf(template.shape);
  for (const granule of bySlot.values()) checkFits(expected, granule);
  return { template, templateAddress, bySlot };
}

function checkFits(expected: GranuleSchema, granule: PlacedGranule): void {
  const drifts = compareSchemas(expected, schemaOf(granule.shape));
  if (drifts.length === 0) return;
  throw new FreshetError("drift", "a granule that passed the gate does not fit the product", {
    found: describeDrifts(drifts),
    path: `slot ${granule.slot}`,
    remedy: "Report this: it must not happen",
  });
}
