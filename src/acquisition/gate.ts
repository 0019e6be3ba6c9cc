import type { GranuleReference } from "../contract/index.ts";
import type { Dataset } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import type { Ledger } from "../ledger/index.ts";
import {
  compareSchemas,
  describeDrifts,
  misfit,
  placementRules,
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
  let passed: Passed | undefined;
  for (const product of dataset.products) {
    const axis = { name: product.axis, dimension: product.dimension };
    const shape = shapeGranule(scanned.scan.root, axis, validOfName(granule.fields));
    const validMs = shape.validMs[0] as number;
    const steps = shape.validMs.length;
    const reason = misfit({ validMs }, placementRules(dataset, product, steps));
    if (reason !== undefined) throw new FreshetError("drift", `the granule has no place in ${product.name}`, { found: reason });
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
    passed = { validMs, steps };
  }
  if (passed === undefined) throw new FreshetError("dataset-file", "the dataset has no product");
  return passed;
}

/** The valid time that the name gives: a field `valid`, or `run` plus `lead`. Milliseconds since 1970. */
function validOfName(fields: GranuleReference["fields"]): number | undefined {
  const { valid, run, lead } = fields;
  if (typeof valid === "number") return valid;
  return typeof run === "number" && typeof lead === "number" ? run + lead : undefined;
}
