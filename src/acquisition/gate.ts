import type { GranuleReference } from "../contract/index.ts";
import { type Dataset, validPrecisionMs, validTimeOf } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import type { Ledger } from "../ledger/index.ts";
import {
  compareSchemas,
  describeDrifts,
  misfit,
  placementRules,
  requirePublishable,
  schemaOf,
  shapeGranule,
  shapeTemplate,
} from "../products/index.ts";
import type { Scan, ScanAddress, ScanStore } from "../scan/index.ts";

/** What the gate found out about a granule that passed. */
export interface Passed {
  /** Instant of the first step, milliseconds since 1970. */
  readonly validMs: number;
  readonly steps: number;
}

/**
 * Holds a scan against every product of the dataset. The first granule of a product becomes its template; of several at
 * once one does, and the others are held against it.
 * @throws FreshetError `drift` with every disagreement as found and expected; `unsupported` for what a product cannot hold.
 */
export async function passGate(
  granule: GranuleReference,
  dataset: Dataset,
  identity: string,
  scanned: { readonly scan: Scan; readonly address: ScanAddress },
  parts: { readonly ledger: Ledger; readonly scans: ScanStore },
): Promise<Passed> {
  // All of it is asked before the first template is made: a granule that is refused is nobody's measure.
  const shapes = dataset.products.map((product) => {
    const axis = { name: product.axis, dimension: product.dimension };
    const shape = shapeGranule(scanned.scan.root, axis, validTimeOf(granule.fields), validPrecisionMs(dataset.match));
    const reason = misfit({ validMs: shape.validMs[0] as number }, placementRules(dataset, product, shape.validMs.length));
    if (reason !== undefined) throw new FreshetError("drift", `the granule has no place in ${product.name}`, { found: reason });
    requirePublishable(shape);
    return { product, axis, shape };
  });
  let passed: Passed | undefined;
  for (const { product, axis, shape } of shapes) {
    const candidate = { key: granule.key, identity, scan: scanned.address };
    const template = await parts.ledger.establishTemplate(dataset.name, product.name, candidate);
    if (template.scan.sha256 !== scanned.address.sha256) {
      const { root } = await parts.scans.get(template.scan);
      const expected = schemaOf(shapeTemplate(root, axis));
      const drifts = compareSchemas(expected, schemaOf(shape));
      if (drifts.length > 0) {
        throw new FreshetError("drift", "the granule does not fit the dataset", {
          found: describeDrifts(drifts),
          remedy: `The dataset's form is that of ${template.key}`,
        });
      }
    }
    passed = { validMs: shape.validMs[0] as number, steps: shape.validMs.length };
  }
  if (passed === undefined) throw new FreshetError("dataset-file", "the dataset has no product");
  return passed;
}
