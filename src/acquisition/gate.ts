import type { GranuleReference } from "../contract/index.ts";
import { type Dataset, type ForecastProduct, type Product, runTimeOf, validPrecisionMs, validTimeOf } from "../dataset/index.ts";
import { FreshetError } from "../errors/index.ts";
import type { Ledger, Template } from "../ledger/index.ts";
import {
  axisOf,
  compareSchemas,
  compareTimes,
  describeDrifts,
  ForecastCells,
  type GranuleShape,
  groupOf,
  misfitOfSteps,
  nameTimeOf,
  placementRules,
  referenceTimeOf,
  requireFreeNames,
  requirePublishable,
  requireSingleSteps,
  schemaOf,
  shapeGranule,
  shapeTemplate,
  withoutDropped,
} from "../products/index.ts";
import type { Scan, ScanAddress, ScanStore } from "../scan/index.ts";
import type { VirtualGroup } from "../virtual/index.ts";

/** What the gate found out about a granule that passed. */
export interface Passed {
  /** Instant of the first step, milliseconds since 1970. */
  readonly validMs: number;
  readonly steps: number;
  /** Forecast reference time, milliseconds since 1970, where a product is a forecast. */
  readonly runMs?: number | undefined;
  /** The epoch whose form it has, from 1. */
  readonly epoch: number;
}

interface Candidate {
  readonly product: Product;
  readonly shape: GranuleShape;
  readonly runMs?: number | undefined;
}

/**
 * Holds a scan against every product of the dataset. The first granule of a product becomes its template; of several at
 * once one does, and the others are held against it. A granule fits if it has the form of any epoch, the newest being asked first.
 * @param options.accept an operator has accepted its form: where it fits no epoch, it begins the next one.
 * @throws FreshetError `drift` with every disagreement as found and expected; `unsupported` for what a product cannot hold.
 */
export async function passGate(
  granule: GranuleReference,
  dataset: Dataset,
  identity: string,
  scanned: { readonly scan: Scan; readonly address: ScanAddress },
  parts: { readonly ledger: Ledger; readonly scans: ScanStore },
  options: { readonly accept?: boolean } = {},
): Promise<Passed> {
  // All of it is asked before the first template is made: a granule that is refused is nobody's measure.
  const root = withoutDropped(scanned.scan.root, dataset.scan.drop);
  const candidates = dataset.products.map((product) => candidateFor(root, granule, dataset, product));
  const [first] = candidates;
  if (first === undefined) throw new FreshetError("dataset-file", "the dataset has no product");
  const runMs = candidates.find((candidate) => candidate.runMs !== undefined)?.runMs;
  const times = { validMs: first.shape.validMs[0] as number, steps: first.shape.validMs.length };
  const passed = { ...times, ...(runMs === undefined ? {} : { runMs }) };
  const template = { key: granule.key, identity, scan: scanned.address };

  for (;;) {
    const known = await parts.ledger.templates(dataset.name);
    const newest = known.reduce((last, { epoch }) => Math.max(last, epoch), 0);
    let drifts: { readonly found: string; readonly key: string } | undefined;
    for (let epoch = newest; epoch >= 1; epoch--) {
      const found = await driftFrom(epoch, known, candidates, dataset, parts.scans);
      drifts ??= found;
      if (found !== undefined) continue;
      // A product that was declared later takes its form of this epoch from the first granule that has it.
      await establish(epoch, known, candidates, dataset, template, parts.ledger);
      return { ...passed, epoch };
    }
    if (drifts !== undefined && options.accept !== true) {
      throw new FreshetError("drift", "the granule does not fit the dataset", {
        found: drifts.found,
        remedy: `The dataset's form is that of ${drifts.key}`,
      });
    }
    // Several may try to begin the same epoch: whoever does not is held against who did.
    await establish(newest + 1, known, candidates, dataset, template, parts.ledger);
  }
}

function candidateFor(root: VirtualGroup, granule: GranuleReference, dataset: Dataset, product: Product): Candidate {
  const axis = axisOf(product);
  const nameValidMs = nameTimeOf(validTimeOf(granule.fields, dataset.runs), axis);
  const shape = shapeGranule(root, axis, nameValidMs, validPrecisionMs(dataset.match));
  const runMs = product.kind === "forecast" ? runOf(product, granule.fields, root) : undefined;
  const reason =
    product.kind === "forecast"
      ? misfitOfRun(product, granule.fields, shape, runMs)
      : misfitOfSteps(shape.validMs, placementRules(dataset, product, shape.validMs.length));
  if (reason !== undefined) throw new FreshetError("drift", `the granule has no place in ${product.name}`, { found: reason });
  requirePublishable(shape);
  if (product.kind === "forecast") {
    requireFreeNames(root, groupOf(shape.axisPath));
    requireSingleSteps(shape);
  }
  return { product, shape, runMs };
}

/** Why a granule has no place among a model's runs; undefined when it has. */
function misfitOfRun(
  { runs }: ForecastProduct,
  { kind }: GranuleReference["fields"],
  { validMs }: GranuleShape,
  runMs: number | undefined,
): string | undefined {
  if (runMs === undefined) return "neither its name nor a coordinate forecast_reference_time says its run";
  const place = ForecastCells.of(runs).placeOf({ runMs, kind }, validMs);
  return typeof place === "string" ? place : undefined;
}

/** The run by the granule's name, or else by the file. @throws FreshetError `drift` when they disagree. */
function runOf(product: ForecastProduct, fields: GranuleReference["fields"], root: VirtualGroup): number | undefined {
  const run = runTimeOf(fields, product.runs);
  const own = referenceTimeOf(root, axisOf(product));
  if (run !== undefined && own !== undefined && own !== run) {
    throw new FreshetError("drift", "the file's own forecast reference time is not the one in its name", {
      found: new Date(own).toISOString(),
      expected: new Date(run).toISOString(),
      remedy: "Correct the name grammar, or skip the granule",
    });
  }
  return run ?? own;
}

/** In what the granule differs from an epoch; undefined when it fits. */
async function driftFrom(
  epoch: number,
  known: readonly Template[],
  candidates: readonly Candidate[],
  { scan: { drop } }: Dataset,
  scans: ScanStore,
): Promise<{ readonly found: string; readonly key: string } | undefined> {
  for (const { product, shape } of candidates) {
    const template = known.find((other) => other.product === product.name && other.epoch === epoch);
    if (template === undefined) continue;
    const { root } = await scans.get(template.scan);
    const expected = shapeTemplate(withoutDropped(root, drop), axisOf(product));
    const drifts = [...compareSchemas(schemaOf(expected), schemaOf(shape)), ...compareTimes(expected, shape)];
    if (drifts.length > 0) return { found: describeDrifts(drifts), key: template.key };
  }
  return undefined;
}

async function establish(
  epoch: number,
  known: readonly Template[],
  candidates: readonly Candidate[],
  { name }: Dataset,
  template: Pick<Template, "key" | "identity" | "scan">,
  ledger: Ledger,
): Promise<void> {
  for (const { product } of candidates) {
    if (known.some((other) => other.product === product.name && other.epoch === epoch)) continue;
    await ledger.establishTemplate(name, product.name, template, epoch);
  }
}
